"""Every exercise: its solution passes, each wrong answer gets the words that help, and nonsense never raises."""

import html
import re

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_utils import checker, exercises
from course_utils.checker import NOT_ATTEMPTED, RIGHT, WRONG, Exercise, Wrong, judge
from publish.answering import ALL, TASKS, bound_name, run

ANSWERS = {name: exercises.answers(name) for name in ALL}


def test_every_exercise_stands_in_a_notebook_and_every_one_there_exists():
    assert set(TASKS) == set(ALL)


@pytest.mark.parametrize("topic", exercises.topics())
def test_exercises_stand_in_the_order_of_their_lesson(topic):
    assert [each.name for each in exercises.of_topic(topic)] == [name for name in TASKS if name.startswith(f"{topic}.")]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_solution_and_right_answers_written_differently_are_right(name):
    for answer in ANSWERS[name]:
        if answer.kind != "wrong":
            assert judge(ALL[name], run(name, answer.code)).status == RIGHT, answer.code
            assert bound_name(answer.code) == TASKS[name].variable


@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_wrong_answer_gets_words_that_help(name):
    for answer in ANSWERS[name]:
        if answer.kind == "wrong":
            verdict = judge(ALL[name], run(name, answer.code))
            assert verdict.status == WRONG, answer.code
            assert answer.note in verdict.text, answer.code


@pytest.mark.parametrize("name", ALL)
def test_exercise_is_complete(name):
    kinds = [answer.kind for answer in ANSWERS[name]]
    assert kinds.count("solution") == 1
    assert kinds.count("right") >= 2
    assert kinds.count("wrong") >= 2
    assert ALL[name].check.__doc__
    assert ALL[name].hint
    assert exercises.answers(name)[0].code not in ALL[name].hint


def test_every_answer_belongs_to_an_exercise():
    heads = [
        line
        for path in exercises.ANSWERS.glob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("# %%")
    ]
    assert len(heads) == sum(map(len, ANSWERS.values()))


def test_copy_without_answers_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(exercises, "ANSWERS", tmp_path)
    exercises.solution("otsu.mend")
    assert "comes without solutions" in capsys.readouterr().out


@pytest.mark.parametrize("name", ALL)
def test_cell_as_shipped_is_not_attempted(name):
    task = TASKS[name]
    namespace = {"check": lambda *_: None}
    exec(task.cell.source, namespace)
    assert judge(ALL[name], namespace[task.variable]).status == NOT_ATTEMPTED


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


@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nonsense_is_wrong_and_never_raises(name, capsys):
    for kind, nonsense in NONSENSE.items():
        exercises.check(name, nonsense)
        printed = capsys.readouterr().out
        assert printed.startswith(WRONG), kind
        assert kind == "hostile" or "could not be judged" not in printed, kind


def test_blank_answers_are_not_attempted():
    exercise = Exercise("t.t", lambda answer: None, "")

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


@pytest.mark.parametrize("name", ["gan.logits", "fully_convolutional.ignore"])
def test_right_answer_is_right_whatever_the_notebook_does_with_overflows(name):
    with np.errstate(all="raise"):
        assert judge(ALL[name], run(name, ANSWERS[name][0].code)).status == RIGHT


@pytest.mark.parametrize("name", ["region_proposals.suppress", "region_proposals.hardest"])
def test_indices_may_be_whole_floats_and_no_others(name):
    right = run(name, ANSWERS[name][0].code)
    assert judge(ALL[name], lambda *given: np.array(right(*given), float)).status == RIGHT
    assert "whole numbers" in judge(ALL[name], lambda *given: np.array(right(*given)) + 0.5).text


def test_check_without_an_answer_is_not_attempted(capsys):
    exercises.check("start_here.pixels")
    assert capsys.readouterr().out.startswith(NOT_ATTEMPTED)


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
    exercises.hint("start_here.negative")
    exercises.solution("start_here.negative")
    assert (
        capsys.readouterr().out
        == f"Hint: {ALL['start_here.negative'].hint}\n{ANSWERS['start_here.negative'][0].code}\n"
    )


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def test_in_a_kernel_verdicts_and_hints_are_boxes_that_look_different(shell, capsys):
    asked = [("...", ...), ("wrong", 303), ("right", 303 * 384), ("hint", None)]
    boxes, sentences = [], []
    for kind, answer in asked:
        with capture_output() as captured:
            exercises.hint("start_here.pixels") if kind == "hint" else exercises.check("start_here.pixels", answer)
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
    assert sentences[2:] == ["Right.", f"Hint: {ALL['start_here.pixels'].hint}"]
    assert "<code>coins.shape</code>" in boxes[3]


def test_what_a_learner_writes_is_not_read_as_html(shell):
    verdict = checker.Verdict(WRONG, "expected a number, got the text '<b>& `x<y`'.")
    assert "the text &#x27;&lt;b&gt;&amp; <code>x&lt;y</code>&#x27;." in verdict._repr_html_()
    with capture_output() as captured:
        exercises.check("start_here.pixels", "<script>alert(1)</script>")
    assert "<script" not in captured.outputs[0].data["text/html"]
