"""Train on several machines: a team of worker processes on this one, and ``python -m course_utils.distributed`` for real ones.

A worker is a Python process of its own with its own ``TF_CONFIG``, as on a machine of its own. It runs the functions that
a notebook sends it, and ends with the program that started it, also where that program is killed: see :mod:`.worker`.
"""

import ast
import atexit
import contextlib
import dis
import inspect
import json
import linecache
import os
import pickle
import queue
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_TAKEN = "Could not start gRPC server"  # what TensorFlow says where somebody took a port in the meantime
_GRACE = 5  # seconds that the other workers have to notice that one is gone


class WorkerError(RuntimeError):
    """A worker failed, was killed, or took too long; the message says which, and what it wrote last."""


class Team:
    """Worker processes that train together on this computer's processor, over the loopback address.

    Parameters
    ----------
    workers : int
        How many.
    threads : int
        Processor threads of each.
    seconds : float
        How long they may take to start.

    Raises
    ------
    ValueError
        If there would be fewer than one worker or thread.
    WorkerError
        If a worker does not start.

    Examples
    --------
    >>> with Team(2) as team:  # doctest: +SKIP
    ...     team.run(train, 20)
    """

    def __init__(self, workers=2, threads=1, seconds=300):
        if not all(isinstance(count, int) and count >= 1 for count in (workers, threads)):
            raise ValueError(f"expected at least one worker and one thread, got {workers!r} and {threads!r}.")
        self._processes = []
        atexit.register(self.close)
        for trial in range(3):
            try:
                self._start(workers, threads)
                self._answers_within(seconds)
                return
            except WorkerError as error:
                if _TAKEN not in str(error) or trial == 2:
                    raise

    def __len__(self):
        return len(self._processes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self, workers, threads):
        self._answers = queue.SimpleQueue()
        self._logs = [tempfile.TemporaryFile() for _ in range(workers)]  # noqa: SIM115 - closed with the team
        addresses = [f"127.0.0.1:{port}" for port in free_ports(workers)]
        self._processes = []
        for number, log in enumerate(self._logs):
            cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
            process = subprocess.Popen(
                [sys.executable, "-m", "course_utils.distributed.worker", str(threads)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=_environment(cluster),
            )  # fmt: skip
            self._processes.append(process)
            threading.Thread(target=_listen, args=(process, number, self._answers), daemon=True).start()

    @property
    def pids(self):
        """The process ids of the workers that are running (list of int)."""
        return [process.pid for process in self._processes if process.poll() is None]

    def run(self, function, *arguments, seconds=300, **options):
        """Run a function in every worker at once.

        Parameters
        ----------
        function : callable
            Defined by ``def`` at the top level of a notebook or a module. It is sent as source, with the functions that
            it calls, and gets the worker's ``tf.distribute`` strategy as its first argument.
        arguments, options : object
            What else it gets, the same in each worker; sent with pickle.
        seconds : float
            After so long, the team is closed.

        Returns
        -------
        list
            What each worker returned.

        Raises
        ------
        WorkerError
            If a worker raises, ends or does not answer in time. The team is then closed.
        ValueError
            If the function can't be sent.
        """
        if not self._processes:
            raise WorkerError("this team is closed: start a new one, Team(2).")
        message = pickle.dumps((*parts_of(function), function.__name__, arguments, options))
        for process in self._processes:
            with contextlib.suppress(OSError):  # one that is gone is noticed below
                process.stdin.write(len(message).to_bytes(8, "big") + message)
                process.stdin.flush()
        return self._answers_within(seconds)

    def _answers_within(self, seconds):
        """Wait for one answer of each worker; at the first failure, close the team and say what happened."""
        found, failed, until = {}, {}, time.monotonic() + seconds
        while len(found) + len(failed) < len(self._processes):
            try:
                number, kind, value = self._answers.get(timeout=max(until - time.monotonic(), 0.01))
            except queue.Empty:
                break
            except BaseException:  # interrupted: what the workers still answer would be taken for the next answer
                self.close()
                raise
            if kind == "value":
                found[number] = value
            elif number not in failed:
                failed[number] = (kind, value)
                until = min(until, time.monotonic() + _GRACE)
        if len(found) == len(self._processes):
            return [found[number] for number in sorted(found)]
        sentence = self._sentence(failed, seconds)
        self.close()
        raise WorkerError(sentence)

    def _sentence(self, failed, seconds):
        """Say in one sentence who failed: first a worker that is gone, then the one whose error is not another's."""
        if not failed:
            return f"The workers did not answer within {seconds:g} s, and the team is closed."
        order = sorted(failed, key=lambda rank: (failed[rank][0] != "gone", "Unavailable" in str(failed[rank][1])))
        number, (kind, value) = order[0], failed[order[0]]
        if kind == "error":
            return f"Worker {number} failed, and the team is closed: {value}"
        others = len(self._processes) - 1
        waiting = f", so the other {'one' if others == 1 else others} could not go on" if others else ""
        self._logs[number].seek(0)
        said = self._logs[number].read().decode(errors="replace").strip().splitlines()[-1:]
        wrote = f" Its last words: {said[0][:300]}" if said else ""
        return f"Worker {number} is gone{waiting}, and the team is closed.{wrote}"

    def kill(self, number):
        """End a worker at once, as a power cut would: it can't save or say anything.

        Parameters
        ----------
        number : int
            Which, from 0.
        """
        self._processes[number].kill()
        self._processes[number].wait(10)

    def close(self):
        """End all workers and free their ports. A second call does nothing."""
        for process in self._processes:
            with contextlib.suppress(OSError):
                process.stdin.close()  # which ends it, see worker.py
        for process in self._processes:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        if self._processes:
            for log in self._logs:
                log.close()
        self._processes = []
        atexit.unregister(self.close)


def _listen(process, number, answers):
    """Hand on what a worker answers, until it ends."""
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            answers.put((number, *pickle.load(process.stdout)))
    process.stdout.close()
    answers.put((number, "gone", None))


def _environment(cluster):
    """The environment of a worker: its place in the cluster, this processor alone, and this package."""
    found = {**os.environ, "TF_CONFIG": json.dumps(cluster), "CUDA_VISIBLE_DEVICES": "-1", "no_grpc_proxy": "127.0.0.1"}
    found["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return found


def free_ports(count):
    """Find ports of this computer that nobody uses at the moment.

    Parameters
    ----------
    count : int

    Returns
    -------
    list of int
        All different.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("", 0))
        return [each.getsockname()[1] for each in sockets]


def parts_of(function):
    """Take a function apart so that another process can define it: its source, and what it uses.

    Parameters
    ----------
    function : types.FunctionType

    Returns
    -------
    sources, modules, values : dict
        By name: the source of the function and of the functions and classes that it uses; the modules that they use; other values.

    Raises
    ------
    ValueError
        If it is not a plain function, its source is not known, or two different things have one name.
    """
    sources, modules, values, seen, waiting = {}, {}, {}, {}, [(getattr(function, "__name__", ""), function)]
    while waiting:
        name, found = waiting.pop()
        if name in seen:
            if seen[name] is not found:
                raise ValueError(f"two different things are called {name!r}: give one of them another name.")
            continue
        seen[name] = found
        if isinstance(found, types.ModuleType):
            modules[name] = found.__name__
        elif found is not function and (
            not isinstance(found, (types.FunctionType, type)) or _is_imported(found, function)
        ):
            values[name] = found
        else:
            is_class = isinstance(found, type) and found is not function
            sources[name] = _source_of_class(found) if is_class else _source(found)
            code = compile(sources[name], name, "exec") if is_class else found.__code__
            known = (_method(found) if is_class else found).__globals__
            waiting += [(each, known[each]) for each in sorted(_names(code) & known.keys() - {name, "__name__"})]
    return sources, modules, values


def _is_imported(function, beside):
    """Whether another process can import a function or a class: it stands in a module's file, and not beside the one that is sent."""
    known = getattr(sys.modules.get(function.__module__), function.__name__, None) is function
    return known and function.__module__ not in ("__main__", beside.__module__)


def _names(code):
    """The global names that code uses, that of the functions inside of it too."""
    inner = [_names(each) for each in code.co_consts if isinstance(each, types.CodeType)]
    own = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*inner)


def _method(found):
    """A function of a class: it knows in which file, and beside what, the class was defined."""
    for each in vars(found).values():
        if isinstance(each, types.FunctionType) and linecache.getlines(each.__code__.co_filename):
            return each
    raise ValueError(f"the class {found.__name__} has no method, so its source is not known: give it one.")


def _source_of_class(found):
    # inspect looks a class up in its module's file, and a notebook's class has none.
    lines = linecache.getlines(_method(found).__code__.co_filename)
    for node in ast.parse("".join(lines)).body:
        if isinstance(node, ast.ClassDef) and node.name == found.__name__:
            first = min(each.lineno for each in [node, *node.decorator_list])
            return "".join(lines[first - 1 : node.end_lineno])
    raise ValueError(
        f"the source of the class {found.__name__} is not known: define it at the top level of a cell or a file."
    )


def _source(function):
    if not isinstance(function, types.FunctionType):
        raise ValueError(f"expected a function, got {type(function).__name__}.")
    if function.__closure__:
        raise ValueError(f"{function.__name__} uses variables of the function around it: define it at the top level.")
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        source = ""
    if not source.startswith(("def ", "@")):
        raise ValueError("expected a function defined by `def` in a cell or a file, so that its source is known.")
    return source
