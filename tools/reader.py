"""What the reading site and the slides share: notebooks as they are read without a kernel, and files for pages that ask no network."""

import base64
import re
import struct
from importlib import metadata
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
BUILD = Path(__file__).resolve().parent.parent / "build"
_REMOTE_PICTURE = re.compile(r"!\[([^\]]*)\]\(https?:[^)]*\)")
_WIDGET = "application/vnd.jupyter.widget-view+json"


def lessons():
    """List the lessons' notebooks in their order.

    Returns
    -------
    list of pathlib.Path
    """
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def read(path):
    """Read a notebook as someone without a kernel sees it.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    nbformat.NotebookNode
        The sentence that is stored with an explorer stands in its place, and its words in place of a picture that would
        be fetched from the network, such as a badge.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _REMOTE_PICTURE.sub(r"\1", cell.source)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if output.get("data", {}).pop(_WIDGET, None) is not None:
            output.data["text/markdown"] = f"*{output.data['text/plain']}*"
    return notebook


def alt_text(cell):
    """Read the text that is stored with a cell's figure.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    str
        Empty where the cell shows no figure.
    """
    texts = [
        output.metadata["image/png"]["alt"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    if len(texts) > 1:
        raise ValueError(f"a cell should show one figure, and one shows {len(texts)}: {texts}")
    return "".join(texts)


def figure(cell):
    """Read the figure that a cell shows.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        One that shows a figure.

    Returns
    -------
    str
        A PNG in base64, on one line.
    """
    found = next(output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {}))
    return "".join(found.split())


def size_of(png):
    """Read the size of a picture.

    Parameters
    ----------
    png : str
        In base64.

    Returns
    -------
    tuple of (int, int)
        Width and height in pixels.
    """
    return struct.unpack(">II", base64.b64decode(png[:32])[16:24])


def packaged(distribution, ending):
    """Find a file that an installed package carries.

    Parameters
    ----------
    distribution : str
        The package's name for pip.
    ending : str
        The end of the file's path.

    Returns
    -------
    pathlib.Path
    """
    return next(Path(file.locate()) for file in metadata.files(distribution) if file.as_posix().endswith(ending))


def mathjax():
    """Find MathJax, which needs no other file: it draws formulas as SVG.

    Returns
    -------
    pathlib.Path
    """
    return packaged("sphinx-mathjax-offline", "static/mathjax/tex-svg.js")
