"""A lesson's notebook as an object: its card, cells, exercises, figures, asides, budget and definitions.

This is the only module that knows what a lesson's notebook looks like. It reads notebooks and never runs one.
"""

import ast
import base64
import contextlib
import linecache
import re
import types
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
FACTS = re.compile(
    r"^\*(?P<study>\d+) minutes of study\. Runs in (?P<run>\d+) s on two cores\. (?P<builds>Builds on [^*]+|Builds on nothing)\.\*$",
    re.M,
)
# Without it JupyterLab asks which kernel to start.
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
FOLDED = {"source_hidden": True}  # in a cell's metadata under "jupyter": JupyterLab shows a bar in place of the code
ASIDE = "aside"  # the tag of each cell of an aside
COLLAPSED = "jp-MarkdownHeadingCollapsed"  # in a heading's metadata: JupyterLab hides what stands under it
OBJECTIVES = "**After this lesson you can**"
REFERENCES = "**References.**"
NUMBERED = re.compile(r"^\*\*\d+\.\*\*", re.M)  # where the statement of an exercise begins
_HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*$", re.M)
_LINKS_TO_RUN = re.compile(r"^\*Run it in a browser[^\n]*$", re.M)  # to Colab and Binder; not every copy has them


class Card(NamedTuple):
    """What a lesson says about itself at its top.

    Attributes
    ----------
    title, promise : str
        The heading, and the first paragraph of text below it.
    study_minutes, run_seconds : int
        Time to work through it, counted, and to run it from top to bottom on two cores, measured.
    builds_on : str
        The lessons that come before.
    """

    title: str
    promise: str
    study_minutes: int
    run_seconds: int
    builds_on: str


class Task(NamedTuple):
    """An exercise as it stands in a notebook.

    Attributes
    ----------
    name, variable : str
        ``slug.exercise``, and the variable that holds the answer.
    statement : list of nbformat.NotebookNode
        The cells that ask: Markdown, and code where the statement has some.
    cell : nbformat.NotebookNode
        The cell for the answer.
    blank : str
        The answer cell's code before its ``check``.
    """

    name: str
    variable: str
    statement: list
    cell: dict
    blank: str


class Budget(NamedTuple):
    """How much a lesson's main line holds; asides don't count.

    Attributes
    ----------
    words : int
        Of all Markdown: whatever stands between two spaces, in formulas, links and references too.
    cells, lines : int
        Visible code cells, and all of their lines.
    figures, exercises : int
    lines_before_figure : int
        Visible lines of code before the first figure; all of them if there is none.
    """

    words: int
    cells: int
    lines: int
    figures: int
    exercises: int
    lines_before_figure: int

    @property
    def study_minutes(self):
        """Minutes of study: 180 words or 8 lines of code a minute, 1 minute per figure, 8 per exercise."""
        return round(self.words / 180 + self.lines / 8 + self.figures + 8 * self.exercises)


# Cells


def tags(cell):
    """Return the set of a cell's tags."""
    return set(cell.metadata.get("tags", []))


def is_code(cell):
    """Tell whether a cell holds code that is not blank."""
    return cell.cell_type == "code" and bool(cell.source.strip())


def is_for_colab(cell):
    """Tell whether a cell is the guarded one that only Google Colab needs."""
    return "colab" in tags(cell)


def is_folded(cell):
    """Tell whether JupyterLab shows only a bar in place of a cell's code."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def is_ignored(cell):
    """Tell whether nbval keeps a cell's output from comparison."""
    return bool(tags(cell) & {"nbval-ignore-output", "nbval-skip"})


def check_call(cell):
    """Find the call ``check("name", answer)`` by which an exercise's answer cell is known.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    tuple of (str, str) or None
        The exercise's name and the variable that is checked; None for any other cell.
    """
    if cell.cell_type != "code" or "check(" not in cell.source:
        return None
    for node in parse(cell.source)[0]:
        call = node.value if isinstance(node, ast.Expr) else None
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "check" and len(call.args) == 2:
            return call.args[0].value, getattr(call.args[1], "id", "")
    return None


def figures(cell):
    """List the figures that a cell shows.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    list of (str, str)
        A PNG in base64, on one line, and its alternative text, for each.
    """
    return [
        ("".join(output.data["image/png"].split()), output.metadata.get("image/png", {}).get("alt", ""))
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def figure(cell):
    """Read the one figure that a cell shows.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    tuple of (str, str)
        A PNG in base64 and its alternative text; two empty strings where the cell shows no figure.

    Raises
    ------
    ValueError
        If it shows more than one.
    """
    found = figures(cell)
    if len(found) > 1:
        raise ValueError(f"expected one figure per cell, got {len(found)}: {[alt for _, alt in found]}")
    return found[0] if found else ("", "")


# Lessons


def read(path):
    """Read a notebook's file.

    Parameters
    ----------
    path : str or pathlib.Path

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    ValueError
        If the file is not a notebook, for instance because it holds the marks of a merge.
    """
    import nbformat  # here, because it takes a second, and most lessons read no notebook

    try:
        text = Path(path).read_bytes().decode("utf-8-sig")  # some editors put a byte order mark in front
        notebook = nbformat.reads(text, as_version=4)
        "".join(cell.cell_type + cell.source for cell in notebook.cells)  # nbformat reads on where these are missing
        return notebook
    except FileNotFoundError:
        raise
    except Exception as error:  # nbformat's own kinds, and what its JSON parser raises
        raise ValueError(
            f"{path} can't be read as a notebook ({type(error).__name__}): restore it with `git restore {Path(path).name}` in its folder, "
            "or open it in a text editor and look for the marks of a merge."
        ) from None


class Lesson:
    """A lesson, read from its notebook when something is asked of it.

    Parameters
    ----------
    path : str or pathlib.Path
        Such as ``notebooks/02_otsu.ipynb``.
    notebook : nbformat.NotebookNode, optional
        Its content, where it is at hand already.

    Attributes
    ----------
    name, number, slug : str
        ``"02_otsu"``, ``"02"`` and ``"otsu"``. The slug also names the lesson's exercises, tests and benchmark.
    """

    def __init__(self, path, notebook=None):
        self.path = Path(path)
        self.name = self.path.stem
        self.number, _, self.slug = self.name.partition("_")
        if notebook is not None:
            self.notebook = notebook

    def __repr__(self):
        return f"Lesson({self.name!r})"

    @cached_property
    def notebook(self):
        """The notebook's content (nbformat.NotebookNode)."""
        return read(self.path)

    @property
    def cells(self):
        """All cells, in order."""
        return self.notebook.cells

    @property
    def code_cells(self):
        """The cells that hold code."""
        return [cell for cell in self.cells if is_code(cell)]

    @property
    def prose(self):
        """All Markdown as one text."""
        return "\n\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")

    @property
    def card(self):
        """What the lesson says about itself at its top (Card); ValueError if its first cell doesn't begin as it should."""
        first = self.cells[0]
        paragraphs = [part for part in first.source.split("\n\n") if not part.startswith("![")]
        facts = FACTS.search(first.source)
        if first.cell_type != "markdown" or not first.source.startswith("# ") or len(paragraphs) < 3 or not facts:
            raise ValueError(
                f"{self.path.name} should begin with a title, a sentence or two, and the line "
                "'*N minutes of study. Runs in N s on two cores. Builds on ....*'"
            )
        return Card(
            paragraphs[0][2:], paragraphs[1], int(facts["study"]), int(facts["run"]),
            facts["builds"].removeprefix("Builds on "),
        )  # fmt: skip

    @property
    def exercises(self):
        """The exercises that the lesson asks (list of Task); ValueError if one has no statement with its number, ``**1.**``."""
        found, pending = [], []
        for cell in self.cells:
            call = check_call(cell)
            if call is None:
                if cell.cell_type == "markdown" and NUMBERED.search(cell.source):
                    pending = []
                pending.append(cell)
                continue
            if not pending or not NUMBERED.search(pending[0].source):
                raise ValueError(
                    f"the answer cell of {call[0]} should follow a statement that begins with its number, **1.**"
                )
            found.append(Task(*call, pending, cell, cell.source.partition("\ncheck(")[0].rstrip()))
            pending = []
        return found

    @property
    def cover(self):
        """The figure of the cell with the tag ``cover``, as (PNG file, alternative text); ValueError if there is not one."""
        found = [figure for cell in self.cells if "cover" in tags(cell) for figure in figures(cell)]
        if len(found) != 1:
            raise ValueError(
                f"{self.path.name} has {len(found)} figures in cells with the tag 'cover', expected one: tag the cell of its best figure."
            )
        return base64.b64decode(found[0][0]), found[0][1]

    @property
    def asides(self):
        """The cells that belong to asides, as a list of lists; each begins with a heading "Aside: ..."."""
        found, level = [], 0
        for cell in self.cells:
            heading = _HEADING.match(cell.source) if cell.cell_type == "markdown" else None
            if heading and heading[2].startswith("Aside:"):
                found.append([])
                level = len(heading[1])
            elif heading and len(heading[1]) <= level:
                level = 0
            if level:
                found[-1].append(cell)
        return found

    @property
    def budget(self):
        """How much the main line holds (Budget)."""
        left_out = {id(cell) for aside in self.asides for cell in aside}
        words = lines = cells = shown = tasks = 0
        before = None
        for cell in (cell for cell in self.cells if id(cell) not in left_out):
            if cell.cell_type == "markdown":
                words += len(_LINKS_TO_RUN.sub("", cell.source).split())
            elif is_code(cell) and not is_folded(cell) and not is_for_colab(cell):
                cells += 1
                lines += len(cell.source.splitlines())
            pictures = len(figures(cell))
            before = lines if pictures and before is None else before
            shown += pictures
            tasks += check_call(cell) is not None
        return Budget(words, cells, lines, shown, tasks, lines if before is None else before)

    def sources(self):
        """List the sources of the code cells up to the heading "Exercises"; what follows is the learner's."""
        found = []
        for cell in self.cells:
            if cell.cell_type == "markdown" and "\n## Exercises" in f"\n{cell.source}":
                break
            if cell.cell_type == "code":
                found.append(cell.source)
        return found


def lessons(folder=FOLDER, wanted=()):
    """List the lessons in their order.

    Parameters
    ----------
    folder : pathlib.Path
        Where the notebooks are.
    wanted : sequence of str
        How their names begin, such as ``["02"]``; all where it is empty.

    Returns
    -------
    list of Lesson
    """
    paths = sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))
    return [Lesson(path) for path in paths if not wanted or path.name.startswith(tuple(wanted))]


def catalogue(folder=FOLDER):
    """Write the table of all lessons, as their notebooks describe themselves.

    Parameters
    ----------
    folder : pathlib.Path
        Where the notebooks are.

    Returns
    -------
    str
        A table in Markdown, with links.
    """
    rows = ["| lesson | what you will do | study | run |", "| :-- | :-- | --: | --: |"]
    for lesson in lessons(folder)[1:]:  # the first holds this table
        card = lesson.card
        link = f"[{lesson.number} {card.title}]({lesson.path.name})"
        rows.append(f"| {link} | {card.promise} | {card.study_minutes}&nbsp;min | {card.run_seconds}&nbsp;s |")
    return "\n".join(rows)


# Definitions

_TAKEN = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SEE_THROUGH = re.compile(r"\A\s*%%(?:time|capture|prun)\b.*\n")  # cell magics whose body is the lesson's own code
_CELL_MAGIC = re.compile(r"\A\s*(%%\w+)")  # of the others, the body is another language's, or leaves nothing behind
_BLOCK = re.compile(
    r"(?:^@.*\n)*^(?!@|[ \t)\]}#]|(?:else|elif|except|finally)\b).*\n?(?:(?:[ \t)\]}#].*)?\n|[ \t)\]}#].*\Z)*", re.M
)
_NAMED = re.compile(r"^(?:async\s+)?(?:def|class)\s+(\w+)|^(?:from\s+\S+\s+)?import\s+(.+)", re.M)


class _NotTaken:
    """Stands where a definition should be, and says why it isn't there when somebody uses it."""

    def __init__(self, sentence):
        self._sentence = sentence

    def __call__(self, *_, **__):
        raise ImportError(self._sentence)

    __mro_entries__ = __instancecheck__ = __call__

    def __getattr__(self, name):
        if name.startswith("__"):  # a question such as hasattr(thing, "__array__"), not a use
            raise AttributeError(name)
        raise ImportError(self._sentence)


class _Definitions(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        there = ", ".join(sorted(key for key in vars(self) if not key.startswith("_"))) or "nothing"
        raise AttributeError(f"{self.__name__}.ipynb defines no {name!r} before its exercises; it defines {there}.")


def parse(source):
    """Parse a cell as a student may have left it: with magics, shell lines, help marks, or half written.

    Parameters
    ----------
    source : str

    Returns
    -------
    nodes : list of ast.stmt
        The statements that are complete Python.
    faults : list of (list of str, str)
        For each part that isn't, the names that it seems to define, and what is wrong with it.
    text : str
        What the nodes' line numbers refer to.
    """
    text = _SEE_THROUGH.sub("", source).encode("utf-8", "replace").decode()  # half a pair of surrogates can't be parsed
    if magic := _CELL_MAGIC.match(text):
        return [], [(_names(text), f"it stands under {magic[1]}, which keeps it from the rest of the notebook")], text
    try:
        return ast.parse(text).body, [], text
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        # Python 3.12's SyntaxError on tabs mixed with spaces is named with its line below.
        with contextlib.suppress(SyntaxError):
            text = TransformerManager().transform_cell(text)
    nodes, faults = [], []
    for block in _blocks(text):
        start = text.count("\n", 0, block.start())
        try:
            nodes += ast.parse("\n" * start + block[0]).body
        except SyntaxError as error:
            faults.append((_names(block[0]), f"it isn't complete Python (line {error.lineno}: {error.msg})"))
    return nodes, faults, text


def _names(text):
    return [name for found in _NAMED.findall(text) for name in _bound_by(*found)]


def _blocks(text):
    """The whole text if it is complete Python, else its top-level statements, each with its decorators."""
    try:
        ast.parse(text)
        return [re.match(r"(?s).*", text)]
    except SyntaxError:
        return _BLOCK.finditer(text)


def _bound_by(defined, imported):
    return [defined] if defined else [part.split(" as ")[-1].split(".")[0].strip(" ()") for part in imported.split(",")]


def _one_by_one(node):
    """Each name that an import or a definition binds, with a statement that binds it alone, or a try that binds it."""
    if isinstance(node, ast.Try):  # as around an import, with None in its place
        parts = [part for each in (node, *node.handlers) for part in each.body] + node.orelse + node.finalbody
        kinds = (*_TAKEN, ast.Pass)
        is_plain = all(isinstance(p, kinds) or isinstance(getattr(p, "value", None), ast.Constant) for p in parts)
        return [(name, node) for part in parts for name, _ in _one_by_one(part)] if is_plain else []
    if not isinstance(node, (ast.Import, ast.ImportFrom)):
        return [(node.name, node)] if isinstance(node, _TAKEN) else []

    def alone(alias):
        return ast.copy_location(type(node)(**vars(node) | {"names": [alias]}), node)

    return [((alias.asname or alias.name).split(".")[0], alone(alias)) for alias in node.names]


def definitions(name, folder=FOLDER):
    """Read what another lesson defines, as it stands in that notebook, without running the lesson.

    A cell that a student has broken does no harm until something from it is used.

    Parameters
    ----------
    name : str
        The notebook's name without its ending, as ``"08_region_proposals"``.
    folder : pathlib.Path
        Where the notebooks are.

    Returns
    -------
    types.ModuleType
        With the notebook's imports, functions and classes. If a name is defined twice, the later definition counts. What
        stands under the heading "Exercises" is the learner's and is left out, and so are the notebook's variables. A name
        that can't be taken raises ImportError, with notebook, cell and reason, when it is called or looked into.

    Raises
    ------
    FileNotFoundError
        If there is no such notebook.
    ValueError
        If its file is not a notebook.

    Examples
    --------
    >>> otsu = definitions("02_otsu")
    >>> callable(otsu.otsu_threshold)
    True
    """
    path = Path(folder) / f"{name}.ipynb"
    if not path.is_file():
        known = ", ".join(lesson.name for lesson in lessons(folder))
        raise FileNotFoundError(f"there is no lesson {name!r}; there are: {known}.")
    module = _Definitions(name)
    for number, source in enumerate(Lesson(path).sources(), 1):
        _take(module.__dict__, source, f"{path.name}, code cell {number}")
    return module


def _take(namespace, source, cell):
    """Define in `namespace` what a cell defines, or put a stand-in where that is not possible."""
    nodes, faults, text = parse(source)
    # Tracebacks and TensorFlow's AutoGraph look a function's source up here.
    linecache.cache[f"<{cell}>"] = (len(text), None, text.splitlines(keepends=True), f"<{cell}>")
    for node in nodes:
        for name, part in _one_by_one(node):
            try:
                exec(compile(ast.Module([part], type_ignores=[]), f"<{cell}>", "exec"), namespace)
            # A missing package, say, or a default that needs the notebook's variables.
            except (Exception, SystemExit) as error:
                faults.append(([name], f"{type(error).__name__}: {error}"))
    for names, reason in faults:
        for name in names:
            if isinstance(namespace.get(name), (type(None), _NotTaken)):  # a sound one that stands earlier is kept
                namespace[name] = _NotTaken(f"{name!r} can't be taken from {cell}: {reason}. Mend that cell.")
