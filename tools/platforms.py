"""Put into each lesson what Google Colab and Binder need: ``python -m tools.platforms``. No cell is run, and no output changes.

A line below the lesson's facts leads to both, and a guarded cell before the set-up cell fetches the collection on Colab; elsewhere it does
nothing. The repository's address stands in one place, `repository-code` in `CITATION.cff`. A second call changes nothing; after a change of the
address, call it again.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat

from course_utils import notebooks

CITATION = Path(__file__).resolve().parent.parent / "CITATION.cff"
ADDRESS = re.compile(r"^repository-code:\s*[\"']?(https://github\.com/[\w.-]+/[\w.-]+?)(?:\.git)?/?[\"']?\s*$", re.M)
LINE = re.compile(r"\n\n\*Run it in a browser, .*\*$", re.M)
BRANCH = "main"
# nbval and a reader see it do nothing; JupyterLab folds it, the site and the slides leave it out.
MARKS = {
    "tags": ["colab", "remove-cell"],
    "jupyter": dict(notebooks.FOLDED),
    "slideshow": {"slide_type": "skip"},
}
GUARD = """# Google Colab fetches the collection here; elsewhere this cell does nothing.
import sys

if "google.colab" in sys.modules and "/content/course" not in sys.path:
    import importlib.metadata
    import os
    import subprocess

    if not os.path.isdir("/content/course"):
        subprocess.run(["git", "clone", "--quiet", "--depth=1", "{address}", "/content/course"], check=True)
    before = importlib.metadata.version("numpy")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--editable", "/content/course"], check=True)
    importlib.invalidate_caches()
    if "numpy" in sys.modules and importlib.metadata.version("numpy") != before:
        raise SystemExit("NumPy was updated while it was in use. Choose 'Restart session' in the menu 'Runtime', and run this cell again.")
    sys.path.insert(0, "/content/course")"""


def address(citation=CITATION):
    """Read the repository's address.

    Parameters
    ----------
    citation : pathlib.Path
        The file with the line ``repository-code: https://github.com/OWNER/NAME``.

    Returns
    -------
    str or None
        None where there is no such line.
    """
    found = ADDRESS.search(citation.read_text(encoding="utf-8"))
    return found[1] if found else None


def line(repository, name):
    """The line with the links, for a notebook's name."""
    owner_and_name = repository.removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{owner_and_name}/blob/{BRANCH}/notebooks/{name}"
    binder = f"https://mybinder.org/v2/gh/{owner_and_name}/{BRANCH}?urlpath=lab/tree/notebooks/{name}"
    return f"*Run it in a browser, without installing: [Colab]({colab}), [Binder]({binder}).*"


def place(notebook, name, repository):
    """Put the line and the guarded cell into a notebook, or bring them up to date.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place. Cells that were run keep their order: those after the new cell count one higher.
    name : str
        The notebook's file name.
    repository : str
        Its repository's address.
    """
    top = notebook.cells[0]
    text = LINE.sub("", top.source)
    end = notebooks.FACTS.search(text).end()
    top.source = f"{text[:end]}\n\n{line(repository, name)}{text[end:]}"
    cell = next(filter(notebooks.is_for_colab, notebook.cells), None)
    if cell is None:
        cell = nbformat.v4.new_code_cell(id="colab", execution_count=1)
        _shift_counts(notebook.cells, 1)
        notebook.cells.insert(1, cell)
    cell.source = GUARD.format(address=repository)
    cell.metadata.update(MARKS)


def _shift_counts(cells, by):
    """Add to the counts of the cells that were run, and to those of their results."""
    for cell in cells:
        if cell.cell_type == "code" and cell.execution_count is not None:
            for part in [cell, *(output for output in cell.outputs if output.output_type == "execute_result")]:
                part.execution_count += by


def remove(notebook):
    """Take the line and the guarded cell out of a notebook again.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place; the cells count as before.
    """
    notebook.cells[0].source = LINE.sub("", notebook.cells[0].source)
    kept = [cell for cell in notebook.cells if not notebooks.is_for_colab(cell)]
    _shift_counts(kept, len(kept) - len(notebook.cells))
    notebook.cells = kept


def main(arguments=None, folder=notebooks.FOLDER, citation=CITATION):
    """Place them in every lesson, or take them out, and name the lessons that changed."""
    parser = argparse.ArgumentParser(prog="python -m tools.platforms", description=__doc__.splitlines()[0])
    parser.add_argument("--remove", action="store_true", help="take the line and the cell out again")
    options = parser.parse_args(arguments)
    repository = address(citation)
    if not repository and not options.remove:
        sys.exit(
            f"{citation.name} has no line 'repository-code: https://github.com/OWNER/NAME'. Colab and Binder read the repository from there: "
            "add the line and try again."
        )
    for lesson in notebooks.lessons(folder):
        path, notebook = lesson.path, lesson.notebook
        before = path.read_text(encoding="utf-8")
        remove(notebook) if options.remove else place(notebook, path.name, repository)
        nbformat.write(notebook, path)
        if path.read_text(encoding="utf-8") != before:
            print(path.name)


if __name__ == "__main__":
    main()
