"""Copy lessons into my/, where a student writes and no update comes: ``make copy NOTEBOOK=02``.

Or ``python -m tools.copy_lesson 02`` in the project's folder. Git ignores my/. A copy never overwrites another one.
"""

import argparse
import itertools
import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"""(?P<before>\]\(|(?:href|src)=["'])(?P<target>[^\s)"'#]+)""")


def copy(lesson, my, stem=None):
    """Copy a lesson, its links included: those to its neighbors lead to them from the new place too.

    Parameters
    ----------
    lesson : path
        A notebook. One that is damaged is copied as it is.
    my : path
        The folder for the copy, beside the lesson's folder; made if need be.
    stem : str, optional
        The copy's name without ``.ipynb``, the lesson's by default; where it is taken, ``_2`` or a later number
        follows.

    Returns
    -------
    pathlib.Path
        The copy.

    Raises
    ------
    OSError
        If the lesson can't be read, or the copy can't be written.
    """
    lesson, my = Path(lesson), Path(my)
    data = lesson.read_bytes()
    try:
        notebook = json.loads(data)
        _relink(notebook, lesson.parent)
        data = (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
    except (ValueError, KeyError, TypeError):
        pass
    my.mkdir(exist_ok=True)
    for number in itertools.count(1):
        path = my / f"{stem or lesson.stem}{f'_{number}' if number > 1 else ''}.ipynb"
        try:
            with path.open("xb") as file:
                file.write(data)
            return path
        except FileExistsError:
            continue


def _relink(notebook, folder):
    def longer(match):
        is_neighbor = (folder / unquote(match["target"])).exists() and not match["target"].startswith("..")
        return f"{match['before']}../{folder.name}/{match['target']}" if is_neighbor else match[0]

    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            source = cell["source"]
            lines = [source] if isinstance(source, str) else source
            lines = [_LINK.sub(longer, line) for line in lines]
            cell["source"] = lines[0] if isinstance(source, str) else lines


def main(wanted, root=ROOT):
    """Copy the lessons whose names begin with one of `wanted`, and print where they are."""
    from course_utils import notebooks  # here, because tools.update uses `copy` before anything is installed

    lessons = [lesson.path for lesson in notebooks.lessons(root / "notebooks")]
    beginnings = tuple(f"0{word}" if len(word) == 1 and word.isdigit() else word for word in wanted)  # 1 is lesson 01
    chosen = [path for path in lessons if path.name.startswith(beginnings)]
    if not chosen:
        which = f"No lesson's name begins with {' or '.join(wanted)}" if wanted else "Say which lesson"
        sys.exit(
            f"{which}: make copy NOTEBOOK=02 or python -m tools.copy_lesson 02, for example. There are {', '.join(path.stem for path in lessons)}."
        )
    for path in chosen:
        try:
            print(f"{path.relative_to(root)} is copied to {copy(path, root / 'my').relative_to(root)}")
        except OSError as error:
            sys.exit(f"{path.name} can't be copied into {root / 'my'}: {error.strerror}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.copy_lesson", description=__doc__)
    parser.add_argument("lesson", nargs="*", help="how its file's name begins, for example 02")
    main(parser.parse_args().lesson)
