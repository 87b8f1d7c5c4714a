"""Lesson 07: boxes judged by hand, mean places, the joint loss, and what the network keeps to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils import geometry, tensorflow_start
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

tensorflow_start.start_tensorflow()
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

lesson = definitions("07_localization")
TINY = (4, 4, 4, 8)
LOGITS = hnp.arrays(np.float32, (5, 3), elements=st.floats(-20, 20, width=32))
EDGES = hnp.arrays(np.float32, (5, 4), elements=st.floats(0, 1, width=32))
LABELS = hnp.arrays(np.int64, 5, elements=st.integers(0, 2))


@st.composite
def _box(draw):
    x, y, width, height = (draw(st.integers(low, 30)) for low in (0, 0, 1, 1))
    return [x, y, x + width, y + height]


@given(_box(), _box())
def test_iou_by_hand_is_that_of_the_package(first, second):
    assert lesson.overlap_over_union(first, second) == pytest.approx(geometry.iou([first], [second])[0, 0])


def test_iou_by_hand_of_boxes_that_share_nothing_is_0():
    # diagonal neighbours: both differences are negative, and their product would be positive
    assert lesson.overlap_over_union([0, 0, 1, 1], [2, 2, 3, 3]) == 0
    assert lesson.overlap_over_union([0, 0, 1, 1], [1, 0, 2, 1]) == 0
    assert lesson.overlap_over_union([2, 2, 2, 2], [2, 2, 2, 2]) == 0


def test_arrays_are_normalised_and_keep_their_pictures():
    scenes = load_scenes(5, digits=(1, 1), size=64, sides=(14, 28))
    images, labels, boxes = lesson.as_arrays(scenes)
    assert images.shape == (5, 64, 64, 1)
    assert images.dtype == np.uint8
    assert boxes.dtype == np.float32
    np.testing.assert_allclose(64 * boxes, np.concatenate(scenes.boxes))
    np.testing.assert_array_equal(labels, np.concatenate(scenes.labels))


def test_scenes_with_more_objects_are_refused():
    with pytest.raises(ValueError, match=r"scene 0 holds 2 objects.*digits=\(1, 1\)"):
        lesson.as_arrays(load_scenes(2, digits=(2, 2), overlap=0.0))


@given(st.integers(0, 5), st.integers(0, 7))
def test_one_high_score_gives_the_middle_of_its_place(row, column):
    scores = np.zeros((1, 6, 8, 4), np.float32)
    scores[0, row, column] = 80
    middle = [(column + 0.5) / 8, (row + 0.5) / 6]
    np.testing.assert_allclose(lesson.mean_places(scores)[0], middle * 2, atol=1e-5)


def test_two_equal_scores_give_the_place_between_them():
    scores = np.zeros((1, 4, 4, 4), np.float32)
    scores[0, 0, 0] = scores[0, 3, 3] = 60  # middles 0.125 and 0.875
    np.testing.assert_allclose(lesson.mean_places(scores)[0], [0.5] * 4, atol=1e-5)


def test_each_edge_reads_its_own_map():
    scores = np.zeros((1, 4, 4, 4), np.float32)
    for edge, (row, column) in enumerate([(0, 0), (0, 1), (3, 2), (3, 0)]):
        scores[0, row, column, edge] = 60
    # x0 of column 0, y0 of row 0, x1 of column 2, y1 of row 3
    np.testing.assert_allclose(lesson.mean_places(scores)[0], [0.125, 0.125, 0.625, 0.875], atol=1e-5)


@given(hnp.arrays(np.float32, (2, 3, 5, 4), elements=st.floats(-30, 30, width=32)), st.floats(-50, 50))
def test_mean_places_lie_inside_and_ignore_what_is_added_to_all_scores(scores, offset):
    found = np.asarray(lesson.mean_places(scores))
    assert (found > 0).all()
    assert (found < 1).all()
    np.testing.assert_allclose(found, lesson.mean_places(scores + np.float32(offset)), atol=1e-3)


@given(LABELS, LOGITS)
def test_label_loss_is_kerass_cross_entropy(labels, logits):
    theirs = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    np.testing.assert_allclose(lesson.label_loss(labels, logits), theirs, atol=1e-4)


@given(EDGES, EDGES, st.sampled_from([0.05, 0.3, 1.0]))
def test_smooth_l1_is_kerass_huber_over_delta(truth, prediction, delta):
    theirs = 4 * keras.losses.huber(truth, prediction, delta=delta) / delta  # Keras takes the mean of the four
    np.testing.assert_allclose(lesson.smooth_l1(truth, prediction, delta), theirs, atol=1e-5)


@given(EDGES, EDGES)
def test_squared_error_is_four_times_kerass_mean(truth, prediction):
    theirs = 4 * keras.losses.mean_squared_error(truth, prediction)
    np.testing.assert_allclose(lesson.squared_error(truth, prediction), theirs, atol=1e-6)


@settings(max_examples=20)
@given(LABELS, EDGES, LOGITS, EDGES, st.floats(0, 10), st.floats(0, 10))
def test_joint_loss_is_the_weighted_sum_of_both_means(labels, truth, logits, found, a, b):
    prediction = {"label": logits, "box": found}
    parts = [float(lesson.joint_loss(labels, truth, prediction, *one)) for one in ((1, 0), (0, 1))]
    assert float(lesson.joint_loss(labels, truth, prediction, a, b)) == pytest.approx(
        a * parts[0] + b * parts[1], abs=1e-3
    )
    assert parts[0] == pytest.approx(np.mean(lesson.label_loss(labels, logits)), abs=1e-4)
    assert parts[1] == pytest.approx(np.mean(lesson.smooth_l1(truth, found)), abs=1e-4)


@pytest.mark.parametrize("size", [32, 64])
def test_network_answers_logits_and_boxes_inside_of_the_picture(size):
    model = lesson.build_localizer(size, classes=3, widths=TINY)
    answers = model.predict(np.random.default_rng(0).integers(0, 256, (6, size, size, 1), np.uint8), verbose=0)
    assert answers["label"].shape == (6, 3)
    assert answers["box"].shape == (6, 4)
    assert (answers["box"] > 0).all()
    assert (answers["box"] < 1).all()


def test_trunk_has_a_quarter_and_an_eighth_of_the_size():
    fine, coarse = lesson.build_trunk(keras.Input((40, 24, 1)), (4, 5, 6, 8))
    assert fine.shape == (None, 10, 6, 5)
    assert coarse.shape == (None, 5, 3, 8)


def test_cutting_out_the_whole_map_at_its_own_places_gives_the_map():
    features = np.random.default_rng(0).random((2, 5, 5, 3), np.float32)
    whole = np.tile(np.float32([0, 0, 1, 1]), (2, 1))
    np.testing.assert_allclose(lesson.cut_out(features, whole, points=5, margin=0), features, atol=1e-6)


@given(st.floats(0.15, 0.4), st.floats(0.15, 0.4), st.floats(0.2, 0.4), st.floats(0.2, 0.4))
def test_cut_out_coordinates_are_those_of_the_points(x0, y0, width, height):
    """A map that holds its own coordinates is linear, and bilinear samples of it are the points themselves."""
    y, x = (np.mgrid[0.5:12, 0.5:10] / np.array([12, 10])[:, None, None]).astype(np.float32)
    box = np.float32([[x0, y0, x0 + width, y0 + height]])
    found = np.asarray(lesson.cut_out(np.stack([x, y], -1)[None], box, points=4, margin=0))
    spread = np.array([0.125, 0.375, 0.625, 0.875])
    np.testing.assert_allclose(found[0, :, :, 0], np.tile(x0 + width * spread, (4, 1)), atol=1e-5)
    np.testing.assert_allclose(found[0, :, :, 1], np.tile(y0 + height * spread, (4, 1)).T, atol=1e-5)


def test_margin_moves_the_points_outwards():
    ramp = np.broadcast_to((np.arange(20, dtype=np.float32) + 0.5) / 20, (1, 20, 20))[..., None]
    box = np.float32([[0.3, 0.3, 0.7, 0.7]])
    found = lesson.cut_out(ramp, box, points=2, margin=0.25)  # from 0.2 to 0.8: a quarter in is 0.35
    np.testing.assert_allclose(found[0, :, :, 0], [[0.35, 0.65]] * 2, atol=1e-5)


def test_each_picture_is_cut_at_its_own_box_and_what_is_outside_counts_as_0():
    features = np.ones((2, 8, 8, 1), np.float32)
    boxes = np.float32([[0.25, 0.25, 0.75, 0.75], [2, 2, 3, 3]])
    found = np.asarray(lesson.cut_out(features, boxes, points=3, margin=0))
    np.testing.assert_allclose(found[0], 1, atol=1e-6)
    np.testing.assert_array_equal(found[1], 0)


@pytest.mark.parametrize("head", [lesson.cutting_head, lesson.strongest_head])
def test_label_loss_moves_the_trunk_and_never_the_box_head(head):
    keras.utils.set_random_seed(0)
    model = lesson.build_localizer(32, 3, TINY, label_head=head)
    images = np.random.default_rng(1).integers(0, 256, (4, 32, 32, 1), np.uint8)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(lesson.label_loss(np.array([0, 1, 2, 0]), model(images, training=True)["label"]))
    gradients = tape.gradient(loss, [model.get_layer("trunk").trainable_variables[0], model.get_layer("scores").kernel])
    assert float(tf.norm(gradients[0])) > 0
    assert gradients[1] is None


def test_size_that_8_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="a size that 8 divides is wanted, not 100"):
        lesson.build_localizer(100)


def test_mean_places_move_with_the_picture():
    """A trunk of convolutions and mean places: shift what is seen by one place, and the answer shifts by one place."""
    features = np.zeros((1, 8, 8, 2), np.float32)
    features[0, 2, 3] = [30, -20]
    moved = np.roll(features, (1, 2), axis=(1, 2))
    inputs = keras.Input((8, 8, 2))
    head = keras.Model(inputs, lesson.mean_place_head(inputs))
    kernel = np.zeros((3, 3, 2, 4), np.float32)
    kernel[1, 1, 0] = 5  # the score is high at the place itself
    head.get_layer("scores").set_weights([kernel, np.zeros(4, np.float32)])
    np.testing.assert_allclose(head(moved)[0] - head(features)[0], np.array([2, 1, 2, 1]) / 8, atol=1e-4)


def test_small_networks_begin_alike():
    first, second = (lesson.build_small().get_weights() for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_boxes_that_are_read_off_are_boxes_and_judged_as_such():
    answers = {"label": np.eye(3)[[2, 0]], "box": np.array([[0.6, 0.2, 0.1, 0.9], [0, 0, 1, 1]], np.float32)}
    labels, boxes = lesson.read_off(answers)
    assert labels.tolist() == [2, 0]
    np.testing.assert_allclose(boxes, [[0.1, 0.2, 0.6, 0.9], [0, 0, 1, 1]], atol=1e-6)
    accuracy, overlaps = lesson.judge(answers, np.array([2, 1]), boxes)
    assert accuracy == 0.5
    np.testing.assert_allclose(overlaps, 1)


def test_gradient_of_a_doubled_loss_is_twice_as_long():
    model = lesson.build_localizer(32, 3, TINY)
    images = np.random.default_rng(1).integers(0, 256, (4, 32, 32, 1), np.uint8)
    once, twice = (
        lesson.gradient_norm(model, images, lambda found, f=f: f * tf.reduce_mean(found["box"] ** 2)) for f in (1, 2)
    )
    assert twice == pytest.approx(2 * once, rel=1e-3)


def test_steps_lower_the_joint_loss_and_leave_the_other_head_alone_where_its_weight_is_0():
    keras.utils.set_random_seed(0)
    data = lesson.as_arrays(load_scenes(40, size=64, sides=(20, 28), digits=(1, 1)))
    model = lesson.build_localizer(64, 10, TINY)
    scores = [weight.numpy() for weight in model.get_layer("scores").weights]
    step = lesson.make_step(model, keras.optimizers.SGD(0.01))
    losses = lesson.take_steps(step, data, 1, 0, steps=30, batch=20)
    assert losses.shape == (30,)
    assert losses[-5:].mean() < losses[:5].mean()
    for before, after in zip(scores, model.get_layer("scores").weights, strict=True):
        np.testing.assert_array_equal(before, after)  # b = 0: no gradient reaches the box head


def test_same_seed_gives_the_same_batches():
    batches = []

    def step(images, labels, boxes, a, b):
        batches.append(labels.tolist())
        return tf.constant(0.0)

    data = np.zeros((50, 2, 2, 1)), np.arange(50), np.zeros((50, 4))
    lesson.take_steps(step, data, 1, 1, steps=3, batch=4, seed=1)
    lesson.take_steps(step, data, 1, 1, steps=3, batch=4, seed=1)
    assert batches[:3] == batches[3:]
    assert batches[0] != batches[1]


def test_training_uses_both_losses():
    keras.utils.set_random_seed(0)
    data = lesson.as_arrays(load_scenes(64, size=64, sides=(20, 28), digits=(1, 1)))
    model = lesson.build_localizer(64, 10, TINY)
    before = [weight.numpy() for weight in model.trainable_variables]
    lesson.train(model, *data, a=1.0, b=1.0, batch=16)
    changed = [not np.allclose(old, new) for old, new in zip(before, model.trainable_variables, strict=True)]
    assert sum(changed) >= 0.9 * len(changed)


@given(EDGES, EDGES)
def test_shared_area_is_largest_for_the_whole_picture(first, second):
    first, second = (np.sort(edges.reshape(5, 2, 2), axis=1).reshape(5, 4) for edges in (first, second))
    shared = lesson.shared_area(first, second)
    assert (shared <= lesson.shared_area(np.array([[0.0, 0.0, 1.0, 1.0]]), second) + 1e-6).all()
    union = geometry.area(first) + geometry.area(second) - shared
    np.testing.assert_allclose(shared, np.diag(geometry.iou(first, second)) * union, atol=1e-5)
