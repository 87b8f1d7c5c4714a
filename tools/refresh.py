"""Execute, clean and store notebooks: ``make refresh``, or ``make refresh NOTEBOOK=01`` for one.

The time that a run took is stored in the notebook's metadata and written into the line at its top. ``git diff`` then
shows what changed. A notebook in which a cell fails is left as it was.
"""

import math
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbstripout import strip_output

from tools import readme, slides

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
# Without it JupyterLab asks which kernel to start.
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_NOT_STORED = [
    "metadata.widgets",
    "metadata.language_info",
    "metadata.jupytext",
    "cell.metadata.execution",
    "cell.metadata.lines_to_next_cell",
]
_WIDGET = "application/vnd.jupyter.widget-view+json"
_RUN_TIME = re.compile(r"(?<=Runs in )\d+(?= s on two cores)")


def execute(notebook, folder):
    """Run all cells in a new kernel.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place.
    folder : pathlib.Path
        Where it runs.

    Returns
    -------
    float
        Seconds, the start of the kernel included.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails that is not tagged ``raises-exception``.
    """
    begin = time.perf_counter()
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}},
        store_widget_state=False, coalesce_streams=True,
    )  # fmt: skip
    client.execute()
    return time.perf_counter() - begin


def clean(notebook, seconds):
    """Drop what would change at each run, and write down how long the run took, and what new cells are in the deck of slides.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    seconds : float

    Returns
    -------
    nbformat.NotebookNode
    """
    notebook = strip_output(notebook, keep_output=True, keep_count=True, keep_id=True, extra_keys=_NOT_STORED)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        # Its id is random, and until the cell is run JupyterLab would show "model not found" and not the still picture.
        output.get("data", {}).pop(_WIDGET, None)
    slides.mark(notebook)
    notebook.metadata["kernelspec"] = dict(KERNEL)
    notebook.metadata["course"] = {"run_seconds": round(seconds, 1)}
    top = notebook.cells[0]
    top.source = _RUN_TIME.sub(str(printed_seconds(seconds)), top.source)
    return notebook


def printed_seconds(seconds):
    """Round a measured time up to what a lesson's top prints.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    int
        At least 1.
    """
    return max(1, math.ceil(seconds))


def refresh(path):
    """Execute, clean and store one notebook.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    float
        Seconds that the run took.
    """
    notebook = nbformat.read(path, as_version=4)
    seconds = round(execute(notebook, path.parent), 1)
    nbformat.write(clean(notebook, seconds), path)
    return seconds


def main(wanted):
    """Refresh the notebooks whose names begin with one of `wanted`; all of them where it is empty."""
    paths = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if not wanted or path.name.startswith(tuple(wanted))]
    if not paths:
        sys.exit(
            f"No notebook's name begins with {', '.join(wanted)}; there are: {', '.join(p.name for p in sorted(NOTEBOOKS.glob('*.ipynb')))}."
        )
    first = min(NOTEBOOKS.glob("*.ipynb"))  # it shows the times of all others, so it comes last
    for path in [path for path in paths if path != first] + [first]:
        try:
            print(f"{path.name}: {refresh(path):.1f} s")
        except CellExecutionError as error:
            sys.exit(f"{path.name} is left as it was, a cell failed:\n{error}")
    readme.write()


if __name__ == "__main__":
    main(sys.argv[1:])
