"""Execute, clean and store notebooks: ``make refresh``, or ``make refresh NOTEBOOK=01`` for one.

The time that a run took is stored in the notebook's metadata. The line at the lesson's top gets that time and the time of
study, which is counted. ``git diff`` then shows what changed. A notebook in which a cell fails is left as it was.
"""

import math
import os
import re
import sys
import tempfile
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbstripout import strip_output

from course_utils import notebooks
from publish import frames, readme, slides

_NOT_STORED = [
    "metadata.widgets",
    "metadata.language_info",
    "metadata.jupytext",
    "cell.metadata.execution",
    "cell.metadata.lines_to_next_cell",
]
_WIDGET = "application/vnd.jupyter.widget-view+json"
_RUN_TIME = re.compile(r"(?<=Runs in )\d+(?= s on two cores)")
_STUDY_TIME = re.compile(r"(?<=^\*)\d+(?= minutes of study\.)", re.M)


def execute(notebook, folder, options=()):
    """Run all cells in a new kernel.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place.
    folder : pathlib.Path
        Where it runs.
    options : iterable of str, optional
        For the kernel.

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
        store_widget_state=False, coalesce_streams=True, extra_arguments=list(options),
    )  # fmt: skip
    client.execute()
    return time.perf_counter() - begin


def clean(notebook, seconds):
    """Drop what would change at each run, and write down both times, which cells are asides, and what each is in the slides.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    seconds : float

    Returns
    -------
    nbformat.NotebookNode
    """
    notebook = strip_output(notebook, keep_output=True, keep_count=True, keep_id=True, extra_keys=_NOT_STORED)
    mark_asides(notebook)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        # Its id is random, and until the cell is run JupyterLab would show "model not found" and not the still picture.
        output.get("data", {}).pop(_WIDGET, None)
    slides.mark(notebook)
    notebook.metadata["kernelspec"] = dict(notebooks.KERNEL)
    tenths = round(seconds, 1)
    # JupyterLab saves 35.0 as 35, and a lesson that was only opened and saved must not change.
    notebook.metadata["course"] = {"run_seconds": int(tenths) if tenths == int(tenths) else tenths}
    top = notebook.cells[0]
    top.source = _RUN_TIME.sub(str(printed_seconds(seconds)), top.source)
    top.source = _STUDY_TIME.sub(str(notebooks.Lesson("", notebook).budget.study_minutes), top.source)
    return notebook


def mark_asides(notebook):
    """Tag the cells of asides, and fold each aside under its heading.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place. A cell that is no longer in an aside loses its mark.
    """
    for cell in notebook.cells:
        if notebooks.ASIDE in notebooks.tags(cell):
            cell.metadata["tags"] = [tag for tag in cell.metadata["tags"] if tag != notebooks.ASIDE]
            cell.metadata.pop(notebooks.COLLAPSED, None)
    for aside in notebooks.Lesson("", notebook).asides:
        aside[0].metadata[notebooks.COLLAPSED] = True
        for cell in aside:
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), notebooks.ASIDE]


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
    """Execute, clean and store one notebook, and the frames of its explorers for the reading site.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    float
        Seconds that the run took, without the frames.
    """
    notebook = notebooks.read(path)
    with tempfile.TemporaryDirectory() as recorded:
        seconds = execute(notebook, path.parent, frames.options(path.stem, recorded))
        seconds = round(seconds - frames.seconds(recorded), 1)
        nbformat.write(clean(notebook, seconds), path)
        if path.parent == notebooks.FOLDER:
            frames.store(path.stem, notebook.cells, recorded)
    return seconds


def main(wanted):
    """Refresh the notebooks whose names begin with one of `wanted`; all of them where it is empty."""
    known = [lesson.path for lesson in notebooks.lessons()]
    paths = [lesson.path for lesson in notebooks.lessons(wanted=wanted)]
    if not paths:
        sys.exit(
            f"No notebook's name begins with {', '.join(wanted)}; there are: {', '.join(path.name for path in known)}."
        )
    os.environ["COURSE_PROGRESS"] = "0"  # what is stored is a beginner's, however this was called
    first = known[0]  # it shows the times of all others, so it comes last
    for path in [path for path in paths if path != first] + [first]:
        try:
            print(f"{path.name}: {refresh(path):.1f} s")
        except CellExecutionError as error:
            sys.exit(f"{path.name} is left as it was, a cell failed:\n{error}")
    readme.write()


if __name__ == "__main__":
    main(sys.argv[1:])
