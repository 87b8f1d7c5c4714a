"""The part of README.md in which the lessons describe themselves: ``python -m publish.readme``; ``make refresh`` calls it.

A lesson's picture is the stored figure of its cell with the tag ``cover``; its words and times are those at its top.
"""

import re
from pathlib import Path

from course_utils import notebooks

PROJECT = Path(__file__).resolve().parent.parent
README, COVERS = PROJECT / "README.md", PROJECT / "publish" / "covers"
_PART = re.compile(r"(?<=<!-- lessons -->\n).*(?=<!-- end of lessons -->)", re.S)


def table(lessons):
    """Write the table of the lessons, two in a row.

    Parameters
    ----------
    lessons : iterable of course_utils.notebooks.Lesson

    Returns
    -------
    str
        Markdown that GitHub shows: a picture and a link for each lesson, what it promises, and its times. Picture and words share a
        cell, because on a phone a column of pictures alone shrinks to stamps.
    """
    cells = []
    for lesson in lessons:
        card, (_, alt) = lesson.card, lesson.cover
        image = f'<img src="publish/covers/{lesson.number}.png" width="420" alt="{alt.replace(chr(34), "&quot;").replace("|", "&#124;")}">'
        words = f"**[{lesson.number} {card.title}](notebooks/{lesson.path.name})**<br>{card.promise}<br>"
        cells.append(f"{image}<br>{words}*{card.study_minutes} minutes of study, {card.run_seconds} s to run*")
    cells += [""] * (len(cells) % 2)
    rows = [f"| {left} | {right} |" for left, right in zip(cells[::2], cells[1::2], strict=True)]
    return "\n".join(["| | |", "| :-- | :-- |", *rows]) + "\n"


def write(readme=README, covers=COVERS, folder=notebooks.FOLDER):
    """Bring the table in README.md and the lessons' pictures up to date.

    Parameters
    ----------
    readme : pathlib.Path
        A page with the lines ``<!-- lessons -->`` and ``<!-- end of lessons -->``.
    covers : pathlib.Path
        The folder of the pictures.
    folder : pathlib.Path
        The folder of the lessons.
    """
    lessons = notebooks.lessons(folder)
    covers.mkdir(parents=True, exist_ok=True)
    for lesson in lessons:
        (covers / f"{lesson.number}.png").write_bytes(lesson.cover[0])
    text = readme.read_text(encoding="utf-8")
    readme.write_text(_PART.sub(lambda _: table(lessons), text), encoding="utf-8")


if __name__ == "__main__":
    write()
