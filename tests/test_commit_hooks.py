"""What a contributor may switch on: the hooks of pre-commit, and git's attributes for notebooks."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from tools import refresh

ROOT = Path(__file__).parent.parent
LESSON = ROOT / "notebooks" / "02_otsu.ipynb"
(LOCAL,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
HOOKS = {hook["id"]: hook for hook in LOCAL["hooks"]}


def _run(hook, *files):
    """Run a hook's command, with the Python of the tests in place of `.venv`'s."""
    python, *words = shlex.split(HOOKS[hook]["entry"])
    assert python == ".venv/bin/python"
    command = [sys.executable, *words, *map(str, files)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).returncode


def test_hooks_fetch_nothing():
    assert LOCAL["repo"] == "local"
    assert {hook["language"] for hook in HOOKS.values()} == {"system"}


def test_every_hook_leaves_a_stored_lesson_as_it_is(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "course_utils", tmp_path / "course_utils")  # ruff sorts imports by what lies here
    (tmp_path / "notebooks").mkdir()
    lesson = Path(shutil.copy(LESSON, tmp_path / "notebooks"))
    for hook in HOOKS:
        assert _run(hook, lesson) == 0, hook
        assert lesson.read_bytes() == LESSON.read_bytes(), hook


def test_style_is_repaired_or_refused(tmp_path):
    module = tmp_path / "x.py"
    module.write_text('"""A module."""\nimport os\nx = [1,2]\n')
    assert _run("ruff-check", module) == 0
    assert _run("ruff-format", module) == 0
    assert module.read_text() == '"""A module."""\n\nx = [1, 2]\n'
    module.write_text("x = (\n")
    assert _run("ruff-check", module) != 0


def test_metadata_of_a_run_are_dropped_and_outputs_stay(tmp_path):
    lesson = Path(shutil.copy(LESSON, tmp_path))
    notebook = nbformat.read(lesson, as_version=4)
    notebook.metadata |= {"language_info": {"name": "python"}, "widgets": {}, "jupytext": {}}
    for cell in notebook.cells:
        cell.metadata |= {"execution": {}, "lines_to_next_cell": 2}
    nbformat.write(notebook, lesson)
    _run("notebook-metadata", lesson)
    assert lesson.read_bytes() == LESSON.read_bytes()


def test_metadata_that_the_hook_drops_are_those_that_refresh_drops():
    words = shlex.split(HOOKS["notebook-metadata"]["entry"])
    assert words[words.index("--extra-keys") + 1].split() == refresh._NOT_STORED


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_without_nbdime_git_still_compares_and_merges_notebooks(tmp_path):
    def git(*words):
        command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    shutil.copy(ROOT / ".gitattributes", tmp_path)
    lesson = tmp_path / "x.ipynb"
    first, last = (nbformat.v4.new_code_cell(source, id=source) for source in ("first", "last"))
    between = [nbformat.v4.new_markdown_cell(str(number), id=f"cell-{number}") for number in range(3)]

    def commit(**sources):
        first.source, last.source = sources.get("first", "1"), sources.get("last", "2")
        nbformat.write(nbformat.v4.new_notebook(cells=[first, *between, last]), lesson)
        git("add", "-A")
        git("commit", "-q", "-m", "next")

    git("init", "-q", "-b", "main")
    commit()
    git("checkout", "-q", "-b", "other")
    commit(last="theirs")
    git("checkout", "-q", "main")
    commit(first="mine")
    assert '"mine"' in git("diff", "HEAD~1")
    git("merge", "-q", "other", "-m", "both")
    sources = [cell.source for cell in nbformat.read(lesson, as_version=4).cells]
    assert (sources[0], sources[-1]) == ("mine", "theirs")
    assert git("check-attr", "diff", "x.ipynb").strip() == "x.ipynb: diff: jupyternotebook"
