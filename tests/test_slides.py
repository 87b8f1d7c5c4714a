"""The decks as a teacher has them: what is on a slide and what in the notes, and every slide shown at a projector's size."""

import base64
import copy
import re
import subprocess
import sys

import nbformat
import pytest
from nbconvert import SlidesExporter

from course_utils import notebooks
from publish import pages, slides, teacher
from tests.browser import grave_faults, needs_browser, needs_extra, tab
from tools import refresh

BY_NAME = {lesson.name: lesson for lesson in notebooks.lessons()}
LESSONS = list(BY_NAME)
TEXT, CODE, OUTPUT = 20, 20, 16  # the smallest sizes that are allowed, in pixels of 1280 x 720
LOOK = """([text, code, output]) => {
  const faults = [];
  Reveal.getSlides().forEach((section, number) => {
    const { h, v } = Reveal.getIndices(section);
    Reveal.slide(h, v);
    const frame = section.querySelector(".frame"), say = fault => faults.push(`slide ${number + 1}: ${fault}`);
    if (frame.scrollHeight > 720 || frame.scrollWidth > 1280) say("too full");
    frame.querySelectorAll("p, li, td, h2, pre, img, mjx-container").forEach(part => {
      const { right, bottom, left, top, height, width } = part.getBoundingClientRect();
      if (right > 1281 || bottom > 721 || left < -1 || top < -1) say(`${part.tagName} sticks out`);
      const size = parseFloat(getComputedStyle(part).fontSize), least = !part.closest("pre") ? text : part.closest(".output") ? output : code;
      if (part.matches("p, li, td, h2, pre") && size < least) say(`${part.tagName} is only ${size} px large`);
      if (part.tagName == "IMG" && ((height < 200 && width < 900) || !part.alt.trim())) say(`a picture of ${height} px, "${part.alt}"`);
    });
    frame.querySelectorAll("mjx-container > svg").forEach(formula => {
      if (formula.getBoundingClientRect().right > 1281) say("a formula sticks out");
    });
    frame.querySelectorAll("pre").forEach(code => {
      if (code.scrollWidth > code.clientWidth) say("a line sticks out");
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


def deck(name):
    """The slides of a lesson, one after the other."""
    return [slide for stack in slides.stacks_of(BY_NAME[name]) for slide in stack]


def words(text):
    return re.sub(r"\s+", " ", text).strip()


@needs_extra
@needs_browser
@pytest.mark.parametrize("name", LESSONS)
def test_every_slide_fits_is_large_enough_and_asks_no_network(projector, name):
    show(projector, name)
    assert projector.page.evaluate(LOOK, [TEXT, CODE, OUTPUT]) + projector.errors + projector.requests == []


@needs_extra
@needs_browser
def test_the_judge_of_a_slide_sees_one_that_is_too_full(projector):
    show(projector, LESSONS[0])
    script = "([at, html]) => document.querySelectorAll('.frame')[at].insertAdjacentHTML('beforeend', html)"
    projector.page.evaluate(script, [2, "<p>line</p>" * 30])
    projector.page.evaluate(script, [3, "<div class='text'><p style='width: 1500px'>wide $x</p></div>"])
    projector.page.evaluate(script, [4, "<p style='font-size: 12px'>small</p><img width=50 height=50>"])
    faults = "\n".join(projector.page.evaluate(LOOK, [TEXT, CODE, OUTPUT]))
    assert "slide 3: too full" in faults
    assert "slide 4: P sticks out" in faults
    assert "slide 4: a formula is not drawn" in faults
    assert "slide 5: P is only 12 px large" in faults
    assert 'slide 5: a picture of 50 px, ""' in faults


@needs_extra
@needs_browser
def test_keys_lead_from_the_title_through_every_slide_to_the_recap(projector):
    show(projector, LESSONS[1])
    total = projector.page.evaluate("Reveal.getTotalSlides()")
    assert total == len(deck(LESSONS[1]))
    for _ in range(total - 1):
        projector.page.keyboard.press("Space")
    assert projector.page.evaluate("Reveal.isLastSlide()")
    assert "Recap" in projector.page.locator("section.present .frame").last.inner_text()


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


def exported(lesson):
    """The pictures on each slide of the deck that JupyterLab's own export makes."""
    html, _ = SlidesExporter().from_filename(str(lesson.path))
    body = re.sub(r'<aside class="notes">.*?</aside>', "", html[html.index('class="slides"') :], flags=re.DOTALL)
    found = [each for each in re.split(r"<section[^>]*>", body)[1:] if each.strip()]
    return [re.findall(r'<img[^>]*?src="([^"]+)"', each) for each in found]


def source_of(png):
    """How the export names a picture: by its content, and the cover by its file."""
    covers = {
        path.read_bytes(): f"../publish/covers/{path.name}" for path in pages.BUILD.parent.glob("publish/covers/*.png")
    }
    return covers.get(base64.b64decode(png), f"data:image/png;base64,{png}")


@pytest.mark.parametrize("name", LESSONS)
def test_jupyterlabs_own_export_has_the_same_slides_with_the_same_pictures(name):
    types = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook(name).cells]
    assert set(types) <= set(slides.TYPES), "run `make refresh`, which writes down what a new cell is"
    ours, theirs = deck(name), exported(BY_NAME[name])
    assert len(ours) == len(theirs) == sum(kind in ("slide", "subslide") for kind in types)
    pictures = [[png for png, _ in slide.all("picture")] for slide in ours]
    first, later = theirs[0], [src.replace("\n", "") for each in theirs[1:] for src in each]
    assert later == [f"data:image/png;base64,{png}" for each in pictures[1:] for png in each]
    assert [source_of(png) for png in pictures[0]] == first


@pytest.mark.parametrize("name", LESSONS[1:])
def test_deck_has_20_to_25_slides_figures_first_recap_last(name):
    found, card = deck(name), BY_NAME[name].card
    assert 20 <= len(found) <= 25
    assert (found[0].title, found[0].parts[0].content) == (card.title, card.promise)
    assert notebooks.OBJECTIVES in found[0].parts[1].content
    with_picture = sum(bool(slide.all("picture")) for slide in found)
    assert with_picture >= min(
        len(found) / 2, BY_NAME[name].budget.figures + 1
    )  # all that the lesson has, and the cover
    assert [slide.title for slide in found[-2:]] == ["Exercises", "Recap"]
    assert len({slide.title for slide in found}) == len(found)


@pytest.mark.parametrize("name", LESSONS)
def test_the_notes_say_what_a_teacher_says_and_asks(name):
    found, book = deck(name), teacher.book(BY_NAME[name])
    assert all(slide.notes for slide in found)
    said = "\n".join(note for slide in found for note in slide.notes)
    assert [item for item in book.items if item not in said] == []
    assert [how for _, how in book.rows.values() if how not in said] == []
    assert "of 45 minutes" not in "".join(found[0].notes)
    assert sum("?" in "".join(slide.notes) for slide in found) >= len(found) / 2
    prose = [cell.source for cell in notebook(name).cells if cell.cell_type == "markdown"]
    assert not any(source in slide.notes for slide in found for source in prose if len(source) > 200)


# ------------------------------------------------------------------------------------------------ sentences
_PRONOUN = re.compile(
    r"(It|They|Its|Their|He|She|So|But|And|Instead|Otherwise|Then|Therefore|Hence)\b|"
    r"(This|That|These|Those|Both|Each|Either|Neither|None) "
    r"(is|are|was|were|has|have|had|can|could|may|might|will|would|does|do|did|mean|show|give|make|say)\b|(This|That) \w+[^s]s\b"
)
_CLOSED = re.compile(r"[.?!:]['\")*]*$")


def blocks(text):
    """Split Markdown into paragraphs, formulas, lists, tables and fences."""
    return [found.strip("\n") for found in re.findall(r"(?:\$\$.*?\$\$|```.*?```|[^\n]+\n?)+", text, re.DOTALL)]


def is_prose(block):
    """Tell a paragraph from the rest."""
    return not re.match(r"\$\$|[-*] |\d+\. |\||```", block)


def broken(slide):
    """What is wrong with the sentences of a slide, in words."""
    faults = [] if slide.title else ["no title"]
    parts = [
        (part.kind, block) for part in slide.parts for block in (blocks(part.content) if part.kind == "text" else [""])
    ]
    texts = [block for kind, block in parts if kind == "text"]
    if texts and _PRONOUN.match(texts[0]):
        faults.append(f"begins without a noun: {texts[0][:40]}")
    for number, (kind, block) in enumerate(parts):
        if kind != "text" or block.startswith("```"):
            continue
        following = parts[number + 1] if number + 1 < len(parts) else None
        plain = re.sub(r"\$\$.*?\$\$|\$[^$]*\$|`[^`]*`", "x", block, flags=re.DOTALL)
        if is_prose(block):
            leads = following and (following[0] != "text" or not is_prose(following[1]))
            is_lead = leads and (following[1].startswith("$$") or re.fullmatch(r"\*\*.*\*\*", plain))
            if not (_CLOSED.search(plain) or is_lead):
                faults.append(f"without an end: {block[-40:]}")
            if plain.endswith(":") and not leads:
                faults.append(f"leads nowhere: {block[-40:]}")
            if re.search(r"[;.:,] [-*•] \w|\b1\. .+ 2\. ", plain):
                faults.append(f"a list in a line: {block[:40]}")
            if re.match(r"[a-z]", plain) and plain[0] != "x":
                faults.append(f"begins in the middle: {block[:40]}")
        if block.count("`") % 2 or re.sub(r"\\\$", "", block).count("$") % 2 or plain.count("**") % 2:
            faults.append(f"marks that don't close: {block[:40]}")
        if any(plain.count(left) != plain.count(right) for left, right in ("()", "[]", "{}")):
            faults.append(f"brackets that don't close: {block[:40]}")
        items = re.findall(r"^(?:[-*]|\d+\.) +(.*)$", block, re.M)
        if any(len(item.split()) < 2 for item in items):
            faults.append(f"an empty item: {block[:40]}")
    return faults


@pytest.mark.parametrize("name", LESSONS)
def test_no_sentence_on_a_slide_is_broken(name):
    assert [(slide.title, fault) for slide in deck(name) for fault in broken(slide)] == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("It doubles every number.", "without a noun"),
        ("This shows that the loss falls.", "without a noun"),
        ("These are the colors of the cup.", "without a noun"),
        ("The loss falls and", "without an end"),
        ("Two rules are common:", "leads nowhere"),
        ("Two rules: - the first one; - the second one.", "a list in a line"),
        ("Do this: 1. divide. 2. multiply.", "a list in a line"),
        ("and the other half of a sentence.", "in the middle"),
        ("A **term is defined here.", "don't close"),
        ("The slope $x is zero.", "don't close"),
        ("The code `x + 1 adds one.", "don't close"),
        ("The mean (over all pixels is zero.", "brackets"),
        ("Two rules are:\n\n- the first one;\n- the", "an empty item"),
    ],
)
def test_the_judge_of_sentences_finds_planted_faults(text, fault):
    planted = slides.Slide("A title", parts=[slides.Part("text", text)])
    assert len(broken(planted)) == 1
    assert fault in broken(planted)[0]


def test_the_judge_of_sentences_lets_whole_ones_pass():
    whole = [
        "This picture is sharp.",
        "Set $x = (1$ and `f(` aside.",
        "Two rules:\n\n- one thing;\n- and another.",
        "The loss is\n\n$$L = 1$$",
    ]
    assert [broken(slides.Slide("A title", parts=[slides.Part("text", text)])) for text in whole] == [[]] * 4
    leading = [slides.Part("text", "What it prints:"), slides.Part("output", "1")]
    assert broken(slides.Slide("A title", parts=leading)) == []


# ------------------------------------------------------------------------------------------------ a small lesson
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


PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
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


def test_unmarked_cell_is_a_slide_a_note_or_left_out_by_its_content():
    found = [slides.type_of(cell) for cell in SMALL.cells]
    assert found == ["slide", "skip", "slide", "skip", "skip", "skip", "notes", "skip", "slide"]
    aside = nbformat.v4.new_markdown_cell("## Aside: more", metadata={"tags": ["aside"]})
    picture = nbformat.v4.new_code_cell(
        "draw()", outputs=[nbformat.v4.new_output("display_data", {"image/png": PIXEL})]
    )
    assert [slides.default_type(aside), slides.default_type(picture)] == ["skip", "subslide"]


def deck_of(notebook, folder):
    path = folder / "01_try.ipynb"
    nbformat.write(notebook, path)
    return [slide for stack in slides.stacks_of(notebooks.Lesson(path)) for slide in stack]


def told():
    """The small lesson with a deck chosen by hand."""
    found = copy.deepcopy(SMALL)
    chosen = {
        3: {
            "slide_type": "subslide",
            "text": "## Doubling\n\nEvery number, **twice**.",
            "notes": ["What is twice zero?"],
        },
        4: {"slide_type": "-"},
        6: {"slide_type": "slide", "text": "## Exercises\n\n1. Write `half(x)`."},
    }
    for number, said in chosen.items():
        found.cells[number].metadata["slideshow"] = said
    return found


def test_a_small_lesson_becomes_the_slides_that_it_says(tmp_path):
    found = deck_of(told(), tmp_path)
    assert [(slide.title, slide.section) for slide in found] == [
        ("Try", "Lesson 01"), ("One", "One"), ("Doubling", "One"), ("Exercises", "Exercises"), ("Recap", "Recap"),
    ]  # fmt: skip
    assert [(part.kind, part.content) for part in found[2].parts] == [
        ("text", "Every number, **twice**."),
        ("code", "def double(x):\n    return 2 * x"),
        ("code", "print(double(2))"),
        ("output", "4"),
    ]
    assert found[2].notes == ["What is twice zero?"]
    assert found[1].notes == ["## One\n\nLook at this function."]  # its prose, because nothing else is there
    assert found[3].parts == [slides.Part("text", "1. Write `half(x)`.")]


def test_a_fragment_appears_later_and_what_is_left_out_stays_out(tmp_path):
    found = told()
    found.cells[4].metadata["slideshow"] = {"slide_type": "fragment"}
    found.cells[8].metadata["slideshow"] = {"slide_type": "skip"}
    deck = deck_of(found, tmp_path)
    assert [part.is_fragment for part in deck[2].parts] == [False, False, True, True]
    assert deck[-1].title == "Exercises"


def test_long_code_gives_way_to_what_it_prints_and_folded_code_always():
    printing = nbformat.v4.new_code_cell(
        "x = 1\n" * 6 + "print(x)", outputs=[nbformat.v4.new_output("stream", text="1\n")]
    )
    assert [part.kind for part in slides.parts_of(printing)] == ["output"]
    printing.source = "print(1)"
    assert [part.kind for part in slides.parts_of(printing)] == ["code", "output"]
    printing.metadata["jupyter"] = dict(notebooks.FOLDED)
    assert [part.kind for part in slides.parts_of(printing)] == ["output"]
    table = nbformat.v4.new_code_cell(
        "table", outputs=[nbformat.v4.new_output("display_data", {"text/markdown": "| a |"})]
    )
    assert slides.parts_of(table) == [slides.Part("text", "| a |")]


def test_code_is_shown_without_docstrings_and_marks_for_tools():
    source = 'class A:\n    """One."""\n\n    x: int  # noqa: A1\n\n    def f(self):\n        """Two.\n\n        More.\n        """\n        return """a"""'
    (shown,) = slides.parts_of(nbformat.v4.new_code_cell(source))
    assert shown.content == 'class A:\n\n    x: int\n\n    def f(self):\n        return """a"""'


def test_a_tall_picture_stands_beside_the_text_and_the_words_come_first():
    def picture(width, height):
        head = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\0" * 8
        return slides.Part("picture", (base64.b64encode(head).decode(), "a picture"))

    text = slides.Part("text", "What to see.")
    tall, wide = slides.Slide("A", parts=[picture(400, 400), text]), slides.Slide("A", parts=[picture(800, 400), text])
    assert (tall.is_split, wide.is_split, slides.Slide("A", parts=[picture(400, 400)]).is_split) == (True, False, False)
    assert [part.kind for part in tall.words_first] == ["text", "picture"]
    assert wide.words_first == wide.parts


def test_a_note_that_points_to_the_teachers_book_must_find_one_place():
    book = teacher.book(BY_NAME["02_otsu"])
    assert book.item("It passes the test").startswith(
        '**Some think: "It passes the test, so it is right"** The mean gray value'
    )
    assert book.item("How else could you test").startswith(
        "**How else could you test a threshold without a library?** Invert"
    )
    assert "wrong:" not in "".join(book.items)
    assert book.plan("What makes a good split?")[0].startswith("**10 of 45 minutes.** Derive")
    assert book.plan("How do you find more than two classes?") == ["**Left out of 45 minutes.**"]
    assert book.plan("Recap") == book.plan("") == []
    with pytest.raises(ValueError, match="got 0"):
        book.item("words that stand nowhere")
    with pytest.raises(ValueError, match="one place"):
        book.item("the")


def test_link_to_a_lesson_leads_to_its_deck_and_a_file_is_text():
    shown = slides._html(
        "See [lesson 02](02_otsu.ipynb#x), [the file](../deploy/README.md) and [a paper](https://doi.org/1)."
    )
    assert re.findall(r'href="([^"]*)"', shown) == ["02_otsu.html", "https://doi.org/1"]
    assert "the file" in shown
    assert "<img" not in slides._html("![a cover](../publish/covers/01.png)\n\nText") and "!" not in shown


def test_refresh_writes_down_what_new_cells_are_and_keeps_what_was_chosen():
    before = told()
    after = refresh.clean(copy.deepcopy(before), 1.0)
    for number in (3, 4, 6):
        assert after.cells[number].metadata["slideshow"] == before.cells[number].metadata["slideshow"]
    assert [cell.metadata["slideshow"]["slide_type"] for cell in after.cells] == [
        slides.type_of(cell) for cell in before.cells
    ]
