"""What a notebook defines, as a module: its imports, constants, functions and classes, without a kernel and without its output."""

import ast
import types
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
_TAKEN = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def load(name):
    """Read a notebook's imports, functions and classes into a module; later definitions replace earlier ones.

    What stands under its heading "Exercises" is the learner's, and is left out.
    """
    module = types.ModuleType(name)
    for source in lesson_sources(name):
        taken = [node for node in ast.parse(source).body if isinstance(node, _TAKEN)]
        code = compile(ast.Module(taken, type_ignores=[]), f"{name}.ipynb", "exec")
        exec(code, module.__dict__)
    return module


def lesson_sources(name):
    """Code cells of a notebook up to its exercises."""
    for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown" and "\n## Exercises" in f"\n{cell.source}":
            return
        if cell.cell_type == "code":
            yield cell.source


def exercise_cells(name):
    """Each exercise's name, with the variable that its cell hands to `check` and the cell's source."""
    found = {}
    for cell in nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check":
                exercise, answer = node.args
                found[exercise.value] = (answer.id, cell.source)
    return found
