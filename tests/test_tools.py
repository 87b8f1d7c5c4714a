"""What maintainers run: refresh, the table of `make test`, the Makefile's targets."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from course_utils import notebooks
from tools import check, refresh
from tools.notebook_table import count_cells

ROOT = Path(__file__).parent.parent
TOP = "# Try\n\nOne sentence.\n\n*5 minutes of study. Runs in 99 s on two cores. Builds on nothing.*"


def _notebook(path, *sources, tags=()):
    cells = [nbformat.v4.new_markdown_cell(TOP), *(nbformat.v4.new_code_cell(source) for source in sources)]
    if tags:
        cells[-1].metadata["tags"] = list(tags)
    notebook = nbformat.v4.new_notebook(
        cells=cells, metadata={"widgets": {"state": {}}, "language_info": {"name": "python", "version": "3"}}
    )
    nbformat.write(notebook, path)
    return path


def test_refresh_stores_outputs_and_the_measured_time(tmp_path):
    path = _notebook(tmp_path / "01_try.ipynb", "print('a')\nprint('b')", "import time; time.sleep(1.1); 3 + 4")
    seconds = refresh.refresh(path)
    notebook = nbformat.read(path, as_version=4)
    assert 1.1 < seconds == notebook.metadata.course.run_seconds
    assert f"Runs in {refresh.printed_seconds(seconds)} s on two cores" in notebook.cells[0].source
    assert notebook.cells[1].outputs[0].text == "a\nb\n"
    assert notebook.cells[2].outputs[0].data["text/plain"] == "7"
    assert [cell.execution_count for cell in notebook.cells[1:]] == [1, 2]
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    assert "language_info" not in notebook.metadata


def test_explorer_is_stored_as_picture_and_sentence_at_each_refresh(tmp_path):
    source = """
from course_utils.explore import explore
from matplotlib.figure import Figure
explore(lambda level=3: Figure(figsize=(level, 1)), level=(1, 5, 1))"""
    path, stored = _notebook(tmp_path / "01_try.ipynb", source), []
    for _ in range(2):
        refresh.refresh(path)
        (output,) = nbformat.read(path, as_version=4).cells[1].outputs
        stored.append(output)
    assert set(stored[0].data) == {"image/png", "text/plain"}
    assert stored[0] == stored[1]


@pytest.mark.parametrize(("seconds", "printed"), [(0.1, 1), (1.0, 1), (1.1, 2), (59.9, 60)])
def test_times_are_rounded_up(seconds, printed):
    assert refresh.printed_seconds(seconds) == printed


def test_notebook_whose_cell_fails_is_left_as_it_was(tmp_path):
    path = _notebook(tmp_path / "01_try.ipynb", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        refresh.refresh(path)
    assert path.read_bytes() == before


def test_unknown_notebook_is_named_with_those_there_are():
    with pytest.raises(SystemExit, match=r"begins with 77; there are: 00_start_here\.ipynb"):
        refresh.main(["77"])


def _nbval(folder):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
        "-p",
        "tools.notebook_table",
        "-p",
        "no:cacheprovider",
    ]
    return subprocess.run(
        [*command, f"--rootdir={folder}", str(folder)], capture_output=True, text=True, cwd=ROOT
    ).stdout


def test_table_counts_cells_and_a_changed_output_fails(tmp_path):
    ignored = "import time; print(time.time())"
    path = _notebook(tmp_path / "01_try.ipynb", "print('a')", "print('c')", ignored, tags=["nbval-ignore-output"])
    refresh.refresh(path)
    assert count_cells(path) == (2, 1)
    path.write_text(path.read_text(encoding="utf-8").replace('"a\\n"', '"b\\n"'), encoding="utf-8")
    assert re.search(r"01_try\.ipynb +\d+\.\d +2 +1 +1", _nbval(tmp_path))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_help_lists_every_target():
    listed = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"^make ([\w-]+)", listed, re.MULTILINE) == targets
    assert {"lab", "test", "refresh", "bench", "data", "help"} <= set(targets)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_python_of_the_wrong_version_is_refused_in_one_sentence(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    old = tmp_path / "python3.9"
    old.write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'import sys; sys.version_info = (3, 9, 0); exec(sys.argv[2])' \"$@\"\n"
    )
    old.chmod(0o755)
    found = subprocess.run(["make", "setup", "PYTHON=./python3.9"], capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode != 0
    assert "Python 3.11 to 3.13 is needed, but ./python3.9 is 3.9" in found.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_one_lesson_is_checked_by_another_target():
    found = subprocess.run(["make", "test", "NOTEBOOK=01", "-o", "data"], capture_output=True, text=True, cwd=ROOT)
    assert found.returncode != 0
    assert "For one lesson: make check NOTEBOOK=01" in found.stdout


def test_check_runs_style_form_tests_mutants_and_outputs_of_a_lesson():
    (lesson,) = notebooks.lessons(wanted=["02"])
    ruff, _, tests, nbval = check.commands(lesson)
    assert "ruff" in ruff
    for name in tests[tests.index("tests/test_form.py") : tests.index("-k")]:
        assert (ROOT / name).is_file()
    assert {"tests/test_otsu.py", "tests/test_mutants.py", "tests/test_exercises.py"} <= set(tests)
    assert nbval[-1] == str(Path("notebooks/02_otsu.ipynb"))


def test_check_of_no_lesson_or_several_names_those_there_are():
    for wanted in ([], [""], ["0"], ["77"], ["01", "02"]):
        with pytest.raises(SystemExit, match=r"Expected the number of one lesson.*there are 00, 01"):
            check.main(wanted)


def test_refresh_counts_the_study_time_and_marks_asides():
    cells = [TOP, "## Aside: why", "Because.", "## What", "A word."]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text) for text in cells])
    notebook.cells[3].metadata["tags"] = ["aside", "cover"]
    notebook = refresh.clean(notebook, 3.2)
    assert [notebooks.tags(cell) for cell in notebook.cells] == [set(), {"aside"}, {"aside"}, {"cover"}, set()]
    assert [cell.metadata.get(notebooks.COLLAPSED, False) for cell in notebook.cells] == [
        False,
        True,
        False,
        False,
        False,
    ]
    assert "*0 minutes of study. Runs in 4 s on two cores." in notebook.cells[0].source


def test_what_make_asks_before_it_installs_needs_no_package():
    questions = re.findall(r"@\$\(PYTHON\) -c '(.+)'$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert len(questions) == 2
    for question in questions:  # -S: without the installed packages, as a fresh Python is
        done = subprocess.run([sys.executable, "-S", "-c", question], cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
