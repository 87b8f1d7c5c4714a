"""Exercises of lesson 00, which show how exercises work."""

import numpy as np

from course_utils import images
from course_utils.checker import Exercise, array, expect, function


def _pixels(answer):
    """Give the number of pixels of the coin picture."""
    coins = images.sample("coins")
    rows, columns = coins.shape
    near = {
        side: f"{side} is one side of the picture; the pixels fill a rectangle of {rows} rows and {columns} columns."
        for side in coins.shape
    }
    near[coins.sum()] = "this is the sum of all gray values; a pixel counts as one, whatever its gray value is."
    expect(answer, coins.size, near, f"{{value}} is not it: the picture has {rows} rows and {columns} columns.", rtol=0)


def _negative(answer):
    """Write negative(gray): black turns white, white turns black, and 100 turns into 155."""
    make, rng = function(answer), np.random.default_rng(0)
    ramp = np.arange(256, dtype=np.uint8)
    for gray in (
        np.array([[0, 1, 100], [128, 254, 255]], np.uint8),
        ramp.reshape(8, 32),
        rng.integers(1, 200, (5, 7), dtype=np.uint8),
        np.array([[100]], np.uint8),
    ):
        right = 255 - gray.astype(int)
        found = array(make(gray), shape=gray.shape, kinds="iuf")
        y, x = np.argwhere(found != right)[0] if (found != right).any() else (0, 0)
        near = (
            (gray, "the picture comes back unchanged."),
            (-gray, "black (0) stays black: in uint8, -g wraps around to 256 - g, and -0 is 0."),
            (gray.max() - gray, "you subtract from the brightest pixel, and a picture need not have a white one."),
            (right / 255, "these values range from 0 to 1; gray values range from 0 to 255."),
        )
        expect(
            found, right, near,
            f"the gray value {gray[y, x]} should turn into {right[y, x]}, and yours is {found[y, x]:g}.", rtol=0,
        )  # fmt: skip


EXERCISES = (
    Exercise(
        "start_here.pixels",
        _pixels,
        hint="`coins.shape` gives the rows and the columns, `coins.size` their product.",
    ),
    Exercise(
        "start_here.negative",
        _negative,
        hint="What must you add to 100 to get 255? Take that, for every gray value at once.",
        right="NumPy subtracts the whole picture at once.",
    ),
)
