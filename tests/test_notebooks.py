"""A lesson as an object: its card, exercises, figures, asides and budget, and what it defines for a later lesson."""

import inspect
import types

import nbformat
import numpy as np
import pytest

from course_utils import exercises, notebooks
from course_utils.notebooks import Lesson

TOP = "# Split a picture\n\nOne sentence.\n\n*25 minutes of study. Runs in 7 s on two cores. Builds on lesson 01.*\n\nMore."


def lesson(*cells):
    """A lesson in memory: Markdown where a text begins with # or *, else code."""
    made = [
        nbformat.v4.new_markdown_cell(text) if text[:1] in "#*A" else nbformat.v4.new_code_cell(text) for text in cells
    ]
    return Lesson("02_otsu.ipynb", nbformat.v4.new_notebook(cells=made))


def store(folder, name, *cells):
    nbformat.write(lesson(*cells).notebook, folder / f"{name}.ipynb")
    return Lesson(folder / f"{name}.ipynb")


# Card and catalogue


def test_card_holds_what_the_top_says(tmp_path):
    found = store(tmp_path, "02_otsu", TOP)
    assert (found.number, found.slug) == ("02", "otsu")
    assert found.card == ("Split a picture", "One sentence.", 25, 7, "lesson 01")


def test_a_picture_between_title_and_promise_is_not_the_promise():
    assert lesson(TOP.replace("One", "![Coins.](a.png)\n\nOne")).card.promise == "One sentence."


@pytest.mark.parametrize("top", ["", "# Title", TOP.replace("Runs in 7 s", "Runs fast"), TOP.replace("# ", "")])
def test_top_without_its_facts_names_the_notebook(top):
    with pytest.raises(ValueError, match=r"02_otsu\.ipynb should begin with"):
        _ = lesson(top).card


def test_catalogue_lists_every_lesson_but_the_first(tmp_path):
    for name in ("00_start", "01_a", "02_b"):
        store(tmp_path, name, TOP)
    (tmp_path / "notes.ipynb").write_text("{}")
    rows = notebooks.catalogue(tmp_path).splitlines()[2:]
    assert [row.split("](")[1].split(")")[0] for row in rows] == ["01_a.ipynb", "02_b.ipynb"]
    assert all("25&nbsp;min" in row and "7&nbsp;s" in row for row in rows)


def test_stored_catalogue_is_up_to_date():
    shown = [
        output.data.get("text/markdown")
        for cell in notebooks.lessons()[0].code_cells
        for output in cell.outputs
        if "data" in output
    ]
    assert notebooks.catalogue() in shown


def test_lessons_are_those_whose_names_begin_as_wanted():
    assert [found.number for found in notebooks.lessons(wanted=["01", "1"])] == ["01", "10", "11", "12", "13", "14"]


# Exercises, figures, asides, budget


def test_slug_of_a_lesson_names_its_exercises():
    assert [found.slug for found in sorted(notebooks.lessons(), key=lambda found: found.slug)] == exercises.topics()


def test_exercise_has_its_statement_and_its_blank():
    (task,) = lesson(
        "**1.** Halve it.", "x = 4", "half = ...\n\ncheck('otsu.half', half)\n# hint('otsu.half')"
    ).exercises
    assert (task.name, task.variable, task.blank) == ("otsu.half", "half", "half = ...")
    assert [cell.source for cell in task.statement] == ["**1.** Halve it.", "x = 4"]


def test_exercise_without_a_number_is_named():
    with pytest.raises(ValueError, match=r"answer cell of otsu\.half should follow a statement"):
        _ = lesson("# Halve it.", "half = ...\ncheck('otsu.half', half)").exercises


def test_words_of_others_don_t_make_a_cell_an_exercise():
    for source in ("text = 'check(1, 2)'", "check(3)", "def f():\n    check('a.b', 1)", "print(check('a.b', x))"):
        assert notebooks.check_call(nbformat.v4.new_code_cell(source)) is None
    assert notebooks.check_call(nbformat.v4.new_code_cell("%time x = 1\ncheck('a.b', x)")) == ("a.b", "x")


def test_cell_with_two_figures_is_refused():
    output = nbformat.v4.new_output("display_data", {"image/png": "iV\nBO"}, metadata={"image/png": {"alt": "a"}})
    assert notebooks.figure(nbformat.v4.new_code_cell(outputs=[output])) == ("iVBO", "a")
    assert notebooks.figure(nbformat.v4.new_code_cell()) == ("", "")
    with pytest.raises(ValueError, match="one figure per cell, got 2"):
        notebooks.figure(nbformat.v4.new_code_cell(outputs=[output, output]))


def test_aside_ends_where_a_heading_of_its_level_or_above_begins():
    found = lesson(
        "## One", "### Aside: why", "a = 1", "#### More", "b = 1", "### Two", "c = 1", "## Aside: how", "d = 1"
    )
    sources = [[cell.source for cell in aside] for aside in found.asides]
    assert sources == [["### Aside: why", "a = 1", "#### More", "b = 1"], ["## Aside: how", "d = 1"]]


def test_budget_counts_the_main_line_alone():
    made = lesson(
        "## A title here", "A word, $x + y$, `one name`, [two words](https://doi.org/1/2).\n\n$$a = b$$",
        "x = 1\n\ny = 2", "draw()", "draw_again()", "## Aside: no", "A great many words.", "z = 1", "## Exercises",
        "**1.** Do it.", "a = ...\ncheck('otsu.a', a)", "## Recap", "A word.\n\n**References.** Many more words.",
    )  # fmt: skip
    picture = nbformat.v4.new_output("display_data", {"image/png": "iVBO"})
    folded, shown = made.cells[3], made.cells[4]
    folded.metadata["jupyter"] = {"source_hidden": True}
    folded.outputs, shown.outputs = [picture], [picture]
    budget = made.budget
    words = [
        "## A title here",
        "A word, $x + y$, `one name`, [two words](url). $$a = b$$",
        "## Exercises",
        "**1.** Do it.",
    ]
    assert budget.words == sum(len(text.split()) for text in words) + len(
        ["##", "Recap", "A", "word.", "**References.**", "Many", "more", "words."]
    )
    assert (budget.cells, budget.lines) == (3, 3 + 1 + 2)
    assert (budget.figures, budget.exercises, budget.lines_before_figure) == (2, 1, 3)
    assert budget.study_minutes == round(budget.words / 180 + 6 / 8 + 2 + 8)


# Definitions


def test_definitions_take_functions_and_leave_the_learners_own(tmp_path):
    store(
        tmp_path, "20_squares",
        "import math\nprint('this line does not run')\nfigure = 1 / 0",
        "def square(x):\n    return math.prod((x, x))",
        "## Exercises",
        "def square(x):\n    return 0",
    )  # fmt: skip
    squares = notebooks.definitions("20_squares", tmp_path)
    assert squares.square(7) == 49
    assert inspect.getsource(squares.square) == "def square(x):\n    return math.prod((x, x))"
    with pytest.raises(
        AttributeError, match=r"20_squares\.ipynb defines no 'figure' before its exercises; it defines math, square"
    ):
        _ = squares.figure


def test_definitions_of_an_unknown_lesson_name_those_there_are(tmp_path):
    store(tmp_path, "20_squares", "pass")
    with pytest.raises(FileNotFoundError, match="no lesson '21_cubes'; there are: 20_squares"):
        notebooks.definitions("21_cubes", tmp_path)


MESS = {
    "magics": "%matplotlib inline\n%time x = 1\n!ls\nfiles = !ls\nprint?\ndef square(x):\n    return x * x",
    "timed": "%%time\ndef square(x):\n    return x * x",
    "half written before": "def other(x:\n    return (\n\ndef square(x):\n    return x * x",
    "half written after": "@staticmethod\ndef square(x):\n    return x * x\n\nif square(\n",
    "import fails": "import nowhere.at.all, math\n\ndef square(x):\n    return math.prod((x, x))",
    "fails while defined": "def other(x, size=unknown):\n    pass\n\ndef square(x):\n    return x * x",
    "quotes of a word processor": "print(\u201cx\u201d)\ndef square(x):\n    return x * x",
    "marks of a merge": "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> theirs\ndef square(x):\n    return x * x",
    "tabs and spaces": "if 1:\n\tx = 1\n        y = 2\ndef square(x):\n    return x * x",
    "a null": "x = 1\0\ndef square(x):\n    return x * x",
    "await": "await x\ndef square(x):\n    return x * x",
    "help": "?np\nnp.sum??\ndef square(x):\n    return x * x",
    "raises while defined": "@print(\ndef other(): pass\n\ndef square(x):\n    return x * x",
    "exits while defined": "@exit\ndef other(): pass\n\ndef square(x):\n    return x * x",
    "a missing package in a try": "try:\n    import nowhere as math\nexcept ImportError:\n    math = None\n\ndef square(x):\n    return x * x if math is None else 0",
    "a choice of packages in a try": "try:\n    from nowhere import prod\nexcept ImportError:\n    from math import prod\n\ndef square(x):\n    return prod((x, x))",
}


@pytest.mark.parametrize("mess", MESS)
def test_definitions_survive_what_students_do_to_a_cell(mess, tmp_path):
    store(tmp_path, "20_squares", MESS[mess], "%%bash\nfor x in 1 2; do echo $x; done")
    assert notebooks.definitions("20_squares", tmp_path).square(7) == 49


def test_broken_definition_is_named_when_it_is_used_and_not_before(tmp_path):
    store(
        tmp_path, "20_squares", "def square(x):\n    return x * x",
        "import nowhere\n\ndef cube(x:\n    return nowhere.cube(x)\n\ndef fourth(x):\n    return nowhere.fourth(x)",
        "def square(x):\n    return x *",
    )  # fmt: skip
    squares = notebooks.definitions("20_squares", tmp_path)
    assert squares.square(3) == 9  # the sound one that stands earlier
    with pytest.raises(ImportError, match=r"'cube' can't be taken from 20_squares\.ipynb, code cell 2: .*line 3"):
        squares.cube(3)
    with pytest.raises(ImportError, match=r"'nowhere' can't be taken from .*code cell 2: ModuleNotFoundError"):
        squares.fourth(3)
    with pytest.raises(ImportError, match=r"'cube' can't be taken from"):
        type("Derived", types.resolve_bases((squares.cube,)), {})
    with pytest.raises(ImportError, match=r"'cube' can't be taken from"):
        isinstance(3, squares.cube)


@pytest.mark.parametrize("magic", ["%%timeit -n 3", "\n%%python3", "%%debug", "%%bash"])
def test_function_under_a_magic_that_hides_it_is_named_with_the_magic(magic, tmp_path):
    store(tmp_path, "20_squares", "import math", f"{magic}\ndef square(x):\n    return x * x")
    squares = notebooks.definitions("20_squares", tmp_path)
    with pytest.raises(ImportError, match=f"code cell 2: it stands under {magic.split()[0]}, which keeps it"):
        squares.square(3)
    store(tmp_path, "20_squares", f"{magic}\ndef square(x):\n    return 0", "def square(x):\n    return x * x")
    assert notebooks.definitions("20_squares", tmp_path).square(7) == 49


def test_a_try_that_does_more_than_import_is_not_run(tmp_path):
    store(tmp_path, "20_squares", "try:\n    import math\n    print(1 / 0)\nexcept ValueError:\n    pass")
    with pytest.raises(AttributeError, match="it defines nothing"):
        _ = notebooks.definitions("20_squares", tmp_path).math


def test_byte_order_mark_is_skipped_and_a_broken_notebook_is_named(tmp_path):
    path = store(tmp_path, "20_squares", "def square(x):\n    return x * x").path
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert notebooks.definitions("20_squares", tmp_path).square(7) == 49
    whole = path.read_text(encoding="utf-8-sig")
    path.write_text(whole.replace("def square", "y = '\\ud800'\\ndef square"), encoding="utf-8")
    assert notebooks.definitions("20_squares", tmp_path).square(7) == 49
    without_source = whole.replace('"source":', '"was_source":')
    broken = (
        without_source.encode(),
        b"<<<<<<< HEAD\n{}\n=======\n",
        b"",
        b"[]",
        b"null",
        b"<html>",
        b"\xff\xfe",
        whole.encode("utf-16"),
        whole.encode()[:99],
    )
    for content in broken:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"20_squares\.ipynb can't be read as a notebook .*git restore"):
            notebooks.definitions("20_squares", tmp_path)


@pytest.mark.parametrize("found", notebooks.lessons(), ids=lambda found: found.name)
def test_every_definition_of_every_lesson_can_be_taken(found):
    module = notebooks.definitions(found.name)
    assert np.all([not isinstance(thing, notebooks._NotTaken) for thing in vars(module).values()])
