"""Exercises of lesson 02, Otsu's method."""

import numpy as np
from skimage import filters

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, function, number


def _between(counts):
    """Between-class variance at each threshold (256,), up to a factor; 0 where a class is empty."""
    pixels, total = counts.cumsum(), (counts * np.arange(256)).cumsum()
    both = pixels * (pixels[-1] - pixels)
    return (total * pixels[-1] - total[-1] * pixels) ** 2 / np.where(both > 0, both, 1)


def _is_best(counts, threshold):
    """Tell whether no threshold has a larger between-class variance; where bins are empty, several are best."""
    curve = _between(counts.astype(float))
    return 0 <= threshold < 255 and curve[int(threshold)] >= curve.max() * (1 - 1e-9)


def _histograms():
    """Histograms with pixels at both ends, with few gray values and with none that are rare, each with a name."""
    rng = np.random.default_rng(0)
    for present in (
        {0: 5, 1: 1},
        {254: 1, 255: 3},
        {100: 2, 101: 2},
        {0: 9, 1: 9, 2: 1},
        {0: 1, 255: 9},
        {0: 7, 1: 1, 255: 1},
    ):
        counts = np.zeros(256, int)
        counts[list(present)] = list(present.values())
        yield f"the counts {present}", counts
    for _ in range(4):
        yield "a histogram drawn at random", rng.integers(1, 50, 256)
    for _ in range(4):
        yield (
            "a histogram of six gray values drawn at random",
            rng.multinomial(60, rng.permutation(np.eye(6, 256).sum(0) / 6)),
        )


def _mend(answer):
    """Write mended_otsu(histogram): the threshold with the largest between-class variance."""
    find = function(answer)
    for name in ("coins", "camera", "cell"):
        counts = images.histogram(images.sample(name)[::4, ::4] // 2)  # halved, so that 50 can be added
        moved = np.roll(counts, 50)
        found = number(find(counts))
        rise = number(find(moved)) - found
        if abs(rise - 50) > 10:
            raise Wrong(
                f"on {name}[::4, ::4] // 2 your threshold is {found:g}, and it rises by {rise:g} when every pixel gets brighter by 50. Does your function use its histogram, and is each sum divided by the share of its own class?"
            )
        if rise != 50:
            raise Wrong(
                f"it still fails the shift test: on {name}[::4, ::4] // 2 your threshold rises by {rise:g} when every pixel gets brighter by 50. Which of the numbers should be a mean, but is not?"
            )
        if not _is_best(counts, found) and _is_best(counts, found - 1):
            raise Wrong(
                f"on {name}[::4, ::4] // 2 your threshold is {found:g}, one too high: the dark class includes the threshold itself."
            )
        if not _is_best(counts, found):
            raise Wrong(
                f"on {name}[::4, ::4] // 2 your threshold moves as it should, but it is {found:g}, while the largest between-class variance is at {_between(counts.astype(float)).argmax()}. Does it maximize the between-class variance, with each sum divided by the share of its own class?"
            )
    for name, counts in _histograms():
        found = number(find(counts))
        if not _is_best(counts, found):
            raise Wrong(
                f"for {name} your threshold is {found:g}, but the largest between-class variance is at {_between(counts.astype(float)).argmax()}. Any gray value may be the last of the dark class."
            )


def _pictures_to_quantize():
    """Small pictures, each with a name and a number of levels."""
    rng = np.random.default_rng(0)
    for name, levels in (("camera", 3), ("coins", 4), ("cell", 2)):
        yield f"{name}[::4, ::4]", images.sample(name)[::4, ::4], levels
    for levels in (2, 3, 4):
        yield "a picture drawn at random", rng.choice(rng.choice(256, 9).astype(np.uint8), (5, 7)), levels
    yield "a picture of the three gray values 0, 1, 255", np.array([[0, 0, 1], [255, 255, 255]], np.uint8), 3


def _quantize(answer):
    """Write quantize(gray, levels): each class of multi_otsu painted with its mean, rounded."""
    paint = function(answer, seconds=10)
    for name, gray, levels in _pictures_to_quantize():
        painted = array(paint(gray, levels), shape=gray.shape, kinds="iuf", what="the picture").astype(float)
        labels = np.digitize(gray, filters.threshold_multiotsu(gray, levels), right=True)
        means = np.array([gray[labels == k].mean() for k in range(levels)])[labels]
        if np.array_equal(painted, np.rint(painted)) and np.abs(painted - means).max() <= 0.5:
            continue
        raise Wrong(f"on {name} {_what_is_painted(gray, levels, labels, means, painted)}")


def _what_is_painted(gray, levels, labels, means, painted):
    """Say what is wrong with a picture that was quantized in another way."""
    found = len(np.unique(painted))
    if found > levels:
        return f"your picture has {found} gray values, which is more than the {levels} levels."
    if np.array_equal(painted, labels):
        return f"your picture holds the numbers of the classes, 0 to {found - 1}. Paint each class with the mean of its pixels."
    if np.allclose(painted, means):
        return "your gray values are not whole: round the means."
    if np.abs(painted - means).max() <= 1:
        return "a class is one gray value too dark or too bright: astype cuts off the fraction, but np.rint rounds."
    errors = [np.mean((picture - gray) ** 2) for picture in (painted, means)]
    if errors[0] < 1.01 * errors[1]:
        return f"{(np.abs(painted - means) > 1).sum():,} pixels are in a neighboring class: a pixel equal to a cut belongs below it (right=True in np.digitize)."
    return f"with {levels} levels your mean squared error is {errors[0]:.0f}, but {errors[1]:.0f} is possible: are these the means of multi_otsu's classes?"


def _small(answer):
    """Write small_object_threshold(histogram): Kittler and Illingworth's minimum error threshold."""
    find = function(answer)
    for dark_mean, bright_mean, spread in ((80, 160, 20), (30, 110, 12), (145, 235, 18)):
        dark, bright = _bell(dark_mean, spread), _bell(bright_mean, spread)
        for share in (0.5, 0.2, 0.05, 0.02, 0.01, 0.95, 0.99):
            errors = 100 * ((1 - share) * (1 - dark.cumsum()) + share * bright.cumsum())
            counts = np.rint(1e6 * ((1 - share) * dark + share * bright))
            _judge_threshold(number(find(counts)), counts, errors, min(share, 1 - share))


def _bell(mean, spread):
    """A normal distribution over the gray values, (256,)."""
    heights = np.exp(-((np.arange(256) - mean) ** 2) / (2 * spread**2))
    return heights / heights.sum()


def _judge_threshold(found, counts, errors, share):
    """Judge a threshold by the pixels in percent that each one gets wrong."""
    if (
        not 0 <= found < 255
        or min(counts[: int(found) + 1].sum(), counts[int(found) + 1 :].sum()) < 1e-4 * counts.sum()
    ):
        raise Wrong(
            f"with an object of {share:.0%} your threshold is {found:g}, which leaves one class almost empty. Does NaN or minus infinity win your argmin? Leave out thresholds at which a class is empty or has no spread."
        )
    excess = errors[int(found)] - errors.min()
    if excess <= 0.2:
        return
    more = f"{errors[int(found)]:.1f}% of all pixels wrong; the best threshold, {errors.argmin()}, gets {errors.min():.1f}% wrong"
    if _is_best(counts, found):
        raise Wrong(f"with an object of {share:.0%} your threshold is {found:g}, which is Otsu's own. It gets {more}.")
    raise Wrong(
        f"with an object of {share:.0%} your threshold is {found:g}. It gets {more}. Do you minimize J(t), with standard deviations instead of variances?"
    )


EXERCISES = (
    Exercise(
        "otsu.mend",
        _mend,
        hint="u1 and u2 should be means. A mean lies between the smallest and the largest of its gray values. Print u1 and check.",
        right="a sum of i P(i) becomes a mean when you divide it by the share of its class.",
    ),
    Exercise(
        "otsu.quantize",
        _quantize,
        hint="`labels = np.digitize(gray, multi_otsu(...), right=True)` numbers the classes. `gray[labels == k].mean()` is the value for class k, before rounding.",
        right="before rounding, the mean squared error is the within-class variance, which Otsu's thresholds make as small as possible. Rounding can break this: on `text`, the rounded means 82 and 136 leave 186.685, and painting each pixel with the nearer of 81 and 136 leaves 186.602.",
    ),
    Exercise(
        "otsu.small",
        _small,
        hint="Compute J for the thresholds at which both shares and both variances are above 0, put infinity everywhere else, and take the argmin.",
        right="each class is judged by its own spread and share, so a large class doesn't overrule a small one. It is no cure, though. With 6 real coins, it beats Otsu's threshold in all three scenes of the lesson; with 2 coins or 1, it does so in three of six, and in the others it splits the table as well; with 20, it is no better on average.",
    ),
)
