"""The start of a lesson, its size, the catalogue, the environment check, and a silent TensorFlow."""

import importlib.metadata
import inspect
import json
import random
import subprocess
import sys
import textwrap

import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel

from course_utils import lesson, plots

TOP = "# Split a picture\n\nOne sentence.\n\n*25 minutes of study. Runs in 7 s on two cores. Builds on lesson 01.*\n\nMore."


def _notebook(folder, name, top=TOP):
    path = folder / name
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(top)]), path)
    return path


def test_start_makes_random_numbers_repeat():
    drawn = []
    for _ in range(2):
        lesson.start(seed=3)
        drawn.append((random.random(), np.random.rand()))  # noqa: NPY002 - the state under test
    assert drawn[0] == drawn[1]


def test_start_sets_the_style():
    mpl.rcdefaults()
    lesson.start(seed=0)
    assert mpl.rcParams["axes.prop_cycle"].by_key()["color"][0] == plots.TRUTH


@pytest.mark.parametrize(("scale", "chosen"), [(None, 10), ("lesson", 10), ("full", 60_000)])
def test_scale_chooses_the_size(scale, chosen, monkeypatch):
    monkeypatch.delenv("COURSE_SCALE", raising=False)
    if scale:
        monkeypatch.setenv("COURSE_SCALE", scale)
    assert lesson.choose(lesson=10, full=60_000) == chosen


def test_unknown_scale_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "huge")
    with pytest.raises(ValueError, match=r"'huge'.*'lesson' or 'full'"):
        lesson.choose(lesson=1, full=2)


def test_card_holds_what_the_top_says(tmp_path):
    card = lesson.read_card(_notebook(tmp_path, "02_otsu.ipynb"))
    assert (card.number, card.title, card.promise) == ("02", "Split a picture", "One sentence.")
    assert (card.study_minutes, card.run_seconds, card.builds_on) == (25, 7, "lesson 01")


@pytest.mark.parametrize("top", ["", "# Title", TOP.replace("Runs in 7 s", "Runs fast"), TOP.replace("# ", "")])
def test_top_without_its_facts_names_the_notebook(top, tmp_path):
    with pytest.raises(ValueError, match=r"02_otsu\.ipynb should begin with"):
        lesson.read_card(_notebook(tmp_path, "02_otsu.ipynb", top))


def test_catalogue_lists_every_lesson_but_the_first(tmp_path):
    for name in ("00_start.ipynb", "01_a.ipynb", "02_b.ipynb"):
        _notebook(tmp_path, name)
    (tmp_path / "notes.ipynb").write_text("{}")
    rows = lesson.catalogue(tmp_path).splitlines()[2:]
    assert [row.split("](")[1].split(")")[0] for row in rows] == ["01_a.ipynb", "02_b.ipynb"]
    assert all("25&nbsp;min" in row and "7&nbsp;s" in row for row in rows)


def test_stored_catalogue_is_up_to_date():
    first = nbformat.read(min(lesson.NOTEBOOKS.glob("*.ipynb")), as_version=4)
    shown = [
        output.data.get("text/markdown")
        for cell in first.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    assert lesson.catalogue() in shown


def test_this_environment_is_complete():
    assert lesson.environment_problems() == []


def test_missing_and_old_packages_are_named_with_the_way_out(monkeypatch):
    real = importlib.metadata.version

    def version(name):
        if name == "tqdm":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0" if name == "numpy" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    problems = lesson.environment_problems()
    assert len(problems) == 3
    assert "3.9" in problems[0]
    assert any(text.startswith("numpy 1.0 is installed") and "make lab" in text for text in problems)
    assert any(text.startswith("tqdm is missing") and "pip install" in text for text in problems)


def _run_in_kernel(code):
    """Return what a cell writes to stdout and stderr in a new kernel, C++ included."""
    manager, client = start_new_kernel(kernel_name="python3")
    texts = []
    try:
        client.execute_interactive(
            code,
            timeout=120,
            output_hook=lambda message: (
                texts.append(json.dumps(message["content"])) if message["msg_type"] in ("stream", "error") else None
            ),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return texts


def test_tensorflow_starts_silently_in_a_kernel_and_is_as_usual_afterwards():
    code = """
        from course_utils import lesson
        lesson.start(seed=0, tensorflow=True)
        import keras
        import tensorflow as tf
        first = keras.random.normal((2,))
        lesson.start(seed=0, tensorflow=True)
        assert tf.reduce_all(first == keras.random.normal((2,)))
        assert keras.backend.backend() == "tensorflow"
        assert tf.function(lambda x: x + 1)(tf.constant(1)) == 2
    """
    assert _run_in_kernel(textwrap.dedent(code)) == []


def test_errors_still_reach_stderr_after_a_silent_start():
    code = "from course_utils import tensorflow_start; tensorflow_start.start_tensorflow(); import os; os.write(2, b'still here')"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found.stderr.endswith(b"still here")
    assert found.stderr == b"still here"


def test_missing_tensorflow_says_what_to_do():
    code = "import sys; sys.modules['tensorflow'] = None\nfrom course_utils import tensorflow_start; tensorflow_start.start_tensorflow()"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs TensorFlow" in found.stderr.splitlines()[-1]
    assert "make lab" in found.stderr.splitlines()[-1]


def _lesson(folder, name, *cells):
    made = [nbformat.v4.new_markdown_cell(c) if c.startswith("#") else nbformat.v4.new_code_cell(c) for c in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made), folder / f"{name}.ipynb")


def test_definitions_take_functions_and_leave_what_runs_and_what_is_the_learners(tmp_path):
    _lesson(
        tmp_path, "20_squares",
        "import math\nprint('this line does not run')\nfigure = 1 / 0",
        "def square(x):\n    return math.prod((x, x))",
        "## Exercises",
        "def square(x):\n    return 0",
    )  # fmt: skip
    squares = lesson.definitions("20_squares", tmp_path)
    assert squares.square(7) == 49
    assert not hasattr(squares, "figure")
    assert inspect.getsource(squares.square) == "def square(x):\n    return math.prod((x, x))"


def test_definitions_of_an_unknown_lesson_name_those_there_are(tmp_path):
    _lesson(tmp_path, "20_squares", "pass")
    with pytest.raises(FileNotFoundError, match="no lesson '21_cubes'; there are: 20_squares"):
        lesson.definitions("21_cubes", tmp_path)
