"""JupyterLab's own export, "Save and Export Notebook As", "Reveal.js Slides": the deck of a lesson as ``make slides`` has it.

By itself the export shows each chosen cell as the notebook has it: the prose in place of the slide's words, and folded drawing code that
pushes its figure off the slide. ``tools/jupyter`` names this preprocessor, for JupyterLab and for ``jupyter nbconvert`` in its terminal.
"""

import html
from pathlib import Path

import nbformat
from nbconvert.preprocessors import Preprocessor

from course_utils import notebooks
from publish import slides


class AsChosen(Preprocessor):
    """Replaces the cells of a lesson, or of a student's copy of one, by those of its slides; other notebooks stay as they are."""

    def preprocess(self, notebook, resources):
        """Choose what the export shows.

        Parameters
        ----------
        notebook : nbformat.NotebookNode
        resources : dict
            Under ``metadata`` it has the notebook's ``name``, without its ending, and ``path``, its folder.

        Returns
        -------
        tuple of (nbformat.NotebookNode, dict)
            The slides, and the same resources.
        """
        told = resources.get("metadata", {})
        path = Path(told.get("path", "")) / f"{told.get('name')}.ipynb"
        if told.get("name") not in {lesson.name for lesson in notebooks.lessons()} or not path.is_file():
            return notebook, resources
        try:
            stacks = slides.stacks_of(notebooks.Lesson(path))
        except (ValueError, KeyError, IndexError):  # a copy that its owner has changed a lot
            return notebook, resources
        notebook.cells = [
            cell for stack in stacks for number, slide in enumerate(stack) for cell in _cells(slide, number)
        ]
        return notebook, resources


def _cells(slide, number):
    """A slide as cells: its title, its parts, and what the speaker says."""
    yield _cell(nbformat.v4.new_markdown_cell(f"## {slide.title}"), "subslide" if number else "slide")
    for part in slide.words_first:
        yield _cell(_part(part, 240 if slide.kind == "title" else 440), "fragment" if part.is_fragment else "-")
    yield _cell(nbformat.v4.new_markdown_cell("\n\n".join(slide.notes)), "notes")


def _cell(cell, slide_type):
    cell.metadata["slideshow"] = {"slide_type": slide_type}
    return cell


def _part(part, height):
    if part.kind == "code":
        return nbformat.v4.new_code_cell(part.content)
    if part.kind == "picture":
        png, text = part.content
        style = f"max-height: {height}px; margin: auto"
        return nbformat.v4.new_markdown_cell(
            f'<img src="data:image/png;base64,{png}" alt="{html.escape(text)}" style="{style}">'
        )
    return nbformat.v4.new_markdown_cell(f"```\n{part.content}\n```" if part.kind == "output" else part.content)
