"""Exercises of lesson 08, region proposals and R-CNN."""

from functools import cache

import numpy as np

from course_utils import geometry
from course_utils.checker import Exercise, Wrong, array, cases, expect, function
from course_utils.datasets.photographs import touching_coins


def _ap(answer):
    """Give the AP by all points of right, wrong, right, right, wrong among 4 true boxes."""
    near = {
        2.5: "this is the sum of the best precisions at the three true positives; each of them adds 1/4 of recall.",
        2.5 / 3: "you average over the three true boxes that are found; the fourth counts as well, with a precision of 0.",
        2.5 / 5: "you divide by the number of detections; recall counts true boxes, so each true positive adds 1/4.",
        (1 + 2 / 3 + 3 / 4) / 4: "these are the precisions as they come; the precision at a recall is the best one there or above, so the 2/3 becomes 3/4.",
        (1 + 2 / 3 + 3 / 4) / 3: "these are the precisions as they come, averaged over three of the four true boxes; take the best precision at each recall or above, and divide by 4.",
        (3 + 5 * 0.75) / 11: "this is VOC's old mean over 11 recalls; all points means the exact area.",
        (26 + 50 * 0.75) / 101: "this is COCO's mean over 101 recalls; all points means the exact area.",
        (1 + (1 / 2 + 2 / 3) / 2 + (2 / 3 + 3 / 4) / 2) / 4: "this joins the points by straight lines (the trapezoidal rule); the precision at a recall is the best one there or above, which makes stairs.",
        0.6: "this is the precision after all five detections; AP is the area under the whole curve.",
        0.75: "this is the recall after all five detections, or the precision after four; AP is the area under the whole curve.",
        0.63: "this is rounded to two digits; give at least three.",
        0.62: "this is rounded to two digits; give at least three.",
        62.5: "this is in percent; give a share between 0 and 1.",
    }  # fmt: skip
    words = "{value} is not it. Write down precision and recall after each detection; raise each precision to the best one from there on; then add up 1/4 of it for each true positive."
    expect(answer, 0.625, near, words, rtol=0, atol=5e-4)


def _large(answer):
    """Count the boxes in a picture of 128 x 128 pixels that are at least 4 pixels wide and at least 4 high."""
    all_boxes, stretches = (128 * 129 // 2) ** 2, 125 * 126 // 2
    near = {
        all_boxes: "these are all boxes, the thin ones too: how many places are there for a stretch of 4, of 5, of 128?",
        stretches: "these are the stretches of columns; a box is a stretch of columns and one of rows, so square it.",
        2 * stretches: "stretches of columns and of rows are combined, each with each: square the number of one kind.",
        (124 * 125 // 2) ** 2: "this leaves out the stretches of exactly 4: a stretch of 4 has 128 - 4 + 1 = 125 places, and the places fall to 1.",
        (126 * 127 // 2) ** 2: "this counts the stretches of 3 too: one of 4 has 128 - 4 + 1 = 125 places.",
        all_boxes - 6**2: "a thin box is not a box in a 3 x 3 picture: add up the places of the stretches that are long enough.",
        (128 * 129 // 2) * stretches: "boxes that are thin in the other direction are left: take stretches of at least 4 in both.",
    }  # fmt: skip
    words = "{value} is not it: a stretch of 4 columns has 125 places, one of 5 has 124, and so on."
    expect(answer, stretches**2, near, words, rtol=0, atol=0)


def _first_hits(truth, boxes, least=0.5):
    """For each true box the number of the first that overlaps it by `least`, counted from 1; infinity if none does."""
    hit = geometry.iou(truth, boxes) >= least
    return np.where(hit.any(axis=1), hit.argmax(axis=1) + 1.0, np.inf)


def _proposals_needed(truth, boxes, least=0.5):
    slowest = _first_hits(truth, boxes, least).max()
    return slowest if np.isfinite(slowest) else -1


def _last_or_one(truth, boxes):
    hits = _first_hits(truth, boxes)
    return np.where(np.isfinite(hits), hits, 1).max()


_NEAR_NEEDED = [
    (_last_or_one, "a true box is never found, so the answer is -1: argmax gives 0 where nothing is True."),
    (lambda truth, boxes: _proposals_needed(truth, boxes, 0.5 + 1e-9), "an IoU of exactly 0.5 is enough: it should be at least 0.5."),
    (lambda truth, boxes: _proposals_needed(truth, boxes) - 1, "this is the index of the last box that is needed; count from 1, so add one."),
    (lambda truth, boxes: min(_first_hits(truth, boxes).min(), 1e9), "you stop at the first true box that is found; all of them should be, so take the slowest."),
    (lambda truth, boxes: len(np.unique(_first_hits(truth, boxes))), "you count the different boxes that find something first; the boxes before and between them are looked at too."),
    (lambda truth, boxes: np.count_nonzero((geometry.iou(truth, boxes) >= 0.5).any(axis=0)), "you count the boxes that hit something; the boxes before and between them are looked at too."),
    (lambda truth, boxes: _proposals_needed(truth, boxes[:-1]), "the last box is never looked at."),
    (lambda truth, boxes: len(truth), "this is the number of true boxes; count the boxes that are looked at until the last of them is found."),
    (lambda truth, boxes: len(boxes), "these are all of the boxes: stop when the last true box is found, and return -1 if one never is."),
]  # fmt: skip


def _needed(answer):
    """Write proposals_needed(truth, boxes): how many of the boxes, best first, until all true boxes are found; -1 if never."""
    truth = np.array([[0.0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]])
    first, second, third = truth - [0, 0, 0, 2]
    nowhere, half = [50.0, 50, 60, 60], [0.0, 0, 10, 5]
    rankings = (
        [nowhere, second, second, nowhere, first, nowhere, third, first],  # 7: not 8 boxes, 3 true ones, or 2 + 5 + 7
        [third, second, first, nowhere, nowhere],
        [nowhere, first, second, nowhere, second],
        [nowhere, second, first, third],
        [nowhere, nowhere],
    )
    given = [(truth, np.array(boxes)) for boxes in rankings]
    given += [(truth[:1], np.array([nowhere, half, first])), (truth[:1], truth), (truth[[0, 0]], truth[:2])]
    rng = np.random.default_rng(0)
    for _ in range(20):
        corner = rng.uniform(0, 30, (40, 2))
        boxes = np.hstack([corner, corner + rng.uniform(10, 30, (40, 2))])
        given.append((boxes[rng.choice(40, 3)] + rng.uniform(-3, 3, (3, 4)), boxes))
    words = "{right} are needed, and you give {value}: a box hits with an IoU of at least 0.5, and it may hit several true boxes."
    for truth, boxes in given:
        near = _NEAR_NEEDED if len(boxes) < 10 else ()  # of many drawn boxes, a mistake may give any number
        hits = _numbers(_first_hits(truth, boxes))
        case = f"for {len(truth)} true boxes, found first by the boxes number {hits} of {len(boxes)}"
        cases(function(answer), [(truth, boxes)], _proposals_needed, near, words, case=case)


def _numbers(hits):
    return ", ".join(f"{hit:g}" if np.isfinite(hit) else "(never)" for hit in hits)


def _indices(answer):
    """Read indices (k,), int, which may be whole floats; decimals and True or False are told what they are."""
    found = array(answer, what="your result")
    is_decimal = found.dtype.kind == "f" and (found.ndim > 1 or (found != np.rint(found)).any())
    if found.size and (found.dtype.kind == "b" or is_decimal):
        kind = "True or False, as a mask" if found.dtype.kind == "b" else "decimals, as scores or boxes"
        raise Wrong(f"your result holds {kind}; it should hold indices, whole numbers.")
    if found.ndim != 1:
        raise Wrong(f"your result should be indices (k,), and it has the shape {found.shape}.")
    return found.astype(int)


def _candidates():
    """Scores, overlaps and how many are asked for: of all signs, all below 0, at the limit, and just enough negatives."""
    rng = np.random.default_rng(1)
    for size, count, shift in ((40, 4, 2), (60, 10, 3), (50, 8, 9), (30, 1, 0), (30, 5, 1)):
        scores, overlap = rng.permutation(size) / 10 - shift, rng.uniform(0, 1, size)
        overlap[scores.argmax()] = 0.9  # the best score is an object
        overlap[scores.argsort()[-3:-1]] = 0.3, 0.0  # the second best is a negative, the third lies at the limit
        yield scores, overlap, count
    yield scores, overlap, np.count_nonzero(overlap < 0.3)
    yield rng.normal(size=3000), rng.uniform(0, 1, 3000), 500  # argpartition leaves so many in disorder


def _hardest(answer):
    """Write hardest(scores, overlap, count): indices of the negatives with the highest scores, the hardest first."""
    find = function(answer)
    for scores, overlap, count in _candidates():
        found = array(_indices(find(scores, overlap, count)), shape=(count,), what="your result")
        negative = np.flatnonzero(overlap < 0.3)
        right = negative[np.argsort(-scores[negative])][:count]
        if np.array_equal(found, right):
            continue
        if found.min() < 0 or found.max() >= len(scores):
            raise Wrong(
                f"an index lies between 0 and {len(scores) - 1}, and yours range from {found.min()} to {found.max()}."
            )
        if (overlap[found] >= 0.3).any():
            place = found[overlap[found] >= 0.3][0]
            raise Wrong(
                f"index {place} overlaps an object of the class by {overlap[place]:.2f}: it is not a negative. "
                "Do your indices count within the negatives only, or did you forget to leave the others out?"
            )
        if set(found.tolist()) == set(right.tolist()):
            raise Wrong("these are the right boxes in another order: the hardest, with the highest score, comes first.")
        raise Wrong(
            f"you pick scores of {scores[found].round(1).tolist()}, and the hardest negatives score {scores[right].round(1).tolist()}: "
            "a negative is hard if its score is high."
        )


def _suppressed(boxes, scores, drops=lambda overlap: overlap > 0.3, by_dropped=False, order=None, last=None):
    """Keep the best of the boxes that overlap; `by_dropped` lets dropped boxes drop others as well, `last` only so many kept ones."""
    kept, seen = [], []
    for i in np.argsort(-scores) if order is None else order:
        others = seen if by_dropped else kept[-last:] if last else kept
        if not drops(geometry.iou(boxes[[i]], boxes[others])).any():
            kept.append(int(i))
        seen.append(int(i))
    return kept


_NEAR_SUPPRESSED = [
    (lambda boxes, scores: _suppressed(boxes, scores, by_dropped=True), "a box is dropped because of one that was dropped itself, and a dropped box drops none."),
    (lambda boxes, scores: _suppressed(boxes, scores, last=1), "you compare a box with the last kept one only; compare it with all kept ones."),
    (lambda boxes, scores: [i for i in _suppressed(boxes, scores) if scores[i] > 0], "boxes with a score of 0 or below are missing. An SVM's scores can be negative, and the order alone counts."),
    (lambda boxes, scores: np.argsort(-scores).tolist(), "nothing is dropped: each box that overlaps a kept one by more than 0.3 should be."),
    (lambda boxes, scores: _suppressed(boxes, scores)[::-1], "the right boxes are kept; they should come best first."),
    (lambda boxes, scores: sorted(_suppressed(boxes, scores)), "the right boxes are kept; they should come best first, by score."),
    (lambda boxes, scores: _suppressed(boxes, scores, order=range(len(boxes))), "you go through the boxes as they come. The scores are not sorted here."),
    (lambda boxes, scores: _suppressed(boxes, scores, order=np.argsort(scores)), "you begin with the lowest score; the best comes first."),
    (lambda boxes, scores: _suppressed(boxes, scores, lambda overlap: overlap >= 0.3), "an IoU of exactly 0.3 drops no box: it should be more than 0.3."),
    (lambda boxes, scores: _suppressed(boxes, scores, lambda overlap: overlap > 0.5), "you drop at an IoU of 0.5: it should be 0.3."),
]  # fmt: skip


def _crowds():
    """Boxes and scores: steps that overlap the next one each, exactly 0.3, equal boxes, one box, and drawn ones."""
    steps = np.array([[0.0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10], [50, 0, 60, 10], [51, 0, 61, 10]])
    yield steps, np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    yield steps, np.array([0.2, 0.8, 0.7, 0.5, 0.9])
    yield np.array([[0.0, 0, 10, 10], [0, 0, 10, 3], [20, 0, 24, 10]]), np.array([0.5, 0.7, -0.1])
    yield steps[[3, 0, 3, 0]], np.array([-0.4, -0.3, -0.2, -0.1])
    yield steps[:1], np.array([0.0])
    rng = np.random.default_rng(2)
    for _ in range(10):
        corner = rng.uniform(0, 60, (30, 2))
        yield np.hstack([corner, corner + rng.uniform(10, 30, (30, 2))]), rng.permutation(30) / 15 - 1


def _suppress(answer):
    """Write suppress(boxes, scores): non-maximum suppression of one class at IoU 0.3, the kept indices, best first."""
    find = function(answer)
    for boxes, scores in _crowds():
        found, right = _indices(find(boxes, scores)).tolist(), _suppressed(boxes, scores)
        if found == right:
            continue
        case = f"of {len(boxes)} boxes with the scores {scores.round(1).tolist()}, {right} should be kept, and you keep {found}"
        for mistake, words in _NEAR_SUPPRESSED:
            if found == mistake(boxes, scores):
                raise Wrong(f"{case}: {words}")
        raise Wrong(f"{case}.")


@cache
def _unseen():
    """Three pictures of real coins that touch: (303, 384), uint8, and the true boxes (16, 4)."""
    return [(scene.image, scene.boxes) for scene in map(touching_coins, (1, 2, 3))]


def _sixty(answer):
    """Write sixty(image): at most 60 boxes (P, 4), with a recall of 0.90 at IoU 0.5 over three pictures of touching coins."""
    find = function(answer, seconds=20)
    may_miss, hits = 0.1 * sum(len(truth) for _, truth in _unseen()), np.zeros(0, bool)
    for number, (image, truth) in enumerate(_unseen(), 1):
        boxes = array(find(image.copy()), what="your boxes")
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise Wrong(f"boxes should be (P, 4), x0, y0, x1, y1 in each row, and these have the shape {boxes.shape}.")
        if len(boxes) > 60:
            raise Wrong(f"you give {len(boxes)} boxes, but 60 are the most: keep the first ones.")
        try:
            boxes = geometry.check_boxes(boxes, "your boxes")
            hits = np.append(hits, geometry.iou(truth, boxes).max(axis=1, initial=0) >= 0.5)
        except ValueError as problem:
            raise Wrong(str(problem)) from None
        if np.count_nonzero(~hits) > may_miss:
            height, width = image.shape
            if (boxes.max(axis=0, initial=0) > [width + 1, height + 1] * 2).any():
                raise Wrong(
                    f"one of your boxes reaches {boxes.max():g}, out of a picture {height} high and {width} wide: is the order x0, y0, x1, y1?"
                )
            raise Wrong(
                f"after {number} of {len(_unseen())} pictures the recall is {hits.mean():.2f}, too low to reach 0.90 on all. Look at your 60 "
                "boxes: is the grain of the table among them? `smooth` removes it, `thinnest` leaves small boxes out, and "
                "fewer `scales` and `strategies` leave more of the 60 places to each."
            )


EXERCISES = (
    Exercise(
        "region_proposals.ap",
        _ap,
        hint="After the five detections the precision is 1, 1/2, 2/3, 3/4, 3/5. Raise each to the best one from there on, then add up those at the true positives, each times 1/4.",
        right="the true box that no detection finds costs a quarter of the area, whatever the scores.",
    ),
    Exercise(
        "region_proposals.suppress",
        _suppress,
        hint="Go through the boxes from the best score down and keep a list. A box is kept if it overlaps none of the boxes in the *list* by more than 0.3.",
        right="the result is that of geometry.non_maximum_suppression.",
    ),
    Exercise(
        "region_proposals.sixty",
        _sixty,
        hint="Draw the first 60 boxes on `touching_coins(1).image`. Many are specks: smooth with 0.8, ask for at least 20 pixels in `thinnest`, and search once, by one weighting such as (1, 0, 0, 0).",
        right="each coin is large and of one shade; settings that use this make 60 boxes enough.",
    ),
    Exercise(
        "region_proposals.large",
        _large,
        hint="Add up the places of stretches of 4, 5, ... 128 columns: 125 + 124 + ... + 1. For the rows it is the same number.",
        right="62 million boxes are left even without the thin ones.",
    ),
    Exercise(
        "region_proposals.needed",
        _needed,
        hint="`geometry.iou(truth, boxes) >= 0.5` has a row for each true box; argmax of a row is the first True in it, or 0 if there is none.",
        right="recall against the number of boxes is this count, over many pictures.",
    ),
    Exercise(
        "region_proposals.hardest",
        _hardest,
        hint="First the indices of all negatives, `np.flatnonzero(overlap < 0.3)`; then sort *those* by their scores.",
        right="one matrix product over the features of all boxes finds them.",
    ),
)
