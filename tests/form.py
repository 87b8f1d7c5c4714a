"""The rules of form that every notebook keeps. Each takes a lesson and returns what breaks the rule, in words."""

import ast
import base64
import io
import re
from itertools import pairwise

import numpy as np
from PIL import Image

from course_utils import notebooks
from tools.refresh import printed_seconds

IGNORED_SHARE = 0.15
CODE_LINES, MOST_CODE_LINES, MEDIAN_CODE_LINES = 25, 15, 6
KILOBYTES = 1000
WORDS, VISIBLE_CELLS, VISIBLE_LINES, LINES_BEFORE_FIGURE = 1800, 45, 250, 30
PROSE_SHARE = 0.85


def has_skeleton(lesson):
    """Title, promise, times and objectives at the top; one set-up cell; what goes wrong, exercises, recap, references."""
    problems = []
    try:
        lesson.card  # noqa: B018 - reading it checks it
    except ValueError as error:
        problems.append(str(error))
    objectives = re.findall(r"^- ", lesson.cells[0].source.partition(notebooks.OBJECTIVES)[2], re.MULTILINE)
    if not 3 <= len(objectives) <= 5:
        problems.append(f"expected '{notebooks.OBJECTIVES}' with 3 to 5 points, got {len(objectives)}")
    first = next((cell for cell in lesson.code_cells if not notebooks.is_for_colab(cell)), None)
    if first is None or "lesson.start(seed=" not in first.source:
        problems.append("the first code cell should call lesson.start(seed=...)")
    headings = re.findall(r"^## (.*)", lesson.prose, re.MULTILINE)
    order = [
        next((i for i, heading in enumerate(headings) if heading.startswith(name)), None)
        for name in ("What goes wrong", "Exercises", "Recap")
    ]
    if None in order or order != sorted(order):
        problems.append(f"sections 'What goes wrong', 'Exercises', 'Recap' should stand in this order, got {headings}")
    if notebooks.REFERENCES not in lesson.cells[-1].source:
        problems.append("the last cell should end with '**References.**'")
    return problems


def ran_in_order(lesson):
    """Every code cell was run, in order, in a new kernel."""
    counts = [cell.execution_count for cell in lesson.code_cells]
    return [] if counts == list(range(1, len(counts) + 1)) else [f"execution counts are {counts}"]


def nothing_on_stderr(lesson):
    """No cell writes to stderr or ends in an error, unless it is tagged for it."""
    return [
        f"cell {cell.execution_count}: {output.get('ename', 'stderr')}"
        for cell in lesson.code_cells
        for output in cell.outputs
        if output.get("name") == "stderr"
        or (output.output_type == "error" and "raises-exception" not in notebooks.tags(cell))
    ]


def no_absolute_path(lesson):
    """No path of the machine that it was made on, in source or in output."""
    found = re.findall(
        r"(?:/home/|/Users/|/root/|/tmp/|/work/|[A-Z]:\\\\)[\w./\\-]*", lesson.path.read_text(encoding="utf-8")
    )
    return [f"absolute path {text!r}" for text in found]


def no_widget_state(lesson):
    """No `metadata.widgets`: it is large, changes at each run, and GitHub refuses it."""
    return ["metadata.widgets is stored"] if "widgets" in lesson.notebook.metadata else []


def pictures(lesson):
    """Each stored PNG or JPEG with the number of its cell and its metadata."""
    for cell in lesson.code_cells:
        for output in cell.outputs:
            for kind in ("image/png", "image/jpeg"):
                if kind in output.get("data", {}):
                    yield cell.execution_count, output.data[kind], output.metadata.get(kind, {})


def pictures_not_blank(lesson):
    """Every stored picture decodes, and shows more than one color."""
    problems = []
    for count, text, _ in pictures(lesson):
        try:
            pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))
        except Exception as error:  # a broken file raises what its decoder likes
            problems.append(f"cell {count}: the picture does not decode ({type(error).__name__})")
            continue
        if (pixels == pixels[0, 0]).all():
            problems.append(f"cell {count}: the picture is blank")
    return problems


def alt_text_everywhere(lesson):
    """Every figure has a text of at least 20 characters, and every image in Markdown a text at all."""
    problems = [
        f"cell {count}: no alt text" for count, _, metadata in pictures(lesson) if len(metadata.get("alt", "")) < 20
    ]
    problems += [f"image without alt text: {link}" for link in re.findall(r"!\[\s*\]\([^)]*\)", lesson.prose)]
    problems += [
        f"image without alt text: {tag}"
        for tag in re.findall(r"<img\b[^>]*>", lesson.prose)
        if not re.search(r'alt="[^"]+"', tag)
    ]
    return problems


def explorers_compute_where_they_start(lesson):
    """An explorer's alt text takes what its sliders start at from the drawing function, so that a new default can't belie it."""
    parts = [part for cell in lesson.code_cells for part in notebooks.parse(cell.source)[0]]
    nodes = [node for part in parts for node in ast.walk(part)]
    drawings = {node.name: node.args.defaults for node in nodes if isinstance(node, ast.FunctionDef)}
    problems = []
    for call in (node for node in nodes if isinstance(node, ast.Call) and node.args):
        alt = next((word.value for word in call.keywords if word.arg == "alt"), None)
        text = " ".join(str(part.value) for part in getattr(alt, "values", [alt]) if isinstance(part, ast.Constant))
        starts = [getattr(value, "value", None) for value in drawings.get(getattr(call.args[0], "id", ""), [])]
        for start in (value for value in starts if isinstance(value, (int, float)) and value not in (0, 1, 2)):
            if re.search(rf"(?<![\d.]){start:g}(?!\.?\d)", text):
                problems.append(f"the alt text of {call.args[0].id} holds {start:g}, which is a default: compute it")
    return problems


def short_cells(lesson):
    """Code cells of at most 25 lines, folded ones too; of the visible ones nine in ten at most 15, median at most 6."""
    cells = [cell for cell in lesson.code_cells if not notebooks.is_for_colab(cell)]
    problems = [
        f"cell {cell.execution_count} has {n} lines"
        for cell in cells
        if (n := len(cell.source.splitlines())) > CODE_LINES
    ]
    visible = [cell for cell in cells if not notebooks.is_folded(cell)]
    lengths = [sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in visible]
    if np.mean([n <= MOST_CODE_LINES for n in lengths]) < 0.9:
        problems.append(f"more than one cell in ten is longer than {MOST_CODE_LINES} lines: {lengths}")
    if lengths and np.median(lengths) > MEDIAN_CODE_LINES:
        problems.append(f"the median cell has {np.median(lengths):g} lines, at most {MEDIAN_CODE_LINES} are allowed")
    return problems


def within_budget(lesson):
    """The main line is short enough for an evening: words, visible cells, visible lines, and the first figure early."""
    found, limits = lesson.budget, (WORDS, VISIBLE_CELLS, VISIBLE_LINES, LINES_BEFORE_FIGURE)
    counts = (found.words, found.cells, found.lines, found.lines_before_figure)
    names = ("words", "visible code cells", "visible lines of code", "visible lines before the first figure")
    return [
        f"{count:,} {name}, at most {limit:,} are allowed"
        for count, limit, name in zip(counts, limits, names, strict=True)
        if count > limit
    ]


def folded_cells_say_what_they_hide(lesson):
    """A folded cell begins with a comment of one line, and asides are marked as `make refresh` marks them."""
    problems = [
        f"the folded cell {cell.execution_count} should begin with a comment that says what it hides"
        for cell in lesson.code_cells
        if notebooks.is_folded(cell) and not re.match(r"# \S.{8,100}\n[^#]", cell.source)
    ]
    for aside in lesson.asides:
        if not (
            aside[0].metadata.get(notebooks.COLLAPSED) and all(notebooks.ASIDE in notebooks.tags(c) for c in aside)
        ):
            problems.append(f"{aside[0].source.splitlines()[0]!r} is not marked as an aside: run `make refresh`")
    return problems


def prose_before_code(lesson):
    """At least 85 % of the visible code cells follow a cell of prose."""
    cells = [cell for cell in lesson.cells if not (notebooks.is_for_colab(cell) or notebooks.is_folded(cell))]
    before = [previous.cell_type == "markdown" for previous, cell in pairwise(cells) if cell.cell_type == "code"]
    share = np.mean(before) if before else 1
    return [] if share >= PROSE_SHARE else [f"only {share:.0%} of the code cells follow a sentence"]


def small_file(lesson):
    """The file stays under 1 MB."""
    size = lesson.path.stat().st_size / 1000
    return [] if size < KILOBYTES else [f"{size:.0f} KB"]


def time_as_counted(lesson):
    """The study time at the top is what the formula gives."""
    printed, counted = notebooks.FACTS.search(lesson.cells[0].source), lesson.budget.study_minutes
    return [] if printed and int(printed["study"]) == counted else [f"the top should say '{counted} minutes of study'"]


def time_as_measured(lesson):
    """The run time at the top is what `make refresh` measured and stored."""
    measured = lesson.notebook.metadata.get("course", {}).get("run_seconds")
    if measured is None:
        return ["no run time was measured: run `make refresh`"]
    printed = notebooks.FACTS.search(lesson.cells[0].source)
    wanted = printed_seconds(measured)
    return (
        []
        if printed and int(printed["run"]) == wanted
        else [f"{measured} s were measured, so the top should say 'Runs in {wanted} s'"]
    )


def few_ignored_cells(lesson):
    """At most 15 % of the code cells, or two, are kept from comparison, and only by tags."""
    cells = lesson.code_cells
    ignored = [cell for cell in cells if notebooks.is_ignored(cell)]
    problems = [
        "a comment keeps a cell from comparison: use a tag"
        for cell in cells
        if re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source)
    ]
    if len(ignored) > max(2, IGNORED_SHARE * len(cells)):
        problems.append(f"{len(ignored)} of {len(cells)} cells are ignored")
    return problems


RULES = (
    has_skeleton,
    ran_in_order,
    nothing_on_stderr,
    no_absolute_path,
    no_widget_state,
    pictures_not_blank,
    alt_text_everywhere,
    explorers_compute_where_they_start,
    short_cells,
    prose_before_code,
    small_file,
    within_budget,
    folded_cells_say_what_they_hide,
    time_as_counted,
    time_as_measured,
    few_ignored_cells,
)
