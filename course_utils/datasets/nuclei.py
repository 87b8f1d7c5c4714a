"""A fluorescence picture of 125 nuclei, each labeled by hand, many of them touching; a stand-in where it can't be fetched."""

import math
import os
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image
from scipy import ndimage

from course_utils.data import RUN, SOURCES, DownloadError, folder_of, is_genuine, read_or_fetch
from course_utils.datasets.mnist import show_banner


@dataclass(frozen=True, eq=False)
class Nuclei:
    """A picture of nuclei or a part of one, with everything that is known about it."""

    image: np.ndarray  # (H, W) uint8
    labels: np.ndarray  # (H, W) int32, 0 or a nucleus's number
    boxes: np.ndarray  # (N, 4) float64
    touching: np.ndarray  # (P, 2) int32
    ignore: np.ndarray  # (H, W) bool
    source: str
    is_fallback: bool


def load_nuclei(folder: str | os.PathLike | None = None) -> Nuclei:
    """Load a fluorescence picture of cell nuclei, 512 x 512 pixels, with one label per nucleus.

    Good for thresholds, watershed, instance segmentation and detection: bright blobs of one kind on a dark ground, of very different
    brightness, and some of them touch, so that counting them is harder than finding them. It is one picture: enough to show where a
    method fails, too little to rank two good ones.

    The files are read from the data folder and verified. Missing ones are fetched; where no source answers, a rendered
    picture of 125 nuclei stands in, and a banner says so.

    Parameters
    ----------
    folder : path, optional
        The folder that holds the two files themselves; `data/nuclei` by default.

    Returns
    -------
    Nuclei
        `image` (512, 512), uint8, 0 to 235: the brightness as it was measured. The file has 16 bits per pixel and no value
        above 235, so nothing is lost. `labels` (512, 512), int32: 0 is background, 1 to 125 a nucleus each (the file's
        own numbers have gaps). `boxes` (125, 4), float64: x0, y0, x1, y1 in pixels, tight, in the format of
        :mod:`course_utils.geometry`; the box of nucleus n is `boxes[n - 1]`. `touching` (24, 2), int32: the pairs whose
        pixels are neighbors, also diagonally; see :func:`touching_pairs`. `ignore` (512, 512), bool: False everywhere;
        see :func:`split_nuclei`. The stand-in has the same shapes, but for the number of pairs, and `is_fallback` is
        True. All arrays can be written to.

    Raises
    ------
    DownloadError
        If a file is damaged or another one, or a file stands where a folder is needed.

    References
    ----------
    J. C. Caicedo et al., Nucleus segmentation across imaging experiments: the 2018 Data Science Bowl, Nature Methods 16,
    2019, https://doi.org/10.1038/s41592-019-0612-7. Image set BBBC038v1, CC0, as the package StarDist carries it.
    """
    contents, why = read_or_fetch("nuclei", folder)
    if not contents:
        source = SOURCES["nuclei"].fallback
        show_banner(f"This is not the microscope's picture but {source}; scores differ from the text. {why}")
        return _nuclei(*_render(), source, is_fallback=True)
    if not is_genuine("nuclei", contents):
        raise DownloadError(
            f"The files in {folder_of('nuclei', folder)} are not the nuclei's (wrong SHA-256); delete them and {RUN}."
        )
    image, numbers = (np.array(Image.open(BytesIO(data))) for data in contents.values())  # in the order of `SOURCES`
    labels = np.unique(numbers, return_inverse=True)[1].reshape(numbers.shape)  # 0 is among the numbers
    return _nuclei(image.astype(np.uint8), labels.astype(np.int32), "the 2018 Data Science Bowl", is_fallback=False)


def _nuclei(image, labels, source, is_fallback, ignore=None):
    """Complete a picture and its labels, 1 to N without gaps."""
    extents = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(labels)]
    boxes = np.array(extents, float).reshape(-1, 4)
    ignore = np.zeros(labels.shape, bool) if ignore is None else ignore
    return Nuclei(image, labels, boxes, touching_pairs(labels), ignore, source, is_fallback)


def touching_pairs(labels, within=1.5):
    """Find the pairs of objects that touch.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W), integers: 0 is background.
    within : float
        Two objects touch if the centers of a pixel of one and a pixel of the other are at most so many pixels apart,
        at least 1. With 1 neighbors in a row or column count, with 1.5 diagonal ones as well, and with 2 one pixel of background
        may lie between them, as where two outlines were drawn by hand. Of the 125 nuclei 21, 24 and 27 pairs touch then.

    Returns
    -------
    numpy.ndarray
        (P, 2), int32: pairs of labels, the smaller one first, in rising order.

    Raises
    ------
    ValueError
        If `labels` is not a map of integers, or `within` is below 1.

    Examples
    --------
    >>> touching_pairs(np.array([[1, 1, 0, 3], [0, 0, 2, 0]])).tolist()
    [[1, 2], [2, 3]]
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "iu" or within < 1:
        raise ValueError(
            f"expected a map (H, W) of integer labels and within=1 or more, got {labels.dtype} of shape {labels.shape} "
            f"and within={within}."
        )
    reach = math.floor(within)
    height, width = labels.shape
    margin = np.pad(labels, reach)
    pairs = [np.empty((0, 2), labels.dtype)]
    for down in range(reach + 1):
        for right in range(-reach, reach + 1):
            if 0 < math.hypot(down, right) <= within:
                other = margin[reach + down : reach + down + height, reach + right : reach + right + width]
                meet = (labels != other) & (labels > 0) & (other > 0)
                pairs.append(np.stack([labels[meet], other[meet]], axis=1))
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0).astype(np.int32)


def split_nuclei(nuclei, share=0.5):
    """Split a picture into a left part to learn from and a right part to judge on, so that no nucleus is in both.

    Between the parts, a strip as wide as the widest nucleus is left out (38 columns of the microscope's picture).

    Parameters
    ----------
    nuclei : Nuclei
        What :func:`load_nuclei` returned.
    share : float
        Where the middle of the strip lies, as a share of the width, between 0 and 1.

    Returns
    -------
    left, right : Nuclei
        As from :func:`load_nuclei`, with new numbers from 1 and boxes that count from the part's own corner. A nucleus that the strip
        cuts belongs to neither part: what is left of it is 0 in `labels` and True in `ignore`, because it can be seen and has
        no label. Leave those pixels out of a loss, and detections on them out of a score. Nuclei that the picture's own
        edge cuts are kept.

    Raises
    ------
    ValueError
        If a part would have no whole nucleus.
    """
    width = nuclei.image.shape[1]
    gap = int((nuclei.boxes[:, 2] - nuclei.boxes[:, 0]).max(initial=0))
    end = round(share * width) - gap // 2 if 0 < share < 1 else 0
    sides = slice(0, end), slice(end + gap, width)
    if not all(_lies_in(nuclei, columns).any() for columns in sides):
        raise ValueError(
            f"with share={share} and a strip of {gap} columns a part has no whole nucleus; choose a share nearer to 0.5."
        )
    return tuple(_part(nuclei, columns) for columns in sides)


def _lies_in(nuclei, columns):
    """Which nuclei lie in the columns completely; (N,), bool."""
    return (nuclei.boxes[:, 0] >= columns.start) & (nuclei.boxes[:, 2] <= columns.stop)


def _part(nuclei, columns):
    """Some columns of a picture, with the nuclei that lie in them completely."""
    labels = nuclei.labels[:, columns]
    whole = _lies_in(nuclei, columns)
    numbers = np.append(0, np.cumsum(whole) * whole).astype(np.int32)  # (N + 1,), 0 for those that are cut
    cut = (labels > 0) & (numbers[labels] == 0)
    ignore = nuclei.ignore[:, columns] | cut
    return _nuclei(nuclei.image[:, columns].copy(), numbers[labels], nuclei.source, nuclei.is_fallback, ignore)


def _render(count=125, size=512):
    """Draw ellipses of different brightness, which may overlap a little, blurred and with noise; (H, W) uint8 and int32."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:size, :size]
    labels, light = np.zeros((size, size), np.int32), np.full((size, size), 22.0)
    while labels.max() < count:
        (y, x), (long, short), turn = rng.uniform(0, size, 2), rng.uniform(8, 16, 2), rng.uniform(0, np.pi)
        along = (columns - x) * np.cos(turn) + (rows - y) * np.sin(turn)
        across = (rows - y) * np.cos(turn) - (columns - x) * np.sin(turn)
        inside = (along / long) ** 2 + (across / short) ** 2 <= 1
        free = inside & (labels == 0)
        if free.sum() > max(0.9 * inside.sum(), 80):
            labels[free] = labels.max() + 1
            light[free] = rng.uniform(40, 110)
    image = ndimage.gaussian_filter(light, 1.2) + rng.normal(0, 5, light.shape)
    return np.rint(np.clip(image, 0, 255)).astype(np.uint8), labels
