"""Exercises of lesson 00, which show how exercises work."""

import numpy as np

from course_utils import images
from course_utils.checker import Exercise, Wrong, array, function, number


def _pixels(answer):
    """Give the number of pixels of the coin picture."""
    rows, columns = images.sample("coins").shape
    value = number(answer)
    if value == rows * columns:
        return
    if value in (rows, columns):
        raise Wrong(
            f"{value:g} is one side of the picture; the pixels fill a rectangle of {rows} rows and {columns} columns."
        )
    raise Wrong(f"{value:g} is not it: the picture has {rows} rows and {columns} columns.")


def _negative(answer):
    """Write negative(gray): black turns white, white turns black, and 100 turns into 155."""
    make = function(answer)
    gray = np.array([[0, 1, 100], [128, 254, 255]], np.uint8)
    found = array(make(gray), shape=gray.shape)
    if np.array_equal(found, 255 - gray):
        return
    if np.array_equal(found, gray):
        raise Wrong("the picture comes back unchanged.")
    if np.array_equal(found, -gray):
        raise Wrong("black (0) stays black: in uint8, -g wraps round to 256 - g, and -0 is 0.")
    place = tuple(np.argwhere(found != 255 - gray)[0])
    raise Wrong(f"the gray value {gray[place]} should turn into {255 - gray[place]}, and yours is {found[place]:g}.")


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
