"""JupyterLab's own export of a lesson shows the slides that `make slides` makes."""

import json
import re
import shutil

import nbformat
import pytest
from nbconvert.exporters import SlidesExporter
from traitlets.config import Config

from course_utils import notebooks
from publish import export, pages, slides

SETTINGS = pages.BUILD.parent / "tools" / "jupyter"
LESSON = notebooks.lessons(wanted=["02"])[0]


def exported(path, file="jupyter_server_config.json"):
    """The page that JupyterLab, or nbconvert in its terminal, makes of a notebook."""
    config = Config(json.loads((SETTINGS / file).read_text(encoding="utf-8")))
    return SlidesExporter(config=config).from_filename(str(path))[0]


@pytest.mark.parametrize("file", ["jupyter_server_config.json", "jupyter_nbconvert_config.json"])
def test_export_has_the_slides_of_the_deck_and_no_folded_code(file):
    page, chosen = exported(LESSON.path, file), slides.stacks_of(LESSON)
    shown = re.findall(r"<h2[^>]*>(.*?)<a class", page)
    assert len(shown) == sum(map(len, chosen)) == page.count("<section") - len(chosen)
    assert [title for title in shown if "$" not in title and "&" not in title][:3] == [
        slide.title for stack in chosen for slide in stack
    ][:3]
    assert page.count('src="data:image/png') == sum(len(s.all("picture")) for stack in chosen for s in stack) > 5
    assert "# Drawing: " not in page and "def otsu_threshold" in re.sub("<[^>]+>", "", page)
    assert page.count('<aside class="notes"') == sum(map(len, chosen))


def test_a_copy_shows_its_own_words_and_another_notebook_stays_as_it_is(tmp_path):
    copied = shutil.copy2(LESSON.path, tmp_path / LESSON.path.name)
    notebook = nbformat.read(copied, as_version=4)
    notebook.cells[0].source = notebook.cells[0].source.replace("# Let the picture", "# Let my picture", 1)
    nbformat.write(notebook, copied)
    assert "<h2" in exported(copied) and "Let my picture" in exported(copied)
    for name in ("notes", LESSON.name):  # of another name, and so much changed that it has no title any more
        other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("a = 1")])
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(other, path)
        resources = {"metadata": {"name": name, "path": str(tmp_path)}}
        found, same = export.AsChosen().preprocess(nbformat.from_dict(other), resources)
        assert [cell.source for cell in found.cells] == ["a = 1"] and same is resources
    assert export.AsChosen().preprocess(other, {})[0] is other
