"""Exercises of lesson 01, histogram thresholding."""

from functools import cache
from itertools import pairwise

import numpy as np
from scipy.signal import find_peaks
from scipy.stats import norm

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number


def _valleys(gray, peaks):
    """Smooth a histogram until `peaks` peaks remain, and find the lowest value between each two."""
    curve = images.histogram(gray).astype(float)
    while len(found := find_peaks(np.pad(curve, 1), height=curve.max() / 1000)[0] - 1) > peaks:
        curve = np.convolve(np.pad(curve, 1, mode="edge"), [1 / 3, 1 / 3, 1 / 3], mode="valid")
    return [left + int(np.argmin(curve[left : right + 1])) for left, right in pairwise(found)]


def _middle(answer):
    """Give the share of the camera picture's pixels between its two valleys, from 0 to 1."""
    camera = images.sample("camera")
    low, high = _valleys(camera, 3)
    dark, middle, bright = (camera <= low).mean(), ((camera > low) & (camera <= high)).mean(), (camera > high).mean()
    near = [
        (dark, "this is the share of the dark class; the middle one lies between the two cuts."),
        (bright, "this is the share of the bright class; the middle one lies between the two cuts."),
        (dark + middle, "this counts the dark class too: a pixel of the middle class is also above the lower cut."),
        (
            bright + middle,
            "this counts the bright class too: a pixel of the middle class is also at most the upper cut.",
        ),
    ]
    near += [
        (np.round(100 * middle, digits), "this is in percent; a share ranges from 0 to 1.") for digits in (1, 2, 9)
    ]
    otherwise = (
        "{value} is not it, to three decimals. Which pixels are above the lower cut and not above the upper one?"
        if 0 <= number(answer) <= 1
        else "a share ranges from 0 to 1, and this is {value}: divide by the number of all pixels."
    )
    expect(answer, middle, near, otherwise, rtol=0, atol=6e-4)


def _negative(answer):
    """Write threshold_of_negative(t): the threshold that splits the negative 255 - g into the same two parts."""
    find = function(answer)
    gray, tried = np.arange(256), (0, 1, 63, 100, 127, 128, 200, 253, 254)
    found = [number(find(t)) + 1e-9 for t in tried]  # a whole number may come out of a formula a little too low
    moved = [int(((gray > t) != (255 - gray <= f)).sum()) for t, f in zip(tried, found, strict=True)]
    if not any(moved):
        return
    if all(np.isclose(f, 255 - t) for t, f in zip(tried, found, strict=True)):
        raise Wrong(
            "nearly: for t = 100 the gray value 100 changes its side, since its negative is 155, and a pixel equal to a threshold counts as dark."
        )
    worst = int(np.argmax(moved))
    raise Wrong(
        f"for t = {tried[worst]} you give {found[worst]:g}, and {moved[worst]} of the 256 gray values change{'s' * (moved[worst] == 1)} sides; "
        "write down which values the bright part has in the negative."
    )


def _best_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    """Find the cheapest threshold by trying 2,001 of them between both means and as far outside again."""
    gap = bright_mean - dark_mean
    t = np.linspace(dark_mean - gap, bright_mean + gap, 2001)
    cost = dark_share * norm.sf(t, dark_mean, spread) + miss_cost * (1 - dark_share) * norm.cdf(t, bright_mean, spread)
    return t[cost.argmin()]


def _mixtures():
    """Chosen cases of `_cost`, and some drawn at random whose best threshold is not far outside of both means."""
    yield from (
        (0.5, 80, 160, 25, 1),
        (0.9, 80, 160, 25, 1),
        (0.8, 60, 150, 20, 3),
        (0.5, 80, 160, 25, 5),
        (0.7, 100, 140, 15, 0.5),
        (0.99, 90, 150, 16, 1),
        (0.99, 80, 160, 40, 1),  # the best threshold lies above both means,
        (0.05, 90, 150, 30, 2),  # and here below both
    )
    rng = np.random.default_rng(3)
    for _ in range(12):
        dark_mean, gap = rng.uniform(40, 110), rng.uniform(50, 90)
        yield (
            rng.uniform(0.05, 0.95),
            dark_mean,
            dark_mean + gap,
            gap / rng.uniform(2.5, 4),
            rng.choice([0.3, 1, 2, 10]),
        )


def _cost(answer):
    """Write cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost) for equal spreads."""
    near = (
        (
            lambda share, dark, bright, spread, cost: dark + bright - _best_threshold(share, dark, bright, spread, cost),
            "the correction has the wrong sign: with 90% dark pixels the threshold should move toward the bright mean, and yours moves away from it.",
        ),
        (
            lambda *case: _best_threshold(*case[:4], 1),
            "the cost has no effect yet: you still give the Bayes threshold.",
        ),
        (
            lambda *case: _best_threshold(*case[:4], 1 / case[4]),
            "the cost moves the threshold the wrong way: where a miss costs more, more pixels should count as object, so the threshold should be lower.",
        ),
    )  # fmt: skip
    cases(
        function(answer), _mixtures(), _best_threshold, near,
        "the cheapest threshold (for miss_cost = 1 the Bayes threshold) is {right}, and yours is {value}.",
        case="for dark_share = {0:.3g}, dark_mean = {1:.4g}, bright_mean = {2:.4g}, spread = {3:.3g}, miss_cost = {4:g}",
        rtol=0, atol=1,  # whole gray values are good enough, rounded or cut off
    )  # fmt: skip


def _pictures_to_split():
    """Small pictures, each with a name that a message can hold; the search must end where it ends from the mean."""
    rng = np.random.default_rng(0)
    chosen = [([40, 200], [900, 100]), ([40, 100, 140], [2, 2, 3]), ([20, 120, 160, 200], [3, 2, 4, 4])]
    drawn = [(np.sort(rng.choice(256, 5, replace=False)), rng.integers(1, 40, 5)) for _ in range(12)]
    for levels, counts in chosen + drawn:  # in the second and third, t meets a gray value of the picture
        gray = rng.permutation(np.repeat(levels, counts).astype(np.uint8)).reshape(1, -1)
        yield " and ".join(f"{n} pixels of {level}" for level, n in zip(levels, counts, strict=True)), gray
    for name in ("coins", "cell", "camera"):
        yield f"{name}[::4, ::4]", images.sample(name)[::4, ::4]


def _iterate(answer):
    """Write iterated_threshold(gray): half-way between the means of both sides, repeated until it stands still."""
    find = function(answer, seconds=1)
    for name, gray in _pictures_to_split():
        found, right = number(find(gray)), _iterated(gray)
        near = (
            (gray.mean(), f"on {name} you give {found:.2f}, the mean of all pixels, where the search only begins."),
            (_iterated(gray, round), f"on {name} you give {found:.2f}; don't round t on the way."),
            (_iterated(gray, int), f"on {name} you give {found:.2f}; don't round t on the way."),
        )
        expect(found, right, near, _where_it_stops(name, gray, found, right), rtol=0, atol=0.011)


def _where_it_stops(name, gray, found, right):
    """Say what is wrong with a threshold that is not the one the search from the mean ends at."""
    if not gray.min() <= found < gray.max():
        return f"on {name} you give {found:g}, which leaves one side without pixels."
    half_way = _half_way(gray, found)
    if abs(half_way - found) > 0.011:
        return f"on {name} you stop at {found:.2f}, while half-way between the two means is {half_way:.2f}: repeat until it stands still."
    return f"on {name} your {found:.2f} does stand still, and the search from the mean ends at {right:.2f}: begin with gray.mean(), and count a pixel equal to t among those that are not above it."


def _half_way(gray, t):
    return (gray[gray > t].mean() + gray[gray <= t].mean()) / 2


def _iterated(gray, rounded=float):
    t, new = np.inf, gray.mean()
    while abs(new - t) >= 0.01:
        t, new = new, rounded(_half_way(gray, new))
    return new


def _ink(answer):
    """Write find_ink(gray): a mask of the ink on a noisy page under uneven light, at a mean Dice of at least 0.90."""
    find = function(answer, seconds=10)
    tried = [_judge_ink(find, *page) for page in _pages()]
    score, missed, false = np.mean(tried, axis=0)
    if score >= 0.9:
        return
    start = f"the mean Dice over six pages is {score:.3f}, and it takes 0.900 to pass: "
    if missed > 0.7 and false > 0.7:
        raise Wrong("your mask is True on the paper and False on the ink: turn it around.")
    if missed == 1:
        raise Wrong(start + "your masks are empty, no pixel is ink.")
    if false > 0.2 or (false > 0.08 and missed > 0.1):
        raise Wrong(
            start
            + f"{false:.0%} of the paper counts as ink, and {missed:.0%} of the ink is missed. One number can't follow the light, and a very small square sees ink only."
        )
    if false > 0.02 and missed < 0.1:
        raise Wrong(
            start
            + f"{false:.0%} of the paper counts as ink. Is it noise (blur a little first), or the rims of the letters (ask for a larger difference)?"
        )
    raise Wrong(
        start
        + f"{missed:.0%} of the ink is missed. Is the picture blurred too much, the square around each pixel too small, or the difference that you ask for too large in the shade?"
    )


@cache
def _pages():
    rngs = [np.random.default_rng(seed) for seed in range(100, 106)]
    return [images.printed_page(rng, shade=0.75, noise=18) for rng in rngs]


def _judge_ink(find, gray, ink):
    """Dice, share of the ink that is missed, and share of the paper that counts as ink, on one page."""
    found = array(find(gray), shape=gray.shape, what="the mask")
    values = np.unique(found)
    if not (set(values) <= {0, 1} or set(values) <= {0, 255}):
        raise Wrong(
            f"expected a mask of True and False, got {len(values)} different values: compare the picture with a threshold, and return the result."
        )
    mask = found > 0
    return (
        2 * (mask & ink).sum() / (mask.sum() + ink.sum()),
        (~mask & ink).sum() / ink.sum(),
        (mask & ~ink).sum() / (~ink).sum(),
    )


EXERCISES = (
    Exercise(
        "thresholding.middle",
        _middle,
        hint="`classes == 1` is True for the pixels of the middle class, and the mean of such an array is the share of True.",
    ),
    Exercise(
        "thresholding.negative",
        _negative,
        hint="The bright part is the values t + 1 to 255. Which values does it have in the negative, and what is the largest of them?",
        right="the values t + 1 ... 255 turn into 0 ... 254 - t, and the largest of them is the threshold.",
    ),
    Exercise(
        "thresholding.cost",
        _cost,
        hint="At the best threshold the costs of both errors balance: P1 p1(t) = miss_cost P2 p2(t). Take logarithms, as for the Bayes threshold.",
        right="costly misses lower the threshold, by spread² ln(miss_cost) / (bright_mean - dark_mean).",
    ),
    Exercise(
        "thresholding.iterate",
        _iterate,
        hint="Keep the old t, compute the new one, and compare the two in a loop: `while abs(new - t) >= 0.01`.",
        right="each side's mean pulls t towards it until both pulls are equal; K-means does the same in any number of dimensions.",
    ),
    Exercise(
        "thresholding.ink",
        _ink,
        hint="Noise first, then light. In the shade the ink is only a little darker than the paper: is a fixed offset the right thing to ask for?",
        right="smoothing deals with the noise, the surroundings with the light.",
    ),
)
