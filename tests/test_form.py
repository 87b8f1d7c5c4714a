"""Every notebook keeps the rules of form, and every rule can be broken."""

import base64
import copy
import io

import nbformat
import pytest
from PIL import Image

from course_utils import notebooks
from course_utils.notebooks import Lesson
from tests import form

LESSONS = notebooks.lessons()
SOUND = LESSONS[1].path


@pytest.mark.parametrize("rule", form.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_notebook_keeps(lesson, rule):
    assert rule(lesson) == []


def _png(color):
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), color).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def _first_picture(notebook):
    return next(
        output for cell in _code_cells(notebook) for output in cell.outputs if "image/png" in output.get("data", {})
    )


def _code_cells(notebook):
    return Lesson(SOUND, notebook).code_cells


def _visible_cells(notebook):
    return [cell for cell in _code_cells(notebook) if not notebooks.is_folded(cell)]


def _set(cell, **changes):
    cell.update(changes)


def _output(kind, **fields):
    return nbformat.v4.new_output(kind, **fields)


def _stretch(notebook, lines):
    for cell in _code_cells(notebook):
        cell.source = "\n".join(["x = 1"] * lines)


def _tag(notebook, cells, tag):
    for cell in _code_cells(notebook)[:cells]:
        cell.metadata["tags"] = [tag]


def _first_shown(notebook, cell):
    notebook.cells.insert(1, cell)


def _fold(cell, source):
    cell.source = source
    cell.metadata["jupyter"] = {"source_hidden": True}


def _drop_prose(notebook):
    notebook.cells = notebook.cells[:1] + [cell for cell in notebook.cells if cell.cell_type == "code"]


def _append_to_top(notebook, text):
    notebook.cells[0].source += text


BREAKERS = [
    (form.has_skeleton, lambda nb: _set(nb.cells[0], source=nb.cells[0].source.replace("# ", "", 1))),
    (form.has_skeleton, lambda nb: _set(nb.cells[0], source=nb.cells[0].source.replace("minutes of study", "minutes"))),
    (
        form.has_skeleton,
        lambda nb: _set(nb.cells[0], source=nb.cells[0].source.replace("After this lesson you can", "Goals")),
    ),
    (form.has_skeleton, lambda nb: _set(_code_cells(nb)[0], source="import numpy")),
    (form.has_skeleton, lambda nb: [_set(cell, source=cell.source.replace("## Recap", "## End")) for cell in nb.cells]),
    (form.has_skeleton, lambda nb: _set(nb.cells[-1], source="## Recap")),
    (form.ran_in_order, lambda nb: _set(_code_cells(nb)[3], execution_count=None)),
    (form.ran_in_order, lambda nb: _set(_code_cells(nb)[3], execution_count=99)),
    (
        form.nothing_on_stderr,
        lambda nb: _code_cells(nb)[2].outputs.append(_output("stream", name="stderr", text="careful")),
    ),
    (
        form.nothing_on_stderr,
        lambda nb: _code_cells(nb)[2].outputs.append(_output("error", ename="E", evalue="", traceback=[])),
    ),
    (form.no_absolute_path, lambda nb: _append_to_top(nb, " see /home/ada/notes.txt")),
    (form.no_absolute_path, lambda nb: _append_to_top(nb, " see C:\\Users\\ada")),
    (form.no_widget_state, lambda nb: nb.metadata.update(widgets={"state": {}})),
    (form.pictures_not_blank, lambda nb: _first_picture(nb).data.update({"image/png": _png("white")})),
    (
        form.pictures_not_blank,
        lambda nb: _first_picture(nb).data.update({"image/png": base64.b64encode(b"no picture").decode()}),
    ),
    (form.alt_text_everywhere, lambda nb: _first_picture(nb).metadata.clear()),
    (form.alt_text_everywhere, lambda nb: _append_to_top(nb, " ![](map.png)")),
    (form.alt_text_everywhere, lambda nb: _append_to_top(nb, ' <img src="map.png">')),
    (form.short_cells, lambda nb: _set(_visible_cells(nb)[5], source="\n".join(["x = 1"] * 26))),
    (form.short_cells, lambda nb: _stretch(nb, 7)),
    (form.short_cells, lambda nb: [_set(cell, source="\n".join(["x = 1"] * 16)) for cell in _visible_cells(nb)[:8]]),
    (form.prose_before_code, _drop_prose),
    (form.small_file, lambda nb: _append_to_top(nb, "x" * 1_000_000)),
    (form.within_budget, lambda nb: _append_to_top(nb, " word" * 1_800)),
    (form.within_budget, lambda nb: nb.cells.extend(nbformat.v4.new_code_cell("x = 1") for _ in range(46))),
    (form.within_budget, lambda nb: nb.cells.append(nbformat.v4.new_code_cell("x = 1\n" * 251))),
    (form.within_budget, lambda nb: _first_shown(nb, nbformat.v4.new_code_cell("x = 1\n" * 31))),
    (form.folded_cells_say_what_they_hide, lambda nb: _fold(_code_cells(nb)[2], "x = 1")),
    (form.folded_cells_say_what_they_hide, lambda nb: _fold(_code_cells(nb)[2], "# Short\nx = 1")),
    (form.folded_cells_say_what_they_hide, lambda nb: nb.cells.append(nbformat.v4.new_markdown_cell("## Aside: why"))),
    (form.time_as_counted, lambda nb: _append_to_top(nb, " word" * 1_800)),
    (form.time_as_measured, lambda nb: nb.metadata["course"].update(run_seconds=4000.0)),
    (
        form.explorers_compute_where_they_start,
        lambda nb: _set(
            _code_cells(nb)[1], source='def d(t=105):\n    pass\nexplore(d, alt="A line at 105.", t=(0, 9, 1))'
        ),
    ),
    (form.time_as_measured, lambda nb: nb.metadata.pop("course")),
    (form.few_ignored_cells, lambda nb: _tag(nb, 10, "nbval-ignore-output")),
    (form.few_ignored_cells, lambda nb: _set(_code_cells(nb)[1], source="# NBVAL_IGNORE_OUTPUT\nx = 1")),
]


@pytest.mark.parametrize(
    ("rule", "spoil"), BREAKERS, ids=[f"{rule.__name__}-{i}" for i, (rule, _) in enumerate(BREAKERS)]
)
def test_broken_notebook_is_found(rule, spoil, tmp_path):
    sound = nbformat.read(SOUND, as_version=4)
    broken = copy.deepcopy(sound)
    spoil(broken)
    path = tmp_path / SOUND.name
    nbformat.write(broken, path)
    before = rule(Lesson(SOUND, sound))
    assert set(rule(Lesson(path, broken))) - set(before)


def test_every_rule_has_a_notebook_that_breaks_it():
    assert {rule for rule, _ in BREAKERS} == set(form.RULES)
