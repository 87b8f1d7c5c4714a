"""Every command that README.md and its neighbors print: run as it stands where that is quick, dry or with --help where it is not."""

import functools
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tools.platforms import address

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "TEACHING.md", "publish/teaching/plans.md")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
SHELLS = ("", "sh", "bash", "shell", "console", "powershell")
INLINE = re.compile(r"`((?:make|conda|git clone|python3? -m|pip) [^`]+)`")
HAS_NBGRADER = importlib.util.find_spec("nbgrader") is not None


def commands(text):
    """The commands of a page as lists of words, Windows' paths written with /; comments and settings before a command are left out."""
    blocks = [block for language, block in FENCED.findall(text) if language in SHELLS]
    fenced = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in [*fenced, *INLINE.findall(FENCED.sub("", text))]:
        words = shlex.split(line.replace("\\", "/"), comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        if words:
            yield words


ALL = [(page, words) for page in PAGES for words in commands((ROOT / page).read_text(encoding="utf-8"))]


@functools.cache
def _run(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def _make(words):
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    _run("make", "--dry-run", *words[1:])


def _install(words):
    """An installation is the one that `make` does, with the packages that pyproject.toml lists."""
    made = re.findall(r"pip install (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert " ".join(words) in [
        " ".join(shlex.split(line.replace("--quiet --disable-pip-version-check ", ""))) for line in made
    ]
    known = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for extras in re.findall(r"\.\[([\w,]+)\]", " ".join(words)):
        assert set(extras.split(",")) <= set(known)


def _python(words):
    """A module is asked for its help; pytest collects what it would run; an installation is compared with `make`'s."""
    if words[1:4] == ["-m", "pip", "install"]:
        return _install(words[4:])
    assert words[1] == "-m", words
    module, rest = words[2], words[3:]
    if module == "pytest":
        options, places = [word for word in rest if word[0] == "-"], [word for word in rest if word[0] != "-"]
        assert all((ROOT / place).exists() for place in places), places
        first = "notebooks/00_start_here.ipynb" if places else "tests/test_readme.py"  # one is collected for all
        assert _run(sys.executable, "-m", "pytest", "--collect-only", "-q", *options, first).strip()
    else:
        _files_exist(rest)
        _run(sys.executable, "-m", module, *[word for word in rest if not word.startswith("-")], "--help")


def _files_exist(words):
    for word in words:
        if re.search(r"\.(ipynb|md|yml|txt|toml)$", word) and not word.startswith("-"):
            assert (ROOT / word).is_file(), word


def _py(words):
    """Windows' launcher makes the environment, with a Python that is supported."""
    lowest, beyond = (
        int(minor)
        for minor in re.findall(
            r"3\.(\d+)",
            tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"],
        )
    )
    assert words[2:] == ["-m", "venv", ".venv"]
    assert lowest <= int(words[1].removeprefix("-3.")) < beyond


def _conda(words):
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    if words[1] == "activate":
        assert words[2:] == [environment["name"]]
    else:
        assert words[1:] == ["env", "create", "-f", "environment.yml"]


def _git(words):
    assert words[1] == "clone"
    assert words[2].removesuffix(".git") == address()


def _nbgrader(words):
    if not HAS_NBGRADER:
        pytest.skip("nbgrader is not installed: make classroom")
    code = "from nbgrader.apps.nbgraderapp import NbGraderApp; print(*NbGraderApp.subcommands)"
    assert words[1] in _run(sys.executable, "-c", code).split()


def _jupytext(words):
    _files_exist([word for word in words if word.startswith("notebooks/")])
    _run(sys.executable, "-m", "jupytext", "--help")


def _pip(words):
    if words[1] == "install":
        _install(words[2:])
    else:
        _run(sys.executable, "-m", "pip", words[1], "--help")


def _cd(words):
    assert len(words) == 2


KNOWN = {
    "make": _make, "python": _python, "python3": _python, "py": _py, "conda": _conda, "git": _git, "nbgrader": _nbgrader, "jupytext": _jupytext,
    "pip": _pip, "cd": _cd,
}  # fmt: skip


@pytest.mark.parametrize(("page", "words"), ALL, ids=[f"{page}: {' '.join(words)}" for page, words in ALL])
def test_command_works(page, words):
    name = Path(words[0]).name
    assert name in KNOWN, f"{page} prints the command {' '.join(words)!r}, and this test does not know how to try it"
    KNOWN[name](words)


def test_commands_are_found_in_blocks_and_lines():
    text = 'Run `make lab ARGS="--port 1"`, not `lab`.\n\n```\nA_B=1 .venv\\Scripts\\python -m pip  # why\n\nmake \\\n  test\n```\n\n```python\nx = 1\n```\n'
    assert list(commands(text)) == [
        [".venv/Scripts/python", "-m", "pip"], ["make", "test"], ["make", "lab", "ARGS=--port 1"]
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "make nothing",
        "python -m course_utils.nothing",
        "py -3.9 -m venv .venv",
        'python -m pip install -e ".[nothing]"',
        "conda activate base",
        "git clone https://github.com/nobody/nothing",
        "python -m jupyter lab notebooks/77.ipynb",
        "python -m pytest --nothing",
    ],
)
def test_command_that_can_not_work_is_found(line):
    (words,) = commands(f"```\n{line}\n```")
    with pytest.raises(AssertionError):
        KNOWN[words[0]](words)


def test_readme_is_short_and_says_how_to_start():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    assert {("make", "lab"), ("make", "test")} <= {tuple(words) for words in commands(text)}


def test_data_can_be_looked_at_as_its_readme_says():
    (words,) = [
        words for words in commands((ROOT / "data" / "README.md").read_text(encoding="utf-8")) if words[0] == "python"
    ]
    done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert "mnist" in done.stdout.lower()


def test_settings_name_every_variable_that_the_project_reads():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "course_utils").rglob("*.py"))
    read = set(re.findall(r"COURSE_[A-Z_]+", code))
    assert len(read) >= 7
    assert {name for name in read if f"`{name}" not in (ROOT / "README.md").read_text(encoding="utf-8")} == set()
