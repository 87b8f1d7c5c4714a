"""Exercises of lesson 09, Fast and Faster R-CNN."""

import numpy as np

from course_utils import geometry
from course_utils.checker import Exercise, Wrong, array, cases, expect, function

_TEN_IN_FOUR = np.array([[0, 3], [2, 5], [5, 8], [7, 10]])


def _bins(answer):
    """Give the bins of RoI pooling for ten cells and four bins, as [[first, after the last], ...]."""
    bins = array(answer, kinds="iuf", what="the list of bins")
    if bins.shape != (4, 2):
        raise Wrong(f"expected four pairs [first, after the last], got the shape {bins.shape}.")
    near = [
        (
            _TEN_IN_FOUR - np.array([0, 1]),
            "these end with the last cell of each bin; the second number is the cell after it.",
        ),
        (
            np.stack([_TEN_IN_FOUR[:, 0], [3, 3, 3, 3]], axis=1),
            "the second number is not how many cells the bin has, which is 3 for each, but the cell after its last.",
        ),
        (_TEN_IN_FOUR + 1, "the first cell has the number 0."),
        (_TEN_IN_FOUR + np.array([1, 0]), "the first cell has the number 0."),
    ]
    worst = int(np.argmax((bins != _TEN_IN_FOUR).any(axis=1)))
    otherwise = (
        f"bin {worst} reaches from {worst} * 10 / 4, rounded down, up to {worst + 1} * 10 / 4, rounded up, "
        f"but yours is {bins[worst].tolist()}."
    )
    if (bins[1:, 0] >= bins[:-1, 1]).all():
        otherwise = (
            "no two of these bins share a cell; the upper edges 2.5 and 7.5 are rounded up, the lower ones down."
        )
    expect(bins, _TEN_IN_FOUR, near, otherwise, rtol=0)


def _proposals():
    """Losses of class and of box, classes and balances; first a case in which all mistakes give other numbers."""
    yield np.array([0.53, 1.07, 2.01, 0.11]), np.array([4.1, 7.3, 2.2, 16.4]), np.array([0, 1, 10, 0]), 0.4
    rng = np.random.default_rng(0)
    for count in (6, 3, 1, 1, 64):
        classes = rng.integers(0, 11, count)
        yield (
            rng.uniform(0, 3, count).round(3),
            rng.uniform(0, 20, count).round(3),
            classes,
            round(rng.uniform(0.2, 3), 2),
        )
    for classes, balance in (([0, 0, 0], 2.0), ([3, 1, 10], 1), ([0, 4, 0], 0.0)):
        yield np.array([0.5, 1.0, 2.0]), np.array([4.0, 7.0, 2.0]), np.array(classes), balance


def _joint(answer):
    """Write joint(class_losses, box_losses, classes, balance): the mean over proposals of Fast R-CNN's joint loss."""
    near = [
        (lambda c, b, u, k: (c + k * b).mean(), "background pays for its boxes too: [u >= 1] is 0 where the class is 0."),
        (lambda c, b, u, k: (c + (u > 0) * b).mean(), "the balance has no effect."),
        (lambda c, b, u, k: ((u > 0) * (c + k * b)).mean(),
         "background pays for nothing now; it still pays for its class."),
        (lambda c, b, u, k: c.mean() + k * b[u > 0].sum() / max((u > 0).sum(), 1),
         "the box losses are averaged over the digits alone; the formula's mean is over all proposals."),
        (lambda c, b, u, k: (c + k * (u > 0) * b).sum() / max((u > 0).sum(), 1),
         "the sum is divided by the number of digits; the formula's mean is over all proposals."),
        (lambda c, b, u, k: (c + k * (u > 0) * b).sum(), "this is the sum over the proposals; take the mean."),
        (lambda c, b, u, k: (c + k * u * b).mean(),
         "the class number itself weighs the box loss; [u >= 1] is 1 for every digit."),
        (lambda c, b, u, k: (c + k * (u > 1) * b).mean(),
         "class 1 pays nothing for its box: [u >= 1] is 1 for it too, and 0 for class 0 alone."),
        (lambda c, b, u, k: (c + k * (u == 0) * b).mean(),
         "background pays for its boxes, and digits don't: it should be the other way around."),
        (lambda c, b, u, k: (k * c + (u > 0) * b).mean(),
         "the balance weighs the class losses; it belongs to the box losses."),
    ]  # fmt: skip
    cases(
        function(answer), _proposals(), lambda c, b, u, k: (c + k * (u > 0) * b).mean(), near,
        "the loss is {right}, but you give {value}.", rtol=1e-5,
    )  # fmt: skip


def _bilinear_at(features, x, y):
    """Interpolate a map (H, W) at a point, in cells from the upper left corner."""
    height, width = features.shape
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    left, top = int(x), int(y)
    right, below = min(left + 1, width - 1), min(top + 1, height - 1)
    upper = (1 - x + left) * features[top, left] + (x - left) * features[top, right]
    lower = (1 - x + left) * features[below, left] + (x - left) * features[below, right]
    return (1 - y + top) * upper + (y - top) * lower


def _points():
    """Maps and points in, on and beyond them, with words about the place."""
    features = np.random.default_rng(0).normal(size=(5, 6))
    yield features, 1.9, 3.2, "inside"
    yield features, 0.2, 2.0, "left of the first center"
    yield features, 6.0, 5.0, "at the lower right corner"
    yield features, 0.0, 0.0, "at the upper left corner"
    yield features, 3.3, 0.1, "above the first center"
    yield features, 5.8, 2.6, "right of the last center"
    yield features, 3.3, 4.9, "below the last center"
    yield features, -2.5, -1.3, "outside of the map"
    yield features, 3.2, -3.4, "outside of the map"
    yield features, 9.1, 7.7, "outside of the map"
    yield features, 3.5, 2.5, "at a center"
    yield features, 5.5, 4.5, "at the last center"
    rng = np.random.default_rng(1)
    for shape in ((7, 3), (2, 9), (1, 4), (3, 1)):
        for y, x in rng.uniform(0, shape, (6, 2)).round(2):
            yield rng.normal(size=shape), x, y, f"on a map of shape {shape}"


def _bilinear(answer):
    """Write bilinear(features, x, y): a map (H, W) read between its cells, whose centers lie at 0.5, 1.5, ..."""
    read = function(answer)
    columns, rows = np.tile(np.arange(6.0), (5, 1)), np.tile(np.arange(5.0)[:, None], (1, 6))
    where = "on a map whose cells hold their column, 0 to 5, x = 2.5 is the center of column 2"
    near = {
        1: "x runs along the columns, the second axis: features[row, column] is features[y, x].",
        2.5: f"{where}, but you read 2.5: the center of cell 0 lies at 0.5.",
        3: f"{where}, but you read 3: subtract 0.5 from x and y, and give the left cell the share that x is away from the right one.",
    }
    expect(read(columns, 2.5, 1.5), 2, near, f"{where}, but you read {{value}}.", atol=1e-5)
    otherwise = "a quarter of the way from column 2 to column 3 you should read {right}, but you read {value}."
    expect(read(columns, 2.75, 1.5), 2.25, otherwise=otherwise, atol=1e-5)
    otherwise = (
        "on a map whose cells hold their row, y = 2.25 lies between rows 1 and 2, at {right}, but you read {value}."
    )
    expect(read(rows, 2.5, 2.25), 1.75, otherwise=otherwise, atol=1e-5)
    for features, x, y, place in _points():
        hint = "mix all four neighbors" if place == "inside" else "beyond the outer centers, take the outer cells"
        otherwise = f"at x = {x}, y = {y}, {place}, you should read {{right}}, but you read {{value}}: {hint}."
        expect(read(features, x, y), _bilinear_at(features, x, y), otherwise=otherwise, atol=1e-5)


def _softened(boxes, scores, sigma):
    """Lower the scores of boxes near better ones: Gaussian soft non-maximum suppression."""
    scores, left = scores.astype(float), list(range(len(scores)))
    while left:
        best = left.pop(int(np.argmax(scores[left])))
        if left:
            scores[left] *= np.exp(-(geometry.iou(boxes[[best]], boxes[left])[0] ** 2) / sigma)
    return scores


def _crowds():
    """Boxes that overlap, their scores, no two of them equal, and widths of the decay."""
    rng = np.random.default_rng(0)
    for count, sigma in ((8, 0.3), (8, 0.1), (2, 1.0), (1, 0.5), (12, 0.5), (5, 0.7)):
        corner = rng.uniform(0, 12, (count, 2))
        boxes = np.hstack([corner, corner + rng.uniform(8, 20, (count, 2))]).round(2)
        yield boxes, rng.permutation(np.linspace(0.3, 0.95, count)).round(4), sigma
    yield np.array([[2.0, 2, 9, 7], [2, 2, 9, 7], [9, 2, 16, 7]]), np.array([0.25, 1.0, 0.2]), 0.5


def _soft(answer):
    """Write soft_nms(boxes, scores, sigma): the new scores, each lowered by the better boxes that it overlaps."""
    soften = function(answer)
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 20], [40, 40, 50, 50]])
    found = array(soften(boxes, np.array([0.9, 0.8, 0.7]), 0.4), shape=(3,), kinds="iuf", what="the new scores")
    best = "the best box keeps its score, {right}, but you give {value}: neither it nor worse boxes lower it."
    expect(found[0], 0.9, otherwise=best, rtol=1e-5)
    expect(
        found[2], 0.7, otherwise="the third box overlaps nothing and keeps {right}, but you give {value}.", rtol=1e-5
    )
    near = {
        0: "the second box lost its whole score, as in hard suppression; here it keeps exp(-IoU² / sigma) of it.",
        0.8: "the second box keeps its whole score, but it overlaps a better one.",
        0.8 * np.exp(-0.5 / 0.4): "the overlap enters as its square, IoU², over sigma.",
        0.4: "this multiplies by 1 - IoU, which is linear; here the factor is exp(-IoU² / sigma).",
        0.8
        * np.exp(
            -0.25 / (2 * 0.4**2)
        ): "the exponent is IoU² / sigma, without the square and the 2 of a normal distribution.",
        0.8
        * np.exp(
            -0.25 / (2 * 0.4)
        ): "the exponent is IoU² / sigma; TensorFlow divides by 2 sigma, so give it half of sigma.",
        0.8 * np.exp(-0.25 * 0.4): "divide by sigma: a smaller one lowers the scores more.",
    }
    otherwise = "two boxes with an IoU of 0.5: 0.8 becomes 0.8 exp(-0.5² / 0.4) = {right}, but you give {value}."
    expect(found[1], 0.8 * np.exp(-0.25 / 0.4), near, otherwise, rtol=1e-5)
    cases(
        soften, _crowds(), _softened,
        otherwise="after each choice, choose the next by the *lowered* scores, keep the order of the input, and don't lower "
        "a box that was chosen already. Three boxes apart or side by side are right, but here you give {value} instead of {right}.",
        what="the new scores", rtol=1e-5,
    )  # fmt: skip


def _car_sizes(rng, count=4000):
    """Widths and heights of cars: 24 to 96 pixels wide, small ones more often, 1.8 to 3 times as wide as high."""
    width = np.exp(rng.uniform(np.log(24), np.log(96), count))
    return width, width / rng.uniform(1.8, 3.0, count)


def _share_reached(heights, ratios, size=128, stride=8, least=0.6):
    """Which share of the cars has an anchor with that IoU. Of equal anchors, the one with the nearest center is the best."""
    rng = np.random.default_rng(5)
    sizes = _car_sizes(rng)
    height, ratio = (values.ravel()[:, None] for values in np.meshgrid(heights, ratios))
    shared, areas = 1, sizes[0] * sizes[1] + height * ratio * height
    for car, anchor in zip(sizes, (height * ratio, height), strict=True):
        center = rng.uniform(car / 2, size - car / 2)
        apart = np.abs(center - stride * (np.floor(center / stride) + 0.5))
        shared = shared * np.clip(np.minimum((car + anchor) / 2 - apart, np.minimum(car, anchor)), 0, None)
    return ((shared / (areas - shared)).max(axis=0) >= least).mean()


def _anchors(answer):
    """Write car_anchors(): heights and ratios, at most eight anchors per place, that reach 85 % of the cars at IoU 0.6."""
    found = function(answer)()
    if not isinstance(found, (tuple, list, np.ndarray)) or getattr(found, "ndim", 1) == 0 or len(found) != 2:
        raise Wrong("return two sequences: the heights, and the ratios of width to height.")
    heights = np.ravel(array(found[0], kinds="iuf", what="the heights"))
    ratios = np.ravel(array(found[1], kinds="iuf", what="the ratios"))
    many = len(heights) * len(ratios)
    if not 1 <= many <= 8:
        raise Wrong(
            f"{len(heights)} heights times {len(ratios)} ratios are {many} anchors per place, but 1 to 8 are allowed."
        )
    if min(*heights, *ratios) <= 0 or max(heights) > 128 or max(ratios) > 20:
        raise Wrong("heights are pixels, above 0 and at most 128; ratios are positive, width over height, at most 20.")
    share = _share_reached(heights, ratios)
    if share < 0.85:
        raise Wrong(f"{share:.1%} of the cars are reached at IoU 0.6 instead of 85%: {_missed(heights, ratios)}")


def _missed(heights, ratios):
    if max(ratios) < 1.2:
        return "cars are wide, and a ratio is width over height, so it lies above 1."
    if min(heights) > 15:
        return "a small car is 24 / 3 = 8 pixels high. Which of your anchors fits it?"
    if max(heights) < 25:
        return "a large car is 96 / 1.8 = 53 pixels high. Which of your anchors fits it?"
    return "how far may a size be off before the IoU falls below 0.6? Spread the heights by equal factors."


EXERCISES = (
    Exercise(
        "faster_rcnn.bins",
        _bins,
        hint="The exact edges are 0, 2.5, 5, 7.5, and 10. Which of the two roundings does the edge 2.5 get as the end of one bin, and which as the start of the next?",
        right="cells 2 and 7 are looked at twice, and no bin is empty.",
    ),
    Exercise(
        "faster_rcnn.anchors",
        _anchors,
        hint="Cars are 8 to 53 pixels high. An anchor 1.25 times as wide and high as a car, on the same center, still has an IoU of 0.64 with it, so let the heights begin above 8 and end below 53. With two ratios, four heights are left: which factor between one height and the next covers that range evenly?",
        right="anchors are chosen from the boxes of the training set, before anything is trained.",
    ),
    Exercise(
        "faster_rcnn.joint",
        _joint,
        hint="`classes > 0` is True for digits; as a factor it is 1 or 0. Where does it belong, so that background still pays for its class?",
        right="without the bracket, background would be taught to move toward a box that is not there.",
    ),
    Exercise(
        "faster_rcnn.bilinear",
        _bilinear,
        hint="Subtract 0.5 from x and y, and clip them to the range of the centers. The whole parts name the upper left of the four cells, and the fractions are the weights.",
        right="RoIAlign is this, at four points per bin.",
    ),
    Exercise(
        "faster_rcnn.soft",
        _soft,
        hint="Keep a list of the boxes that are left. Take out the one with the highest score *now*, and multiply the scores of the others by exp(-IoU² / sigma).",
        right="no threshold decides between two neighbors any more; a digit behind another keeps part of its score.",
    ),
)  # fmt: skip
