"""Write a course folder for nbgrader from the exercises that stand in the lessons: ``make assignments``.

Each lesson becomes one assignment. An exercise's statement and answer cell are the notebook's, its solution and its check are those of
``course_utils.exercises``; nothing is written twice. `TEACHING.md` says how to use the folder. nbgrader is not needed to write it.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

from course_utils import exercises, notebooks

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "assignments"
SOLUTION = "### BEGIN SOLUTION\n{}\n### END SOLUTION"
CONFIG = '''"""Settings of nbgrader for this course folder. It was written by `make assignments`, which leaves it alone once it is there."""

import os
import sys
from pathlib import Path

import course_utils

sys.path.insert(0, str(Path(course_utils.__file__).resolve().parent.parent))
from publish import classroom

c = get_config()

# nbgrader starts alembic by its name, which is found only where the environment is activated; it stands beside this Python.
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]

c.CourseDirectory.course_id = "course"
c.ClearSolutions.code_stub = {"python": "# Put your answer in place of the three dots above, and run this cell."}
classroom.configure(c)  # no submission is believed: publish/grading.py says how answers are judged
'''
INTRODUCTION = """# Exercises: {title}

These are the exercises of lesson {number}, `notebooks/{name}.ipynb`. "Above", in a statement, means that lesson: read it first.

Put your answers in place of the three dots. `check` answers at once, and `hint` shows the way. Cells that begin with `verdict =` give the points: leave them
as they are. Before you hand in, choose "Restart Kernel and Run All Cells" in the menu "Kernel", and save."""
SETUP = """from course_utils import checker, exercises, images, lesson, notebooks
from course_utils.exercises import check, hint

lesson.start(seed=0{tensorflow})
taken = vars(notebooks.definitions("{name}"))  # what the lesson imports and defines
globals().update({{name: thing for name, thing in taken.items() if not name.startswith("__")}})"""
TEST = """verdict = checker.judge({{each.name: each for each in exercises.of_topic("{topic}")}}["{name}"], {variable})
assert verdict.status == checker.RIGHT, verdict"""


def points(task):
    """What an exercise is worth: 1 for a value, 2 for a function, 3 for a design."""
    if "Design:" in task.statement[0].source:
        return 3
    return 2 if re.search(r"^def ", task.blank, re.M) else 1


def _cell(kind, source, name, **marks):
    """A cell with nbgrader's marks; a cell without any mark but its name is locked."""
    cell = nbformat.v4.new_markdown_cell(source) if kind == "markdown" else nbformat.v4.new_code_cell(source)
    cell.id = name[:64]
    base = {"grade": False, "grade_id": name, "locked": True, "schema_version": 3, "solution": False, "task": False}
    cell.metadata["nbgrader"] = base | marks
    return cell


def _statement(task, name):
    """The cells that ask, without the links that lead elsewhere in the collection."""
    for number, cell in enumerate(task.statement):
        source = cell.source
        if cell.cell_type == "markdown":
            source = source[notebooks.NUMBERED.search(source).start() :] if number == 0 else source
            source = re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", source)
        yield _cell(cell.cell_type, source, f"{name}-asks-{number + 1}")


def _samples(sources, used):
    """The lines by which a lesson names its pictures, ``coins = images.sample("coins")``, of those that are used."""
    for source in sources:
        for line in source.splitlines():
            found = re.match(r"(\w+) = images\.sample\(", line)
            if found and re.search(rf"\b{found[1]}\b", used):
                yield line


def assignment(lesson):
    """Make an assignment with solutions, as nbgrader wants its source, from a lesson's exercises.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    nbformat.NotebookNode or None
        None where the lesson has no exercises.
    """
    found = lesson.exercises
    if not found:
        return None
    solutions = {
        task.name: answer.code for task in found for answer in exercises.answers(task.name) if answer.kind == "solution"
    }
    sources = lesson.sources()
    used = "\n".join([solutions[task.name] + task.statement[0].source for task in found])
    tensorflow = ", tensorflow=True" if any("tensorflow=True" in source for source in sources) else ""
    setup = [SETUP.format(name=lesson.name, tensorflow=tensorflow), *_samples(sources, used)]
    cells = [
        _cell(
            "markdown",
            INTRODUCTION.format(title=lesson.card.title, number=lesson.number, name=lesson.name),
            "introduction",
        ),
        _cell("code", "\n".join(setup), "set-up"),
    ]
    for task in found:
        name = task.name.replace(".", "-").replace("_", "-")
        answer = f"{task.blank}\n\n\n{SOLUTION.format(solutions[task.name])}"
        ask = f'check("{task.name}", {task.variable})\n# hint("{task.name}")'
        test = TEST.format(topic=task.name.split(".")[0], name=task.name, variable=task.variable)
        cells += [
            *_statement(task, name),
            _cell("code", answer, name, solution=True, locked=False),
            nbformat.v4.new_code_cell(ask, id=f"{name}-check"),
            _cell("code", test, f"{name}-points", grade=True, points=points(task)),
        ]
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": dict(notebooks.KERNEL)})


def write(folder, wanted=()):
    """Write the assignments into ``folder/source``, and nbgrader's settings where there are none.

    Parameters
    ----------
    folder : pathlib.Path
    wanted : sequence of str
        How the lessons' names begin; all where it is empty.

    Returns
    -------
    list of pathlib.Path
        What was written.
    """
    written = []
    for lesson in notebooks.lessons(wanted=wanted):
        made = assignment(lesson)
        if made is None:
            continue
        target = folder / "source" / lesson.name / lesson.path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(made, target)
        written.append(target)
    settings = folder / "nbgrader_config.py"
    if written and not settings.exists():
        settings.write_text(CONFIG, encoding="utf-8")
    return written


def main(arguments=None):
    """Write what the command line asks for, and list it."""
    parser = argparse.ArgumentParser(
        prog="python -m publish.assignments", description="Write a course folder for nbgrader."
    )
    parser.add_argument("lessons", nargs="*", help="how the lessons' names begin, such as 02; all where none is named")
    parser.add_argument("--out", type=Path, default=FOLDER, help="the course folder (build/assignments)")
    options = parser.parse_args(arguments)
    written = write(options.out, options.lessons)
    if not written:
        sys.exit(f"No lesson with exercises begins with {', '.join(options.lessons)}.")
    for path in written:
        print(path.relative_to(options.out))
    print(
        f"{len(written)} {'assignment is' if len(written) == 1 else 'assignments are'} in {options.out}. TEACHING.md says how to hand out and how to grade."
    )


if __name__ == "__main__":
    main()
