"""The reading site as a reader has it: built, opened from the disk in a real browser, on a phone and on a screen."""

import base64
import functools
import io
import json
import re
import runpy
import subprocess
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from course_utils import notebooks
from publish import frames, pages, smaller, teacher
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
    return page.locator("img:not(.frame)").evaluate_all(script)  # a frame lies over a picture that has its text


@needs_browser
@pytest.mark.parametrize("name", PAGES)
def test_page_opens_offline_without_faults_and_fits_phone_and_screen(reading, name):
    reading.open((HTML / f"{name}.html").as_uri())
    problems = spread(reading.page) + complaints(reading.page) + pictures_without_text(reading.page)
    assert problems + reading.errors + reading.requests == []


@needs_browser
def test_code_and_formulas_stand_out_in_light_and_in_dark(reading):
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
    plates = reading.page.locator(".cell_output img:not([hidden])").evaluate_all(script)
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
@pytest.mark.parametrize(
    ("words", "name", "section"),
    [
        ("over-segmentation markers", "03_watershed", "Flood a profile"),
        ("which landscape", "03_watershed", "Which landscape?"),
    ],
)
def test_search_leads_to_the_section_and_names_it_and_its_lesson(reading, words, name, section):
    reading.open((HTML / "search.html").as_uri() + f"?q={words.replace(' ', '+')}")
    result = reading.page.locator("#section-results li", has_text=section).first
    assert result.inner_text() == f"{section} in {title(name)}"
    result.locator("a").click()
    place = reading.page.url.rpartition("#")[2]
    assert reading.page.url.startswith((HTML / f"{name}.html").as_uri())
    assert reading.page.locator(f"section[id='{place}'] > :is(h1, h2, h3)").inner_text().startswith(section)
    assert reading.errors + reading.requests == []


@needs_browser
def test_search_for_what_no_section_has_shows_no_list(reading):
    reading.open((HTML / "search.html").as_uri() + "?q=xylophone")
    assert reading.page.locator("#section-results").count() == 0


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
def test_each_figure_has_the_pixels_that_are_stored(name):
    stored = [base64.b64decode(picture) for cell in notebook(name).cells if (picture := notebooks.figure(cell)[0])]
    shown = [HTML / image["src"] for image in soup(name).select(".cell_output img")]
    assert [path.suffix for path in shown] == [".webp"] * len(stored)
    for picture, path in zip(stored, shown, strict=True):
        one, other = (Image.open(source).convert("RGB") for source in (io.BytesIO(picture), path))
        assert one.size == other.size and one.tobytes() == other.tobytes()


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


def test_the_only_link_to_a_notebook_file_is_its_download():
    links = [(name, link["href"]) for name in PAGES for link in soup(name).select("a[href*='.ipynb']")]
    inside = [(name, link) for name, link in links if not link.startswith("https:")]
    assert inside == [(name, f"notebooks/{name}.ipynb") for name in LESSONS]


@pytest.mark.parametrize("name", LESSONS)
def test_the_download_is_the_notebook_as_it_is_stored_without_its_pictures(name):
    link = soup(name).select_one("a[download]")
    assert link.get_text() == "Download the notebook"
    saved = HTML / link["href"]
    wanted = notebooks.read(notebooks.FOLDER / f"{name}.ipynb")
    for output in (output for cell in wanted.cells for output in cell.get("outputs", [])):
        output.get("data", {}).pop("image/png", None) and output.metadata.pop("image/png", None)
    assert json.loads(saved.read_text(encoding="utf-8")) == json.loads(nbformat.writes(wanted))
    code = [cell.source for cell in notebooks.read(saved).cells]
    assert code == [cell.source for cell in notebook(name).cells]


@pytest.mark.parametrize("name", LESSONS)
def test_how_to_run_a_lesson_is_said_with_commands_that_the_readme_has(name):
    panel, readme = soup(name).select_one("article details.run"), pages.BUILD.parent / "README.md"
    commands = [command.get_text().replace(f"={name[:2]}", "=02") for command in panel.select("pre, code")]
    assert "make lab" in commands and "make copy NOTEBOOK=02" in commands and f"notebooks/{name}.ipynb" in commands
    text = readme.read_text(encoding="utf-8")
    assert [command for command in commands if command not in text] == []


EXPLORERS = [name for name in LESSONS if frames.explorers(notebook(name).cells)]


@needs_browser
@pytest.mark.parametrize("name", EXPLORERS)
def test_sliders_work_by_keyboard_and_fetch_nothing_before_they_move(reading, name):
    asked = []
    reading.page.on("request", lambda request: asked.append(request.url))
    reading.open((HTML / f"{name}.html").as_uri())
    assert not [url for url in asked if "/frames/" in url]
    places = reading.page.locator(".cell_output:has(.explorer)")
    assert places.count() == len(frames.explorers(notebook(name).cells))
    for place in places.all():
        if closed := place.locator("xpath=ancestor::details[not(@open)]").count():
            assert closed == 1  # in an aside
            place.evaluate("place => { place.closest('details').open = true }")
        words = json.loads(place.locator(".explorer script").text_content())
        picture, frame, says = (place.locator(part) for part in (".plate img:first-child", "img.frame", ".says"))
        assert frame.is_hidden() and picture.get_attribute("alt") == words["alts"][words["start"]]
        box, used = picture.bounding_box(), [slider for slider in words["sliders"] if len(slider["values"]) > 1]
        controls = place.locator(".controls :is(input, select)")
        assert controls.count() == len(used)
        for slider, control in zip(used, controls.all(), strict=True):
            there, back = (
                ("ArrowDown", "ArrowUp") if isinstance(slider["values"][0], str) else ("ArrowRight", "ArrowLeft")
            )
            if slider["start"] == len(slider["values"]) - 1:
                there, back = back, there
            control.focus()
            control.press(there)
            frame.wait_for(state="visible")
            number = int(place.locator(".explorer").get_attribute("data-frame"))
            assert number != words["start"] and frame.get_attribute("src") == f"{words['folder']}/{number}.webp"
            assert frame.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
            assert picture.get_attribute("alt") == words["alts"][number] == says.text_content()
            assert picture.bounding_box()["width"] == box["width"] and frame.bounding_box() == picture.bounding_box()
            control.press(back)
            frame.wait_for(state="hidden")
            assert picture.get_attribute("alt") == words["alts"][words["start"]]
    assert reading.errors + reading.requests == []


@needs_browser
def test_an_explorer_moves_by_touch_on_a_phone_and_stays_inside_it(reading):
    page = reading.page.context.browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ).new_page()
    page.goto((HTML / "01_thresholding.html").as_uri())
    slider = page.locator(".controls input").first
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box["height"] >= 32 and box["width"] >= 120
    page.touchscreen.tap(box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2)
    page.locator("img.frame").first.wait_for(state="visible")
    assert "threshold" in page.locator(".plate img").first.get_attribute("alt")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.close()


@needs_browser
def test_without_javascript_an_explorer_is_its_stored_picture_and_sentence(reading):
    page = reading.page.context.browser.new_context(java_script_enabled=False).new_page()
    page.goto((HTML / "01_thresholding.html").as_uri())
    place = page.locator(".cell_output:has(.explorer)").first
    assert place.locator("img").count() == 1 and place.locator("img").is_visible()
    assert "An explorer" in place.inner_text() and "alts" not in place.inner_text()
    assert place.locator(":is(input, select)").count() == 0
    page.close()


def test_the_site_is_small_and_holds_no_file_of_its_making():
    files = [path for path in HTML.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 15e6
    assert not [path for path in files if path.suffix in (".map", ".doctree", ".pickle", ".po", ".mo")]
    text = "".join((HTML / f"{name}.html").read_text(encoding="utf-8") for name in PAGES)
    assert [path.name for path in (HTML / "_images").iterdir() if path.name not in text] == []


def test_code_keeps_its_words_and_its_colors_in_fewer_bytes(tmp_path):
    (tmp_path / "_static").mkdir()
    style = (
        ".highlight { background: #fff; color: #000 }\n.highlight .k { color: #111 }\n.highlight .n { color: #000 }\n"
    )
    (tmp_path / "_static" / "pygments.css").write_text(style)
    code = '<span></span><span class="k">def</span> <span class="n">f</span>(<span class="k">*</span>)'
    (tmp_path / "a.html").write_text(f'<p><span class="k">def</span></p><pre>{code}</pre>')
    smaller.code(tmp_path)
    wanted = '<p><span class="k">def</span></p><pre><span></span><i class=k>def</i> f(<i class=k>*</i>)</pre>'
    assert (tmp_path / "a.html").read_text() == wanted


@needs_browser
def test_colored_words_of_code_stand_upright(reading):
    reading.open((HTML / "01_thresholding.html").as_uri())
    words = "[...document.querySelectorAll('.highlight pre i')]"
    styles = reading.page.evaluate(f"{words}.map(word => getComputedStyle(word).fontStyle)")
    assert len(styles) > 100 and set(styles) == {"normal"}
    colors = reading.page.evaluate(f"{words}.map(word => getComputedStyle(word).color)")
    plain = reading.page.evaluate("getComputedStyle(document.querySelector('.highlight pre')).color")
    assert len(set(colors)) > 3 and plain not in colors


def test_the_first_page_shows_each_lesson_as_a_card():
    cards = soup("index").select("ul.cards li")
    assert [card.a["href"] for card in cards] == [f"{name}.html" for name in LESSONS]
    for card, lesson in zip(cards, notebooks.lessons(), strict=True):
        words = lesson.card
        assert card.a.get_text() == f"{lesson.number} {words.title}" and card.img["alt"] == lesson.cover[1]
        assert (HTML / card.img["src"]).is_file() and f"{words.study_minutes} minutes" in card.get_text()
        assert words.promise.replace("*", "") in card.get_text()


@pytest.mark.parametrize("name", LESSONS)
def test_terms_link_to_the_glossary_once_each_and_keep_the_text(name):
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


def test_remote_picture_becomes_its_words_and_explorer_its_sentence(tmp_path):
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
def test_lesson_shows_its_cover_and_links_other_files_as_text(tmp_path):
    from publish import site

    text = "# Try\n\n![a cover](../publish/covers/01.png) and [data](../data/README.md)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    nbformat.write(notebook, tmp_path / "01_try.ipynb")
    found = site.page(notebooks.Lesson(tmp_path / "01_try.ipynb")).cells[0].source
    assert found == "# 01 Try\n\n![a cover](files/publish/covers/01.png) and [data](files/data/README.md.txt)"
