"""Evaluation metrics on NumPy alone: confusion, IoU, Dice, average precision, Fréchet distance."""

import numpy as np

from course_utils import geometry


def confusion(truth, prediction, classes):
    """Count, for each true class, what was predicted.

    Parameters
    ----------
    truth, prediction : array_like
        Of one shape, integers from 0 to `classes` - 1 (or bool, for two classes): one class for each pixel or picture.
    classes : int
        How many classes there are.

    Returns
    -------
    numpy.ndarray
        (classes, classes), int64: row = truth, column = prediction. Sum the matrices of batches to judge all of them.

    Raises
    ------
    ValueError
        If the shapes differ, or a value is not a class.

    Examples
    --------
    >>> confusion([0, 0, 1, 1], [0, 1, 1, 1], classes=2).tolist()
    [[1, 1], [0, 2]]
    """
    _check_classes(classes)
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape:
        raise ValueError(f"truth has the shape {truth.shape}, the prediction {prediction.shape}: they should agree.")
    for name, values in (("truth", truth), ("prediction", prediction)):
        if values.size and values.dtype.kind not in "biu":
            raise ValueError(f"{name} should hold whole numbers, a class each, but is {values.dtype}: take the argmax.")
        if values.size and not (values.min() >= 0 and values.max() < classes):
            raise ValueError(
                f"{name} holds values from {values.min()} to {values.max()}, but {classes} classes are 0 to {classes - 1}."
            )
    pairs = truth.ravel().astype(np.int64) * classes + prediction.ravel().astype(np.int64)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _check_classes(classes):
    if not isinstance(classes, (int, np.integer)) or isinstance(classes, bool) or classes < 1:
        raise ValueError(f"expected a number of classes of at least 1, got {classes!r}.")


def iou(confusion):
    """Compute the intersection over union of each class, also called the Jaccard index.

    Parameters
    ----------
    confusion : array_like
        (C, C), counts, as :func:`confusion` returns them.

    Returns
    -------
    numpy.ndarray
        (C,), float64, 0 to 1; NaN for a class that is neither in the truth nor predicted, so take ``np.nanmean``.

    Examples
    --------
    Class 1: 2 pixels are both, 3 are either.

    >>> iou([[1, 1], [0, 2]]).round(3).tolist()
    [0.5, 0.667]
    """
    both, true, predicted = _counts(confusion)
    return _ratio(both, true + predicted - both)


def dice(confusion):
    """Compute the Dice coefficient of each class, which for one class is the F1 score.

    Parameters
    ----------
    confusion : array_like
        (C, C), counts, as :func:`confusion` returns them.

    Returns
    -------
    numpy.ndarray
        (C,), float64, 0 to 1; NaN for a class that is neither in the truth nor predicted. It is 2 IoU / (1 + IoU).

    Examples
    --------
    Class 1: 2 * 2 / (2 + 3).

    >>> dice([[1, 1], [0, 2]]).round(3).tolist()
    [0.667, 0.8]
    """
    both, true, predicted = _counts(confusion)
    return _ratio(2 * both, true + predicted)


def _counts(confusion):
    counts = np.asarray(confusion)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(
            f"expected a confusion matrix of shape (C, C), got the shape {counts.shape}: "
            "confusion(truth, prediction, classes) makes one."
        )
    if counts.dtype.kind not in "biuf" or not (np.isfinite(counts).all() and (counts >= 0).all()):
        raise ValueError(f"expected counts in the confusion matrix, finite and at least 0, got {counts.tolist()}.")
    return np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)


def _ratio(part, whole):
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def average_precision(truths, detections, classes, thresholds=0.5, difficult=None):
    """Judge a detector: the area under its precision-recall curve, for each class and each demand on the overlap.

    Over all pictures, detections are taken from the highest score down. One is right if it overlaps a box of its class
    by at least the threshold that no better detection has taken; it takes the one it overlaps most. The precision at a
    recall is the best one at that recall or above.

    Parameters
    ----------
    truths : sequence of (boxes, labels)
        For each picture (n, 4) boxes in pixels and (n,) classes.
    detections : sequence of (boxes, labels, scores)
        For each picture (m, 4) boxes in pixels, (m,) classes and (m,) scores.
    classes : int
        How many classes there are; labels are 0 to `classes` - 1.
    thresholds : float or sequence of float
        Of intersection over union, above 0 and at most 1, as ``0.5`` or ``np.arange(0.5, 1, 0.05)``.
    difficult : sequence of array_like, optional
        For each picture (n,), bool: boxes that nobody has to find, as VOC marks them. They don't count in the recall, and a
        detection that takes one counts neither as right nor as wrong.

    Returns
    -------
    numpy.ndarray
        (classes,) for one threshold, (T, classes) for T of them; float64, 0 to 1, NaN for a class that no picture
        holds. The usual single number is ``np.nanmean``.

    Raises
    ------
    ValueError
        If the numbers of pictures, boxes, labels, scores or flags differ, a label is not a class, a score is not finite, or
        a threshold is out of range.

    References
    ----------
    M. Everingham et al., The Pascal Visual Object Classes (VOC) challenge, 2010,
    https://doi.org/10.1007/s11263-009-0275-4, with the area under all points as since 2010; matching as in COCO, where a
    taken box is passed over.

    Examples
    --------
    Two boxes; the best detection is wrong, the second right, the other box is not found: precision 1/2 up to recall 1/2.

    >>> truth = ([[0, 0, 10, 10], [20, 0, 30, 10]], [0, 0])
    >>> found = ([[50, 0, 60, 10], [0, 0, 10, 10]], [0, 0], [0.9, 0.8])
    >>> average_precision([truth], [found], classes=1).tolist()
    [0.25]
    """
    _check_classes(classes)
    if len(truths) != len(detections):
        raise ValueError(f"there are {len(truths)} pictures with truth, but {len(detections)} with detections.")
    wanted = _check_thresholds(thresholds)
    flags = [None] * len(truths) if difficult is None else list(difficult)
    if len(flags) != len(truths):
        raise ValueError(f"expected flags of difficult boxes for {len(truths)} pictures, got {len(flags)}.")
    table = [_check_picture(*each, classes) for each in zip(range(len(truths)), truths, detections, flags, strict=True)]
    result = np.full((len(wanted), classes), np.nan)
    for label in range(classes):
        pictures = [_of_class(*each, label) for each in table]
        total = sum((~flag).sum() for _, _, flag in pictures)
        if total:
            scores = np.concatenate([scores for _, scores, _ in pictures])
            order = np.argsort(-scores, kind="stable")
            for row, threshold in enumerate(wanted):
                marks = np.concatenate([_match(overlap, flag, threshold) for overlap, _, flag in pictures])[order]
                result[row, label] = _area_under_curve(marks[marks >= 0] == 1, total)
    return result[0] if np.ndim(thresholds) == 0 else result


def _check_thresholds(thresholds):
    wanted = np.atleast_1d(np.asarray(thresholds))
    wanted = wanted.astype(float) if wanted.dtype.kind in "iuf" else np.array([np.nan])
    if wanted.ndim != 1 or not wanted.size or not ((wanted > 0) & (wanted <= 1)).all():  # NaN fails too
        raise ValueError(f"expected thresholds above 0 and at most 1, got {thresholds}.")
    return wanted


def _check_picture(number, truth, found, flag, classes):
    """One picture's boxes, labels, scores and flags as arrays that fit together."""
    parts = [len(part) if isinstance(part, (tuple, list)) else type(part).__name__ for part in (truth, found)]
    if parts != [2, 3]:
        raise ValueError(
            f"picture {number}: expected (boxes, labels) as truth and (boxes, labels, scores) as detections, "
            f"got {parts[0]} and {parts[1]} parts: were the two swapped?"
        )
    flag = np.zeros(np.size(truth[1]), bool) if flag is None else flag
    columns = []
    for what, boxes, labels, rest, name in (
        ("truth", *truth, flag, "flags"), ("detections", *found, "scores")
    ):  # fmt: skip
        boxes = geometry.check_boxes(boxes, f"picture {number}: the boxes of the {what}")
        labels, rest = np.asarray(labels), np.asarray(rest)
        if not len(boxes) == labels.size == rest.size:
            raise ValueError(
                f"picture {number}: the {what} have {len(boxes)} boxes, {labels.size} labels and {rest.size} {name}; expected one each."
            )
        if rest.size and rest.dtype.kind not in ("b" if name == "flags" else "iuf"):
            expected = "True or False each" if name == "flags" else "a number each"
            raise ValueError(f"picture {number}: expected {name} of {expected}, got {rest.tolist()}.")
        if labels.size and not (
            labels.dtype.kind in "biuf" and ((labels >= 0) & (labels < classes) & (labels == np.floor(labels))).all()
        ):
            raise ValueError(
                f"picture {number}: the {what} have labels from {min(labels.flat)} to {max(labels.flat)}, but {classes} classes are 0 to {classes - 1}."
            )
        columns += [boxes, labels.astype(int).ravel(), rest.ravel()]
    if not np.isfinite(columns[5].astype(float)).all():
        raise ValueError(f"picture {number}: a score is not a finite number.")
    return columns


def _of_class(true_boxes, true_labels, flags, boxes, labels, scores, label):
    """One class in one picture: the overlap of each detection, best first, with each true box; scores; difficult ones."""
    mine, chosen = true_labels == label, labels == label
    scores = scores[chosen].astype(float)
    order = np.argsort(-scores, kind="stable")
    return geometry.iou(boxes[chosen][order], true_boxes[mine]), scores[order], flags[mine].astype(bool)


def _match(overlap, difficult, threshold):
    """Tell for each detection, best first, whether it is right (1), wrong (0), or not to be counted (-1); (m,), int."""
    free = np.where(difficult, -1, overlap)
    marks = np.zeros(len(overlap), int)
    for row in range(len(overlap)):
        if free.shape[1] and free[row].max() >= threshold:
            marks[row] = 1
            free[:, free[row].argmax()] = -1
        elif difficult.any() and overlap[row][difficult].max() >= threshold:
            marks[row] = -1
    return marks


def _area_under_curve(right, total):
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best_from_here[right].sum() / total)  # each hit raises the recall by 1 / total


def frechet_distance(first, second):
    """Compare two sets of pictures by their features: the squared Fréchet distance of two normal distributions.

    Each set's features are summed up by their mean m and covariance S. The distance is
    ``|m1 - m2|^2 + trace(S1 + S2 - 2 (S1 S2)^(1/2))``: 0 for sets of the same mean and covariance, and larger the more
    the pictures, or their variety, differ. On features of the Inception network it is called FID. It depends on the
    features and, for few pictures, on their number: compare only values of one network and one number of pictures.

    Parameters
    ----------
    first, second : array_like
        (N, d) and (M, d), finite numbers: one row of features for each picture, at least two rows. More rows than
        features are needed for a covariance of full rank, and many more for a steady value.

    Returns
    -------
    float
        0 or above, in the square of the features' unit. It is computed in float64.

    Raises
    ------
    ValueError
        If the shapes do not fit, there are fewer than two rows, or a feature is not finite.

    References
    ----------
    D. C. Dowson and B. V. Landau, The Fréchet distance between multivariate normal distributions, 1982,
    https://doi.org/10.1016/0047-259X(82)90077-X; as a measure of generators: M. Heusel et al., 2017,
    https://arxiv.org/abs/1706.08500.

    Examples
    --------
    Variances 1 and 9 around means 0 and 4: 4 * 4 + 1 + 9 - 2 * 3.

    >>> round(frechet_distance([[-1], [0], [1]], [[1], [4], [7]]), 6)
    20.0
    """
    first, second = _features(first, "the first set"), _features(second, "the second set")
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"got {first.shape[1]} and {second.shape[1]} features: take both from the same network.")
    roots = [_root(np.atleast_2d(np.cov(features, rowvar=False))) for features in (first, second)]
    shift = first.mean(axis=0) - second.mean(axis=0)
    # The trace of (S1 S2)^(1/2) is the sum of the singular values of R1 R2, with the symmetric roots R of both.
    common = np.linalg.svd(roots[0] @ roots[1], compute_uv=False).sum()
    distance = shift @ shift + sum((root**2).sum() for root in roots) - 2 * common
    return max(float(distance), 0.0)  # rounding may leave a hair below


def _features(features, name):
    table = np.asarray(features, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2 or table.shape[1] < 1:
        raise ValueError(
            f"expected {name} of shape (N, d), one row of features per picture and N >= 2, got the shape {table.shape}."
        )
    if not np.isfinite(table).all():
        raise ValueError(
            f"{name} holds features that are not finite: look at the pictures, or at the network, that made them."
        )
    return table


def _root(covariance):
    """The symmetric square root of a covariance (d, d); eigenvalues that rounding took below 0 count as 0."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
