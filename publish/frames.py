"""The pictures that make explorers move on the reading site: ``python -m publish.frames 01``, or without a number for all lessons.

A lesson is run up to its last explorer, and each explorer is drawn at some positions of its sliders (see ``publish.recorder``). ``make
refresh`` does the same in the run that stores the lesson. The pictures lie in ``publish/frames/``; `make site` only copies them.
"""

import base64
import hashlib
import io
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from nbclient import NotebookClient
from PIL import Image
from scipy import ndimage

from course_utils import notebooks, plots
from course_utils.notebooks import is_code

PROJECT = Path(__file__).resolve().parent.parent
FRAMES = PROJECT / "publish" / "frames"
VISIBLE = 12  # levels: a frame whose 8 x 8 squares differ by no more on average is kept as it is


def _marked(shape, *places):
    marks = np.zeros(shape, bool)
    marks[tuple(zip(*places, strict=True))] = True
    return marks.tolist()


# By lesson and drawing function: what the site offers where all sliders thinned alike are not the best choice.
PLANS = {
    "01 draw_threshold": {"threshold": [*range(0, 36, 5), 36, *range(40, 65, 5), *range(70, 111, 10), 140, 170, 235]},
    "03 draw_marks": {
        "label": "markers",
        "presets": {
            "one in each nucleus": _marked((10, 14), (5, 3), (6, 6), (3, 10)),
            "two in one nucleus": _marked((10, 14), (5, 3), (7, 6), (5, 8), (3, 10)),
        },
    },
    "04 draw_lloyd": {
        "points": [4, 5],
        "k": [3, 5],
        "half_step": [0, 1, 2, 4, 40],
        "limit": 20,
        "label": "starting centroids",
        "presets": {
            "spread out": _marked((16, 16), (7, 5), (3, 10), (7, 14)),
            "all in one corner": _marked((16, 16), (13, 1), (14, 1), (14, 2)),
        },
    },
    "05 <lambda>": {"limit": 48},
    "06 draw_threshold": {"threshold": [-8, -4.0, -2, 0, 2, 4, 8], "picture": [0, 5, 10, 15]},
    "07 draw_moved": {"limit": 125},
    "10 draw_game": {
        "label": "table",
        "presets": {
            "one entry changed: no saddle point": [[4, -2, 10], [-10, 3, 2], [8, -6, 7]],
            "matching pennies": [[1, -1], [-1, 1]],
            "rock, paper, scissors": [[0, -1, 1], [1, 0, -1], [-1, 1, 0]],
            "a row that is never worth it": [[3, 1, 2], [1, 2, 3], [0, 0, 0]],
            "penalty kick, goals in percent": [[70, 93], [95, 58]],
        },
    },
    "10 draw_damped": {"limit": 20},
    "11 draw_album": {"label": [0, 7], "moment": [1, 2, 3, 4, 5, 6, 7, 8]},
}


def options(name, folder):
    """The kernel's options with which a lesson is recorded.

    Parameters
    ----------
    name : str
        Of the lesson, such as ``"01_thresholding"``.
    folder : str or pathlib.Path
        Where the recorder leaves what it drew.

    Returns
    -------
    list of str
    """
    plans = json.dumps({key[3:]: value for key, value in PLANS.items() if key[:2] == name[:2]})
    start = f"__import__('sys').path.insert(0, {str(PROJECT)!r}); "
    start += f"__import__('publish.recorder').recorder.Recorder({str(folder)!r}, __import__('json').loads({plans!r})); "
    return [f"--IPKernelApp.exec_lines={start}__import__('sys').path.pop(0)"]


def seconds(folder):
    """How long the recorder drew.

    Parameters
    ----------
    folder : str or pathlib.Path

    Returns
    -------
    float
        0 for a lesson without an explorer.
    """
    path = Path(folder) / "seconds"
    return float(path.read_text()) if path.exists() else 0.0


def overlay(png, start):
    """What differs between a frame and the picture of the start, to be laid over that one.

    Parameters
    ----------
    png, start : bytes
        Files of pictures, as :func:`course_utils.plots.compact` makes them.

    Returns
    -------
    bytes
        A WebP file, transparent where both are equal: without loss where that is smaller, else with one that is hard to see.
    """
    new, old = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in (png, start))
    if (np.array(new.shape) > old.shape).any():  # a picture of more rows is shown smaller
        smaller = Image.fromarray(new)
        smaller.thumbnail(old.shape[1::-1])
        new = np.asarray(smaller)
    if new.shape != old.shape:  # a table with fewer rows, whose picture is lower
        room = [(0, large - small) for large, small in zip(old.shape, new.shape, strict=True)]
        new = np.pad(new, room, constant_values=255)
    # Wider by two pixels: where a page scales both pictures, the edge of what lies above mixes with what lies below.
    changed = ndimage.binary_dilation((new != old).any(axis=2), np.ones((5, 5)))
    image = Image.fromarray(np.dstack([new * changed[..., None], np.uint8(255 * changed)]))
    made = []
    for options in ({"lossless": True, "quality": 70}, {"quality": 80, "alpha_quality": 100}):
        stream = io.BytesIO()
        image.save(stream, "WEBP", method=4, **options)
        made.append(stream.getvalue())
    return min(made, key=len)


def looks_the_same(old, new):
    """Compare two overlays by their squares of 8 x 8 pixels.

    Parameters
    ----------
    old, new : bytes
        Files of pictures.

    Returns
    -------
    bool
        True if no square's mean color differs by more than ``VISIBLE`` of 255 levels.
    """
    old, new = (np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"), float) for data in (old, new))
    if old.shape != new.shape:
        return False
    for data in (old, new):
        data[..., :3] *= data[..., 3:] / 255
    rows, columns = (size // 8 * 8 for size in old.shape[:2])
    difference = (old - new)[:rows, :columns].reshape(rows // 8, 8, columns // 8, 8, 4).mean(axis=(1, 3))
    return bool(np.abs(difference).max(initial=0) <= VISIBLE)


def digest_of(text_or_bytes):
    """SHA-256 of a cell's source, or of a picture's file, as frames.json has them."""
    data = text_or_bytes.strip().encode() if isinstance(text_or_bytes, str) else text_or_bytes
    return hashlib.sha256(data).hexdigest()


def still_of(cell):
    """The stored picture of an explorer's cell, as a file."""
    return base64.b64decode(notebooks.figure(cell)[0])


def explorers(cells):
    """The cells that show an explorer.

    Parameters
    ----------
    cells : iterable of nbformat.NotebookNode

    Returns
    -------
    list of nbformat.NotebookNode
    """
    return [
        cell
        for cell in cells
        if any(
            str(output.get("data", {}).get("text/plain")).startswith("An explorer: ")
            for output in cell.get("outputs", [])
        )
    ]


def folder_of(name, number, frames=FRAMES):
    """Where the frames of a lesson's explorer lie.

    Parameters
    ----------
    name : str
        Of the lesson, such as ``"01_thresholding"``.
    number : int
        Of the explorer in it, from 0.

    Returns
    -------
    pathlib.Path
    """
    return frames / f"{name[:2]}_{number}"


def store(name, cells, recorded, frames=FRAMES):
    """Store what the recorder drew; a frame that looks as before stays as it is, so that git shows no difference.

    Parameters
    ----------
    name : str
        Of the lesson.
    cells : iterable of nbformat.NotebookNode
        The lesson's, as they ran.
    recorded : str or pathlib.Path
        The recorder's folder.

    Raises
    ------
    ValueError
        If the recorder saw other explorers than there are in `cells`.
    """
    shown = explorers(cells)
    found = sorted(Path(recorded).glob("*/frames.json"), key=lambda path: int(path.parent.name))
    if len(found) != len(shown):
        raise ValueError(f"{name} has {len(shown)} explorers, and {len(found)} were recorded.")
    for number, (cell, path) in enumerate(zip(shown, found, strict=True)):
        told = json.loads(path.read_text())
        if told["source"] != digest_of(cell.source):
            raise ValueError(f"{name}: explorer {number} was recorded from another cell.")
        folder = folder_of(name, number, frames)
        folder.mkdir(parents=True, exist_ok=True)
        told["still"], kept = digest_of(still_of(cell)), folder / "frames.json"
        same = kept.exists() and json.loads(kept.read_text(encoding="utf-8"))["still"] == told["still"]
        start, wanted = still_of(cell), {kept}
        for frame in set(range(len(told["alts"]))) - {told["start"]}:
            data = overlay(plots.compact((path.parent / f"{frame}.png").read_bytes()), start)
            target = folder / f"{frame}.webp"
            wanted.add(target)
            if not (same and target.exists() and looks_the_same(target.read_bytes(), data)):
                target.write_bytes(data)
        text = json.dumps(told, ensure_ascii=False, indent=0, sort_keys=True) + "\n"
        (folder / "frames.json").write_text(text, encoding="utf-8")
        for gone in set(folder.iterdir()) - wanted:
            gone.unlink()
    for gone in frames.glob(f"{name[:2]}_*"):
        if int(gone.name[3:]) >= len(shown):
            shutil.rmtree(gone)


def record(lesson, frames=FRAMES):
    """Run a lesson up to its last explorer, and store the frames; the notebook stays as it is.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    list of int
        The explorers whose first picture is not the one that is stored in the notebook: the lesson has to be stored again.
    """
    stored = explorers(lesson.cells)
    if not stored:
        return []
    notebook = notebooks.read(lesson.path)
    last = max(k for k, cell in enumerate(notebook.cells) if cell.id == stored[-1].id)
    notebook.cells = [cell for cell in notebook.cells[: last + 1] if is_code(cell)]
    with tempfile.TemporaryDirectory() as recorded:
        NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(lesson.path.parent)}},
            store_widget_state=False, extra_arguments=options(lesson.name, recorded),
        ).execute()  # fmt: skip
        store(lesson.name, notebook.cells, recorded, frames)
    pairs = zip(stored, explorers(notebook.cells), strict=True)
    return [number for number, (old, new) in enumerate(pairs) if still_of(old) != still_of(new)]


def main(wanted):
    """Record the lessons whose names begin with one of `wanted`; all of them where it is empty."""
    code = 0
    for lesson in notebooks.lessons(wanted=wanted):
        for number in record(lesson):
            print(
                f"{lesson.name}: the picture of explorer {number} is not the stored one: python -m tools.refresh {lesson.number}"
            )
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
