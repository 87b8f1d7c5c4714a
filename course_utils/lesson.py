"""The start of a lesson, the size of its run, progress, and a check of the environment."""

import importlib.metadata
import os
import random
import sys

import numpy as np
from packaging.requirements import Requirement

from course_utils import exercises, notebooks, plots, tensorflow_start
from course_utils import progress as kept

_PYTHONS = ((3, 11), (3, 13))


def start(seed, tensorflow=False):
    """Begin a lesson: the figures' style and the random state, and a silent TensorFlow where it is asked for.

    Parameters
    ----------
    seed : int
        For Python's and NumPy's global generators and, with `tensorflow`, for Keras.
    tensorflow : bool
        Whether the lesson uses TensorFlow. ``import keras`` and ``import tensorflow as tf`` come after this call.
    """
    plots.use_style()
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries without a generator argument read the global one
    if tensorflow:
        tensorflow_start.start_tensorflow()
        import keras

        keras.utils.set_random_seed(seed)


def choose(*, lesson, full):
    """Choose between a lesson's size and the chapter's own.

    Parameters
    ----------
    lesson, full : object
        What is used in class, and what ``COURSE_SCALE=full`` in the environment asks for (hours, or a GPU).

    Returns
    -------
    object
        One of the two.

    Raises
    ------
    ValueError
        If ``COURSE_SCALE`` is neither ``lesson`` nor ``full``.
    """
    scale = os.environ.get("COURSE_SCALE") or "lesson"
    if scale not in ("lesson", "full"):
        raise ValueError(f"COURSE_SCALE is {scale!r}, but must be 'lesson' or 'full'.")
    return full if scale == "full" else lesson


def progress(slug=None):
    """Print which exercises were answered right on this computer: a table of all lessons, or a sentence on one.

    A notebook that stores this is compared with ``COURSE_PROGRESS=0``, which makes everyone a beginner.

    Parameters
    ----------
    slug : str, optional
        The lesson, by the first part of its exercises' names, as ``"otsu"``.

    Raises
    ------
    ValueError
        If there are no such exercises.
    """
    known, solved = exercises.topics(), kept.read()
    if slug is not None and slug not in known:
        raise ValueError(f"there are no exercises of {slug!r}; there are those of {', '.join(known)}.")
    if slug is not None:
        names = [exercise.name for exercise in exercises.of_topic(slug)]
        left = [name for name in names if name not in solved]
        print(_count(names, solved), "exercises solved." + (f" Left: {', '.join(left)}." if left else ""))
        return
    rows = {
        lesson.name: [exercise.name for exercise in exercises.of_topic(lesson.slug)]
        for lesson in notebooks.lessons()
        if lesson.slug in known
    }
    rows["all"] = [name for row in rows.values() for name in row]
    width = max(map(len, rows))
    print(f"{'lesson':{width}}  solved")
    for label, row in rows.items():
        print(f"{label:{width}}  {_count(row, solved)}")


def _count(names, solved):
    return f"{sum(name in solved for name in names)} of {len(names)}"


def _version(name):
    """The version of an installed package; of OpenCV's four wheels, which all bring ``cv2``, any will do."""
    wheels = ["opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"]
    for other in wheels if name in wheels else ():
        try:
            return importlib.metadata.version(other)
        except importlib.metadata.PackageNotFoundError:
            continue
    return importlib.metadata.version(name)


def environment_problems():
    """Compare what is installed with what the project asks for.

    Returns
    -------
    list of str
        One sentence for each thing that is missing or too old, with what to do; empty if all is well.
    """
    problems = []
    low, high = _PYTHONS
    if not low <= sys.version_info[:2] <= high:
        found = ".".join(map(str, sys.version_info[:2]))
        problems.append(
            f"Python 3.{low[1]} to 3.{high[1]} is needed, but this kernel runs {found}: choose another kernel."
        )
    for text in importlib.metadata.requires("course-utils") or []:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = _version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            problems.append(
                f"{requirement.name} is missing: run `make lab`, or `pip install '{requirement.name}{requirement.specifier}'`."
            )
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            problems.append(
                f"{requirement.name} {found} is installed, but the lessons need {requirement.specifier}: "
                f"run `make lab`, or `pip install '{requirement.name}{requirement.specifier}'`."
            )
    return problems
