"""Scenes: handwritten digits of many sizes on photographs of brick, grass and gravel, with class, box and pixels known."""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from skimage import data

from course_utils import geometry
from course_utils.datasets.mnist import load_mnist

TEXTURES = ("brick", "grass", "gravel")  # (512, 512) each, shipped with scikit-image
_TRAINING_ROWS = 304  # the upper rows of each texture are for training, the 208 below for testing
LARGEST = 512 - _TRAINING_ROWS
_TRIES = 40  # places tried for one digit before it is left out


@dataclass(frozen=True, eq=False)
class Scenes:
    """Pictures with everything that is in them; `classes` are the digits, `source` says where they come from."""

    images: np.ndarray  # (N, S, S) uint8
    boxes: list  # N arrays (n, 4) float64
    labels: list  # N arrays (n,) int64
    class_maps: np.ndarray  # (N, S, S) uint8
    classes: tuple
    source: str
    is_fallback: bool


def load_scenes(
    count, seed=0, *, part="train", size=128, classes=range(10), digits=(1, 6), sides=(18, 48), overlap=0.2
):
    """Draw scenes of bright digits on textures.

    Good for segmentation, localization and detection on a small machine: the truth is exact, the digits' writers and the
    stretches of texture in the test part are not those of the training part, and there are as many scenes as you ask
    for. Too easy to compare with results on photographs of things.

    Parameters
    ----------
    count : int
        How many. The first scenes are the same however many there are.
    seed : int
        The same seed gives the same scenes on every machine.
    part : str
        ``"train"`` or ``"test"``.
    size : int
        Height and width of a scene, in pixels, at most 208.
    classes : sequence of int
        The digits that occur.
    digits : tuple of (int, int)
        The smallest and the largest number of digits in a scene. Where there is no room for one, it is left out.
    sides : tuple of (int, int)
        The smallest and the largest longer side of a digit, in pixels.
    overlap : float
        The largest intersection over union of two boxes, 0 (they don't touch) to 1. A later digit covers an earlier one.

    Returns
    -------
    Scenes
        `images` (N, S, S), uint8, 0 to 255. `boxes`, a list of N arrays (n, 4), float64: x0, y0, x1, y1 in pixels, tight
        around the ink as it was before another digit covered it, in the format of :mod:`course_utils.geometry`. `labels`, a
        list of N arrays (n,), int64: indices into `classes`. `class_maps` (N, S, S), uint8: 0 where there is
        background, 1 + label where there is ink.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    classes = tuple(classes)
    _check(part, size, classes, digits, sides, overlap)
    mnist = load_mnist()
    images, labels = getattr(mnist, f"{part}_images"), getattr(mnist, f"{part}_labels")
    rows = slice(0, _TRAINING_ROWS) if part == "train" else slice(_TRAINING_ROWS, None)
    textures = [getattr(data, name)()[rows] for name in TEXTURES]
    writers = [images[labels == digit] for digit in classes]
    scenes = []
    for number in range(count):
        rng = np.random.default_rng([seed, part == "test", number])
        scenes.append(_draw(rng, textures, writers, size, digits, sides, overlap))
    columns = list(zip(*scenes, strict=True)) or [(), (), (), ()]
    shape = (count, size, size)
    return Scenes(
        np.array(columns[0], np.uint8).reshape(shape), list(columns[1]), list(columns[2]),
        np.array(columns[3], np.uint8).reshape(shape), classes, mnist.source, mnist.is_fallback,
    )  # fmt: skip


def _check(part, size, classes, digits, sides, overlap):
    if part not in ("train", "test"):
        raise ValueError(f"expected part='train' or 'test', got {part!r}.")
    if not classes or not set(classes) <= set(range(10)) or len(set(classes)) < len(classes):
        raise ValueError(f"expected classes to be different digits from 0 to 9, at least one, got {classes}.")
    if not 0 < digits[0] <= digits[1]:
        raise ValueError(f"digits=(fewest, most) starts at 1 or more and does not fall, but is {digits}.")
    if not 8 <= sides[0] <= sides[1] <= size <= LARGEST:
        raise ValueError(
            f"sides=(smallest, largest) lie between 8 and the size, and the size is at most {LARGEST}; "
            f"given are sides={sides} and size={size}."
        )
    if not 0 <= overlap <= 1:
        raise ValueError(f"expected overlap, an intersection over union, from 0 to 1, got {overlap}.")


def _draw(rng, textures, writers, size, digits, sides, overlap):
    """Draw one scene: picture, boxes, labels and class map."""
    picture = _background(rng, textures, size)
    class_map = np.zeros((size, size), np.uint8)
    boxes, labels = np.empty((0, 4)), []
    for _ in range(rng.integers(digits[0], digits[1] + 1)):
        label = int(rng.integers(len(writers)))
        tile = _digit(rng, writers[label], rng.integers(sides[0], sides[1] + 1))
        box = _find_place(rng, tile.shape, boxes, size, overlap)
        if box is None:
            continue
        window = np.s_[box[1] : box[3], box[0] : box[2]]
        brightness = rng.integers(190, 256)
        blend = picture[window] * (255 - tile) + brightness * tile  # whole numbers: equal on every processor
        picture[window] = (blend + 127) // 255
        class_map[window][tile >= 128] = 1 + label
        boxes = np.vstack([boxes, box])
        labels.append(label)
    return picture.astype(np.uint8), boxes, np.array(labels, np.int64), class_map


def _background(rng, textures, size):
    """A darkened, turned or mirrored piece of a texture, (size, size), int64."""
    texture = textures[rng.integers(len(textures))]
    row, column = (rng.integers(extent - size + 1) for extent in texture.shape)
    piece = texture[row : row + size, column : column + size].astype(np.int64)
    piece = np.rot90(piece, rng.integers(4))
    piece = piece[:, ::-1] if rng.integers(2) else piece
    return piece * rng.integers(40, 81) // 100


def _digit(rng, images, side):
    """One digit, cut at its ink and enlarged until its longer side is `side`; (h, w), int64, 0 to 255."""
    image = images[rng.integers(len(images))]
    tile = Image.fromarray(_cut(image))
    ratio = side / max(tile.size)
    # Pillow resizes bytes in whole numbers. Thin strokes fade when they shrink: brighten, and cut at what is left of them.
    shape = tuple(max(4, round(extent * ratio)) for extent in tile.size)
    small = np.asarray(tile.resize(shape, Image.Resampling.BILINEAR)).astype(np.int64)
    return _cut(np.minimum(2 * small, 255))


def _cut(image):
    """The part of a digit (h, w) that its ink, half as bright as can be or brighter, reaches."""
    ink = image >= 128
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return np.ascontiguousarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _find_place(rng, shape, boxes, size, overlap):
    """A box of this height and width that overlaps none of the others too much, or None; (4,), int64."""
    for _ in range(_TRIES):
        x, y = rng.integers(size - shape[1] + 1), rng.integers(size - shape[0] + 1)
        box = np.array([x, y, x + shape[1], y + shape[0]])
        if not len(boxes) or geometry.iou([box], boxes).max() <= overlap:
            return box
    return None
