"""Make a deck of slides of each lesson: ``make slides``, then open ``build/slides/index.html``; press S for the speaker's notes.

The notebook says in its cells' metadata (``slideshow.slide_type``, as JupyterLab's property inspector sets it) what a cell is
in the deck: ``slide`` and ``subslide`` begin one, ``-`` goes on with it, ``notes`` is for the speaker, ``skip`` is left out.
A cell that says nothing is what `default_types` makes of it; ``make refresh`` writes that down.

A slide is not a page: of a cell's prose it shows each paragraph's first sentence, what is defined in bold, formulas, lists and
tables. The speaker's notes hold the prose in full.
"""

import argparse
import ast
import math
import re
import shutil
from dataclasses import dataclass, field
from itertools import pairwise

import jinja2
import nbformat
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from pygments.formatters import HtmlFormatter

from course_utils import notebooks
from publish import pages

TYPES = ("slide", "subslide", "fragment", "-", "notes", "skip")
SLIDES = pages.BUILD / "slides"
TEMPLATES = pages.BUILD.parent / "publish" / "templates" / "slides"
WIDTH, HEIGHT, MARGIN = 1280, 720, 52
TEXT, CODE, SMALLEST_CODE = 30, 22, 16  # pixels; see deck.css
ROOM = HEIGHT - 2 * 36 - 70  # under the title
PICTURE = 380  # pixels of height that a figure gets at least
SHORT = 170  # characters of a paragraph that is shown whole
_MASK = re.compile(r"\$[^$]+\$|`[^`]+`|\]\([^)]*\)|\([^()]*\)")
_NUMBERED = re.compile(r"\*\*\d+\.\*\*")  # an exercise
_DOCSTRING = re.compile(r'("""(?:(?!""").)+)\n\n(?:(?!""").|\n)*"""')  # of more than a line
_SENTENCE = re.compile(r"(?<=[.?!])\*{0,2}\s+(?=[A-Z*$`\[\x00])|(?<=:)\s+(?=[A-Z])")


# ------------------------------------------------------------------------------------------------ what a cell is
def default_types(notebook):
    """Choose what each cell of a lesson is in its deck.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    list of str
        One of `TYPES` for each cell.
    """
    types = []
    for cell, after in pairwise([*notebook.cells, None]):
        if notebooks.ASIDE in notebooks.tags(cell):
            types.append("skip")
        elif cell.cell_type == "code":
            types.append({"plumbing": "skip", "explorer": "notes", "step": "notes"}.get(role_of(cell), "-"))
        elif cell.source.startswith("#"):
            types.append("slide" if re.match(r"#{1,2} ", cell.source) else "subslide")
        else:
            leads_nowhere = after and after.cell_type == "code" and role_of(after) in ("plumbing", "step", "explorer")
            is_aside = leads_nowhere and len(cell.source) <= SHORT and "**" not in cell.source
            types.append("notes" if is_aside else "subslide")
    return types


def role_of(cell):
    """Say what a code cell is to someone who watches: a figure, an explorer without one, a definition, a result, a step, or plumbing.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    str
    """
    outputs = {kind for output in cell.outputs for kind in output.get("data", {"text": ""})}
    is_explorer = re.search(r"^explore", cell.source, re.MULTILINE)
    if "text/markdown" in outputs and not is_explorer:
        outputs.clear()  # a table that a cell writes is for reading, not for a slide
    if notebooks.is_for_colab(cell):  # the one that only Colab needs
        return "plumbing"
    if notebooks.check_call(cell):
        return "exercise"
    if is_explorer and "image/png" not in outputs:
        return "explorer"
    if "image/png" in outputs:
        return "figure"
    try:
        body = ast.parse(cell.source).body
    except SyntaxError:  # a line of IPython's own
        return "plumbing"
    defined = [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    is_hidden = notebooks.is_folded(cell) or not cell.source.strip()
    if is_hidden or "lesson.start(" in cell.source or all(map(_is_plumbing, body)):
        return "plumbing"
    return "result" if outputs else "definition" if defined else "step"


def _is_plumbing(node):
    """Imports, and functions that draw or check what they are given."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return True
    draws = re.search(r"\bplots\.|\bax\.|\baxes\b|\bFigure\(", ast.unparse(node))
    return isinstance(node, ast.FunctionDef) and bool(draws or node.name.startswith(("check_", "draw_", "show_")))


# ------------------------------------------------------------------------------------------------ prose made short
def sentences(paragraph):
    """Split a paragraph into sentences; formulas, code, links and brackets are not split.

    Parameters
    ----------
    paragraph : str

    Returns
    -------
    list of str
    """
    kept = _MASK.findall(paragraph)
    parts = _SENTENCE.split(_MASK.sub("\x00", " ".join(paragraph.split())))
    rest = iter(kept)
    return [re.sub("\x00", lambda _: " ".join(next(rest).split()), part) for part in parts]


def blocks(text):
    """Split Markdown into its blocks: paragraphs, formulas, lists, tables, fences.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
    """
    return [block.strip("\n") for block in re.findall(r"(?:\$\$.*?\$\$|```.*?```|[^\n]+\n?)+", text, re.DOTALL)]


def is_prose(block):
    """Tell a paragraph from a formula, a list, a table or a fence."""
    return not re.match(r"\$\$|[-*] |\d+\. |\||```|#|>", block)


def condense(found, leads_on=True):
    """Shorten a cell's prose for a slide.

    Parameters
    ----------
    found : list of str
        Blocks of Markdown without headings.
    leads_on : bool
        Whether code or a picture follows: then the last sentence, which leads to it, is kept.

    Returns
    -------
    list of str
        As many blocks.
    """
    return [
        _key(block, leads_on if i + 1 == len(found) else not is_prose(found[i + 1])) if is_prose(block) else block
        for i, block in enumerate(found)
    ]


def _key(paragraph, leads_on):
    parts = sentences(paragraph)
    if len(paragraph) <= SHORT:
        return paragraph
    last = [i for i in (len(parts) - 2, len(parts) - 1) if leads_on and len(" ".join(parts[i + 1 :])) < 40]
    keys = {0, *last, *(i for i, part in enumerate(parts) if re.search(r"\*\*[^*]+\*\*", part))}
    return " ".join(part for i, part in enumerate(parts) if i in keys)


# ------------------------------------------------------------------------------------------------ slides
@dataclass
class Slide:
    """One slide.

    Attributes
    ----------
    title, kicker : str
        Its heading, and the section's above it.
    text : list of str
        Blocks of Markdown.
    code, output : str
        Python, and what it printed.
    picture : tuple of (str, str) or None
        A PNG in base64 and its alt text.
    caption : str
        A sentence under the picture.
    notes : list of str
        Markdown for the speaker.
    kind : str
        A class for the style sheet.
    """

    title: str
    kicker: str = ""
    text: list = field(default_factory=list)
    code: str = ""
    output: str = ""
    picture: tuple | None = None
    caption: str = ""
    notes: list = field(default_factory=list)
    kind: str = ""

    def height(self):
        """Estimate the height of all but the picture, in pixels."""
        code = sum(math.ceil(max(len(line), 1) / 88) for line in self.code.splitlines())
        return (
            sum(map(_text_height, [*self.text, *([self.caption] if self.caption else [])]))
            + (CODE * 1.3 * code + 30 if code else 0)
            + (CODE * 1.25 * len(self.output.splitlines()) + 30 if self.output else 0)
        )

    def is_open(self):
        """Whether it has nothing but text."""
        return not (self.code or self.output or self.picture)


def _text_height(block):
    if block.startswith("$$"):
        return 75 + 45 * block.count("\\\\") + (25 if "\\sum" in block or "\\frac" in block else 0)
    if block.startswith("```"):
        return CODE * 1.3 * sum(math.ceil(max(len(line), 1) / 88) for line in block.splitlines()[1:-1]) + 30
    plain = re.sub(r"\]\([^)]*\)|\\[a-z]+|[$*{}_^]", "", block)
    lines = plain.splitlines() if not is_prose(block) else [plain]
    return sum(40 * math.ceil(len(line) / 82) for line in lines) + 14


class Deck:
    """The slides of a lesson, as they are gathered from its cells: a list of stacks, one for each section."""

    def __init__(self):
        self.stacks, self.section, self.heading = [], "", ""

    @property
    def slide(self):
        """The slide that is being filled."""
        return self.stacks[-1][-1]

    def begin(self, heading="", is_section=False, **content):
        """Begin a slide, or a stack of slides; without a heading it goes on under the last one."""
        if is_section:
            self.section = heading
            self.stacks.append([])
        self.heading = heading or self.heading
        self.stacks[-1].append(Slide(self.heading, self.section if self.heading != self.section else "", **content))

    def prose(self, text, leads_on, whole=False):
        """Add a piece of prose, with its heading."""
        heading = re.match(r"(#{2,4}) (.*)\n*", text)
        body = blocks(text[heading.end() :] if heading else text)
        whole = whole or any(_NUMBERED.match(block) for block in body)
        if not heading and not whole:
            body = self.conclude(body, leads_on)
        parts = body if whole else condense(body, leads_on)
        if self.slide.caption and not (heading or leads_on or whole) and _is_minor(parts):
            parts = []
        if heading:
            self.begin(heading[2], is_section=len(heading[1]) == 2)
        elif parts and not (self.slide.is_open() and self.slide.height() + sum(map(_text_height, parts)) < 260):
            self.begin()
        for part in parts:
            if self.slide.text and self.slide.height() + _text_height(part) > ROOM:
                self.begin()
            self.slide.text.append(part)
        self.slide.notes.append(text)

    def conclude(self, body, leads_on):
        """Give the picture or the output before it the first sentence, which says what was seen; returns the rest."""
        slide, parts = self.slide, sentences(body[0]) if body and is_prose(body[0]) else [""]
        is_lead = leads_on and len(body) == len(parts) == 1
        if not (slide.picture or slide.output) or slide.caption or is_lead:
            return body
        fits = slide.picture or slide.height() + _text_height(parts[0]) <= 1.2 * ROOM  # the slide gets a little smaller
        if not fits or not parts[0] or len(parts[0]) > 220 or parts[0].endswith(("?", ":")):
            return body
        if not leads_on and len(body) == 1 and len(body[0]) <= 240:
            parts = [body[0]]  # nothing follows: no slide for one more sentence
        slide.caption = parts[0]
        return [part for part in [" ".join(parts[1:]), *body[1:]] if part]

    def code(self, cell):
        """Add what a code cell shows: a figure, code, what it printed."""
        role = role_of(cell)
        if role == "figure":
            self.room_for(PICTURE)
            self.slide.picture = notebooks.figure(cell)
            return
        output = "" if role == "exercise" else _printed(cell)
        is_shown = role in ("definition", "exercise") or (role == "result" and _short(cell.source))
        source = _DOCSTRING.sub(r'\1"""', _without_plumbing(cell.source)) if is_shown else ""
        parts = _parts(source) or [""]
        for part in parts:
            new = Slide("", code=part, output=output if part == parts[-1] else "")
            self.room_for(new.height())
            if self.slide.output and new.code:
                self.begin()
            self.slide.code = "\n\n".join(filter(None, [self.slide.code, new.code]))
            self.slide.output = "\n".join(filter(None, [self.slide.output, new.output]))

    def room_for(self, height):
        """Begin a slide where the one that is being filled has no room; its last sentence leads on, so it comes along."""
        slide = self.slide
        if slide.picture or slide.caption:
            self.begin()
        elif slide.height() > (110 if slide.is_open() else 0) and slide.height() + height > ROOM:
            is_led = (
                slide.is_open() and len(slide.text) > 1 and is_prose(slide.text[-1]) and len(slide.text[-1]) < SHORT
            )
            lead = [slide.text.pop()] if is_led else []
            self.begin(text=lead)


def _is_minor(parts):
    """Whether what is left of a text is for the speaker: a sentence or two that name nothing new."""
    return len(" ".join(parts)) < SHORT and all(is_prose(part) and "**" not in part for part in parts)


def _without_plumbing(source):
    """Leave out imports, functions that draw or check, and comments for the style checker."""
    lines = source.splitlines()
    for node in reversed(ast.parse(source).body):
        if _is_plumbing(node):
            del lines[node.lineno - 1 : node.end_lineno]
    text = re.sub(r" *# (noqa|fmt)\b.*", "", "\n".join(lines))
    return re.sub(r"\n{3,}", "\n\n", text.strip())


def _short(source):
    return len([line for line in source.splitlines() if line.strip()]) <= 9


def _printed(cell):
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join("".join(text).rstrip() for text in texts)


def _parts(source):
    """Cut code that is too long for one slide where a statement of the first level begins."""
    if Slide("", code=source).height() <= ROOM * CODE / SMALLEST_CODE:
        return [source] if source else []
    lines = source.splitlines()
    starts = [node.lineno - 1 for node in ast.parse(source).body]
    middle = min(starts[1:] or [0], key=lambda start: abs(start - len(lines) / 2))
    halves = ["\n".join(lines[:middle]).rstrip(), "\n".join(lines[middle:])] if middle else [source]
    return halves if len(halves) == 1 else [part for half in halves for part in _parts(half)]


def types_of(notebook):
    """Read what each cell is in the deck; a cell that does not say it is what `default_types` makes of it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    list of str
    """
    stored = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells]
    return [said or default for said, default in zip(stored, default_types(notebook), strict=True)]


def stacks_of(lesson):
    """Gather the slides of a lesson: title and objectives first, exercises last.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    list of list of Slide
        A stack for each section.
    """
    notebook, card, deck = pages.without_kernel(lesson), lesson.card, Deck()
    types = types_of(notebook)
    deck.begin(card.title, is_section=True, kind="title", text=[card.promise])
    deck.slide.kicker = f"Lesson {lesson.number}"
    deck.slide.notes.append(f"{card.study_minutes} minutes of study. Builds on {card.builds_on}.")
    objectives = notebook.cells[0].source.partition(notebooks.OBJECTIVES)[2].strip()
    deck.begin("After this lesson you can", kind="objectives", text=[objectives])
    for i, (cell, kind) in list(enumerate(zip(notebook.cells, types, strict=True)))[1:]:
        if cell.cell_type == "code":
            if kind == "notes":
                text = _printed(cell).strip()
                deck.slide.notes.append(text if text.startswith("An explorer") else f"```python\n{cell.source}\n```")
            elif kind != "skip":
                if kind in ("slide", "subslide") and not deck.slide.is_open():
                    deck.begin()
                deck.code(cell)
            continue
        follows = next(
            (c for c, t in zip(notebook.cells[i + 1 :], types[i + 1 :], strict=True) if t not in ("skip", "notes")),
            None,
        )
        if kind == "notes":
            deck.slide.notes.append(cell.source)
        elif kind != "skip":
            main, _, references = cell.source.partition(notebooks.REFERENCES)
            pieces = re.split(r"\n(?=#{2,3} )", main.strip())
            for piece in pieces:
                leads_on = piece is pieces[-1] and follows is not None and follows.cell_type == "code"
                deck.prose(piece.strip(), leads_on, whole=deck.section in ("Exercises", "Recap"))
            if references:
                deck.slide.notes.append(f"{notebooks.REFERENCES} {references}")
    for before, slide in pairwise([slide for stack in deck.stacks for slide in stack]):
        slide.notes = slide.notes or before.notes  # what goes on from one slide to the next is said of both
    last = [stack for stack in deck.stacks if stack[0].title == "Exercises"]
    return [stack for stack in deck.stacks if stack not in last] + last


# ------------------------------------------------------------------------------------------------ pages
_LESSON_LINK = re.compile(r"(?<=\]\()(\d\d_\w+)\.ipynb[^)]*")
_FILE_LINK = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")
_COVER = re.compile(r"!\[[^\]]*\]\(\.\./[^)]*\)\s*")  # the deck shows this figure where the lesson draws it


def _html(text):
    """Markdown as HTML; a link to a lesson leads to its deck, and one to a file of the project, which a deck has not, is its words."""
    text = re.sub(r"^#{2,4} (.*)$", r"**\1**", text, flags=re.MULTILINE)  # in the notes: the slide has the heading
    return markdown2html_mistune(_FILE_LINK.sub(r"\1", _COVER.sub("", _LESSON_LINK.sub(r"\1.html", text))))


def _environment():
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True)
    html = jinja2.utils.markupsafe.Markup
    highlight = Highlight2HTML(pygments_lexer="python3")
    environment.filters |= {
        "md": lambda text: html(_html(text)),
        "code": lambda source: html(highlight(source)),
        "size": pages.size_of,
    }
    return environment


def assets():
    """Copy what the decks need beside themselves: reveal.js, MathJax, the style."""
    reveal = pages.packaged("sphinx-revealjs", "revealjs/dist/reveal.js").parents[1]
    target = SLIDES / "assets"
    target.mkdir(parents=True, exist_ok=True)
    for name in ("dist/reveal.js", "dist/reveal.css", "dist/reset.css", "plugin/notes/notes.js"):
        shutil.copy2(reveal / name, target)
    shutil.copytree(reveal / "dist/theme/fonts/source-sans-pro", target / "fonts", dirs_exist_ok=True)
    shutil.copy2(pages.mathjax(), target / "mathjax.js")
    shutil.copy2(TEMPLATES / "deck.css", target)
    shutil.copy2(TEMPLATES / "deck.js", target)
    (target / "code.css").write_text(HtmlFormatter(style="a11y-high-contrast-light").get_style_defs(".highlight"))


def mark(notebook):
    """Write down what begins a stack of slides, what is for the speaker and what is left out, where a cell says nothing.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place.
    """
    for cell, kind, default in zip(notebook.cells, types_of(notebook), default_types(notebook), strict=True):
        if kind in ("slide", "notes", "skip"):
            cell.metadata["slideshow"] = {"slide_type": kind}
        elif kind == default:  # it goes on from one slide to the next, which need not be said
            cell.metadata.pop("slideshow", None)


def mark_all():
    """Write down in every notebook, anew, what each cell is in the deck; what was chosen by hand is lost."""
    for lesson in notebooks.lessons():
        for cell in lesson.cells:
            cell.metadata.pop("slideshow", None)
        mark(lesson.notebook)
        nbformat.write(lesson.notebook, lesson.path)


def main(arguments=None):
    """Write all decks and a page that lists them, or the notebooks' metadata.

    Parameters
    ----------
    arguments : list of str, optional
        ``["--mark"]`` for the metadata; the command line by default.
    """
    parser = argparse.ArgumentParser(
        prog="python -m publish.slides", description="Make a deck of slides of each lesson."
    )
    parser.add_argument(
        "--mark", action="store_true", help="write into every notebook, anew, what each cell is in its deck"
    )
    if parser.parse_args(arguments).mark:
        return mark_all()
    assets()
    environment, cards = _environment(), []
    for lesson in notebooks.lessons():
        stacks = stacks_of(lesson)
        deck = environment.get_template("deck.html").render(
            card=lesson.card, number=lesson.number, stacks=stacks, width=WIDTH, height=HEIGHT
        )
        (SLIDES / f"{lesson.name}.html").write_text(deck, encoding="utf-8")
        cards.append((lesson.name, lesson.card, sum(map(len, stacks)), lesson.number))
    index = environment.get_template("index.html").render(cards=cards)
    (SLIDES / "index.html").write_text(index, encoding="utf-8")
    for old in set(SLIDES.glob("*.html")) - {SLIDES / f"{name}.html" for name, *_ in [*cards, ("index",)]}:
        old.unlink()
    print(f"{len(cards)} decks are ready: open {(SLIDES / 'index.html').relative_to(pages.BUILD.parent)} in a browser.")


if __name__ == "__main__":
    main()
