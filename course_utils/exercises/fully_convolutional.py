"""Exercises of lesson 05, fully convolutional networks."""

import numpy as np
from scipy import ndimage
from skimage import data

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, expect, function, number


def _rows(answer):
    """Give the rows that come out after three poolings by 2 and three doublings of 100 rows."""
    expect(
        answer,
        96,
        near={
            100: "25 rows hold 12 whole pairs, and the last row is dropped: is it there again on the way up?",
            104: "25 rows were rounded up to 13: without padding, a window needs both of its rows.",
            12: "12 is the size at the bottom; go up again, three times.",
            50: "this is after one pooling; go on down, and up again.",
        },
        otherwise="{value} is not it: write down the rows after each of the six steps, 100, 50, 25, ...",
    )


def _kernel(answer):
    """Write even_kernel(smallest, stride): the smallest kernel of at least `smallest` that is a multiple of the stride."""
    find = function(answer)
    for smallest, stride in ((3, 2), (4, 2), (5, 3), (1, 4), (7, 1), (6, 3), (9, 4), (1, 1), (100, 7), (2, 5)):
        found = number(find(smallest, stride))
        case = f"for a kernel of at least {smallest} and stride {stride} you give {found:g}"
        if found < smallest:
            raise Wrong(f"{case}, which is too small.")
        if found != int(found) or found % stride:
            raise Wrong(f"{case}, which is not a multiple of the stride: some places get more stamps than others.")
        if found - stride >= smallest:
            raise Wrong(f"{case}, and {found - stride:g} is even too and large enough.")


def _mean_loss(scores, truth, counted):
    shifted = scores - scores.max(axis=-1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    losses = -np.take_along_axis(logs, np.where(counted, truth, 0)[..., None], axis=-1)[..., 0]
    return losses, losses[counted].mean()


def _ignore(answer):
    """Write cross_entropy_without(scores, truth, ignored): the mean cross entropy over the pixels that are not `ignored`."""
    find = function(answer)
    rng = np.random.default_rng(0)
    scores, truth = rng.normal(size=(2, 6, 7, 4)), rng.integers(0, 4, (2, 6, 7))
    truth[:, :3, :3] = 255
    losses, wanted = _mean_loss(scores, truth, truth != 255)
    found = number(find(scores, truth, 255))
    if np.isclose(found, losses[truth != 255].sum() / truth.size):
        raise Wrong("you divide by the number of all pixels: the mean is over those that count only.")
    if np.isclose(found, losses[truth != 255].sum()):
        raise Wrong("this is the sum; take the mean over the pixels that count.")
    if np.isclose(found, losses.mean()) or np.isclose(found, _with_last(scores, truth)):
        raise Wrong("the pixels marked 255 still count, as if they were of a class: leave them out first.")
    if not np.isclose(found, wanted):
        raise Wrong(f"on random scores with 18 of 84 pixels ignored you give {found:.4f}; it should be {wanted:.4f}.")
    if not np.isclose(number(find(scores, truth)), wanted):
        raise Wrong("without a third argument your answer is another one: `ignored` should be 255 by default.")
    other = np.where(truth == 255, 3, truth)
    if not np.isclose(number(find(scores, other, 3)), _mean_loss(scores, other, other != 3)[1]):
        raise Wrong("with ignored=3 your answer is wrong: compare the truth with `ignored`, not with 255.")
    large = 1000.0 * scores
    if not np.isclose(_large(find, large, truth), _mean_loss(large, truth, truth != 255)[1]):
        raise Wrong("with scores of 1000 it goes wrong: subtract the largest score before the exponential.")


def _large(find, scores, truth):
    with np.errstate(all="ignore"):
        try:
            return number(find(scores, truth, 255))
        except Wrong:
            raise Wrong(
                "with scores of 1000 the result is not finite: subtract the largest score before the exponential."
            ) from None


def _with_last(scores, truth):
    return _mean_loss(scores, np.where(truth == 255, scores.shape[-1] - 1, truth), np.full(truth.shape, True))[1]


def _average(answer):
    """Write average_unpool(y, size), the transpose of average pooling."""
    find = function(answer)
    rng = np.random.default_rng(0)
    for rows, columns, size in ((2, 3, 2), (3, 2, 3), (1, 4, 1), (4, 1, 5)):
        y = rng.normal(size=(rows, columns))
        found = array(find(y, size), shape=(rows * size, columns * size), kinds="fiu")
        copies = np.kron(y, np.ones((size, size)))
        if np.allclose(found, copies / size**2):
            continue
        if np.allclose(found, copies):
            raise Wrong(
                f"these are copies, nearest unpooling, and the two sums differ by a factor of {size**2}: what did averaging divide by?"
            )
        if np.allclose(found, copies / size):
            raise Wrong(f"you divide by {size}; a square has {size} x {size} pixels.")
        if np.isclose(found.sum(), y.sum()) and (found == 0).any():
            raise Wrong("the sum is right, but each pixel of a square has a share in its mean, not one alone.")
        raise Wrong(
            "the two sums differ: which weight has a pixel of x in the mean of its square? Send y back with it."
        )


def _edge_pictures():
    """Six edge pictures (64, 64), float, 0 to about 1."""
    for name, top, left in (("camera", 0, 0), ("camera", 200, 200), ("coins", 0, 0), ("coins", 20, 100)):
        yield _edges(images.sample(name)[top : top + 256, left : left + 256])
    yield _edges(data.moon()[:256, :256])
    yield _edges(data.brick()[:256, :256])


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
    """Write bring_back(pooled, positions): at most 0.6 of max unpooling's error on six edge pictures."""
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
    start = f"your error is {ratio:.2f} of max unpooling's, and 0.60 or less is wanted: "
    if np.isclose(ratio, 1):
        raise Wrong(start + "what else than 0 could stand at the other three places of a square?")
    if unkept:
        raise Wrong(start + "the largest numbers are known exactly, and you change them; put them back last.")
    raise Wrong(start + "the other three are never larger than the one that is known; by how much are they smaller?")


EXERCISES = (
    Exercise(
        "fully_convolutional.rows",
        _rows,
        hint="100, 50, 25, and then? A pair needs two rows. On the way up every number is doubled.",
        right="100, 50, 25, 12, 24, 48, 96: the row that is left over at 25 stood for 4 rows of the picture, and these are missing.",
    ),
    Exercise(
        "fully_convolutional.kernel",
        _kernel,
        hint="Round `smallest` up to a multiple of the stride; in Python, -(-a // b) divides and rounds up.",
        right="with such a kernel every place gets the same number of stamps; the weights decide the rest.",
    ),
    Exercise(
        "fully_convolutional.ignore",
        _ignore,
        hint="A mask `truth != ignored` picks rows of scores (M, C) and entries of truth (M,); the lesson has a function for what is left.",
        right="what is ignored sends no gradient either; Keras has `ignore_class` for it.",
    ),
    Exercise(
        "fully_convolutional.average",
        _average,
        hint="Each pixel of x enters one mean, with the weight 1 / size**2. The transpose sends y back along the same ways, with the same weights.",
        right="average pooling is a convolution with equal weights, and this stamps them; it is also how its gradient flows.",
    ),
    Exercise(
        "fully_convolutional.edges",
        _edges_check,
        hint="Give each place a share of the largest of its square, or of a blurred picture of them; then put the known ones back. Which share serves best?",
        right="positions say where the largest were; what the others are like is knowledge of pictures, and that is what a decoder learns.",
    ),
)
