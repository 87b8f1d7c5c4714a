"""Exercises of lesson 03, watershed."""

from functools import cache

import numpy as np
from skimage import draw

from course_utils.checker import Exercise, Wrong, array, cases, function, number
from course_utils.datasets.photographs import touching_coins


def _level(answer):
    """Write meeting_level(heights, left, right): the water level at which two places come to lie under one lake."""
    rng = np.random.default_rng(0)
    profiles = [([5, 1, 4, 2, 6], 1, 3), ([5, 1, 4, 2, 6], 0, 3), ([9, 1, 3, 0, 7, 2, 8], 1, 5)]
    profiles += [([3, 1, 2, 7], 1, 3), ([7, 1, 2, 3], 0, 2), ([-4, -9, -2, -7, -1], 1, 3), ([4, 4, 4], 0, 2)]
    profiles += [(rng.permutation(12), *np.sort(rng.choice(12, 2, replace=False)).tolist()) for _ in range(20)]
    near = [
        (lambda h, i, j: h.max(), "this is the highest of all places; ground outside of the two can't keep them apart."),
        (lambda h, i, j: h[i : j + 1].min(), "this is the lowest ground from one to the other; water must rise over the highest."),
        (lambda h, i, j: max(h[i], h[j]), "both are wet at your level, but dry ground still lies between them."),
        (lambda h, i, j: h[i:j].max(), "the place on the right must be under water, too. A slice ends before its second number."),
        (lambda h, i, j: h[i + 1 : j + 1].max(), "the place on the left must be under water, too."),
        (lambda h, i, j: max(h[i + 1 : j], default=-np.inf), "both places must be under water, too, not only the ground between them."),
    ]  # fmt: skip
    cases(
        function(answer),
        [(np.array(heights, float), left, right) for heights, left, right in profiles],
        lambda heights, left, right: heights[left : right + 1].max(),
        near,
        "the level is {right}, but you give {value}.",
        case="for the heights {0} and the places {1} and {2}",
    )


def _disc_mask(places, shape):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.any([(rows - y) ** 2 + (columns - x) ** 2 <= r * r for y, x, r in places], axis=0)


def _true_dams(labels):
    found = np.zeros(labels.shape, bool)
    right = (labels[:, :-1] != labels[:, 1:]) & (labels[:, :-1] > 0) & (labels[:, 1:] > 0)
    below = (labels[:-1] != labels[1:]) & (labels[:-1] > 0) & (labels[1:] > 0)
    found[:, :-1] |= right
    found[:-1] |= below
    return found


@cache
def _labels_with_dams():
    rng = np.random.default_rng(0)
    by_hand = [np.array([[1, 1, 2, 2]]), np.array([[1], [1], [2]]), np.array([[0, 1, 1, 0], [0, 0, 2, 2]])]
    drawn = [rng.integers(0, 4, (12, 15)), 100 * rng.integers(0, 3, (9, 5)), np.ones((3, 3), int)]
    return [*by_hand, *drawn, touching_coins(seed=1).labels]


def _dams(answer):
    """Write dams(labels): True where a labeled pixel has a neighbor to the right or below with another label above 0."""
    find = function(answer)
    for labels in _labels_with_dams():
        found, best = array(find(labels.copy()), shape=labels.shape, what="the dams") > 0, _true_dams(labels)
        if np.array_equal(found, best):
            continue
        shown = f" for the labels {labels.tolist()}" if labels.size < 10 else ""
        if (found & (labels == 0)).any():
            raise Wrong(f"a pixel of the background is called a dam{shown}: ask that both labels are above 0.")
        y, x = np.argwhere(found != best)[0]
        if found[y, x]:
            raise Wrong(
                f"you have a dam in row {y}, column {x}{shown}, and its neighbors to the right and below have the same label or none."
            )
        raise Wrong(f"you miss the dam in row {y}, column {x}{shown}: look to the right and below.")


def _some_masks():
    """Masks of discs that touch in groups of one to three, with the number of discs."""
    for radius in (20, 10, 40):
        size = 6 * radius
        yield 1, f"one disc of radius {radius}", _disc_mask([(size / 2, size / 2, radius)], (size, size))
        pair = [(size / 2, size / 3, radius), (size / 2, size / 3 + 1.85 * radius, radius)]
        yield 2, f"two discs of radius {radius}", _disc_mask(pair, (size, size))
        for spacing in (1.8, 1.9, 2.0):
            yield 3, f"three discs of radius {radius}, {spacing:g} radii apart", _closed(_equal_group(radius, spacing))
    yield 2, "a disc of radius 40 and one of 12", _disc_mask([(60, 60, 40), (60, 109, 12)], (120, 140))
    yield 2, "a disc of radius 30 and one of 15", _disc_mask([(90, 50, 30), (46, 50, 15)], (130, 100))
    row = [(60, 60, 40), (60, 122, 24), (60, 156, 12)]
    yield 3, "discs of radius 40, 24 and 12 in a row", _disc_mask(row, (120, 180))
    yield 1, "a disc of radius 40 that the picture's border touches", _disc_mask([(40, 40, 40)], (81, 120))
    groups = [_random_group(np.random.default_rng(seed)) for seed in range(6)]
    for places in groups:
        radii = ", ".join(f"{r:.0f}" for *_, r in places)
        yield 3, f"three discs of radius {radii}", _closed(places)
    height = max(_closed(places).shape[0] for places in groups[:2])
    pair = [np.pad(mask, ((0, height - len(mask)), (0, 0))) for mask in map(_closed, groups[:2])]
    yield 6, "two groups of three discs", np.hstack(pair)


def _equal_group(radius, spacing):
    """Three equal discs, `spacing` radii apart: rows (y, x, radius)."""
    apart = spacing * radius
    return np.array(
        [[0, apart / 2, radius], [apart * np.sqrt(0.75), 0, radius], [apart * np.sqrt(0.75), apart, radius]]
    )


def _random_group(rng):
    """Three discs that touch each other, none with more than twice the radius of another: rows (y, x, radius)."""
    radii = rng.uniform(1, 2, 3) * rng.uniform(10, 20)
    a, b, c = rng.uniform(0.9, 0.98, 3) * (radii + np.roll(radii, -1))  # from the first to the second, and so on
    x = (a**2 + c**2 - b**2) / (2 * a)
    return np.column_stack([[0, 0, np.sqrt(c**2 - x**2)], [0, a, x], radii])


def _closed(places):
    """The mask of three discs, with the gap between them closed: (H, W), bool."""
    first = (places[:, :2] - places[:, 2:]).min(axis=0) - 4
    last = (places[:, :2] + places[:, 2:]).max(axis=0) + 4
    places = places - [*first, 0]
    mask = _disc_mask(places, np.ceil(last - first).astype(int))
    return mask | draw.polygon2mask(mask.shape, places[:, :2])


def _ghost(answer):
    """Write count_discs(mask) for clean masks of discs that touch in groups of one to three, ghosts left out."""
    find = function(answer, seconds=10)
    for count, name, mask in _some_masks():
        found = number(find(mask))
        if found == count:
            continue
        if found == 4 and count == 3:
            raise Wrong(f"on {name} you count 4: the ghost is still there.")
        if found < count:
            raise Wrong(
                f"on {name} you count {found:g}: discs are lost, so what you ask of a maximum is too much for this mask."
            )
        raise Wrong(f"on {name} you count {found:g}: some maxima that you keep are not discs.")


EXERCISES = (
    Exercise(
        "watershed.level",
        _level,
        hint="The water has to pass over every place from the left one to the right one. Which of them is under water last?",
        right="it is the height of the pass; the watershed gives each place to the marker with the lowest pass on the way to it.",
    ),
    Exercise(
        "watershed.dams",
        _dams,
        hint="Compare `labels[:, :-1]` with `labels[:, 1:]` for the neighbor to the right, and ask that both are above 0. The comparison has one column less than the picture.",
        right="scikit-image's `watershed_line=True` leaves such a line out of the labels, as 0.",
    ),
    Exercise(
        "watershed.ghost",
        _ghost,
        hint=(
            "A maximum comes with a disc: its height is the radius. Two discs that only touch lie the sum of their radii apart; how far is the ghost from the nearest center, "
            "compared with that sum? Go through the maxima from the highest down, and keep those that are far enough from all that you kept."
        ),
        right="an overlap that is measured against the discs' own radii works at every size; detectors drop double finds in the same way, as lesson 08 shows.",
    ),
)
