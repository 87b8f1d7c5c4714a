"""Exercises of lesson 01, histogram thresholding."""

import numpy as np
from scipy.stats import norm

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, function, number


def _share(answer):
    """Give the share of the coin picture's pixels that are brighter than 107, from 0 to 1."""
    coins = images.sample("coins")
    share, value = (coins > 107).mean(), number(answer)
    if np.isclose(value, share, atol=5e-4):
        return
    if np.isclose(value, (coins >= 107).mean(), atol=5e-4):
        raise Wrong("this counts the pixels that equal 107 too, and they are not brighter than it.")
    if np.isclose(value, (coins <= 107).mean(), atol=5e-4):
        raise Wrong("this is the share of the other side, of the pixels up to 107.")
    if np.isclose(value, 100 * share, atol=0.5):
        raise Wrong("this is in percent; a share ranges from 0 to 1.")
    if value > 1:
        raise Wrong(f"a share ranges from 0 to 1, and this is {value:g}: divide by the number of all pixels.")
    raise Wrong(f"{value:.3f} is not it. Compare the picture with 107, and take the mean of the answers.")


def _negative(answer):
    """Write threshold_of_negative(t): the threshold that splits the negative 255 - g into the same two parts."""
    find = function(answer)
    gray = np.arange(256)
    for t in (0, 100, 127, 254):
        found = number(find(t))
        bright_before, dark_after = gray > t, 255 - gray <= found
        moved = int((bright_before != dark_after).sum())
        if moved == 1 and np.isclose(found, 255 - t):
            raise Wrong(
                f"nearly: for t = {t} the gray value {t} changes its side, since its negative is {255 - t}, "
                "and a pixel equal to a threshold counts as dark."
            )
        if moved:
            raise Wrong(
                f"for t = {t} you give {found:g}, and {moved} of the 256 gray values change sides; write down which values the bright part has in the negative."
            )


def _best_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):
    """Find the cheapest threshold by trying 20,001 of them between both means and as far outside again."""
    gap = bright_mean - dark_mean
    t = np.linspace(dark_mean - gap, bright_mean + gap, 20_001)
    cost = dark_share * norm.sf(t, dark_mean, spread) + miss_cost * (1 - dark_share) * norm.cdf(t, bright_mean, spread)
    return t[cost.argmin()]


def _cost(answer):
    """Write cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost) for equal spreads."""
    find = function(answer)
    for case in (
        (0.5, 80, 160, 25, 1),
        (0.9, 80, 160, 25, 1),
        (0.5, 80, 160, 25, 5),
        (0.8, 60, 150, 20, 3),
        (0.7, 100, 140, 15, 0.5),
    ):
        found, best = number(find(*case)), _best_threshold(*case)
        if abs(found - best) < 0.1:
            continue
        dark_share, dark_mean, bright_mean, _, miss_cost = case
        if miss_cost == 1:
            middle = (dark_mean + bright_mean) / 2
            if abs((found - middle) + (best - middle)) < 0.1:
                raise Wrong(
                    f"the correction has the wrong sign: with {dark_share:.0%} dark pixels the threshold should move towards the bright mean, and yours moves to {found:.1f}."
                )
            raise Wrong(
                f"with miss_cost = 1 it should be the Bayes threshold: {best:.1f} for {_say(case)}, and yours is {found:.1f}."
            )
        if abs(found - _best_threshold(*case[:4], 1)) < 0.1:
            raise Wrong(
                f"the cost has no effect yet: with miss_cost = {miss_cost} you still give the Bayes threshold, {found:.1f}."
            )
        if abs(found - _best_threshold(*case[:4], 1 / miss_cost)) < 0.1:
            raise Wrong(
                "the cost moves the threshold the wrong way: where misses are dear, more pixels should count as object, so the threshold should be lower."
            )
        raise Wrong(f"for {_say(case)} the cheapest threshold is {best:.1f}, and yours is {found:.1f}.")


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
        found = number(find(gray))
        if not gray.min() <= found < gray.max():
            raise Wrong(f"on {name} you give {found:g}, which leaves one side without pixels.")
        half_way = (gray[gray > found].mean() + gray[gray <= found].mean()) / 2
        if abs(half_way - found) > 0.5:
            raise Wrong(
                f"on {name} you stop at {found:.1f}, while half-way between the two means is {half_way:.1f}: repeat until it stands still."
            )


def _ink(answer):
    """Write find_ink(gray): a mask of the ink on a noisy page under uneven light, at a mean Dice of at least 0.90."""
    find = function(answer, seconds=10)
    scores, inverted, empty = [], 0, 0
    for seed in range(100, 106):
        gray, ink = images.printed_page(np.random.default_rng(seed), shade=0.75, noise=18)
        mask = array(find(gray), shape=gray.shape, what="the mask") > 0
        both = mask.sum() + ink.sum()
        scores.append(2 * (mask & ink).sum() / both)
        inverted += (~mask & ink).sum() > 0.8 * ink.sum() and mask.mean() > 0.6
        empty += not mask.any()
    score = float(np.mean(scores))
    if score >= 0.90:
        return
    if inverted:
        raise Wrong("your mask is True on the paper and False on the ink: turn it round.")
    if empty:
        raise Wrong("your mask is empty on at least one page: no pixel is ink there.")
    advice = (
        "a single threshold can't follow the light" if score < 0.75 else "the light is handled, so what about the noise"
    )
    raise Wrong(f"the mean Dice over six pages is {score:.2f}, and 0.90 is wanted: {advice}?")


EXERCISES = (
    Exercise(
        "thresholding.share",
        _share,
        hint="`coins > 107` is True or False for each pixel, and the mean of such an array is the share of True.",
        solution="bright_share = (coins > 107).mean()",
        wrong=(
            ("bright_share = 100 * (coins > 107).mean()", "percent"),
            ("bright_share = (coins >= 107).mean()", "equal 107"),
            ("bright_share = (coins < 108).mean()", "other side"),
            ("bright_share = (coins > 107).sum()", "divide"),
            ("bright_share = 0.5", "not it"),
        ),
    ),
    Exercise(
        "thresholding.negative",
        _negative,
        hint="The bright part is the values t + 1 to 255. Which values does it have in the negative, and what is the largest of them?",
        solution="def threshold_of_negative(t):\n    return 254 - t  # the values t + 1 ... 255 turn into 0 ... 254 - t",
        wrong=(
            ("def threshold_of_negative(t):\n    return 255 - t", "nearly"),
            ("def threshold_of_negative(t):\n    return t", "change sides"),
            ("def threshold_of_negative(t):\n    print(254 - t)", "return"),
        ),
        right="the values t + 1 ... 255 turn into 0 ... 254 - t, and the largest of them is the threshold.",
    ),
    Exercise(
        "thresholding.cost",
        _cost,
        hint="At the best threshold the costs of both errors balance: P1 p1(t) = miss_cost P2 p2(t). Take logarithms, as for the Bayes threshold.",
        solution=(
            "def cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):\n"
            "    odds = dark_share / (miss_cost * (1 - dark_share))\n"
            "    return (dark_mean + bright_mean) / 2 + spread**2 / (bright_mean - dark_mean) * np.log(odds)"
        ),
        wrong=(
            (
                "def cheapest_threshold(dark_share, dark_mean, bright_mean, spread, miss_cost):\n    return (dark_mean + bright_mean) / 2",
                "Bayes threshold",
            ),
            (
                "def cheapest_threshold(p, m1, m2, s, c):\n    return (m1 + m2) / 2 + s**2 / (m2 - m1) * np.log(p / (1 - p))",
                "no effect",
            ),
            (
                "def cheapest_threshold(p, m1, m2, s, c):\n    return (m1 + m2) / 2 + s**2 / (m2 - m1) * np.log(c * p / (1 - p))",
                "wrong way",
            ),
            (
                "def cheapest_threshold(p, m1, m2, s, c):\n    return (m1 + m2) / 2 + s**2 / (m2 - m1) * np.log(c * (1 - p) / p)",
                "wrong sign",
            ),
        ),
        right="dear misses lower the threshold, by spread² ln(miss_cost) / (bright_mean - dark_mean).",
    ),
    Exercise(
        "thresholding.iterate",
        _iterate,
        hint="Keep the old t, compute the new one, and compare the two in a loop: `while abs(new - t) >= 0.01`.",
        solution=(
            "def iterated_threshold(gray):\n"
            "    t, new = -1.0, gray.mean()\n"
            "    while abs(new - t) >= 0.01:\n"
            "        t = new\n"
            "        new = (gray[gray > t].mean() + gray[gray <= t].mean()) / 2\n"
            "    return new"
        ),
        wrong=(
            ("def iterated_threshold(gray):\n    return gray.mean()", "only begins"),
            (
                "def iterated_threshold(gray):\n    t = gray.mean()\n    return (gray[gray > t].mean() + gray[gray <= t].mean()) / 2",
                "stands still",
            ),
            (
                "def iterated_threshold(gray):\n    t = gray.mean()\n    while True:\n        t = (gray[gray > t].mean() + gray[gray <= t].mean()) / 2",
                "did not return",
            ),
            ("def iterated_threshold(gray):\n    return (int(gray.min()) + int(gray.max())) / 2", "stands still"),
        ),
        right="each side's mean pulls t towards it until both pulls are equal; K-means does the same in any number of dimensions.",
    ),
    Exercise(
        "thresholding.ink",
        _ink,
        hint="Smooth the picture by a Gaussian of sigma 1 or so before you compare it with its surroundings; then try other offsets.",
        solution=(
            "def find_ink(gray):\n"
            "    quiet = ndimage.gaussian_filter(gray.astype(float), 1)\n"
            "    surroundings = ndimage.uniform_filter(quiet, 35)\n"
            "    return quiet < 0.8 * surroundings  # ink reflects a share of the light, so compare by a ratio"
        ),
        wrong=(
            ("def find_ink(gray):\n    return gray <= 100", "single threshold"),
            ("def find_ink(gray):\n    return gray > local_mean(gray, 35) - 15", "turn it round"),
            ("def find_ink(gray):\n    return np.zeros(gray.shape, bool)", "empty"),
            ("def find_ink(gray):\n    return ink_of(gray)", "noise"),
            ("def find_ink(gray):\n    return gray[gray < 100]", "shape"),
        ),
        right="smoothing deals with the noise, the surroundings with the light.",
    ),
)
