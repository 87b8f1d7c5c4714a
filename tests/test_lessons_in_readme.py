"""README.md shows each lesson as the lesson shows itself."""

import nbformat
import pytest

from course_utils import lesson
from tools import readme

PATHS = sorted(lesson.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def test_table_and_pictures_are_current(tmp_path):
    page, covers = tmp_path / "README.md", tmp_path / "covers"
    page.write_text(readme.README.read_text(encoding="utf-8"), encoding="utf-8")
    readme.write(page, covers)
    assert page.read_text(encoding="utf-8") == readme.README.read_text(encoding="utf-8"), "run python -m tools.readme"
    stored = {path.name: path.read_bytes() for path in readme.COVERS.glob("*.png")}
    assert stored == {path.name: path.read_bytes() for path in covers.glob("*.png")}


def test_text_around_the_table_is_kept(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- lessons -->\nan outdated row\n<!-- end of lessons -->\nafter\n", encoding="utf-8")
    readme.write(page, tmp_path / "covers")
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- lessons -->\n| | |\n") and text.endswith("|\n<!-- end of lessons -->\nafter\n")
    assert "outdated" not in text
    assert text.count("<img ") == len(PATHS)


def test_every_quotation_mark_and_bar_of_an_alt_text_is_escaped(tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "cover", lambda path: (b"", 'a "4" | a 9'))
    assert 'alt="a &quot;4&quot; &#124; a 9"' in readme.table(PATHS[:1])


def test_lesson_without_one_cover_is_named(tmp_path):
    notebook = nbformat.read(PATHS[1], as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop("tags", None)
    path = tmp_path / PATHS[1].name
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match=rf"{path.name} has 0 figures .* tag the cell"):
        readme.cover(path)


def test_readme_is_short():
    assert len(readme.README.read_text(encoding="utf-8").splitlines()) < 200
