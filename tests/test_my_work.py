"""A student's own copies, and updates that keep what they wrote: tried with real clones, without a network."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tools import copy_lesson, refresh, update

ROOT = Path(__file__).parent.parent
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def _lesson(path, *sources, text=""):
    cells = [nbformat.v4.new_markdown_cell(text, id="top")]
    cells += [nbformat.v4.new_code_cell(source, id=f"cell-{place}") for place, source in enumerate(sources)]
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def _code(path):
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def _links(path):
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\(([^)\s]+)\)|(?:href|src)=[\"']([^\"']+)", text)
    return [link for pair in links for link in pair if link and not re.match(r"[a-z]+:|#", link)]


def test_links_of_every_lesson_lead_to_the_same_files_from_a_copy(tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".*"))
    checked = 0
    for path in sorted((tmp_path / "notebooks").glob("*.ipynb")):
        copied = copy_lesson.copy(path, tmp_path / "my")
        for before, after in zip(_links(path), _links(copied), strict=True):
            meant, found = (Path(os.path.normpath(p.parent / link)) for p, link in ((path, before), (copied, after)))
            assert meant == found
            checked += 1
        assert _code(copied) == _code(path)
        if not _links(path):
            assert copied.read_bytes() == path.read_bytes()
    assert checked > 30


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ("[a](01_a.ipynb)", "[a](../notebooks/01_a.ipynb)"),
        ("[a](01_a.ipynb#part) and [b](02%20b.ipynb)", "[a](../notebooks/01_a.ipynb#part) and [b](../notebooks/02%20b.ipynb)"),
        ('<a href="01_a.ipynb">', '<a href="../notebooks/01_a.ipynb">'),
        ("![](../publish/covers/01.png)", "![](../publish/covers/01.png)"),
        ("[x](https://example.org/01_a.ipynb) [y](#part) ![z](attachment:z.png)", None),
        ("$f[x](y)$", None),
    ],
)  # fmt: skip
def test_links_in_a_copy(text, copied, tmp_path):
    _lesson(tmp_path / "notebooks" / "02 b.ipynb")
    lesson = _lesson(tmp_path / "notebooks" / "01_a.ipynb", "print('[a](01_a.ipynb)')", text=text)
    copy = copy_lesson.copy(lesson, tmp_path / "my")
    assert nbformat.read(copy, as_version=4).cells[0].source == (copied or text)
    assert _code(copy) == _code(lesson)


def test_second_copy_overwrites_nothing(tmp_path, capsys):
    _lesson(tmp_path / "notebooks" / "02_otsu.ipynb", "1")
    copy_lesson.main(["02"], tmp_path)
    first = tmp_path / "my" / "02_otsu.ipynb"
    first.write_text("mine")
    copy_lesson.main(["02"], tmp_path)
    copy_lesson.main(["02"], tmp_path)
    assert first.read_text() == "mine"
    assert sorted(path.name for path in first.parent.iterdir()) == [
        "02_otsu.ipynb",
        "02_otsu_2.ipynb",
        "02_otsu_3.ipynb",
    ]
    assert capsys.readouterr().out.splitlines()[-1].endswith(str(Path("my", "02_otsu_3.ipynb")))


def test_one_digit_names_one_lesson(tmp_path):
    for name in ("01_a", "10_b", "11_c"):
        _lesson(tmp_path / "notebooks" / f"{name}.ipynb", "1")
    copy_lesson.main(["1"], tmp_path)
    assert [path.name for path in (tmp_path / "my").iterdir()] == ["01_a.ipynb"]


def test_damaged_notebook_is_copied_as_it_is(tmp_path):
    for content in (b"\xff\x00", b"[]", b"{}", b'{"cells": [1]}', b""):
        path = tmp_path / "notebooks" / "x.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        assert copy_lesson.copy(path, tmp_path / "my").read_bytes() == content


def test_copy_without_a_known_lesson_says_which_there_are(tmp_path):
    _lesson(tmp_path / "notebooks" / "02_otsu.ipynb", "1")
    with pytest.raises(
        SystemExit,
        match=r"^Say which lesson: make copy NOTEBOOK=02 or python -m tools.copy_lesson 02, for example. There are 02_otsu\.$",
    ):
        copy_lesson.main([], tmp_path)
    with pytest.raises(SystemExit, match=r"^No lesson's name begins with 77: .*02_otsu"):
        copy_lesson.main(["77"], tmp_path)
    (tmp_path / "my").write_text("a file")
    with pytest.raises(SystemExit, match=r"^02_otsu\.ipynb can't be copied into .*my: File exists\.$"):
        copy_lesson.main(["02"], tmp_path)


def test_a_copied_lesson_runs_where_it_lies(tmp_path):
    for name in ("notebooks", "course_utils"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    copied = copy_lesson.copy(tmp_path / "notebooks" / "02_otsu.ipynb", tmp_path / "my")
    notebook = nbformat.read(copied, as_version=4)
    refresh.execute(notebook, copied.parent)  # raises where a cell fails
    assert _code(copied)


def _git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clones(tmp_path, monkeypatch):
    """A teacher's clone and a student's, with a bare repository between them."""
    # MAKE's variables are those of a `make test` around this one, and would make an inner make tell its folders.
    for name in [name for name in os.environ if name.startswith(("GIT_", "MAKE", "MFLAGS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
    teacher, student = tmp_path / "teacher", tmp_path / "für mich"
    _git(tmp_path, "init", "-q", "--bare", "-b", "main", "served")
    _git(tmp_path, "clone", "-q", "served", "teacher")
    _git(teacher, "checkout", "-q", "-b", "main")
    (teacher / ".gitignore").write_text("/my/\n")
    (teacher / "pyproject.toml").write_text("one\n")
    _lesson(teacher / "notebooks" / "01_a.ipynb", "old = 1", text="[b](02_b.ipynb)")
    _lesson(teacher / "notebooks" / "02_b.ipynb", "old = 2")
    _publish(teacher)
    _git(tmp_path, "clone", "-q", "served", str(student))
    return teacher, student


def _publish(teacher):
    _git(teacher, "add", "-A")
    _git(teacher, "commit", "-q", "-m", "next")
    _git(teacher, "push", "-q", "-u", "origin", "main")


def _state(folder):
    files = [path for path in folder.rglob("*") if ".git" not in path.parts and path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _refused(student):
    """The sentence of a refusal, after which nothing differs."""
    before = _state(student)
    with pytest.raises(SystemExit) as refusal:
        update.update(student)
    assert _state(student) == before
    words = str(refusal.value)
    assert "\n" not in words
    return words


@needs_git
def test_update_brings_the_newest_and_says_so(clones):
    teacher, student = clones
    said = []
    assert update.update(student, said.append) == []
    assert said == ["The collection is up to date."]
    _lesson(teacher / "notebooks" / "01_a.ipynb", "new = 1")
    _lesson(teacher / "notebooks" / "03_c.ipynb", "new = 3")
    _publish(teacher)
    assert update.update(student, said.append) == ["notebooks/01_a.ipynb", "notebooks/03_c.ipynb"]
    assert said[1] == "Updated: 2 files have changed."
    assert [line for line in said[2:] if "Reload Notebook from Disk" in line and "kernel" in line] == said[2:] != []
    (teacher / "notes.txt").write_text("nothing that is open")
    _publish(teacher)
    assert update.update(student, said.append) == ["notes.txt"]
    assert said[3:] == ["Updated: 1 file has changed."]
    assert _state(student) == _state(teacher)


@needs_git
def test_lesson_that_both_changed_is_kept_in_my_and_the_rest_stays(clones):
    teacher, student = clones
    mine = [
        _lesson(student / "notebooks" / name, "mine", text="[b](02_b.ipynb)") for name in ("01_a.ipynb", "02_b.ipynb")
    ]
    copied = copy_lesson.copy(mine[0], student / "my")
    taken = student / "my" / "01_a_before_update.ipynb"
    taken.write_text("of the last update")
    (student / "notes.txt").write_text("mine")
    _lesson(teacher / "notebooks" / "01_a.ipynb", "new = 1")
    _publish(teacher)
    said = []
    update.update(student, said.append)
    kept = student / "my" / "01_a_before_update_2.ipynb"
    assert said[0] == "Your changes in notebooks/01_a.ipynb are kept in my/01_a_before_update_2.ipynb."
    assert _code(kept) == ["mine"]
    assert _links(kept) == ["../notebooks/02_b.ipynb"]
    assert _code(mine[0]) == ["new = 1"]
    assert _code(mine[1]) == ["mine"]  # the update did not touch it
    assert _code(copied) == ["mine"]
    assert taken.read_text() == "of the last update"
    assert (student / "notes.txt").read_text() == "mine"
    assert _git(student, "status", "--porcelain").splitlines() == [" M notebooks/02_b.ipynb", "?? notes.txt"]


@needs_git
def test_opened_lesson_leaves_no_copy_and_one_that_was_run_does(clones):
    teacher, student = clones
    for path, outputs in zip(sorted((student / "notebooks").iterdir()), ([], ["ran\n"]), strict=True):
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata |= {"language_info": {"name": "python"}, "kernelspec": {"name": "x", "display_name": "x"}}
        notebook.cells[1].execution_count = 7
        notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text=text) for text in outputs]
        nbformat.write(notebook, path)
        _lesson(teacher / "notebooks" / path.name, "new")
    _publish(teacher)
    update.update(student, lambda line: None)
    assert [path.name for path in (student / "my").iterdir()] == ["02_b_before_update.ipynb"]
    assert _git(student, "status", "--porcelain") == ""


@needs_git
def test_update_makes_way_for_new_damaged_staged_and_deleted_lessons(clones):
    teacher, student = clones
    for name in ("01_a", "02_b", "03_c", "04_d"):
        _lesson(teacher / "notebooks" / f"{name}.ipynb", "new")
    _publish(teacher)
    (student / "notebooks" / "01_a.ipynb").write_text("damaged")
    (student / "notebooks" / "02_b.ipynb").unlink()
    for name in ("03_c", "04_d"):
        _lesson(student / "notebooks" / f"{name}.ipynb", "mine")
    _git(student, "add", "notebooks/04_d.ipynb", "notebooks/01_a.ipynb")
    update.update(student, lambda line: None)
    assert _git(student, "status", "--porcelain") == ""
    assert (student / "my" / "01_a_before_update.ipynb").read_text() == "damaged"
    for name in ("03_c", "04_d"):
        assert _code(student / "my" / f"{name}_before_update.ipynb") == ["mine"]
    assert {tuple(_code(path)) for path in (student / "notebooks").iterdir()} == {("new",)}


@needs_git
def test_lesson_that_the_update_removes_is_kept_if_it_was_changed(clones):
    teacher, student = clones
    (teacher / "notebooks" / "02_b.ipynb").unlink()
    _publish(teacher)
    _lesson(student / "notebooks" / "02_b.ipynb", "mine")
    update.update(student, lambda line: None)
    assert not (student / "notebooks" / "02_b.ipynb").exists()
    assert _code(student / "my" / "02_b_before_update.ipynb") == ["mine"]


@needs_git
def test_update_that_can_not_keep_everything_changes_nothing(clones, tmp_path, monkeypatch):
    teacher, student = clones
    (teacher / "pyproject.toml").write_text("two\n")
    _lesson(teacher / "notebooks" / "01_a.ipynb", "new")
    _publish(teacher)
    _lesson(student / "notebooks" / "01_a.ipynb", "mine")
    (student / "pyproject.toml").write_text("mine\n")
    undo = "move your version elsewhere, then undo it with git checkout HEAD -- pyproject.toml."
    assert _refused(student) == f"You changed pyproject.toml, and so does the update: {undo}"
    _git(student, "checkout", "-q", "pyproject.toml")
    (student / "own.txt").write_text("mine")
    _git(student, "add", "own.txt")
    _git(student, "commit", "-q", "-m", "mine")
    assert _refused(student).startswith("You have commits of your own")
    _git(student, "remote", "set-url", "origin", str(tmp_path / "gone"))
    assert _refused(student).endswith("nothing was changed. Are you online?")
    _git(student, "checkout", "-q", "-b", "other")
    assert _refused(student).startswith("Git doesn't know where updates come from (")
    _git(student, "checkout", "-q", "--detach")
    assert _refused(student).endswith("go back to the branch that you cloned, with git switch main.")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "which", lambda name: None)
        assert _refused(student) == "Updating needs git, and git is not installed."
    shutil.rmtree(student / ".git")
    assert _refused(student).startswith("This folder was not made by git clone")


@needs_git
def test_files_that_git_does_not_know_are_named_with_what_helps(clones):
    teacher, student = clones
    (teacher / "own tool.py").write_text("new")
    _publish(teacher)
    (student / "own tool.py").write_text("mine")
    assert _refused(student).endswith("own tool.py, and so does the update: move your version elsewhere.")
    (student / "own tool.py").unlink()
    (teacher / "sub").mkdir()
    (teacher / "sub" / "04_d.ipynb").write_text("{}")
    _publish(teacher)
    (student / "sub").write_text("mine")
    assert re.search(r"Git could not update the files \(error: .*: sub\); what you wrote", _refused(student))


@needs_git
def test_folder_inside_another_repository_is_not_updated(clones):
    _, student = clones
    assert _refused(student / "notebooks").startswith("This folder was not made by git clone")


@needs_git
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_update_renews_the_setup_of_the_new_version(clones):
    teacher, student = clones
    shutil.copytree(ROOT / "tools", teacher / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (teacher / ".gitignore").write_text("/my/\n__pycache__/\n")
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    (teacher / "Makefile").write_text(re.sub(r"^setup:.*", "setup:\n\t@echo set up: old", recipe, flags=re.M))
    _publish(teacher)
    _git(student, "pull", "-q")
    (teacher / "Makefile").write_text(re.sub(r"^setup:.*", "setup:\n\t@echo set up: new", recipe, flags=re.M))
    _publish(teacher)
    words = ["make", "update", f"PYTHON={sys.executable}"]
    done = subprocess.run(words, cwd=student, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["Updated: 1 file has changed.", "set up: new"]
    _git(student, "remote", "set-url", "origin", "gone")
    failed = subprocess.run(words, cwd=student, capture_output=True, text=True)
    assert failed.returncode
    assert "set up" not in failed.stdout
    assert "Traceback" not in failed.stderr


def test_without_make_update_says_when_packages_changed(monkeypatch, capsys):
    monkeypatch.setattr(update, "update", lambda root: ["pyproject.toml"])
    monkeypatch.delenv("MAKELEVEL", raising=False)
    update.main()
    assert 'python -m pip install -c constraints.txt -e ".[dev]"' in capsys.readouterr().out
    monkeypatch.setenv("MAKELEVEL", "1")
    update.main()
    assert capsys.readouterr().out == ""
