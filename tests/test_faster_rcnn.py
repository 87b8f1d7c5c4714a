"""What lesson 09 defines: pooling against direct computations and finite differences, geometry, losses, anchors, detectors."""

import ast
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import bench_faster_rcnn
from course_utils import geometry, notebooks, tensorflow_start
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

tensorflow_start.start_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

lesson = definitions("09_faster_rcnn")
SEEDS = st.integers(0, 10_000)


def some_boxes(rng, count, size, least=1.0):
    corner = rng.uniform(0, size - least, (count, 2))
    return np.hstack([corner, corner + rng.uniform(least, size - corner)])


# RoI pooling


@given(st.floats(-5, 25), st.floats(0, 20), st.integers(1, 9), st.integers(1, 20))
def test_bins_are_never_empty_and_leave_no_cell_out(low, extent, size, cells):
    bins = lesson.bins_of(low, low + extent, size, cells)
    assert bins.shape == (size, 2)
    assert (bins[:, 0] < bins[:, 1]).all()
    assert bins.min() >= 0
    assert bins.max() <= cells
    assert (bins[1:, 0] <= bins[:-1, 1]).all()  # no gap
    assert (np.diff(bins, axis=0) >= 0).all()


def test_bins_of_seven_cells_share_two():
    # exact edges 0, 7/3 = 2.33, 14/3 = 4.67, 7
    assert lesson.bins_of(0.2, 6.9, 3, 16).tolist() == [[0, 3], [2, 5], [4, 7]]


def directly_pooled(features, box, size):
    """Each output by a look at all cells of the map, from the formula."""
    height, width, channels = features.shape
    x0, y0, x1, y1 = (int(np.floor(edge + 0.5)) for edge in box)
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    x1, y1 = min(max(x1, x0 + 1), width), min(max(y1, y0 + 1), height)
    result = np.full((size, size, channels), -np.inf)
    for i, j, y, x in np.ndindex(size, size, height, width):
        in_row = y0 + np.floor(i * (y1 - y0) / size) <= y < y0 + np.ceil((i + 1) * (y1 - y0) / size)
        in_column = x0 + np.floor(j * (x1 - x0) / size) <= x < x0 + np.ceil((j + 1) * (x1 - x0) / size)
        if in_row and in_column:
            result[i, j] = np.maximum(result[i, j], features[y, x])
    return result


@given(SEEDS, st.integers(1, 4))
@settings(max_examples=25, deadline=None)
def test_roi_pooling_equals_a_direct_computation(seed, size):
    rng = np.random.default_rng(seed)
    features, boxes = rng.normal(size=(9, 7, 2)), some_boxes(rng, 3, 7, least=0.1)
    found = lesson.roi_pool(features, boxes, size)
    assert np.array_equal(found, [directly_pooled(features, box, size) for box in boxes])


@given(SEEDS, st.sampled_from([2, 4, 8]))
@settings(max_examples=20, deadline=None)
def test_stride_divides_the_boxes(seed, stride):
    rng = np.random.default_rng(seed)
    features, boxes = rng.normal(size=(8, 8, 3)), some_boxes(rng, 4, 8)
    assert np.array_equal(lesson.roi_pool(features, boxes * stride, 3, stride), lesson.roi_pool(features, boxes, 3))


def test_one_bin_over_the_map_is_its_maximum():
    features = np.random.default_rng(0).normal(size=(6, 5, 4))
    assert np.array_equal(lesson.roi_pool(features, [[0, 0, 5, 6]], 1)[0, 0, 0], features.max(axis=(0, 1)))


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_roi_pooling_that_trains_equals_the_plain_one(seed):
    rng = np.random.default_rng(seed)
    features, boxes = rng.normal(size=(16, 12, 3)).astype(np.float32), some_boxes(rng, 4, 12).astype(np.float32) * 4
    assert np.allclose(lesson.roi_max(features[None], boxes[None]), lesson.roi_pool(features, boxes, 5, 4))


@pytest.mark.parametrize(
    ("features", "boxes", "size", "words"),
    [
        (np.zeros((4, 4)), [[0, 0, 2, 2]], 2, r"features \(H, W, C\)"),
        (np.zeros((4, 4, 1)), [[0, 0, 2, 2]], 0, "a size from 1"),
        (np.zeros((4, 4, 1)), [[2, 0, 1, 2]], 2, "x, y, width, height"),
        (np.zeros((4, 4, 1)), [[0, 0, np.nan, 2]], 2, "finite"),
    ],
)
def test_bad_input_to_roi_pooling_gets_one_sentence(features, boxes, size, words):
    with pytest.raises(ValueError, match=words) as caught:
        lesson.roi_pool(features, boxes, size)
    assert "\n" not in str(caught.value)


def test_pooling_stays_still_for_eight_pixels_and_jumps_by_a_cell():
    ramp = np.tile((np.arange(16.0) + 0.5) * 8, (16, 1))[..., None]
    shifts = np.arange(0, 24, 0.25)
    boxes = np.array([[40, 40, 64, 64]]) + shifts[:, None] * [1, 0, 1, 0]
    found = lesson.roi_pool(ramp, boxes, size=3, stride=8)[:, 1, 1, 0]
    jumps = np.flatnonzero(np.diff(found)) + 1
    assert shifts[jumps].tolist() == [4, 12, 20]
    assert np.diff(found)[jumps - 1].tolist() == [8, 8, 8]


# RoIAlign


def read(features, x, y):
    """Bilinear interpolation of a map (H, W), x and y in cells from its corner, outer cells repeated outwards."""
    padded = np.pad(features, 1, mode="edge")
    x, y = np.clip([x + 0.5, y + 0.5], 0, [padded.shape[1] - 1.001, padded.shape[0] - 1.001])
    left, top = int(x), int(y)
    weights = np.outer([1 - (y - top), y - top], [1 - (x - left), x - left])
    return (weights * padded[top : top + 2, left : left + 2]).sum()


def directly_aligned(features, box, size, samples):
    (x0, y0, x1, y1), points = box, size * samples
    xs = x0 + (np.arange(points) + 0.5) * (x1 - x0) / points
    ys = y0 + (np.arange(points) + 0.5) * (y1 - y0) / points
    values = np.array([[read(features, x, y) for x in xs] for y in ys])
    return values.reshape(size, samples, size, samples).mean(axis=(1, 3))


@given(SEEDS, st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_roi_align_equals_a_direct_interpolation(seed, size, samples):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(2, 6, 6, 1)).astype(np.float32)
    boxes = np.stack([some_boxes(rng, 3, 6), some_boxes(rng, 3, 6)]).astype(np.float32)
    found = lesson.roi_align(features, boxes * 4, size, stride=4, samples=samples)[..., 0]
    wanted = [directly_aligned(features[n, ..., 0], box, size, samples) for n in range(2) for box in boxes[n]]
    assert np.allclose(found, wanted, atol=1e-4)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_roi_align_of_a_slope_is_the_place_of_each_bin(seed):
    rng = np.random.default_rng(seed)
    ramp = np.tile(np.arange(12, dtype=np.float32) + 0.5, (12, 1))[None, ..., None]
    box = some_boxes(rng, 1, 9) + 1.5  # inside of the outer centers
    found = lesson.roi_align(ramp, np.float32(box[None]), 4, stride=1)[0, :, :, 0]
    bins = box[0, 0] + (np.arange(4) + 0.5) * (box[0, 2] - box[0, 0]) / 4
    assert np.allclose(found, np.tile(bins, (4, 1)), atol=1e-4)


@given(SEEDS, st.floats(-0.5, 0.5))
@settings(max_examples=15, deadline=None)
def test_roi_align_changes_no_faster_than_the_map(seed, shift):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(1, 10, 10, 1)).astype(np.float32)
    steepest = np.abs(np.diff(features, axis=2)).max()
    box = np.float32(some_boxes(rng, 1, 8)[None] + 1)
    before, after = (lesson.roi_align(features, b, 3, stride=1) for b in (box, box + np.float32([shift, 0, shift, 0])))
    assert np.abs(after - before).max() <= steepest * abs(shift) + 1e-4


# Geometry and losses


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_geometry_in_tensorflow_equals_the_packages(seed):
    rng = np.random.default_rng(seed)
    boxes, references = some_boxes(rng, 6, 100), some_boxes(rng, 6, 100)
    offsets = lesson.encode(boxes, references).numpy()
    assert np.allclose(offsets * [0.1, 0.1, 0.2, 0.2], geometry.encode(boxes, references))
    assert np.allclose(lesson.decode(offsets, references, largest=10.0), boxes)
    assert np.allclose(lesson.pairwise_iou(boxes[None], references[None])[0], geometry.iou(boxes, references))


def test_offsets_of_a_box_without_area_are_finite():
    assert np.isfinite(lesson.encode(np.zeros((1, 4)), np.zeros((1, 4)))).all()


@given(st.floats(-5, 5))
@settings(deadline=None)
def test_smooth_l1_is_four_times_hubers_mean(difference):
    row = np.full((1, 4), difference)
    assert np.allclose(lesson.smooth_l1(row), 4 * keras.losses.huber(row, 0 * row))


def test_proposals_get_the_class_of_the_box_that_they_overlap_by_half():
    boxes, labels = np.float32([[[0, 0, 10, 10], [20, 0, 30, 10]]]), np.int32([[7, 3]])
    # IoU 100/100 with the first, 50/100 with the second (half of it), 40/100, nothing
    proposals = np.float32([[[0, 0, 10, 10], [20, 0, 25, 10], [20, 0, 24, 10], [50, 50, 60, 60]]])
    classes, targets = lesson.match(proposals, boxes, labels)
    assert classes.numpy().tolist() == [[8, 4, 0, 0]]
    assert targets.numpy()[0, :3].tolist() == [[0, 0, 10, 10], [20, 0, 30, 10], [20, 0, 30, 10]]


def test_joint_loss_of_two_proposals_is_the_formula():
    scores = np.zeros((1, 2, 11), np.float32)  # -log p = log 11 for each class
    offsets, targets = np.float32([[[0.5, 0, 0, 3], [9, 9, 9, 9]]]), np.zeros((1, 2, 4), np.float32)
    loss = lesson.joint_loss(scores, offsets, np.int32([[4, 0]]), targets, balance=2.0)
    # box loss of the digit 0.5**2 / 2 + (3 - 0.5) = 2.625; background pays for none; mean of two
    assert float(loss) == pytest.approx(np.log(11) + 2 * 2.625 / 2, rel=1e-5)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_background_teaches_no_offsets(seed):
    rng = np.random.default_rng(seed)
    scores, offsets = (
        rng.normal(size=(2, 5, 11)).astype(np.float32),
        tf.constant(rng.normal(size=(2, 5, 4)), tf.float32),
    )
    classes = tf.constant(rng.integers(0, 3, (2, 5)))
    with tf.GradientTape() as tape:
        tape.watch(offsets)
        loss = lesson.joint_loss(scores, offsets, classes, np.zeros((2, 5, 4), np.float32))
    moved = np.abs(tape.gradient(loss, offsets)).sum(axis=2) > 0
    assert np.array_equal(moved, classes.numpy() > 0)


# Anchors and proposals


def test_anchors_stand_place_by_place_with_the_sizes_asked_for():
    anchors = lesson.make_anchors((32, 48), 8, lesson.sizes_of((10, 20), (0.5, 1.0)))
    assert anchors.shape == (4 * 6 * 2 * 2, 4)
    # the first place has its center at 4, 4: width 5 and height 10, then 10 x 10, 10 x 20, 20 x 20
    assert anchors[:4].tolist() == [[1.5, -1, 6.5, 9], [-1, -1, 9, 9], [-1, -6, 9, 14], [-6, -6, 14, 14]]
    assert np.array_equal(anchors[4:8] - anchors[:4], np.tile([8, 0, 8, 0], (4, 1)))  # the next place lies to the right


@given(SEEDS, st.integers(0, 6))
@settings(max_examples=25, deadline=None)
def test_assigned_anchors_keep_the_rules(seed, count):
    anchors, boxes = lesson.make_anchors((64, 64)), some_boxes(np.random.default_rng(seed), count, 64, least=8)
    kinds, matched = lesson.assign_anchors(anchors, boxes, (64, 64))
    inside = (anchors >= 0).all(axis=1) & (anchors <= 64).all(axis=1)
    assert (kinds[~inside] == -1).all()
    if not count:
        assert (kinds[inside] == 0).all()
        return
    overlap = geometry.iou(anchors, boxes) * inside[:, None]
    best, winners = overlap.max(axis=1), (overlap == overlap.max(axis=0)) & (overlap > 0)
    winner = winners.any(axis=1)
    assert (kinds[best >= 0.7] == 1).all()
    assert (kinds[inside & (best < 0.3) & ~winner] == 0).all()
    assert (kinds[(best >= 0.3) & (best < 0.7) & ~winner] == -1).all()
    assert (kinds[winner] == 1).all()
    assert winners[winner, matched[winner]].all()


def test_only_smallest_and_tallest_digit_need_their_best_anchor():
    boxes = load_scenes(6, seed=1, part="test").boxes[5]
    anchors, heights = lesson.make_anchors(), boxes[:, 3] - boxes[:, 1]
    inside = (anchors >= 0).all(axis=1) & (anchors <= 128).all(axis=1)
    best = geometry.iou(anchors[inside], boxes).max(axis=0)
    assert sorted(np.flatnonzero(best < 0.7)) == sorted([heights.argmin(), heights.argmax()])


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_step_draws_at_most_half_positive_and_fills_up_with_negative(seed):
    rng = np.random.default_rng(seed)
    kinds = tf.constant(rng.choice([-1, 0, 1], (3, 200), p=[0.3, 0.5, 0.2]).astype(np.int8))
    positive, negative = (mask.numpy() for mask in lesson.draw_anchors(kinds, count=40))
    assert (kinds.numpy()[positive] == 1).all()
    assert (kinds.numpy()[negative] == 0).all()
    assert positive.sum(axis=1).tolist() == np.minimum((kinds.numpy() == 1).sum(axis=1), 20).tolist()
    assert (positive.sum(axis=1) + negative.sum(axis=1) == 40).all()


def test_answers_of_the_proposal_network_stand_in_the_order_of_the_anchors():
    network = lesson.build_rpn()
    scores_layer, offsets_layer = (layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D))
    scores_layer.set_weights([0 * scores_layer.get_weights()[0], np.arange(9.0)])
    offsets_layer.set_weights([0 * offsets_layer.get_weights()[0], np.arange(36.0)])
    scores, offsets = network(np.zeros((2, 32, 32, 40), np.float32))
    scores = scores[..., 0]
    assert scores.shape == (2, len(lesson.make_anchors()))
    assert offsets.shape == (2, len(lesson.make_anchors()), 4)
    assert np.array_equal(scores[0, :18], np.tile(np.arange(9.0), 2))
    assert np.array_equal(offsets[0, 1], [4, 5, 6, 7])  # the second anchor's four


def test_ignored_anchors_do_not_enter_the_loss_of_the_proposal_network():
    kinds = np.int8([[1, 0, -1, -1]])
    scores, offsets = np.float32([[0, 0, 50, -50]]), np.ones((1, 4, 4), np.float32)
    loss = lesson.rpn_loss(scores, offsets, kinds, np.zeros((1, 4, 4), np.float32), count=10)
    # log 2 for both scores; smooth L1 of four ones 4 * 0.5 = 2, halved
    assert float(loss) == pytest.approx(np.log(2) + 1.0, rel=1e-5)


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_proposals_lie_in_the_picture_and_are_no_copies(seed):
    rng = np.random.default_rng(seed)
    anchors = lesson.make_anchors().astype(np.float32)
    scores, offsets = rng.normal(size=(1, len(anchors))), rng.normal(size=(1, len(anchors), 4))
    found = lesson.propose(
        np.float32(scores), tf.constant(offsets, tf.float32), anchors, np.float32([128, 128, 128, 128]), keep=20
    )[0].numpy()
    assert found.shape == (20, 4)
    assert found.min() >= 0
    assert found.max() <= 128
    real = found[(found[:, 2:] > found[:, :2]).all(axis=1)]
    assert np.triu(geometry.iou(real, real), 1).max() <= 0.7 + 1e-4


def test_faster_rcnn_keeps_as_many_proposals_as_it_is_told():
    features = tf.random.normal((1, 32, 32, 40))
    for keep in (5, 200):
        detector = lesson.FasterRCNN(keep=keep)
        assert detector.propose(features, training=False)[-1].shape == (1, keep, 4)


def test_pictures_whose_sides_fit_are_not_copied():
    pictures = np.zeros((2, 16, 24, 1), np.uint8)
    assert lesson.padded(pictures, 8) is pictures
    assert lesson.padded(pictures, 16).shape == (2, 16, 32, 1)


def test_best_anchor_comes_first_where_it_is():
    anchors = lesson.make_anchors().astype(np.float32)
    inside = int(np.flatnonzero((anchors.min(axis=1) > 0) & (anchors.max(axis=1) < 128))[100])
    scores = np.full((1, len(anchors)), -5, np.float32)
    scores[0, inside] = 5
    found = lesson.propose(scores, tf.zeros((1, len(anchors), 4)), anchors, np.float32([128, 128, 128, 128]), keep=4)
    assert np.allclose(found[0, 0], anchors[inside], atol=1e-4)


# Detectors


def test_a_cell_of_the_map_looks_at_the_pixels_around_its_middle():
    # RoIAlign takes cell k of a map with stride 4 to have its center at 4 (k + 0.5) pixels
    keras.utils.set_random_seed(0)
    backbone, images = lesson.build_backbone(), tf.random.uniform((1, 128, 128, 1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        features = backbone(images, training=False)
        seen = features[0, 12, 19]
    assert features.shape == (1, 32, 32, 40)
    rows, columns = np.nonzero(tape.gradient(seen, images)[0, ..., 0])
    assert (rows.min() + rows.max() + 1) / 2 == 4 * (12 + 0.5)
    assert (columns.min() + columns.max() + 1) / 2 == 4 * (19 + 0.5)


def test_padded_truth_holds_each_box_and_zeros_for_pictures_with_fewer():
    boxes, labels = lesson.padded_truth([np.ones((2, 4)), np.empty((0, 4))], [[3, 5], []])
    assert boxes.shape == (2, 2, 4)
    assert labels.tolist() == [[3, 5], [0, 0]]
    assert boxes.sum(axis=(1, 2)).tolist() == [8, 0]


def test_boxes_that_teach_nothing_are_told(capsys):
    pictures = np.zeros((1, 64, 64), np.uint8)
    whole, small = np.array([[0.0, 0, 64, 64]]), np.array([[5.0, 5, 25, 40]])
    detector = lesson.OneStage(classes=1, sizes=[[64, 64], [20, 35]])
    detector.data(pictures, [small], [[0]])
    assert capsys.readouterr().out == ""
    lesson.OneStage(classes=1, sizes=[[64, 64]]).data(pictures, [whole], [[0]])
    assert "100.0% of the boxes have no anchor of their own" in capsys.readouterr().out
    detector.data(pictures, [np.vstack([small, small])], [[0, 0]])  # the anchors can only learn one of the two
    assert "50.0% of the boxes have no anchor of their own" in capsys.readouterr().out
    apart = np.array([[x, 5.0, x + 20, 40] for x in (0, 22, 44)])
    lesson.FasterRCNN(classes=1, keep=2).data(pictures, [apart], [[0] * 3])
    assert "A picture has 3 boxes, but only 2 proposals are kept" in capsys.readouterr().out


def test_lists_of_boxes_are_learned_and_a_class_without_a_box_is_told(capsys):
    boxes, labels = lesson.check_set(np.zeros((2, 32, 32), np.uint8), [[[4, 4, 20, 20]], []], [[0], []], 3)
    assert [each.shape for each in boxes] == [(1, 4), (0, 4)]
    assert [each.tolist() for each in labels] == [[0], []]
    assert "No box has a label of [1, 2]" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["FasterRCNN", "OneStage"])
def test_empty_pictures_of_any_shape_can_be_learned(kind):
    detector = getattr(lesson, kind)(classes=2)
    pictures = np.random.default_rng(0).integers(0, 255, (2, 70, 90, 3)).astype(np.uint8)
    data = detector.data(pictures, [np.empty((0, 4)), np.array([[5.0, 5, 40, 50]])], [[], [1]])
    losses = lesson.train(lesson.compile_step(detector, 2), data, 2, np.random.default_rng(0), batch=2)
    assert np.isfinite(losses).all()
    boxes, labels, scores = detector.detect(pictures[0], least=0.0)
    assert len(boxes) == len(labels) == len(scores)
    assert (boxes <= [90, 70, 90, 70]).all()


def test_classes_are_suppressed_apart_or_across():
    boxes = np.float32([[10, 10, 30, 40], [11, 10, 31, 40], [10, 11, 30, 41]])
    scores = np.zeros((3, 10), np.float32)
    scores[0, 3], scores[1, 3], scores[2, 7] = 0.9, 0.8, 0.7
    assert lesson.keep_best(boxes, scores, 0.5, 0.4)[1].numpy().tolist() == [3, 7]
    assert lesson.keep_best(boxes, scores, 0.5, 0.4, across=True)[1].numpy().tolist() == [3]


def test_errors_are_sorted_by_their_kind():
    truth, names = np.array([[0.0, 0, 10, 10], [50, 0, 60, 10]]), np.array([1, 2])
    boxes = np.array(
        [[0.0, 0, 10, 10], [0, 0, 10, 9], [50, 0, 60, 10], [55, 0, 70, 10], [90, 90, 99, 99], [0, 0, 9, 9]]
    )
    labels, scores = np.array([1, 1, 3, 2, 1, 1]), np.array([0.9, 0.8, 0.7, 0.65, 0.6, 0.1])
    words, taken = lesson.sort_out(truth, names, boxes, labels, scores)
    assert words == ["right", "duplicate", "wrong class", "place", "background"]
    assert taken.tolist() == [True, False]


@pytest.fixture(scope="module")
def trained():
    """A Faster R-CNN after 60 steps on eight scenes, with its losses."""
    keras.utils.set_random_seed(0)
    scenes, detector = load_scenes(8, seed=0), lesson.FasterRCNN()
    data = detector.data(scenes.images, scenes.boxes, scenes.labels)
    step = lesson.compile_step(detector, 60, rate=2e-3)
    return detector, scenes, lesson.train(step, data, 60, np.random.default_rng(0), batch=8)


def test_training_lowers_the_loss(trained):
    losses = trained[2]
    assert np.mean(losses[-5:]) < 0.4 * np.mean(losses[:5])


def test_detections_have_the_form_of_the_metric(trained):
    detector, scenes, _ = trained
    found = [detector.detect(image) for image in scenes.images]
    for boxes, labels, scores in found:
        assert boxes.shape == (len(labels), 4) == (len(scores), 4)
        assert len(boxes) == 0 or (boxes.min() >= 0 and boxes.max() <= 128)
        assert set(labels) <= set(range(10))
        assert (np.diff(scores) <= 0).all()
    assert sum(lesson.error_counts(scenes.boxes, scenes.labels, found)[:1]) > 0


def test_proposals_reach_the_scenes_that_were_learnt(trained):
    detector, scenes, _ = trained
    proposals = [lesson.first_proposals(detector, image, 16) for image in scenes.images]
    overlaps = [geometry.iou(found, boxes).max(axis=0) for found, boxes in zip(proposals, scenes.boxes, strict=True)]
    assert np.mean(np.concatenate(overlaps) >= 0.5) > 0.5


def test_fast_rcnn_learns_from_given_proposals():
    keras.utils.set_random_seed(0)
    scenes, rng = load_scenes(8, seed=0), np.random.default_rng(0)
    near = np.repeat(lesson.padded_truth(scenes.boxes, scenes.labels)[0], 3, axis=1)
    near = np.float32(np.clip(near + rng.normal(0, 3, near.shape), 0, 128))
    near[(near[..., 2:] <= near[..., :2] + 3).any(axis=-1)] = 0
    detector = lesson.FastRCNN()
    data = detector.data(scenes.images, scenes.boxes, scenes.labels, near)
    losses = lesson.train(lesson.compile_step(detector, 40), data, 40, rng, batch=8)
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    assert len(detector.detect(scenes.images[0], near[0])) == 3


def measured_rows():
    results = json.loads((notebooks.FOLDER.parent / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    return {row[0]: row for part in ("faster_rcnn", "rcnn_race") for row in results[part]["rows"]}


def test_race_in_the_figure_is_the_one_that_the_benchmark_measured():
    source = next(each for each in notebooks.lessons(wanted=("09",))[0].sources() if "\nmeasured = {" in each)
    assignment = next(node for node in ast.parse(source).body if isinstance(node, ast.Assign))
    rows, drawn = measured_rows(), ast.literal_eval(assignment.value)
    faster, others = rows["Faster R-CNN, a picture"], rows["one stage, Fast R-CNN, sliding windows, a picture"]
    names = "Faster R-CNN", "R-CNN", "one stage", "Fast R-CNN", "sliding windows"
    times = dict(zip(names, re.findall(r"[\d.]+(?= ms)", " ".join(faster[1:3] + others[1:3])), strict=True))
    way = rows["R-CNN, 100 validation scenes, AP at 0.5:0.95"][3].split(": ")[1].split(";")[0]  # chosen there
    assert sorted(drawn) == sorted(names)
    for name, values in drawn.items():
        row = rows[f"{name}{f' {way}' if name == 'R-CNN' else ''}, 250 scenes, AP at 0.5"]
        assert list(values[:3]) == [float(text) for text in re.findall(r"\d\.\d+", row[1])]
        assert values[3] == float(re.findall(r"\d\.\d+", row[2])[2])
        assert f"training {values[4]} CPU s" == row[3]
        assert values[5] == float(times[name])
    text, spent = notebooks.lessons(wanted=("09",))[0].prose, [values[4] for values in drawn.values()]
    assert f"for {min(spent)} to {max(spent)} CPU seconds each" in text
    other = rows["R-CNN with box regression, 250 scenes, AP at 0.5"]
    assert way == "without box regression"
    assert (
        "worse on validation scenes (here, {:.2f} with it)".format(float(re.findall(r"\d\.\d+", other[2])[2])) in text
    )


def test_numbers_in_the_text_are_those_that_the_benchmark_measured():
    rows, text = measured_rows(), notebooks.lessons(wanted=("09",))[0].prose
    ours, scratch, theirs = (
        sorted(rows[f"{name}, nuclei of the unseen half, AP at 0.5"][1].split(", "))
        for name in ("one stage", "one stage from scratch", "Faster R-CNN")
    )
    assert f"one stage reached {ours[0]} to {ours[-1]}, from scratch {scratch[0]} to {scratch[-1]}" in text
    assert f"in twice the time, {theirs[0]} to {theirs[-1]}" in text
    assert f"It kept {bench_faster_rcnn.NUCLEI_KEPT} proposals" in text
    assert f"{float(rows['Faster R-CNN, a picture'][3].split()[0]):.0f} times faster than R-CNN" in text
    blood = rows["one stage on 73 unseen photographs of blood cells, mAP at 0.5"]
    assert f"mAP of {float(blood[1]):.2f} on 73 others" in text
    for name, value in (part.rsplit(" ", 1) for part in blood[2].split(", ")):
        assert {"RBC": "red cells", "WBC": "white cells", "Platelets": "platelets"}[name] + f" {value}" in text
    from_scratch = rows["one stage from scratch on 73 unseen photographs of blood cells, mAP at 0.5"]
    assert f"From scratch, in that time, it reached {float(from_scratch[1]):.2f}" in text
    held = rows["one stage on 36 held photographs of blood cells, mAP at 0.5"]
    by_width = [f"{float(value):.2f}" for value in held[1].split(", ")]
    assert (
        f"{held[2]} reached {by_width[0]}, {by_width[1]}, and {by_width[2]}".replace("48, 64, 96", "of 48, 64, and 96")
        in text
    )
    assert held[3].startswith("chosen: 64;")  # what `build_neck` takes, unless it is told otherwise
    assert lesson.build_neck().output_shape[-1] == 64
