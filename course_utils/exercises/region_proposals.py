"""Exercises of lesson 08, region proposals and R-CNN."""

import numpy as np

from course_utils import geometry
from course_utils.checker import Exercise, Wrong, array, expect, function, number
from course_utils.datasets.scenes import load_scenes


def _large(answer):
    """Count the boxes in a picture of 128 x 128 pixels that are at least 4 pixels wide and at least 4 high."""
    stretches = 125 * 126 // 2
    expect(
        answer,
        stretches**2,
        near={
            (128 * 129 // 2)
            ** 2: "these are all boxes, the thin ones too: how many places are there for a stretch of 4, of 5, of 128?",
            stretches: "these are the stretches of columns; a box is a stretch of columns and one of rows, so square it.",
            (124 * 125 // 2) ** 2: (
                "this leaves out the stretches of exactly 4: a stretch of 4 has 128 - 4 + 1 = 125 places, and the places fall to 1."
            ),
            (128 * 129 // 2) ** 2 - (3 * 4 // 2) ** 2: (
                "a thin box is not a box in a 3 x 3 picture: add up the places of the stretches that are long enough."
            ),
        },
        otherwise="{value} is not it: a stretch of 4 columns has 125 places, one of 5 has 124, and so on.",
        rtol=1e-9,
    )


def _needed_directly(truth, boxes, least=0.5):
    hit = geometry.iou(truth, boxes) >= least
    return int(hit.argmax(axis=1).max()) + 1 if hit.any(axis=1).all() else -1


_TRUTH = np.array([[0.0, 0, 10, 10], [20, 0, 30, 10]])
_FIRST, _SECOND, _NOWHERE = [0.0, 0, 10, 8], [21.0, 0, 30, 10], [50.0, 50, 60, 60]
_RANKINGS = (
    np.array([_NOWHERE, _FIRST, _NOWHERE, _SECOND]),
    np.array([_FIRST, _SECOND, _SECOND, _FIRST]),
    np.array([_NOWHERE, _FIRST, _NOWHERE]),
    np.array([[0.0, 0, 10, 5], _SECOND, _FIRST]),  # the first box overlaps by exactly 0.5
)


def _needed(answer):
    """Write proposals_needed(truth, boxes): how many of the boxes, best first, until all true boxes are found; -1 if never."""
    find = function(answer)
    found = [number(find(_TRUTH, boxes)) for boxes in _RANKINGS]
    wanted = [_needed_directly(_TRUTH, boxes) for boxes in _RANKINGS]  # 4, 2, -1, 2
    if found[:2] == [3, 1]:
        raise Wrong("you give the index of the last box that is needed; counting starts at 1, so add one.")
    if found[0] == 2:
        raise Wrong("you stop at the first true box that is found; all of them count, so take the slowest.")
    if found[:2] == wanted[:2]:
        if found[2] != -1:
            raise Wrong(f"where one true box is never found you give {found[2]:g}; it should be -1.")
        if found[3] != 2:
            raise Wrong(
                f"a box that overlaps by exactly 0.5 overlaps by at least 0.5; with one you give {found[3]:g}, not 2."
            )
    else:
        worst = 0 if found[0] != wanted[0] else 1
        raise Wrong(
            f"two true boxes, found first by the boxes number {'2 and 4' if worst == 0 else '1 and 2'}: "
            f"{wanted[worst]} are needed, and you give {found[worst]:g}."
        )
    rng = np.random.default_rng(0)
    for _ in range(20):
        corner = rng.uniform(0, 30, (40, 2))
        boxes = np.hstack([corner, corner + rng.uniform(10, 30, (40, 2))])
        truth = boxes[rng.choice(40, 3)] + rng.uniform(-3, 3, (3, 4))
        if (value := number(find(truth, boxes))) != (right := _needed_directly(truth, boxes)):
            raise Wrong(
                f"for three true boxes and 40 others you give {value:g}, and {right} is right: is it IoU >= 0.5?"
            )


def _indices(answer):
    """Read indices (k,), int; floats and True or False are told what they are."""
    found = array(answer, what="your result")
    if found.size and found.dtype.kind in "fb":
        kind = "True or False, as a mask" if found.dtype.kind == "b" else "decimals, as scores or boxes"
        raise Wrong(f"expected indices, which are whole numbers; your result holds {kind}.")
    if found.ndim != 1:
        raise Wrong(f"expected indices of shape (k,), got the shape {found.shape}.")
    return found.astype(int)


def _hardest(answer):
    """Write hardest(scores, overlap, count): indices of the negatives with the highest scores, the hardest first."""
    find = function(answer)
    rng = np.random.default_rng(1)
    for size, count in ((40, 4), (60, 10)):
        scores, overlap = rng.permutation(size) / 10 - 2, rng.uniform(0, 1, size)
        overlap[scores.argmax()] = 0.9  # the best score is a digit
        overlap[np.argsort(-scores)[1]] = 0.3  # and the second overlaps one by just so much
        found = array(_indices(find(scores, overlap, count)), shape=(count,), what="your result")
        negative = np.flatnonzero(overlap < 0.3)
        wanted = negative[np.argsort(-scores[negative])][:count]
        if np.array_equal(found, wanted):
            continue
        if found.min() < 0 or found.max() >= size:
            raise Wrong(f"an index lies between 0 and {size - 1}, and yours range from {found.min()} to {found.max()}.")
        if (overlap[found] >= 0.3).any():
            place = found[overlap[found] >= 0.3][0]
            raise Wrong(
                f"index {place} overlaps a digit by {overlap[place]:.2f}: it is not a negative. "
                "Do your indices count within the negatives only, or did you forget to leave the others out?"
            )
        if set(found.tolist()) == set(wanted.tolist()):
            raise Wrong("these are the right boxes in another order: the hardest, with the highest score, comes first.")
        raise Wrong(
            f"you pick scores of {scores[found].round(1).tolist()}, and the hardest negatives score {scores[wanted].round(1).tolist()}: "
            "a negative is hard if its score is high."
        )


_CHAIN = (np.array([[0.0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10], [50, 0, 60, 10]]), np.array([0.9, 0.8, 0.7, 0.6]))


def _suppress(answer):
    """Write suppress(boxes, scores): non-maximum suppression of one class at IoU 0.3, the kept indices, best first."""
    find = function(answer)
    found = _indices(find(*_CHAIN)).tolist()
    if found == [0, 3]:
        raise Wrong(
            "boxes 0, 1, 2 lie like steps, each overlapping the next: box 1 is dropped because of box 0, and a dropped box drops none. Box 2 should stay."
        )
    if found == [0, 1, 2, 3]:
        raise Wrong("nothing is dropped: box 1 overlaps box 0, which scores better, by 0.43.")
    if sorted(found) == [0, 2, 3] and found != [0, 2, 3]:
        raise Wrong(f"the right boxes are kept; they should come best first, as [0, 2, 3], and come as {found}.")
    if found != [0, 2, 3]:
        raise Wrong(
            f"of four boxes, of which 0, 1 and 2 lie like steps, [0, 2, 3] should be kept, and you keep {found}."
        )
    rng = np.random.default_rng(2)
    for _ in range(10):
        corner = rng.uniform(0, 60, (30, 2))
        boxes, scores = np.hstack([corner, corner + rng.uniform(10, 30, (30, 2))]), rng.permutation(30) / 30
        wanted, found = (
            geometry.non_maximum_suppression(boxes, scores, 0.3).tolist(),
            _indices(find(boxes, scores)).tolist(),
        )
        if found != wanted:
            raise Wrong(
                f"on 30 boxes in any order you keep {len(found)}, beginning with {found[:4]}, and right are {len(wanted)}, beginning with {wanted[:4]}. "
                "The scores are not sorted here."
            )


def _thirty(answer):
    """Write thirty(image): at most 30 boxes (P, 4), with a recall of 0.90 at IoU 0.5 on 24 unseen scenes."""
    find = function(answer, seconds=10)
    hits = []
    for seed in (5, 6):
        scenes = load_scenes(12, seed=seed, part="test")
        for image, truth in zip(scenes.images, scenes.boxes, strict=True):
            boxes = array(find(image), what="your boxes")
            if boxes.ndim != 2 or boxes.shape[1] != 4:
                raise Wrong(f"expected boxes of shape (P, 4), x0, y0, x1, y1 in each row, got the shape {boxes.shape}.")
            if len(boxes) > 30:
                raise Wrong(f"expected at most 30 boxes, got {len(boxes)}: keep the first ones.")
            try:
                hits.append(geometry.iou(truth, boxes).max(axis=1, initial=0) >= 0.5)
            except ValueError as problem:
                raise Wrong(str(problem)) from None
    if (recall := np.concatenate(hits).mean()) < 0.9:
        raise Wrong(
            f"the recall is {recall:.2f}, but it should be at least 0.90. Four searches share the 30 places: is one enough? "
            "And which of the four similarities tells a digit from stone?"
        )


EXERCISES = (
    Exercise(
        "region_proposals.large",
        _large,
        hint="Add up the places of stretches of 4, 5, ... 128 columns: 125 + 124 + ... + 1. For the rows it is the same number.",
        right="even without the thin ones 62 million are left.",
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
        right="one matrix product over features on disk finds them all.",
    ),
    Exercise(
        "region_proposals.suppress",
        _suppress,
        hint="Go through the boxes from the best score down and keep a list. A box is kept if it overlaps none of the boxes in the *list* by more than 0.3.",
        right="the result is that of boxes.non_maximum_suppression.",
    ),
    Exercise(
        "region_proposals.thirty",
        _thirty,
        hint="`scales` and `strategies` of `selective_search` decide what is searched, and with weights such as (1, 0, 0, 0) you choose a similarity; which one?",
        right="on these scenes brightness says most; on photographs of things no single similarity would do.",
    ),
)
