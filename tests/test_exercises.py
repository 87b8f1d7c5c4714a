"""Every exercise: its solution passes, each wrong answer gets the words that help, and nonsense never raises."""

import ast
import html
import re

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_utils import checker, exercises
from course_utils.checker import NOT_ATTEMPTED, RIGHT, WRONG, Exercise, Wrong, judge
from tests.notebook_code import NOTEBOOKS, exercise_cells, lesson_sources, load

ALL = {exercise.name: exercise for topic in exercises.topics() for exercise in exercises.of_topic(topic)}
CELLS = {
    name: (path.stem, *found)
    for path in sorted(NOTEBOOKS.glob("*.ipynb"))
    for name, found in exercise_cells(path.stem).items()
}
WRONG_ANSWERS = [(name, code, words) for name, exercise in ALL.items() for code, words in exercise.wrong]


@pytest.fixture(scope="module")
def answer():
    """Return what a learner's code binds in the exercise's cell, with the lesson's definitions and pictures at hand."""
    modules = {}

    def run(name, code):
        lesson, variable, _ = CELLS[name]
        if lesson not in modules:
            modules[lesson] = vars(load(lesson)) | _samples(lesson)
        namespace = dict(modules[lesson])
        exec(code, namespace)
        return namespace.get(variable, namespace[_last_name(code)])

    return run


def _samples(lesson):
    """Pictures that the lesson names at its start: `coins = images.sample("coins")` and the like."""
    lines = [line for source in lesson_sources(lesson) for line in source.splitlines() if "= images.sample(" in line]
    namespace = dict(vars(load(lesson)))
    exec("\n".join(line for line in lines if not line.startswith(" ")), namespace)
    return {line.split(" = ")[0]: namespace[line.split(" = ")[0]] for line in lines if not line.startswith(" ")}


def _last_name(code):
    last = ast.parse(code).body[-1]
    return last.name if isinstance(last, ast.FunctionDef) else last.targets[0].id


def test_every_exercise_stands_in_a_notebook_and_every_one_there_exists():
    assert set(CELLS) == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_solution_is_right_and_binds_the_cells_variable(name, answer):
    code = ALL[name].solution
    assert _last_name(code) == CELLS[name][1]
    assert judge(ALL[name], answer(name, code)).status == RIGHT


@pytest.mark.parametrize(
    ("name", "code", "words"), WRONG_ANSWERS, ids=[f"{name}-{i}" for i, (name, _, _) in enumerate(WRONG_ANSWERS)]
)
def test_wrong_answer_gets_words_that_help(name, code, words, answer):
    verdict = judge(ALL[name], answer(name, code))
    assert verdict.status == WRONG
    assert words in verdict.text


@pytest.mark.parametrize("name", ALL)
def test_exercise_is_complete(name):
    exercise = ALL[name]
    assert len(exercise.wrong) >= 2
    assert exercise.check.__doc__
    assert exercise.hint
    assert exercise.solution not in exercise.hint


@pytest.mark.parametrize("name", ALL)
def test_cell_as_shipped_is_not_attempted(name):
    _, variable, source = CELLS[name]
    namespace = {"check": lambda *_: None}
    exec(source, namespace)
    assert judge(ALL[name], namespace[variable]).status == NOT_ATTEMPTED


def _raises(*_):
    raise ZeroDivisionError("nothing to divide")


class _Hostile:
    def __array__(self, *_, **__):
        raise SystemExit("no array")

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None


NONSENSE = {
    "None": None,
    "text": "107",
    "empty text": "",
    "NaN": float("nan"),
    "infinite": float("inf"),
    "complex": 1j,
    "huge": 10**400,
    "True": True,
    "empty list": [],
    "ragged list": [[1], [1, 2]],
    "array": np.zeros((3, 4, 5)),
    "NaN array": np.full((4, 4), np.nan),
    "object array": np.array([None, "a"], dtype=object),
    "dict": {"a": 1},
    "class": dict,
    "module": np,
    "hostile": _Hostile(),
    "raises": _raises,
    "no arguments": lambda: 1,
    "too many arguments": lambda a, b, c, d, e, f: 1,
    "returns None": lambda *_: [].clear(),
    "returns text": lambda *_: "abc",
    "returns NaN": lambda *_: float("nan"),
    "returns ragged list": lambda *_: [[1], [1, 2]],
    "returns itself": lambda *a: a,
    "returns hostile": lambda *_: _Hostile(),
    "exits": lambda *_: exit(1),
    "recurses": lambda *a: NONSENSE["recurses"](*a),
    "destroys its argument": lambda gray, *_: gray.fill(0) if hasattr(gray, "fill") else gray.clear(),
}


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nonsense_is_wrong_and_never_raises(name, nonsense, capsys):
    exercises.check(name, NONSENSE[nonsense])
    printed = capsys.readouterr().out
    assert printed.startswith(WRONG)
    if nonsense != "hostile":
        assert "could not be judged" not in printed


def test_blank_answers_are_not_attempted():
    exercise = Exercise("t.t", lambda answer: None, "", "", ())

    def dots(a): ...

    def documented(a):
        """Say nothing."""

    def passes(a, b=2):
        pass

    def returns_dots(a):
        return ...  # your code

    for blank in (..., dots, documented, passes, returns_dots):
        assert judge(exercise, blank).status == NOT_ATTEMPTED
    assert judge(exercise, lambda a: 1).status == RIGHT
    assert judge(exercise, print).status == RIGHT


def test_endless_loop_is_stopped_within_its_limit():
    running = []

    def endless(_):
        while True:
            running.append(1)

    with pytest.raises(Wrong, match="does a loop in it ever end"):
        checker.function(endless, seconds=0.2)(1)
    before = len(running)
    assert before > 0
    for _ in range(1000):
        pass
    assert len(running) == before


def test_learners_function_gets_copies():
    gray = np.arange(5)

    def spoil(values):
        values[:] = 0
        return values

    assert (checker.function(spoil)(gray) == 0).all()
    assert (gray == np.arange(5)).all()


@pytest.mark.parametrize("ask", [exercises.check, exercises.hint, exercises.solution])
@pytest.mark.parametrize("name", ["thresholding.nothing", "nowhere.share", "", None, 3])
def test_unknown_exercise_is_named_with_those_there_are(ask, name, capsys):
    ask(name, 1) if ask is exercises.check else ask(name)
    printed = capsys.readouterr().out
    assert f"no exercise named {name!r}" in printed
    assert "thresholding" in printed


def test_hint_and_solution_print_what_the_exercise_says(capsys):
    exercises.hint("start.negative")
    exercises.solution("start.negative")
    assert capsys.readouterr().out == f"Hint: {ALL['start.negative'].hint}\n{ALL['start.negative'].solution}\n"


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_in_a_kernel_verdicts_and_hints_are_boxes_that_look_different_and_sentences_as_printed(shell, capsys):
    asked = [("...", ...), ("wrong", 303), ("right", 303 * 384), ("hint", None)]
    boxes, sentences = [], []
    for kind, answer in asked:
        with capture_output() as captured:
            exercises.hint("start.pixels") if kind == "hint" else exercises.check("start.pixels", answer)
        (output,) = captured.outputs
        assert captured.stdout == ""
        assert set(output.data) == {"text/html", "text/plain"}
        boxes.append(output.data["text/html"])
        sentences.append(output.data["text/plain"])
        read = html.unescape(re.sub("<[^>]+>", "", boxes[-1]))
        status, _, text = sentences[-1].replace("`", "").partition(": ")
        assert status.rstrip(".") in read  # behind the sign
        assert text in read
    assert len({re.search(r"border-left: 4px solid (#\w+)", box)[1] for box in boxes}) == len(asked)
    assert len({re.search(r"<span[^>]*>(.)</span>", box)[1] for box in boxes}) == len(asked)
    assert sentences[1].startswith("Not right yet: 303 is one side of the picture; ")
    assert sentences[2:] == ["Right.", f"Hint: {ALL['start.pixels'].hint}"]
    assert "<code>coins.shape</code>" in boxes[3]


def test_what_a_learner_writes_is_not_read_as_html(shell):
    verdict = checker.Verdict(WRONG, "expected a number, got the text '<b>& `x<y`'.")
    assert "the text &#x27;&lt;b&gt;&amp; <code>x&lt;y</code>&#x27;." in verdict._repr_html_()
    with capture_output() as captured:
        exercises.check("start.pixels", "<script>alert(1)</script>")
    assert "<script" not in captured.outputs[0].data["text/html"]
