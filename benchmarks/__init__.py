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


def seconds(*functions, repeats=7):
    """Median seconds of each function. They take turns, so that a busy moment of the machine hits all of them."""
    times = [[] for _ in functions]
    for turn in range(repeats + 1):
        for function, mine in zip(functions, times, strict=True):
            begin = time.perf_counter()
            function()
            if turn:  # the first turn warms up
                mine.append(time.perf_counter() - begin)
    return [statistics.median(mine) for mine in times]


def against_bar(what, measured, bar):
    """A row for seconds that must stay below a bar."""
    return Row(what, f"{measured:.3f} s", f"bar {bar:g} s", f"{measured / bar:.2f}", measured <= bar)


def against_library(what, ours, library, theirs, most=1.0):
    """A row for seconds that may be at most `most` times a library's."""
    ratio = ours / theirs
    return Row(what, f"{ours:.3f} s", f"{library} {theirs:.3f} s", f"{ratio:.2g}, at most {most:g}", ratio <= most)
