"""Exercises of lesson 02, Otsu's method."""

import numpy as np
from skimage import filters

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, function, number


def _by_hand(answer):
    """Give the between-class variance of the gray values 10, 20, 90, 100 at the threshold 50."""
    value = number(answer)
    known = {
        1600: None,
        6400: "this is the squared distance of the class means; weigh it with both shares, P1 P2.",
        3200: "one share is missing: the weight is P1 times P2, not P1 alone.",
        80: "this is the distance of the class means; square it, and weigh it with P1 P2.",
        1625: "this is the variance of all four pixels; what the classes keep within them must go.",
        25: "this is the variance within the classes; the one between them is wanted.",
    }
    for candidate, message in known.items():
        if np.isclose(value, candidate, rtol=1e-3):
            if message:
                raise Wrong(message)
            return
    raise Wrong(
        f"{value:g} is not it. The class means are 15 and 95, and each class holds half of the pixels: put them into P1 P2 (mu1 - mu2)²."
    )


def _otsu(histogram):
    return int(filters.threshold_otsu(hist=(histogram, np.arange(256))))


def _mend(answer):
    """Write mended_otsu(histogram): the threshold with the largest between-class variance."""
    find = function(answer)
    values = np.arange(256)
    counts = np.rint(3200 * np.exp(-(((values - 60) / 14) ** 2)) + 800 * np.exp(-(((values - 170) / 14) ** 2)))
    found, best = number(find(counts)), _otsu(counts)
    moved = number(find(np.roll(counts, 50)))
    if abs(moved - found - 50) > 0.5:
        raise Wrong(
            f"it still fails the shift test: with every pixel 50 brighter your threshold moves by {moved - found:g}. Which of its numbers should be a mean, and is not?"
        )
    if not 90 <= found <= 140:
        raise Wrong(
            f"with two narrow humps at 60 and at 170 your threshold is {found:g}, and it should lie in the gap between them, at {best}."
        )
    for name in ("coins", "camera", "cell"):
        counts = images.histogram(images.sample(name))
        found, best = number(find(counts)), _otsu(counts)
        if found != best:
            raise Wrong(f"on {name} you give {found:g}, and the largest between-class variance is at {best}.")


def _gain(answer):
    """Write after_gain_and_offset(t, v, a, b): threshold and variance of a picture whose gray values became a g + b."""
    transform = function(answer)
    for t, v, a, b in ((100.0, 900.0, 1.0, 50.0), (80.0, 400.0, 2.0, 0.0), (120.0, 2500.0, 0.5, 30.0)):
        found = array(transform(t, v, a, b), shape=(2,), kinds="iuf", what="the pair of threshold and variance")
        case = f"for t = {t:g}, v = {v:g}, a = {a:g}, b = {b:g}"
        if not np.isclose(found[0], a * t + b):
            raise Wrong(
                f"{case} the threshold should be {a * t + b:g}, and yours is {found[0]:g}: it is a gray value, and moves like all others."
            )
        if np.isclose(found[1], a * v) and a != 1:
            raise Wrong(
                f"{case} the variance is a mean of squares, so the gain counts twice; yours grows by a = {a:g} only."
            )
        if not np.isclose(found[1], a**2 * v):
            raise Wrong(
                f"{case} the variance should be {a**2 * v:g}, and yours is {found[1]:g}: does an offset change how far the means lie apart?"
            )


def _quantize(answer):
    """Write quantize(gray, levels): each class of multi_otsu painted with its mean, rounded."""
    paint = function(answer, seconds=10)
    for name, levels in (("camera", 3), ("coins", 5), ("cell", 2)):
        gray = images.sample(name)
        painted = array(paint(gray, levels), shape=gray.shape, kinds="iuf", what="the picture")
        found = len(np.unique(painted))
        if found > levels:
            raise Wrong(f"on {name} {levels} levels are wanted, and your picture has {found}.")
        if not np.array_equal(painted, np.rint(painted)):
            raise Wrong(f"on {name} your gray values are not whole: round the means.")
        if np.array_equal(np.unique(painted), np.arange(found)):
            raise Wrong(
                f"on {name} your picture holds the numbers of the classes, 0 to {found - 1}; paint each class with the mean of its pixels."
            )
        error, best = np.mean((painted - gray.astype(float)) ** 2), _least_error(gray, levels)
        if error > 1.02 * best + 0.3:  # rounding a mean adds at most a quarter
            raise Wrong(
                f"on {name} with {levels} levels your mean squared error is {error:.0f}, and {best:.0f} can be had: are these the means of multi_otsu's classes?"
            )


def _least_error(gray, levels):
    """Find the smallest within-class variance of any split into `levels` classes, by Lloyd's steps from many starts."""
    counts, values = images.histogram(gray), np.arange(256)
    best, rng = np.inf, np.random.default_rng(0)
    for _ in range(40):
        centres = np.sort(rng.choice(values[counts > 0], levels, replace=False)).astype(float)
        for _ in range(60):
            nearest = np.abs(values[:, None] - centres).argmin(axis=1)
            sums, sizes = (np.bincount(nearest, w, minlength=levels) for w in (counts * values, counts))
            centres = np.where(sizes > 0, sums / np.maximum(sizes, 1), centres)
        best = min(best, np.average((values - centres[nearest]) ** 2, weights=counts))
    return best


def _small(answer):
    """Write small_object_threshold(histogram): Kittler and Illingworth's minimum error threshold."""
    find = function(answer)
    values = np.arange(256)
    dark, bright = (np.exp(-((values - mean) ** 2) / (2 * 20.0**2)) for mean in (80, 160))
    dark, bright = dark / dark.sum(), bright / bright.sum()
    for share in (0.5, 0.2, 0.05, 0.02, 0.01):
        errors = (1 - share) * (1 - dark.cumsum()) + share * bright.cumsum()
        counts = np.rint(1e6 * ((1 - share) * dark + share * bright))
        found = number(find(counts))
        if not 0 <= found <= 254:
            raise Wrong(
                f"with an object of {share:.0%} your threshold is {found:g}, which leaves one side empty: skip the thresholds at which a class is empty or has no spread."
            )
        excess = 100 * (errors[int(found)] - errors.min())
        if excess <= 0.2:
            continue
        if found == _otsu(counts):
            raise Wrong(
                f"with an object of {share:.0%} you give {found:g}, Otsu's own threshold, with {excess:.1f} % more errors than the best."
            )
        raise Wrong(
            f"with an object of {share:.0%} you give {found:g}, with {excess:.1f} % more errors than the best threshold, {errors.argmin()}. Is J(t) minimised, with standard deviations and not variances?"
        )


EXERCISES = (
    Exercise(
        "otsu.by_hand",
        _by_hand,
        hint="Both classes hold half of the pixels. What are their means, and what is half times half?",
        solution="variance_at_50 = 0.5 * 0.5 * (15 - 95) ** 2",
        wrong=(
            ("variance_at_50 = (15 - 95) ** 2", "weigh"),
            ("variance_at_50 = np.var([10, 20, 90, 100])", "all four"),
            ("variance_at_50 = 25", "within"),
            ("variance_at_50 = 0.5 * (15 - 95) ** 2", "one share"),
            ("variance_at_50 = 7", "class means are"),
        ),
        right="1600 of the total variance of 1625 lie between the classes.",
    ),
    Exercise(
        "otsu.mend",
        _mend,
        hint="u1 and u2 should be means. A mean of gray values lies between the smallest and the largest of them; print u1 and look.",
        solution=(
            "def mended_otsu(histogram):\n"
            "    shares, values = np.array(histogram) / np.sum(histogram), np.arange(256)\n"
            "    best, best_threshold = -1.0, 0\n"
            "    for t in range(255):\n"
            "        p1, p2 = shares[: t + 1].sum(), shares[t + 1 :].sum()\n"
            "        if p1 > 0 and p2 > 0:\n"
            "            u1, u2 = (shares * values)[: t + 1].sum() / p1, (shares * values)[t + 1 :].sum() / p2\n"
            "            if p1 * p2 * (u1 - u2) ** 2 > best + 1e-9:\n"
            "                best, best_threshold = p1 * p2 * (u1 - u2) ** 2, t\n"
            "    return best_threshold"
        ),
        wrong=(
            ("def mended_otsu(histogram):\n    return int(unnormalised_variance(histogram).argmax())", "shift test"),
            ("def mended_otsu(histogram):\n    return int(np.average(np.arange(256), weights=histogram))", "gap"),
            ("def mended_otsu(histogram):\n    return int(between_class_variance(histogram).argmin())", "shift test"),
            ("def mended_otsu(histogram):\n    return int(np.argmax(histogram))", "gap"),
        ),
        right="sums of i P(i) are means only after the division by the class's share.",
    ),
    Exercise(
        "otsu.gain",
        _gain,
        hint="Write down what happens to both class means, and then to the square of their difference. The shares stay.",
        solution="def after_gain_and_offset(t, v, a, b):\n    return a * t + b, a**2 * v",
        wrong=(
            ("def after_gain_and_offset(t, v, a, b):\n    return a * t + b, a * v", "twice"),
            ("def after_gain_and_offset(t, v, a, b):\n    return t + b, v", "moves like all others"),
            ("def after_gain_and_offset(t, v, a, b):\n    return a * t + b, a**2 * v + b", "offset"),
            ("def after_gain_and_offset(t, v, a, b):\n    return a * t + b", "shape"),
        ),
        right="the threshold moves with the pixels, so the split is the same; only the variance grows, by the gain squared.",
    ),
    Exercise(
        "otsu.quantize",
        _quantize,
        hint="`labels = np.digitize(gray, multi_otsu(...), right=True)` numbers the classes. `gray[labels == k].mean()` is what class k should become.",
        solution=(
            "def quantize(gray, levels):\n"
            "    labels = np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)\n"
            "    means = [gray[labels == k].mean() for k in range(levels)]\n"
            "    return np.rint(means)[labels].astype(np.uint8)"
        ),
        wrong=(
            (
                "def quantize(gray, levels):\n    return np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)",
                "numbers of the classes",
            ),
            ("def quantize(gray, levels):\n    return gray // (256 // levels + 1) * (256 // levels + 1)", "can be had"),
            ("def quantize(gray, levels):\n    return gray", "levels are wanted"),
            (
                "def quantize(gray, levels):\n"
                "    labels = np.digitize(gray, multi_otsu(images.histogram(gray), levels), right=True)\n"
                "    return np.array([gray[labels == k].mean() for k in range(levels)])[labels]",
                "round",
            ),
        ),
        right="the smallest within-class variance is the smallest mean squared error of any picture with so many gray values.",
    ),
    Exercise(
        "otsu.small",
        _small,
        hint="Compute J for the thresholds at which both shares and both variances are above 0, put infinity everywhere else, and take the argmin.",
        solution=(
            "def small_object_threshold(histogram):\n"
            "    shares, _, variances = class_statistics(histogram)\n"
            "    usable = ((shares > 0) & (variances > 0)).all(axis=0)\n"
            "    spreads, weights = np.sqrt(variances[:, usable]), shares[:, usable]\n"
            "    cost = np.full(256, np.inf)\n"
            "    cost[usable] = (weights * np.log(spreads / weights)).sum(axis=0)\n"
            "    return int(cost.argmin())"
        ),
        wrong=(
            ("def small_object_threshold(histogram):\n    return otsu_threshold(histogram)", "Otsu's own"),
            ("def small_object_threshold(histogram):\n    return 120", "more errors"),
            (
                "def small_object_threshold(histogram):\n"
                "    shares, _, variances = class_statistics(histogram)\n"
                "    cost = (shares * np.log(np.sqrt(variances + 1e-12) / (shares + 1e-12))).sum(axis=0)\n"
                "    return int(cost.argmax())",
                "more errors",
            ),
        ),
        right="each class is judged by its own spread and share, so a small one is not overruled by a large one.",
    ),
)
