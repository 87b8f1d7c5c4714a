"""Grading: no line of a submission earns what its answer does not, and none costs anybody else something."""

import textwrap

import nbformat
import numpy as np
import pytest

from course_utils import exercises, notebooks
from course_utils.checker import NOT_ATTEMPTED, RIGHT, WRONG
from publish import apart, assignments, grading, plain

SET_UP = ("import numpy as np",)
BLANK = "def negative(gray):\n    return ...\n"
RIGHT_ANSWER = "def negative(gray):\n    return 255 - gray"
VARIABLES = {"start_here.negative": "negative", "start_here.pixels": "pixels", "serving.patient": "patient"}


def _graded(code, exercise="start_here.negative", others=(), seconds=20):
    cells = (*others, textwrap.dedent(code))
    return grading.grade(grading.Answer(exercise, VARIABLES[exercise], cells, len(others), SET_UP), seconds)


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left_running():
    yield
    grading.stop()


ATTACKS = {
    "another judge": """
        from course_utils import checker
        checker.judge = lambda *a: checker.Verdict(checker.RIGHT, "")
        def negative(gray):
            return gray
        """,
    "the published solution, read": """
        from course_utils import exercises
        exec(exercises.answers("start_here.negative")[0].code)
        """,
    "the published solution, imported": """
        import sys
        del sys.modules["course_utils.exercises"]
        from course_utils import exercises
        import course_utils.exercises
        exec(course_utils.exercises.answers("start_here.negative")[0].code)
        """,
    "the published solution, opened": """
        import course_utils
        text = open(course_utils.__path__[0] + "/exercises/answers/start_here.py").read()
        exec(text)
        """,
    "another way to the same file": """
        import course_utils, io, os
        text = io.FileIO(os.open(course_utils.__path__[0] + "/serving/../exercises/answers/start_here.py", 0)).read()
        exec(text)
        """,
    "a longer name of the same file": """
        import course_utils
        exec(open(course_utils.__path__[0] + "//./EXERCISES//answers/start_here.py".lower()).read())
        """,
    "the check's own functions": """
        import importlib, sys
        sys.modules.pop("course_utils.exercises")
        check = importlib.import_module("course_utils.exercises.start_here")
        check._negative = lambda answer: None
        def negative(gray):
            return gray
        """,
    "another allclose": """
        np.allclose = np.array_equal = lambda *a, **k: True
        np.argwhere = lambda *a: np.array([[0, 0]])
        def negative(gray):
            return gray
        """,
    "other builtins": """
        import builtins
        builtins.isinstance = lambda *a: True
        builtins.all = builtins.any = lambda *a: True
        def negative(gray):
            return gray
        """,
    "other modules": """
        import sys, types
        for name in list(sys.modules):
            if name.startswith(("course_utils", "publish")):
                sys.modules[name] = types.ModuleType(name)
        def negative(gray):
            return gray
        """,
    "a value that equals everything": """
        class Everything(np.ndarray):
            def __eq__(self, other):
                return True
            __ne__ = __sub__ = __rsub__ = lambda self, other: np.zeros(self.shape, bool)
            def __array__(self, *a, **k):
                return np.asarray(255 - self.view(np.ndarray)) if k.get("right") else self.view(np.ndarray)
        def negative(gray):
            return gray.view(Everything)
        """,
    "the right value from the caller's frame": """
        import sys
        def negative(gray):
            frame = sys._getframe()
            while frame:
                if "right" in frame.f_locals:
                    return frame.f_locals["right"]
                frame = frame.f_back
            return gray
        """,
    "the judge, found by the garbage collector": """
        import gc
        for thing in gc.get_objects():
            if getattr(thing, "__name__", "") == "judge":
                thing.__code__ = (lambda *a: None).__code__
        def negative(gray):
            return gray
        """,
    "the codec, replaced": """
        from publish import plain
        plain.encode = lambda *a: {"verdict": "Right"}
        def negative(gray):
            return gray
        """,
    "forged messages": """
        import json, os, struct
        for message in ({"verdict": "Right"}, {"status": "Right"}, {"value": {"same": True}}, {"return": {"same": 1}}):
            text = json.dumps(message).encode()
            for descriptor in range(3, 40):
                try:
                    os.write(descriptor, struct.pack("!I", len(text)) + text)
                except OSError:
                    pass
        def negative(gray):
            return gray
        """,
    "no message at all": """
        import os
        for descriptor in range(3, 40):
            try:
                os.write(descriptor, b"ffff{}")
            except OSError:
                pass
        os.closerange(0, 60)
        """,
    "an object that runs code where it is unpacked": """
        class Bomb:
            def __reduce__(self):
                return print, ("Right",)
        def negative(gray):
            return Bomb()
        """,
    "an end in good order": "import os\nos._exit(0)",
    "an end in a call": """
        import os
        def negative(gray):
            os._exit(0)
        """,
    "an exit": "import sys\nsys.exit(0)",
    "an exit in a call": """
        def negative(gray):
            raise SystemExit(0)
        """,
    "the parent, killed": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)",
    "everybody, killed": "import subprocess\nsubprocess.run(['true'])",
    "another program": "import os\nos.system('true')",
    "a program by the back door": """
        import sys
        sys.modules.pop("_posixsubprocess", None)
        import _posixsubprocess
        """,
    "the parent, killed by the library": "import ctypes, os\nctypes.CDLL(None).kill(os.getppid(), 9)",
    "a crash": "import ctypes\nctypes.string_at(0)",
    "too many parentheses": "negative = " + "(" * 50_000 + ")" * 50_000,
    "too deep a list": """
        deep = []
        for _ in range(100_000):
            deep = [deep]
        negative = deep
        """,
    "a list that holds itself": """
        deep = []
        deep.append(deep)
        def negative(gray):
            return deep
        """,
    "a number without end": "negative = 10 ** 100_000",
    "too large a result": """
        def negative(gray):
            return np.zeros(3_000_000)
        """,
    "all of the memory": """
        def negative(gray):
            return np.empty(2**33)
        """,
    "a printed verdict, many times": """
        def negative(gray):
            for _ in range(20_000):
                print("Right: NumPy subtracts the whole picture at once.")
            return gray
        """,
    "a raised verdict": """
        from course_utils import checker
        def negative(gray):
            raise checker.Wrong("Right")
        """,
    "no file is written": """
        open("/etc/verdict", "w").write("Right")
        """,
    "half a cell": "def negative(gray):\n    return 255 -",
    "a magic": "%matplotlib inline\n!echo Right\n%%time\ndef negative(gray):\n    return gray",
    "other people's cells": "negative = globals()",
    "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_earns_nothing_and_stops_nobody(name):
    result = _graded(BLANK + textwrap.dedent(ATTACKS[name]))
    assert result.verdict.status in (WRONG, NOT_ATTEMPTED), name
    assert not result.published


def test_after_all_attacks_a_right_answer_is_right_and_a_wrong_one_wrong():
    assert _graded(RIGHT_ANSWER).verdict.status == RIGHT
    assert "unchanged" in _graded("negative = lambda gray: gray").verdict.text


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    pass",
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 60))\ntime.sleep(1000)",
        "def negative(gray):\n    while True:\n        try:\n            while True:\n                pass\n        except BaseException:\n            pass",
    ],
)
def test_endless_loop_ends(code):
    text = _graded(code, seconds=0.5).verdict.text
    assert "takes too long" in text or "did not return" in text


def test_sentence_of_the_check_reaches_the_student():
    result = _graded("def negative(gray):\n    return -gray")
    assert result.verdict.status == WRONG
    assert "wraps around" in result.verdict.text
    assert _graded(BLANK).verdict.status == NOT_ATTEMPTED
    assert "the cell raised ZeroDivisionError" in _graded("1 / 0").verdict.text
    assert "not complete Python" in _graded("def negative(gray):\n    return 255 -").verdict.text


def test_answer_cell_is_judged_alone_then_after_the_other_cells():
    uses = "def negative(gray):\n    return white() - gray"
    assert "NameError" in _graded(uses).verdict.text
    assert _graded(uses, others=["def white():\n    return 255"]).verdict.status == RIGHT
    assert _graded(RIGHT_ANSWER, others=["import os\nos._exit(0)", "1 / 0"]).verdict.status == RIGHT


def test_hanging_cell_above_costs_an_answer_that_needs_the_others_nothing():
    loop = "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.2)\nwhile True:\n    pass"
    uses = "def negative(gray):\n    return white() - gray"
    assert _graded(uses, others=[loop, "def white():\n    return 255"]).verdict.status == RIGHT


def test_check_calls_back_and_forth():
    """The answer calls functions of the check, which raise exceptions and count."""
    solution = exercises.answers("serving.patient")[0].code
    assert _graded(solution, "serving.patient").verdict.status == RIGHT
    impatient = "def patient(send, sleep):\n    code, text = send()\n    return text"
    assert _graded(impatient, "serving.patient").verdict.status == WRONG
    forger = "def patient(send, sleep):\n    send.__self__.did = []\n    return 'reply 1'"
    assert _graded(forger, "serving.patient").verdict.status == WRONG


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, -2.5, float("inf"), "text", 1 + 2j, [1, [2, 3]], (1, "a"), {1, 2}, {"a": [1]}, ..., 10**30,
        np.float32(1.5), np.arange(6).reshape(2, 3), np.zeros((0, 4)), np.array(True), np.array([1, 2], ">i4"),
    ],
    ids=repr,
)  # fmt: skip
def test_plain_data_arrives_as_it_is(value):
    found = plain.decode(plain.encode(value))
    assert type(found) is type(value)
    assert np.array_equal(np.asarray(found, object), np.asarray(value, object))
    assert getattr(found, "dtype", None) == getattr(value, "dtype", None)


@pytest.mark.parametrize(
    "data",
    [
        {"array": ["|O", [1], "AAAAAAAAAAA="]}, {"array": ["<f8", [3], "AAAA"]}, {"array": ["<f8", [-7], ""]}, {"fraction": "1E999999999"},
        {"decimal": "1E999999999"}, {"remote": [0, [""]]}, {"eval": "1"}, {"same": {"a": 1}}, {}, [], {"set": [{"list": []}]},
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_plain_data_is_refused(data):
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        plain.decode(data)


def test_exceptions_arrive_as_kinds_that_every_python_has():
    class Late(ConnectionError):
        pass

    found = plain.make_error(*plain.describe_error(Late("no")))
    assert isinstance(found, ConnectionError)
    assert (type(found).__name__, str(found)) == ("Late", "no")
    assert isinstance(plain.make_error("SystemExit", "SystemExit", ""), RuntimeError)
    assert isinstance(plain.make_error("exec", "exec", ""), RuntimeError)


SOLUTION = """
def mended(histogram):
    '''The threshold.'''
    shares = np.array(histogram) / np.sum(histogram)  # of all
    best, found = -1.0, 0
    for t in range(255):
        low, high = shares[: t + 1].sum(), shares[t + 1 :].sum()
        if low > 0 and high > 0 and low * high > best:
            best, found = low * high, t
    return found
"""
DISGUISED = """
import numpy

def mended(h: list) -> int:
    s = numpy.array(h) / numpy.sum(h)
    b, f = -1.0, 0

    for k in range(255):
        p, q = s[:k + 1].sum(), s[k + 1:].sum()
        if p > 0 and q > 0 and p * q > b:
            b, f = p * q, k
    return f

print("done")
check("otsu.mend", mended)
"""


def test_answer_that_differs_in_names_and_looks_alone_equals_the_other():
    blank = "def mended(histogram):\n    return ...\n"
    assert apart.normal(SOLUTION)
    assert apart.normal(SOLUTION) == apart.normal(DISGUISED) == apart.normal(blank + DISGUISED)
    assert apart.normal(SOLUTION) != apart.normal(DISGUISED.replace("p * q > b", "p * q >= b"))
    assert apart.normal(SOLUTION) != apart.normal(DISGUISED.replace("b, f = p * q, k", "f, b = p * q, k"))


def test_short_answers_and_values_tell_nothing():
    assert apart.normal("n = 384 * 303") == ""
    assert apart.normal(RIGHT_ANSWER) == ""
    assert apart.normal("def f(:") == ""


def test_published_answer_is_marked_and_keeps_its_points():
    code = exercises.answers("serving.patient")[0].code
    assert _graded(code, "serving.patient") == grading.Result(_graded(code, "serving.patient").verdict, True)


def test_answers_are_found_by_their_marks():
    (lesson,) = notebooks.lessons(wanted=["00"])
    cells = assignments.assignment(lesson).cells
    found = list(grading.answers_of(cells).values())
    assert [each.exercise for each in found] == ["start_here.pixels", "start_here.negative"]
    assert all("SOLUTION" in each.cells[each.place] for each in found)
    assert "lesson.start" in found[0].set_up[0]
    own = nbformat.v4.new_code_cell("helper = 1")
    cells.insert(3, own)
    del cells[next(n for n, cell in enumerate(cells) if cell.id == "start-here-negative")]
    first, second = grading.answers_of(cells).values()
    assert "helper = 1" in first.cells
    assert second.place is None


def test_missing_answer_cell_is_told():
    result = grading.grade(grading.Answer("start_here.negative", "negative", (), None, SET_UP))
    assert result.verdict.status == WRONG
    assert "missing" in result.verdict.text


def test_set_up_that_fails_is_the_teachers_matter():
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        grading.grade(grading.Answer("start_here.negative", "negative", (RIGHT_ANSWER,), 0, ("1 / 0",)))
