"""Exercises of lesson 06, U-Net."""

from itertools import combinations

import numpy as np
from scipy import ndimage

from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number
from course_utils.datasets.nuclei import load_nuclei, touching_pairs


def _size(answer):
    """Give the height that a valid U-Net of four levels returns for 572 pixels."""
    near = {
        388: "388 is what five levels return; with one pooling less, less is lost.",
        532: "532 is what three levels return, with two poolings; four levels mean three poolings.",
        572: "572 is what padded convolutions would return; here each of them takes 2 pixels.",
        488: "488 is the height of the top level before its own two convolutions.",
        68: "68 is the height after the third pooling; the bottom and the way up are still to come.",
        64: "64 is the height of the bottom level's maps; the way up is still to come.",
    }
    otherwise = (
        "{value} is not it: four levels mean three poolings. Follow 572, 568, 284, ... to the bottom and up again."
    )
    expect(answer, 484, near, otherwise)


def _perfect(answer):
    """Give the number of nuclei that a perfect mask of the microscope's picture lets you find."""
    labels = load_nuclei().labels
    pieces, joined = ndimage.label(labels > 0)[0], ndimage.label(labels > 0, np.ones((3, 3)))[0]
    total = int(labels.max())
    apart = total - len(np.unique(touching_pairs(labels, 1)))
    near = {
        total: f"{total} is the number of all nuclei; in a mask, those that touch are one piece.",
        int(
            pieces.max()
        ): "that is how many pieces the mask has; count those nuclei that a piece overlaps with an IoU above one half.",
        apart: "that is how many nuclei touch no other; in a piece of two, the larger one can still reach an IoU above one half.",
        _overlapped(
            joined, labels
        ): "that is right for pieces that may also be connected across a corner; `count_found` connects along sides only.",
        0: "give `count_found` the mask of the nuclei, `labels > 0`, and their numbers.",
    }
    otherwise = (
        "{value} is not it: call `count_found` with the mask `labels > 0` and with `labels`, on the whole picture."
    )
    expect(answer, _overlapped(pieces, labels), near, otherwise)


def _overlapped(pieces, labels):
    """How many labeled objects some piece overlaps with an IoU above one half."""
    pairs = np.histogram2d(labels.ravel(), pieces.ravel(), (np.arange(labels.max() + 2), np.arange(pieces.max() + 2)))[
        0
    ]
    union = pairs.sum(axis=1, keepdims=True) + pairs.sum(axis=0) - pairs
    return int((pairs / union > 0.5)[1:, 1:].sum())


def _step(answer):
    """Write largest_step(tile, levels): the largest step between tiles that leaves neither a seam nor a gap."""
    find, rng = function(answer), np.random.default_rng(0)
    tried = [(388, 5), (100, 3), (484, 4), (130, 3), (384, 5), (50, 1), (64, 7), (127, 7), (9, 4), (33, 2)]
    tried += zip(rng.integers(128, 600, 8).tolist(), rng.integers(1, 8, 8).tolist(), strict=True)
    for tile, levels in tried:
        block = 2 ** (levels - 1)
        right = tile // block * block
        found = number(find(tile, levels))
        case = f"for tiles of {tile} and {levels} level{'s' * (levels > 1)} you give {found:g}"
        expect(found, right, otherwise=f"{case}: {_why_not(found, tile, levels)}", rtol=0)


def _why_not(found, tile, levels):
    """Say what is wrong with a step that is not the largest one that works."""
    block = 2 ** (levels - 1)
    if found > tile:
        return "steps that are larger than the tile leave pixels out."
    if found <= 0:
        return "a step must be at least one pixel."
    if found % block:
        return f"{levels} levels have {levels - 1} poolings, so blocks of {block}, and this is not a multiple of them."
    return "that works, but {right} works too, with fewer tiles."


def _probability(z):
    return 1 / (1 + np.exp(-z))


def _dice_loss(truth, p):
    return 1 - 2 * (p * truth).sum() / (p.sum() + truth.sum())


def _of_common_area(change):
    """A wrong loss that is made of the common area and the sum of both areas in another way."""

    def loss(truth, logits):
        p = _probability(logits)
        return change((p * truth).sum(), p.sum() + truth.sum())

    return loss


_DICE_MISTAKES = (
    (_of_common_area(lambda both, areas: 2 * both / areas), "this is Dice itself; a loss must fall where Dice rises."),
    (
        _dice_loss,
        "these are logits in place of probabilities: p = 1 / (1 + exp(-z)) comes first.",
    ),
    (
        lambda truth, logits: _dice_loss(truth, logits > 0),
        "this thresholds the logits, and a step has no gradient: keep the probabilities.",
    ),
    (
        _of_common_area(lambda both, areas: -2 * both / areas),
        "this is minus Dice, which falls where it should; add 1, so that a perfect mask loses 0.",
    ),
    (
        lambda truth, logits: _dice_loss(truth, _probability(-logits)),
        "these are probabilities of background: the exponent of p = 1 / (1 + exp(-z)) has a minus sign.",
    ),
    (
        _of_common_area(lambda both, areas: 1 - both / areas),
        "the common area counts twice above the line: a perfect mask should lose 0, not 0.5.",
    ),
    (
        lambda truth, logits: 1 - 2 * (_probability(logits) * truth).sum() / ((_probability(logits) ** 2).sum() + truth.sum()),
        "you square below the line, which is another common form; this exercise takes plain sums.",
    ),
    (
        _of_common_area(lambda both, areas: 1 - both / (areas - both)),
        "this is IoU: Dice divides twice the common area by the sum of both areas.",
    ),
    (
        _of_common_area(lambda both, areas: 1 - (2 * both + 1) / (areas + 1)),
        "this adds 1 above and below the line, a common form that is defined for two empty masks; leave it out here.",
    ),
    (
        lambda truth, logits: np.mean([_dice_loss(t, _probability(z)) for t, z in zip(truth, logits, strict=True)]),
        "this is the mean over the first axis of one loss each; here the sums run over all pixels.",
    ),
)  # fmt: skip


def _dice(answer):
    """Write soft_dice_loss(truth, logits): 1 - Dice, with probabilities in place of the predicted mask."""
    rng = np.random.default_rng(0)
    pairs = [
        ((rng.random(shape) < 0.4).astype(float), rng.normal(0, 2, shape)) for shape in ((4, 4), (2, 8, 8, 1), (3, 5))
    ]
    truth = pairs[-1][0]
    pairs += [
        (truth, 60 * truth - 30),
        (truth, 30 - 60 * truth),
        (np.zeros((3, 5)), pairs[-1][1]),
        (np.ones(1), np.zeros(1)),
    ]
    cases(
        function(answer), pairs, lambda truth, logits: _dice_loss(truth, _probability(logits)), _DICE_MISTAKES,
        "the loss should be {right}, but it is {value}: 1 - 2 sum(p t) / (sum p + sum t).",
        case="for a truth and logits of the shape {0.shape}", rtol=0, atol=1e-4,
    )  # fmt: skip


def _split(answer):
    """Write split_by_car(cars, share, rng): positions for training and validation, with no car in both."""
    find = function(answer)
    for count, views, share in ((10, 16, 0.2), (7, 5, 0.3), (3, 4, 0.1), (7, 3, 0.25), (9, 1, 0.7), (4, 2, 0.5)):
        rng = np.random.default_rng(count)
        views = np.full(count, views) + rng.integers(0, 5, count)  # a car may have more pictures than another
        cars = rng.permutation(np.repeat([f"car {k}" for k in range(count)], views))
        drawn = [_held_cars(find(cars, share, np.random.default_rng(seed)), cars, share) for seed in range(8)]
        if drawn != [_held_cars(find(cars, share, np.random.default_rng(seed)), cars, share) for seed in range(8)]:
            raise Wrong("two calls with an `rng` of the same seed hold back different cars: let `rng` alone draw them.")
        if len(set(map(frozenset, drawn))) == 1:
            raise Wrong("all calls hold back the same cars: draw them with `rng`.")
    drawn = [_held_cars(find(cars, 0.5, np.random.default_rng(seed)), cars, 0.5) for seed in range(100)]
    if missing := set(cars) - set().union(*drawn):
        raise Wrong(
            f"in 100 draws of 2 cars out of 4, {missing.pop()} is never held back: each car should have its chance."
        )
    for pair in combinations(sorted(set(cars)), 2):
        if set(pair) not in drawn:
            raise Wrong(
                f"in 100 draws of 2 cars out of 4, {pair[0]} and {pair[1]} are never held back together: draw each car, whichever "
                "others are drawn."
            )


def _held_cars(result, cars, share):
    """The cars in validation, after a check that the two parts are a split by car."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("expected two arrays of positions: `return training, validation`.")
    for part in result:
        if isinstance(part, tuple) and len(part) == 1:
            raise Wrong("np.where and np.nonzero return a tuple: take its first entry, or use np.flatnonzero.")
        if np.asarray(part).dtype == bool:
            raise Wrong("these are masks, not positions: np.flatnonzero(mask) gives positions.")
    parts = [array(part, kinds="iu", what=name) for part, name in zip(result, ("training", "validation"), strict=True)]
    if any(part.ndim != 1 for part in parts):
        raise Wrong(f"each part should have one axis, and yours have {[part.ndim for part in parts]}.")
    both = np.concatenate(parts)
    if sorted(both.tolist()) != list(range(len(cars))):
        raise Wrong(
            f"each of {len(cars)} positions should be in one part, and {len(set(both.tolist()))} different ones are in {len(both)} places."
        )
    training, held = (set(cars[part].tolist()) for part in parts)
    count = len(set(cars))
    if training & held:
        raise Wrong(f"{len(training & held)} of {count} cars are in both parts: draw cars, then take their pictures.")
    right = max(round(share * count), 1)
    if len(held) != right:
        raise Wrong(
            f"of {count} cars a share of {share} is {right} in validation (rounded, at least one), and you hold back {len(held)}."
        )
    return held


def _both(predict, pictures, axis):
    """The answers for pictures as they are and mirrored along an axis, the latter turned back."""
    return predict(pictures), np.flip(predict(np.flip(pictures, axis)), axis)


def _average(first, second):
    return (_probability(first) + _probability(second)) / 2


_MIRROR_MISTAKES = (
    (
        lambda predict, pictures: _probability(sum(_both(predict, pictures, 2)) / 2),
        "this averages logits; turn each into probabilities first.",
    ),
    (
        lambda predict, pictures: sum(_both(predict, pictures, 2)) / 2,
        "these are logits: take the mean of probabilities, between 0 and 1.",
    ),
    (
        lambda predict, pictures: _average(predict(pictures), predict(pictures[:, :, ::-1])),
        "the answer for the mirror image is mirrored too: turn it back before you average.",
    ),
    (
        lambda predict, pictures: _average(predict(pictures), predict(pictures)[:, :, ::-1]),
        "this mirrors the answer and not the pictures: predict has to see the mirror images.",
    ),
    (
        lambda predict, pictures: _average(*_both(predict, pictures, 1)),
        "these are upside down: left and right lie on axis 2 of (N, H, W, C).",
    ),
    (
        lambda predict, pictures: _average(*_both(predict, pictures, 3)),
        "this reverses the order of the colors: left and right lie on axis 2 of (N, H, W, C).",
    ),
    (
        lambda predict, pictures: _probability(predict(pictures)),
        "this is the answer for the pictures alone; the mirror images are missing. They are mirrored along axis 2, not along axis 0, which counts the pictures.",
    ),
    (
        lambda predict, pictures: _probability(_both(predict, pictures, 2)[1]),
        "this is the answer for the mirror images alone: average it with the one for the pictures as they are.",
    ),
    (
        lambda predict, pictures: np.flip(_average(*_both(predict, pictures, 2)), 2),
        "your mean is mirrored: turn the answer for the mirror images back, and leave the one for the pictures as it is.",
    ),
    (
        lambda predict, pictures: _average(*_both(predict, pictures, (1, 2))),
        "these are turned by half a circle: mirror along axis 2 alone.",
    ),
    (
        lambda predict, pictures: 1 - _average(*_both(predict, pictures, 2)),
        "these are probabilities of background: the exponent of p = 1 / (1 + exp(-z)) has a minus sign.",
    ),
    (
        lambda predict, pictures: sum(z > 0 for z in _both(predict, pictures, 2)) / 2,
        "this averages masks; average the probabilities, and cut the mean afterward.",
    ),
    (
        lambda predict, pictures: _probability(np.maximum(*_both(predict, pictures, 2))),
        "this takes the larger of the two answers; take the mean of their probabilities.",
    ),
    (
        lambda predict, pictures: 2 * _average(*_both(predict, pictures, 2)),
        "this is the sum of two probabilities; a mean is half of it.",
    ),
)  # fmt: skip


def _mirrored(answer):
    """Write average_of_mirrored(predict, pictures): the mean probability of pictures and mirror images, in the pictures' frame."""
    find, rng = function(answer), np.random.default_rng(2)
    for shape in ((2, 4, 6, 3), (1, 5, 5, 3), (3, 3, 7, 3)):
        slope = np.linspace(-3, 3, shape[1] * shape[2]).reshape(*shape[1:3], 1)
        asked = []

        def predict(given, slope=slope, asked=asked):
            asked.append(given)
            return np.asarray(given) @ [[3.0], [2.0], [-1.0]] - 2 + slope  # it leans to the right and down

        pictures = rng.random(shape)
        found = array(find(predict, pictures), shape=(*shape[:3], 1), what="the mean")
        if not asked:
            raise Wrong("predict was never called: it alone knows what the network answers.")
        near = [(mistake(predict, pictures), sentence) for mistake, sentence in _MIRROR_MISTAKES]
        right = _average(*_both(predict, pictures, 2))
        worst = np.unravel_index(np.abs(found - right).argmax(), right.shape)
        expect(
            found, right, near,
            f"for pictures {shape}, your mean at {tuple(map(int, worst[:3]))} is {found[worst]:.3g}, and {right[worst]:.3g} is right: predict both, turn one back, average the probabilities.",
            rtol=0, atol=1e-3,
        )  # fmt: skip


EXERCISES = (
    Exercise(
        "unet.size",
        _size,
        hint="The rule l' = 2l + 8 begins with l = 4 at the bottom, which is one level; apply it for each level above.",
        right="572, 568, 284, 280, 140, 136, 68, 64, and up: 128, 124, 248, 244, 488, 484.",
    ),
    Exercise(
        "unet.dice",
        _dice,
        hint="Write Dice for two masks with sums and products only; then let p take the place of one of them.",
        right="it compares areas, so background that is easily right adds next to nothing.",
    ),
    Exercise(
        "unet.perfect",
        _perfect,
        hint="`nuclei.load_nuclei().labels` numbers the nuclei. Which mask would a perfect network give?",
        right="a perfect mask has a Dice of 1 and still merges nuclei that touch: masks and objects are judged by different measures.",
    ),
    Exercise(
        "unet.step",
        _step,
        hint="How large is the block that the last pooling makes, measured in pixels of the picture? Round the tile down to whole blocks.",
        right="whole blocks, as many as fit into a tile.",
    ),
    Exercise(
        "unet.split",
        _split,
        hint="np.unique(cars) lists each car once. Draw some of these, and ask with np.isin which pictures show them.",
        right="whoever is in validation was never seen, from any side.",
    ),
    Exercise(
        "unet.mirrored",
        _mirrored,
        hint="Which axis of (N, H, W, C) runs from left to right? What has to happen to the second answer before it lies over the first?",
        right="this is test-time augmentation: two looks cost twice the time, and their errors partly cancel.",
    ),
)
