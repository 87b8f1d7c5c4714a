"""Colab, Binder, the container and the workflow: what can be held to account without them."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import nbformat
import pytest
import yaml

from course_utils import notebooks
from tests import form
from tools import platforms

ROOT = Path(__file__).parent.parent
LESSONS = [lesson.path for lesson in notebooks.lessons()]
SOUND = LESSONS[2]
REPOSITORY = "https://github.com/ada/course"
PINNED = re.compile(r"^\s*-? *uses: ([\w./-]+)@([0-9a-f]{40}) # v\d+(\.\d+)*$")


@pytest.fixture
def copied(tmp_path):
    """A folder with two lessons, without what `tools.platforms` puts there, and a citation that names a repository."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for path in (LESSONS[0], SOUND):
        shutil.copy(path, folder)
    (tmp_path / "CITATION.cff").write_text(f"title: t\nrepository-code: {REPOSITORY}\n")
    platforms.main(["--remove"], folder=folder)
    return folder


def _place(folder):
    platforms.main([], folder=folder, citation=folder.parent / "CITATION.cff")


def _texts(folder):
    return [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.ipynb"))]


def _without_counts(cell):
    return [
        {key: value for key, value in output.items() if key != "execution_count"} for output in cell.get("outputs", [])
    ]


def test_lesson_with_them_keeps_every_rule_of_form_and_its_outputs(copied):
    path = copied / SOUND.name
    before, card = nbformat.read(path, as_version=4), notebooks.Lesson(path).card
    _place(copied)
    after = nbformat.read(path, as_version=4)
    for rule in form.RULES:
        assert rule(notebooks.Lesson(path)) == [], rule
    assert notebooks.Lesson(path).card == card
    assert [cell.source for cell in after.cells[2:]] == [cell.source for cell in before.cells[1:]]
    assert [_without_counts(cell) for cell in after.cells[2:]] == [_without_counts(cell) for cell in before.cells[1:]]
    assert f"github/ada/course/blob/main/notebooks/{SOUND.name}" in after.cells[0].source
    assert f"gh/ada/course/main?urlpath=lab/tree/notebooks/{SOUND.name}" in after.cells[0].source


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_rule_of_form_is_broken_by_them(path):
    notebook = nbformat.read(path, as_version=4)
    platforms.remove(notebook)
    kept = [rule for rule in form.RULES if not rule(notebooks.Lesson(path, notebook))]
    platforms.place(notebook, path.name, REPOSITORY)
    assert [rule.__name__ for rule in kept if rule(notebooks.Lesson(path, notebook))] == []


def test_links_are_placed_once_moved_to_a_new_address_and_removed(copied):
    before = _texts(copied)
    _place(copied)
    placed = _texts(copied)
    assert placed != before
    _place(copied)
    assert _texts(copied) == placed
    (copied.parent / "CITATION.cff").write_text("repository-code: 'https://github.com/emmy/notes.git'\n")
    _place(copied)
    assert _texts(copied) == [text.replace("ada/course", "emmy/notes") for text in placed]
    platforms.main(["--remove"], folder=copied)
    assert _texts(copied) == before


def test_counts_stay_whole(copied):
    _place(copied)
    for path in sorted(copied.glob("*.ipynb")):
        cells = notebooks.Lesson(path).code_cells
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        results = [(cell, out) for cell in cells for out in cell.outputs if out.output_type == "execute_result"]
        assert all(output.execution_count == cell.execution_count for cell, output in results)


def test_guard_does_nothing_here(capsys, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a command was run"))
    before = list(sys.path)
    exec(platforms.GUARD.format(address=REPOSITORY), {})
    assert sys.path == before
    assert capsys.readouterr() == ("", "")


def test_guard_fetches_and_installs_once_on_colab(monkeypatch):
    commands = []
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    for _ in range(2):
        exec(platforms.GUARD.format(address=REPOSITORY), {})
    clone, install = commands
    assert clone[:2] == ["git", "clone"]
    assert clone[-2:] == [REPOSITORY, "/content/course"]
    assert install == [sys.executable, "-m", "pip", "install", "--quiet", "--editable", "/content/course"]
    assert sys.path[0] == "/content/course"


def test_colab_guard_reuses_a_clone_and_asks_for_a_restart(monkeypatch):
    commands, versions = [], iter(["2.0.0", "2.4.6"])
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(os.path, "isdir", lambda path: path == "/content/course")
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    monkeypatch.setattr(importlib.metadata, "version", lambda name: next(versions))
    with pytest.raises(SystemExit, match=r"NumPy was updated while it was in use.*Restart session"):
        exec(platforms.GUARD.format(address=REPOSITORY), {})
    assert [command[0] for command in commands] == [sys.executable]
    assert "/content/course" not in sys.path


def test_definitions_are_read_past_the_guard(copied):
    before = set(vars(notebooks.definitions(SOUND.stem, copied)))
    _place(copied)
    assert set(vars(notebooks.definitions(SOUND.stem, copied))) - before <= {"sys"}


def test_without_an_address_nothing_is_written(copied):
    before = _texts(copied)
    (copied.parent / "CITATION.cff").write_text("title: t\n# repository-code: https://github.com/OWNER/NAME\n")
    with pytest.raises(
        SystemExit, match=r"CITATION\.cff has no line 'repository-code: https://github\.com/OWNER/NAME'"
    ):
        _place(copied)
    assert _texts(copied) == before


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lessons_are_as_the_tool_leaves_them(path):
    notebook, repository = nbformat.read(path, as_version=4), platforms.address()
    has = any(map(notebooks.is_for_colab, notebook.cells))
    if repository and has:
        platforms.place(notebook, path.name, repository)
    else:
        platforms.remove(notebook)
    assert notebook == nbformat.read(path, as_version=4), "call python -m tools.platforms"
    assert has or not repository


def _make_test():
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ntest:")[2].partition("\n\n")[0]
    return [
        line.replace("@$(BIN)/", "").replace(" $(ARGS)", "").strip()
        for line in recipe.splitlines()
        if "@$(BIN)/" in line
    ]


def test_workflow_runs_make_tests_commands_on_oldest_and_newest_python():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["test"]
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert [command for command in _make_test() if command not in runs] == []
    oldest, beyond = map(
        int,
        re.findall(
            r"3\.(\d+)",
            tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"],
        ),
    )
    assert job["strategy"]["matrix"]["python"] == [f"3.{oldest}", f"3.{beyond - 1}"]
    assert {name.split("-")[0] for name in job["strategy"]["matrix"]["os"]} == {"ubuntu", "macos", "windows"}
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow[True]["schedule"]  # YAML 1.1 reads `on` as True


def test_workflow_runs_lesson_13_against_the_container():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["serving"]["steps"]
    runs = " ; ".join(step["run"] for step in steps if "run" in step)
    assert re.search(r"docker compose up --detach.*--execute.* notebooks/13_serving\.ipynb.*make test-serving", runs)
    environment = next(step["env"] for step in steps if "--execute" in step.get("run", ""))
    assert set(environment) == {"COURSE_SERVING_REST", "COURSE_SERVING_GRPC", "COURSE_SERVING_FOLDER"}
    printed = re.search(r'"(failed requests: 0)"', runs)[1]
    outputs = (cell.get("outputs", []) for cell in notebooks.lessons(wanted=["13"])[0].code_cells)
    assert printed in "".join(output.get("text", "") for found in outputs for output in found)
    image = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))["services"]["serving"]["image"]
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", image)


def test_every_action_is_pinned_to_a_commit():
    lines = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8").splitlines()
    used = [line for line in lines if "uses:" in line]
    assert len(used) >= 3
    assert [line for line in used if not PINNED.match(line)] == []


@pytest.mark.parametrize("name", ["postBuild", ".github/workflows/test.yml"])
def test_modules_that_are_called_exist(name):
    called = re.findall(r"python -m ([a-z_.]+)", (ROOT / name).read_text(encoding="utf-8"))
    for module in called:
        if module.split(".")[0] in ("course_utils", "tools", "benchmarks"):
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_binders_script_can_be_run():
    assert os.access(ROOT / "postBuild", os.X_OK) or os.name == "nt"
    assert subprocess.run(["bash", "-n", str(ROOT / "postBuild")], check=True).returncode == 0
    assert not (ROOT / "binder").exists()
    assert not (ROOT / ".binder").exists()


def test_container_calls_a_target_that_exists():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    target = container["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
