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
        In place of an explorer stand its still picture and the sentence that is stored with it; in place of a picture that
        would be fetched from the network, such as a badge, its words.
    """
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _REMOTE_PICTURE.sub(r"\1", cell.source)
        if "outputs" in cell:
            cell.outputs = [part for output in cell.outputs for part in _without_widget(output)]
    return notebook


def _without_widget(output):
    """Split what an explorer left in a notebook into its picture, where there is one, and its sentence."""
    data = output.get("data", {})
    is_explorer = data.pop(_WIDGET, None) is not None or str(data.get("text/plain")).startswith("An explorer: ")
    if not is_explorer:
        return [output]
    sentence = data.pop("text/plain")
    caption = nbformat.v4.new_output("display_data", {"text/plain": sentence, "text/markdown": f"*{sentence}*"})
    return [output, caption] if data else [caption]


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
