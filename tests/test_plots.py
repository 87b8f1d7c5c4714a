"""Figures: alt text stored and compared, small files, pictures that keep their scale."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from course_utils import plots

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


def test_gray_picture_keeps_its_scale():
    dim = _pixels(_shown(plots.image_row([np.full((50, 50), 100, np.uint8)], [""], width=2)))
    assert abs(int(dim[dim.shape[0] // 2, dim.shape[1] // 2, 0]) - 100) <= 6  # 24 gray levels are 11 apart


def test_stored_figure_keeps_the_colours_of_lines():
    figure = plots.grid([plots.curves([0, 1], [([1, 1], "line", plots.ERROR)], "x", "y"), plots.picture(GRAY)])
    pixels = _pixels(_shown(figure)).astype(int)
    vermilion = np.array([0xD5, 0x5E, 0x00])
    assert (np.abs(pixels - vermilion).max(axis=2) <= 6).sum() > 100


def test_noisy_picture_is_stored_in_few_bytes():
    noise = np.random.default_rng(0).integers(0, 256, (300, 300), np.uint8)
    full = plots.png(plots.image_row([noise], [""], width=4))
    stored = _shown(plots.image_row([noise], [""], width=4)).data["image/png"]
    assert len(stored) < len(full)


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


def test_histogram_marks_are_labelled_and_unlabelled_ones_make_no_legend():
    counts = np.arange(256)
    labelled = plots.grid([plots.histogram(counts, [(100, "t = 100", plots.TRUTH)])])
    assert labelled.axes[0].get_legend().get_texts()[0].get_text() == "t = 100"
    assert plots.grid([plots.histogram(counts, [(100, None, plots.TRUTH)])]).axes[0].get_legend() is None


def test_error_picture_paints_wrong_pixels_only():
    truth, prediction = np.array([[1, 0, 1]]), np.array([[1, 1, 0]])
    painted = plots.error_picture(prediction, truth)
    assert (painted[0, 0] == 1).all()
    assert np.allclose(painted[0, 1], painted[0, 2])
    assert not np.allclose(painted[0, 1], 1)


def test_each_region_has_a_colour_of_its_own():
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


def test_boxes_are_drawn_in_their_colour_and_named():
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
def test_boxes_with_too_few_labels_or_colours_are_refused(wrong):
    with pytest.raises(ValueError, match="one each is wanted"):
        plots.boxes_on(GRAY, [[0, 0, 5, 5], [1, 1, 6, 6]], **wrong)


def test_a_figure_without_subplots_is_drawn_without_a_warning():
    plots.use_style()
    fig = plt.figure(figsize=(1, 1))
    fig.add_axes([0, 0, 1, 1])
    assert plots.png(fig).startswith(b"\x89PNG")
    assert plots.png(plt.figure(figsize=(1, 1))).startswith(b"\x89PNG")
