"""Geometry of boxes: what must hold for any boxes, and what Keras, TensorFlow and a slow direct version answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import geometry, tensorflow_start

tensorflow_start.start_tensorflow()
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

WHOLE = st.integers(0, 40)


@st.composite
def _boxes(draw, least=1, most=8, smallest=1):
    """Boxes with whole numbers as edges, at least `smallest` wide and high: their areas are exact."""
    rows = draw(
        st.lists(
            st.tuples(WHOLE, WHOLE, st.integers(smallest, 30), st.integers(smallest, 30)), min_size=least, max_size=most
        )
    )
    rows = np.array(rows, float).reshape(-1, 4)
    return np.hstack([rows[:, :2], rows[:, :2] + rows[:, 2:]])


@st.composite
def _scored(draw):
    """Boxes, different scores and labels."""
    boxes = draw(_boxes(least=0, most=12))
    scores = draw(st.permutations(range(len(boxes))))
    labels = draw(st.lists(st.integers(0, 2), min_size=len(boxes), max_size=len(boxes)))
    return boxes, (np.array(scores, float) + 1) / (len(boxes) + 1), np.array(labels, int)


def _iou_by_pixels(first, second):
    """IoU by counting unit squares."""
    maps = np.zeros((2, 80, 80), bool)
    for canvas, (x0, y0, x1, y1) in zip(maps, (first.astype(int), second.astype(int)), strict=True):
        canvas[y0:y1, x0:x1] = True
    return (maps[0] & maps[1]).sum() / (maps[0] | maps[1]).sum()


@given(_boxes())
def test_area_is_width_times_height(boxes):
    assert geometry.area(boxes).tolist() == [(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes]


@given(_boxes(most=4), _boxes(most=4))
def test_iou_is_the_share_of_counted_squares(first, second):
    counted = [[_iou_by_pixels(a, b) for b in second] for a in first]
    np.testing.assert_allclose(geometry.iou(first, second), counted, rtol=1e-12)


@given(_boxes(), _boxes())
def test_iou_is_symmetric_and_between_0_and_1(first, second):
    found = geometry.iou(first, second)
    assert found.shape == (len(first), len(second))
    np.testing.assert_array_equal(found, geometry.iou(second, first).T)
    assert found.min() >= 0
    assert found.max() <= 1


@given(_boxes())
def test_iou_is_1_for_equal_boxes_and_only_for_them(boxes):
    equal = (boxes[:, None] == boxes[None]).all(axis=2)
    np.testing.assert_array_equal(geometry.iou(boxes, boxes) == 1, equal)


@given(_boxes(), _boxes(), st.floats(0.01, 100), st.floats(-50, 50), st.floats(-50, 50))
def test_iou_keeps_when_both_are_scaled_and_shifted(first, second, scale, right, down):
    moved = [scale * boxes + [right, down, right, down] for boxes in (first, second)]
    np.testing.assert_allclose(geometry.iou(*moved), geometry.iou(first, second), atol=1e-6)


@given(_boxes(), _boxes())
def test_iou_is_kerass(first, second):
    theirs = keras.utils.bounding_boxes.compute_iou(first.astype("float32"), second.astype("float32"), "xyxy")
    np.testing.assert_allclose(geometry.iou(first, second), np.asarray(theirs), atol=1e-5)


def test_box_without_area_overlaps_nothing_not_even_itself():
    flat = [[5, 5, 5, 9], [3, 3, 3, 3]]
    assert geometry.iou(flat, [[0, 0, 10, 10], *flat]).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_no_boxes_have_no_overlaps():
    assert geometry.iou([], [[0, 0, 1, 1]]).shape == (0, 1)
    assert geometry.iou([[0, 0, 1, 1]], np.empty((0, 4))).shape == (1, 0)
    assert geometry.area([]).shape == (0,)


@given(st.data(), _boxes(least=3, most=3))
def test_decoding_undoes_encoding(data, references):
    boxes = data.draw(_boxes(least=3, most=3))
    offsets = geometry.encode(boxes, references)
    np.testing.assert_allclose(geometry.decode(offsets, references), boxes, atol=1e-9)


@given(_boxes(least=2, most=2), _boxes(least=2, most=2), st.floats(0.01, 100), st.floats(-50, 50))
def test_offsets_keep_when_boxes_and_references_are_scaled_and_shifted(boxes, references, scale, shift):
    np.testing.assert_allclose(
        geometry.encode(scale * boxes + shift, scale * references + shift),
        geometry.encode(boxes, references),
        atol=1e-6,
    )


@given(_boxes())
def test_offsets_of_a_box_from_itself_are_0(boxes):
    assert not geometry.encode(boxes, boxes).any()


def _kerass_order(offsets):
    return offsets[:, [1, 0, 3, 2]]  # Keras has y before x, and the height before the width


@given(_boxes(least=4, most=4), _boxes(least=4, most=4))
def test_encoding_and_decoding_are_kerass(boxes, references):
    ours = geometry.encode(boxes, references)
    theirs = keras.utils.bounding_boxes.encode_box_to_deltas(
        references.astype("float32"), boxes.astype("float32"), "xyxy", "xyxy"
    )
    np.testing.assert_allclose(_kerass_order(ours), np.asarray(theirs), atol=1e-4)
    decoded = keras.utils.bounding_boxes.decode_deltas_to_boxes(
        references.astype("float32"), _kerass_order(ours).astype("float32"), "xyxy", "xyxy"
    )
    np.testing.assert_allclose(geometry.decode(ours, references), np.asarray(decoded), atol=1e-3)


def test_decoding_cuts_what_would_be_huge():
    # both logarithms are cut at 2: e**2 = 7.389 times 10 wide, around the center (5, 5)
    found = geometry.decode([[0, 0, 50, 1000]], [[0, 0, 10, 10]], largest=2)
    half = 10 * np.exp(2) / 2
    np.testing.assert_allclose(found, [[5 - half, 5 - half, 5 + half, 5 + half]])
    assert np.isfinite(geometry.decode([[0, 0, 1e30, 1e30]], [[0, 0, 10, 10]])).all()


def test_decoding_does_not_cut_small_ratios():
    np.testing.assert_allclose(geometry.decode([[0, 0, -9, -9]], [[0, 0, 10, 10]])[0, 2], 5 + 5 * np.exp(-9))


@given(_boxes(), st.integers(1, 50), st.integers(1, 50))
def test_clipped_boxes_lie_inside_and_are_the_part_that_did(boxes, height, width):
    found = geometry.clip(boxes, height, width)
    assert (found >= 0).all()
    assert (found[:, [0, 2]] <= width).all()
    assert (found[:, [1, 3]] <= height).all()
    np.testing.assert_array_equal(geometry.clip(found, height, width), found)
    with_area = geometry.area(found) > 0  # the part of a box in the picture is what it shares with the picture's box
    shared = geometry.iou(boxes, [[0, 0, width, height]])[:, 0]
    np.testing.assert_array_equal(shared > 0, with_area)
    union = geometry.area(boxes) + width * height - geometry.area(found)
    np.testing.assert_allclose(shared, geometry.area(found) / union, atol=1e-12)


def _slow_suppression(boxes, scores, threshold, labels):
    """Walk from the best score down, keep a box if no kept one of its class overlaps it by more than the threshold."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(labels[i] != labels[k] or geometry.iou(boxes[[i]], boxes[[k]])[0, 0] <= threshold for k in kept):
            kept.append(i)
    return kept


@given(_scored(), st.floats(0, 1))
def test_suppression_by_class_is_the_slow_one(scored, threshold):
    boxes, scores, labels = scored
    found = geometry.non_maximum_suppression(boxes, scores, threshold, labels)
    assert found.tolist() == _slow_suppression(boxes, scores, threshold, labels)
    assert found.dtype == np.int64


@given(_scored(), st.sampled_from([0.1301, 0.2903, 0.5103, 0.7307]))
def test_suppression_is_tensorflows(scored, threshold):
    boxes, scores, _ = scored
    found = geometry.non_maximum_suppression(boxes, scores, threshold)
    theirs = tf.image.non_max_suppression(
        boxes.astype("float32").reshape(-1, 4),
        scores.astype("float32"),
        max_output_size=len(boxes),
        iou_threshold=threshold,
    )
    assert found.tolist() == theirs.numpy().tolist()


@given(_scored(), st.floats(0, 1))
def test_suppressing_again_drops_nothing(scored, threshold):
    boxes, scores, labels = scored
    kept = geometry.non_maximum_suppression(boxes, scores, threshold, labels)
    again = geometry.non_maximum_suppression(boxes[kept], scores[kept], threshold, labels[kept])
    assert again.tolist() == list(range(len(kept)))


@given(_scored(), st.floats(0, 1))
def test_suppression_by_class_is_that_of_each_class_alone(scored, threshold):
    boxes, scores, labels = scored
    together = geometry.non_maximum_suppression(boxes, scores, threshold, labels)
    assert (np.diff(scores[together]) < 0).all()
    for label in set(labels):
        own = np.flatnonzero(labels == label)
        alone = own[geometry.non_maximum_suppression(boxes[own], scores[own], threshold)]
        assert [i for i in together if labels[i] == label] == alone.tolist()


@given(_scored())
def test_thresholds_at_the_ends_keep_all_or_only_what_is_apart(scored):
    boxes, scores, _ = scored
    assert len(geometry.non_maximum_suppression(boxes, scores, 1.0)) == len(boxes)
    apart = boxes[geometry.non_maximum_suppression(boxes, scores, 0.0)]
    assert geometry.iou(apart, apart)[~np.eye(len(apart), dtype=bool)].max(initial=0) == 0


def test_of_equal_scores_the_first_is_kept():
    assert geometry.non_maximum_suppression([[0, 0, 10, 10]] * 3, [0.5, 0.5, 0.5]).tolist() == [0]


def test_box_that_overlaps_by_exactly_the_threshold_is_kept():
    # 10 x 10, shifted by 5: 50 of 150; a third in floating point, so the threshold is the computed one
    boxes = [[0, 0, 10, 10], [5, 0, 15, 10]]
    exact = geometry.iou(boxes[:1], boxes[1:])[0, 0]
    assert geometry.non_maximum_suppression(boxes, [2, 1], exact).tolist() == [0, 1]
    assert geometry.non_maximum_suppression(boxes, [2, 1], np.nextafter(exact, 0)).tolist() == [0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([0, 0, 1, 1], r"the shape \(N, 4\).*have \(4,\)"),
        ([[0, 0, 1]], r"have \(1, 3\)"),
        ([[0, 0, 1, 1], [5, 5, 3, 9]], r"row 1 of the boxes is \[5.0, 5.0, 3.0, 9.0\].*x, y, width, height\?"),
        ([[0, 9, 1, 1]], "row 0"),
        ([[0, 0, np.nan, 1]], "finite edges"),
        ([[0, 0, np.inf, 1]], "finite edges"),
    ],
)
@pytest.mark.parametrize(
    "use", [geometry.area, lambda boxes: geometry.clip(boxes, 5, 5), lambda b: geometry.non_maximum_suppression(b, [1])]
)
def test_what_is_no_box_gets_one_sentence(wrong, words, use):
    with pytest.raises(ValueError, match=words):
        use(wrong)


def test_sentence_names_which_of_the_two_is_wrong():
    with pytest.raises(ValueError, match="the second boxes"):
        geometry.iou([[0, 0, 1, 1]], [[3, 0, 1, 1]])
    with pytest.raises(ValueError, match="the references"):
        geometry.encode([[0, 0, 1, 1]], [[3, 0, 1, 1]])


def test_encoding_needs_pairs_with_area():
    with pytest.raises(ValueError, match="2 boxes and 1"):
        geometry.encode([[0, 0, 1, 1]] * 2, [[0, 0, 1, 1]])
    with pytest.raises(ValueError, match=r"row 1 of the boxes.*no area"):
        geometry.encode([[0, 0, 1, 1], [2, 2, 2, 5]], [[0, 0, 1, 1]] * 2)
    with pytest.raises(ValueError, match=r"row 0 of the references.*no area"):
        geometry.decode([[0, 0, 0, 0]], [[0, 0, 0, 4]])
    with pytest.raises(ValueError, match=r"\(1, 4\), .*got \(2, 4\)"):
        geometry.decode(np.zeros((2, 4)), [[0, 0, 1, 1]])


@pytest.mark.parametrize("given_", [{"scores": [1]}, {"scores": [1, 2], "labels": [0]}, {"scores": [[1, 2]]}])
def test_suppression_needs_a_score_and_a_label_for_each_box(given_):
    with pytest.raises(ValueError, match="2 boxes need as many scores and labels"):
        geometry.non_maximum_suppression([[0, 0, 1, 1]] * 2, **given_)
