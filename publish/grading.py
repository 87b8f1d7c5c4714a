"""Judge answers that may be written to cheat: each runs in a process of its own, and what it says of itself counts for nothing.

The check stays in this process. What it calls is a stand-in that sends the arguments to the answer's process, :mod:`publish.apart`,
and gets plain data back, :mod:`publish.plain`. So an answer can replace whatever it likes: it replaces it for itself.
"""

import atexit
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

from course_utils import checker, exercises
from publish import apart, plain

SECONDS = 60  # that all calls of one answer may take together; the check's own limit of a call is shorter
LONG = 300  # seconds that the set-up may take on a busy computer
LONGEST = 200_000  # characters of an answer
_POINTS = re.compile(r'^verdict = checker\.judge\(.*\["([\w.]+)"\], (\w+)\)$', re.M)
_KEPT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "KERAS_HOME", "PYTHONPATH")


class Answer(NamedTuple):
    """One exercise of a submission.

    Attributes
    ----------
    exercise, variable : str
        ``slug.exercise``, and the variable that holds the answer.
    cells : tuple of str
        The student's code above the cell that gives the points, in order.
    place : int or None
        Which of them is the answer cell; None where it is missing.
    set_up : tuple of str
        The teacher's code: what every student's notebook begins with.
    """

    exercise: str
    variable: str
    cells: tuple
    place: int | None
    set_up: tuple


class Result(NamedTuple):
    """What an answer earns.

    Attributes
    ----------
    verdict : course_utils.checker.Verdict
    published : bool
        Whether the answer equals one that comes with the collection, apart from names, comments and looks.
    """

    verdict: checker.Verdict
    published: bool


def _marks(cell):
    found = cell.metadata.get("nbgrader", {})
    return found if isinstance(found, dict) else {}


def answers_of(cells):
    """Find the answers in a submission, by nbgrader's marks, which must be the teacher's.

    Parameters
    ----------
    cells : list of nbformat.NotebookNode
        Of the submitted notebook.

    Returns
    -------
    dict
        From the position of each cell that gives points to its Answer.
    """
    code = [(number, cell) for number, cell in enumerate(cells) if cell.cell_type == "code"]
    teachers = [cell for _, cell in code if _marks(cell).get("locked") and not _marks(cell).get("grade")]
    own = [(number, cell) for number, cell in code if not _marks(cell).get("locked")]
    found = {}
    for number, cell in code:
        names = _POINTS.search(cell.source) if _marks(cell).get("grade") else None
        if not names:
            continue
        name = _marks(cell)["grade_id"].removesuffix("-points")
        ids = [_marks(each).get("grade_id") for _, each in own]
        place = ids.index(name) if name in ids else None
        above = tuple(each.source for at, each in own if at < number or (place is not None and at <= own[place][0]))
        found[number] = Answer(*names.groups(), above, place, tuple(each.source for each in teachers))
    return found


class _Processes:
    """The process that has run an assignment's set-up, and forks for each answer."""

    def __init__(self, set_up):
        here, there = socket.socketpair()
        folder = str(Path(__file__).resolve().parent.parent)
        environment = {
            key: value for key, value in os.environ.items() if key in _KEPT or key.startswith(("COURSE_", "LC_"))
        }
        environment |= {
            "MPLBACKEND": "Agg",
            "COURSE_PROGRESS": "0",
            "OMP_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        }
        environment["PYTHONPATH"] = os.pathsep.join([folder, *filter(None, [environment.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "publish.apart", json.dumps(set_up)],
            stdin=there, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, cwd=folder,
        )  # fmt: skip
        there.close()
        here.settimeout(LONG)
        self._control, self._told = here, here.makefile("rb")
        said = self._listen()
        if "ready" not in said:
            self.close()
            raise RuntimeError(
                f"the assignment's own first cells can't be run: {said.get('fault', 'the process ended')}."
            )

    def _listen(self):
        try:
            return json.loads(self._told.readline() or "{}")
        except OSError:
            return {}

    @property
    def is_alive(self):
        """Whether it can still fork."""
        return self._process.poll() is None

    def fork(self):
        """Fork for one answer: return the number of its process and the socket to it."""
        ours, theirs = socket.socketpair()
        with contextlib.suppress(OSError):  # it is gone; then it says no number
            socket.send_fds(self._control, [b"fork"], [theirs.fileno()])
        theirs.close()
        return self._listen().get("child"), ours

    def end(self, child):
        """End a process, and return its exit status; None if it had not ended by itself."""
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(child, signal.SIGKILL)
        status = self._listen().get("status")
        if status is None:
            self._process.kill()  # it was attacked, or it hangs: the next answer gets another one
            self._process.wait()
        return None if status == -signal.SIGKILL else status

    def close(self):
        """End it."""
        self._process.kill()
        self._process.wait()
        self._told.close()
        self._control.close()


_running = {}


def _processes(set_up):
    """The processes of an assignment; those of the last one are ended, so that one is there at a time."""
    if set_up not in _running or not _running[set_up].is_alive:
        stop()
        _running[set_up] = _Processes(set_up)
    return _running[set_up]


@atexit.register
def stop():
    """End the process that forks, where one runs."""
    while _running:
        _running.popitem()[1].close()


class _Fault(Exception):
    """Why there is no answer that could be judged, as a sentence."""


class _Apart:
    """An answer in its process, until it ends or takes too long."""

    def __init__(self, answer, seconds):
        self._processes, self._left, self._order = _processes(answer.set_up), seconds, answer
        self._child, connection = self._processes.fork()
        self._line, self._shared = plain.Line(connection), []
        self._why = "" if self._child else "its process could not be started"

    def start(self):
        """Send the code."""
        self._say({"cells": self._order.cells, "place": self._order.place, "variable": self._order.variable})

    @contextlib.contextmanager
    def _watched(self):
        """Count the seconds, and remember why nothing more is to be heard. A check's thread may be here; it must not wait."""
        if self._why:
            raise _Fault(self._why)
        start = time.monotonic()
        try:
            yield
        except TimeoutError:
            self._why = "it takes too long, as an endless loop does"
            raise _Fault(self._why) from None
        except plain.Closed as error:
            self._why = str(error) or "its process ended, as after os._exit or a crash"
            raise _Fault(self._why) from None
        except BaseException:
            self._why = "an earlier call took too long"  # the check's own limit of a call ends its thread
            raise
        finally:
            self._left -= time.monotonic() - start

    def end(self):
        """End the process, and tell why it ended by itself, where that is known: a sentence, or an empty one."""
        self._why = self._why or "it has ended"
        status = self._processes.end(self._child) if self._child else None
        self._child = None
        self._line.close()
        return _ENDS.get(status, "")

    def hear(self):
        """The next message, a dict."""
        with self._watched():
            message = self._line.receive(max(self._left, 0))
            if not isinstance(message, dict):
                raise plain.Closed("it hands over what can't be read")
            return message

    def _say(self, message):
        with self._watched():
            self._line.send(message, max(self._left, 0))

    def _share(self, thing):
        """Give a function or an object of the check a number, under which the answer may call it."""
        self._shared.append(thing)
        return [len(self._shared) - 1, _callable_names(thing)]

    def _call(self, *arguments):
        """Call the answer, and answer what it asks of the check's functions on the way."""
        self._shared = []
        self._say({"call": plain.encode(arguments, self._share)})
        while "ask" in (message := self.hear()):
            self._reply(*message["ask"])
        if "raise" in message:
            raise plain.make_error(*message["raise"])
        return plain.decode(message["return"])

    def _reply(self, number, name, arguments, named):
        """Call one of the check's own functions for the answer."""
        thing = self._shared[number]
        if name not in _callable_names(thing):
            raise _Fault("it asks for what is not there")
        try:
            said = (getattr(thing, name) if name else thing)(*plain.decode(arguments), **plain.decode(named))
        except Exception as error:
            self._say({"raise": plain.describe_error(error)})
        else:
            self._say({"return": plain.encode(said, self._share)})

    def read(self):
        """What the answer is: a value, or a function that stands for the answer's."""
        message = self.hear()
        if "fault" in message:
            raise _Fault(str(message["fault"])[:400])
        if "function" not in message:
            return plain.decode(message["value"])

        def answer(*arguments):
            return self._call(*arguments)

        answer.__name__ = str(message["function"])[:100]
        return answer


_ENDS = {
    apart.FORBIDDEN: "it reads or changes files, starts a program, or opens a connection, which grading does not allow",
    apart.OUT_OF_MEMORY: "it takes too much memory",
}


def _callable_names(thing):
    """What an answer may call of a thing: a function itself, or the public methods of an object."""
    if callable(thing):
        return [""]
    return [name for name in dir(type(thing)) if not name.startswith("_") and callable(getattr(type(thing), name))]


@cache
def _published(exercise):
    """The published answers to an exercise, in the form that does not change with names and looks."""
    return {apart.normal(each.code) for each in exercises.answers(exercise) if each.kind != "wrong"} - {""}


@cache
def _exercise(name):
    return {each.name: each for each in exercises.of_topic(name.split(".")[0])}[name]


def _grade(answer, seconds):
    """Run an answer once, and judge it."""
    process, published = _Apart(answer, seconds), False
    try:
        process.start()
        published = not _published(answer.exercise).isdisjoint(map(str, process.hear()["normal"]))
        verdict = checker.judge(_exercise(answer.exercise), process.read())
    except _Fault as fault:
        verdict = checker.Verdict(checker.WRONG, f"this answer could not be judged: {fault}.")
    except Exception as error:  # it hands over no plain data
        verdict = checker.Verdict(checker.WRONG, f"this answer can't be read ({type(error).__name__}).")
    finally:
        reason = process.end()
    if reason and verdict.status != checker.RIGHT:
        verdict = checker.Verdict(checker.WRONG, f"this answer could not be judged: {reason}.")
    return Result(verdict, published)


def grade(answer, seconds=SECONDS):
    """Judge an answer: alone, and if that is not right, after the student's other cells, which it may need.

    Parameters
    ----------
    answer : Answer
    seconds : float
        That all of its calls may take together.

    Returns
    -------
    Result
    """
    if answer.place is None and not answer.cells:
        return Result(checker.Verdict(checker.WRONG, "the answer cell is missing."), False)
    if sum(map(len, answer.cells)) > LONGEST:
        return Result(checker.Verdict(checker.WRONG, f"the code is longer than {LONGEST:,} characters."), False)
    if answer.place is None:
        return _grade(answer, seconds)
    alone = _grade(answer._replace(cells=(answer.cells[answer.place],), place=0), seconds)
    if alone.verdict.status == checker.RIGHT or len(answer.cells) == 1:
        return alone
    after = _grade(answer, seconds)
    better = after.verdict.status == checker.RIGHT or "NameError" in alone.verdict.text
    return after if better else alone
