"""The reading site as a reader has it: built, opened from the disk in a real browser, on a phone and on a screen."""

import functools
import re
import runpy
import subprocess
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup

from course_utils import notebooks
from publish import pages, teacher
from tests.browser import grave_faults, needs_browser, needs_extra, tab

pytestmark = needs_extra
HTML = pages.BUILD / "site" / "html"
LESSONS = [lesson.name for lesson in notebooks.lessons()]
BOOK = [teacher.site_name(page) for page in (teacher.ENTRY, *teacher.pages())]
PAGES = ["index", *LESSONS, "api", *BOOK, "search"]


@pytest.fixture(scope="module", autouse=True)
def site():
    """Built as `make site` builds it; what is unchanged since the last time is kept."""
    for name in LESSONS:
        notebook(name)  # as it is now, even if its author stores another while the tests run
    done = subprocess.run(
        [sys.executable, "-m", "publish.site"], cwd=pages.BUILD.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def reading(site):
    with tab() as opened:
        yield opened


@functools.cache
def soup(name):
    return BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def title(name):
    return f"{name[:2]} {notebooks.Lesson(notebooks.FOLDER / f'{name}.ipynb').card.title}"


@functools.cache
def notebook(name):
    return notebooks.read(notebooks.FOLDER / f"{name}.ipynb")


def figures(name):
    return [text for cell in notebook(name).cells if (text := notebooks.figure(cell)[1])]


def spread(page):
    """How much wider the page is than its window, and what sticks out, at each width."""
    found = []
    for width, height in ((390, 844), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"wider than {width} px")
    return found


def complaints(page, exclude=("pre", "mjx-container")):
    """What axe-core finds that is grave; contrast, which is slow on code, in light and in dark and outside of `exclude`."""
    page.add_style_tag(content="* { transition: none !important }")  # else a color is judged on its way to another
    found = grave_faults(page, rules={"color-contrast": {"enabled": False}})
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        faults = grave_faults(page, {"exclude": [[part] for part in exclude]}, runOnly=["color-contrast"])
        found += [f"{theme}: {fault}" for fault in faults]
    return found


def pictures_without_text(page):
    script = "images => images.filter(image => !image.alt.trim() || !image.naturalWidth).map(image => image.outerHTML)"
    return page.locator("img").evaluate_all(script)


@needs_browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_error_network_or_grave_fault_and_fits_a_phone_and_a_screen(reading, name):
    reading.open((HTML / f"{name}.html").as_uri())
    problems = spread(reading.page) + complaints(reading.page) + pictures_without_text(reading.page)
    assert problems + reading.errors + reading.requests == []


@needs_browser
def test_code_and_formulas_stand_out_from_their_ground_in_light_and_in_dark(reading):
    reading.open((HTML / f"{LESSONS[1]}.html").as_uri())  # the colors are the same on all pages
    assert complaints(reading.page, exclude=[".bd-sidebar"]) == []


@needs_browser
@pytest.mark.parametrize("name", LESSONS)
def test_every_formula_of_a_lesson_is_drawn(reading, name):
    reading.open((HTML / f"{name}.html").as_uri())
    drawn = reading.page.locator("article mjx-container > svg").count()
    assert drawn == len(soup(name).select("article .math"))
    assert drawn > 0 or "$" not in "".join(cell.source for cell in notebook(name).cells if cell.cell_type == "markdown")
    assert reading.page.locator("[data-mjx-error]").count() == 0


@needs_browser
def test_figures_lie_on_white_in_dark_mode_and_are_not_dimmed(reading):
    reading.open((HTML / f"{LESSONS[1]}.html").as_uri())
    reading.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    script = "images => images.map(i => [getComputedStyle(i).backgroundColor, getComputedStyle(i).filter])"
    plates = reading.page.locator(".cell_output img").evaluate_all(script)
    assert plates == [["rgb(255, 255, 255)", "none"]] * len(figures(LESSONS[1]))
    body = reading.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert body != "rgb(255, 255, 255)"


@needs_browser
def test_search_finds_the_lesson_that_a_word_is_from(reading):
    reading.open((HTML / "search.html").as_uri() + "?q=watershed")
    results = reading.page.locator("#search-results li a")
    results.first.wait_for()
    assert title("03_watershed") in results.all_inner_texts()
    assert reading.errors + reading.requests == []


@needs_browser
def test_the_judges_of_a_page_see_a_page_that_is_wrong(reading, tmp_path):
    page = tmp_path / "wrong.html"
    page.write_text(
        "<title>x</title><div style='width: 2000px'>wide</div><img src='none.png'>"
        "<p style='color: #ccc; background: #fff'>pale</p><script src='https://example.com/x.js'></script>"
    )
    reading.open(page.as_uri())
    assert spread(reading.page) == ["wider than 390 px", "wider than 1280 px"]
    found = "\n".join(complaints(reading.page))
    assert all(rule in found for rule in ("color-contrast", "html-has-lang", "image-alt"))
    assert len(pictures_without_text(reading.page)) == 1
    assert reading.requests == ["https://example.com/x.js"]
    assert len(reading.errors) == 2  # the picture that is not there, and the refused script


def test_the_sidebar_lists_the_lessons_in_their_order():
    listed = [link.get_text(strip=True) for link in soup("index").select("nav.bd-links a.reference.internal")]
    assert [text for text in listed if text[0].isdigit()] == [title(name) for name in LESSONS]


def test_previous_and_next_lead_through_all_lessons():
    way, page = [], soup("index")
    while (link := page.select_one("a.right-next")) and link["href"] != "api.html":
        way.append(link["href"].removesuffix(".html"))
        page = soup(way[-1])
        assert page.select_one("a.left-prev")["href"] == f"{['index', *way][-2]}.html"
    assert way == LESSONS


@pytest.mark.parametrize("name", LESSONS)
def test_each_figure_has_the_text_that_is_stored_with_it(name):
    assert [image["alt"] for image in soup(name).select(".cell_output img")] == figures(name)


@pytest.mark.parametrize("name", LESSONS)
def test_each_figure_is_a_link_to_itself_so_that_a_phone_can_show_it_large(name):
    images = soup(name).select(".cell_output img")
    assert [image.parent.get("href") for image in images] == [image["src"] for image in images]


@pytest.mark.parametrize("name", LESSONS)
def test_every_cell_is_on_the_page_exercises_too(name):
    def words(text):
        return re.sub(r"\s+", "", text)

    shown = [words(cell.get_text()) for cell in soup(name).select(".cell_input")]
    cells = [cell for cell in notebook(name).cells if cell.cell_type == "code"]
    assert shown == [words(cell.source) for cell in cells if "remove-cell" not in cell.metadata.get("tags", [])]


@pytest.mark.parametrize("name", LESSONS)
def test_a_sentence_stands_where_an_explorer_would_be(name):
    wanted = [
        output.data["text/plain"]
        for cell in notebook(name).cells
        for output in cell.get("outputs", [])
        if output.get("data", {}).get("text/plain", "").startswith("An explorer")
    ]
    text = soup(name).get_text()
    assert all(sentence in text for sentence in wanted)
    assert len(wanted) == sum(len(re.findall(r"^explore", cell.source, re.M)) for cell in notebook(name).cells)
    assert "widget" not in "".join(map(str, soup(name).select("script")))


@pytest.mark.parametrize("name", PAGES)
def test_every_link_inside_the_site_leads_to_a_page_and_a_place_on_it(name):
    broken = []
    for link in soup(name).select("a[href]"):
        page, _, place = link["href"].partition("#")
        if page.startswith(("http:", "https:", "mailto:")):
            continue
        target = HTML / page if page else HTML / f"{name}.html"
        if not target.is_file() or (place and f'id="{place}"' not in target.read_text(encoding="utf-8")):
            broken.append(link["href"])
    assert broken == []


def test_no_link_inside_the_site_leads_to_a_notebook_file():
    links = [link["href"] for name in PAGES for link in soup(name).select("a[href*='.ipynb']")]
    assert [link for link in links if not link.startswith("https:")] == []


@pytest.mark.parametrize("name", LESSONS)
def test_terms_of_a_lesson_lead_to_the_glossary_once_each_and_leave_the_text_as_it_is(name):
    links = [link["href"] for link in soup(name).select("article a.term")]
    assert links and len(links) == len(set(links))
    text = BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser").select_one("article")
    for code in text.select("pre, code, script, .math"):
        code.extract()
    assert "**" not in text.get_text()


def test_the_package_page_has_every_public_function_with_its_docstring():
    import importlib
    import inspect

    page = soup("api")
    for module in ("geometry", "metrics", "plots", "datasets.mnist"):
        found = importlib.import_module(f"course_utils.{module}")
        for name, thing in inspect.getmembers(found, inspect.isfunction):
            if thing.__module__ == found.__name__ and not name.startswith("_"):
                entry = page.find(id=f"{found.__name__}.{name}")
                assert entry and thing.__doc__.strip().splitlines()[0][:20] in entry.parent.get_text()
    assert "course_utils.exercises.otsu" not in page.get_text()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_says_where_the_project_lies_on_this_machine(name):
    assert str(pages.BUILD.parent) not in (HTML / f"{name}.html").read_text(encoding="utf-8")


@needs_browser
@pytest.mark.parametrize("where", [".default_value .pre", "h2 .pre", "p .pre"])
def test_a_long_name_breaks_on_a_phone(reading, where):
    reading.open((HTML / "api.html").as_uri())
    reading.page.locator(where).first.evaluate("text => { text.textContent = 'x'.repeat(200) }")
    assert spread(reading.page) == []


def test_a_cell_with_two_figures_is_refused():
    output = nbformat.v4.new_output(
        "display_data", {"image/png": "", "text/plain": ""}, metadata={"image/png": {"alt": "a"}}
    )
    cell = nbformat.v4.new_code_cell(outputs=[output, output])
    with pytest.raises(ValueError, match="one figure per cell, got 2"):
        notebooks.figure(cell)


def test_a_picture_from_the_network_becomes_its_words_and_an_explorer_its_sentence(tmp_path):
    badge = "# Try\n\n[![Open it](https://example.com/badge.svg)](https://example.com/x) and ![ours](own.png)"
    sentence = "An explorer: in JupyterLab, move it."
    widget = nbformat.v4.new_output(
        "display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": sentence}
    )
    still = nbformat.v4.new_output("display_data", {"image/png": "", "text/plain": sentence})
    still.metadata["image/png"] = {"alt": "a box"}
    cells = [nbformat.v4.new_markdown_cell(badge)]
    cells += [nbformat.v4.new_code_cell("explore()", outputs=[output]) for output in (widget, still)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_try.ipynb")
    found = pages.without_kernel(notebooks.Lesson(tmp_path / "01_try.ipynb"))
    assert found.cells[0].source == "# Try\n\n[Open it](https://example.com/x) and ![ours](own.png)"
    caption = {"text/plain": sentence, "text/markdown": f"*{sentence}*"}
    assert [output.data for output in found.cells[1].outputs] == [caption]
    assert [output.data for output in found.cells[2].outputs] == [{"image/png": ""}, caption]
    assert notebooks.figure(found.cells[2])[1] == "a box"


def test_a_page_at_fault_ends_the_build_and_the_next_one_too(tmp_path):
    script = (
        "import pathlib, sys; from publish import site; site.stage = lambda: None; here = pathlib.Path(sys.argv[1]); "
    )
    script += "site.SOURCE, site.HTML = here / 'source', here / 'html'; sys.exit(site.main([]))"

    def build(text):
        (tmp_path / "source").mkdir(exist_ok=True)
        (tmp_path / "source" / "conf.py").write_text("extensions = ['myst_nb']\n")
        (tmp_path / "source" / "index.md").write_text(text)
        command = [sys.executable, "-c", script, str(tmp_path)]
        return subprocess.run(command, cwd=pages.BUILD.parent, capture_output=True).returncode

    wrong = "# Title\n\n[nowhere](no_lesson.ipynb)\n"
    assert [build(wrong), build(wrong), build("# Title\n")] == [1, 1, 0]


def test_what_stands_under_an_aside_is_behind_a_click():
    from docutils.core import publish_doctree

    tree = publish_doctree(
        "One\n===\n\nFirst\n\nAside: why\n----------\n\nInside\n\nTwo\n---\n\nLast\n",
        settings_overrides={"doctitle_xform": False},
    )
    runpy.run_path(str(pages.BUILD.parent / "publish/templates/site/conf.py"))["fold_asides"](None, tree, "page")
    found = tree.astext()
    assert re.search(r"Aside: why\s+<details class=\"aside\">.*\s+Inside\s+</details>\s+Two\s+Last", found)
    assert found.count("<details") == 1


def test_folded_code_is_behind_a_click(tmp_path):
    top = "# Try\n\nOne sentence.\n\n*5 minutes of study. Runs in 1 s on two cores. Builds on nothing.*"
    cells = [
        nbformat.v4.new_markdown_cell(top),
        nbformat.v4.new_code_cell("# Drawing: dots\ndots()"),
        nbformat.v4.new_code_cell("dots()"),
    ]
    cells[1].metadata["jupyter"] = dict(notebooks.FOLDED)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_try.ipynb")
    from publish.site import page

    made = page(notebooks.Lesson(tmp_path / "01_try.ipynb"))
    assert [notebooks.tags(cell) for cell in made.cells] == [set(), {"hide-input"}, set()]


@needs_extra
def test_a_lesson_shows_its_cover_as_a_picture_and_links_other_files_as_text(tmp_path):
    from publish import site

    text = "# Try\n\n![a cover](../publish/covers/01.png) and [data](../data/README.md)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    nbformat.write(notebook, tmp_path / "01_try.ipynb")
    found = site.page(notebooks.Lesson(tmp_path / "01_try.ipynb")).cells[0].source
    assert found == "# 01 Try\n\n![a cover](files/publish/covers/01.png) and [data](files/data/README.md.txt)"
