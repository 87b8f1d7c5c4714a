"""In the kernel that runs a lesson: draw each explorer also at the positions that the reading site offers.

``publish.frames`` starts it before the first cell. It keeps what it drew in a folder, and the lesson's own variables, outputs and
counts of cells stay as they were.
"""

import contextlib
import functools
import hashlib
import inspect
import io
import itertools
import json
import math
import random
import time
from pathlib import Path

import numpy as np
from IPython import get_ipython

from course_utils import explore

LIMIT = 60  # pictures of one explorer, unless PLANS says otherwise


def positions(values, start, count):
    """Thin the positions of a slider out.

    Parameters
    ----------
    values : list of float
        All positions, ascending.
    start : float
        The one that the explorer opens with.
    count : int
        How many to keep, at least 2.

    Returns
    -------
    list of float
        At most `count`, ascending, evenly spread, with `start` in place of its neighbor.
    """
    stride = math.ceil((len(values) - 1) / max(min(count, len(values)) - 1, 1)) or 1
    kept = [*values[:-1:stride], values[-1]]
    kept[min(range(len(kept)), key=lambda k: abs(kept[k] - start))] = start
    return sorted(set(kept))


def grid(sliders, limit=LIMIT):
    """Choose the positions of several sliders, so that all combinations are at most `limit`.

    Parameters
    ----------
    sliders : list of (list of float, float)
        All positions of each, ascending, and the one that it starts at.
    limit : int

    Returns
    -------
    list of list of float
    """
    counts = [min(len(values), 25) for values, _ in sliders]
    while math.prod(counts) > limit and max(counts) > 2:
        counts[counts.index(max(counts))] -= 1
    return [positions(values, start, count) for (values, start), count in zip(sliders, counts, strict=True)]


def _clean(number):
    """A position as it is read and written: 0.3 and not 0.30000000000000004."""
    return number if isinstance(number, int) else round(float(number), 6)


def _slider(name, spec, draw, wanted):
    control = explore._slider(name, spec, inspect.signature(draw).parameters)
    start = _clean(control.value)
    values = [_clean(low) for low in np.arange(control.min, control.max + control.step / 2, control.step).tolist()]
    if isinstance(start, int):
        values = [int(value) for value in values]
    return {"name": name, "label": control.description, "start": start, "all": values, "wanted": wanted.get(name)}


def _drawn(draw):
    """A picture, and the titles that stand in it."""
    found = []

    def make():
        fig = draw()
        titles = [fig.get_suptitle(), *(ax.get_title() for ax in fig.axes)]
        found[:] = [" ".join(title.split()) for title in titles if title]
        return fig

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return explore._render(make), "; ".join(found)


class Recorder:
    """Draws explorers at other positions than the start.

    Parameters
    ----------
    folder : str or pathlib.Path
        Gets a folder ``0``, ``1``, ... for each explorer, with ``frames.json`` and a PNG file for each frame, and
        ``seconds``, the time that all of it took.
    plans : dict
        By the name of the drawing function: positions of a slider, by its name, ``"limit"``, or ``"presets"``, named
        tables or marks.
    """

    def __init__(self, folder, plans):
        self.folder, self.plans, self.count, self.seconds, self.source = Path(folder), plans, 0, 0.0, ""
        get_ipython().events.register("pre_run_cell", self._remember)
        for name in ("explore", "explore_table", "explore_clicks"):
            setattr(explore, name, self._recording(getattr(explore, name)))

    def _remember(self, info):
        self.source = info.raw_cell

    def _recording(self, show):
        @functools.wraps(show)
        def shown(draw, *state, alt=None, **sliders):
            show(draw, *state, alt=alt, **sliders)
            begin = time.perf_counter()
            kept = random.getstate(), np.random.get_state()  # noqa: NPY002  what the lesson draws next stays the same
            try:
                self._record(draw, state, alt, sliders)
            finally:
                random.setstate(kept[0]), np.random.set_state(kept[1])  # noqa: NPY002
                self.seconds += time.perf_counter() - begin
                (self.folder / "seconds").write_text(str(self.seconds))

        return shown

    def _record(self, draw, state, alt, sliders):
        plan = self.plans.get(draw.__name__, {})
        controls = [_slider(name, spec, draw, plan) for name, spec in sliders.items()]
        chosen = grid([(c["wanted"] or c["all"], c["start"]) for c in controls], plan.get("limit", LIMIT))
        presets = {"as it opens": state[0]} | plan.get("presets", {}) if state else {}
        kind = bool if state and np.array(state[0]).dtype == bool else float  # marks, or a table
        presets = {name: np.array(value, kind) for name, value in presets.items()}
        parts = [{"label": plan.get("label", "start"), "values": list(presets), "start": 0}] if state else []
        parts += [
            {"label": c["label"], "values": values, "start": values.index(c["start"])}
            for c, values in zip(controls, chosen, strict=True)
        ]
        folder = self.folder / str(self.count)
        folder.mkdir(parents=True)
        self.count += 1
        alts, first = [], 0
        for number, place in enumerate(itertools.product(*[range(len(part["values"])) for part in parts])):
            is_first = list(place) == [part["start"] for part in parts]
            first = number if is_first else first
            marks = [list(presets.values())[place[0]].copy()] if state else []
            values = place[len(marks) :]
            arguments = {c["name"]: kept[k] for c, kept, k in zip(controls, chosen, values, strict=True)}
            picture, words = _drawn(lambda marks=marks, arguments=arguments: draw(*marks, **arguments))
            says = ", ".join(f"{part['label']} {part['values'][k]}" for part, k in zip(parts, place, strict=True))
            text = f"{says}: {words}" if words else f"The picture at {says}."
            alts.append(alt if alt and is_first else text)
            (folder / f"{number}.png").write_bytes(picture)
        source = hashlib.sha256(self.source.strip().encode()).hexdigest()
        (folder / "frames.json").write_text(
            json.dumps({"source": source, "sliders": parts, "start": first, "alts": alts})
        )
