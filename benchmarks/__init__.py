"""What `make bench` measures. Each `bench_*.py` has a `run()` that yields rows; what is compared is measured in the same run."""

import statistics
import time
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the table: what, the measured figure, what it is held against, and whether it is good enough."""

    what: str
    measured: str
    compared: str
    ratio: str
    met: bool


class Growth(NamedTuple):
    """How seconds grow with a size: what is done, what the sizes count, the sizes, and for each method its seconds (None: not measured)."""

    what: str
    unit: str
    sizes: tuple
    lines: dict


def seconds(*functions, repeats=7, warm=False):
    """Median seconds of each function. They take turns, so that a busy moment of the machine hits all of them; `warm` ones ran before."""
    times = [[] for _ in functions]
    for turn in range(warm, repeats + 1):
        for function, mine in zip(functions, times, strict=True):
            begin = time.perf_counter()
            function()
            if turn:  # the first turn warms up
                mine.append(time.perf_counter() - begin)
    return [statistics.median(mine) for mine in times]


def listed(values, form=".3f"):
    """Values of several seeds as one text, in the order of the seeds."""
    return ", ".join(f"{value:{form}}" for value in values)


def against_bar(what, measured, bar):
    """A row for seconds that must stay below a bar."""
    return Row(what, f"{measured:.3f} s", f"bar {bar:g} s", f"{measured / bar:.2f}", measured <= bar)


def against_library(what, ours, library, theirs, most=1.0):
    """A row for seconds that may be at most `most` times a library's."""
    ratio = ours / theirs
    return Row(what, f"{ours:.3f} s", f"{library} {theirs:.3f} s", f"{ratio:.2g}, at most {most:g}", ratio <= most)


def grow(what, unit, sizes, methods, budget=3.0):
    """Time methods at growing sizes.

    `methods` names functions; each takes a size and returns the call to time, or None where that size is too much for it. What takes
    longer than `budget` seconds in its first call is not called again.
    """
    lines = {name: [] for name in methods}
    for size in sizes:
        calls = {name: make(size) for name, make in methods.items()}
        first = {name: _once(call) for name, call in calls.items() if call}
        quick = [name for name, spent in first.items() if spent <= budget]
        repeats = min(5, max(1, int(budget / max(1e-9, sum(first[name] for name in quick)))))
        again = dict(zip(quick, seconds(*(calls[name] for name in quick), repeats=repeats, warm=True), strict=True))
        for name in methods:
            lines[name].append(again.get(name, first.get(name)))
    return Growth(what, unit, tuple(sizes), lines)


def _once(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
