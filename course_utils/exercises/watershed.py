"""Exercises of lesson 03, watershed."""

import numpy as np

from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number


def _level(answer):
    """Write meeting_level(heights, left, right): the water level at which two places come to lie under one lake."""
    rng = np.random.default_rng(0)
    profiles = [([5, 1, 4, 2, 6], 1, 3), ([5, 1, 4, 2, 6], 0, 3), ([9, 1, 3, 0, 7, 2, 8], 1, 5), ([2, 3, 1], 2, 2)]
    profiles += [([3, 1, 2, 7], 1, 3), ([7, 1, 2, 3], 0, 2), ([-4, -9, -2, -7, -1], 1, 3), ([4, 4, 4], 0, 2)]
    profiles += [(rng.permutation(12), *np.sort(rng.integers(0, 12, 2)).tolist()) for _ in range(20)]
    cases(
        function(answer),
        [(np.array(heights, float), left, right) for heights, left, right in profiles],
        lambda heights, left, right: heights[left : right + 1].max(),
        near=[
            (
                lambda h, i, j: h.max(),
                "{value:g} is the highest of all places; ground outside of the two does not keep them apart.",
            ),
            (
                lambda h, i, j: h[i : j + 1].min(),
                "{value:g} is the lowest ground between them; water must rise over the highest.",
            ),
            (lambda h, i, j: max(h[i], h[j]), "both are wet at {value:g}, but dry ground still lies between them."),
            (
                lambda h, i, j: max(h[i:j], default=-np.inf),
                "the place on the right must be under water, too. A slice ends before its second number.",
            ),
        ],
        otherwise="the level is {right}, but you give {value}.",
        case="for the heights {0} and the places {1} and {2}",
    )


def _height(answer):
    """Give the height of the ghost between three discs of radius 20 with centers 36 pixels apart."""
    value = number(answer)
    height = 36 / (2 * np.sqrt(3)) + np.sqrt(20**2 - 18**2)  # 10.39 to the chord, 8.72 above it
    if value > 30:
        raise Wrong(f"{value:.2f} is more than any pixel is from the background here: is your s in radii, 36 / 20?")
    expect(
        value,
        height,
        near={
            height / 20: "this is in radii; multiply by 20 for pixels.",
            20: "20 is the height of the centers; by the formula the ghost is a little lower.",
            20.12: "this was measured on a picture, where the raster adds up to a pixel; the formula for ideal discs is asked.",
            20 * np.sin(np.pi / 6 + np.arccos(0.9)): "this is the height of the pass between a center and the ghost.",
        },
        otherwise="{value} is not it: put s = 36 / 20 into the formula of the ghost, and multiply by the radius.",
        rtol=0.002,
    )


def _disc_mask(places, shape):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.any([(rows - y) ** 2 + (columns - x) ** 2 <= r * r for y, x, r in places], axis=0)


def _chapter(answer):
    """Write count_bright(gray): the chapter's recipe, corrected, for bright discs that do not touch."""
    find = function(answer)
    for count, places, levels in (
        (3, [(30, 30, 15), (30, 90, 18), (80, 60, 20)], (60, 180)),
        (1, [(60, 60, 25)], (60, 180)),
        (2, [(30, 30, 15), (75, 80, 24)], (20, 90)),
        (5, [(25, 25, 16), (25, 95, 16), (75, 25, 16), (75, 95, 16), (50, 60, 16)], (130, 240)),
    ):
        mask = _disc_mask(places, (110, 120))
        noise = np.random.default_rng(0).normal(0, 4, mask.shape)
        found = number(find(_painted(mask, *levels, noise)))
        if found == count:
            continue
        if number(find(_painted(mask, *levels[::-1], noise))) == count:
            raise Wrong(
                f"on {count} bright discs you count {found:g}, and on {count} dark ones you are right: the table is still taken for the object."
            )
        raise Wrong(f"on {count} bright discs that do not touch you count {found:g}.")


def _painted(mask, dark, bright, noise):
    return np.rint(np.where(mask, bright, dark) + noise).astype(np.uint8)


def _true_dams(labels):
    found = np.zeros(labels.shape, bool)
    right = (labels[:, :-1] != labels[:, 1:]) & (labels[:, :-1] > 0) & (labels[:, 1:] > 0)
    below = (labels[:-1] != labels[1:]) & (labels[:-1] > 0) & (labels[1:] > 0)
    found[:, :-1] |= right
    found[:-1] |= below
    return found


def _dams(answer):
    """Write dams(labels): True where a labeled pixel has a neighbor to the right or below with another label above 0."""
    find = function(answer)
    rng = np.random.default_rng(0)
    pictures = [np.array([[1, 1, 2, 2]]), np.array([[1], [1], [2]]), np.array([[0, 1, 1, 0], [0, 0, 2, 2]])]
    pictures += [rng.integers(0, 4, (12, 15)), 100 * rng.integers(0, 3, (9, 5)), np.ones((3, 3), int)]
    for labels in pictures:
        found, best = array(find(labels), shape=labels.shape, what="the dams") > 0, _true_dams(labels)
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
    """Masks of one to three touching discs, with the number of discs."""
    for radius in (20, 10, 40):
        size = 6 * radius
        yield 1, f"one disc of radius {radius}", _disc_mask([(size / 2, size / 2, radius)], (size, size))
        pair = [(size / 2, size / 3, radius), (size / 2, size / 3 + 1.85 * radius, radius)]
        yield 2, f"two discs of radius {radius}", _disc_mask(pair, (size, size))
        for spacing in (1.8, 1.9, 2.0):
            yield 3, f"three discs of radius {radius}, {spacing:g} radii apart", _closed_triple(radius, spacing)
    yield 2, "a disc of radius 40 and one of 12", _disc_mask([(60, 60, 40), (60, 109, 12)], (120, 140))
    yield 2, "a disc of radius 30 and one of 15", _disc_mask([(90, 50, 30), (46, 50, 15)], (130, 100))
    yield (
        3,
        "discs of radius 40, 24 and 12 in a row",
        _disc_mask([(60, 60, 40), (60, 122, 24), (60, 156, 12)], (120, 180)),
    )
    yield 1, "a disc of radius 40 that the picture's border touches", _disc_mask([(40, 40, 40)], (81, 120))


def _closed_triple(radius, spacing):
    """Three equal discs, the gap between them closed: (H, W), bool."""
    apart, size = spacing * radius, int(5 * radius)
    top, left = radius + 4, (size - apart) / 2
    low = top + apart * np.sqrt(3) / 2
    corners = [(top, size / 2), (low, left), (low, left + apart)]
    rows, columns = np.ogrid[:size, :size]
    y, x = np.mean(corners, axis=0)
    return _disc_mask([(y, x, radius) for y, x in corners], (size, size)) | (
        (rows - y) ** 2 + (columns - x) ** 2 <= (0.5 * radius) ** 2
    )


def _ghost(answer):
    """Write count_discs(mask) for clean masks of one to three touching discs, ghosts left out."""
    find = function(answer, seconds=10)
    for count, name, mask in _some_masks():
        found = number(find(mask))
        if found == count:
            continue
        if found == 4 and count == 3:
            raise Wrong(f"on {name} you count 4: the ghost is still there.")
        if found < count:
            raise Wrong(
                f"on {name} you count {found:g}: discs are lost, so what you ask of a maximum is too much for this size."
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
        "watershed.height",
        _height,
        hint="The formula is for radius 1. Measure the spacing in radii first, and the result in pixels last.",
        right="19.1 pixels, against 20 of the centers: a threshold on the height that tells these apart fails on discs of another size.",
    ),
    Exercise(
        "watershed.chapter",
        _chapter,
        hint="Follow one pixel of a disc and one of the table through the two calls of `np.where`. Which of them is 0 when the distance is taken?",
        right="the second line exchanges the two sides, so the distance was taken on the table.",
    ),
    Exercise(
        "watershed.dams",
        _dams,
        hint="Compare `labels[:, :-1]` with `labels[:, 1:]` for the neighbor to the right, and ask that both are above 0. The comparison has a column less than the picture.",
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
