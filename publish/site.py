"""Build the reading site from the stored outputs: ``make site``, then open ``build/site/html/index.html``.

The pages are Sphinx's, see ``publish/templates/site/conf.py``. Notebooks are not executed, and neither the build nor a page asks the network.
"""

import html
import io
import json
import os
import pkgutil
import re
import shutil
import sys

import nbformat
from markdown_it import MarkdownIt
from PIL import Image
from sphinx.cmd.build import main as sphinx_build

import course_utils
from course_utils import notebooks
from publish import frames, pages, readme, smaller, teacher

PROJECT = pages.BUILD.parent
TEMPLATES = PROJECT / "publish" / "templates" / "site"
_FILE_LINK = re.compile(r"(?<=\]\()\.\./([^)#\s]+)")
_RELATIVE_LINK = re.compile(r"(?<=\]\()(?!#|[a-z]+:)([^)#\s]+)")
BOOK = """
```{toctree}
:glob:
:hidden:

teaching_plans
teaching_[0-9]*
teaching_questions
```
"""  # the pages under the one that leads to them
SOURCE, HTML = pages.BUILD / "site" / "source", pages.BUILD / "site" / "html"


def _copied(name):
    """The name of a copied file: a picture keeps its own, and anything else is text."""
    return name if name.endswith(".png") else f"{name}.txt"


TAKE = """
```{{raw}} html
<div class="take">
<details class="run"><summary>Run this lesson</summary>
<p>Clone the project with <code>git clone</code> and the address under <em>Code</em> on its page. You need git, make, and Python 3.11 to 3.13. In its folder type</p>
<pre>make lab</pre>
<p>and open <code>notebooks/{name}.ipynb</code> in JupyterLab. The first time takes a few minutes. To write in a copy of your own, type
<code>make copy NOTEBOOK={number}</code> first. Without make, or on Windows: see README.md in that folder.</p>
</details>
<a class="download" href="notebooks/{name}.ipynb" download>Download the notebook</a>
</div>
```
"""  # stands above what the lesson teaches


def cards():
    """Write the lessons of the first page: number, title, promise and minutes beside each picture.

    Returns
    -------
    str
        MyST Markdown.
    """
    items = []
    for lesson in notebooks.lessons():
        card, (_, alt) = lesson.card, lesson.cover
        items.append(
            f'<li><img src="_static/covers/{lesson.number}.webp" alt="{html.escape(alt)}" width="480" height="240">'
            f'<a href="{lesson.name}.html">{lesson.number} {html.escape(card.title)}</a>'
            f"<p>{MarkdownIt().renderInline(card.promise)}</p><p>{card.study_minutes} minutes of study</p></li>"
        )
    return '```{raw} html\n<ul class="cards">\n' + "\n".join(items) + "\n</ul>\n```"


def explorer(name, number):
    """Write what an explorer needs on a page: positions, a text for each frame, and where the frames lie.

    Parameters
    ----------
    name : str
        Of the lesson.
    number : int
        Of the explorer in it, from 0.

    Returns
    -------
    str or None
        HTML without anything to be seen; a script makes sliders of it. None if no frames are stored.
    """
    folder = frames.folder_of(name, number)
    if not (folder / "frames.json").exists():
        return None
    told = json.loads((folder / "frames.json").read_text(encoding="utf-8"))
    shown = {key: told[key] for key in ("sliders", "alts", "start")} | {"folder": f"frames/{folder.name}"}
    data = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<div class="explorer"><script type="application/json">{data}</script></div>'


def download(lesson):
    """A lesson's notebook as it is stored, but for its pictures, which a run brings back.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    str
        The file's text, without indents, which would be a seventh of it. The pictures would make the site more than half as large again.
    """
    notebook = notebooks.read(lesson.path)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if output.get("data", {}).pop("image/png", None):
            output.metadata.pop("image/png", None)
    return json.dumps(json.loads(nbformat.writes(notebook)), ensure_ascii=False, separators=(",", ":")) + "\n"


def page(lesson):
    """Prepare a lesson's notebook for myst-nb.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson

    Returns
    -------
    nbformat.NotebookNode
        With the lesson's number in its title, folded code behind a click, each figure's text where myst-nb looks for it, links to the project's
        files led to copies of them, and the first use of each of the glossary's terms linked to it.
    """
    notebook = pages.without_kernel(lesson)
    notebook.cells[0].source = re.sub("^# ", f"# {lesson.number} ", notebook.cells[0].source)
    for number, cell in enumerate(frames.explorers(notebook.cells)):
        if made := explorer(lesson.name, number):
            cell.outputs.append(nbformat.v4.new_output("display_data", {"text/html": made}))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _FILE_LINK.sub(lambda link: f"files/{_copied(link[1])}", cell.source)
        if notebooks.is_folded(cell) and "remove-cell" not in notebooks.tags(cell):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]  # myst-nb's word: behind a click
        picture, text = notebooks.figure(cell)
        if picture:
            width, _ = pages.size_of(picture)
            # With a width of its own a figure is a link to itself: on a phone a tap shows it large.
            cell.metadata["mystnb"] = {"image": {"alt": text, "width": f"{width}px"}}
    prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    known = [term for term in teacher.terms() if lesson.number in term.lessons or not term.is_common]
    for cell, source in zip(prose, teacher.link_terms([cell.source for cell in prose], known), strict=True):
        cell.source = source
    top = notebook.cells[0]
    top.source = re.sub(r"\n\n(?=\*\*After this)", lambda _: "\n" + _take(lesson) + "\n", top.source, count=1)
    return notebook


def _take(lesson):
    return TAKE.format(name=lesson.name, number=lesson.number)


def book_page(path):
    """Prepare a page of the teacher's book: its links lead to the site's own pages, or to copies of files.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    str
        MyST Markdown.
    """
    names = {page: f"{teacher.site_name(page)}.md" for page in (teacher.ENTRY, *teacher.pages())}

    def led(link):
        target = (path.parent / link[1]).resolve()
        if target in names:
            return names[target]
        if target.parent == notebooks.FOLDER:
            return target.name
        return _copy(target.relative_to(PROJECT))

    text = _RELATIVE_LINK.sub(led, path.read_text(encoding="utf-8"))
    return text + BOOK if path == teacher.ENTRY else text


def api_page():
    """Write the page of ``course_utils``: every module that a lesson may import, from its docstrings.

    Returns
    -------
    str
        MyST Markdown; the exercises' own modules are left out, since they hold the answers.
    """
    names = [module.name for module in pkgutil.walk_packages(course_utils.__path__, "course_utils.")]
    sections = ["# The package `course_utils`", "```{eval-rst}\n.. automodule:: course_utils\n```"]
    for name in names:
        if not name.startswith("course_utils.exercises."):
            heading = name.removeprefix("course_utils.")
            sections.append(f"## `{heading}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```")
    return "\n\n".join(sections) + "\n"


def copy_files(lesson):
    """Copy the project's files that a lesson links to next to the pages; as text, a browser shows each.

    Parameters
    ----------
    lesson : course_utils.notebooks.Lesson
    """
    for cell in lesson.cells:
        for name in _FILE_LINK.findall(cell.source if cell.cell_type == "markdown" else ""):
            _copy(name)


def _copy(name):
    """Copy one of the project's files, and say where it lies on the site."""
    target = SOURCE / "files" / _copied(str(name))
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(PROJECT / name, target)
    return target.relative_to(SOURCE).as_posix()


def stage():
    """Lay the sources of all pages into one folder; a page that is the same keeps its time, and Sphinx keeps it too."""
    _covers(SOURCE / "static" / "covers")
    index = (TEMPLATES / "index.md").read_text(encoding="utf-8").replace("CARDS", cards())
    lessons = notebooks.lessons()
    sources = {lesson.path.name: nbformat.writes(page(lesson)) for lesson in lessons}
    sources["api.md"] = api_page()
    sources["index.md"] = index
    book = {f"{teacher.site_name(path)}.md": path for path in (teacher.ENTRY, *teacher.pages())}
    shutil.copytree(TEMPLATES, SOURCE, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "index.md"))
    shutil.copy2(pages.mathjax(), SOURCE / "static" / "mathjax.js")
    old = {*SOURCE.glob("*.ipynb"), *SOURCE.glob("teaching*.md")}
    for gone in old - {SOURCE / name for name in (*sources, *book)}:
        gone.unlink()
    for lesson in lessons:
        copy_files(lesson)
    for name, text in (sources | {name: book_page(path) for name, path in book.items()}).items():
        target = SOURCE / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def _covers(folder):
    """The covers at the width of a card."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in readme.COVERS.glob("*.png"):
        stream = io.BytesIO()
        with Image.open(path) as image:
            image = image.convert("RGB")
            image.thumbnail((560, 560))
            image.save(stream, "WEBP", quality=76, method=4)
        target = folder / f"{path.stem}.webp"
        if not target.exists() or target.read_bytes() != stream.getvalue():
            target.write_bytes(stream.getvalue())


_SECTION = re.compile(
    r'<section[^>]* id="([^"]+)">\s*(?:<span id="[^"]*"></span>)*\s*<h([1-3])>(.*?)<a class="headerlink"', re.S
)
_UNREAD = re.compile(r"<(script|style|pre|svg)\b.*?</\1>|<[^>]+>", re.S)


def sections(name):
    """Split a built lesson's page into its sections, for the search.

    Parameters
    ----------
    name : str
        Of the lesson.

    Returns
    -------
    list of list of str
        Of each: the page, the lesson's title, the section's place on the page, its title, and its words.
    """
    text = (HTML / f"{name}.html").read_text(encoding="utf-8")
    text = text[text.index("<article") : text.index("</article>")]
    found, rows, lesson = list(_SECTION.finditer(text)), [], None
    for heading, after in zip(found, [*found[1:], None], strict=True):
        title = html.unescape(_UNREAD.sub("", heading[3])).strip()
        lesson = lesson or title
        body = html.unescape(_UNREAD.sub(" ", text[heading.end() : after.start() if after else len(text)]))
        words = sorted(set(re.findall(r"[^\W_]{3,}", body.lower())))
        rows.append([name, lesson, heading[1], title, " ".join(words)])
    return rows


def finish():
    """Lay the frames, the notebooks and the index of sections beside the pages, and make all of it small."""
    shutil.rmtree(HTML / "frames", ignore_errors=True)
    (HTML / "notebooks").mkdir(exist_ok=True)
    if frames.FRAMES.exists():
        shutil.copytree(frames.FRAMES, HTML / "frames", ignore=shutil.ignore_patterns("*.json"))
    shutil.rmtree(HTML / ".doctrees", ignore_errors=True)  # where an earlier version had them
    lessons = [lesson for lesson in notebooks.lessons() if (HTML / f"{lesson.name}.html").exists()]
    for lesson in lessons:
        (HTML / "notebooks" / lesson.path.name).write_text(download(lesson), encoding="utf-8")
    rows = [row for lesson in lessons for row in sections(lesson.name)]
    text = f"const SECTIONS = {json.dumps(rows, ensure_ascii=False, separators=(',', ':'))};\n"
    (HTML / "_static" / "sections-index.js").write_text(text, encoding="utf-8")
    smaller.theme(HTML)
    smaller.code(HTML)
    smaller.pictures(HTML, HTML.parent / "pictures")


def main(options):
    """Stage and build; a warning is an error.

    Parameters
    ----------
    options : list of str
        For ``sphinx-build``, such as ``["-E"]`` to build every page anew.

    Returns
    -------
    int
        0 if all is well.
    """
    stage()
    code = sphinx_build(
        ["-q", "-W", "--keep-going", "-j", "2", "-d", str(HTML.parent / "doctrees"), *options, str(SOURCE), str(HTML)]
    )
    if code:
        shutil.rmtree(HTML)  # else the next run would keep the page at fault, and not warn again
    else:
        finish()
        print(f"The site is ready: open {os.path.relpath(HTML / 'index.html')} in a browser.")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
