"""One style for every figure, one meaning for each color, and figures that can be read without seeing them.

Functions here take axes or return a figure; none loads data.
"""

import io
from collections.abc import Callable
from typing import NamedTuple

import cv2
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy import ndimage

# The palette of Okabe and Ito, told apart by readers with any kind of color vision (https://jfly.uni-koeln.de/color/).
TRUTH = "#0072B2"  # blue: what is true, or meant
PREDICTION = "#E69F00"  # orange: what a method answers
ERROR = "#D55E00"  # vermilion: where the two differ
GOOD = "#009E73"  # green: the method that is best, or right
OTHER = "#CC79A7"  # purple: a further method
LIGHT = "#56B4E9"  # sky blue: a further set of data
INK = "#333333"  # text, outlines, a neutral curve
PALE = "#BBBBBB"  # histograms, and what stands in the background

_LIGHT_SIDE = 0.88  # of 1: a side of a picture that is lighter can hardly be told from the page
_STEP = 5  # the levels that a stored figure keeps are this far apart

_STYLE = {
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "font.size": 12,
    "axes.titlesize": 13,
    "axes.labelsize": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=[TRUTH, PREDICTION, GOOD, OTHER, LIGHT, ERROR]),
    "legend.frameon": False,
    "lines.linewidth": 2,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
}


def use_style():
    """Set the collection's style for every figure that is drawn from now on."""
    mpl.rcParams.update(_STYLE)


def png(fig):
    """Draw a figure and close it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure

    Returns
    -------
    bytes
        A PNG file, at 100 dots an inch; the same figure gives the same bytes.
    """
    fig.set_dpi(_STYLE["savefig.dpi"])
    canvas = FigureCanvasAgg(fig)  # savefig would draw it twice, the first time for the layout only
    if not any(ax.get_subplotspec() for ax in fig.axes):
        fig.set_layout_engine("none")  # which has nothing to arrange, and would warn
    if engine := fig.get_layout_engine():
        engine.execute(fig)  # once more than the drawing does: else the title of a picture may stick out at the top
    canvas.draw()
    stream = io.BytesIO()
    Image.fromarray(np.asarray(canvas.buffer_rgba())).save(stream, "PNG", compress_level=1, dpi=(fig.dpi, fig.dpi))
    plt.close(fig)
    return stream.getvalue()


def show(fig, alt):
    """Show a figure with a text that serves those who can't see it.

    The text is stored with the picture, and is its text form too: on a terminal, in a screen reader, and in the tests.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        It is closed, so that it is shown once.
    alt : str
        What is drawn and what it shows, in one or two sentences.

    Raises
    ------
    ValueError
        If `alt` is empty.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(
            f"show(fig, alt=...) expects one or two sentences that say what the figure shows, got {alt!r}."
        )
    data = compact(png(fig))
    display({"image/png": data, "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})


def compact(data):
    """Make a picture small enough to be stored in a notebook, without a visible change.

    Each channel is rounded to a multiple of 5, so no pixel is off by more than 2 of 255 levels. Black and white stay as
    they are, and so does a gray that has three equal channels.

    Parameters
    ----------
    data : bytes
        A PNG file without transparent parts.

    Returns
    -------
    bytes
        A PNG file: gray, with a palette, or in full color, whichever holds the rounded picture without a further loss.
    """
    levels = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.int32) + _STEP // 2) // _STEP
    if (levels == levels[..., :1]).all():
        return _smallest(levels[..., 0])
    shape = 3 * (255 // _STEP + 1,)
    codes = np.ravel_multi_index(tuple(np.moveaxis(levels, 2, 0)), shape)
    used = np.bincount(codes.ravel(), minlength=np.prod(shape)) > 0
    if used.sum() > 256:
        return _smallest(levels[..., ::-1])
    image = Image.fromarray((np.cumsum(used) - 1)[codes].astype(np.uint8), "P")
    palette = _STEP * np.stack(np.unravel_index(np.flatnonzero(used), shape), axis=1)
    image.putpalette(palette.astype(np.uint8).tobytes())
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _smallest(levels):
    """Write levels, gray or BGR, as PNG. Drawings are smallest without filters, photographs with them; Pillow always filters."""
    pixels, files = (_STEP * levels).astype(np.uint8), []
    for chosen in (cv2.IMWRITE_PNG_FILTER_NONE, cv2.IMWRITE_PNG_ALL_FILTERS):
        options = [cv2.IMWRITE_PNG_FILTER, chosen, cv2.IMWRITE_PNG_COMPRESSION, 9]
        files.append(cv2.imencode(".png", pixels, options)[1].tobytes())
    return min(files, key=len)


def picture(image, title="", **options):
    """Prepare a picture for :func:`grid`: without ticks.

    Where it is gray uint8, 0 is black and 255 white; where it is bool, False is black and True white.
    A picture with a side that is nearly white gets a thin frame, or it would melt into the page.

    Parameters
    ----------
    image : numpy.ndarray
        (H, W), bool, uint8 or float, or (H, W, 3) in color.
    title : str
        Text above it.
    **options
        For ``Axes.imshow``.

    Returns
    -------
    Panel
    """
    if image.dtype == np.uint8 and image.ndim == 2:
        options = {"vmin": 0, "vmax": 255, **options}
    if image.dtype == bool:  # left to itself, Matplotlib draws a mask that is True everywhere in black
        options = {"vmin": 0, "vmax": 1, **options}

    def draw(ax):
        shown = ax.imshow(image, **options)
        ax.set(title=title)
        ax.set_axis_off()
        for axis in (ax.xaxis, ax.yaxis):  # else their ticks are worked out three times all the same
            axis.set_visible(False)
        if _melts_into_the_page(shown):
            ax.set_axis_on()
            ax.spines[:].set(visible=True, color=PALE, linewidth=0.8, zorder=0.9)  # over the picture, under boxes on it

    return Panel(draw, image.shape[1] / image.shape[0])


def _melts_into_the_page(shown):
    """Tell whether more than half of any side of a picture, as it is shown, is nearly white."""
    values = shown.get_array()
    sides = (shown.to_rgba(side)[..., :3] for side in (values[:1], values[-1:], values[:, :1], values[:, -1:]))
    return any((side.min(axis=-1) > _LIGHT_SIDE).mean() > 0.5 for side in sides)


def boxes_on(image, boxes, title="", labels=None, colors=TRUTH, linewidth=2, fontsize=9, **options):
    """Prepare a picture with boxes on it for :func:`grid`.

    Parameters
    ----------
    image : numpy.ndarray
        (H, W) or (H, W, 3), as in :func:`picture`.
    boxes : array_like
        (N, 4): x0, y0, x1, y1 in pixels, in the format of :mod:`course_utils.geometry`; N may be 0.
    title : str
        Text above the picture.
    labels : sequence, optional
        One for each box, drawn at its upper left corner; None or "" for a box without one.
    colors : str or sequence of str
        One for all boxes, or one for each, such as ``TRUTH`` and ``PREDICTION``.
    linewidth, fontsize : float
        Of the outlines and of the labels, in points.
    **options
        For ``Axes.imshow``.

    Returns
    -------
    Panel

    Raises
    ------
    ValueError
        If there are more or fewer labels or colors than boxes.
    """
    boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)
    labels = [None] * len(boxes) if labels is None else list(labels)
    colors = [colors] * len(boxes) if isinstance(colors, str) else list(colors)
    if not len(boxes) == len(labels) == len(colors):
        raise ValueError(
            f"expected one label and one color per box, got {len(labels)} labels and {len(colors)} colors for {len(boxes)} boxes."
        )
    below = picture(image, title, **options)

    def draw(ax):
        below.draw(ax)
        for (x0, y0, x1, y1), label, color in zip(boxes - 0.5, labels, colors, strict=True):  # pixel 0 begins at -0.5
            ax.add_patch(mpl.patches.Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color=color, lw=linewidth))
            if label is not None and str(label):
                _tag(ax, x0, y0, str(label), color, fontsize)

    return Panel(draw, below.aspect)


def _tag(ax, x, y, text, color, fontsize):
    """Write a box's label above its upper left corner, or inside of it where the picture ends."""
    height = abs(ax.get_ylim()[0] - ax.get_ylim()[1])
    place = "bottom" if y > 0.12 * height else "top"
    ax.text(
        x, y, text, fontsize=fontsize, color="white", va=place, clip_on=True,
        bbox={"facecolor": color, "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def histogram(counts, marks=(), title="", curve=None, log=False, aspect=1.5):
    """Prepare a histogram of gray values for :func:`grid`, with marked values as vertical lines.

    Parameters
    ----------
    counts : numpy.ndarray
        (256,), the number of pixels with each gray value.
    marks : sequence of (float, str, str)
        Gray value, label (or None) and color of each line.
    title : str
        Text above it.
    curve : numpy.ndarray, optional
        (256,), drawn over the counts.
    log : bool
        Whether the axis of the counts is logarithmic.
    aspect : float
        Width over height.

    Returns
    -------
    Panel
    """

    def draw(ax):
        ax.fill_between(np.arange(len(counts)), counts, step="mid", color=PALE)
        if curve is not None:
            ax.plot(curve, color=TRUTH)
        for value, label, color in marks:
            ax.axvline(value, color=color, label=label)
        ax.set(
            xlabel="gray value", xlim=(-1, 256), title=title, yscale="log" if log else "linear", ylim=(int(log), None)
        )
        ax.set_ylabel("pixels")
        ax.locator_params(axis="x", nbins=5, integer=True)
        if not log:
            ax.locator_params(axis="y", integer=True)
        if any(label for _, label, _ in marks):
            ax.legend(fontsize=10, handlelength=1, borderaxespad=0)

    return Panel(draw, aspect)


def curves(x, lines, xlabel, ylabel, title="", bottom=0.0, marker="", aspect=1.5):
    """Prepare curves over one axis for :func:`grid`.

    Parameters
    ----------
    x : array_like
        (N,); where it holds integers, the ticks are integers too.
    lines : sequence of (array_like, str, str)
        For each curve its values (N,), its label and its color.
    xlabel, ylabel, title : str
        With units.
    bottom : float or None
        Where the vertical axis begins; None leaves it to the data.
    marker : str
        Drawn at each point, as in ``Axes.plot``.
    aspect : float
        Width over height.

    Returns
    -------
    Panel
    """

    def draw(ax):
        for values, label, color in lines:
            ax.plot(x, values, color=color, label=label, marker=marker)
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
        ax.set_ylim(bottom=bottom)
        if np.asarray(x).dtype.kind in "iu":
            # At least three where there are as many whole numbers: on a narrow axis Matplotlib would show a single one.
            ax.locator_params(axis="x", integer=True, min_n_ticks=min(3, int(np.ptp(x)) + 1))
        if len(lines) > 1:
            ax.legend(fontsize=10)

    return Panel(draw, aspect)


class Panel(NamedTuple):
    """One place of a :func:`grid`: a function that draws on axes, and its width over its height."""

    draw: Callable[[mpl.axes.Axes], None]
    aspect: float


def grid(*rows, width=9.5):
    """Draw panels in rows.

    Parameters
    ----------
    *rows : list of Panel
        Made by :func:`picture` and :func:`histogram`; rows are equally long, and the first sets the columns' widths.
    width : float
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
    """
    aspects = [panel.aspect for panel in rows[0]]
    shares = [max(aspect / panel.aspect for panel, aspect in zip(row, aspects, strict=True)) for row in rows]
    heights = [share * width / sum(aspects) + 0.35 for share in shares]  # inches, with room for a title
    # Unknown to pyplot, which would show it half drawn while a slider moves.
    fig = Figure(figsize=(width, sum(heights)))
    axes = fig.subplots(len(rows), len(aspects), width_ratios=aspects, height_ratios=heights, squeeze=False)
    for row, row_axes in zip(rows, axes, strict=True):
        for panel, ax in zip(row, row_axes, strict=True):
            panel.draw(ax)
    return fig


def image_row(images, titles, width=9.5):
    """Draw pictures side by side.

    Parameters
    ----------
    images : list of numpy.ndarray
        Each (H, W) or (H, W, 3).
    titles : list of str
        One for each picture.
    width : float
        Of the figure, in inches.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return grid([picture(image, title) for image, title in zip(images, titles, strict=True)], width=width)


def error_picture(prediction, truth):
    """Paint where a mask is wrong: background dark, object white, wrong pixels in the color of errors.

    Parameters
    ----------
    prediction, truth : numpy.ndarray
        (H, W), bool, or anything that is 0 outside of the object.

    Returns
    -------
    numpy.ndarray
        (H, W, 3), float, 0 to 1.
    """
    truth = truth.astype(bool)
    painted = np.repeat(np.where(truth, 1.0, 0.15)[..., None], 3, axis=2)
    painted[prediction.astype(bool) != truth] = mpl.colors.to_rgb(ERROR)
    return painted


def _label_colors(labels):
    """One color for each label: hues a golden section apart, so that neighboring numbers differ. (L + 1, 3), 0 to 1."""
    hues = np.arange(int(labels.max()) + 1) * 0.618034 % 1
    return mpl.colors.hsv_to_rgb(np.stack([hues, np.full_like(hues, 0.85), np.full_like(hues, 0.95)], axis=1))


def regions(labels):
    """Paint each labeled region in a color of its own.

    Parameters
    ----------
    labels : numpy.ndarray
        (H, W), int, 0 for the background, which is painted dark.

    Returns
    -------
    numpy.ndarray
        (H, W, 3), float, 0 to 1.
    """
    return np.where(labels[..., None] > 0, _label_colors(labels)[labels], 0.15)


def outlines(image, labels, thickness=2):
    """Outline each labeled region on a gray picture, in the color that :func:`regions` gives it.

    Parameters
    ----------
    image : numpy.ndarray
        (H, W), uint8; it is not changed.
    labels : numpy.ndarray
        (H, W), int, 0 for the background.
    thickness : int
        Of the outlines, in pixels; they lie inside of their regions.

    Returns
    -------
    numpy.ndarray
        (H, W, 3), float, 0 to 1.
    """
    size = 2 * thickness + 1
    around = [filter_(labels, size, mode="nearest") for filter_ in (ndimage.minimum_filter, ndimage.maximum_filter)]
    edge = (labels > 0) & (around[0] != around[1])
    gray = np.repeat(image[..., None] / 255, 3, axis=2)
    return np.where(edge[..., None], regions(labels), gray)
