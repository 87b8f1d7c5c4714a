"""Geometry of boxes, on NumPy alone. One format everywhere: (x0, y0, x1, y1).

A box is four numbers: its left, upper, right and lower edge, in pixels from the picture's upper left corner. Edges lie
between pixels: the box around the single pixel in column 3 and row 5 is (3, 5, 4, 6), one wide and one high.
"""

import numpy as np


def check_boxes(boxes, what="the boxes"):
    """Check that an array holds boxes.

    Parameters
    ----------
    boxes : array_like
        (N, 4); N may be 0.
    what : str
        How the message names them.

    Returns
    -------
    numpy.ndarray
        (N, 4), float64.

    Raises
    ------
    ValueError
        If the shape is another, a number is not finite, or a box ends before it begins.
    """
    try:
        boxes = np.asarray(boxes, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{what} should hold four numbers in each row, x0, y0, x1, y1.") from None
    if boxes.size == 0 and boxes.ndim <= 2:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"{what} should have the shape (N, 4), x0, y0, x1, y1 in each row, but have {boxes.shape}.")
    wrong = ~np.isfinite(boxes).all(axis=1) | (boxes[:, 2] < boxes[:, 0]) | (boxes[:, 3] < boxes[:, 1])
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"row {row} of {what} is {boxes[row].tolist()}, but a box has finite edges with x0 <= x1 and y0 <= y1: "
            "is it x, y, width, height?"
        )
    return boxes


def area(boxes):
    """Compute the areas of boxes.

    Parameters
    ----------
    boxes : array_like
        (N, 4), in pixels.

    Returns
    -------
    numpy.ndarray
        (N,), float64, in square pixels.

    Examples
    --------
    >>> area([[3, 5, 4, 6], [0, 0, 10, 20]]).tolist()
    [1.0, 200.0]
    """
    boxes = check_boxes(boxes)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def iou(first, second):
    """Compute the intersection over union of all pairs, also called the Jaccard index.

    Parameters
    ----------
    first, second : array_like
        (N, 4) and (M, 4), in pixels.

    Returns
    -------
    numpy.ndarray
        (N, M), float64, 0 (apart) to 1 (equal). A box without area has 0 with every other.

    Raises
    ------
    ValueError
        As in :func:`check_boxes`.

    Examples
    --------
    Two squares of 10 x 10, shifted by 5: they share 50, and cover 100 + 100 - 50 = 150.

    >>> iou([[0, 0, 10, 10]], [[5, 0, 15, 10], [20, 20, 30, 30]]).round(3).tolist()
    [[0.333, 0.0]]
    """
    first, second = check_boxes(first, "the first boxes"), check_boxes(second, "the second boxes")
    low = np.maximum(first[:, None, :2], second[None, :, :2])  # (N, M, 2)
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    covered = area(first)[:, None] + area(second) - shared
    return np.divide(shared, covered, out=np.zeros_like(shared), where=shared > 0)


def encode(boxes, references):
    """Express boxes as offsets from reference boxes, the form in which a network predicts them.

    The center's shift is in units of the reference's width and height, the sizes are logarithms of ratios, so the offsets
    don't change when picture and boxes are scaled.

    Parameters
    ----------
    boxes, references : array_like
        (N, 4) each, in pixels, with positive width and height.

    Returns
    -------
    numpy.ndarray
        (N, 4), float64: dx, dy, log of the width's ratio, log of the height's ratio.

    Raises
    ------
    ValueError
        If the numbers of boxes differ, or one has no area.

    References
    ----------
    R. Girshick et al., Rich feature hierarchies for accurate object detection, 2014, https://arxiv.org/abs/1311.2524,
    appendix C.

    Examples
    --------
    Shifted right by half the width, twice as wide: log 2 is 0.693.

    >>> encode([[0, 0, 20, 10]], [[0, 0, 10, 10]]).round(3).tolist()
    [[0.5, 0.0, 0.693, 0.0]]
    """
    boxes, references = check_boxes(boxes), check_boxes(references, "the references")
    if len(boxes) != len(references):
        raise ValueError(f"each box needs one reference, but there are {len(boxes)} boxes and {len(references)}.")
    center, size = _centers_and_sizes(boxes, "the boxes")
    reference_center, reference_size = _centers_and_sizes(references, "the references")
    return np.hstack([(center - reference_center) / reference_size, np.log(size / reference_size)])


def decode(offsets, references, largest=4.0):
    """Turn offsets from reference boxes back into boxes: the inverse of :func:`encode`.

    Parameters
    ----------
    offsets : array_like
        (N, 4), as :func:`encode` returns them.
    references : array_like
        (N, 4), in pixels, with positive width and height.
    largest : float
        Logarithms of ratios are cut at this value (a box e**4 = 55 times its reference), so that an untrained network
        gives no infinite box.

    Returns
    -------
    numpy.ndarray
        (N, 4), float64, in pixels.

    Raises
    ------
    ValueError
        If the shapes don't fit, an offset is not finite, or a reference has no area.

    Examples
    --------
    >>> decode([[0.5, 0, np.log(2), 0]], [[0, 0, 10, 10]]).round(3).tolist()
    [[0.0, 0.0, 20.0, 10.0]]
    """
    offsets, references = np.asarray(offsets, dtype=float), check_boxes(references, "the references")
    if offsets.shape != references.shape:
        raise ValueError(f"expected offsets of shape {references.shape}, one row per reference, got {offsets.shape}.")
    if not np.isfinite(offsets).all():
        row = int(np.flatnonzero(~np.isfinite(offsets).all(axis=1))[0])
        raise ValueError(f"row {row} of the offsets is {offsets[row].tolist()}: did the training diverge?")
    reference_center, reference_size = _centers_and_sizes(references, "the references")
    center = reference_center + offsets[:, :2] * reference_size
    half = reference_size * np.exp(np.minimum(offsets[:, 2:], largest)) / 2
    return np.hstack([center - half, center + half])


def _centers_and_sizes(boxes, what):
    size = boxes[:, 2:] - boxes[:, :2]
    if not (size > 0).all():
        row = int(np.flatnonzero((size <= 0).any(axis=1))[0])
        raise ValueError(f"row {row} of {what} is {boxes[row].tolist()}: it has no area, so no ratio to it exists.")
    return (boxes[:, :2] + boxes[:, 2:]) / 2, size


def clip(boxes, height, width):
    """Cut boxes at the borders of their picture.

    Parameters
    ----------
    boxes : array_like
        (N, 4), in pixels.
    height, width : float
        Of the picture, in pixels.

    Returns
    -------
    numpy.ndarray
        (N, 4), float64; a box outside of the picture loses its area.

    Raises
    ------
    ValueError
        If the height or width is not such a number, and as in :func:`check_boxes`.

    Examples
    --------
    >>> clip([[-5, 3, 40, 8]], height=20, width=30).tolist()
    [[0.0, 3.0, 30.0, 8.0]]
    """
    if not all(isinstance(side, (int, float, np.number)) and 0 <= side < np.inf for side in (height, width)):
        raise ValueError(f"expected the picture's height and width in pixels, got {height!r} and {width!r}.")
    return np.clip(check_boxes(boxes), 0, [width, height, width, height])


def non_maximum_suppression(boxes, scores, threshold=0.5, labels=None):
    """Keep the best of the boxes that overlap.

    The box with the highest score is kept, all that overlap it by more than the threshold are dropped, and so on with
    those that are left. With labels, a box drops only boxes of its own class.

    Parameters
    ----------
    boxes : array_like
        (N, 4), in pixels.
    scores : array_like
        (N,); of equal ones the first counts as better.
    threshold : float
        Of intersection over union, 0 to 1.
    labels : array_like, optional
        (N,), the boxes' classes.

    Returns
    -------
    numpy.ndarray
        (K,), int64: indices of the kept boxes, best first.

    Raises
    ------
    ValueError
        If the numbers of boxes, scores and labels differ, a score is NaN, or the threshold is out of range.

    Examples
    --------
    The second box overlaps the first by 90 / 110 = 0.82.

    >>> non_maximum_suppression([[0, 0, 10, 10], [1, 0, 11, 10], [40, 0, 50, 10]], [0.9, 0.8, 0.7]).tolist()
    [0, 2]
    """
    boxes, scores = check_boxes(boxes), np.asarray(scores, dtype=float)
    labels = np.zeros(len(boxes), int) if labels is None else np.asarray(labels)
    if scores.shape != (len(boxes),) or labels.shape != (len(boxes),):
        raise ValueError(
            f"{len(boxes)} boxes need as many scores and labels, but got shapes {scores.shape} and {labels.shape}."
        )
    if np.isnan(scores).any() or not 0 <= threshold <= 1:
        raise ValueError(f"expected numbers as scores and a threshold from 0 to 1, got {scores} and {threshold}.")
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(best)
        overlap = iou(boxes[[best]], boxes[order])[0]
        order = order[(overlap <= threshold) | (labels[order] != labels[best])]
    return np.array(kept, dtype=np.int64)
