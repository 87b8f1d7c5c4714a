"""Build the reading site from the stored outputs: ``make site``, then open ``build/site/html/index.html``.

The pages are Sphinx's, see ``publish/templates/site/conf.py``. Notebooks are not executed, and neither the build nor a page asks the network.
"""

import os
import pkgutil
import re
import shutil
import sys

import nbformat
from sphinx.cmd.build import main as sphinx_build

import course_utils
from course_utils import notebooks
from publish import pages, teacher

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
    return notebook


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
    lessons = notebooks.lessons()
    sources = {lesson.path.name: nbformat.writes(page(lesson)) for lesson in lessons}
    sources["api.md"] = api_page()
    book = {f"{teacher.site_name(path)}.md": path for path in (teacher.ENTRY, *teacher.pages())}
    shutil.copytree(TEMPLATES, SOURCE, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
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
    code = sphinx_build(["-q", "-W", "--keep-going", "-j", "2", *options, str(SOURCE), str(HTML)])
    if code:
        shutil.rmtree(HTML)  # else the next run would keep the page at fault, and not warn again
    else:
        print(f"The site is ready: open {os.path.relpath(HTML / 'index.html')} in a browser.")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
