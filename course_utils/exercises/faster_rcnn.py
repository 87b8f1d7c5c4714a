"""Exercises of lesson 09, Fast and Faster R-CNN."""

import numpy as np

from course_utils import geometry
from course_utils.checker import Exercise, Wrong, array, function, number

_TEN_IN_FOUR = [[0, 3], [2, 5], [5, 8], [7, 10]]


def _bins(answer):
    """Give the bins of RoI pooling for ten cells and four bins, as [[first, after the last], ...]."""
    bins = array(answer, kinds="iuf", what="the list of bins")
    if bins.shape != (4, 2):
        raise Wrong(f"four pairs [first, after the last] are wanted, and this has the shape {bins.shape}.")
    right = np.array(_TEN_IN_FOUR)
    if np.array_equal(bins, right):
        return
    if np.array_equal(bins + np.array([0, 1]), right):
        raise Wrong("these end with the last cell of each bin; the second number is the cell after it.")
    if np.array_equal(bins - 1, right) or np.array_equal(bins - np.array([1, 0]), right):
        raise Wrong("the first cell has the number 0.")
    if (bins[1:, 0] >= bins[:-1, 1]).all():
        raise Wrong(
            "no two of these bins share a cell; the upper edges 2.5 and 7.5 are rounded up, the lower ones down."
        )
    worst = int(np.argmax((bins != right).any(axis=1)))
    raise Wrong(
        f"bin {worst} reaches from {worst} * 10 / 4, rounded down, up to {worst + 1} * 10 / 4, rounded up, "
        f"and yours is {bins[worst].tolist()}."
    )


def _bilinear_at(features, x, y):
    """Interpolate a map (H, W) at a point, in cells from the upper left corner."""
    height, width = features.shape
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    left, top = min(int(x), width - 2), min(int(y), height - 2)
    right, below = x - left, y - top
    upper = (1 - right) * features[top, left] + right * features[top, left + 1]
    lower = (1 - right) * features[top + 1, left] + right * features[top + 1, left + 1]
    return (1 - below) * upper + below * lower


def _bilinear(answer):
    """Write bilinear(features, x, y): a map (H, W) read between its cells, whose centres lie at 0.5, 1.5, ..."""
    read = function(answer)
    columns, rows = np.tile(np.arange(6.0), (5, 1)), np.tile(np.arange(5.0)[:, None], (1, 6))
    at = number(read(columns, 2.5, 1.5))
    if abs(at - 2) > 1e-6:
        if abs(at - 1) < 1e-6:
            raise Wrong("x runs along the columns, the second axis: features[row, column] is features[y, x].")
        if abs(at - 2.5) < 1e-6:
            raise Wrong(
                "on a map whose cells hold their column, 0 to 5, x = 2.5 is the centre of column 2, and you read 2.5: "
                "the centre of cell 0 lies at 0.5."
            )
        raise Wrong(
            f"on a map whose cells hold their column, 0 to 5, x = 2.5 is the centre of column 2; you read {at:g}."
        )
    between = number(read(columns, 2.75, 1.5))
    if abs(between - 2.25) > 1e-6:
        raise Wrong(f"a quarter of the way from column 2 to column 3 you read {between:g}, and 2.25 is wanted.")
    down = number(read(rows, 2.5, 2.25))
    if abs(down - 1.75) > 1e-6:
        raise Wrong(
            f"on a map whose cells hold their row, y = 2.25 lies between rows 1 and 2; you read {down:g}, not 1.75."
        )
    features = np.random.default_rng(0).normal(size=(5, 6))
    for x, y, where in (
        (1.9, 3.2, "inside"),
        (0.2, 2.0, "left of the first centre"),
        (6.0, 5.0, "at the lower right corner"),
    ):
        found, wanted = number(read(features, x, y)), _bilinear_at(features, x, y)
        if abs(found - wanted) > 1e-6:
            hint = "mix all four neighbours" if where == "inside" else "beyond the outer centres, take the outer cells"
            raise Wrong(f"at x = {x}, y = {y}, {where}, you read {found:.3f}, and {wanted:.3f} is wanted: {hint}.")


def _joint(answer):
    """Write joint(class_losses, box_losses, classes, balance): the mean over proposals of Fast R-CNN's joint loss."""
    loss = function(answer)
    class_losses, box_losses = np.array([0.5, 1.0, 2.0, 0.1]), np.array([4.0, 7.0, 2.0, 16.0])
    classes = np.array([0, 1, 10, 0])
    found = number(loss(class_losses, box_losses, classes, 0.4))
    digits = classes > 0
    wanted = (class_losses + 0.4 * digits * box_losses).mean()
    others = {
        (class_losses + 0.4 * box_losses).mean(): "background pays for its boxes too: [u >= 1] is 0 where the class is 0.",
        (class_losses + digits * box_losses).mean(): "the balance has no effect.",
        (digits * (class_losses + 0.4 * box_losses)).mean(): "background pays for nothing now; it still pays for its class.",
        class_losses.mean() + 0.4 * box_losses[digits].mean(): "the box losses are averaged over the digits alone; the formula's mean is over all proposals.",
        4 * wanted: "this is the sum over the proposals, and the mean is wanted.",
        (class_losses + 0.4 * (classes * box_losses)).mean(): "the class number itself weighs the box loss; [u >= 1] is 1 for every digit.",
        (class_losses + 0.4 * (classes > 1) * box_losses).mean(): "class 1 pays nothing for its box: [u >= 1] is 1 for it too, and 0 for class 0 alone.",
        (class_losses + 0.4 * ~digits * box_losses).mean(): "background pays for its boxes, and digits don't: it should be the other way round.",
        (0.4 * class_losses + digits * box_losses).mean(): "the balance weighs the class losses; it belongs to the box losses.",
    }  # fmt: skip
    if abs(found - wanted) > 1e-6:
        for value, message in others.items():
            if abs(found - value) < 1e-6:
                raise Wrong(message)
        raise Wrong(f"for four proposals of the classes 0, 1, 10, 0 the loss is {wanted:g}, and yours is {found:g}.")
    empty = number(loss(class_losses, box_losses, np.zeros(4, int), 2.0))
    if abs(empty - class_losses.mean()) > 1e-6:
        raise Wrong(f"where all proposals are background the loss is {class_losses.mean():g}, and yours is {empty:g}.")


def _softened(boxes, scores, sigma):
    """Lower the scores of boxes near better ones: Gaussian soft non-maximum suppression."""
    scores, left = scores.astype(float), list(range(len(scores)))
    while left:
        best = left.pop(int(np.argmax(scores[left])))
        if left:
            scores[left] *= np.exp(-(geometry.iou(boxes[[best]], boxes[left])[0] ** 2) / sigma)
    return scores


def _soft(answer):
    """Write soft_nms(boxes, scores, sigma): the new scores, each lowered by the better boxes that it overlaps."""
    soften = function(answer)
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 20], [40, 40, 50, 50]])
    found = array(soften(boxes, np.array([0.9, 0.8, 0.7]), 0.5), shape=(3,), kinds="iuf", what="the new scores")
    if abs(found[1]) < 1e-9 and abs(found[0] - 0.9) < 1e-6:
        raise Wrong(
            "the second box lost its whole score, as in hard suppression; here it keeps exp(-IoU² / sigma) of it."
        )
    if abs(found[0] - 0.9) > 1e-6:
        raise Wrong(
            f"the best box keeps its score, 0.9, and you give {found[0]:.3f}: it is not lowered by itself or by worse ones."
        )
    if abs(found[2] - 0.7) > 1e-6:
        raise Wrong(f"the third box overlaps nothing and keeps 0.7, and you give {found[2]:.3f}.")
    if abs(found[1] - 0.8 * np.exp(-0.5 / 0.5)) < 1e-6:
        raise Wrong("the overlap enters as its square, IoU², over sigma.")
    wanted = 0.8 * np.exp(-0.25 / 0.5)
    if abs(found[1] - wanted) > 1e-6:
        raise Wrong(
            f"two boxes with an IoU of 0.5: 0.8 becomes 0.8 exp(-0.5² / 0.5) = {wanted:.3f}, and you give {found[1]:.3f}."
        )
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 12, (8, 2))
    boxes, scores = np.hstack([corner, corner + rng.uniform(8, 20, (8, 2))]), rng.permutation(np.linspace(0.3, 0.95, 8))
    found = array(soften(boxes, scores, 0.3), shape=(8,), kinds="iuf", what="the new scores")
    wanted = _softened(boxes, scores, 0.3)
    if not np.allclose(found, wanted, atol=1e-6):
        raise Wrong(
            "two boxes are right, eight that overlap are not: after each choice, choose the next by the *lowered* scores, "
            "keep the order of the input, and don't lower a box that was chosen already."
        )


def _cars(rng, count=400, size=128):
    """Boxes of cars: 24 to 96 pixels wide, 1.8 to 3 times as wide as high; (count, 4)."""
    width = np.exp(rng.uniform(np.log(24), np.log(96), count))
    height = width / rng.uniform(1.8, 3.0, count)
    x, y = rng.uniform(0, size - width), rng.uniform(0, size - height)
    return np.stack([x, y, x + width, y + height], axis=1)


def _anchors(answer):
    """Write car_anchors(): heights and ratios, at most eight anchors a place, that reach 85 % of the cars at IoU 0.6."""
    design = function(answer)
    found = design()
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two sequences: the heights, and the ratios of width to height.")
    heights, ratios = (np.ravel(array(values, kinds="iuf", what=name)) for values, name in zip(found, ("the heights", "the ratios"), strict=True))  # fmt: skip
    many = len(heights) * len(ratios)
    if not 1 <= many <= 8:
        raise Wrong(
            f"{len(heights)} heights times {len(ratios)} ratios are {many} anchors a place, and 1 to 8 are allowed."
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
    start = f"{share:.1%} of the cars are reached at IoU 0.6, and 85% are wanted: "
    if max(ratios) < 1.2:
        raise Wrong(start + "cars are wide, and a ratio is width over height, so it lies above 1.")
    if min(heights) > 15:
        raise Wrong(start + "a small car is 24 / 3 = 8 pixels high. Which of your anchors fits it?")
    if max(heights) < 25:
        raise Wrong(start + "a large car is 96 / 1.8 = 53 pixels high. Which of your anchors fits it?")
    raise Wrong(
        start + "how far may a size be off before the IoU falls below 0.6? Spread the heights by equal factors."
    )


_LOSS = "def joint(class_losses, box_losses, classes, balance):\n    return "
_SOFT = "def soft_nms(boxes, scores, sigma):\n"
_READ = "def bilinear(features, x, y):\n"

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
