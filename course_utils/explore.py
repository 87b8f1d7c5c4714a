"""Explorers: sliders, or a table of numbers, over a drawing. The only module that imports ipywidgets."""

import asyncio
import html
import inspect
import math
from numbers import Integral, Real

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.figure import Figure

from course_utils import plots

_WAIT = 0.02  # seconds: long enough for the slider positions that queue up while a picture is drawn to be read


def explore(draw, *, alt=None, **sliders):
    """Show a drawing with sliders over it, where they are in view while a tall picture changes.

    With the sliders a still picture of the start is stored. It stands in their place wherever no kernel has run the
    cell: on a page, in a preview, and in a notebook that was just opened.

    Parameters
    ----------
    draw : callable
        Takes one keyword for each slider and returns a ``matplotlib.figure.Figure``. A default of its own, as in
        ``def draw(threshold=107)``, is where that slider starts; without one it starts in the middle.
    alt : str, optional
        What the picture shows at the start, in one or two sentences, for those who can't see it.
    **sliders : tuple of (low, high, step)
        The range of each; whole numbers give an integer slider.

    Raises
    ------
    ValueError
        If a slider is not such a tuple, `draw` does not take it, or begins outside of it, or if `alt` is not a text.
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
        raise ValueError("explore(draw, name=(low, high, step)) expects at least one slider.")
    ranges = ", ".join(f"{name.replace('_', ' ')} ({low:g} to {high:g})" for name, (low, high, _) in sliders.items())

    def make():
        return draw(**{name: control.value for name, control in controls.items()})

    _open(make, controls.values(), controls.values(), f"move {ranges} and watch the picture change", alt)


def explore_table(draw, table, *, alt=None):
    """Show a drawing with the numbers that it is drawn from over it, each in a field that can be typed into.

    A still picture of the start is stored with it, as in :func:`explore`.

    Parameters
    ----------
    draw : callable
        Takes an array (R, C), float, and returns a ``matplotlib.figure.Figure``.
    table : array_like
        (R, C): the numbers at the start. While an entry is not a finite number, the last picture stays, and a sentence
        below the fields names the entry and what it holds.
    alt : str, optional
        What the picture shows at the start, in one or two sentences, for those who can't see it.

    Raises
    ------
    ValueError
        If `table` is not a table of finite numbers, with 1 to 8 rows and columns, or if `alt` is not a text.
    TypeError
        If `draw` returns no figure. Any other error of the first drawing is raised as it is; one that comes after a
        change is written below the fields.

    Examples
    --------
    >>> explore_table(draw, [[1, -1], [-1, 1]])  # doctest: +SKIP
    """
    start = _table(table)
    fields = [[_field(value, row, column) for column, value in enumerate(line)] for row, line in enumerate(start)]
    every = [field for line in fields for field in line]
    columns = {"grid_template_columns": f"repeat({start.shape[1]}, 96px)", "align_self": "flex-start"}
    size = f"{start.shape[0]} x {start.shape[1]}"
    _open(
        lambda: draw(_typed(fields)), every, [widgets.GridBox(every, layout=columns)],
        f"type other numbers into the {size} table and watch the picture change", alt,
    )  # fmt: skip


def explore_clicks(draw, marks, *, alt=None, **sliders):
    """Show a drawing whose first axes can be clicked: they are divided into places, and a click sets or clears a mark.

    A still picture of the start is stored with it, as in :func:`explore`.

    Parameters
    ----------
    draw : callable
        Takes an array (R, C), bool, True where a mark is set, and one keyword for each slider. It returns a
        ``matplotlib.figure.Figure`` that shows the marks on its first axes, row 0 at the top. These axes keep their
        place in the figure.
    marks : array_like
        (R, C), bool: the marks at the start, at most 16 x 16.
    alt : str, optional
        What the picture shows at the start, in one or two sentences, for those who can't see it.
    **sliders : tuple of (low, high, step)
        As in :func:`explore`.

    Raises
    ------
    ValueError
        If `marks` is not such a grid, if `alt` is not a text, or for a slider as in :func:`explore`.
    TypeError
        If `draw` returns no figure. Any other error of the first drawing is raised as it is; one that comes after a
        click is written above the picture.

    Examples
    --------
    >>> explore_clicks(draw, np.zeros((4, 6), bool), level=(0, 9, 1))  # doctest: +SKIP
    """
    now = np.array(marks)
    if now.ndim != 2 or now.dtype != bool or not 1 <= min(now.shape) <= max(now.shape) <= 16:
        raise ValueError(
            f"explore_clicks(draw, marks) expects a grid (R, C) of True and False, at most 16 x 16, "
            f"and got {now.dtype} of the shape {now.shape}."
        )
    parameters = inspect.signature(draw).parameters
    controls = {name: _slider(name, spec, parameters) for name, spec in sliders.items()}
    drawn = []

    def make():
        drawn[:] = [draw(now.copy(), **{name: control.value for name, control in controls.items()})]
        return drawn[0]

    buttons = _buttons(now.shape)
    moves = "".join(f", move {name.replace('_', ' ')}" for name in sliders)
    request = _open(
        make, controls.values(), controls.values(),
        f"click into the picture to set and clear marks{moves}, and watch it change", alt,
        lambda picture: _lay_over(picture, buttons, now.shape[1], drawn[0]),
    )  # fmt: skip

    def flip(place):
        now[place] = not now[place]
        request()

    for place, button in zip(np.ndindex(now.shape), buttons, strict=True):
        button.on_click(lambda _, place=place: flip(place))


def _buttons(shape):
    """One transparent button for each place of a grid; they share one layout and one style, which opens faster."""
    size = {"width": "auto", "height": "0", "min_width": "0", "min_height": "100%"}  # of its place, however small
    layout = widgets.Layout(**size, margin="0", padding="0", border="none")
    style = widgets.ButtonStyle(button_color="transparent")
    return [
        widgets.Button(tooltip=f"row {row + 1}, column {column + 1}", layout=layout, style=style)
        for row, column in np.ndindex(shape)
    ]


def _lay_over(picture, buttons, columns, fig):
    """Lay rows of buttons over the first axes of a figure, at whatever size its picture is shown."""
    place, (width, height) = fig.axes[0].get_position(), fig.get_size_inches()
    # CSS takes margins in percent of the width, those above and below too.
    above, below = (100 * height / width * share for share in (1 - place.y1, place.y0))
    grid = widgets.GridBox(buttons)
    grid.layout = {
        "grid_area": "1 / 1", "margin": f"{above:.2f}% {100 - 100 * place.x1:.2f}% {below:.2f}% {100 * place.x0:.2f}%",
        "grid_template_columns": f"repeat({columns}, minmax(0, 1fr))",
        "grid_template_rows": f"repeat({len(buttons) // columns}, minmax(0, 1fr))",
    }  # fmt: skip
    picture.layout.grid_area = "1 / 1"
    both = {"grid_template_columns": "minmax(0, max-content)", "align_self": "flex-start", "overflow": "visible"}
    return widgets.GridBox([picture, grid], layout=both)


def _open(make, controls, shown, how_to, alt, wrap=lambda picture: picture):
    """Show the figure that `make` returns, `shown` and a place for a message over it; redraw when a control changes.

    `wrap` may put the picture into another widget. What is returned asks for a new picture when it is called.
    """
    if alt is not None and not (isinstance(alt, str) and alt.strip()):
        raise ValueError(f"alt should say in one or two sentences what the picture shows at the start; it is {alt!r}.")
    own_size = {"align_self": "flex-start"}  # a box stretches what it holds: on a wide screen, a blurred picture
    picture = widgets.Image(value=_render(make), format="png", layout=own_size)
    message = widgets.HTML(layout={"display": "none"})  # a label would cut a long message off

    def redraw():
        try:
            picture.value, text = _render(make), ""
        except _NoNumber as error:
            text = str(error)
        except Exception as error:  # raised from an event loop, it would reach nobody
            text = f"This picture could not be drawn: {type(error).__name__}: {error}"
        message.value, message.layout.display = html.escape(text, quote=False), None if text else "none"

    request = Coalesced(redraw)
    for control in controls:
        control.observe(request, names="value")
    _show(widgets.VBox([*shown, message, wrap(picture)]), picture.value, how_to, alt)
    return request


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
        raise ValueError(f"the slider {name!r} expects (low, high, step), got {spec!r}.") from None
    if not sound:
        raise ValueError(f"the slider {name!r} expects low < high and a step above 0, got {spec!r}.")
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


class _NoNumber(ValueError):
    """An entry of a table, as it was typed, is not a finite number."""


def _table(table):
    try:
        start = np.array(table, dtype=float)
    except (TypeError, ValueError):
        start = np.empty(0)
    if start.ndim != 2 or not 1 <= min(start.shape) <= max(start.shape) <= 8 or not np.isfinite(start).all():
        raise ValueError(
            f"explore_table(draw, table) expects rows of finite numbers, all equally long, at most 8 x 8, got {table!r}."
        )
    return start


def _field(value, row, column):
    place = f"row {row + 1}, column {column + 1}"
    return widgets.Text(value=f"{value:.12g}", tooltip=place, layout={"width": "90px"})


def _typed(fields):
    """Read what stands in the fields, (R, C); all entries that aren't numbers are named in one message."""
    values, bad = np.empty((len(fields), len(fields[0]))), []
    for place, field in zip(np.ndindex(values.shape), (field for line in fields for field in line), strict=True):
        text = field.value.strip().replace("\N{MINUS SIGN}", "-")
        try:
            values[place] = float(text)
        except ValueError:
            values[place] = np.nan
        if not np.isfinite(values[place]):
            held = repr(field.value) if text else "nothing"
            bad.append(f"row {place[0] + 1}, column {place[1] + 1} holds {held}")
    if bad:
        raise _NoNumber(f"The picture waits: {'; '.join(bad)}. Type a finite number, such as 3 or -0.5.")
    return values


def _render(make):
    """Draw a picture; no figure stays open, or the next cell would show what an error left behind."""
    before = set(plt.get_fignums())
    with plt.ioff():  # else each position that comes in meanwhile, in the other thread, would show and close the figure
        try:
            fig = make()
            if not isinstance(fig, Figure):
                raise TypeError(f"the drawing function should return a figure, and returned {fig!r}.")
            return plots.png(fig)
        finally:
            for number in set(plt.get_fignums()) - before:
                plt.close(number)


def _show(box, start, how_to, alt):
    """Display a widget, its first picture, and a sentence that is the same at each run, and not a list of its internals.

    A front end shows one of them: the widget where there is a kernel, else the picture, else the sentence.
    """
    sentence = f"An explorer: in JupyterLab, {how_to}."
    bundle = box._repr_mimebundle_() | {"image/png": plots.compact(start), "text/plain": sentence}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt or sentence}})
