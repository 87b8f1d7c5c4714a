"""Photographs that ship with the libraries, with outlines drawn by hand, and scenes of real coins moved together."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from course_utils import images
from course_utils.datasets.annotations import boxes_of_mask
from course_utils.datasets.nuclei import touching_pairs

_OUTLINES = Path(__file__).with_suffix(".json")  # how they were made stands in data/README.md
PHOTOGRAPHS = ("coffee", "chelsea", "astronaut", "rocket", "china", "flower", "coins")
_GRAIN = 15  # gray values; what differs more from the light is dirt or the table's end, and not grain
_TRIES = 2000  # places tried for one coin


@dataclass(frozen=True, eq=False)
class Photograph:
    """A photograph and its main objects."""

    image: np.ndarray  # (H, W, 3) or (H, W) uint8
    boxes: np.ndarray  # (N, 4) float64
    labels: tuple  # N names
    masks: np.ndarray  # (N, H, W) bool


@dataclass(frozen=True, eq=False)
class Coins:
    """A scene of coins with everything that is known about it."""

    image: np.ndarray  # (H, W) uint8
    labels: np.ndarray  # (H, W) int32
    boxes: np.ndarray  # (N, 4) float64
    touching: np.ndarray  # (P, 2) int32

    @property
    def count(self):
        """How many coins there are."""
        return len(self.boxes)


@cache
def _outlines():
    return json.loads(_OUTLINES.read_text(encoding="utf-8"))


def load_photograph(name):
    """Load a photograph that ships with scikit-image or scikit-learn, with its main objects outlined.

    Good for seeing a method at work on a real picture and for a first score. Seven pictures are too few to compare
    methods, and only the objects named below have an outline: other things in a picture are not marked.

    Parameters
    ----------
    name : str
        "coffee" (a saucer, a spoon and a cup), "chelsea" (a cat), "astronaut" (an astronaut and a helmet), "rocket", "china"
        (a temple's upper roof), "flower" (two flowers, one cut by the picture's edge) or "coins" (24 coins, a gray picture).

    Returns
    -------
    Photograph
        `image` (H, W, 3), uint8, RGB, or (H, W) for the coins. `boxes` (N, 4), float64: x0, y0, x1, y1 in pixels, tight around
        the masks, in the format of :mod:`course_utils.geometry`. `labels`, N names such as "cup". `masks` (N, H, W), bool: the
        visible pixels, so where a cup hides its saucer, only the cup's mask is True. Outlines are within about 3 pixels
        of the object's edge; `data/README.md` says how they were drawn and measured.

    Raises
    ------
    ValueError
        If there is no such photograph.
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"there is no outlined photograph {name!r}; there are: {', '.join(PHOTOGRAPHS)}.")
    image = images.sample(name)
    labels, polygons = zip(*_outlines()[name], strict=True)
    masks = np.stack([_fill(polygon, image.shape[:2]) for polygon in polygons])
    for below, above in zip(reversed(range(len(masks) - 1)), reversed(range(1, len(masks))), strict=True):
        masks[below] &= ~masks[above:].any(axis=0)  # what is listed later lies on top
    boxes = np.concatenate([boxes_of_mask(mask) for mask in masks])
    return Photograph(image, boxes, labels, masks)


def _fill(polygon, shape):
    """The pixels whose centers lie in a polygon, whose corners (x, y) count from the picture's corner; (H, W), bool."""
    from skimage.draw import polygon2mask  # here, because it takes longer to import than all else

    return polygon2mask(shape, np.array(polygon)[:, ::-1] - 0.5)


def touching_coins(seed=0, count=16, groups=3):
    """Compose a scene of real coins that touch, from the photograph of 24 coins that lie apart.

    Good for watershed and for counting: a threshold counts touching coins as one, and the true number is known. The coins
    and the table are real, and only the places are made up: each coin keeps the brightness and the light of its own place
    in the photograph, and none is turned, enlarged or used twice. Labels are as good as the coins' outlines.

    Parameters
    ----------
    seed : int
        The same seed gives the same scene on every machine.
    count : int
        How many coins, 1 to 24.
    groups : int
        How many coins are laid down apart from all others, at most `count`. Every other coin is pushed toward one that lies
        there until they touch, so that scenes have at most so many groups.

    Returns
    -------
    Coins
        `image` (303, 384), uint8. `labels` (303, 384), int32: 0 is the table, and 1 to N a coin each. `boxes` (N, 4),
        float64: x0, y0, x1, y1 in pixels, tight, in the format of :mod:`course_utils.geometry`; the box of coin n is
        `boxes[n - 1]`. `touching` (P, 2), int32: pairs of coins whose pixels are neighbors, also diagonally. `count` is N.

    Raises
    ------
    ValueError
        If `count` or `groups` is out of range, or there is no room for so many groups of coins: take another seed then.
    """
    if not 1 <= groups <= count <= 24:
        raise ValueError(f"expected 1 <= groups <= count <= 24, got groups={groups} and count={count}.")
    rng = np.random.default_rng(seed)
    coins = load_photograph("coins")
    image, labels = _empty_table(coins), np.zeros(coins.image.shape, np.int32)
    for number, chosen in enumerate(rng.permutation(len(coins.boxes))[:count], 1):
        # Each lies so far from the picture's edge.
        x0, y0, x1, y1 = coins.boxes[chosen].astype(int) + np.array([-3, -3, 3, 3])
        piece, mask = coins.image[y0:y1, x0:x1], coins.masks[chosen, y0:y1, x0:x1]
        for _ in range(_TRIES):
            place = _free_place(rng, labels, mask) if number <= groups else _place_that_touches(rng, labels, mask)
            if place is not None:
                break
        else:
            raise ValueError(
                f"no room was found for coin {number} of {count} with seed={seed}: take another seed, or fewer coins or groups."
            )
        share = ndimage.gaussian_filter(mask.astype(float), 0.7)  # the edge of a photographed coin is soft
        image[place] = share * piece + (1 - share) * image[place]
        labels[place][mask] = number
    return Coins(np.rint(image).astype(np.uint8), labels, boxes_of_mask(labels), touching_pairs(labels))


def _empty_table(coins):
    """The photograph without its coins: smooth light, and under each coin the grain of the table beside it."""
    table = ~ndimage.binary_dilation(coins.masks.any(axis=0), iterations=4)
    values = np.where(table, coins.image, 0).astype(float)
    light = ndimage.gaussian_filter(values, 12) / ndimage.gaussian_filter(table.astype(float), 12)
    places = np.indices(table.shape)
    nearest = ndimage.distance_transform_edt(~table, return_distances=False, return_indices=True)
    mirrored = np.clip(2 * nearest - places, 0, np.array(table.shape)[:, None, None] - 1)
    source = np.where(table[tuple(mirrored)], mirrored, nearest)
    grain = (values - light)[tuple(source)]
    return np.clip(light + np.where(table | (abs(grain) < _GRAIN), grain, 0), 0, 255)


def _window(place, mask):
    """The rows and columns that a piece covers with its upper left corner at `place`."""
    y, x = place
    return slice(y, y + mask.shape[0]), slice(x, x + mask.shape[1])


def _free_place(rng, labels, mask):
    """A place in which a coin lies apart from all others, or None."""
    window = _window(rng.integers(0, np.array(labels.shape) - mask.shape, endpoint=True), mask)
    return None if labels[window].any() else window


def _place_that_touches(rng, labels, mask):
    """A place in which a coin touches another one, after a push from a random side, or None."""
    target = np.argwhere(labels == rng.integers(1, labels.max(), endpoint=True)).mean(axis=0)
    angle = rng.uniform(0, 2 * np.pi)
    found = None
    for distance in np.arange(90, 0, -0.5):  # the two largest coins touch at 65
        corner = target + distance * np.array([np.sin(angle), np.cos(angle)]) - np.array(mask.shape) / 2
        window = _window(np.rint(corner).astype(int), mask)
        if labels[window].shape != mask.shape or min(window[0].start, window[1].start) < 0:
            if found is None:
                continue
            return None
        if labels[window][mask].any():
            return found
        found = window
    return None
