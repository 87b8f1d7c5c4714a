"""``check``, ``hint`` and ``solution`` for the exercises of all lessons; one module for each lesson, named by its topic."""

import importlib
import pkgutil

from course_utils import checker


def check(name, answer):
    """Print a verdict on an answer: not attempted yet, not right yet and why, or right.

    Parameters
    ----------
    name : str
        The exercise, as ``"thresholding.negative"``.
    answer : object
        A value or a function. It may be anything; nothing that it does raises here.
    """
    _print_about(name, lambda exercise: checker.judge(exercise, answer))


def hint(name):
    """Print one sentence that shows the way.

    Parameters
    ----------
    name : str
        The exercise, as ``"thresholding.negative"``.
    """
    _print_about(name, lambda exercise: f"Hint: {exercise.hint}")


def solution(name):
    """Print code that solves the exercise, to be pasted into its cell.

    Parameters
    ----------
    name : str
        The exercise, as ``"thresholding.negative"``.
    """
    _print_about(name, lambda exercise: exercise.solution)


def topics():
    """List the topics that have exercises.

    Returns
    -------
    list of str
        The names of this package's modules, in alphabetical order.
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def of_topic(topic):
    """List the exercises of one topic.

    Parameters
    ----------
    topic : str
        One of :func:`topics`.

    Returns
    -------
    tuple of Exercise
        In the order of the lesson.
    """
    return importlib.import_module(f"{__name__}.{topic}").EXERCISES


def _print_about(name, say):
    """Print what `say` returns for the named exercise, or a sentence that names those there are."""
    topic = name.split(".")[0] if isinstance(name, str) else ""
    known = of_topic(topic) if topic in topics() else ()
    found = [exercise for exercise in known if exercise.name == name]
    names = ", ".join(exercise.name for exercise in known) or "those that begin with " + ", ".join(topics())
    print(say(found[0]) if found else f"There is no exercise named {name!r}. There are: {names}.")
