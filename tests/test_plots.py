"""Figures: alt text stored and compared, small files that are true to what was drawn, frames and ticks."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from course_utils import images, plots

GRAY = np.tile(np.arange(256, dtype=np.uint8), (64, 1))


@pytest.fixture(autouse=True)
def shell():
    plots.use_style()
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()
    plt.close("all")


def _shown(figure, alt="a gray ramp from black to white"):
    with capture_output() as captured:
        plots.show(figure, alt)
    return captured.outputs[0]


def _pixels(output):
    data = output.data["image/png"]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data) if isinstance(data, str) else data)).convert("RGB"))


def test_alt_text_is_stored_with_the_picture_and_is_its_text_form():
    output = _shown(plots.image_row([GRAY], ["ramp"]))
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"] == "a gray ramp from black to white"


@pytest.mark.parametrize("alt", ["", "  ", None, 3])
def test_figure_without_alt_text_is_refused(alt):
    with pytest.raises(ValueError, match="what the figure shows"):
        plots.show(plots.image_row([GRAY], ["ramp"]), alt)


def test_shown_figure_is_closed():
    _shown(plots.image_row([GRAY], ["ramp"]))
    assert plt.get_fignums() == []


def test_same_figure_gives_the_same_bytes():
    first, second = (_shown(plots.image_row([GRAY], ["ramp"])).data["image/png"] for _ in range(2))
    assert first == second


def _figures():
    """Figures of every kind that lessons draw, each with a name: gray, colorful, few colors and many."""
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    lines = plots.curves([0, 1, 2], [([1, 3, 2], "line", plots.ERROR), ([2, 1, 3], "other", plots.TRUTH)], "x", "y")
    pictures = {"ramp": GRAY, "gray noise": noise[..., 0], "noise": noise, "all dark": np.zeros((9, 9), np.uint8)}
    pictures |= {name: images.sample(name) for name in ("camera", "page", "chelsea", "coffee")}
    pictures |= {"regions": plots.regions(np.arange(400).reshape(20, 20))}
    for name, image in pictures.items():
        yield name, plots.image_row([image], [name], width=3)
    yield "lines", plots.grid([lines], width=4)
    yield "lines and noise", plots.grid([lines, plots.picture(noise)], width=6)


def _decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def test_stored_figure_is_true_to_what_was_drawn():
    for (name, drawn), (_, shown) in zip(_figures(), _figures(), strict=True):
        off = np.abs(_pixels(_shown(shown)).astype(int) - _decoded(plots.png(drawn)))
        assert off.max() <= 2, name


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 24), st.integers(1, 24), st.sampled_from([1, 3]))), st.integers(1, 255)
)
def test_no_pixel_of_a_compact_picture_is_off_by_more_than_two_levels(pixels, coarse):
    pixels = np.broadcast_to(pixels // coarse * coarse, (*pixels.shape[:2], 3))  # few colors, or many; gray, or not
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    found = _decoded(plots.compact(stream.getvalue()))
    assert np.abs(found - pixels).max() <= 2
    for kept in (0, 255):
        assert (found[pixels == kept] == kept).all()


def test_compact_picture_has_the_channels_it_needs_and_no_alpha():
    modes = {}
    for name, figure in _figures():
        image = Image.open(io.BytesIO(plots.compact(plots.png(figure))))
        modes[name] = image.mode
        assert "transparency" not in image.info
    assert (modes["ramp"], modes["lines"], modes["noise"], modes["chelsea"]) == ("L", "P", "RGB", "RGB")


def test_compact_picture_is_smaller_than_the_best_that_keeps_every_level():
    for name, figure in _figures():
        data = plots.png(figure)
        stream = io.BytesIO()
        Image.open(io.BytesIO(data)).convert("RGB").save(stream, "PNG", optimize=True)
        assert len(plots.compact(data)) < len(stream.getvalue()), name


def test_grid_has_rows_as_high_as_their_panels_need():
    wide, tall = plots.picture(np.zeros((10, 40))), plots.picture(np.zeros((40, 40)))
    assert plots.grid([wide, wide]).get_figheight() < plots.grid([tall, tall]).get_figheight()
    figure = plots.grid([wide, wide], [tall, wide])
    figure.draw_without_rendering()
    first, second = (figure.axes[i].get_position().height for i in (0, 2))
    assert first < second


def test_rows_of_different_lengths_are_refused():
    panel = plots.picture(GRAY)
    with pytest.raises(ValueError, match="argument"):
        plots.grid([panel, panel], [panel])


def test_histogram_marks_are_labeled_and_unlabeled_ones_make_no_legend():
    counts = np.arange(256)
    labeled = plots.grid([plots.histogram(counts, [(100, "t = 100", plots.TRUTH)])])
    assert labeled.axes[0].get_legend().get_texts()[0].get_text() == "t = 100"
    assert plots.grid([plots.histogram(counts, [(100, None, plots.TRUTH)])]).axes[0].get_legend() is None


def test_error_picture_paints_wrong_pixels_only():
    truth, prediction = np.array([[1, 0, 1]]), np.array([[1, 1, 0]])
    painted = plots.error_picture(prediction, truth)
    assert (painted[0, 0] == 1).all()
    assert np.allclose(painted[0, 1], painted[0, 2])
    assert not np.allclose(painted[0, 1], 1)


def test_each_region_has_a_color_of_its_own():
    labels = np.arange(26)[None]
    painted = plots.regions(labels)
    assert painted.shape == (1, 26, 3)
    assert len(np.unique(np.rint(255 * painted[0]), axis=0)) == 26
    assert (painted[0, 0] == 0.15).all()


def test_outlines_lie_inside_of_their_regions_and_leave_the_rest_as_it_is():
    gray = np.full((20, 20), 51, np.uint8)
    labels = np.zeros((20, 20), int)
    labels[4:16, 4:10], labels[4:16, 10:16] = 1, 2
    drawn = plots.outlines(gray, labels, thickness=1)
    assert np.allclose(drawn[labels == 0], 51 / 255)
    assert np.allclose(drawn[6:14, 6:9], 51 / 255)
    assert np.allclose(drawn[10, 9], plots.regions(labels)[10, 9])
    assert np.allclose(drawn[10, 10], plots.regions(labels)[10, 10])
    assert not np.allclose(drawn[10, 9], drawn[10, 10])
    assert (gray == 51).all()


def test_no_region_is_no_outline():
    gray = np.full((5, 5), 51, np.uint8)
    assert np.allclose(plots.outlines(gray, np.zeros((5, 5), int)), 51 / 255)


def test_title_of_a_picture_beside_charts_is_not_cut_off():
    chart = plots.curves(range(3), [([1, 2, 3], "line", plots.TRUTH)], "x", "y")
    figure = plots.grid([chart, chart, plots.picture(np.zeros((303, 384)), "title")])
    plots.png(figure)
    assert figure.axes[2].title.get_window_extent().y1 <= figure.bbox.y1


def test_boxes_lie_on_the_edges_of_their_pixels():
    ax = plots.grid([plots.boxes_on(GRAY, [[3, 5, 4, 7], [0, 0, 256, 64]], colors=[plots.TRUTH, plots.ERROR])]).axes[0]
    first, second = ax.patches
    assert first.get_bbox().extents.tolist() == [2.5, 4.5, 3.5, 6.5]  # pixel 3 is drawn from 2.5 to 3.5
    assert second.get_bbox().extents.tolist() == [-0.5, -0.5, 255.5, 63.5]
    assert ax.get_xlim() == (-0.5, 255.5)  # the picture is not moved or widened
    assert first.get_edgecolor() != second.get_edgecolor()


def test_boxes_are_drawn_in_their_color_and_named():
    panel = plots.boxes_on(GRAY, [[20, 20, 60, 50], [100, 0, 140, 30], [200, 10, 220, 30]], "t", ["7", 3, None])
    figure = plots.grid([panel], width=4)
    assert [text.get_text() for text in figure.axes[0].texts] == ["7", "3"]
    pixels = _pixels(_shown(figure)).astype(int)
    assert (np.abs(pixels - [0x00, 0x72, 0xB2]).max(axis=2) <= 8).sum() > 100


def test_label_of_a_box_at_the_upper_border_stays_in_the_picture():
    figure = plots.grid([plots.boxes_on(GRAY, [[10, 0, 50, 30], [90, 30, 120, 50]], labels=["up", "down"])])
    figure.draw_without_rendering()
    ax = figure.axes[0]
    for text in ax.texts:
        assert text.get_window_extent().y1 <= ax.get_window_extent().y1 + 1


def test_no_boxes_are_a_plain_picture():
    assert plots.grid([plots.boxes_on(GRAY, np.empty((0, 4)))]).axes[0].patches[:] == []


@pytest.mark.parametrize("wrong", [{"labels": ["a"]}, {"colors": [plots.TRUTH]}])
def test_boxes_with_too_few_labels_or_colors_are_refused(wrong):
    with pytest.raises(ValueError, match="one label and one color per box"):
        plots.boxes_on(GRAY, [[0, 0, 5, 5], [1, 1, 6, 6]], **wrong)


def test_a_figure_without_subplots_is_drawn_without_a_warning():
    plots.use_style()
    fig = plt.figure(figsize=(1, 1))
    fig.add_axes([0, 0, 1, 1])
    assert plots.png(fig).startswith(b"\x89PNG")
    assert plots.png(plt.figure(figsize=(1, 1))).startswith(b"\x89PNG")


def _framed(panel):
    ax = plots.grid([panel]).axes[0]
    return ax.axison and all(spine.get_visible() for spine in ax.spines.values())


def test_picture_with_a_light_side_gets_a_frame_and_another_does_not():
    white = np.full((20, 30), 255, np.uint8)
    one_side = np.zeros((20, 30), np.uint8)
    one_side[:, -1] = 250
    corner = np.zeros((20, 30), np.uint8)
    corner[:3, :3] = 255
    for make in (plots.picture, lambda image, **options: plots.boxes_on(image, [[1, 1, 5, 5]], **options)):
        for light in (white, one_side, white > 0, np.full((20, 30, 3), 1.0), np.repeat(white[..., None], 3, axis=2)):
            assert _framed(make(light))
        for dark in (255 - white, corner, np.full((20, 30, 3), 0.5), images.sample("camera"), images.sample("chelsea")):
            assert not _framed(make(dark))
    assert _framed(plots.picture(np.zeros((4, 4)), cmap="gray_r", vmin=0, vmax=1))  # it is what is shown that counts
    assert not _framed(plots.picture(np.ones((4, 4)), cmap="gray_r", vmin=0, vmax=1))
    yellow = np.full((4, 4, 3), [255, 255, 0], np.uint8)  # bright, and told from the page by its color
    assert not _framed(plots.picture(yellow))


def test_frame_is_thin_and_does_not_move_the_picture():
    white = np.full((20, 30), 255, np.uint8)
    framed = _pixels(_shown(plots.grid([plots.picture(white)], width=3)))
    dark = _pixels(_shown(plots.grid([plots.picture(0 * white)], width=3)))
    rows, columns = np.nonzero(dark[..., 0] < 128)
    gray = framed[..., 0] < 240
    assert gray.any()
    inside = gray[rows.min() + 2 : rows.max() - 1, columns.min() + 2 : columns.max() - 1]
    assert not inside.any()


def test_frame_does_not_hide_a_box_on_the_edge():
    blue = []
    for image in (np.full((20, 30), 255, np.uint8), np.zeros((20, 30), np.uint8)):
        boxed = _pixels(_shown(plots.grid([plots.boxes_on(image, [[0, 0, 30, 20]], colors=plots.TRUTH)], width=3)))
        blue.append((np.abs(boxed.astype(int) - [0x00, 0x72, 0xB2]).max(axis=2) <= 2).sum())
    assert blue[0] >= blue[1] > 0  # where both are thin, white and blue or black and blue blend differently


def test_mask_that_is_true_everywhere_is_white():
    for value in (True, False):
        pixels = _pixels(_shown(plots.image_row([np.full((20, 20), value)], [""], width=2)))
        assert (pixels[pixels.shape[0] // 2, pixels.shape[1] // 2] == 255 * value).all()


def _ticks(panel, width=4):
    figure = plots.grid([panel], width=width)
    figure.draw_without_rendering()
    return figure.axes[0].get_xticks(), figure.axes[0].get_yticks()


@pytest.mark.parametrize("x", [[1, 2, 3], range(4), np.arange(5), [3], np.uint8([1, 2])], ids=repr)
def test_integer_axis_has_integer_ticks(x):
    ticks, _ = _ticks(plots.curves(x, [(np.zeros(len(x)), "", plots.TRUTH)], "epoch", "loss"), width=8)
    assert (ticks == np.rint(ticks)).all()


def test_narrow_integer_axis_has_more_than_one_tick():
    panel = plots.curves(np.arange(2, 9), [(np.zeros(7), "", plots.TRUTH)], "k", "loss")
    ticks, _ = _ticks(panel, width=1.5)
    assert len([tick for tick in ticks if 2 <= tick <= 8]) >= 3
    assert (ticks == np.rint(ticks)).all()


def test_axis_of_real_numbers_keeps_its_ticks_in_between():
    ticks, _ = _ticks(plots.curves([0.0, 1.0], [([0, 1], "", plots.TRUTH)], "share", "loss"))
    assert (ticks != np.rint(ticks)).any()


def test_counts_of_a_histogram_have_integer_ticks():
    counts = np.zeros(256)
    counts[7] = 2
    for ticks in _ticks(plots.histogram(counts)):
        assert (ticks == np.rint(ticks)).all()
    plots.grid([plots.histogram(counts, log=True)]).draw_without_rendering()
