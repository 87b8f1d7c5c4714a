"""An explorer over a 512 x 512 picture: how long one redraw takes, and how many frames a drag draws."""

import asyncio
import contextlib
import io
import time

import ipywidgets as widgets
import numpy as np
from skimage import data

from benchmarks import Row, against_bar, seconds
from course_utils import plots
from course_utils.explore import explore

CAMERA = data.camera()  # (512, 512), uint8
MOVES, RATE = 60, 60  # positions, and positions a second, as a browser sends them


def draw(threshold=100):
    panels = [
        plots.picture(CAMERA, "camera"),
        plots.histogram(
            np.bincount(CAMERA.ravel(), minlength=256), [(threshold, f"t = {threshold}", plots.PREDICTION)]
        ),
        plots.picture(np.where(threshold < CAMERA, 255, 0).astype(np.uint8), f"above {threshold}"),
    ]
    return plots.grid(panels)


async def drag():
    """Move an explorer's slider for a second; returns the frames that were drawn, and how late the last one was."""
    frames, ends = [], []

    def counted(threshold=100):
        frames.append(threshold)
        return draw(threshold)

    made, display_nothing = _widgets_made(), contextlib.redirect_stdout(io.StringIO())
    with made as widgets_made, display_nothing:
        explore(counted, threshold=(0, 255, 1))
    slider = next(widget for widget in widgets_made if isinstance(widget, widgets.IntSlider))
    picture = next(widget for widget in widgets_made if isinstance(widget, widgets.Image))
    picture.observe(lambda _: ends.append(time.perf_counter()), names="value")
    begin = time.perf_counter()
    for move in range(MOVES):
        await asyncio.sleep(begin + move / RATE - time.perf_counter())
        slider.value = 101 + move
    last = time.perf_counter()
    while frames[-1] != slider.value:
        await asyncio.sleep(0.01)
    return len(frames) - 1, ends[-1] - last  # without the first picture


@contextlib.contextmanager
def _widgets_made():
    """List the widgets that are made meanwhile."""
    made = []
    widgets.Widget.on_widget_constructed(made.append)
    try:
        yield made
    finally:
        widgets.Widget.on_widget_constructed(None)


def run():
    plots.use_style()
    (redraw,) = seconds(lambda: plots.png(draw()), repeats=20)
    yield against_bar("explorer: one redraw, 512 x 512", redraw, 0.2)
    frames, late = asyncio.run(drag())
    yield Row("explorer: frames for 60 moves in 1 s", f"{frames} frames", "bar 3 to 30", "-", 3 <= frames <= MOVES // 2)
    yield against_bar("explorer: last frame after the last move", late, 0.5)
