"""The rules of form that every notebook keeps. Each takes a notebook and its path, and returns what breaks the rule, in words."""

import base64
import io
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from course_utils import lesson
from tools import links
from tools.refresh import printed_seconds

IGNORED_SHARE = 0.15
CODE_LINES, MOST_CODE_LINES, MEDIAN_CODE_LINES = 25, 15, 6
KILOBYTES = 1000
PROSE_SHARE = 0.85


def code_cells(notebook):
    """Code cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def for_colab(cell):
    """Tell whether a cell is the guarded one that only Google Colab needs; `tools.platforms` writes it."""
    return "colab" in cell.metadata.get("tags", [])


def prose_of(notebook):
    """All Markdown as one text."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def has_skeleton(notebook, path):
    """Title, promise, times and objectives at the top; one set-up cell; what goes wrong, exercises, recap, references."""
    problems = []
    try:
        lesson.read_card(path)
    except ValueError as error:
        problems.append(str(error))
    top = notebook.cells[0].source
    objectives = re.findall(r"^- ", top.partition("**After this lesson you can**")[2], re.MULTILINE)
    if not 3 <= len(objectives) <= 5:
        problems.append(
            f"'**After this lesson you can**' with 3 to 5 points is wanted, and there are {len(objectives)}"
        )
    first = next((cell for cell in code_cells(notebook) if not for_colab(cell)), None)
    if first is None or "lesson.start(seed=" not in first.source:
        problems.append("the first code cell should call lesson.start(seed=...)")
    headings = re.findall(r"^## (.*)", prose_of(notebook), re.MULTILINE)
    order = [
        next((i for i, heading in enumerate(headings) if heading.startswith(name)), None)
        for name in ("What goes wrong", "Exercises", "Recap")
    ]
    if None in order or order != sorted(order):
        problems.append(
            f"sections 'What goes wrong', 'Exercises', 'Recap' are wanted in this order, and there are {headings}"
        )
    if "**References.**" not in notebook.cells[-1].source:
        problems.append("the last cell should end with '**References.**'")
    return problems


def ran_in_order(notebook, path):
    """Every code cell was run, in order, in a new kernel."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    return [] if counts == list(range(1, len(counts) + 1)) else [f"execution counts are {counts}"]


def nothing_on_stderr(notebook, path):
    """No cell writes to stderr or ends in an error, unless it is tagged for it."""
    return [
        f"cell {cell.execution_count}: {output.get('ename', 'stderr')}"
        for cell in code_cells(notebook)
        for output in cell.outputs
        if output.get("name") == "stderr"
        or (output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []))
    ]


def no_absolute_path(notebook, path):
    """No path of the machine that it was made on, in source or in output."""
    found = re.findall(r"(?:/home/|/Users/|/root/|/tmp/|/work/|[A-Z]:\\\\)[\w./\\-]*", path.read_text(encoding="utf-8"))
    return [f"absolute path {text!r}" for text in found]


def no_widget_state(notebook, path):
    """No `metadata.widgets`: it is large, changes at each run, and GitHub refuses it."""
    return ["metadata.widgets is stored"] if "widgets" in notebook.metadata else []


def pictures(notebook):
    """Each stored PNG or JPEG with the number of its cell and its metadata."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for kind in ("image/png", "image/jpeg"):
                if kind in output.get("data", {}):
                    yield cell.execution_count, output.data[kind], output.metadata.get(kind, {})


def pictures_not_blank(notebook, path):
    """Every stored picture decodes, and shows more than one colour."""
    problems = []
    for count, text, _ in pictures(notebook):
        try:
            pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))
        except Exception as error:  # a broken file raises what its decoder likes
            problems.append(f"cell {count}: the picture does not decode ({type(error).__name__})")
            continue
        if (pixels == pixels[0, 0]).all():
            problems.append(f"cell {count}: the picture is blank")
    return problems


def alt_text_everywhere(notebook, path):
    """Every figure has a text of at least 20 characters, and every image in Markdown a text at all."""
    problems = [
        f"cell {count}: no alt text" for count, _, metadata in pictures(notebook) if len(metadata.get("alt", "")) < 20
    ]
    problems += [f"image without alt text: {link}" for link in re.findall(r"!\[\s*\]\([^)]*\)", prose_of(notebook))]
    problems += [
        f"image without alt text: {tag}"
        for tag in re.findall(r"<img\b[^>]*>", prose_of(notebook))
        if not re.search(r'alt="[^"]+"', tag)
    ]
    return problems


def short_cells(notebook, path):
    """Code cells of at most 25 lines; nine in ten at most 15, median at most 6."""
    cells = [cell for cell in code_cells(notebook) if not for_colab(cell)]
    lengths = [sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in cells]
    problems = [f"cell {number} has {n} lines" for number, n in enumerate(lengths, 1) if n > CODE_LINES]
    if np.mean([n <= MOST_CODE_LINES for n in lengths]) < 0.9:
        problems.append(f"more than one cell in ten is longer than {MOST_CODE_LINES} lines: {lengths}")
    if np.median(lengths) > MEDIAN_CODE_LINES:
        problems.append(f"the median cell has {np.median(lengths):g} lines, at most {MEDIAN_CODE_LINES} are wanted")
    return problems


def prose_before_code(notebook, path):
    """At least 85 % of the code cells follow a cell of prose."""
    cells = [cell for cell in notebook.cells if not for_colab(cell)]
    before = [previous.cell_type == "markdown" for previous, cell in pairwise(cells) if cell.cell_type == "code"]
    share = np.mean(before) if before else 1
    return [] if share >= PROSE_SHARE else [f"only {share:.0%} of the code cells follow a sentence"]


def small_file(notebook, path):
    """The file stays under 1 MB."""
    size = path.stat().st_size / 1000
    return [] if size < KILOBYTES else [f"{size:.0f} KB"]


def time_as_measured(notebook, path):
    """The run time at the top is what `make refresh` measured and stored."""
    measured = notebook.metadata.get("course", {}).get("run_seconds")
    if measured is None:
        return ["no run time was measured: run `make refresh`"]
    printed = lesson.FACTS.search(notebook.cells[0].source)
    wanted = printed_seconds(measured)
    return (
        []
        if printed and int(printed["run"]) == wanted
        else [f"{measured} s were measured, so the top should say 'Runs in {wanted} s'"]
    )


def few_ignored_cells(notebook, path):
    """At most 15 % of the code cells are kept from comparison, and only by tags."""
    cells = code_cells(notebook)
    ignored = [cell for cell in cells if {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", []))]
    problems = [
        "a comment keeps a cell from comparison: use a tag"
        for cell in cells
        if re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source)
    ]
    if len(ignored) > IGNORED_SHARE * len(cells):
        problems.append(f"{len(ignored)} of {len(cells)} cells are ignored")
    return problems


def links_resolve(notebook, path):
    """Every relative link leads to a file and, where it names one, to a heading, in Markdown cells and in Markdown that cells show."""
    return links.broken(links.text_of(notebook), Path(path))


RULES = (
    has_skeleton,
    ran_in_order,
    nothing_on_stderr,
    no_absolute_path,
    no_widget_state,
    pictures_not_blank,
    alt_text_everywhere,
    short_cells,
    prose_before_code,
    small_file,
    time_as_measured,
    few_ignored_cells,
    links_resolve,
)
