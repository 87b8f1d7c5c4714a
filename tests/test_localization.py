"""Lesson 07: boxes judged by hand, activation maps, mean places, the joint loss, and heads on frozen features."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils import geometry, notebooks, tensorflow_start
from course_utils.checker import WRONG, judge
from course_utils.datasets.folder import Folder, load_folder
from course_utils.datasets.photographs import load_photograph
from course_utils.datasets.scenes import load_scenes
from course_utils.exercises import of_topic
from course_utils.notebooks import definitions
from course_utils.pretrained import efficientnet_lite0

tensorflow_start.start_tensorflow()
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

lesson = definitions("07_localization")
TINY = (4, 4, 4, 8)
BCCD = Path(__file__).resolve().parents[2] / "shared" / "real" / "bccd"
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
    # diagonal neighbors: both differences are negative, and their product would be positive
    assert lesson.overlap_over_union([0, 0, 1, 1], [2, 2, 3, 3]) == 0
    assert lesson.overlap_over_union([0, 0, 1, 1], [1, 0, 2, 1]) == 0
    assert lesson.overlap_over_union([2, 2, 2, 2], [2, 2, 2, 2]) == 0


def test_arrays_are_normalized_and_keep_their_pictures():
    scenes = load_scenes(5, digits=(1, 1), size=64, sides=(14, 28))
    images, labels, boxes = lesson.as_arrays(scenes)
    assert images.shape == (5, 64, 64, 1)
    assert images.dtype == np.uint8
    assert boxes.dtype == np.float32
    np.testing.assert_allclose(64 * boxes, np.concatenate(scenes.boxes))
    np.testing.assert_array_equal(labels, np.concatenate(scenes.labels))


def _scenes(**changes):
    """Two color pictures of 20 x 40 pixels with one object each, as a folder or scenes hold them."""
    parts = {
        "images": np.zeros((2, 20, 40, 3), np.uint8),
        "labels": [np.array([0]), np.array([1])],
        "boxes": [np.array([[4.0, 5.0, 20.0, 10.0]]), np.array([[0.0, 0.0, 40.0, 20.0]])],
    }
    return SimpleNamespace(**{**parts, **changes})


def test_boxes_of_wide_color_pictures_are_divided_by_width_and_height():
    images, labels, boxes = lesson.as_arrays(_scenes())
    assert images.shape == (2, 20, 40, 3)
    assert labels.tolist() == [0, 1]
    np.testing.assert_allclose(boxes, [[0.1, 0.25, 0.5, 0.5], [0, 0, 1, 1]])


BAD = (
    ([1, 2], "expected scenes or a folder with images, labels, and boxes, got list without images"),
    (_scenes(images=np.zeros((2, 20, 40, 3))), "uint8 from 0 to 255, got float64"),
    (_scenes(images=np.zeros((2, 20), np.uint8)), r"got uint8 of shape \(2, 20\)"),
    (_scenes(images=np.zeros((0, 20, 40), np.uint8), labels=[], boxes=[]), "at least one"),
    (_scenes(labels=[np.array([0])]), "got 2 pictures, 1 sets of labels, and 2 of boxes"),
    (_scenes(boxes=[np.zeros((0, 4)), np.array([[0, 0, 1, 1]])]), "picture 0 holds 1 labels and 0 boxes"),
    (_scenes(labels=[np.array([0]), np.array([], int)]), "picture 1 holds 0 labels and 1 boxes"),
    (_scenes(boxes=[[[4, 5, 2, 10]], [[0, 0, 1, 1]]]), "is it x, y, width, height"),
    (_scenes(boxes=[[[4, 5, 44, 10]], [[0, 0, 1, 1]]]), "the box of picture 0.*leaves its picture of 40 x 20"),
    (_scenes(boxes=[[[0, 0, 1, 1]], [[3, 3, 3, 9]]]), "the box of picture 1.*is empty"),
    (_scenes(boxes=[[[0, 0, np.nan, 1]], [[0, 0, 1, 1]]]), "finite edges"),
)


@pytest.mark.parametrize(("scenes", "words"), BAD)
def test_what_a_single_box_cannot_answer_is_refused_in_one_sentence(scenes, words):
    with pytest.raises(ValueError, match=words):
        lesson.as_arrays(scenes)


def test_scenes_with_more_objects_are_refused():
    with pytest.raises(ValueError, match="picture 0 holds 2 labels and 2 boxes"):
        lesson.as_arrays(load_scenes(2, digits=(2, 2), overlap=0.0))


def test_mean_of_an_activation_map_is_the_logit_of_the_means():
    rng = np.random.default_rng(0)
    features, weights = rng.random((4, 6, 5)), rng.normal(size=5)
    heat = lesson.activation_map(features, weights)
    assert heat.shape == (4, 6)
    assert heat.mean() == pytest.approx(features.mean(axis=(0, 1)) @ weights)


def test_hottest_box_surrounds_the_largest_piece_above_the_share():
    heat = np.zeros((10, 12))
    heat[1, 1] = 1.0
    heat[4:8, 5:11] = 0.5
    assert lesson.hottest_box(heat, 10, 12, share=0.4).tolist() == [5, 4, 11, 8]
    assert lesson.hottest_box(heat, 10, 12, share=0.6).tolist() == [1, 1, 2, 2]


def test_hottest_box_grows_with_the_picture_and_shrinks_with_the_share():
    heat = np.exp(-((np.mgrid[:7, :9] - np.array([3, 4])[:, None, None]) ** 2).sum(axis=0) / 4)
    boxes = [lesson.hottest_box(heat, 70, 90, share) for share in (0.2, 0.4, 0.6)]
    assert (np.diff(geometry.area(boxes)) < 0).all()
    np.testing.assert_allclose(boxes[1][:2] + boxes[1][2:], [90, 70], atol=2)  # the middle stays the middle


@pytest.mark.parametrize(
    ("heat", "arguments", "words"),
    [
        (np.ones((3, 3, 2)), (9, 9), r"a map of finite numbers \(h, w\)"),
        (np.full((3, 3), np.nan), (9, 9), "finite"),
        (-np.ones((3, 3)), (9, 9), "no cell speaks for this class"),
        (np.ones((3, 3)), (9, 9, 1.0), "at least 0 and below 1, got 1.0"),
        (np.ones((3, 3)), (9, 9, -0.1), "at least 0 and below 1"),
        (np.ones((3, 3)), (0, 9), "height should be a whole number of at least 1, got 0"),
        (np.ones((3, 3)), (9, 9.5), "width should be a whole number"),
    ],
)
def test_hottest_box_refuses_what_is_no_map(heat, arguments, words):
    with pytest.raises(ValueError, match=words):
        lesson.hottest_box(heat, *arguments)


def test_resized_keeps_proportions_and_takes_gray():
    assert lesson.resized(np.zeros((100, 150, 3), np.uint8), 64).shape == (1, 64, 96, 3)
    gray = lesson.resized(np.full((150, 100), 7, np.uint8), 64)
    assert gray.shape == (1, 96, 64, 3)
    assert (gray == 7).all()


@pytest.mark.parametrize(
    ("picture", "side", "words"),
    [
        (np.zeros((9, 9, 4), np.uint8), 64, "expected one picture"),
        (np.zeros((9, 9, 3)), 64, "got float64"),
        (np.zeros((0, 9), np.uint8), 64, "expected one picture"),
        (np.zeros((9, 9), np.uint8), 16, "at least 32, got 16"),
        (np.zeros((9, 9), np.uint8), 64.0, "a whole number"),
    ],
)
def test_resized_refuses_what_is_no_picture(picture, side, words):
    with pytest.raises(ValueError, match=words):
        lesson.resized(picture, side)


def test_centered_box_has_the_share_of_both_sides():
    picture = np.zeros((20, 40, 3), np.uint8)
    np.testing.assert_allclose(lesson.centered(picture, 0.5), [10, 5, 30, 15])
    np.testing.assert_allclose(lesson.centered(picture, 1), [0, 0, 40, 20])


def test_otsus_box_of_the_flower_is_the_flower():
    flower = load_photograph("flower")
    assert lesson.overlap_over_union(lesson.brightest_box(flower.image), flower.boxes[0]) > 0.9


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


def test_size_that_8_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="8 should divide the size, but it is 100"):
        lesson.build_localizer(100)


@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": 64.0}, {"classes": 0}, {"channels": -1}, {"classes": True}])
def test_numbers_of_nothing_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} should be a whole number of at least 1"):
        lesson.build_localizer(**wrong)


def test_backbone_has_an_eighth_of_the_size():
    assert lesson.build_backbone(keras.Input((40, 24, 1)), (4, 5, 6, 8)).shape == (None, 5, 3, 8)


def test_label_loss_moves_the_backbone_and_never_the_box_head():
    keras.utils.set_random_seed(0)
    model = lesson.build_localizer(32, 3, TINY)
    images = np.random.default_rng(1).integers(0, 256, (4, 32, 32, 1), np.uint8)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(lesson.label_loss(np.array([0, 1, 2, 0]), model(images, training=True)["label"]))
    weights = [model.get_layer("backbone").trainable_variables[0], model.get_layer("scores").kernel]
    gradients = tape.gradient(loss, weights)
    assert float(tf.norm(gradients[0])) > 0
    assert gradients[1] is None


def test_color_pictures_and_the_dense_head_fit_into_the_same_network():
    model = lesson.build_localizer(32, 3, TINY, box_head=lesson.dense_head, channels=3)
    answers = model.predict(np.zeros((2, 32, 32, 3), np.uint8), verbose=0)
    assert answers["label"].shape == (2, 3)
    assert answers["box"].shape == (2, 4)


def test_mean_places_move_with_the_picture():
    """A convolution and mean places: shift what is seen by one place, and the answer shifts by one place."""
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


def test_steps_lower_the_joint_loss_and_skip_a_head_of_weight_0():
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
def test_pixels_are_a_weight(truth, prediction):
    in_pixels, normalized = (loss(truth, prediction) for loss in (lesson.squared_error_in_pixels, lesson.squared_error))
    np.testing.assert_allclose(in_pixels, 32**2 * np.asarray(normalized), rtol=1e-4, atol=1e-3)


def test_windows_show_the_clicked_object_where_the_box_says():
    image = np.zeros((100, 120), np.uint8)
    boxes = np.array([[20, 30, 40, 45], [90, 5, 110, 20], [2, 70, 20, 95]])
    for number, (x0, y0, x1, y1) in enumerate(boxes, 1):
        image[y0:y1, x0:x1] = number
    for turned in (False, True):
        pieces, inside = lesson.windows(image, boxes, clicks=5, seed=3, turned=turned)
        assert pieces.shape == (15, 64, 64)
        for piece, (x0, y0, x1, y1), number in zip(pieces, inside.astype(int), np.repeat([1, 2, 3], 5), strict=True):
            assert (piece[y0:y1, x0:x1] == number).all()
            assert abs(x0 + x1 - 64) / 2 <= 9  # a click is off by 8 pixels at most, and rounded
            assert abs(y0 + y1 - 64) / 2 <= 9


def test_classical_rivals_find_a_disk_and_watershed_splits_two():
    y, x = np.mgrid[:64, :64]
    disk = 200 * ((x - 32) ** 2 + (y - 30) ** 2 <= 10**2).astype(np.uint8)
    for rival in (lesson.otsu_box, lesson.watershed_box):
        assert lesson.overlap_over_union(rival(disk), [22, 20, 43, 41]) > 0.95
    pair = np.maximum(disk, 200 * ((x - 50) ** 2 + (y - 30) ** 2 <= 10**2).astype(np.uint8))
    assert lesson.overlap_over_union(lesson.otsu_box(pair), [22, 20, 61, 41]) > 0.95
    assert lesson.overlap_over_union(lesson.watershed_box(pair), [22, 20, 43, 41]) > 0.8


def test_box_head_learns_where_a_feature_is_high():
    rng, features, boxes = np.random.default_rng(0), np.zeros((288, 8, 8, 2), np.float32), np.zeros((288, 4))
    for feature, box in zip(features, boxes, strict=True):
        x0, y0 = rng.integers(0, 5, 2)
        x1, y1 = x0 + rng.integers(2, 5), y0 + rng.integers(2, 5)
        feature[y0:y1, x0:x1] = 1
        box[:] = np.array([x0, y0, x1, y1]) / 8
    head = lesson.fit_box_head(features[:256], boxes[:256], epochs=15)
    found = lesson.find_boxes(head, features[256:], 8, 8)
    overlap = geometry.iou(found, 8 * boxes[256:]).diagonal().mean()
    assert overlap > 0.6
    assert overlap > geometry.iou(boxes[:256].mean(axis=0)[None], boxes[256:]).mean() + 0.2


@pytest.mark.parametrize(
    ("features", "boxes", "options", "words"),
    [
        (np.zeros((0, 4, 4, 2)), np.zeros((0, 4)), {}, "at least one picture"),
        (np.zeros((2, 4, 4)), np.zeros((2, 4)), {}, r"expected features \(N, h, w, C\)"),
        (np.zeros((2, 4, 4, 2)), np.zeros((3, 4)), {}, "got 2 pictures and 3 boxes"),
        (np.zeros((1, 4, 4, 2)), [[0, 0, 30, 20]], {}, "should be normalized, 0 to 1, and reach 30"),
        (np.zeros((1, 4, 4, 2)), [[0, 0, 1, 1]], {"epochs": 0}, "epochs should be a whole number"),
        (np.zeros((1, 4, 4, 2)), [[0, 0, 1, 1]], {"batch": 1.5}, "batch should be a whole number"),
    ],
)
def test_box_head_refuses_what_it_cannot_learn_from(features, boxes, options, words):
    with pytest.raises(ValueError, match=words):
        lesson.fit_box_head(features, boxes, **options)


def _folder():
    """Three pictures: a cat and two dogs, two cats, and a dog."""
    labels = [np.array([1, 0, 1]), np.array([0, 0]), np.array([1])]
    boxes = [10.0 * np.arange(len(each))[:, None] + [0, 0, 8, 9] for each in labels]
    nothing = [np.zeros(len(each), bool) for each in labels]
    names, inside = ("a.png", "b.png", "c.png"), np.tile([0.0, 0, 40, 40], (3, 1))
    return Folder(np.zeros((3, 40, 40, 3), np.uint8), boxes, labels, nothing, names, inside, None, ("cat", "dog"), ())


def test_only_one_keeps_pictures_with_one_object_of_the_class_and_its_box(capsys):
    cats, dogs = (lesson.only_one(_folder(), name) for name in ("cat", "dog"))
    assert cats.names == ("a.png",)
    assert cats.boxes[0].tolist() == [[10, 10, 18, 19]]
    assert dogs.names == ("c.png",)
    assert lesson.as_arrays(dogs)[1].tolist() == [1]
    assert "1 of 3 pictures show exactly one object of the class 'cat'" in capsys.readouterr().out


def test_only_one_says_when_there_is_none():
    with pytest.raises(ValueError, match=r"no class 'cow'; there are: cat, dog\."):
        lesson.only_one(_folder(), "cow")
    with pytest.raises(ValueError, match="no picture shows exactly one object of the class 'cat'"):
        lesson.only_one(_folder().take([1, 2]), "cat")


@pytest.mark.skipif(not BCCD.is_dir(), reason="the pictures of ../shared/real/bccd are not on this computer")
def test_white_blood_cells_are_boxed_far_better_than_by_the_mean_box():
    """On a third of the pictures and with a quarter of the training, so that it takes seconds; the lesson tells of all."""
    cells = lesson.only_one(load_folder(BCCD, (120, 160)), "WBC").take(range(0, 167, 2))
    images, _, boxes = lesson.as_arrays(cells)
    backbone = efficientnet_lite0(classifier=False)
    two = keras.Model(backbone.input, [backbone.output["stride_8"], backbone.output["stride_16"]])
    features = lesson.frozen_features(two, images)
    head = lesson.fit_box_head(features[:64], boxes[:64], epochs=30)
    overlap = geometry.iou(lesson.find_boxes(head, features[64:], 1, 1), boxes[64:]).diagonal().mean()
    assert overlap > geometry.iou(boxes[:64].mean(axis=0)[None], boxes[64:]).mean() + 0.25


@given(EDGES, EDGES)
def test_shared_area_is_largest_for_the_whole_picture(first, second):
    first, second = (np.sort(edges.reshape(5, 2, 2), axis=1).reshape(5, 4) for edges in (first, second))
    shared = lesson.shared_area(first, second)
    assert (shared <= lesson.shared_area(np.array([[0.0, 0.0, 1.0, 1.0]]), second) + 1e-6).all()
    union = geometry.area(first) + geometry.area(second) - shared
    np.testing.assert_allclose(shared, np.diag(geometry.iou(first, second)) * union, atol=1e-5)


def test_what_holds_at_three_learning_rates_is_what_the_benchmark_measured():
    results = json.loads((notebooks.FOLDER.parent / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    rows = {row[0]: [float(row[place].split()[-1]) for place in (1, 2)] for row in results["localization"]["rows"] if "IoU" in row[2]}  # fmt: skip
    rates, text = ("0.001", "0.004", "0.016"), notebooks.lessons(wanted=("07",))[0].prose

    def gaps(first, second, place):
        return [round(abs(rows[f"{first}, learning rate {rate}"][place] - rows[f"{second}, learning rate {rate}"][place]), 2) for rate in rates]  # fmt: skip

    accuracy, overlap = gaps("b = 1", "b = 1000", 0), gaps("b = 1000", "b = 1", 1)
    assert (
        f"rose by {min(overlap):.2f} to {max(overlap):.2f}, and accuracy fell by {min(accuracy):.2f} to {max(accuracy):.2f}"
        in text
    )
    for rate in rates:  # the signs
        assert rows[f"b = 1, learning rate {rate}"][0] > rows[f"b = 1000, learning rate {rate}"][0]
        assert rows[f"b = 1, learning rate {rate}"][1] < rows[f"b = 1000, learning rate {rate}"][1]
        assert rows[f"b = 30, learning rate {rate}"][1] > rows[f"b = 30, dense head, learning rate {rate}"][1]
        assert rows[f"a = 0, learning rate {rate}"][1] <= rows[f"b = 1000, learning rate {rate}"][1]
    assert f"at least {min(gaps('b = 30', 'b = 30, dense head', 1)):.2f} behind" in text
    (one, _), (middle, overlap), (large, _), (_, dense) = (
        rows[f"{name}, 400 steps"] for name in ("b = 1", "b = 30", "b = 1000", "b = 30, dense head")
    )
    assert abs(one - middle) < 0.1 < one - large
    assert (
        f"had nearly caught up with $b = 1$ (accuracy {middle:.2f} and {one:.2f}), but $b = 1000$ had not ({large:.2f})"
        in text
    )
    assert f"mean IoU was still {dense:.2f}, against {overlap:.2f}" in text


def test_heads_on_blood_cells_are_as_good_as_the_benchmark_measured():
    results = json.loads((notebooks.FOLDER.parent / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    name = "167 photographs of one white blood cell"
    measured = {row[0].removesuffix(f", {name}"): row[1] for row in results["localization"]["rows"] if name in row[0]}
    head, otsu, mean = (measured[each].removeprefix("mean IoU ") for each in ("head", "Otsu on blue minus green", "mean box"))  # fmt: skip
    text = notebooks.lessons(wanted=("07",))[0].prose
    assert f"was {head} for the head, {otsu} for Otsu's threshold on blue minus green" in text
    assert f"and {mean} for the mean box" in text


@pytest.mark.parametrize("compare", [np.greater, np.less])
def test_wrong_labels_may_be_larger_or_smaller_than_the_right_ones(compare):
    def localization_error(labels, boxes, found_labels, found_boxes):
        overlaps = np.diag(geometry.iou(boxes, found_boxes))
        return (compare(found_labels, labels) | (overlaps < 0.5)).mean()

    exercise = next(each for each in of_topic("localization") if each.name == "localization.error")
    assert judge(exercise, localization_error).status == WRONG
