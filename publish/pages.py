"""What the reading site and the slides share: notebooks as they are read without a kernel, and files for pages that ask no network."""

import base64
import re
import struct
from importlib import metadata
from pathlib import Path

import nbformat

from course_utils import notebooks

BUILD = Path(__file__).resolve().parent.parent / "build"
_REMOTE_PICTURE = re.compile(r"!\[([^\]]*)\]\(https?:[^)]*\)")
_WIDGET = "application/vnd.jupyter.widget-view+json"


def without_kernel(lesson):
    """Read a notebook as someone without a kernel sees it.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    nbformat.NotebookNode
        A copy: in place of an explorer stand its still picture and the sentence that is stored with it; in place of a picture
        that would be fetched from the network, such as a badge, its words.
    """
    notebook = notebooks.read(lesson.path)
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
