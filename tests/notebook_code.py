"""What a notebook defines, as a module, and the exercises it asks."""

import ast
from pathlib import Path

import nbformat

from course_utils import lesson

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
load = lesson.definitions


def lesson_sources(name):
    """Code cells of a notebook up to its exercises."""
    return lesson.lesson_sources(NOTEBOOKS / f"{name}.ipynb")


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
