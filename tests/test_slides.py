"""The decks as a teacher has them: what is on a slide and what in the notes, and every slide shown at a projector's size."""

import copy
import re
import subprocess
import sys
from itertools import pairwise

import nbformat
import pytest

from course_utils import notebooks
from publish import pages, slides
from tests.browser import grave_faults, needs_browser, needs_extra, tab
from tools import refresh

CHOSEN = {}  # by lesson: the ids of cells whose place in the deck was chosen by hand
BY_NAME = {lesson.name: lesson for lesson in notebooks.lessons()}
LESSONS = list(BY_NAME)
TEXT, CODE = 20, 14.5  # the smallest sizes that are allowed, in pixels of 1280 x 720
LOOK = """([text, code]) => {
  const faults = [];
  Reveal.getSlides().forEach((section, number) => {
    const { h, v } = Reveal.getIndices(section);
    Reveal.slide(h, v);
    const frame = section.querySelector(".frame"), say = fault => faults.push(`slide ${number + 1}: ${fault}`);
    if (frame.scrollHeight > 720 || frame.scrollWidth > 1280) say("too full");
    frame.querySelectorAll("p, li, td, h2, pre, img, mjx-container").forEach(part => {
      const { right, bottom, left, top, height } = part.getBoundingClientRect();
      if (right > 1281 || bottom > 721 || left < -1 || top < -1) say(`${part.tagName} sticks out`);
      const size = parseFloat(getComputedStyle(part).fontSize), least = part.closest("pre") ? code : text;
      if (part.matches("p, li, td, h2, pre") && size < least) say(`${part.tagName} is only ${size} px large`);
      if (part.tagName == "IMG" && (height < 180 || !part.alt.trim())) say(`a picture of ${height} px, "${part.alt}"`);
    });
    frame.querySelectorAll("mjx-container > svg").forEach(formula => {
      if (formula.getBoundingClientRect().right > 1281) say("a formula sticks out");
    });
    if (frame.querySelector("[data-mjx-error]")) say("a formula has an error");
    const prose = [...frame.querySelectorAll(".text")].map(text => text.cloneNode(true));
    prose.forEach(text => text.querySelectorAll("pre, code, mjx-container").forEach(part => part.remove()));
    if (prose.some(text => text.textContent.includes("$"))) say("a formula is not drawn");
  });
  return faults;
}"""


@pytest.fixture(scope="module")
def decks():
    """Written as `make slides` writes them."""
    done = subprocess.run(
        [sys.executable, "-m", "publish.slides"], cwd=pages.BUILD.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def projector(decks):
    with tab(1280, 720) as opened:
        yield opened


def show(projector, name):
    projector.open((slides.SLIDES / f"{name}.html").as_uri())
    projector.page.wait_for_function("window.Reveal && Reveal.isReady()")


def notebook(name):
    return BY_NAME[name].notebook


def words(text):
    return re.sub(r"\s+", " ", text).strip()


@needs_extra
@needs_browser
@pytest.mark.parametrize("name", LESSONS)
def test_every_slide_fits_is_large_enough_and_asks_no_network(projector, name):
    show(projector, name)
    assert projector.page.evaluate(LOOK, [TEXT, CODE]) + projector.errors + projector.requests == []


@needs_extra
@needs_browser
def test_the_judge_of_a_slide_sees_one_that_is_too_full(projector):
    show(projector, LESSONS[0])
    script = "([at, html]) => document.querySelectorAll('.frame')[at].insertAdjacentHTML('beforeend', html)"
    projector.page.evaluate(script, [2, "<p>line</p>" * 30])
    projector.page.evaluate(script, [3, "<div class='text'><p style='width: 1500px'>wide $x</p></div>"])
    projector.page.evaluate(script, [4, "<p style='font-size: 12px'>small</p><img width=50 height=50>"])
    faults = "\n".join(projector.page.evaluate(LOOK, [TEXT, CODE]))
    assert "slide 3: too full" in faults
    assert "slide 4: P sticks out" in faults
    assert "slide 4: a formula is not drawn" in faults
    assert "slide 5: P is only 12 px large" in faults
    assert 'slide 5: a picture of 50 px, ""' in faults


@needs_extra
@needs_browser
def test_keys_lead_from_the_title_through_every_slide_to_the_last_exercise(projector):
    show(projector, LESSONS[1])
    total = projector.page.evaluate("Reveal.getTotalSlides()")
    assert total == sum(map(len, slides.stacks_of(BY_NAME[LESSONS[1]])))
    for _ in range(total - 1):
        projector.page.keyboard.press("Space")
    assert projector.page.evaluate("Reveal.isLastSlide()")
    assert "Exercises" in projector.page.locator("section.present .frame").last.inner_text()


@needs_extra
@needs_browser
def test_the_speakers_window_shows_the_notes_of_the_slide(projector):
    show(projector, LESSONS[1])
    with projector.page.expect_popup() as opened:
        projector.page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("minutes of study").wait_for()
    projector.page.evaluate(
        "Reveal.slide(...Object.values(Reveal.getIndices(document.querySelector('.notes mjx-container').closest('section'))))"
    )
    notes.locator("mjx-container").first.wait_for()
    assert "\u00b6" not in notes.inner_text()
    assert notes.locator("mjx-assistive-mml").count() == 0  # else each formula would be there twice
    opened.value.close()
    assert projector.errors + projector.requests == []


@needs_extra
@needs_browser
def test_the_list_leads_to_every_deck(projector):
    projector.open((slides.SLIDES / "index.html").as_uri())
    assert [link.get_attribute("href") for link in projector.page.locator("li a").all()] == [
        f"{name}.html" for name in LESSONS
    ]
    assert projector.errors + projector.requests == []


@needs_extra
@needs_browser
def test_axe_finds_no_grave_fault_on_the_list_and_on_slides_of_each_kind(projector):
    projector.open((slides.SLIDES / "index.html").as_uri())
    assert grave_faults(projector.page) == []
    show(projector, LESSONS[1])
    stacks = slides.stacks_of(BY_NAME[LESSONS[1]])
    for h in range(len(stacks)):
        projector.page.evaluate("h => Reveal.slide(h, 0)", h)
        assert grave_faults(projector.page) == []


@pytest.mark.parametrize("name", LESSONS)
def test_the_metadata_of_a_lesson_says_what_begins_slides_what_is_for_the_speaker_and_what_is_left_out(name):
    found, by_rule = notebook(name), notebook(name)
    for cell in by_rule.cells:
        if cell.id not in CHOSEN.get(name, ()):
            cell.metadata.pop("slideshow", None)
    slides.mark(by_rule)
    said, wanted = ([cell.metadata.get("slideshow", {}) for cell in each.cells] for each in (found, by_rule))
    assert said == wanted, "run `python -m publish.slides --mark`, or name in CHOSEN what was chosen by hand"


@pytest.mark.parametrize("name", LESSONS)
def test_a_deck_begins_with_title_and_objectives_and_ends_with_the_exercises(name):
    stacks = slides.stacks_of(BY_NAME[name])
    card = BY_NAME[name].card
    assert (stacks[0][0].title, stacks[0][0].text) == (card.title, [card.promise])
    assert stacks[0][1].title == "After this lesson you can"
    assert 3 <= stacks[0][1].text[0].count("\n- ") + 1 <= 5
    assert [stack[0].title for stack in stacks].index("Exercises") == len(stacks) - 1


@pytest.mark.parametrize("name", LESSONS)
def test_all_prose_is_in_the_notes_in_full(name):
    deck = [slide for stack in slides.stacks_of(BY_NAME[name]) for slide in stack]
    assert all(slide.notes for slide in deck)
    notes = words("\n".join(note for slide in deck for note in slide.notes))
    for cell in pages.without_kernel(BY_NAME[name]).cells[1:]:
        if cell.cell_type == "markdown" and notebooks.ASIDE not in notebooks.tags(cell):
            for paragraph in cell.source.split("\n\n"):
                assert words(paragraph) in notes


@pytest.mark.parametrize("name", LESSONS)
def test_every_figure_and_every_exercise_has_its_slide(name):
    deck = [slide for stack in slides.stacks_of(BY_NAME[name]) for slide in stack]
    cells = [cell for cell in notebook(name).cells if notebooks.ASIDE not in notebooks.tags(cell)]
    assert [slide.picture[1] for slide in deck if slide.picture] == [
        text for cell in cells if (text := notebooks.figure(cell)[1])
    ]
    shown = words("\n".join("\n".join([*slide.text, slide.code]) for slide in deck))
    for before, cell in pairwise(cells):
        if notebooks.check_call(cell):
            assert words(cell.source) in shown
            assert words(before.source.split("\n\n")[-1]) in shown


@pytest.mark.parametrize("name", LESSONS)
def test_a_sentence_is_split_from_the_next_and_no_word_is_lost(name):
    for cell in notebook(name).cells:
        for block in slides.blocks(cell.source) if cell.cell_type == "markdown" else []:
            parts = slides.sentences(block)
            assert words(" ".join(parts)).replace("*", "") == words(block).replace("*", "")
            assert all(
                part.count("$") % 2 == 0 and part.count("`") % 2 == 0 for part in parts if slides.is_prose(block)
            )


def test_what_is_kept_of_a_paragraph_is_its_first_sentence_its_definitions_and_what_leads_on():
    paragraph = (
        "A first sentence says what the paragraph is about. A second one gives a reason (e.g. A. Somebody's), which is for the notes. "
        "A **term** is defined here. A fourth is long enough that the paragraph is not shown whole. Which values does $f(x. Y)$ take?"
    )
    kept = "A first sentence says what the paragraph is about. A **term** is defined here."
    assert slides.condense([paragraph], leads_on=False) == [kept]
    last = " A fourth is long enough that the paragraph is not shown whole. Which values does $f(x. Y)$ take?"
    assert slides.condense([paragraph], leads_on=True) == [kept + last]
    assert slides.condense(["Short enough. All of it stays."]) == ["Short enough. All of it stays."]
    assert slides.condense(["$$x = 1$$", "- a\n- b"]) == ["$$x = 1$$", "- a\n- b"]


def example(*cells):
    """A lesson of a few cells: (kind, source, output or None)."""
    top = "# Try\n\nA promise.\n\n*5 minutes of study. Runs in 1 s on two cores. Builds on nothing.*\n\n**After this lesson you can**\n- a;\n- b;\n- c."
    found = [nbformat.v4.new_markdown_cell(top)]
    for kind, source, printed in cells:
        if kind == "markdown":
            found.append(nbformat.v4.new_markdown_cell(source))
        else:
            outputs = [nbformat.v4.new_output("stream", text=printed)] if printed else []
            found.append(nbformat.v4.new_code_cell(source, outputs=outputs))
    return nbformat.v4.new_notebook(cells=found)


SMALL = example(
    ("code", "import numpy as np\nlesson.start(seed=0)", None),
    ("markdown", "## One\n\nLook at this function.", None),
    ("code", "def double(x):\n    return 2 * x", None),
    ("code", "print(double(2))", "4"),
    ("code", "values = [double(x) for x in range(3)]", None),
    ("markdown", "It doubles.\n\n## Exercises\n\n**1.** Write `half(x)`. It takes any number.", None),
    ("code", "half = ...\n\ncheck('a.b', half)", "Not attempted yet."),
    ("markdown", "## Recap\n\n- Twice.", None),
)


def test_a_cell_is_a_slide_a_note_or_left_out_by_what_it_holds():
    wanted = ["slide", "skip", "slide", "-", "-", "notes", "subslide", "-", "slide"]
    assert slides.default_types(SMALL) == wanted
    for_colab = copy.deepcopy(SMALL)
    for_colab.cells[5].metadata["tags"] = ["colab", "remove-cell"]
    assert slides.default_types(for_colab) == [*wanted[:5], "skip", *wanted[6:]]


def deck_of(notebook, folder):
    path = folder / "01_try.ipynb"
    nbformat.write(notebook, path)
    return [slide for stack in slides.stacks_of(notebooks.Lesson(path)) for slide in stack]


def test_a_small_lesson_becomes_these_slides(tmp_path):
    found = [(slide.title, slide.text, slide.code, slide.output, slide.caption) for slide in deck_of(SMALL, tmp_path)]
    assert found == [
        ("Try", ["A promise."], "", "", ""),
        ("After this lesson you can", ["- a;\n- b;\n- c."], "", "", ""),
        ("One", ["Look at this function."], "def double(x):\n    return 2 * x\n\nprint(double(2))", "4", "It doubles."),
        ("Recap", ["- Twice."], "", "", ""),
        ("Exercises", ["**1.** Write `half(x)`. It takes any number."], "half = ...\n\ncheck('a.b', half)", "", ""),
    ]


def test_what_a_cell_says_of_itself_is_followed(tmp_path):
    told = copy.deepcopy(SMALL)
    told.cells[3].metadata["slideshow"] = {"slide_type": "skip"}
    told.cells[4].metadata["slideshow"] = {"slide_type": "notes"}
    told.cells[5].metadata["slideshow"] = {"slide_type": "subslide"}
    deck = deck_of(told, tmp_path)
    assert "double" not in deck[2].code and "print(double(2))" in "".join(deck[2].notes)
    assert slides.types_of(told)[2:6] == ["slide", "skip", "notes", "subslide"]


def test_code_that_is_too_long_is_cut_between_statements_and_none_is_lost():
    source = "\n\n".join(f"def function_{i}(x):\n" + "    x = x + 1\n" * 10 + "    return x" for i in range(4))
    parts = slides._parts(source)
    assert len(parts) > 1
    assert words(" ".join(parts)) == words(source)
    assert all(compile(part, "part", "exec") for part in parts)


def test_of_a_long_docstring_the_first_line_is_shown_and_code_between_two_docstrings_stays():
    source = 'class A:\n    """One."""\n\n    x: int\n\n    def f(self):\n        """Two.\n\n        More.\n        """\n        return 1\n\n\ndef draw_it(ax):\n    pass'
    shown = slides._DOCSTRING.sub(r'\1"""', slides._without_plumbing(source))
    assert shown == 'class A:\n    """One."""\n\n    x: int\n\n    def f(self):\n        """Two."""\n        return 1'


def test_a_link_to_a_lesson_leads_to_its_deck_and_one_to_a_file_is_its_words():
    shown = slides._html(
        "See [lesson 02](02_otsu.ipynb#x), [the file](../deploy/README.md) and [a paper](https://doi.org/1)."
    )
    assert re.findall(r'href="([^"]*)"', shown) == ["02_otsu.html", "https://doi.org/1"]
    assert "the file" in shown


def test_refresh_writes_down_what_new_cells_are_and_keeps_what_was_chosen():
    told = copy.deepcopy(SMALL)
    told.cells[4].metadata["slideshow"] = {"slide_type": "skip"}
    stored = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in refresh.clean(told, 1.0).cells]
    assert stored == ["slide", "skip", "slide", None, "skip", "notes", None, None, "slide"]
