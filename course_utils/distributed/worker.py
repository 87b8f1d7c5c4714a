"""A worker process of a team: it defines and runs what it is sent through its standard input, and answers through its output.

When the program that started it ends, for whatever reason, the system closes that pipe, and the worker ends too, even where
it waits for another worker at that moment: a thread of its own listens.
"""

import contextlib
import importlib
import linecache
import os
import pickle
import queue
import re
import signal
import sys
import threading
import traceback


def _listen(commands):
    """Hand on what the starting program sends, and end this process when there is nobody left to send."""
    with contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            commands.put(_read(sys.stdin.buffer))
    os._exit(0)  # at once: TensorFlow may be waiting for a worker that is gone


def _read(stream):
    """One message, as bytes and not yet opened: opening it may import TensorFlow, which has to wait for its settings."""
    length = stream.read(8)
    if len(length) < 8:
        raise EOFError
    return stream.read(int.from_bytes(length, "big"))


def _strategy(threads):
    """Start TensorFlow with so many threads, and meet the other workers."""
    from course_utils import tensorflow_start

    tensorflow_start.start_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(max(threads, 2))  # one may wait for another worker
    tf.config.experimental.enable_op_determinism()
    return tf.distribute.MultiWorkerMirroredStrategy()


def _define(namespace, sources, modules, values):
    """Define functions and classes from their sources, with what they use; each keeps its source for TensorFlow's AutoGraph."""
    namespace.update({name: importlib.import_module(module) for name, module in modules.items()}, **values)
    for name, source in reversed(sources.items()):  # what a class is derived from was found after it
        place = f"<{name} in a worker>"
        linecache.cache[place] = (len(source), None, source.splitlines(keepends=True), place)
        exec(compile(source, place, "exec"), namespace)
        # The sender may call it by another name.
        namespace[name] = namespace[re.search(r"^(?:def|class) (\w+)", source, re.M)[1]]


def _answer(work, answers):
    """Do something, and send what comes of it: ("value", result), or ("error", a sentence)."""
    try:
        message = pickle.dumps(("value", work()))
    except Exception as error:
        traceback.print_exc()  # into the log
        lines = [line for line in str(error).splitlines() if line.strip()] or ["no reason given"]
        message = pickle.dumps(
            ("error", f"{type(error).__name__}: {lines[-1 if 'user code' in lines[0] else 0].strip()}")
        )
    answers.write(message)
    answers.flush()


def main(threads):
    """Start, say so, and run one function after another until the starting program ends.

    Parameters
    ----------
    threads : int
        Processor threads of this worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who interrupts the notebook means its cell
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed goes into the log
    commands, found = queue.SimpleQueue(), {}
    threading.Thread(target=_listen, args=(commands,), daemon=True).start()
    _answer(lambda: found.update(strategy=_strategy(threads)), answers)
    namespace = {"__name__": "__main__"}
    while True:
        message = commands.get()

        def work(message=message):
            sources, modules, values, name, arguments, options = pickle.loads(message)
            _define(namespace, sources, modules, values)
            return namespace[name](found["strategy"], *arguments, **options)

        _answer(work, answers)


if __name__ == "__main__":
    main(int(sys.argv[1]))
