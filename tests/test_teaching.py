"""The teacher's book agrees with the lessons: minutes, headings, exercises, verdicts on wrong answers, and terms."""

import functools
import re

import nbformat
import pytest

from course_utils import exercises, notebooks
from publish import teacher
from publish.answering import ALL, TASKS

NOT_WRITTEN = {"00"}  # the plans say what to do with it
LESSONS = {lesson.name: lesson for lesson in notebooks.lessons()}
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in teacher.pages()}
OF_LESSONS = [name for name in PAGES if name in LESSONS]
RENEW = "renew the pages with `python -m publish.teacher`, and read what changed"


@functools.cache
def terms():
    return teacher.terms()


def masked(text):
    """Without its numbers, of which the last digit may differ on another processor."""
    return re.sub(r"\d[\d.,]*", "#", text)


def plan(name):
    """The 45 minutes of a page: rows of (minutes, section), and the sections that are left out."""
    part = PAGES[name].partition("## In 45 minutes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", part, re.M)
    return [(int(minutes), title) for minutes, title in rows], part.partition("Leave out: ")[2]


def test_every_lesson_has_a_page_and_every_page_a_lesson():
    assert {lesson.number for lesson in LESSONS.values()} - {name[:2] for name in OF_LESSONS} == NOT_WRITTEN
    assert set(PAGES) - set(OF_LESSONS) == {"plans", "questions", "glossary"}
    text = teacher.ENTRY.read_text(encoding="utf-8")
    assert all(f"(publish/teaching/{name}.md)" in text for name in PAGES)


@pytest.mark.parametrize("name", OF_LESSONS)
def test_minutes_are_those_of_the_sections_and_add_up_to_the_study_time(name):
    lesson = LESSONS[name]
    assert teacher.minutes_table(lesson) in PAGES[name], RENEW
    main = [part for part in teacher.sections(lesson) if not part.is_aside]
    assert sum(part.minutes for part in main) == lesson.budget.study_minutes == lesson.card.study_minutes
    headings = re.findall(r"^## (?!Aside: )(.*)", lesson.prose, re.M)
    assert [part.title for part in main] == ["Opening", *headings]


@pytest.mark.parametrize("name", OF_LESSONS)
def test_forty_five_minutes_are_forty_five_and_every_section_is_in_or_out(name):
    rows, left_out = plan(name)
    titles = [part.title for part in teacher.sections(LESSONS[name]) if not part.is_aside]
    assert sum(minutes for minutes, _ in rows) == 45
    assert {title for _, title in rows} <= set(titles)
    missing = set(titles) - {title for _, title in rows} - {"Opening", "Recap"}
    assert [title for title in missing if title not in left_out] == []
    assert [title for _, title in rows if title in left_out] == []
    assert missing


@pytest.mark.parametrize("name", OF_LESSONS)
def test_a_page_has_all_its_parts(name):
    headings = re.findall(r"^## (.*)", PAGES[name], re.M)
    assert headings == ["Minutes", "In 45 minutes", "Three misconceptions", "For discussion", "To demonstrate"]
    assert len(re.findall(r"^### ", PAGES[name], re.M)) == len(re.findall(r"^<!-- wrong: ", PAGES[name], re.M)) == 3
    discussion = PAGES[name].partition("## For discussion")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\*\*[^*]+\?\*\* \S", discussion, re.M)) >= 3


@pytest.mark.parametrize("name", OF_LESSONS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_misconceptions_are_wrong_answers_with_their_verdicts(name):
    found = re.findall(r"<!-- wrong: (\S+) \| (.+?) -->\n\n(.*?)\n<!-- end -->", PAGES[name], re.S)
    assert len(found) == 3
    for exercise, words, written in found:
        assert exercise.split(".")[0] == LESSONS[name].slug
        assert masked(teacher.wrong_answer(exercise, words)) == masked(written), RENEW


def test_a_right_answer_and_one_that_nobody_knows_are_no_misconceptions():
    with pytest.raises(StopIteration):
        teacher.wrong_answer("otsu.mend", "words that stand nowhere")
    assert "otsu_threshold(histogram) + 1" in teacher.wrong_answer("otsu.mend", "one too high")


@pytest.mark.parametrize("name", PAGES)
def test_only_exercises_that_exist_are_named(name):
    slugs = "|".join(exercises.topics())
    named = set(
        re.findall(
            rf"\b((?:{slugs})\.[a-z]\w*)\b(?!\()",
            re.sub(r"\]\([^)]*\)|^(?:import|from) .*", "", PAGES[name], flags=re.M),
        )
    )
    files = {each for each in named if each.endswith((".ipynb", ".md", ".py"))}
    assert named - files <= set(ALL)


def test_the_question_bank_is_that_of_the_lessons():
    assert teacher.question_bank() in PAGES["questions"], RENEW
    assert re.findall(r"^### `(.*)`$", PAGES["questions"], re.M) == [
        task.name for lesson in LESSONS.values() for task in lesson.exercises
    ]
    assert len(TASKS) == len(ALL)


def test_terms_are_in_order_and_each_has_an_anchor_of_its_own():
    names = [term.names[0].lower() for term in terms()]
    assert names == sorted(names)
    assert len({term.anchor for term in terms()}) == len(terms()) == PAGES["glossary"].count('<a id="')
    assert all(term.meaning.endswith(".") and term.lessons for term in terms())


def test_every_term_has_its_chinese():
    latin = [term.names[0] for term in terms() if not re.search(r"[\u4e00-\u9fff]", term.chinese)]
    assert set(latin) <= {"Fast R-CNN", "Faster R-CNN", "k-means++", "soft-argmax"}  # the field writes them so


@pytest.mark.parametrize("term", terms(), ids=lambda term: term.anchor)
def test_a_term_is_used_in_the_lessons_that_explain_it(term):
    by_number = {lesson.number: lesson for lesson in LESSONS.values()}
    assert [number for number in term.lessons if not teacher.pattern(term).search(by_number[number].prose)] == []


TERMS = teacher.terms(
    '| <a id="ap"></a>**average precision**, **AP** | 平均精度 | An area. | [08](x) |\n'
    '| <a id="precision"></a>**precision** (of a detector) | 精确率 | A share. | [08](x) |\n'
    '| <a id="dice"></a>**Dice** | 系数 | An overlap. | [01](x) |\n'
)


def linked(*texts):
    """Links as [words](anchor), which is easier to read here."""
    made = teacher.link_terms(list(texts), TERMS)
    return [
        re.sub(r'<a class="term" href="glossary.html#(\w+)">(.*?)</a>', r"{\2|\1}", text, flags=re.S) for text in made
    ]


def test_terms_are_read_with_all_their_names():
    assert [term.names for term in TERMS] == [("average precision", "AP"), ("precision",), ("Dice",)]
    assert [term.is_common for term in TERMS] == [False, True, False]
    assert TERMS[1][:2] == ("precision", ("precision",)) and TERMS[1].lessons == ("08",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("An average precision of 1", "An {average precision|ap} of 1"),
        ("Average\nprecision and AP", "{Average\nprecision|ap} and AP"),
        ("Two APs, one precision", "Two {APs|ap}, one {precision|precision}"),
        ("**Precision** counts", "**{Precision|precision}** counts"),
        ("Two dice are thrown; Dice is 1", "Two dice are thrown; {Dice|dice} is 1"),
        ("imprecision, APX, pre-AP", "imprecision, APX, pre-AP"),
        ("# Precision\n\nprecision", "# Precision\n\n{precision|precision}"),
        ("`precision` and $precision$ and precision", "`precision` and $precision$ and {precision|precision}"),
        ("```\nprecision\n```\nprecision", "```\nprecision\n```\n{precision|precision}"),
        ("[precision](x.md) precision", "[precision](x.md) {precision|precision}"),
        ("![precision](x.png)", "![precision](x.png)"),
        ("$$precision$$", "$$precision$$"),
        ("**References.** On precision.", "**References.** On precision."),
    ],
)
def test_only_running_text_is_linked_and_only_once(text, expected):
    assert linked(text) == [expected]


def test_the_first_cell_that_uses_a_term_links_it_and_no_other_does():
    assert linked("nothing", "a precision", "a precision") == ["nothing", "a {precision|precision}", "a precision"]


def test_sections_split_a_cell_at_its_headings_and_leave_asides_apart(tmp_path):
    words = " ".join(["word"] * 358)
    cells = [
        nbformat.v4.new_markdown_cell(f"# Try\n\n{words}\n\n## One\n\n{words}"),
        nbformat.v4.new_markdown_cell("## Aside: more"),
        nbformat.v4.new_code_cell("\n".join(["x = 1"] * 16)),
        nbformat.v4.new_markdown_cell(f"## Two\n\n{words}\n\n{words}"),
    ]
    lesson = notebooks.Lesson(tmp_path / "01_try.ipynb", nbformat.v4.new_notebook(cells=cells))
    assert teacher.sections(lesson) == [("Opening", 2, False), ("One", 2, False), ("Two", 4, False), ("more", 2, True)]


def test_a_verdict_shows_its_signs_as_they_are():
    assert teacher._escaped("a_b [1, 2] `x_y` 2*3") == r"a\_b \[1, 2\] `x_y` 2\*3"
