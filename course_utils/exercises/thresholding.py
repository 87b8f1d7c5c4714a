"""Exercises of lesson 01, histogram thresholding."""

from functools import cache

import numpy as np
from scipy import ndimage
from scipy.stats import norm

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number
from course_utils.datasets.photographs import load_photograph


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
    chosen.append(([20, 60, 100, 180], [2, 2, 2, 2]))  # from 128, the search ends at 120 and not at 90
    drawn = [(np.sort(rng.choice(256, 5, replace=False)), rng.integers(1, 40, 5)) for _ in range(12)]
    for levels, counts in chosen + drawn:  # in the second and third, t meets a gray value of the picture
        gray = rng.permutation(np.repeat(levels, counts).astype(np.uint8)).reshape(1, -1)
        yield (
            "a picture with " + ", ".join(f"{n} pixels of {level}" for level, n in zip(levels, counts, strict=True)),
            gray,
        )
    for name in ("coins", "cell", "camera"):
        yield f"{name}[::4, ::4]", images.sample(name)[::4, ::4]


def _iterate(answer):
    """Write iterated_threshold(gray): halfway between the means of both sides, repeated until it stands still."""
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
        return f"on {name} you stop at {found:.2f}, while halfway between the two means is {half_way:.2f}: repeat until it stands still."
    return f"on {name} your {found:.2f} does stand still, and the search from the mean ends at {right:.2f}: begin with gray.mean(), and count a pixel equal to t among those that are not above it."


def _half_way(gray, t):
    return (gray[gray > t].mean() + gray[gray <= t].mean()) / 2


def _iterated(gray, rounded=float):
    t, new = np.inf, gray.mean()
    while abs(new - t) >= 0.01:
        t, new = new, rounded(_half_way(gray, new))
    return new


def _coins(answer):
    """Write find_coins(gray): a mask of the coins, at a mean Dice of at least 0.95 on the photograph and four harder versions."""
    find = function(answer, seconds=10)
    tried = [_judge_coins(find, *scene) for scene in _scenes()]
    score, missed, false, pieces = np.mean(tried, axis=0)
    if score >= 0.95:
        return
    if missed > 0.7 and false > 0.7:
        raise Wrong("your mask is True on the table and False on the coins: turn it around.")
    start = f"the mean Dice over five pictures is {score:.3f}, and it takes 0.950 to pass: "
    if missed > 0.99:
        raise Wrong(start + "hardly a pixel of a coin is in your masks.")
    raise Wrong(start + _what_is_wrong(missed, false, pieces))


def _what_is_wrong(missed, false, pieces):
    """Name the likely reason, from the shares of the coins and of the table that are wrong, and the number of pieces."""
    start = f"{false:.0%} of the table counts as coin, and {missed:.0%} of the coins is missed. "
    if missed > 0.35:
        return start + "A window smaller than a coin sees only coin, so it labels the middle of the coin as table."
    if false < 0.02 and missed > 0.065:
        return start + "Do you ask for too large a difference, or is the window too small?"
    if false > 0.06 or missed > 0.2:
        return (
            start + "One number can't follow the light: compare with the surroundings, in a window wider than a coin. "
            "If you do so already, ask for a share more than their mean."
        )
    if pieces > 100:
        return (
            start
            + f"Your masks have {pieces:.0f} pieces. Is it noise? Blur first. If you did, the window may be too small."
        )
    return start + "Do you blur too much, or is the window too small?"


@cache
def _scenes():
    """The photograph and its coins, and four versions, mirrored or turned, with other light and with noise."""
    photograph, rng = load_photograph("coins"), np.random.default_rng(7)
    gray, coins = photograph.image, photograph.masks.any(axis=0)
    across, down = np.linspace(0, 1, gray.shape[1]), np.linspace(0, 1, gray.shape[0])[:, None]
    changed = [
        (gray[::-1], coins[::-1], 1 - 0.5 * across),
        (gray[:, ::-1], coins[:, ::-1], 1 - 0.5 * down),
        (gray, coins, 0.5 + 0.5 * across),
        (gray.T, coins.T, 0.7),
    ]
    noisy = [(image * light + rng.normal(0, 12, image.shape), mask) for image, mask, light in changed]
    return [(gray, coins), *((np.clip(np.rint(image), 0, 255).astype(np.uint8), mask) for image, mask in noisy)]


def _judge_coins(find, gray, coins):
    """Dice, share of the coins missed, share of the table taken for coin, and number of pieces, on one picture."""
    found = array(find(gray.copy()), shape=gray.shape, what="the mask")
    values = np.unique(found)
    if not (set(values) <= {0, 1} or set(values) <= {0, 255}):
        raise Wrong(
            f"expected a mask of True and False, got {len(values)} different values: compare the picture with a threshold, and return the result."
        )
    mask = found > 0
    return (
        2 * (mask & coins).sum() / (mask.sum() + coins.sum()),
        (~mask & coins).sum() / coins.sum(),
        (mask & ~coins).sum() / (~coins).sum(),
        ndimage.label(mask)[1],
    )


EXERCISES = (
    Exercise(
        "thresholding.iterate",
        _iterate,
        hint="Keep the old t, compute the new one, and compare the two in a loop: `while abs(new - t) >= 0.01`.",
        right="each side's mean pulls t toward it until both pulls are equal; K-means does the same in any number of dimensions.",
    ),
    Exercise(
        "thresholding.cost",
        _cost,
        hint="At the best threshold the costs of both errors balance: P1 f1(t) = miss_cost P2 f2(t). Take logarithms, as for the Bayes threshold.",
        right="costly misses lower the threshold, by spread² ln(miss_cost) / (bright_mean - dark_mean).",
    ),
    Exercise(
        "thresholding.coins",
        _coins,
        hint="Noise first, then light: blur a little, and ask each pixel for a share more than its surroundings. How large is a coin, and how large should the window be?",
        right="a blur deals with the noise, the surroundings with the light, and the window is wider than a coin.",
    ),
)
