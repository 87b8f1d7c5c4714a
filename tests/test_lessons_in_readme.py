"""README.md shows each lesson as the lesson shows itself."""

import re

import nbformat
import pytest
from markdown_it import MarkdownIt

from course_utils import notebooks
from publish import readme

LESSONS = notebooks.lessons()


def test_table_and_pictures_are_current(tmp_path):
    page, covers = tmp_path / "README.md", tmp_path / "covers"
    page.write_text(readme.README.read_text(encoding="utf-8"), encoding="utf-8")
    readme.write(page, covers)
    assert page.read_text(encoding="utf-8") == readme.README.read_text(encoding="utf-8"), "run python -m publish.readme"
    stored = {path.name: path.read_bytes() for path in readme.COVERS.glob("*.png")}
    assert stored == {path.name: path.read_bytes() for path in covers.glob("*.png")}


def test_text_around_the_table_is_kept(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- lessons -->\nan outdated row\n<!-- end of lessons -->\nafter\n", encoding="utf-8")
    readme.write(page, tmp_path / "covers")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- lessons -->\n| | |\n") and text.endswith("|\n<!-- end of lessons -->\nafter\n")
    assert "outdated" not in text
    assert text.count("<img ") == len(LESSONS)


def test_every_quotation_mark_and_bar_of_an_alt_text_is_escaped(monkeypatch):
    monkeypatch.setattr(notebooks.Lesson, "cover", (b"", 'a "4" | a 9'))
    assert 'alt="a &quot;4&quot; &#124; a 9"' in readme.table(LESSONS[:1])


@pytest.mark.parametrize("count", [1, 2, 3, len(LESSONS)])
def test_each_lesson_has_a_cell_with_its_picture_above_its_words(count):
    found = MarkdownIt("commonmark").enable("table").render(readme.table(LESSONS[:count]))
    cells = re.findall("<td.*?>(.*?)</td>", found)
    assert len(cells) == count + count % 2
    for cell, lesson in zip(cells, LESSONS[:count], strict=False):
        image, title, _, times = cell.split("<br>")
        assert f"covers/{lesson.number}.png" in image and lesson.path.name in title and "minutes of study" in times


def test_lesson_without_one_cover_is_named(tmp_path):
    notebook = LESSONS[1].notebook
    for cell in notebook.cells:
        cell.metadata.pop("tags", None)
    path = tmp_path / LESSONS[1].path.name
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match=rf"{path.name} has 0 figures .* tag the cell"):
        _ = notebooks.Lesson(path).cover
