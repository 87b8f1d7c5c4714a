"""Exercises of lesson 09, Fast and Faster R-CNN."""

import numpy as np

from course_utils import geometry
from course_utils.checker import Exercise, Wrong, array, cases, expect, function

_TEN_IN_FOUR = np.array([[0, 3], [2, 5], [5, 8], [7, 10]])


def _bins(answer):
    """Give the bins of RoI pooling for ten cells and four bins, as [[first, after the last], ...]."""
    bins = array(answer, shape=(4, 2), kinds="iuf", what="a list of four pairs [first, after the last]")
    right = _TEN_IN_FOUR
    from_one = "the first cell has the number 0."
    worst = int(np.argmax((bins != right).any(axis=1)))
    near = [
        (right - [0, 1], "these end with the last cell of each bin; the second number is the cell after it."),
        (right + 1, from_one),
        (right + np.array([1, 0]), from_one),
    ]
    if (bins[1:, 0] >= bins[:-1, 1]).all():
        near.append(
            (
                bins,
                "no two of these bins share a cell; the edges 2.5 and 7.5 are rounded up as the end of a bin and down as the start of the next.",
            )
        )
    otherwise = (
        f"bin {worst} reaches from {worst} * 10 / 4, rounded down, up to {worst + 1} * 10 / 4, rounded up, "
        f"and yours is {bins[worst].tolist()}."
    )
    expect(bins, right, near, otherwise)


def _joint_losses(class_losses, box_losses, classes, balance):
    return (class_losses + balance * (classes > 0) * box_losses).mean()


_JOINT_MISTAKES = [
    (lambda c, b, u, k: (c + k * b).mean(), "background pays for its boxes too: [u >= 1] is 0 where the class is 0."),
    (lambda c, b, u, k: (c + (u > 0) * b).mean(), "the balance has no effect."),
    (lambda c, b, u, k: ((u > 0) * (c + k * b)).mean(), "background pays for nothing now; it still pays for its class."),
    (lambda c, b, u, k: c.mean() + k * b[u > 0].mean() if u.any() else 0, "the box losses are averaged over the digits alone; the formula's mean is over all proposals."),
    (lambda c, b, u, k: (c + k * (u > 0) * b).sum(), "this is the sum over the proposals; take the mean."),
    (lambda c, b, u, k: (c + k * u * b).mean(), "the class number itself weighs the box loss; [u >= 1] is 1 for every digit."),
    (lambda c, b, u, k: (c + k * (u > 1) * b).mean(), "class 1 pays nothing for its box: [u >= 1] is 1 for it too, and 0 for class 0 alone."),
    (lambda c, b, u, k: (c + k * (u == 0) * b).mean(), "background pays for its boxes, and digits don't: it should be the other way round."),
    (lambda c, b, u, k: (k * c + (u > 0) * b).mean(), "the balance weighs the class losses; it belongs to the box losses."),
]  # fmt: skip


def _joint(answer):
    """Write joint(class_losses, box_losses, classes, balance): the mean over proposals of Fast R-CNN's joint loss."""
    rng = np.random.default_rng(1)
    lists = [[0, 1, 10, 0], [0, 0, 0, 0], [3, 1, 10], [1], [0], rng.permutation([0, 0, 0, *range(11)])]
    given = [(*rng.uniform(0.1, 5, (2, len(classes))), np.array(classes)) for classes in lists]
    balances = [0.4, 2.0, 0.7, 3.0, 0.3, 1.0]
    calls = [(*arrays, balance) for arrays, balance in zip(given, balances, strict=True)] + [(*given[0], 0.0)]
    case = "for proposals of the classes {2} and the balance {3:g}"
    otherwise = "the loss is {right}, and yours is {value}."
    cases(function(answer), calls, _joint_losses, _JOINT_MISTAKES, otherwise, case=case, rtol=1e-5)


def _bilinear_at(features, x, y):
    """Interpolate a map (H, W) at a point, in cells from the upper left corner."""
    height, width = features.shape
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    right, below = x - left, y - top
    upper = (1 - right) * features[top, left] + right * features[top, left + 1]
    lower = (1 - right) * features[top + 1, left] + right * features[top + 1, left + 1]
    return (1 - below) * upper + below * lower


_BILINEAR_MISTAKES = [
    (lambda f, x, y: _bilinear_at(f, y, x), "x runs along the columns, the second axis: features[row, column] is features[y, x]."),
    (lambda f, x, y: _bilinear_at(f, x + 0.5, y + 0.5), "you read half a cell too far: the centre of cell 0 lies at 0.5."),
    (lambda f, x, y: _bilinear_at(f, np.floor(x) + 0.5, np.floor(y) + 0.5), "this is the value of one cell; mix it with those of its neighbours."),
]  # fmt: skip


def _bilinear(answer):
    """Write bilinear(features, x, y): a map (H, W) read between its cells, whose centres lie at 0.5, 1.5, ..."""
    read = function(answer)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(5, 6))
    centers = [(features, x + 0.5, y + 0.5) for x in range(5) for y in range(4)]
    between_columns = [(features, x, 1.5) for x in (2.75, 1.0, 4.9)]
    between_rows = [(features, 2.5, y) for y in (2.25, 1.0, 3.9)]
    inside = [(features, *rng.uniform(0.5, 4.5, 2)) for _ in range(10)]
    border = [(features, x, y) for x in (0.0, 0.2, 3.3, 5.5, 5.7, 6.0) for y in (0.0, 0.3, 2.2, 4.5, 4.9, 5.0)]
    sizes = [(height, width) for height in (2, 3, 9) for width in (2, 3, 9)]
    others = [(rng.normal(size=size), *rng.uniform(0, size[::-1])) for size in sizes for _ in range(3)]
    got = "you read {value}, and it should be {right}: "
    for points, where, hint in (
        (centers, "the centre of a cell", "take that cell alone."),
        (between_columns, "between two columns", "mix both, each with a weight."),
        (between_rows, "between two rows", "mix both, each with a weight."),
        (inside, "inside", "mix all four neighbours."),
        (border, "near the border", "beyond the outer centres, the outer cells go on."),
        (others, "on another map", "does your function suit any height and width?"),
    ):
        case = f"at x = {{1:.2f}}, y = {{2:.2f}}, {where}"
        cases(read, points, _bilinear_at, _BILINEAR_MISTAKES, got + hint, case=case, rtol=1e-5, atol=1e-6)


def _softened(boxes, scores, sigma, power=2, again=True):
    """Lower the scores of boxes near better ones: Gaussian soft non-maximum suppression.

    With ``again=False`` the next box is chosen by the scores as they were at the start, which is a mistake.
    """
    new, left = scores.astype(float), list(range(len(scores)))
    while left:
        best = left.pop(int(np.argmax((new if again else scores)[left])))
        new[left] *= np.exp(-(geometry.iou(boxes[[best]], boxes[left])[0] ** power) / sigma)
    return new


def _suppressed(boxes, scores, threshold):
    """Give the scores that hard suppression leaves: those of the kept boxes, and 0."""
    keep = geometry.non_maximum_suppression(boxes, scores, threshold)
    new = np.zeros(len(scores))
    new[keep] = scores[keep]
    return new


def _overlapping(rng, count):
    """Draw boxes (count, 4) that overlap a good deal, and their scores, all different."""
    corner = rng.uniform(0, 12, (count, 2))
    return np.hstack([corner, corner + rng.uniform(8, 20, (count, 2))]), rng.permutation(np.linspace(0.3, 0.95, count))


def _soft(answer):
    """Write soft_nms(boxes, scores, sigma): the new scores, each lowered by the better boxes that it overlaps."""
    soften = function(answer)
    boxes, scores = np.array([[0.0, 0, 10, 10], [0, 0, 10, 20], [40, 40, 50, 50]]), np.array([0.9, 0.8, 0.7])
    found = array(soften(boxes, scores, 0.4), shape=(3,), kinds="iuf", what="the new scores")
    if abs(found[0] - 0.9) > 1e-6:
        raise Wrong(
            f"the best box keeps its score, 0.9, and you give {found[0]:.3f}: neither it nor a worse box lowers it."
        )
    if abs(found[2] - 0.7) > 1e-6:
        raise Wrong(f"the third box overlaps nothing and keeps 0.7, and you give {found[2]:.3f}.")
    near = [
        (_suppressed(boxes, scores, 0.4), "the second box lost its whole score, as in hard suppression; here it keeps exp(-IoU² / sigma) of it."),
        (_softened(boxes, scores, 0.4, power=1), "the overlap enters as its square, IoU², over sigma."),
    ]  # fmt: skip
    otherwise = "two boxes with an IoU of 0.5: 0.8 becomes 0.8 exp(-0.5² / 0.4) = {right}, and you give {value}."
    expect(found[1], _softened(boxes, scores, 0.4)[1], [(new[1], words) for new, words in near], otherwise, rtol=1e-5)
    rng = np.random.default_rng(0)
    calls = [(*_overlapping(rng, count), sigma) for count, sigma in ((1, 0.5), (2, 0.1), (8, 0.3), (8, 1.0), (15, 0.5))]
    twice = np.array([[3.0, 3, 9, 12]] * 3)
    calls.append((twice, np.array([0.5, 0.2, 0.8]), 0.6))
    as_before = "after each choice, choose the next by the *lowered* scores."
    otherwise = "the first three boxes were right, these are not: keep the order of the input, lower each box that is left, and none that was chosen already."
    cases(
        soften, calls, _softened, [(lambda *given: _softened(*given, again=False), as_before)], otherwise,
        case="for boxes {0} with the scores {1}", what="the new scores", rtol=1e-5,
    )  # fmt: skip


def _cars(rng, count=400, size=128):
    """Boxes of cars: 24 to 96 pixels wide, 1.8 to 3 times as wide as high; (count, 4)."""
    width = np.exp(rng.uniform(np.log(24), np.log(96), count))
    height = width / rng.uniform(1.8, 3.0, count)
    x, y = rng.uniform(0, size - width), rng.uniform(0, size - height)
    return np.stack([x, y, x + width, y + height], axis=1)


def _anchors(answer):
    """Write car_anchors(): heights and ratios, at most eight anchors per place, that reach 85 % of the cars at IoU 0.6."""
    design = function(answer)
    found = design()
    if not isinstance(found, (tuple, list, np.ndarray)) or len(found) != 2:
        raise Wrong("return two sequences: the heights, and the ratios of width to height.")
    heights = np.ravel(array(found[0], kinds="iuf", what="the heights"))
    ratios = np.ravel(array(found[1], kinds="iuf", what="the ratios"))
    many = len(heights) * len(ratios)
    if not 1 <= many <= 8:
        raise Wrong(
            f"{len(heights)} heights times {len(ratios)} ratios are {many} anchors per place, and 1 to 8 are allowed."
        )
    if min(*heights, *ratios) <= 0 or max(heights) > 128 or max(ratios) > 20:
        raise Wrong("heights are pixels, above 0 and at most 128; ratios are positive, width over height, at most 20.")
    centers = np.arange(4.0, 128, 8)
    y, x, height, ratio = (v.ravel() for v in np.meshgrid(centers, centers, heights, ratios, indexing="ij"))
    half = height * ratio / 2
    anchors = np.stack([x - half, y - height / 2, x + half, y + height / 2], axis=1)
    share = (geometry.iou(anchors, _cars(np.random.default_rng(5))).max(axis=0) >= 0.6).mean()
    if share >= 0.85:
        return
    start = f"{share:.1%} of the cars are reached at IoU 0.6, and it should be 85%: "
    if max(ratios) < 1.2:
        raise Wrong(start + "cars are wide, and a ratio is width over height, so it lies above 1.")
    if min(heights) > 15:
        raise Wrong(start + "a small car is 24 / 3 = 8 pixels high. Which of your anchors fits it?")
    if max(heights) < 25:
        raise Wrong(start + "a large car is 96 / 1.8 = 53 pixels high. Which of your anchors fits it?")
    raise Wrong(
        start + "how far may a size be off before the IoU falls below 0.6? Spread the heights by equal factors."
    )


EXERCISES = (
    Exercise(
        "faster_rcnn.bins",
        _bins,
        hint="The exact edges are 0, 2.5, 5, 7.5 and 10. Which of the two roundings does the edge 2.5 get as the end of one bin, and which as the begin of the next?",
        right="cells 2 and 7 are looked at twice, and no bin is empty.",
    ),
    Exercise(
        "faster_rcnn.joint",
        _joint,
        hint="`classes > 0` is True for digits; as a factor it is 1 or 0. Where does it belong, so that background still pays for its class?",
        right="without the bracket, background would be taught to move towards a box that is not there.",
    ),
    Exercise(
        "faster_rcnn.bilinear",
        _bilinear,
        hint="Subtract 0.5 from x and y, and clip them to the range of the centres. The whole parts name the upper left of the four cells, the fractions are the weights.",
        right="RoIAlign is this, at four points a bin.",
    ),
    Exercise(
        "faster_rcnn.soft",
        _soft,
        hint="Keep a list of the boxes that are left. Take out the one with the highest score *now*, and multiply the scores of the others by exp(-IoU² / sigma).",
        right="no threshold decides between two neighbours any more; a digit behind another keeps part of its score.",
    ),
    Exercise(
        "faster_rcnn.anchors",
        _anchors,
        hint="Cars are 8 to 53 pixels high. With two ratios, four heights are left: which factor between one height and the next covers that range evenly?",
        right="anchors are chosen from the boxes of the training set, before anything is trained.",
    ),
)  # fmt: skip
