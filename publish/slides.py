"""Make a deck of slides of each lesson: ``make slides``, then open ``build/slides/index.html``; press S for the speaker's notes.

The deck is chosen in the notebook, in each cell's metadata under ``slideshow``, so JupyterLab's own export makes the same slides:

- ``slide_type``, as JupyterLab's property inspector sets it: ``slide`` begins a section and ``subslide`` a slide, ``-`` goes on with it,
  ``fragment`` appears at the next key, ``notes`` is for the speaker, ``skip`` is left out;
- ``text``: Markdown for the slide, in place of a Markdown cell's prose or above what a code cell shows; its heading is the title;
- ``notes``: a list of what the speaker says and asks. One that begins with ``@`` stands for the question, misconception or
  demonstration of the teacher's book that holds the words after it.

Of a code cell a slide shows what a reader sees: its figure, or its code, unless that is folded, or long and prints something,
and what it printed.
"""

import base64
import re
import shutil
from dataclasses import dataclass, field
from typing import NamedTuple

import jinja2
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from pygments.formatters import HtmlFormatter

from course_utils import notebooks
from publish import pages, teacher

TYPES = ("slide", "subslide", "fragment", "-", "notes", "skip")
SLIDES = pages.BUILD / "slides"
TEMPLATES = pages.BUILD.parent / "publish" / "templates" / "slides"
WIDTH, HEIGHT = 1280, 720
NARROW = 1.5  # a picture whose width is less than this times its height stands beside the text, not below it
LONG = 6  # lines of code that prints something; where there are more, a slide shows only what it prints
_HEADING = re.compile(r"^(#{1,4}) (.*)\n*", re.M)
_DOCSTRING = re.compile(r'^ *"""(?:(?!""").|\n)*"""\n', re.M)  # the slide's title says what the code does
_FOR_TOOLS = re.compile(r" *# (noqa|fmt)\b.*")
_COVER = re.compile(r"!\[([^\]]*)\]\((\.\./[^)]*)\)\s*")


# ------------------------------------------------------------------------------------------------ what a cell is
def default_type(cell):
    """Choose what a cell is in the deck of its lesson where nobody has chosen.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    str
        One of `TYPES`: headings begin slides and so does a figure, other prose is for the speaker, other code is left out.
    """
    if notebooks.ASIDE in notebooks.tags(cell):
        return "skip"
    if cell.cell_type == "code":
        return "subslide" if notebooks.figures(cell) else "skip"
    if cell.source.startswith("#"):
        return "slide" if re.match(r"#{1,2} ", cell.source) else "subslide"
    return "notes"


def type_of(cell):
    """Read what a cell is in the deck; where it does not say so, it is its `default_type`.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    str
    """
    return cell.metadata.get("slideshow", {}).get("slide_type") or default_type(cell)


def mark(notebook):
    """Write down what each cell is in the deck, where nobody has chosen.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place.
    """
    for cell in notebook.cells:
        cell.metadata.setdefault("slideshow", {})["slide_type"] = type_of(cell)


# ------------------------------------------------------------------------------------------------ slides
class Part(NamedTuple):
    """What stands on a slide.

    Attributes
    ----------
    kind : str
        "text", "code", "output" or "picture".
    content : str or tuple of (str, str)
        Markdown, Python, what was printed; or a PNG in base64 and its alternative text.
    is_fragment : bool
        Whether it appears later than the rest.
    """

    kind: str
    content: str | tuple
    is_fragment: bool = False


@dataclass
class Slide:
    """One slide.

    Attributes
    ----------
    title, section : str
        Its heading, and the section's.
    parts : list of Part
    notes : list of str
        Markdown for the speaker.
    kind : str
        A class for the style sheet.
    prose : list of str
        Of its Markdown cells, for the speaker where nothing else is there to say.
    """

    title: str = ""
    section: str = ""
    parts: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    kind: str = ""
    prose: list = field(default_factory=list)

    def all(self, kind):
        """List the content of its parts of one kind."""
        return [part.content for part in self.parts if part.kind == kind]

    @property
    def is_split(self):
        """Whether the text stands beside the picture."""
        sizes = [pages.size_of(png) for png, _ in self.all("picture")]
        return (
            len(sizes) == 1
            and len(self.parts) > 1
            and sizes[0][0] < (2 if self.kind == "title" else 1) * NARROW * sizes[0][1]
        )

    @property
    def words_first(self):
        """Its parts in the order of the page: beside a picture the words come before it."""
        return sorted(self.parts, key=lambda part: part.kind == "picture") if self.is_split else self.parts


def parts_of(cell):
    """List what a cell puts on a slide.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    list of Part
    """
    is_fragment = type_of(cell) == "fragment"
    text = cell.metadata.get("slideshow", {}).get("text", "")
    if cell.cell_type == "markdown":
        return [Part("text", text or cell.source.partition(notebooks.REFERENCES)[0].strip(), is_fragment)]
    parts = [Part("text", text, is_fragment)] if text else []
    shown = notebooks.figures(cell)
    if shown:
        return parts + [Part("picture", figure, is_fragment) for figure in shown]
    is_table = any("text/markdown" in output.get("data", {}) for output in cell.outputs)
    if not (notebooks.is_folded(cell) or is_table or (cell.outputs and len(cell.source.splitlines()) > LONG)):
        parts.append(Part("code", _DOCSTRING.sub("", _FOR_TOOLS.sub("", cell.source)), is_fragment))
    for output in cell.outputs:
        data = output.get("data", {})
        if "text/markdown" in data:
            parts.append(Part("text", data["text/markdown"], is_fragment))
        elif printed := (output.get("text") or data.get("text/plain", "")).strip("\n"):
            parts.append(Part("output", printed, is_fragment))
    return parts


def _title_slide(lesson):
    """The first cell: title, promise, cover and objectives."""
    card, source = lesson.card, lesson.cells[0].source
    parts = [Part("text", card.promise)]
    objectives = source.partition(notebooks.OBJECTIVES)[2].strip()
    parts += [Part("text", f"{notebooks.OBJECTIVES}\n\n{objectives}")] if objectives else []
    cover = _COVER.search(source)
    if cover:
        png = base64.b64encode((notebooks.FOLDER / cover[2]).read_bytes()).decode()
        parts.append(Part("picture", (png, cover[1])))
    said = f"{card.study_minutes} minutes of study. Builds on {card.builds_on}."
    return Slide(card.title, f"Lesson {lesson.number}", parts, [said], "title")


def stacks_of(lesson):
    """Gather the slides of a lesson.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    list of list of Slide
        A stack for each section.
    """
    book, stacks, section, title = teacher.book(lesson), [], "", ""
    cells = pages.without_kernel(lesson).cells
    for number, cell in enumerate(cells):
        kind, prose = type_of(cell), cell.source if cell.cell_type == "markdown" else ""
        headings = [] if notebooks.ASIDE in notebooks.tags(cell) else _HEADING.findall(prose)
        begun = [text for level, text in headings if len(level) == 2]
        section = (begun or [section])[0 if prose.startswith("#") else -1]
        title = headings[0][1] if headings else title
        if kind == "skip":
            continue
        slideshow = cell.metadata.get("slideshow", {})
        if number == 0:
            stacks.append([_title_slide(lesson)])
        elif kind in ("slide", "subslide"):
            if kind == "slide":
                stacks.append([])
            stacks[-1].append(Slide())
        slide = stacks[-1][-1]
        if number and kind != "notes":
            for part in parts_of(cell):
                heading = _HEADING.match(part.content) if part.kind == "text" else None
                if heading:
                    slide.title = slide.title or heading[2]
                    part = part._replace(content=part.content[heading.end() :].strip())
                slide.parts += [part] if part.content else []
            slide.title = slide.title or title
        said = slideshow.get("notes", [])
        slide.notes += [book.item(each[1:]) if each.startswith("@") else each for each in said]
        slide.prose += [prose] if prose and number else []
        slide.section = slide.section or (slide.title if slide.title in begun else section)
        section = (begun or [section])[-1]
    told = {stacks[0][0].section}
    for slide in (slide for stack in stacks for slide in stack):
        slide.notes = slide.notes or slide.prose
        if slide.section not in told:
            told.add(slide.section)
            slide.notes = [*book.plan(slide.section), *slide.notes]
    return stacks


# ------------------------------------------------------------------------------------------------ pages
_LESSON_LINK = re.compile(r"(?<=\]\()(\d\d_\w+)\.ipynb[^)]*")
_FILE_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(\.\./[^)]*\)")


def _html(text):
    """Markdown as HTML; a link to a lesson leads to its deck, and one to a file of the project, which a deck has not, is its words."""
    text = _HEADING.sub(r"**\2**\n\n", text)  # in the notes: the slide has the heading
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


def main():
    """Write all decks and a page that lists them."""
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
