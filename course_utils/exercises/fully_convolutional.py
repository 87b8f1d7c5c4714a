"""Exercises of lesson 05, fully convolutional networks."""

from functools import cache

import numpy as np
from scipy import ndimage
from skimage import data

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, cases, expect, function, number


def _rows(answer):
    """Give the rows that come out after three poolings by 2 and three doublings of 100 rows."""
    near = {
        100: "25 rows hold 12 whole pairs, and the last row is dropped: does it come back on the way up?",
        104: "25 rows were rounded up to 13: without padding, a window needs both of its rows.",
        12: "12 is the size at the bottom; go up again, three times.",
        50: "this is after one pooling; go on down, and up again.",
        200: "200 is one doubling without a pooling; go down three times first.",
    }
    expect(answer, 96, near, "{value} is not right: write down the rows after each of the six steps, 100, 50, 25, ...")


def _kernel(answer):
    """Write even_kernel(smallest, stride): the smallest kernel of at least `smallest` that is a multiple of the stride."""
    find = function(answer)
    drawn = np.random.default_rng(0).integers(1, 30, (20, 2)).tolist()
    for smallest, stride in ((3, 2), (4, 2), (5, 3), (1, 4), (7, 1), (6, 3), (9, 4), (1, 1), *drawn):
        found = number(find(smallest, stride))
        case = f"for a kernel of at least {smallest} and stride {stride} you give {found:g}"
        if found < smallest:
            raise Wrong(f"{case}, which is too small.")
        if found % stride:
            raise Wrong(f"{case}, which is not a multiple of the stride: some places get more stamps than others.")
        if found - stride >= smallest:
            raise Wrong(f"{case}, but {found - stride:g} is a multiple of the stride too, and large enough.")


def _pixel_losses(scores, truth, ignored, instead=0):
    """The cross entropy of each pixel (...), those that are ignored as of class `instead`; and which of them count."""
    counts = truth != ignored
    shifted = scores - scores.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    classes = np.where(counts, truth, instead)[..., None].astype(int)
    return -np.take_along_axis(logs, classes, axis=-1)[..., 0], counts


def _mean_loss(scores, truth, ignored=255):
    losses, counts = _pixel_losses(scores, truth, ignored)
    return losses[counts].mean()


def _ignore(answer):
    """Write cross_entropy_without(scores, truth, ignored): the mean cross entropy over the pixels that are not `ignored`."""
    find = function(answer)
    rng = np.random.default_rng(0)
    scores, classes = rng.normal(size=(2, 6, 7, 4)), rng.integers(0, 4, (2, 6, 7))
    truth = classes.copy()
    truth[0, :3, :6] = 255  # 18 of the first picture's pixels, and none of the second's
    losses, counts = _pixel_losses(scores, truth, 255)
    still = "the pixels marked 255 still count, as if they were of a class: leave them out first."
    near = [
        (losses[counts].sum() / truth.size, "you divide by the number of all pixels: take the mean over those that count only."),
        (losses[counts].sum(), "this is the sum: divide it by the number of pixels that count."),
        (np.mean([each[kept].mean() for each, kept in zip(losses, counts, strict=True)]), "this is the mean of one mean per picture, in which a pixel counts more where fewer are left: take one mean over the pixels of all pictures."),
        (-losses[counts].mean(), "this has the wrong sign: the loss is minus the logarithm, so it is never negative."),
        (losses.mean(), still),
        (_pixel_losses(scores, truth, 255, -1)[0].mean(), still),
    ]  # fmt: skip
    words = "on random scores with 18 of 84 pixels ignored you give {value}, and {right} is right."
    expect(find(scores, truth, 255), _mean_loss(scores, truth), near, words, rtol=1e-4)
    expect(find(scores, truth), _mean_loss(scores, truth), (), "without a third argument, 255 is ignored.", rtol=1e-4)
    drawn = [(scores, classes, ignored) for ignored in (3, 0, -1)]
    others = [*drawn, (scores[0, 0, :4], np.array([17, 17, 2, 17]), 17), (scores[:1, 0], classes[:1, 0], 1)]
    by_255 = lambda scores, truth, _: _mean_loss(scores, truth.clip(max=3))  # noqa: E731
    words = [(by_255, "compare the truth with `ignored`, not with 255.")]
    cases(find, others, _mean_loss, words, case="with ignored={2}", rtol=1e-4)
    _judge_large(find, 1000 * scores, truth)


def _judge_large(find, scores, truth):
    """Judge the loss for scores in the thousands, whose exponentials overflow and whose probabilities vanish."""
    try:
        value = number(find(scores, truth, 255))
    except Wrong:
        raise Wrong(
            "with scores as large as 1000 the result is not finite, since exp(1000) overflows and log(0) is infinite: "
            "subtract the largest score, and take log(sum(exp(...))) off what is left."
        ) from None
    expect(value, _mean_loss(scores, truth), (), _CUT_OFF, rtol=1e-4)


_CUT_OFF = (
    "with scores as large as 1000 you give {value}, and {right} is right: a probability that vanishes is lost, whatever "
    "is added to it or wherever it is cut off. Take the logarithm of the softmax in one step, z - log(sum(exp(z)))."
)


def _copies(y, size):
    return np.kron(y, np.ones((size, size)))


def _average(answer):
    """Write average_unpool(y, size), the transpose of average pooling."""
    rng = np.random.default_rng(0)
    near = [
        (_copies, "these are copies, nearest unpooling, and the two sums differ by a factor of size**2: what did averaging divide by?"),
        (lambda y, size: _copies(y, size) / 4, "you divide by 4 whatever the size; a square has size x size pixels."),
        (lambda y, size: _copies(y, size) / size, "you divide by the size once; a square has size x size pixels."),
        (lambda y, size: np.kron(y, np.eye(size)[:1].T @ np.eye(size)[:1]), "the sum is right, but each pixel of a square has a share in its mean, not one alone."),
        (lambda y, size: np.tile(y, (size, size)) / size**2, "whole copies of y lie side by side: each number belongs in its own square."),
    ]  # fmt: skip
    find = function(answer)
    for rows, columns, size in _UNPOOLED:
        y = rng.normal(size=(rows, columns))
        right, case = _copies(y, size) / size**2, f"for squares of {size} x {size}"
        found = array(find(y, size), shape=right.shape, kinds="fiu", what=f"your result {case}")
        x = np.zeros_like(right)
        x[np.unravel_index(np.abs(found - right).argmax(), x.shape)] = size**2  # so that the two sums differ the most
        otherwise = (
            f"{case} and one pixel of x, the sum of average_pool(x) * y is {(x * right).sum():.3g}, and yours is "
            f"{(x * found).sum():.3g}: which weight does a pixel of x have in the mean of its square? Send y back with it."
        )
        named = [(mistake(y, size), f"{case}: {sentence}") for mistake, sentence in near]
        expect(found, right, named, otherwise, rtol=2e-3, atol=2e-3)  # float16 is precise enough


_UNPOOLED = ((2, 3, 2), (3, 2, 3), (1, 1, 4), (4, 4, 2), (3, 2, 1), (1, 1, 1))  # rows, columns, size


@cache
def _edge_pictures():
    """Six edge pictures, float, 0 to about 1, of different shapes."""
    places = (("camera", 0, 0), ("camera", 200, 200), ("coins", 0, 0), ("coins", 20, 100))
    grays = [images.sample(name)[top : top + 256, left : left + 256] for name, top, left in places]
    return [_edges(gray) for gray in (*grays, data.moon()[:256, :200], data.brick()[:200, :256])]


def _edges(gray):
    smooth = images.shrink(gray, 4) / 255
    return np.hypot(ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)) / 4


def _pool(picture):
    """The largest of each square of 2 x 2 and its flat position."""
    height, width = picture.shape
    flat = np.arange(picture.size).reshape(height // 2, 2, width // 2, 2).swapaxes(1, 2)
    flat = flat.reshape(height // 2, width // 2, 4)
    best = np.take_along_axis(flat, picture.ravel()[flat].argmax(axis=-1)[..., None], axis=-1)[..., 0]
    return picture.ravel()[best], best


def _edges_check(answer):
    """Write bring_back(pooled, positions): at most 0.6 of max unpooling's error, averaged over six edge pictures."""
    find = function(answer)
    ratios, unkept = [], 0
    for picture in _edge_pictures():
        pooled, positions = _pool(picture)
        found = array(find(pooled, positions), shape=picture.shape, kinds="fiu")
        only = np.zeros(picture.shape)
        only.ravel()[positions] = pooled
        ratios.append(np.sqrt(((found - picture) ** 2).mean() / ((only - picture) ** 2).mean()))
        unkept += not np.allclose(found.ravel()[positions], pooled, atol=1e-6)
    ratio = float(np.mean(ratios))
    if ratio <= 0.6:
        return
    start = f"your error is {ratio:.2f} of max unpooling's, and it may be at most 0.60: "
    if np.isclose(ratio, 1):
        raise Wrong(start + "what other than 0 could stand at the other three places of a square?")
    if unkept:
        raise Wrong(start + "the largest numbers are known exactly, and you change them; put them back last.")
    raise Wrong(start + "the other three are never larger than the one that is known; by how much are they smaller?")


EXERCISES = (
    Exercise(
        "fully_convolutional.rows",
        _rows,
        hint="100, 50, 25, and then? A pair needs two rows. On the way up every number is doubled.",
        right="100, 50, 25, 12, 24, 48, 96: the row left over at 25 stood for 4 rows of the picture, and those are missing.",
    ),
    Exercise(
        "fully_convolutional.ignore",
        _ignore,
        hint="A mask `truth != ignored` picks rows of scores (M, C) and entries of truth (M,); the lesson has a function for what is left.",
        right="what is ignored sends no gradient either; Keras has `ignore_class` for it.",
    ),
    Exercise(
        "fully_convolutional.edges",
        _edges_check,
        hint="Give each place a share of the largest of its square, or of a blurred picture of them; then put the known ones back. Which share works best?",
        right="positions say where the largest were; what the others are like is knowledge of pictures, and that is what a decoder learns.",
    ),
    Exercise(
        "fully_convolutional.kernel",
        _kernel,
        hint="Round `smallest` up to a multiple of the stride; in Python, -(-a // b) divides and rounds up.",
        right="with such a kernel every place gets the same number of stamps; the weights decide the rest.",
    ),
    Exercise(
        "fully_convolutional.average",
        _average,
        hint="Each pixel of x enters one mean, with the weight 1 / size**2. The transpose sends y back along the same ways, with the same weights.",
        right="average pooling is a convolution with equal weights, and this stamps them; it is also how its gradient flows.",
    ),
)
