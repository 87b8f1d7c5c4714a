"""Pictures of your own: boxes from Pascal VOC XML, and boxes from masks."""

import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree

import numpy as np
from PIL import Image
from scipy import ndimage

from course_utils import images

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, eq=False)
class Annotation:
    """What an annotation file says of one picture."""

    picture: Path  # the picture's file, which is there
    size: tuple  # (height, width) in pixels, as the picture itself has them
    boxes: np.ndarray  # (n, 4) float64
    labels: np.ndarray  # (n,) int64, indices into the classes
    difficult: np.ndarray  # (n,) bool


def read_voc(path, classes, *, pictures=None, ignore=(), first_pixel=1, smallest=2, faulty="raise"):
    """Read an annotation in the XML format of Pascal VOC, which most annotation tools write.

    VOC numbers pixels from 1 and names the last pixel that belongs to the object. The boxes that are returned have edges
    between pixels, from 0: (xmin - 1, ymin - 1, xmax, ymax). They count in the picture as it is shown, after the turn that
    a camera may ask for.

    Parameters
    ----------
    path : str or pathlib.Path
        The XML file. A document type declaration is refused, and with it every entity: what is read stays small.
    classes : sequence of str
        The names of the classes. A label is a name's place in it.
    pictures : str or pathlib.Path, optional
        The folder that holds the picture which the file names; by default the XML's own folder, or `JPEGImages` beside
        it, as in VOC. Only the name is used, never a folder that the file asks for.
    ignore : sequence of str
        Names of classes whose objects are left out.
    first_pixel : {1, 0, "edges"}
        1 as in VOC and LabelImg; 0 for a tool that numbers pixels from 0; ``"edges"`` for one whose numbers are edges
        already, from 0 to the picture's width, as VoTT's and CVAT's.
    smallest : float
        The least width and height of a box, in pixels. 2, since a box whose xmin and xmax are equal is mostly a click where
        a drag was meant; 1 accepts it as one pixel wide.
    faulty : {"raise", "skip"}
        What happens to an object whose box can't be right: an error, or a warning that names it, and the others are kept.

    Returns
    -------
    Annotation
        `picture`, the path of the picture; `size`, its (height, width); `boxes` (n, 4), float64, x0, y0, x1, y1 in pixels,
        in the format of :mod:`course_utils.geometry`; `labels` (n,), int64; `difficult` (n,), bool, objects that VOC neither
        demands nor counts as wrong. A file without objects gives n = 0.

    Raises
    ------
    FileNotFoundError
        If the XML file or its picture is missing.
    ValueError
        If the file is not such XML, its picture is damaged or of another size, or an object has an unknown class, no area,
        or a box that leaves the picture. The sentence names the file and the object.

    References
    ----------
    M. Everingham et al., The Pascal Visual Object Classes (VOC) challenge, 2010,
    https://doi.org/10.1007/s11263-009-0275-4.
    """
    path, classes = Path(path), _check_names(classes)
    if first_pixel not in (0, 1, "edges") or faulty not in ("raise", "skip"):
        raise ValueError(
            f"expected first_pixel=0, 1, or 'edges' and faulty='raise' or 'skip', got {first_pixel!r} and {faulty!r}."
        )
    check_options(ignore, smallest)
    root = _parse(path)
    picture = _find_picture(path, root, pictures)
    size = _check_size(path, root, picture)
    boxes, labels, difficult = [], [], []
    for number, element in enumerate(root.findall("object"), 1):
        name = (element.findtext("name") or "").strip()
        where = f"{path.name}, object {number} ({name or 'without a name'})"
        if name in ignore and name:
            continue
        if name not in classes:
            raise ValueError(f"{where}: this class is unknown; known are {', '.join(classes)}. Add it, or ignore it.")
        try:
            box, flag = _read_box(where, element, size, first_pixel, smallest), _read_flag(where, element)
        except ValueError as error:
            if faulty == "raise":
                raise
            warnings.warn(f"left out: {error}", stacklevel=2)
            continue
        boxes.append(box)
        labels.append(classes.index(name))
        difficult.append(flag)
    return Annotation(
        picture, size, np.array(boxes, float).reshape(-1, 4), np.array(labels, np.int64), np.array(difficult, bool)
    )


def check_options(ignore, smallest):
    """Raise a ValueError unless `ignore` holds names and `smallest` is a size, as :func:`read_voc` takes them.

    Parameters
    ----------
    ignore : sequence of str
    smallest : float
    """
    if isinstance(ignore, str) or not (isinstance(smallest, (int, float)) and smallest > 0):
        raise ValueError(f"expected ignore=('name', ...) and smallest above 0 pixels, got {ignore!r} and {smallest!r}.")


def names_in_voc(path):
    """List the class names in an annotation in the XML format of Pascal VOC.

    Parameters
    ----------
    path : str or pathlib.Path
        The XML file.

    Returns
    -------
    list of str
        One for each object, "" for an object without a name.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, or not such XML.
    """
    return [(element.findtext("name") or "").strip() for element in _parse(Path(path)).findall("object")]


def _check_names(classes):
    names = () if isinstance(classes, str) or not np.iterable(classes) else tuple(classes)
    if not names or len(set(names)) < len(names) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"expected classes with different names, such as ('dog', 'cat'), got {classes!r}.")
    return names


class _WithoutDoctype(ElementTree.TreeBuilder):
    """Stops at a document type declaration, before an entity in it can be expanded."""

    def doctype(self, name, pubid, system):
        """Refuse the declaration, whatever its name, pubid and system are."""
        raise ValueError("it has a document type declaration, which could make it huge")


def _parse(path):
    """The root of an annotation file."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no annotation file {path}.")
    data = path.read_bytes()
    declared = re.match(rb"""(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding=["']([\w.-]+)["'][^>]*\?>""", data)
    try:
        parser = ElementTree.XMLParser(target=_WithoutDoctype())
        # Python knows encodings that the parser doesn't, such as gb2312.
        parser.feed(data[declared.end() :].decode(declared[1].decode()) if declared else data)
        root = parser.close()
    except ElementTree.ParseError as error:
        raise ValueError(
            f"{path.name} can't be read as XML ({error}): is it whole, and in UTF-8 or in the encoding that its first line names?"
        ) from None
    except (ValueError, LookupError) as error:  # LookupError: an encoding that Python doesn't know
        raise ValueError(f"{path.name} can't be read: {error}.") from None
    if root.tag != "annotation":
        raise ValueError(f"{path.name} begins with <{root.tag}>, but a Pascal VOC file begins with <annotation>.")
    return root


def _find_picture(path, root, pictures):
    name = PureWindowsPath((root.findtext("filename") or "").strip()).name  # knows / and \
    if not name:
        raise ValueError(f"{path.name} names no picture: its <filename> is missing or empty.")
    folders = [path.parent, path.parent.parent / "JPEGImages"] if pictures is None else [Path(pictures)]
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    where = " or in ".join(map(str, folders)) + ("; name the folder with pictures=" if pictures is None else "")
    raise FileNotFoundError(f"{path.name}: its picture {name} is missing in {where}.")


def _check_size(path, root, picture):
    """(height, width) of the picture, which the file must state alike if it states them."""
    try:
        with Image.open(picture) as opened:
            opened.load()  # the whole of it: a truncated one should be told now, not in the middle of a training
        height, width = images.frame(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path.name}: its picture {picture.name} can't be read ({error}).") from None
    if root.find("size") is not None:
        stated = tuple(_read_number(path.name, root.find("size"), key) for key in ("width", "height"))
        if stated not in ((width, height), (0, 0)):  # tools that don't look at the picture write 0
            raise ValueError(
                f"{path.name} says that {picture.name} is {stated[0]:g} wide and {stated[1]:g} high, but it is {width} wide "
                f"and {height} high: was it resized or turned after it was annotated?"
            )
    return height, width


def _read_number(where, element, key):
    text = (element.findtext(key) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{where}: expected a number in <{key}>, got {text!r}.")
    return value


def _read_box(where, element, size, first_pixel, smallest):
    """x0, y0, x1, y1 of one object, with edges between pixels."""
    corners = element.find("bndbox")
    if corners is None:
        raise ValueError(f"{where}: it has no <bndbox>.")
    xmin, ymin, xmax, ymax = stated = [_read_number(where, corners, key) for key in _CORNERS]
    says = ", ".join(f"{key} {value:g}" for key, value in zip(_CORNERS, stated, strict=True))
    first, beyond = (0, 0) if first_pixel == "edges" else (first_pixel, 1 - first_pixel)
    box = xmin - first, ymin - first, xmax + beyond, ymax + beyond
    if min(box[2] - box[0], box[3] - box[1]) < smallest:
        width, height = (max(0, high - low) for low, high in ((box[0], box[2]), (box[1], box[3])))
        raise ValueError(
            f"{where}: the box with {says} is {width:g} wide and {height:g} high: it has {'hardly any' if width and height else 'no'} "
            f"area; expected at least {smallest:g} pixels each way."
        )
    if min(box[:2]) < 0 or box[2] > size[1] or box[3] > size[0]:
        advice = ""
        if first_pixel != "edges" and min(stated) >= 0 and xmax <= size[1] and ymax <= size[0]:
            reaches = xmax == size[1] or ymax == size[0]
            advice = f" Does the tool {'give edges' if reaches else 'number pixels from 0'}? Then give first_pixel={'edges' if reaches else 0!r}."
        raise ValueError(
            f"{where}: the box with {says} leaves the picture, which is {size[1]} wide and {size[0]} high.{advice}"
        )
    return box


def _read_flag(where, element):
    text = (element.findtext("difficult") or "0").strip()
    if text not in ("0", "1"):
        raise ValueError(f"{where}: expected 0 or 1 in <difficult>, got {text!r}.")
    return text == "1"


def boxes_of_mask(mask, ignore=()):
    """Find the tight box of each object in a mask.

    Parameters
    ----------
    mask : array_like
        (H, W). Of bool: one object, where it is True. Of integers: 0 for the background and a number for each object, as
        0 and 255, or 1, 2, 3 for three. Objects of one number that lie apart count as one.
    ignore : sequence of int
        Numbers that aren't objects, as ``(255,)`` for the borders in Pascal VOC's masks.

    Returns
    -------
    numpy.ndarray
        (n, 4), float64, x0, y0, x1, y1 in pixels, in the format of :mod:`course_utils.geometry`; by ascending number, n = 0
        where there is no object.

    Raises
    ------
    ValueError
        If the mask is not such an array.

    Examples
    --------
    Object 1 is a single pixel in row 0 and column 2, object 7 is 2 wide and 1 high.

    >>> boxes_of_mask([[0, 0, 1], [7, 7, 0]]).tolist()
    [[2.0, 0.0, 3.0, 1.0], [0.0, 1.0, 2.0, 2.0]]
    """
    mask = np.asarray(mask)
    if mask.ndim != 2 or mask.dtype.kind not in "biu":
        raise ValueError(f"expected a mask (H, W) of bool or integers, got {mask.shape} of {mask.dtype}.")
    if not mask.size:
        return np.empty((0, 4))
    if mask.min() < 0:
        raise ValueError(f"a mask numbers its objects from 1, but this one holds {mask.min()}.")
    numbers, places = np.unique(mask, return_inverse=True)
    found = ndimage.find_objects(places.reshape(mask.shape) + 1)
    wanted = [where for number, where in zip(numbers, found, strict=True) if number and int(number) not in set(ignore)]
    return np.array([[x.start, y.start, x.stop, y.stop] for y, x in wanted], float).reshape(-1, 4)
