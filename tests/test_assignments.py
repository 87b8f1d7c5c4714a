"""The classroom export: every exercise is exported once, its solution earns all points and its blank none, in nbgrader's own hands too."""

import csv
import importlib.util
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from course_utils import exercises, notebooks
from course_utils.checker import NOT_ATTEMPTED, WRONG
from publish import assignments

BY_NAME = {lesson.name: lesson for lesson in notebooks.lessons() if lesson.exercises}
LESSONS = list(BY_NAME)
HAS_NBGRADER = importlib.util.find_spec("nbgrader") is not None
# One process for all lessons: it would take longer to import nbgrader again and again than to grade.
GRADE = """
import sys
from nbgrader.apps import NbGraderAPI
from traitlets.config.loader import PyFileConfigLoader
api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py").load_config())
for name in sys.argv[2:]:
    if sys.argv[1] == "generate":
        done = [api.generate_assignment(name)]
    else:
        done = [api.autograde(name, student) for student in ("solved", "blank")]
    assert all(each["success"] for each in done), done
"""


@pytest.fixture(scope="module")
def made():
    """The assignment of each lesson, with solutions."""
    return {name: assignments.assignment(BY_NAME[name]) for name in LESSONS}


def _marks(cell):
    return cell.metadata.get("nbgrader", {})


def _blank(cell):
    """An answer cell's code as a student gets it."""
    return re.sub(r"### BEGIN SOLUTION\n.*?### END SOLUTION", "", cell.source, flags=re.DOTALL)


def _without_links(text):
    return re.sub(r"(?<!!)\[([^\]]+)\]\([^)]*\)", r"\1", text)


def _failures(notebook, answer_of):
    """Run an assignment's code in order, and return what its graded cells raise, by name."""
    namespace, raised = {"__name__": "__main__"}, {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        code = answer_of(cell) if _marks(cell).get("solution") else cell.source
        try:
            exec(code, namespace)
        except AssertionError as error:
            raised[_marks(cell)["grade_id"]] = str(error)
    return raised


@pytest.mark.parametrize("name", LESSONS)
def test_every_exercise_is_exported_once_without_a_stray_solution(name, made):
    notebook = made[name]
    nbformat.validate(notebook)
    prose = _without_links(BY_NAME[name].prose)
    for exercise in (task.name for task in BY_NAME[name].exercises):
        solution = exercises.answers(exercise)[0].code
        mark = exercise.replace(".", "-").replace("_", "-")
        kinds = [
            _marks(cell)["grade_id"] for cell in notebook.cells if _marks(cell).get("grade_id", "").startswith(mark)
        ]
        assert kinds == [f"{mark}-asks-1", mark, f"{mark}-points"]
        statement, answer, _ = (cell for cell in notebook.cells if _marks(cell).get("grade_id") in kinds)
        assert re.match(r"\*\*\d+\.\*\* ", statement.source)
        assert _without_links(statement.source) in prose
        assert solution in answer.source
        assert solution not in _blank(answer)
    assert len([cell for cell in notebook.cells if _marks(cell).get("grade")]) == len(BY_NAME[name].exercises)


@pytest.mark.parametrize("name", LESSONS)
def test_only_answers_and_trials_can_be_changed(name, made):
    marks = [_marks(cell) for cell in made[name].cells]
    names = [each["grade_id"] for each in marks if each]
    assert len(names) == len(set(names))
    for cell, each in zip(made[name].cells, marks, strict=True):
        assert each.get("solution", False) == ("### BEGIN SOLUTION" in cell.source)
        if not each:
            assert re.match(r'check\("[\w.]+", \w+\)\n# hint\(', cell.source)
        elif not each["solution"]:
            assert each["locked"]
        assert each.get("points", 0) >= 1 or not each.get("grade", False)


@pytest.mark.parametrize("name", LESSONS)
def test_solutions_earn_every_point_and_blanks_none(name, made):
    graded = {_marks(cell)["grade_id"] for cell in made[name].cells if _marks(cell).get("grade")}
    assert _failures(made[name], lambda cell: cell.source) == {}
    blanks = _failures(made[name], _blank)
    assert set(blanks) == graded
    assert all(words.startswith(NOT_ATTEMPTED) for words in blanks.values())


def test_wrong_answer_fails_in_the_words_of_its_check(made):
    wrong = {
        exercise.name.replace(".", "-").replace("_", "-"): next(
            answer for answer in exercises.answers(exercise.name) if answer.kind == "wrong"
        )
        for exercise in exercises.of_topic("otsu")
    }
    words = _failures(made["02_otsu"], lambda cell: f"{_blank(cell)}\n{wrong[_marks(cell)['grade_id']].code}")
    for name, answer in wrong.items():
        assert words[f"{name}-points"].startswith(WRONG)
        assert answer.note in words[f"{name}-points"]


def _lesson(*cells):
    top = "# Try\n\nOne sentence.\n\n*5 minutes of study. Runs in 1 s on two cores. Builds on nothing.*"
    made = [nbformat.v4.new_markdown_cell(top)]
    made += [
        nbformat.v4.new_code_cell(cell[1:]) if cell[0] == ">" else nbformat.v4.new_markdown_cell(cell) for cell in cells
    ]
    return nbformat.v4.new_notebook(
        cells=made, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )


ANSWER = '>def f(x):\n    return ...\n\n\ncheck("start_here.negative", f)\n# hint("start_here.negative")'


def test_statement_begins_at_its_number_and_keeps_its_cells():
    notebook = _lesson(
        "## Exercises\n\n**1.** Skipped.",
        "More before.\n\n**2.** See [this](there.ipynb).",
        ">data = 1",
        "Now write it.",
        ANSWER,
    )
    (task,) = notebooks.Lesson("01_try.ipynb", notebook).exercises
    cells = list(assignments._statement(task, "start-negative"))
    assert [cell.source for cell in cells] == ["**2.** See this.", "data = 1", "Now write it."]
    assert task.variable == "f"
    assert task.blank == "def f(x):\n    return ..."


def test_points_grow_with_the_work():
    def worth(statement, blank):
        return assignments.points(notebooks.Task("", "", [nbformat.v4.new_markdown_cell(statement)], None, blank))

    assert worth("**1.** How many?", "n = ...") == 1
    assert worth("**2.** Write it.", "def f():\n    return ...") == 2
    assert worth("**3.** Design: write it.", "def f():\n    return ...") == 3


def test_folder_is_written_and_a_teachers_settings_stay(tmp_path, capsys):
    (tmp_path / "nbgrader_config.py").write_text("# mine")
    assignments.main(["00", "--out", str(tmp_path)])
    assert "1 assignment is in" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "source").iterdir()] == ["00_start_here"]
    assert (tmp_path / "nbgrader_config.py").read_text() == "# mine"
    before = (tmp_path / "source" / "00_start_here" / "00_start_here.ipynb").read_bytes()
    assignments.write(tmp_path, ["00"])
    assert (tmp_path / "source" / "00_start_here" / "00_start_here.ipynb").read_bytes() == before


def test_unknown_lesson_is_named(tmp_path):
    with pytest.raises(SystemExit, match="No lesson with exercises begins with 77"):
        assignments.main(["77", "--out", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


def _copied(cells, number):
    """JupyterLab copies a cell with its marks."""
    cells.insert(number, nbformat.from_dict(cells[number] | {"id": "copied", "source": "x = 1"}))


def _without_answer(cells, number):
    del cells[number]


def _without_points(cells, _):
    del cells[next(n for n, cell in enumerate(cells) if _marks(cell).get("grade"))]


def _forged(cells, number):
    """Another check, more points, a mark that nobody gave, and one that is none."""
    points = next(cell for cell in cells if _marks(cell).get("grade"))
    cells[number]["source"] = (
        "from course_utils import checker\nchecker.judge = lambda *a: checker.Verdict(checker.RIGHT, '')"
    )
    points["source"] = "pass"
    points.metadata.nbgrader |= {"points": 1000, "locked": False}
    marks = points.metadata.nbgrader | {"grade_id": "more", "points": 1000}
    cells.append(nbformat.v4.new_code_cell("1", metadata={"nbgrader": marks}))
    cells.append(nbformat.v4.new_code_cell("1", metadata={"nbgrader": "Right"}))


def _ended(cells, number):
    cells[number]["source"] = "import os\n%matplotlib inline\nprint('x' * 10_000_000)\nos._exit(0)"


HANDED_IN = {  # how a right submission is changed, and the exercises that this costs
    "copied": (_copied, 0), "without-answer": (_without_answer, 1), "without-points": (_without_points, 0), "forged": (_forged, 1),
    "ended": (_ended, 1),
}  # fmt: skip


def _hand_in(folder, student, change):
    place = shutil.copytree(folder / "source" / LESSONS[0], folder / "submitted" / student / LESSONS[0])
    path = place / f"{LESSONS[0]}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook.cells, next(n for n, cell in enumerate(notebook.cells) if _marks(cell).get("solution")))
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course folder in which nbgrader has handed out and graded every lesson, and the grades by lesson and student."""
    folder = tmp_path_factory.mktemp("course")
    assignments.write(folder)

    def run(*command):
        done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    run("-m", "nbgrader", "generate_assignment", LESSONS[0])  # in a teacher's words
    run("-c", GRADE, "generate", *LESSONS[1:])
    for student, origin in (("solved", "source"), ("blank", "release")):
        shutil.copytree(folder / origin, folder / "submitted" / student)
    for student, (change, _) in HANDED_IN.items():
        _hand_in(folder, student, change)
    broken = folder / "submitted" / "broken" / LESSONS[0] / f"{LESSONS[0]}.ipynb"
    broken.parent.mkdir(parents=True)
    broken.write_text("<<<<<<< no notebook", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", LESSONS[0]], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 1
    named = set(re.findall(r"error processing assignment '\w+' for student '([\w-]+)'", done.stderr))
    assert named == {"broken"}, done.stderr[-3000:]
    run("-c", GRADE, "autograde", *LESSONS[1:])
    run("-m", "nbgrader", "export")
    with (folder / "grades.csv").open(encoding="utf-8") as file:
        return folder, {(row["assignment"], row["student_id"]): row for row in csv.DictReader(file)}


@pytest.mark.classroom
@pytest.mark.skipif(not HAS_NBGRADER, reason="nbgrader is not installed: make test-classroom")
@pytest.mark.parametrize("name", LESSONS)
def test_nbgrader_gives_solutions_full_marks_and_blanks_none(name, course, made):
    folder, grades = course
    most = sum(_marks(cell).get("points", 0) for cell in made[name].cells)
    assert most >= 1
    assert float(grades[name, "solved"]["max_score"]) == most
    assert float(grades[name, "solved"]["score"]) == most
    assert float(grades[name, "blank"]["score"]) == 0
    released = (folder / "release" / name / f"{name}.ipynb").read_text(encoding="utf-8")
    assert "SOLUTION" not in released
    graded = nbformat.read(folder / "autograded" / "blank" / name / f"{name}.ipynb", as_version=4)
    said = [cell.outputs[-1].evalue for cell in graded.cells if _marks(cell).get("grade")]
    assert all(words.startswith(NOT_ATTEMPTED) for words in said)


@pytest.mark.classroom
@pytest.mark.skipif(not HAS_NBGRADER, reason="nbgrader is not installed: make test-classroom")
@pytest.mark.parametrize("student", HANDED_IN)
def test_copied_missing_and_forged_cells_cost_only_their_own_points(student, course, made):
    _, grades = course
    row = grades[LESSONS[0], student]
    worth = next(_marks(cell)["points"] for cell in made[LESSONS[0]].cells if _marks(cell).get("grade"))
    assert float(row["score"]) == float(row["max_score"]) - worth * HANDED_IN[student][1]


@pytest.mark.classroom
@pytest.mark.skipif(not HAS_NBGRADER, reason="nbgrader is not installed: make test-classroom")
def test_table_of_grades_marks_the_published_answers(course):
    _, grades = course
    assert grades["12_saving", "solved"]["as_published"].split() == ["saving.keep", "saving.pair"]
    assert grades["12_saving", "blank"]["as_published"] == ""
