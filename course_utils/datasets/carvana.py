"""Cars in a studio with their masks: Carvana's photographs where a reader has put them, otherwise rendered cars."""

import atexit
import os
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from course_utils import images
from course_utils.data import data_folder
from course_utils.datasets._cars import VERSION, render

NAME = re.compile(r"([0-9a-f]{12})_(\d\d)")
MEMORY = 1_000_000_000  # bytes that a pipeline keeps in memory; a larger part is kept on disk
SHUFFLED = 250_000_000  # bytes that it shuffles among, where not all are in memory


class DataError(ValueError):
    """A picture or mask is missing, damaged, or not the one that belongs there; the message names the file and the way out."""


@dataclass(frozen=True, eq=False)
class Carvana:
    """Pictures of cars and their masks as files: four tuples of the same length, ordered by car, then by view."""

    images: tuple[Path, ...]  # JPEG
    masks: tuple[Path, ...]  # GIF, palette values 0 (studio) and 1 (car)
    cars: tuple[str, ...]  # 12 hex digits: the same for all views of a car
    views: tuple[int, ...]  # 1 to 16
    source: str
    is_fallback: bool

    def __len__(self):
        return len(self.images)

    def select(self, keep):
        """Return a part of the data.

        Parameters
        ----------
        keep : sequence of int
            Positions of the pictures to keep, in their new order.

        Returns
        -------
        Carvana

        Raises
        ------
        ValueError
            If something else than positions is given, such as a mask of bool.
        """
        keep = np.asarray(keep) if np.size(keep) else np.zeros(0, int)
        if (
            keep.ndim != 1
            or keep.dtype.kind not in "iu"
            or (keep.size and not 0 <= keep.min() <= keep.max() < len(self))
        ):
            raise ValueError(
                f"expected positions from 0 to {len(self) - 1} as whole numbers, got {keep}: np.flatnonzero(mask) makes them of a mask."
            )
        chosen = [tuple(column[i] for i in keep) for column in (self.images, self.masks, self.cars, self.views)]
        return Carvana(*chosen, self.source, self.is_fallback)

    def split_by_car(self, validation=0.2, seed=0):
        """Split into training and validation so that no car is in both: the 16 views of one car resemble each other.

        Parameters
        ----------
        validation : float
            Share of the cars to validate on, above 0 and below 1; at least one car is on each side.
        seed : int
            Another seed draws other cars.

        Returns
        -------
        training, validation : Carvana

        Raises
        ------
        ValueError
            If there are fewer than two cars, or the share is none.
        """
        names = sorted(set(self.cars))
        if len(names) < 2 or not isinstance(validation, (int, float)) or not 0 < validation < 1:
            raise ValueError(
                f"expected two cars or more and a validation share between 0 and 1, "
                f"got {len(names)} cars and validation={validation}."
            )
        count = min(max(round(validation * len(names)), 1), len(names) - 1)
        held = {names[i] for i in np.random.default_rng(seed).permutation(len(names))[:count]}
        sides = [[i for i, car in enumerate(self.cars) if (car in held) == side] for side in (False, True)]
        return tuple(map(self.select, sides))


def load_carvana(cars=40, size=(320, 480), seed=0, folder=None):
    """Find pictures of cars and their masks, and check that they belong together; no pixel is decoded yet.

    Good for learning to segment one large thing with thin parts (aerial, mirrors, roof rack) on a plain ground; too easy
    to tell two good networks apart by overlap alone.

    Carvana's photographs (1918 x 1280, 318 cars) are read where a reader has put them, in `data/carvana`; the
    competition's rules forbid passing them on. Otherwise cars are rendered once, in about 20 s, and kept in `data/cars`.

    Parameters
    ----------
    cars : int or None
        How many cars, the first by name; None: all of Carvana's, or 40 rendered ones.
    size : tuple of int
        Height and width of rendered pictures; photographs keep theirs.
    seed : int
        Another seed renders other cars; photographs don't depend on it.
    folder : path, optional
        A folder that holds `train/*.jpg` and `train_masks/*_mask.gif`; by default `data/carvana`, then rendered cars.

    Returns
    -------
    Carvana
        Paths, cars and views of 16 pictures a car; `source` says where they come from, `is_fallback` is True for
        rendered cars.

    Raises
    ------
    ValueError
        If fewer than one car is asked for, or the size or the seed is out of range.
    DataError
        If a mask or picture is missing, a file has another name than Carvana's, a file is not a picture, a mask's size is
        not its picture's, or rendered cars can't be written.

    References
    ----------
    Carvana Image Masking Challenge, https://www.kaggle.com/c/carvana-image-masking-challenge
    """
    if cars is not None and (not isinstance(cars, (int, np.integer)) or cars < 1):
        raise ValueError(f"expected at least one car, or None for all of them, got cars={cars!r}.")
    real = data_folder() / "carvana" if folder is None else Path(folder).expanduser().absolute()
    if folder is not None or _files(real / "train", ".jpg"):
        return _find(real, cars, "Carvana", is_fallback=False)
    number = 40 if cars is None else cars
    render.check(seed, 1, size)
    name = f"{number}-cars-{size[1]}x{size[0]}-seed-{seed}-v{VERSION}"
    try:
        rendered = render.write_cars(data_folder() / "cars" / name, number, size, seed)
    except OSError as error:
        raise DataError(
            f"Can't write cars to {data_folder() / 'cars'} ({error.strerror or error}): make it writable, or set COURSE_DATA; whoever "
            "may write there can render them for all with 'make data' or 'python -m course_utils.datasets.carvana'."
        ) from error
    return _find(rendered, number, "rendered cars", is_fallback=True)


def _files(folder, ending):
    """The files of a folder by name without their ending, which some tools write in capitals."""
    return {path.stem: path for path in folder.glob("[!.]*") if path.suffix.lower() == ending}


def _find(folder, cars, source, is_fallback):
    images = _files(folder / "train", ".jpg")
    masks = {name.removesuffix("_mask"): path for name, path in _files(folder / "train_masks", ".gif").items()}
    if not images:
        raise DataError(f"{folder / 'train'} holds no *.jpg; put Carvana's pictures there, or name another folder.")
    for name, path in images.items():
        if not NAME.fullmatch(name):
            raise DataError(f"{path} is not named as Carvana's are, <12 hex digits>_<view>.jpg; rename or move it.")
    wanted = set(sorted({name[:12] for name in images})[:cars])
    names = sorted(name for name in images if name[:12] in wanted)
    for name in names:
        if name not in masks:
            what = f"{folder / 'train_masks' / name}_mask.gif is missing, the mask of {images[name].name}"
            raise DataError(f"{what}; unpack train_masks.zip again, or remove the picture.")
    for name in sorted(masks):
        if name[:12] in wanted and name not in images:
            what = f"{folder / 'train' / name}.jpg is missing, the picture of {masks[name].name}"
            raise DataError(f"{what}; unpack train.zip again, or remove the mask.")
    found = Carvana(
        tuple(images[name] for name in names), tuple(masks[name] for name in names),
        tuple(name[:12] for name in names), tuple(int(name[13:]) for name in names), source, is_fallback,
    )  # fmt: skip
    if not is_fallback:
        for pair in zip(found.images, found.masks, strict=True):
            _check_sizes(*pair)
    return found


def _check_sizes(image, mask):
    sizes = []
    for path in (image, mask):
        try:
            sizes.append(images.frame(path))
        except OSError as error:
            raise _damaged(path) from error
    if sizes[0] != sizes[1]:
        there, wanted = (f"{width} x {height}" for height, width in sizes[::-1])
        raise DataError(f"{mask} is {there} pixels, but {image.name} {wanted}; sizes must agree: fetch both again.")


def _damaged(path):
    return DataError(
        f"{path} is truncated or not a picture; delete it and fetch it again (if it was rendered, delete its folder)."
    )


def read_pair(image, mask, size):
    """Read a picture and its mask, made smaller.

    Parameters
    ----------
    image, mask : path
        The files, JPEG and GIF.
    size : int or tuple of int
        Side of a square, or height and width, in pixels; a picture of another shape is squeezed.

    Returns
    -------
    numpy.ndarray
        (H, W, 4), uint8: RGB, 0 to 255, each the mean over the area that a pixel covers; then the mask, 0 or 1, its
        nearest value. Of a large JPEG only the frequencies are decoded that half of those pixels show.

    Raises
    ------
    ValueError
        If the size is not one in whole pixels.
    DataError
        If a file is truncated or no picture, their sizes differ, or the mask has other values.
    """
    height, width = _sides(size)
    _check_sizes(Path(image), Path(mask))
    try:
        with Image.open(image) as file:
            file.draft("RGB", (2 * width, 2 * height))
            picture = np.asarray(ImageOps.exif_transpose(file).convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise _damaged(image) from error
    values = _read_mask(mask)
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    values = cv2.resize(values.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.dstack([picture, values])


def _sides(size):
    """Height and width of a size that may be one number."""
    sides = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(sides) != 2 or not all(isinstance(side, (int, np.integer)) and side > 0 for side in sides):
        raise ValueError(f"expected a size in whole pixels, one number or (height, width), got {size!r}.")
    return sides


def _read_mask(path):
    """A mask by its colors, since the order of a GIF's palette is its writer's choice."""
    try:
        return images.read_mask(path)
    except ValueError as error:
        if error.__cause__:  # what a decoder said about the file itself
            raise _damaged(path) from error
        raise DataError(str(error)) from None


def arrays(part, size):
    """Read a small data set into memory: at 128 pixels 64 kB a picture.

    Parameters
    ----------
    part : Carvana
        What :func:`load_carvana` or a split returned.
    size : int or tuple of int
        Side of a square, or height and width, in pixels.

    Returns
    -------
    images : numpy.ndarray
        (N, H, W, 3), uint8, 0 to 255.
    masks : numpy.ndarray
        (N, H, W, 1), uint8, 0 (studio) or 1 (car).

    Raises
    ------
    ValueError
        If the part is empty.
    DataError
        As in :func:`read_pair`.
    """
    if not len(part):
        raise ValueError("this part holds no picture: was it selected or split well?")
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoders let other threads run
        pairs = np.stack(list(pool.map(lambda pair: read_pair(*pair, size), zip(part.images, part.masks, strict=True))))
    return pairs[..., :3].copy(), pairs[..., 3:].copy()


def pipeline(part, size, batch, train, seed=0):
    """Feed a network from the files: decoded once, in parallel, and kept as bytes.

    Parameters
    ----------
    part : Carvana
        What :func:`load_carvana` or a split returned.
    size : int or tuple of int
        Side of a square, or height and width, in pixels.
    batch : int
        Pictures in a batch.
    train : bool
        True: shuffled anew in each epoch, every other picture mirrored with its mask, whole batches only. False: in order, all.
    seed : int
        Of order and mirroring.

    Returns
    -------
    tf.data.Dataset
        Batches of images (B, H, W, 3) and masks (B, H, W, 1), float32, 0 to 1. Up to 1 GB is kept in memory, a larger
        part in a file under the data folder, or where temporary files are kept, until the program ends.

    Raises
    ------
    ValueError
        If the part is empty, or the size or the batch can't be.
    DataError
        At the first pass, inside TensorFlow's own error, as in :func:`read_pair`.
    """
    import tensorflow as tf

    shape = _sides(size)
    if not len(part) or not isinstance(batch, (int, np.integer)) or batch < 1 or (train and batch > len(part)):
        raise ValueError(f"expected a batch from 1 to {len(part)}, the pictures that there are, got {batch!r}.")
    total, count = len(part) * shape[0] * shape[1] * 4, len(part)
    order = np.random.default_rng(seed).permutation(count) if train else np.arange(count)
    files = [[str(column[i]) for i in order] for column in (part.images, part.masks)]

    def read(image, mask):
        pair = tf.numpy_function(lambda *paths: read_pair(*map(os.fsdecode, paths), shape), [image, mask], tf.uint8)
        return tf.ensure_shape(pair, (*shape, 4))

    def finish(pairs, numbers):
        if train:
            pairs = tf.where((numbers % 2 == 0)[:, None, None, None], pairs[:, :, ::-1], pairs)
        return tf.cast(pairs[..., :3], tf.float32) / 255, tf.cast(pairs[..., 3:], tf.float32)

    pairs = tf.data.Dataset.from_tensor_slices(tuple(files)).map(read, num_parallel_calls=tf.data.AUTOTUNE)
    pairs = pairs.cache("" if total <= MEMORY else _cache_file())
    if train:
        pairs = pairs.shuffle(count if total <= MEMORY else max(SHUFFLED * count // total, 1), seed=seed)
    numbers = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True)
    both = tf.data.Dataset.zip(pairs.batch(batch, drop_remainder=train), numbers.batch(batch, drop_remainder=True))
    return both.map(finish, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _cache_file():
    try:
        folder = tempfile.mkdtemp(prefix=".carvana-", dir=data_folder())
    except OSError:  # a data folder that is shared may be read-only
        folder = tempfile.mkdtemp(prefix="carvana-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return f"{folder}/pairs"


if __name__ == "__main__":  # make data: rendered now, so that no lesson has to wait for it
    try:
        found = load_carvana()
    except DataError as error:
        raise SystemExit(f"cars: {error}") from None
    print(f"{found.source}: {len(found):,} pictures with masks in {found.images[0].parent.parent}")
