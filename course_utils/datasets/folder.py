"""A folder of your own pictures with boxes or masks, in any of four formats, as one set of arrays."""

import json
import math
import os
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PureWindowsPath

import numpy as np
from PIL import Image
from scipy import ndimage

from course_utils import images
from course_utils.datasets.annotations import boxes_of_mask, check_options, names_in_voc, read_voc

FORMATS = ("voc", "coco", "yolo", "masks")
_PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".pgm", ".ppm"}
_NAMES_OF_CLASSES = ("classes.txt", "obj.names")
_MASKS = ("_labels", "_mask")  # how the name of a mask ends: numbers, or two colors
_SLACK = 0.5  # pixels by which rounding may push a box out of its picture
_DARK = 16  # a brightest value, of 255, that means 12 bits stored in 16


@dataclass(frozen=True, eq=False)
class Folder:
    """Pictures of one size, with everything that is known about them."""

    images: np.ndarray  # (N, H, W, 3) or (N, H, W, 1) uint8
    boxes: list  # N arrays (n, 4) float64
    labels: list  # N arrays (n,) int64
    difficult: list  # N arrays (n,) bool
    names: tuple  # N file names
    inside: np.ndarray  # (N, 4) float64, the part of each image that shows the picture
    label_maps: np.ndarray | None  # (N, H, W) int32
    classes: tuple
    faults: tuple  # one sentence for each object or picture that was left out

    def __len__(self):
        return len(self.names)

    def __repr__(self):
        found = ", ".join(f"{name} {count}" for name, count in self.counts.items())
        empty = sum(not len(some) for some in self.labels)
        return f"{len(self)} pictures, {empty} of them without objects; {found}; faults: {len(self.faults)}"

    @property
    def counts(self):
        """How many objects of each class there are: a dictionary from name to number."""
        found = np.bincount(np.concatenate([*self.labels, np.empty(0, np.int64)]), minlength=len(self.classes))
        return dict(zip(self.classes, found.tolist(), strict=True))

    def take(self, places):
        """Keep some of the pictures.

        Parameters
        ----------
        places : sequence of int
            Which ones, in the order wanted.

        Returns
        -------
        Folder
            With copies of the images and maps. `classes` and `faults` stay as they are.
        """
        places = [int(place) for place in places]
        lists = {name: [getattr(self, name)[i] for i in places] for name in ("boxes", "labels", "difficult")}
        maps = None if self.label_maps is None else self.label_maps[places]
        names = tuple(self.names[i] for i in places)
        arrays = {name: getattr(self, name)[places] for name in ("images", "inside")}
        return replace(self, names=names, label_maps=maps, **arrays, **lists)

    def split(self, share=0.8, seed=0):
        """Split the pictures into two parts, by file, so that no picture is in both.

        Pictures that show the same thing, such as two photographs of one slide, may still land in different parts.

        Parameters
        ----------
        share : float
            The first part's share of the pictures, between 0 and 1. Each part gets at least one.
        seed : int
            The same seed and the same files give the same parts on every machine.

        Returns
        -------
        first, second : Folder
            Each in the order of the file names.

        Raises
        ------
        ValueError
            If `share` is not between 0 and 1, or there are fewer than two pictures.
        """
        if not 0 < share < 1 or len(self) < 2:
            raise ValueError(
                f"expected a share between 0 and 1 and at least two pictures, got share={share} and {len(self)}."
            )
        count = min(max(round(share * len(self)), 1), len(self) - 1)
        order = np.random.default_rng(seed).permutation(len(self))
        return self.take(np.sort(order[:count])), self.take(np.sort(order[count:]))

    def draw(self, place):
        """Prepare a drawing of one picture with its boxes and class names, for :func:`course_utils.plots.grid`.

        Parameters
        ----------
        place : int
            Which picture, from 0.

        Returns
        -------
        course_utils.plots.Panel
            Boxes of difficult objects are drawn in the color of errors.
        """
        from course_utils import plots  # here, because Matplotlib is slow to import and loading needs none of it

        image = self.images[place]
        image = image[..., 0] if image.shape[-1] == 1 else image
        colors = [plots.ERROR if flag else plots.TRUTH for flag in self.difficult[place]]
        tags = [self.classes[label] if len(self.classes) > 1 else None for label in self.labels[place]]
        return plots.boxes_on(image, self.boxes[place], self.names[place], tags, colors)


@dataclass
class _Reading:
    """What all readers of one folder share."""

    path: Path
    pictures: dict  # from file name to path
    classes: tuple | None
    skip: bool
    options: dict
    faults: list = field(default_factory=list)

    def fault(self, sentence):
        """Raise a fault or note it, as the caller of `load_folder` asked; `sentence` names the file."""
        if not self.skip:
            raise ValueError(sentence)
        self.faults.append(sentence)

    def picture(self, where, name):
        """The picture with a name that an annotation gives; only the name counts, never a folder. `where` begins a fault."""
        name = PureWindowsPath(str(name)).name  # knows / and \
        if name not in self.pictures:
            raise ValueError(f"{where}: its picture {name or 'without a name'} is missing in {self.path}.")
        return self.pictures[name]

    def number_of(self, where, name):
        """The number of the class with this name, or None where an unknown one was skipped. `where` begins a fault."""
        if name in self.classes:
            return self.classes.index(name)
        self.fault(
            f"{where}: the class {name!r} is unknown; known are {', '.join(self.classes)}. Add it to classes, or ignore it."
        )
        return None


@dataclass(frozen=True, eq=False)
class _Record:
    """One picture and its objects, before resizing."""

    picture: Path
    boxes: np.ndarray
    labels: np.ndarray
    difficult: np.ndarray
    label_map: np.ndarray | None = None


def load_folder(
    path: str | os.PathLike,
    size,
    *,
    format=None,
    classes=None,
    color=True,
    faulty="raise",
    ignore=(),
    first_pixel=1,
    smallest=2,
):
    """Load a folder of your own pictures, with the boxes or masks that an annotation tool wrote.

    Pictures lie in `images` or `JPEGImages` inside the folder if there is one of them, otherwise in the folder itself. What belongs to them lies beside them, or
    in the folder itself or its `Annotations`, `annotations`, `labels` or `masks`:

    - ``"voc"``: an XML file for each picture, as :func:`course_utils.datasets.annotations.read_voc` reads it.
    - ``"coco"``: one JSON file with `images`, `annotations` and `categories`. Boxes are read, outlines are not. An object
      with `iscrowd` counts as difficult.
    - ``"yolo"``: a text file for each picture that shows something, with a line "class x y width height" for each object,
      as shares of the picture, x and y in the middle of the box. A picture without a text file counts as empty. The names stand in `classes.txt` or `obj.names`, one in
      each line, or in `classes`.
    - ``"masks"``: for the picture `a.png` either `a_labels.png`, a map with a number for each object and 0 for the
      background, or `a_mask.png`, a mask of two colors whose connected pieces, also diagonally, are the objects.

    A picture keeps its proportions: it is resized until it fits and lies in the upper left corner, and what remains at its
    right or below it is black. Boxes and label maps go with it. A camera's turn is applied first.

    Parameters
    ----------
    path : path
        The folder.
    size : tuple of (int, int)
        Height and width of the images that are returned.
    format : {"voc", "coco", "yolo", "masks"}, optional
        By default the only one that the folder holds.
    classes : sequence of str, optional
        The names of the classes; a label is a name's place in it. By default those that occur, in the order of the
        alphabet for VOC and of their numbers for COCO and YOLO. Masks have one class, "object" by default.
    color : bool
        Whether images have 3 channels, RGB, or 1, gray.
    faulty : {"raise", "skip"}
        What happens to a fault: an error, or a warning that names it. A faulty object is left out and its picture is kept;
        a faulty picture is left out. An object is faulty too if it is listed twice, or less than a pixel wide or high at `size`.
    ignore : sequence of str
        Names of classes whose objects are left out without a warning.
    first_pixel : {1, 0, "edges"}
        How numbers in VOC files count, as in :func:`course_utils.datasets.annotations.read_voc`.
    smallest : float
        The least width and height of a box, in pixels of the file.

    Returns
    -------
    Folder
        `images` (N, H, W, 3) or (N, H, W, 1), uint8, in the order of the file names in `names`. `boxes`, a list of N
        arrays (n, 4), float64: x0, y0, x1, y1 in pixels of the image, in the format of :mod:`course_utils.geometry`.
        `labels`, N arrays (n,), int64, places in `classes`. `difficult`, N arrays (n,), bool: objects that should be
        neither demanded nor counted as wrong. A picture without objects has n = 0. `inside` (N, 4), float64: the box that
        the picture fills in its image. `label_maps` (N, H, W), int32, only from masks: 0 is background, and pixels of the
        object with `boxes[i][k]` hold k + 1. `faults`: what was left out, one sentence each. `counts` says how many
        objects a class has, `split` makes two parts, and `draw` shows a picture with its boxes.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If the folder holds no picture, no annotations or those of several formats, or, with ``faulty="raise"``, at the
        first fault. The sentence names the file.
    """
    path, height, width = Path(path), *_check_size(size)
    if faulty not in ("raise", "skip") or format not in (None, *FORMATS):
        raise ValueError(
            f"expected faulty='raise' or 'skip' and format=None or one of {FORMATS}, got {faulty!r} and {format!r}."
        )
    check_options(ignore, smallest)
    are_names = classes is None or (not isinstance(classes, str) and all(isinstance(name, str) for name in classes))
    if not are_names or (classes is not None and not 0 < len(set(classes)) == len(classes)):
        raise ValueError(f"expected classes with different names, such as ('dog', 'cat'), got {classes!r}.")
    found = _find(path)
    format = _choose(path, found, format)
    options = {"ignore": tuple(ignore), "first_pixel": first_pixel, "smallest": smallest}
    reading = _Reading(path, _pictures(path), classes and tuple(classes), faulty == "skip", options)
    records = _READERS[format](reading, found[format])
    records.sort(key=lambda record: record.picture.name)
    loaded = list(_attempts(reading, records, lambda record: _fit(reading, record, (height, width), color)))
    for sentence in reading.faults:
        warnings.warn(f"left out: {sentence}", stacklevel=2)
    if not loaded:
        raise ValueError(f"{path} holds no picture that can be used: faults found: {len(reading.faults)}.")
    return _gather(reading, loaded, format)


def _check_size(size):
    sides = tuple(size) if isinstance(size, (tuple, list)) else ()
    if len(sides) != 2 or not all(isinstance(side, (int, np.integer)) and side > 0 for side in sides):
        raise ValueError(f"expected size=(height, width) in pixels, such as (240, 320), got {size!r}.")
    return int(sides[0]), int(sides[1])


# What the folder holds


def _files(path, *folders):
    """The files in a folder and in some folders inside it, sorted, without hidden ones."""
    places = [path, *(path / folder for folder in folders)]
    found = [file for place in places if place.is_dir() for file in place.iterdir() if file.is_file()]
    return sorted(file for file in found if not file.name.startswith("."))


def _is_mask(file):
    return file.suffix.lower() in _PICTURES and file.stem.endswith(_MASKS)


def _pictures(path):
    """The pictures, from file name to path, all from one folder."""
    homes = [path / name for name in ("images", "JPEGImages") if (path / name).is_dir()]
    home = homes[0] if homes else path
    return {file.name: file for file in _files(home) if file.suffix.lower() in _PICTURES and not _is_mask(file)}


def _find(path):
    """The annotation files of each format: a dictionary from format to list."""
    if not path.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path)!r}; a relative path starts at {str(Path.cwd())!r}.")
    found = {format: [] for format in FORMATS}
    stems = {Path(name).stem for name in _pictures(path)}
    for file in _files(path, "images", "Annotations", "annotations", "labels", "masks"):
        if file.suffix.lower() == ".xml":
            found["voc"].append(file)
        elif file.suffix.lower() == ".json":
            found["coco"].append(file)
        elif file.suffix.lower() == ".txt" and file.name not in _NAMES_OF_CLASSES:
            if file.stem in stems or _starts_with_numbers(file):
                found["yolo"].append(file)
        elif _is_mask(file):
            found["masks"].append(file)
    return found


def _starts_with_numbers(file):
    """Tell a YOLO file that has lost its picture from notes."""
    first = (file.read_bytes().split(b"\n", 1)[0]).split()
    return len(first) == 5 and all(part.replace(b".", b"").isdigit() for part in first)


def _choose(path, found, format):
    """The format to read."""
    if not _pictures(path):
        raise ValueError(f"{path} holds no picture, nor do its folders images and JPEGImages.")
    present = [name for name in FORMATS if found[name]]
    if format is None and len(present) > 1:
        examples = " and ".join(f"{found[name][0].name} ({name})" for name in present)
        raise ValueError(f"{path} mixes formats: it holds {examples}. Say which one to read, as format={present[0]!r}.")
    if not present or (format and format not in present):
        raise ValueError(
            f"{path} holds no annotations{f' of the format {format}' if format else ''}: expected XML files (voc), a JSON file "
            "(coco), text files named like the pictures (yolo), or masks whose names end in _labels or _mask (masks)."
        )
    return format or present[0]


def _by_stem(reading):
    """The pictures by their names without endings; None where two share one, which is reported."""
    names = defaultdict(list)
    for name, picture in reading.pictures.items():
        names[picture.stem].append(name)
    for stem, same in names.items():
        if len(same) > 1:
            reading.fault(
                f"{' and '.join(same)} share the name {stem}, so what belongs to which is unclear: rename one."
            )
    return {stem: reading.pictures[same[0]] if len(same) == 1 else None for stem, same in names.items()}


def _attempts(reading, items, read):
    """What `read` makes of each item; a faulty one is reported and left out."""
    for item in items:
        try:
            yield read(item)
        except (ValueError, OSError) as error:
            reading.fault(str(error))


def _report_unread(reading, records, claimed, what):
    """Report pictures that no annotation names, and annotations that share a picture.

    `claimed` are the names, without endings, of pictures whose annotation was there but faulty.
    """
    counts = Counter(record.picture.name for record in records)
    for name in reading.pictures:
        if not counts[name] and Path(name).stem not in claimed:
            reading.fault(f"{name}: {what}; if nothing is in this picture, say so with an annotation without objects.")
        elif counts[name] > 1:
            reading.fault(f"{name}: it has {counts[name]} annotations, so which one is right is unclear.")
    return [record for record in records if counts[record.picture.name] == 1]


def _text(file):
    try:
        return file.read_bytes().decode("utf-8-sig")  # some editors on Windows begin a file with a mark
    except UnicodeDecodeError:
        raise ValueError(f"{file.name} is not a text in UTF-8: save it again as UTF-8.") from None


def _check_box(where, box, size, smallest):
    """A box with its edges inside the picture; rounding is forgiven."""
    height, width = size
    x0, y0, x1, y1 = box
    says = ", ".join(f"{edge:g}" for edge in box)
    if not all(map(math.isfinite, box)) or min(x1 - x0, y1 - y0) < smallest:
        raise ValueError(f"{where}: the box ({says}) should be at least {smallest:g} pixels wide and high.")
    if min(x0, y0) < -_SLACK or x1 > width + _SLACK or y1 > height + _SLACK:
        raise ValueError(f"{where}: the box ({says}) leaves the picture, which is {width} wide and {height} high.")
    return max(x0, 0.0), max(y0, 0.0), min(x1, width), min(y1, height)


def _frame(picture):
    try:
        return images.frame(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{picture.name}: it can't be read as a picture ({type(error).__name__}).") from None


def _record(picture, objects):
    """A record of (box, label, is_difficult), without those that are None."""
    objects = [found for found in objects if found is not None]
    boxes, labels, flags = zip(*objects, strict=True) if objects else ((), (), ())
    return _Record(picture, np.array(boxes, float).reshape(-1, 4), np.array(labels, np.int64), np.array(flags, bool))


# Readers: each takes the files of its format and returns records


def _read_voc(reading, files):
    if reading.classes is None:
        names = _attempts(_Reading(reading.path, {}, None, True, {}), files, names_in_voc)  # faults are told below
        reading.classes = tuple(sorted(set().union(*names) - {"", *reading.options["ignore"]})) or ("object",)

    def read(file):
        ignored = list(reading.options["ignore"])
        for name in sorted(set(names_in_voc(file)) - {*reading.classes, *ignored}):
            reading.number_of(file.name, name)
            ignored.append(name)
        options = {**reading.options, "ignore": ignored, "faulty": "skip" if reading.skip else "raise"}
        home = next(iter(reading.pictures.values())).parent
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            found = read_voc(file, reading.classes, pictures=home, **options)
        for warning in told:
            reading.fault(str(warning.message).removeprefix("left out: "))
        return _Record(found.picture, found.boxes, found.labels, found.difficult)

    claimed = {file.stem for file in files}
    return _report_unread(reading, list(_attempts(reading, files, read)), claimed, "no XML file names it")


def _read_coco(reading, files):
    if len(files) > 1:
        raise ValueError(
            f"{reading.path} holds {len(files)} JSON files, such as {files[0].name} and {files[1].name}: keep one."
        )
    name, tables = files[0].name, _tables(files[0])
    categories = {row.get("id"): row.get("name") for row in tables["categories"]}
    if len(categories) < len(tables["categories"]) or len(set(categories.values())) < len(categories):
        raise ValueError(f"{name}: two of its categories share an id or a name.")
    if reading.classes is None:
        names = [categories[key] for key in sorted(categories, key=lambda key: (str(type(key)), key))]
        reading.classes = tuple(str(each) for each in names if each not in reading.options["ignore"])
    numbers = Counter(row.get("id") for row in tables["images"])
    objects = defaultdict(list)
    for row in tables["annotations"]:
        if row.get("image_id") not in numbers:
            reading.fault(f"{name}, annotation {row.get('id')}: its image_id {row.get('image_id')} is of no image.")
        objects[row.get("image_id")].append(row)

    def read(row):
        where = f"{name}, image {row.get('id')} ({row.get('file_name')})"
        if numbers[row.get("id")] > 1:
            raise ValueError(f"{where}: another image has the same id.")
        picture = reading.picture(where, row.get("file_name"))
        height, width = _frame(picture)
        if (row.get("height", height), row.get("width", width)) != (height, width):
            raise ValueError(
                f"{where}: it should be {row.get('width')} wide and {row.get('height')} high, and is {width} wide and {height} high."
            )
        read_one = partial(_coco_object, reading, categories, (height, width))
        return _record(
            picture, [read_one(f"{name}, annotation {o.get('id')} ({picture.name})", o) for o in objects[row.get("id")]]
        )

    records = list(_attempts(reading, tables["images"], read))
    claimed = {PureWindowsPath(str(row.get("file_name"))).stem for row in tables["images"]}
    return _report_unread(reading, records, claimed, f"{name} does not list it")


def _tables(file):
    """The three lists of a COCO file."""
    try:
        content = json.loads(_text(file))
        tables = {key: list(content[key]) for key in ("images", "annotations", "categories")}
        rows = [row for table in tables.values() for row in table]
        keys = [row.get(key) for row in rows for key in ("id", "image_id", "category_id")]
        names = [row["name"] for row in tables["categories"]]
        is_right = all(isinstance(key, (int, str, type(None))) for key in keys) and all(map(str.strip, names))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_right = False
    if not is_right:
        raise ValueError(
            f"{file.name} is not a COCO file: expected JSON with the lists images, annotations, and categories, "
            "numbers as ids, and a name for each category."
        )
    return tables


def _coco_object(reading, categories, size, where, row):
    try:
        if row.get("category_id") not in categories:
            raise ValueError(f"{where}: its category_id {row.get('category_id')} is of no category.")
        name = str(categories[row["category_id"]])
        if name in reading.options["ignore"]:
            return None
        label = reading.number_of(where, name)
        try:
            x, y, width, height = map(float, row["bbox"])
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{where}: expected a bbox of x, y, width, and height, got {row.get('bbox')!r}.") from None
        box = _check_box(where, (x, y, x + width, y + height), size, reading.options["smallest"])
    except ValueError as error:
        reading.fault(str(error))
        return None
    return None if label is None else (box, label, bool(row.get("iscrowd")))


def _read_yolo(reading, files):
    place = next((file for file in _files(reading.path, "labels") if file.name in _NAMES_OF_CLASSES), None)
    if place is not None:
        known = [line.strip() for line in _text(place).splitlines() if line.strip()]
    else:
        known = list(reading.classes or ())
    if not known or len(set(known)) < len(known):
        raise ValueError(
            f"{place.name if place else reading.path}: expected the classes' names, each once and in its line of classes.txt, "
            "or in classes=."
        )
    reading.classes = reading.classes or tuple(name for name in known if name not in reading.options["ignore"])
    texts = {}
    for file in files:
        if file.stem in texts:
            reading.fault(f"{file.name} is there twice, in different folders: keep one.")
        texts[file.stem] = file
    stems = _by_stem(reading)
    for stem in sorted(texts.keys() - stems.keys()):
        reading.fault(f"{texts[stem].name}: its picture {stem} is missing in {reading.path}.")

    def read(stem):
        size = _frame(stems[stem])
        lines = _text(texts[stem]).splitlines() if stem in texts else []
        rows = [(f"{stem}.txt, line {n}", line.split()) for n, line in enumerate(lines, 1) if line.strip()]
        return _record(stems[stem], (_yolo_object(reading, where, row, known, size) for where, row in rows))

    return list(_attempts(reading, sorted(stem for stem in stems if stems[stem]), read))


def _yolo_object(reading, where, row, known, size):
    try:
        try:
            number, x, y, width, height = int(row[0]), *map(float, row[1:])
        except ValueError:
            raise ValueError(
                f"{where}: expected a class's number and x, y, width, and height, got {' '.join(row)[:60]!r}."
            ) from None
        if not 0 <= number < len(known):
            raise ValueError(f"{where}: the class {number} is unknown; there are {len(known)}, numbered from 0.")
        if not all(0 <= value <= 1 for value in (x, y, width, height)):
            raise ValueError(
                f"{where}: YOLO's numbers are shares of the picture, 0 to 1, and here {' '.join(row[1:])}: are they pixels?"
            )
        if known[number] in reading.options["ignore"]:
            return None
        label = reading.number_of(where, known[number])
        edges = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2]) * np.tile(size[::-1], 2)
        box = _check_box(where, edges.tolist(), size, reading.options["smallest"])
    except ValueError as error:
        reading.fault(str(error))
        return None
    return None if label is None else (box, label, False)


def _stem(mask):
    """The name of a mask's picture, without its ending."""
    return next(mask.stem.removesuffix(end) for end in _MASKS if mask.stem.endswith(end))


def _read_masks(reading, files):
    reading.classes = reading.classes or ("object",)
    if len(reading.classes) > 1:
        raise ValueError(f"{reading.path}: masks have one class, but classes names {len(reading.classes)}.")
    stems = _by_stem(reading)

    def read(file):
        stem = _stem(file)
        if stem not in stems:
            raise ValueError(f"{file.name}: its picture {stem} is missing in {reading.path}.")
        if file.stem.endswith("_labels"):
            numbers = images.read_labels(file)
        else:
            numbers = ndimage.label(images.read_mask(file), np.ones((3, 3)))[0]
        if numbers.shape != (size := _frame(stems[stem])):
            raise ValueError(f"{file.name} has the shape {numbers.shape}, but its picture {size}.")
        if (whole := np.unique(np.append(0, numbers), return_inverse=True)[1][1:].reshape(size)).max() >= 2**31:
            raise ValueError(f"{file.name} holds too many objects.")
        boxes = boxes_of_mask(whole)
        zeros = np.zeros(len(boxes), np.int64)
        return _Record(stems[stem], boxes, zeros, zeros > 0, whole.astype(np.int32))

    claimed = {stem for stem in stems if not stems[stem]} | {_stem(file) for file in files}
    usable = [file for file in files if stems.get(_stem(file), file)]
    return _report_unread(reading, list(_attempts(reading, usable, read)), claimed, "it has no mask")


_READERS = {"voc": _read_voc, "coco": _read_coco, "yolo": _read_yolo, "masks": _read_masks}


# From records to arrays


def _fit(reading, record, size, color):
    """The image of a record, the record with boxes and a label map in it, and the picture's box there."""
    pixels = images.read_color(record.picture) if color else images.read_gray(record.picture)[..., None]
    height, width = pixels.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    new = max(round(height * scale), 1), max(round(width * scale), 1)
    image = np.zeros((*size, pixels.shape[2]), np.uint8)
    resized = Image.fromarray(pixels.squeeze(2) if not color else pixels).resize(new[::-1], Image.Resampling.BILINEAR)
    image[: new[0], : new[1]] = np.asarray(resized).reshape(*new, -1)
    if 0 < pixels.max() <= _DARK:
        dark = f"{record.picture.name} is almost black: its brightest value is {pixels.max()} of 255."
        warnings.warn(f"{dark} If it holds 12 bits in 16, multiply its values by 16 and save it again.", stacklevel=2)
    boxes, label_map = record.boxes * np.array([new[1] / width, new[0] / height] * 2), None
    kept = (boxes[:, 2:] - boxes[:, :2] >= 1 - 1e-6).all(axis=1)
    if record.label_map is not None:
        small = np.asarray(Image.fromarray(record.label_map).resize(new[::-1], Image.Resampling.NEAREST))
        kept &= np.isin(np.arange(1, len(boxes) + 1), small)
        label_map = np.zeros(size, np.int32)
        label_map[: new[0], : new[1]] = np.append(0, np.cumsum(kept) * kept)[small]
    kept &= _report_lost(reading, record, kept, size)
    chosen = {"boxes": boxes[kept], "labels": record.labels[kept], "difficult": record.difficult[kept]}
    return image, replace(record, label_map=label_map, **chosen), (0, 0, new[1], new[0])


def _report_lost(reading, record, kept, size):
    """Report objects that are too small, and those with the class and box of another; which objects are neither (n,)."""
    rows = np.column_stack([record.boxes, record.labels])
    first = np.unique(rows, axis=0, return_index=True)[1]
    is_new = np.isin(np.arange(len(rows)), first) | (record.label_map is not None)  # objects of a mask differ
    for place in np.flatnonzero(~(kept & is_new)):
        where = f"{record.picture.name}: the object in ({', '.join(f'{edge:g}' for edge in record.boxes[place])})"
        reading.fault(f"{where} {'is listed twice' if kept[place] else f'is too small for size={size}'}.")
    return is_new


def _gather(reading, loaded, format):
    pictures, records, inside = zip(*loaded, strict=True)
    boxes, labels, difficult = ([getattr(each, name) for each in records] for name in ("boxes", "labels", "difficult"))
    names = tuple(record.picture.name for record in records)
    maps = np.stack([record.label_map for record in records]) if format == "masks" else None
    inside, faults = np.array(inside, float), tuple(reading.faults)
    return Folder(np.stack(pictures), boxes, labels, difficult, names, inside, maps, reading.classes, faults)
