"""The teacher's book, ``publish/teaching``: what its pages take from the lessons is written into them by ``python -m publish.teacher``.

A page says where with a comment, and what stands up to ``<!-- end -->`` is replaced: ``<!-- minutes -->`` by the minutes of each section,
``<!-- wrong: otsu.mend | chapter_variance -->`` by the first wrong answer to that exercise which holds these words, with its verdict, and
``<!-- questions -->`` by all exercises.
"""

import re
from pathlib import Path
from typing import NamedTuple

import nbformat

from course_utils import checker, exercises, notebooks

FOLDER = Path(__file__).resolve().parent / "teaching"
GLOSSARY = FOLDER / "glossary.md"
ENTRY = FOLDER.parent.parent / "TEACHING.md"
_PART = re.compile(r"(<!-- (minutes|questions|wrong: (\w+\.\w+) \| (.+?)) -->\n).*?(?=<!-- end -->)", re.S)
_HEADING = re.compile(r"^(?=## )", re.M)
_ROW = re.compile(
    r'^\| <a id="(?P<anchor>[^"]+)"></a>(?P<names>[^|]+) \| (?P<chinese>[^|]+) \| (?P<meaning>[^|]+) \| (?P<lessons>[^|]+) \|$',
    re.M,
)
KINDS = {1: "a value", 2: "a function", 3: "a design"}


_PLANNED = re.compile(r"^\| (\d+) \| ([^|]+?) \| ([^|]+?) \|$", re.M)  # a row of the plan for 45 minutes


class Book(NamedTuple):
    """What a lesson's page says, for the speaker's notes.

    Attributes
    ----------
    rows : dict
        By section: the minutes that it takes in a class of 45, and how.
    left_out : str
        The sections that such a class leaves out.
    items : list of str
        Misconceptions, questions with their answers, and demonstrations, as Markdown.
    """

    rows: dict
    left_out: str
    items: list

    def plan(self, section):
        """Say how long a section takes, and how to teach it; in a list, empty where the page doesn't say."""
        if section in self.rows:
            minutes, how = self.rows[section]
            return [f"**{minutes} of 45 minutes.** {how}"]
        return ["**Left out of 45 minutes.**"] if section and section in self.left_out else []

    def item(self, words):
        """Find the one item that holds these words; ValueError if there are none or several."""
        found = [item for item in self.items if words in item]
        if len(found) != 1:
            raise ValueError(f"expected one place in the teacher's book with the words {words!r}, got {len(found)}")
        return found[0]


def book(lesson):
    """Read a lesson's page.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    Book
        Empty if the lesson has no page.
    """
    page = FOLDER / f"{lesson.name}.md"
    text = (
        re.sub(r"<!-- \w.*?<!-- end -->\n*", "", page.read_text(encoding="utf-8"), flags=re.S) if page.is_file() else ""
    )
    text = text.replace("(../../notebooks/", "(")
    wrong = [
        f"**Some think: {title}** {answer}"
        for title, answer in re.findall(r"^### (.*)\n\n((?:[^\n#]+\n)+)", text, re.M)
    ]
    asked = re.findall(r"^\*\*[^*\n]+\*\* .*", text, re.M)
    shown = re.findall(r"^- (.*)", text.partition("## To demonstrate")[2], re.M)
    rows = {section: (minutes, how) for minutes, section, how in _PLANNED.findall(text)}
    left_out = "".join(re.findall(r"^Leave out: (.*)", text, re.M))
    return Book(rows, left_out, [each.strip() for each in [*wrong, *asked, *(f"**Show.** {each}" for each in shown)]])


class Section(NamedTuple):
    """A part of a lesson.

    Attributes
    ----------
    title : str
        Its heading, or "Opening" for what stands before the first one.
    minutes : int
        To work through it, counted as the lesson's study time is.
    is_aside : bool
    """

    title: str
    minutes: int
    is_aside: bool


def _minutes(lesson, cells):
    """Study time of some cells of a lesson."""
    return notebooks.Lesson(lesson.path, nbformat.v4.new_notebook(cells=cells)).budget.study_minutes


def _markdown(source):
    return nbformat.v4.new_markdown_cell(source)


def sections(lesson):
    """Split a lesson at its headings of the second level; the minutes of the main line add up to its study time.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    list of Section
        The main line in its order, then the asides.
    """
    aside = {id(cell) for cells in lesson.asides for cell in cells}
    titles, ends, cells = ["Opening"], [], []
    for cell in (cell for cell in lesson.cells if id(cell) not in aside):
        for part in _HEADING.split(cell.source) if cell.cell_type == "markdown" else [None]:
            if part is not None and part.startswith("## "):
                ends.append(_minutes(lesson, cells))
                titles.append(part.splitlines()[0][3:])
            cells.append(cell if part is None else _markdown(part))
    ends.append(_minutes(lesson, cells))
    found = [Section(title, end - start, False) for title, start, end in zip(titles, [0, *ends], ends, strict=False)]
    for first, *rest in lesson.asides:
        title = re.match(r"#+ +Aside: (.*)", first.source)[1]
        text = _markdown(
            re.sub(r"^#+ +Aside: ", "", first.source)
        )  # else it would count as an aside, which takes no time
        found.append(Section(title, _minutes(lesson, [text, *rest]), True))
    return found


def minutes_table(lesson):
    """Write the minutes of a lesson's sections.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    str
        A table in Markdown, and a sentence on the asides.
    """
    parts = sections(lesson)
    rows = [f"| {part.title} | {part.minutes} |" for part in parts if not part.is_aside]
    total = sum(part.minutes for part in parts if not part.is_aside)
    asides = ", ".join(f"*{part.title}* ({part.minutes})" for part in parts if part.is_aside)
    table = "\n".join(["| section | minutes |", "| :-- | --: |", *rows, f"| **together** | **{total}** |"])
    return (
        f"{table}\n\nAsides, with their minutes, which are not counted above: {asides}.\n" if asides else f"{table}\n"
    )


def _escaped(text):
    """A verdict as Markdown that shows it as it is; what stands in backticks is code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<>\[\]$|#])", r"\\\1", part) for part in parts)


def wrong_answer(name, words):
    """Write a wrong answer as a teacher pastes it into the exercise's cell, and the verdict on it.

    Parameters
    ----------
    name : str
        The exercise.
    words : str
        The first wrong answer that holds them, in its code or in the words that its verdict must hold, is taken.

    Returns
    -------
    str
        Markdown.
    """
    from publish.answering import ALL, TASKS, run

    answer = next(
        each for each in exercises.answers(name) if each.kind == "wrong" and (words in each.code or words == each.note)
    )
    gap = "\n\n\n" if "def " in answer.code else "\n\n"
    verdict = checker.judge(ALL[name], run(name, answer.code))
    return f'```python\n{answer.code}{gap}check("{name}", {TASKS[name].variable})\n```\n\n> {_escaped(verdict.text)}\n'


def question_bank():
    """Write all exercises: their statements, what kind of answer each expects, its points, and how many wrong answers are known.

    Returns
    -------
    str
        Markdown.
    """
    from publish.assignments import points

    written = []
    for lesson in notebooks.lessons():
        if lesson.exercises:
            written.append(f"## {lesson.number} {lesson.card.title}")
        asides = {id(cell) for cells in lesson.asides for cell in cells}
        for task in lesson.exercises:
            known = sum(answer.kind == "wrong" for answer in exercises.answers(task.name))
            where = ", in an aside" if id(task.cell) in asides else ""
            written.append(
                f"### `{task.name}`\n\n*{KINDS[points(task)].capitalize()}, {points(task)} point{'s' * (points(task) > 1)}{where}; "
                f"{known} wrong answers are known.*"
            )
            for cell in task.statement:
                text = (
                    cell.source[notebooks.NUMBERED.search(cell.source).end() :]
                    if cell is task.statement[0]
                    else cell.source
                )
                text = re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text).strip()
                written.append(text if cell.cell_type == "markdown" else f"```python\n{text}\n```")
    return "\n\n".join(written) + "\n"


def lesson_of(page):
    """Find the lesson that a page of the book is about.

    Parameters
    ----------
    page : pathlib.Path

    Returns
    -------
    course_utils.notebooks.Lesson or None
    """
    path = notebooks.FOLDER / f"{page.stem}.ipynb"
    return notebooks.Lesson(path) if path.is_file() else None


def filled(text, lesson=None):
    """Write into a page what it takes from the lessons.

    Parameters
    ----------
    text : str
        The page.
    lesson : course_utils.notebooks.Lesson, optional
        The lesson that it is about.

    Returns
    -------
    str
    """

    def part(found):
        kind = found[2].partition(":")[0]
        if kind == "wrong":
            return found[1] + "\n" + wrong_answer(found[3], found[4]) + "\n"
        return found[1] + "\n" + (minutes_table(lesson) if kind == "minutes" else question_bank()) + "\n"

    return _PART.sub(part, text)


def pages():
    """List the pages of the book, besides TEACHING.md, which leads to them.

    Returns
    -------
    list of pathlib.Path
    """
    return sorted(FOLDER.glob("*.md"))


def site_name(page):
    """Name a page of the book as the reading site has it, where all pages lie in one folder.

    Parameters
    ----------
    page : pathlib.Path

    Returns
    -------
    str
        Without an ending.
    """
    if page.name == ENTRY.name:
        return "teaching"
    return page.stem if page == GLOSSARY else f"teaching_{page.stem}"


class Term(NamedTuple):
    """An entry of the glossary.

    Attributes
    ----------
    anchor : str
    names : tuple of str
        The term, and other ways to write it.
    is_common : bool
        The word means something else elsewhere, so the page says of what it is meant: **value** (of a game).
    chinese, meaning : str
    lessons : tuple of str
        The numbers of the lessons that explain it.
    """

    anchor: str
    names: tuple
    is_common: bool
    chinese: str
    meaning: str
    lessons: tuple


def terms(text=None):
    """Read the glossary.

    Parameters
    ----------
    text : str, optional
        Its Markdown, where it is not the book's own.

    Returns
    -------
    list of Term
        In the order of the page.
    """
    text = GLOSSARY.read_text(encoding="utf-8") if text is None else text
    return [
        Term(
            row["anchor"],
            tuple(re.findall(r"\*\*(.+?)\*\*", row["names"])),
            "(" in row["names"],
            row["chinese"].strip(),
            row["meaning"].strip(),
            tuple(re.findall(r"\[(\d\d)\]", row["lessons"])),
        )
        for row in _ROW.finditer(text)
    ]


# What is not running text: headings, code, formulas, links, pictures, HTML, and the list of references at the end.
_PROTECTED = re.compile(
    r"^#{1,6} [^\n]*|^(?P<f>```+|~~~+).*?^(?P=f)[^\S\n]*$|`[^`]+`|\$\$.*?\$\$|\$[^$]+\$|\\begin\{.*?\\end\{\w+\*?\}|!?\[[^\]]*\]\([^)]*\)|"
    r"<[^>]+>|^\*\d+ minutes of study[^\n]*|\*\*References\.\*\*.*",
    re.M | re.S,
)


def pattern(term):
    """Match a term in running text, as it is or in the plural.

    Parameters
    ----------
    term : Term

    Returns
    -------
    re.Pattern
        A name is matched as it is written; where it begins with a small letter, also at the start of a sentence.
    """
    ways = [
        rf"[{name[0].upper()}{name[0]}]{_spaced(name[1:])}" if name[0].islower() else _spaced(name)
        for name in term.names
    ]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(ways)})(?:s|es)?(?![\w-])")


def _spaced(text):
    return re.escape(text).replace(r"\ ", r"\s+")


def link_terms(texts, known, address="glossary.html"):
    """Link the first use of each term on a page to the glossary.

    Parameters
    ----------
    texts : list of str
        The page's Markdown, cell by cell.
    known : list of Term
    address : str
        Of the glossary.

    Returns
    -------
    list of str
        With HTML links in running text only.
    """
    texts = list(texts)
    for term in sorted(known, key=lambda term: -max(map(len, term.names))):  # "average precision" before "precision"
        expression = pattern(term)
        for number, text in enumerate(texts):
            start = _first_use(expression, text)
            if start is not None:
                found = expression.match(text, start)
                link = f'<a class="term" href="{address}#{term.anchor}">{found[0]}</a>'
                texts[number] = text[:start] + link + text[found.end() :]
                break
    return texts


def _first_use(expression, text):
    """Where running text first has the term; None if it never does."""
    guarded = [match.span() for match in _PROTECTED.finditer(text)]
    # The text of a link that was set before is guarded, too.
    guarded += [match.span() for match in re.finditer(r'<a class="term".*?</a>', text, re.S)]
    for found in expression.finditer(text):
        if not any(start < found.end() and found.start() < end for start, end in guarded):
            return found.start()
    return None


def write():
    """Bring all pages up to date."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        page.write_text(filled(text, lesson_of(page)), encoding="utf-8")


if __name__ == "__main__":
    write()
