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
    for name in ("coins", "camera", "cell"):
        counts = images.histogram(images.sample(name) // 2)  # halved, so that no bin between the classes is empty
        found, best, rise = (
            number(find(counts)),
            _otsu(counts),
            number(find(np.roll(counts, 50))) - number(find(counts)),
        )
        if found == best and rise == 50:
            continue
        if abs(rise - 50) <= 10 and rise != 50:
            raise Wrong(
                f"it still fails the shift test: on {name}, halved, your threshold rises by {rise:g} when every pixel gets 50 brighter. Which of its numbers should be a mean, and is not?"
            )
        if abs(rise - 50) > 10:
            raise Wrong(
                f"on {name}, halved, your threshold is {found:g}, and rises by {rise:g} when every pixel gets 50 brighter: does it take a histogram, and weigh both shares?"
            )
        raise Wrong(
            f"on {name}, halved, your threshold moves as it should, but it is {found:g}, and the largest between-class variance is at {best}."
        )


def _gain(answer):
    """Write after_gain_and_offset(t, v, a, b): threshold and variance of a picture whose gray values became a g + b."""
    transform = function(answer)
    for t, v, a, b in ((100.0, 900.0, 1.0, 50.0), (80.0, 400.0, 2.0, 0.0), (120.0, 2500.0, 0.5, 30.0)):
        found = array(transform(t, v, a, b), shape=(2,), kinds="iuf", what="the pair of threshold and variance")
        if np.allclose(found[::-1], (a * t + b, a**2 * v)):
            raise Wrong("the numbers are right and the order is not: the threshold comes first, then the variance.")
        case = f"for t = {t:g}, v = {v:g}, a = {a:g}, b = {b:g}"
        if not np.isclose(found[0], a * t + b):
            raise Wrong(
                f"{case} the threshold should be {a * t + b:g}, and yours is {found[0]:g}: it is a gray value, and moves like all others."
            )
        if np.isclose(found[1], a * v) and a != 1:
            raise Wrong(
                f"{case} the variance is a mean of squares, so the gain counts twice; yours grows by a = {a:g} only."
            )
        if np.isclose(found[1], v) and a != 1:
            raise Wrong(f"{case} the class means lie a times as far apart, so the variance can't stay at {v:g}.")
        if not np.isclose(found[1], a**2 * v):
            raise Wrong(
                f"{case} the variance should be {a**2 * v:g}, and yours is {found[1]:g}: does an offset change how far the means lie apart?"
            )


def _quantize(answer):
    """Write quantize(gray, levels): each class of multi_otsu painted with its mean, rounded."""
    paint = function(answer, seconds=10)
    for name, levels in (("camera", 3), ("coins", 4), ("cell", 2)):
        gray = images.sample(name)
        painted = array(paint(gray, levels), shape=gray.shape, kinds="iuf", what="the picture").astype(float)
        found = len(np.unique(painted))
        if found > levels:
            raise Wrong(f"on {name} {levels} levels are wanted, and your picture has {found}.")
        if not np.array_equal(painted, np.rint(painted)):
            raise Wrong(f"on {name} your gray values are not whole: round the means.")
        if np.array_equal(np.unique(painted), np.arange(found)):
            raise Wrong(
                f"on {name} your picture holds the numbers of the classes, 0 to {found - 1}; paint each class with the mean of its pixels."
            )
        labels = np.digitize(gray, filters.threshold_multiotsu(gray, levels), right=True)
        best = np.rint([gray[labels == k].mean() for k in range(levels)])[labels]
        if np.array_equal(painted, best):
            continue
        if np.abs(painted - best).max() <= 1:
            raise Wrong(
                f"on {name} a class is one gray value too dark or too bright: astype cuts the fraction off, np.rint rounds."
            )
        errors = [np.mean((picture - gray) ** 2) for picture in (painted, best)]
        if errors[0] < 1.01 * errors[1]:
            raise Wrong(
                f"on {name} {(painted != best).sum():,} pixels are in a neighbouring class: a pixel equal to a cut belongs below it (right=True in np.digitize)."
            )
        raise Wrong(
            f"on {name} with {levels} levels your mean squared error is {errors[0]:.0f}, and {errors[1]:.0f} can be had: are these the means of multi_otsu's classes?"
        )


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
        if not 20 <= found <= 220:
            raise Wrong(
                f"with an object of {share:.0%} your threshold is {found:g}, which leaves one side all but empty: do NaN or infinity win your argmin? Skip thresholds at which a class is empty or has no spread."
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
        right="1600 of the total variance of 1625 lie between the classes.",
    ),
    Exercise(
        "otsu.mend",
        _mend,
        hint="u1 and u2 should be means. A mean of gray values lies between the smallest and the largest of them; print u1 and look.",
        right="sums of i P(i) are means only after the division by the class's share.",
    ),
    Exercise(
        "otsu.gain",
        _gain,
        hint="Write down what happens to both class means, and then to the square of their difference. The shares stay.",
        right="the threshold moves with the pixels, so the split is the same; only the variance grows, by the gain squared.",
    ),
    Exercise(
        "otsu.quantize",
        _quantize,
        hint="`labels = np.digitize(gray, multi_otsu(...), right=True)` numbers the classes. `gray[labels == k].mean()` is what class k should become.",
        right="the smallest within-class variance is the smallest mean squared error of any picture with so many gray values.",
    ),
    Exercise(
        "otsu.small",
        _small,
        hint="Compute J for the thresholds at which both shares and both variances are above 0, put infinity everywhere else, and take the argmin.",
        right="each class is judged by its own spread and share, so a small one is not overruled by a large one.",
    ),
)
