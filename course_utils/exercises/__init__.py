"""``check``, ``hint`` and ``solution`` for the exercises of all lessons; one module for each lesson, named by its topic."""

import dataclasses
import importlib
import pkgutil

from IPython.display import display

from course_utils import checker, progress


def check(name, answer):
    """Show a verdict on an answer: not attempted yet, not right yet and why, or right.

    A right answer is written down on this computer, see :mod:`course_utils.progress`.

    Parameters
    ----------
    name : str
        The exercise, as ``"thresholding.negative"``.
    answer : object
        A value or a function. It may be anything; nothing that it does raises here.
    """
    _say_about(name, lambda exercise: display(_noted(exercise, checker.judge(exercise, answer))))


def hint(name):
    """Show one sentence that leads on.

    Parameters
    ----------
    name : str
        The exercise, as ``"thresholding.negative"``.
    """
    _say_about(name, lambda exercise: display(checker.Verdict(checker.HINT, exercise.hint)))


def solution(name):
    """Print code that solves the exercise, to be pasted into its cell.

    Parameters
    ----------
    name : str
        The exercise, as ``"thresholding.negative"``.
    """
    _say_about(name, lambda exercise: print(exercise.solution))


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


def _noted(exercise, verdict):
    """Write down that an exercise is solved, and say of how many in its lesson."""
    if verdict.status != checker.RIGHT:
        return verdict
    solved, known = progress.record(exercise.name), of_topic(exercise.name.split(".")[0])
    count = sum(each.name in solved for each in known)
    note = f"{count} of {len(known)} exercises of this lesson solved." if exercise.name in solved else ""
    return dataclasses.replace(verdict, note=note)


def _say_about(name, say):
    """Call `say` with the named exercise, or print a sentence that names those there are."""
    topic = name.split(".")[0] if isinstance(name, str) else ""
    known = of_topic(topic) if topic in topics() else ()
    found = [exercise for exercise in known if exercise.name == name]
    names = ", ".join(exercise.name for exercise in known) or "those that begin with " + ", ".join(topics())
    if found:
        say(found[0])
    else:
        print(f"There is no exercise named {name!r}. There are: {names}.")
