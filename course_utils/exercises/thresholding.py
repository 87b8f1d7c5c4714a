"""Exercises of lesson 01, histogram thresholding."""

from itertools import pairwise

import numpy as np
from scipy.signal import find_peaks
from scipy.stats import norm

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, function, number


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
    share, value = ((camera > low) & (camera <= high)).mean(), number(answer)
    others = {
        (camera <= low).mean(): "this is the share of the dark class; the middle one lies between the two cuts.",
        (camera > high).mean(): "this is the share of the bright class; the middle one lies between the two cuts.",
        (
            camera <= high
        ).mean(): "this counts the dark class too: a pixel of the middle class is also above the lower cut.",
        (
            camera > low
        ).mean(): "this counts the bright class too: a pixel of the middle class is also at most the upper cut.",
        100 * share: "this is in percent; a share ranges from 0 to 1.",
    }
    if abs(value - share) < 6e-4:
        return
    for wrong, message in others.items():
        if np.isclose(value, wrong, rtol=2e-3):
            raise Wrong(message)
    if not 0 <= value <= 1:
        raise Wrong(f"a share ranges from 0 to 1, and this is {value:g}: divide by the number of all pixels.")
    raise Wrong(
        f"{value:.4f} is not it, to three decimals. Which pixels are above the lower cut and not above the upper one?"
    )


def _negative(answer):
    """Write threshold_of_negative(t): the threshold that splits the negative 255 - g into the same two parts."""
    find = function(answer)
    gray, tried = np.arange(256), (0, 100, 127, 254)
    found = [number(find(t)) for t in tried]
    moved = [int(((gray > t) != (255 - gray <= f)).sum()) for t, f in zip(tried, found, strict=True)]
    if not any(moved):
        return
    if all(np.isclose(f, 255 - t) for t, f in zip(tried, found, strict=True)):
        raise Wrong(
            "nearly: for t = 100 the gray value 100 changes its side, since its negative is 155, and a pixel equal to a threshold counts as dark."
        )
    worst = int(np.argmax(moved))
    raise Wrong(
        f"for t = {tried[worst]} you give {found[worst]:g}, and {moved[worst]} of the 256 gray values change sides; "
        "write down which values the bright part has in the negative."
    )


def _best_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    """Find the cheapest threshold by trying 20,001 of them between both means and as far outside again."""
    gap = bright_mean - dark_mean
    t = np.linspace(dark_mean - gap, bright_mean + gap, 20_001)
    cost = dark_share * norm.sf(t, dark_mean, spread) + miss_cost * (1 - dark_share) * norm.cdf(t, bright_mean, spread)
    return t[cost.argmin()]


_CASES = (
    (0.5, 80, 160, 25, 1),
    (0.9, 80, 160, 25, 1),
    (0.8, 60, 150, 20, 3),
    (0.5, 80, 160, 25, 5),
    (0.7, 100, 140, 15, 0.5),
)


def _cost(answer):
    """Write cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost) for equal spreads."""
    find = function(answer)
    found = np.array([number(find(*case)) for case in _CASES])
    best = np.array([_best_threshold(*case) for case in _CASES])
    if np.abs(found - best).max() < 0.6:  # whole gray values are good enough
        return
    middles = np.array([(dark + bright) / 2 for _, dark, bright, _, _ in _CASES])
    without_cost = np.array([_best_threshold(*case[:4], 1) for case in _CASES])
    reversed_cost = np.array([_best_threshold(*case[:4], 1 / case[4]) for case in _CASES])
    if np.abs(found + best - 2 * middles).max() < 0.6:
        raise Wrong(
            f"the correction has the wrong sign: with 90% dark pixels the threshold should move towards the bright mean, and yours moves to {found[1]:.1f}."
        )
    if np.abs(found - without_cost).max() < 0.6:
        raise Wrong(
            f"the cost has no effect yet: with {_say(_CASES[2])} you still give the Bayes threshold, {found[2]:.1f}."
        )
    if np.abs(found - reversed_cost).max() < 0.6:
        raise Wrong(
            "the cost moves the threshold the wrong way: where misses are dear, more pixels should count as object, so the threshold should be lower."
        )
    worst = int(np.argmax(np.abs(found - best) >= 0.6))
    kind = "Bayes" if _CASES[worst][4] == 1 else "cheapest"
    raise Wrong(
        f"for {_say(_CASES[worst])} the {kind} threshold is {best[worst]:.1f}, and yours is {found[worst]:.1f}."
    )


def _say(case):
    names = ("dark_share", "dark_mean", "bright_mean", "spread", "miss_cost")
    return ", ".join(f"{name} = {value}" for name, value in zip(names, case, strict=True))


def _two_level_picture(low, high, low_pixels, high_pixels):
    return np.repeat(np.array([low, high], np.uint8), [low_pixels, high_pixels]).reshape(1, -1)


def _iterate(answer):
    """Write iterated_threshold(gray): half-way between the means of both sides, repeated until it stands still."""
    find = function(answer)
    uneven = _two_level_picture(40, 200, 900, 100)
    found = number(find(uneven))
    if abs(found - uneven.mean()) < 0.5:
        raise Wrong(
            f"on 900 pixels of 40 and 100 of 200 you give {found:g}, the mean of all pixels, where the search only begins."
        )
    if abs(found - 120) > 0.5:
        raise Wrong(
            f"on 900 pixels of 40 and 100 of 200 the two sides' means are 40 and 200, half-way is 120, and you give {found:g}."
        )
    for name in ("coins", "cell", "camera"):
        gray = images.sample(name)
        found, wanted = number(find(gray)), _iterated(gray)
        if not gray.min() <= found < gray.max():
            raise Wrong(f"on {name} you give {found:g}, which leaves one side without pixels.")
        half_way = (gray[gray > found].mean() + gray[gray <= found].mean()) / 2
        if abs(half_way - found) > 1.0:
            raise Wrong(
                f"on {name} you stop at {found:.1f}, while half-way between the two means is {half_way:.1f}: repeat until it stands still."
            )
        if abs(found - wanted) > 5:
            raise Wrong(
                f"on {name} your {found:.1f} does stand still, and the search from the mean ends at {wanted:.1f}: begin with gray.mean()."
            )
        if abs(found - wanted) > 0.5:
            raise Wrong(f"on {name} you give {found:.1f}, and {wanted:.1f} is wanted: don't round t on the way.")


def _iterated(gray):
    t, new = -1.0, gray.mean()
    while abs(new - t) >= 0.01:
        t, new = new, (gray[gray > new].mean() + gray[gray <= new].mean()) / 2
    return new


def _ink(answer):
    """Write find_ink(gray): a mask of the ink on a noisy page under uneven light, at a mean Dice of at least 0.90."""
    find = function(answer, seconds=10)
    tried = [_judge_ink(find, seed) for seed in range(100, 106)]
    score, missed, false = np.mean(tried, axis=0)
    if score >= 0.9:
        return
    start = f"the mean Dice over six pages is {score:.3f}, and 0.900 is wanted: "
    if missed > 0.7 and false > 0.7:
        raise Wrong("your mask is True on the paper and False on the ink: turn it round.")
    if missed == 1:
        raise Wrong(start + "your masks are empty, no pixel is ink.")
    if false > 0.5 * (1 - missed) or (false > 0.08 and missed > 0.1):
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
        + f"{missed:.0%} of the ink is missed. Is the picture blurred too much, or the difference that you ask for too large in the shade?"
    )


def _judge_ink(find, seed):
    """Dice, share of the ink that is missed, and share of the paper that counts as ink, on one page."""
    gray, ink = images.printed_page(np.random.default_rng(seed), shade=0.75, noise=18)
    mask = array(find(gray), shape=gray.shape, what="the mask") > 0
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
        right="dear misses lower the threshold, by spread² ln(miss_cost) / (bright_mean - dark_mean).",
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
