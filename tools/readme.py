"""The part of README.md in which the lessons describe themselves: ``python -m tools.readme``; ``make refresh`` calls it.

A lesson's picture is the stored figure of its cell with the tag ``cover``; its words and times are those at its top.
"""

import base64
import re
from pathlib import Path

import nbformat

from course_utils import lesson

PROJECT = Path(__file__).resolve().parent.parent
README, COVERS = PROJECT / "README.md", PROJECT / "site" / "covers"
_PART = re.compile(r"(?<=<!-- lessons -->\n).*(?=<!-- end of lessons -->)", re.S)


def cover(path):
    """Read a lesson's picture.

    Parameters
    ----------
    path : pathlib.Path
        The lesson's notebook.

    Returns
    -------
    tuple of (bytes, str)
        A PNG file, and its text for those who can't see it.

    Raises
    ------
    ValueError
        If there is not one cell with the tag ``cover`` and a stored figure.
    """
    cells = nbformat.read(path, as_version=4).cells
    found = [cell for cell in cells if "cover" in cell.metadata.get("tags", [])]
    figures = [output for cell in found for output in cell.outputs if "image/png" in output.get("data", {})]
    if len(figures) != 1:
        raise ValueError(
            f"{path.name} has {len(figures)} figures in cells with the tag 'cover', and one is wanted: tag the cell of its best figure."
        )
    return base64.b64decode(figures[0].data["image/png"]), figures[0].metadata["image/png"]["alt"]


def table(paths):
    """Write the table of the lessons.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        The lessons' notebooks, in order.

    Returns
    -------
    str
        Markdown that GitHub shows: a picture and a link for each lesson, what it promises, and its times.
    """
    rows = ["| | |", "| :-- | :-- |"]
    for path in paths:
        card, (_, alt) = lesson.read_card(path), cover(path)
        image = f'<img src="site/covers/{card.number}.png" width="360" alt="{alt.replace(chr(34), "&quot;").replace("|", "&#124;")}">'
        words = f"**[{card.number} {card.title}](notebooks/{path.name})**<br>{card.promise}<br>"
        rows.append(f"| {image} | {words}*{card.study_minutes} minutes of study, {card.run_seconds} s to run* |")
    return "\n".join(rows) + "\n"


def write(readme=README, covers=COVERS, notebooks=lesson.NOTEBOOKS):
    """Bring the table in README.md and the lessons' pictures up to date.

    Parameters
    ----------
    readme : pathlib.Path
        A page with the lines ``<!-- lessons -->`` and ``<!-- end of lessons -->``.
    covers : pathlib.Path
        The folder of the pictures.
    notebooks : pathlib.Path
        The folder of the lessons.
    """
    paths = sorted(notebooks.glob("[0-9][0-9]_*.ipynb"))
    covers.mkdir(parents=True, exist_ok=True)
    for path in paths:
        (covers / f"{path.stem[:2]}.png").write_bytes(cover(path)[0])
    text = readme.read_text(encoding="utf-8")
    readme.write_text(_PART.sub(lambda _: table(paths), text), encoding="utf-8")


if __name__ == "__main__":
    write()
