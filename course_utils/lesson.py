"""The start of a lesson, the size of its run, progress, what it takes from an earlier one, the catalogue, the environment check."""

import ast
import importlib.metadata
import json
import linecache
import os
import random
import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement

from course_utils import exercises, plots, quiet
from course_utils import progress as kept

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
FACTS = re.compile(
    r"^\*(?P<study>\d+) minutes of study\. Runs in (?P<run>\d+) s on two cores\. (?P<builds>Builds on [^*]+|Builds on nothing)\.\*$",
    re.M,
)
_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
_CHECK = re.compile(r'\bcheck\(\\"(\w+)\.')  # as a call stands in a notebook's file
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
        quiet.start_tensorflow()
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
    scale = os.environ.get("COURSE_SCALE", "lesson")
    if scale not in ("lesson", "full"):
        raise ValueError(f"COURSE_SCALE is {scale!r}, and must be 'lesson' or 'full'.")
    return full if scale == "full" else lesson


def progress(topic=None):
    """Print which exercises were answered right on this computer: a table of all lessons, or a sentence on one.

    A notebook that stores this is compared with ``COURSE_PROGRESS=0``, which makes everyone a beginner.

    Parameters
    ----------
    topic : str, optional
        The lesson, by the first part of its exercises' names, as ``"otsu"``.

    Raises
    ------
    ValueError
        If there are no such exercises.
    """
    known, solved = exercises.topics(), kept.read()
    if topic is not None and topic not in known:
        raise ValueError(f"there are no exercises of {topic!r}; there are those of {', '.join(known)}.")
    names = {each: [exercise.name for exercise in exercises.of_topic(each)] for each in known}
    if topic is not None:
        left = [name for name in names[topic] if name not in solved]
        print(_count(names[topic], solved), "exercises solved." + (f" Left: {', '.join(left)}." if left else ""))
        return
    asked_in = _notebooks_by_topic()
    rows = dict(sorted((asked_in.get(each, each), names[each]) for each in known))
    rows["all"] = [name for row in rows.values() for name in row]
    width = max(map(len, rows))
    print(f"{'lesson':{width}}  solved")
    for label, row in rows.items():
        print(f"{label:{width}}  {_count(row, solved)}")


def _count(names, solved):
    return f"{sum(name in solved for name in names)} of {len(names)}"


def _notebooks_by_topic():
    """Return the name of the notebook that asks the exercises of each topic; empty where no notebooks are at hand."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in NOTEBOOKS.glob("*.ipynb")}
    return {topic: name for name, text in texts.items() for topic in _CHECK.findall(text)}


def definitions(name, folder=NOTEBOOKS):
    """Read what another lesson defines, as it stands in that notebook, without running the lesson.

    Parameters
    ----------
    name : str
        The notebook's name without its ending, as ``"08_region_proposals"``.
    folder : pathlib.Path
        Where the notebooks are.

    Returns
    -------
    types.ModuleType
        With the notebook's imports, functions and classes; of two of one name, the later. What stands under its heading
        "Exercises" is the learner's and is left out, as are the notebook's variables.

    Raises
    ------
    FileNotFoundError
        If there is no such notebook.

    Examples
    --------
    >>> otsu = definitions("02_otsu")
    >>> callable(otsu.otsu_threshold)
    True
    """
    path = Path(folder) / f"{name}.ipynb"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in Path(folder).glob("*.ipynb")))
        raise FileNotFoundError(f"there is no lesson {name!r}; there are: {known}.")
    module = types.ModuleType(name)
    for number, source in enumerate(lesson_sources(path)):
        taken = [node for node in ast.parse(source).body if isinstance(node, _DEFINITIONS)]
        cell = f"<{path.name}, code cell {number + 1}>"
        # Tracebacks and TensorFlow's AutoGraph look a function's source up here.
        linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
        exec(compile(ast.Module(taken, type_ignores=[]), cell, "exec"), module.__dict__)
    return module


def lesson_sources(path):
    """Read the code cells of a notebook up to its exercises.

    Parameters
    ----------
    path : pathlib.Path
        The notebook.

    Yields
    ------
    str
        The source of a cell.
    """
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and "\n## Exercises" in f"\n{source}":
            return
        if cell["cell_type"] == "code":
            yield source


@dataclass(frozen=True)
class Card:
    """What a lesson says of itself at its top.

    Attributes
    ----------
    path : pathlib.Path
        The notebook.
    number, title, promise : str
        Such as ``"01"``, the heading, and the sentence below it.
    study_minutes, run_seconds : int
        Time to work through it, and to run it from top to bottom on two cores, as measured.
    builds_on : str
        The lessons that come before.
    """

    path: Path
    number: str
    title: str
    promise: str
    study_minutes: int
    run_seconds: int
    builds_on: str


def read_card(path):
    """Read what a lesson says of itself at its top; nothing else states its title or its times.

    Parameters
    ----------
    path : str or pathlib.Path
        A notebook whose first cell begins as ``CONTRIBUTING.md`` asks.

    Returns
    -------
    Card

    Raises
    ------
    ValueError
        If the first cell does not begin so.
    """
    path = Path(path)
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    text = "".join(first["source"])
    paragraphs = text.split("\n\n")
    facts = FACTS.search(text)
    if first["cell_type"] != "markdown" or not text.startswith("# ") or len(paragraphs) < 3 or not facts:
        raise ValueError(
            f"{path.name} should begin with a title, one sentence, and the line "
            "'*N minutes of study. Runs in N s on two cores. Builds on ....*'"
        )
    return Card(
        path, path.stem[:2], paragraphs[0][2:], paragraphs[1], int(facts["study"]), int(facts["run"]),
        facts["builds"].removeprefix("Builds on "),
    )  # fmt: skip


def catalogue(folder=NOTEBOOKS):
    """Write the table of all lessons, as their notebooks describe themselves.

    Parameters
    ----------
    folder : pathlib.Path
        Where the notebooks are.

    Returns
    -------
    str
        A table in Markdown, with links.
    """
    rows = ["| lesson | what you will do | study | run |", "| :-- | :-- | --: | --: |"]
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))[1:]:  # the first holds this table
        card = read_card(path)
        link = f"[{card.number} {card.title}]({path.name})"
        rows.append(f"| {link} | {card.promise} | {card.study_minutes}&nbsp;min | {card.run_seconds}&nbsp;s |")
    return "\n".join(rows)


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
            f"Python 3.{low[1]} to 3.{high[1]} is wanted, and this kernel runs {found}: choose another kernel."
        )
    for text in importlib.metadata.requires("course-utils") or []:
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            problems.append(
                f"{requirement.name} is missing: run `make lab`, or `pip install '{requirement.name}{requirement.specifier}'`."
            )
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            problems.append(
                f"{requirement.name} {found} is installed, and {requirement.specifier} is wanted: run `make lab`."
            )
    return problems
