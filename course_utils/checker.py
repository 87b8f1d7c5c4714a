"""The engine of ``check``, ``hint`` and ``solution``. It knows no topic: the exercises stand in ``course_utils.exercises``.

An exercise's check is a function of the learner's answer that raises :class:`Wrong` with a helpful sentence, or returns.
Whatever the answer is, :func:`judge` returns a verdict and never raises.
"""

import copy
import ctypes
import dis
import html
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NOT_ATTEMPTED, WRONG, RIGHT, HINT = "Not attempted yet", "Not right yet", "Right", "Hint"
# A sign and a color that can be told apart on white and on black; the words say the same.
_LOOKS = {RIGHT: ("✓", "#009E73"), WRONG: ("✗", "#D55E00"), NOT_ATTEMPTED: ("…", "#8A8A8A"), HINT: ("?", "#2E86C1")}
_BOX = "border-left: 4px solid {color}; padding: 2px 12px; margin: 4px 0; max-width: 46em; white-space: normal"


class Wrong(Exception):
    """What is wrong with an answer, as a sentence that helps the learner on."""


@dataclass(frozen=True)
class Exercise:
    """One exercise. The docstring of ``check`` is its statement.

    Attributes
    ----------
    name : str
        ``slug.exercise``, as in ``check("thresholding.cost", ...)``.
    check : callable
        Takes the answer; raises :class:`Wrong` with a helpful sentence, or returns.
    hint : str
        One sentence that shows the way and leaves a step to do.
    right : str
        What the right answer teaches, said with the verdict.
    """

    name: str
    check: Callable[[object], None]
    hint: str
    right: str = ""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a learner is told: one sentence in a terminal, and a box with a sign in a notebook.

    Attributes
    ----------
    status : str
        NOT_ATTEMPTED, WRONG or RIGHT; or HINT, which is help and not a verdict.
    text : str
        The sentence for the learner, in which backticks mark code.
    note : str
        A further sentence, for example how many exercises are solved.
    """

    status: str
    text: str
    note: str = ""

    def __repr__(self):
        return ((f"{self.status}: {self.text} " if self.text else f"{self.status}. ") + self.note).rstrip()

    def _repr_html_(self):
        sign, color = _LOOKS[self.status]
        said = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(f"{self.text} {self.note}".strip()))
        # The class keeps JupyterLab from reading dollars in an answer as a formula.
        return (
            f'<div class="tex2jax_ignore mathjax_ignore" style="{_BOX.format(color=color)}">'
            f'<span aria-hidden="true" style="color: {color}; font-weight: bold">{sign}</span> '
            f"<strong>{self.status}{':' if self.text else '.'}</strong> {said}</div>"
        )


def judge(exercise, answer):
    """Judge an answer, whatever it is.

    Parameters
    ----------
    exercise : Exercise
    answer : object
        A value, a function, or ``...`` for an exercise that was not attempted.

    Returns
    -------
    Verdict
        Never raises.
    """
    try:
        if _is_blank(answer):
            return Verdict(NOT_ATTEMPTED, "put your answer in place of the three dots and run the cell again.")
        with np.errstate(all="ignore"):  # whatever the notebook has set
            exercise.check(answer)
    except Wrong as problem:
        return Verdict(WRONG, str(problem))
    except (Exception, SystemExit) as error:  # an answer's own methods (__eq__, __array__) may raise anything
        return Verdict(WRONG, f"this answer could not be judged, reading it raised {_describe_error(error)}.")
    return Verdict(RIGHT, exercise.right)


def _is_blank(answer):
    """Tell whether an answer is ``...``, or a function that does nothing but return it, or nothing at all."""
    if answer is ...:
        return True
    code = getattr(answer, "__code__", None)
    if code is None:
        return False
    steps = [step for step in dis.get_instructions(code) if step.opname not in {"RESUME", "NOP", "COPY_FREE_VARS"}]
    only_returns = all(step.opname in {"LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"} for step in steps)
    return only_returns and all(step.argval in (None, ...) for step in steps)


# Reading an answer: each of these returns what the check can work with, or raises Wrong with a sentence.


def number(answer):
    """Read a finite real number.

    Parameters
    ----------
    answer : object
        A Python or NumPy number, a Fraction, a Decimal, or an array or a tensor of one number.

    Returns
    -------
    float

    Raises
    ------
    Wrong
        If it is text, an array of several numbers, a function, complex, NaN or infinite.
    """
    if isinstance(answer, str):
        raise Wrong(f"expected a number, got the text {answer!r}: leave out the quotes.")
    if callable(answer):
        raise Wrong(f"expected a number, got {describe(answer)}: call it and give its result.")
    values = _read(answer, "your answer")
    if values.size != 1 or values.dtype.kind not in "iuf":
        raise Wrong(f"expected one number, got {describe(answer)}.")
    value = float(values.reshape(()))
    if not math.isfinite(value):
        raise Wrong(f"expected a finite number, got {value}.")
    return value


def array(answer, shape=None, kinds="biuf", what="your result"):
    """Read an array of finite numbers.

    Parameters
    ----------
    answer : array_like
    shape : tuple of int, optional
        The expected shape.
    kinds : str
        Accepted NumPy dtype kinds, out of ``b`` (bool), ``i``, ``u`` (integers) and ``f`` (floats). For ``"iu"`` floats will
        do as well if they are whole.
    what : str
        How the message names it.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    Wrong
        If it is not such an array.
    """
    values = _read(answer, what)
    if kinds == "iu" and values.dtype.kind == "f" and np.array_equal(values, np.rint(values.clip(-1e9, 1e9))):
        values = values.astype(int)  # numbers of classes, say, in an array that np.zeros made
    if values.dtype.kind not in kinds:
        wanted = {"b": "True or False", "iu": "whole numbers"}.get(kinds, "numbers")
        text = " with text in it" if values.dtype.kind == "U" and not isinstance(answer, str) else ""
        raise Wrong(f"expected {what} to be an array of {wanted}, got {describe(answer)}{text}.")
    if shape is not None and values.shape != shape:
        raise Wrong(f"expected {what} to have the shape {shape}, got {values.shape}.")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise Wrong(f"{what} holds NaN or infinite values.")
    return values


def _read(answer, what):
    if isinstance(answer, np.ma.MaskedArray) and np.any(answer.mask):
        raise Wrong(f"{what} has masked entries, which are no numbers: leave them out, or fill them.")
    try:
        values = np.asarray(answer)
        are_exact = values.dtype == object and all(hasattr(value, "as_integer_ratio") for value in values.flat)
        return values.astype(float) if are_exact else values  # Fractions and Decimals
    except ValueError:
        raise Wrong(f"expected {what} to be an array, but its rows have different lengths.") from None
    except (Exception, SystemExit) as error:  # an object's own __array__ may raise anything
        raise Wrong(f"{what} can't be read as numbers, it raised {_describe_error(error)}.") from None


def function(answer, seconds=5.0):
    """Read a learner's function, wrapped so that a check can call it safely.

    Parameters
    ----------
    answer : callable
    seconds : float
        How long one call may take.

    Returns
    -------
    callable
        It hands copies of its arguments on, and raises :class:`Wrong` with a sentence where the learner's function raises,
        takes other arguments, returns nothing, or does not return within `seconds`.

    Raises
    ------
    Wrong
        If `answer` can't be called.
    """
    if not callable(answer):
        raise Wrong(f"expected a function, got {describe(answer)}: give its name, without parentheses after it.")
    name = getattr(answer, "__name__", type(answer).__name__)

    def call(*arguments):
        given = ", ".join(describe(argument) for argument in arguments)
        try:
            result = run_with_limit(answer, copy.deepcopy(arguments), seconds)
        except TimeoutError:
            raise Wrong(
                f"{name} did not return within {seconds:g} s; does a loop in it ever end? It got {given}."
            ) from None
        except Exception as error:
            raise Wrong(f"{name} raised {_describe_error(error)} when it got {given}.") from None
        if result is None or result is ...:
            raise Wrong(f"{name} returned nothing when it got {given}: does it end with `return ...`?")
        return result

    return call


# Comparing an answer: right, near a mistake that can be named, or wrong.


def expect(value, right, near=(), otherwise=None, *, what="your answer", rtol=1e-6, atol=1e-9):
    """Compare a value with the right one, and name the mistake behind a value that is known to be wrong.

    Parameters
    ----------
    value : object
        What the learner gave: a number, or anything that NumPy reads as an array of numbers. A tensor is such a thing.
    right : array_like
        The right value, a number or an array of any shape.
    near : dict or iterable of (array_like, str)
        Values that a known mistake gives, with the sentence about it. One that equals `right` is passed over, so that a
        case in which the mistake makes no difference blames nobody.
    otherwise : str, optional
        The sentence for any other value; it can hold ``{value}`` and ``{right}``. By default both are named.
    what : str
        How the messages name the value.
    rtol, atol : float
        Tolerances of ``numpy.isclose``.

    Raises
    ------
    Wrong
        If the value can't be read as finite numbers, has another shape than `right`, or is not close to it.
    """
    right = np.asarray(right)
    found = number(value) if right.ndim == 0 else array(value, shape=right.shape, what=what)

    def equals(other):
        other = np.asarray(other)
        return other.shape == right.shape and np.allclose(found, other, rtol=rtol, atol=atol)

    if equals(right):
        return
    for wrong, sentence in near.items() if isinstance(near, dict) else near:
        if equals(wrong) and not np.allclose(wrong, right, rtol=rtol, atol=atol):
            raise Wrong(sentence)
    sentence = otherwise or f"{what} should be {{right}}, but it is {{value}}."
    raise Wrong(sentence.format(value=shown(found), right=shown(right)))


def cases(answer, arguments, right, near=(), otherwise=None, *, case="", what="your result", rtol=1e-6, atol=1e-9):
    """Compare a learner's function with the right one on a number of cases, boundary cases first.

    Parameters
    ----------
    answer : callable
        Such as :func:`function` returns.
    arguments : iterable of tuple
        What to call it with, for each case.
    right : callable
        Takes the same arguments and returns the right value, a number or an array.
    near : iterable of (callable, str)
        Functions of the same arguments that make a known mistake, with the sentence about it.
    otherwise : str, optional
        The sentence for any other value; it can hold ``{value}`` and ``{right}``.
    case : str
        How a message names the case: it can hold ``{0}``, ``{1}`` and so on, the arguments. By default they are described.
    what, rtol, atol
        As in :func:`expect`.

    Raises
    ------
    Wrong
        At the first case in which the two differ, with the case in front of the sentence.
    """
    for given in arguments:
        named = case.format(*given) if case else f"for {', '.join(map(shown, given))}"
        value = answer(*given)
        try:
            expect(
                value, right(*given), [(mistake(*given), sentence) for mistake, sentence in near], otherwise,
                what=what, rtol=rtol, atol=atol,
            )  # fmt: skip
        except Wrong as problem:
            raise Wrong(f"{named}: {problem}") from None


def shown(value):
    """Write a value into a message: numbers with six digits, short arrays whole, others by shape and dtype.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
    """
    if isinstance(value, (bool, np.bool_, str)):
        return repr(value)
    values = np.asarray(value)
    if values.dtype.kind not in "iufb" or values.size > 12:
        return describe(value)
    return (
        f"{values.item():g}"
        if values.ndim == 0
        else np.array2string(values, precision=4, separator=", ").replace("\n", "")
    )


def run_with_limit(work, arguments, seconds):
    """Call ``work(*arguments)`` in a thread and give up after `seconds`.

    A thread works on every system and can see the notebook's variables, which another process could not. It is
    stopped by an exception raised inside of it, which ends any loop written in Python.

    Parameters
    ----------
    work : callable
    arguments : tuple
    seconds : float

    Returns
    -------
    object
        What `work` returned; what it raised is raised.

    Raises
    ------
    TimeoutError
        If it did not return in time.
    """
    outcome = {}

    def target():
        try:
            outcome["value"] = work(*arguments)
        except Exception as error:
            outcome["error"] = error
        except BaseException as error:  # SystemExit and KeyboardInterrupt: a learner's function must not end the kernel
            outcome["error"] = RuntimeError(type(error).__name__)

    thread = threading.Thread(target=target, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _stop(thread)
        raise TimeoutError
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _stop(thread):
    """Raise SystemExit inside of a thread until it ends; a loop that swallows every exception is left behind."""
    for _ in range(20):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        thread.join(0.05)
        if not thread.is_alive():
            return


def describe(value):
    """Name a value for a message, in a few words.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        Such as ``the text '107'``, ``an array of shape (2, 3) and dtype uint8`` or ``the number 3``.
    """
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, np.generic):
        kind = "an array" if isinstance(value, np.ndarray) else "a tensor"
        return f"{kind} of shape {value.shape} and dtype {getattr(value.dtype, 'name', value.dtype)}"
    if value is None or isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, (int, float, np.number)):
        return f"the number {value}" if abs(value) < 1e12 else "a number of more than twelve digits"
    kind = "class" if isinstance(value, type) else "function"
    name = kind if callable(value) else type(value).__name__
    return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"


def _describe_error(error):
    text = str(error).strip().split("\n")[0][:200]
    return f"{type(error).__name__} ({text})" if text else type(error).__name__
