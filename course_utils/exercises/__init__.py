"""``check``, ``hint`` and ``solution`` for the exercises of all lessons; one module per lesson, with the lesson's slug.

The folder ``answers`` holds solutions, right answers written differently and wrong answers, as code that is read and never
imported. A copy for a class can do without it.
"""

import dataclasses
import importlib
import pkgutil
import re
from pathlib import Path
from typing import NamedTuple

from IPython.display import display

from course_utils import checker, progress

ANSWERS = Path(__file__).parent / "answers"
_HEAD = re.compile(r"^# %% (?P<name>\w+\.\w+): (?P<kind>solution|right|wrong)(?:, (?P<note>.*))?$", re.M)


class Answer(NamedTuple):
    """An answer to an exercise.

    Attributes
    ----------
    kind : str
        ``"solution"``, ``"right"`` or ``"wrong"``.
    note : str
        How a right answer is written; words that the verdict on a wrong one must hold.
    code : str
        Code that can be pasted into the exercise's cell. Its last statement binds the answer.
    """

    kind: str
    note: str
    code: str


def check(name, answer=...):
    """Show a verdict on an answer: not attempted yet, not right yet and why, or right.

    A right answer is written down on this computer, see :mod:`course_utils.progress`.

    Parameters
    ----------
    name : str
        The exercise, as ``"thresholding.negative"``.
    answer : object
        A value or a function. It may be anything; nothing that it does raises here. Without it, nothing was attempted.
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
    _say_about(name, lambda exercise: print(_solution(exercise)))


def _solution(exercise):
    found = [answer.code for answer in answers(exercise.name) if answer.kind == "solution"]
    return (
        "\n".join(found)
        or "This copy of the collection comes without solutions. Ask your teacher, or get the full collection."
    )


def answers(name):
    """Read the answers to an exercise that the collection holds.

    Parameters
    ----------
    name : str
        The exercise, as ``"thresholding.negative"``.

    Returns
    -------
    list of Answer
        Empty where the folder of answers was left out.
    """
    path = ANSWERS / f"{name.split('.')[0]}.py"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    heads = list(_HEAD.finditer(text))
    ends = [*(head.start() for head in heads), len(text)][1:]
    return [
        Answer(head["kind"], (head["note"] or "").strip('"'), text[head.end() : end].strip())
        for head, end in zip(heads, ends, strict=True)
        if head["name"] == name
    ]


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
