"""Explorers: sliders over a drawing function. The only module that imports ipywidgets."""

import asyncio
import html
import inspect
import math
from numbers import Integral, Real

import ipywidgets as widgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.figure import Figure

from course_utils import plots

_WAIT = 0.02  # seconds: long enough for the slider positions that queue up while a picture is drawn to be read


def explore(draw, **sliders):
    """Show a drawing with sliders under it.

    Parameters
    ----------
    draw : callable
        Takes one keyword for each slider and returns a ``matplotlib.figure.Figure``. A default of its own, as in
        ``def draw(threshold=107)``, is where that slider starts; without one it starts in the middle.
    **sliders : tuple of (low, high, step)
        The range of each; whole numbers give an integer slider.

    Raises
    ------
    ValueError
        If a slider is no such tuple, `draw` does not take it, or begins outside of it.
    TypeError
        If `draw` returns no figure. Any other error of the first drawing is raised as it is; one that comes while a
        slider is moved is written below the sliders.

    Examples
    --------
    >>> explore(draw, threshold=(0, 255, 1))  # doctest: +SKIP
    """
    parameters = inspect.signature(draw).parameters
    controls = {name: _slider(name, spec, parameters) for name, spec in sliders.items()}
    if not controls:
        raise ValueError("explore(draw, name=(low, high, step)) wants at least one slider.")
    own_size = {"align_self": "flex-start"}  # a box stretches what it holds: on a wide screen, a blurred picture
    picture = widgets.Image(value=_render(draw, controls), format="png", layout=own_size)
    message = widgets.HTML()  # a label would cut a long message off

    def redraw():
        try:
            picture.value, message.value = _render(draw, controls), ""
        except Exception as error:  # raised from an event loop, it would reach nobody
            message.value = html.escape(
                f"This picture could not be drawn: {type(error).__name__}: {error}", quote=False
            )

    request = Coalesced(redraw)
    for control in controls.values():
        control.observe(request, names="value")
    _show(widgets.VBox([picture, *controls.values(), message]), sliders)


class Coalesced:
    """Calls a function soon, and once for all requests that come in before it runs.

    While a slider is dragged, its positions arrive faster than pictures can be drawn. Drawing each would lag further
    and further behind; this draws the latest and drops those in between.

    JupyterLab sends the positions to a second thread of the kernel. The work is done in the first one nevertheless,
    between cells: pyplot is not safe to use in two threads, and a cell that ends shows every figure that is open.

    Parameters
    ----------
    work : callable
        Takes no arguments. It runs in the event loop in which this object was made, or at once if there was none.
    """

    def __init__(self, work):
        self._work, self._waiting = work, False
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def __call__(self, _change=None):
        """Ask for the work to be done; `_change` is what ``observe`` hands over."""
        if self._loop is None:
            self._work()
        elif not self._waiting:
            self._waiting = True
            self._loop.call_soon_threadsafe(self._loop.call_later, _WAIT, self._run)

    def _run(self):
        self._waiting = False
        self._work()


def _slider(name, spec, parameters):
    if name not in parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        raise ValueError(
            f"the drawing function takes {', '.join(parameters) or 'nothing'}, and there is a slider {name!r}."
        )
    try:
        low, high, step = spec
        sound = low < high and step > 0 and math.isfinite(high - low)
    except (TypeError, ValueError):
        raise ValueError(f"the slider {name!r} wants (low, high, step), and got {spec!r}.") from None
    if not sound:
        raise ValueError(f"the slider {name!r} wants low < high and a step above 0, and got {spec!r}.")
    start = getattr(parameters.get(name), "default", inspect.Parameter.empty)
    if start is inspect.Parameter.empty:
        start = low + step * int((high - low) / step / 2)
    if not (isinstance(start, Real) and low <= start <= high):
        raise ValueError(
            f"the slider {name!r} goes from {low} to {high}, and the drawing function begins at {start!r}."
        )
    whole = all(isinstance(value, Integral) for value in (low, high, step, start))
    kind = widgets.IntSlider if whole else widgets.FloatSlider
    label = name.replace("_", " ")
    return kind(
        value=start, min=low, max=high, step=step, description=label,
        style={"description_width": "initial"}, layout={"width": "480px"},
    )  # fmt: skip


def _render(draw, controls):
    """Draw at the sliders' positions; no figure stays open, or the next cell would show what an error left behind."""
    before = set(plt.get_fignums())
    with plt.ioff():  # else each position that comes in meanwhile, in the other thread, would show and close the figure
        try:
            fig = draw(**{name: control.value for name, control in controls.items()})
            if not isinstance(fig, Figure):
                raise TypeError(f"the drawing function should return a figure, and returned {fig!r}.")
            return plots.png(fig)
        finally:
            for number in set(plt.get_fignums()) - before:
                plt.close(number)


def _show(box, sliders):
    """Display a widget whose text form is a sentence, the same at each run, and not a list of its internals."""
    ranges = ", ".join(f"{name.replace('_', ' ')} ({low:g} to {high:g})" for name, (low, high, _) in sliders.items())
    bundle = box._repr_mimebundle_()
    bundle["text/plain"] = f"An explorer: in JupyterLab, move {ranges} and watch the picture change."
    display(bundle, raw=True)
