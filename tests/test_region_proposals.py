"""What lesson 08 defines: selective search by its invariants, warping against TensorFlow, average precision against COCO's own
program, and the parts of R-CNN on small cases."""

import itertools
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.segmentation import felzenszwalb

from course_utils import geometry, metrics, notebooks, tensorflow_start
from course_utils.datasets.folder import load_folder
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

tensorflow_start.start_tensorflow()
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

lesson = definitions("08_region_proposals")
SEEDS = st.integers(0, 10_000)


@st.composite
def pictures_with_labels(draw):
    """A small picture, gray or in color, and connected regions of it, numbered from 0."""
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12))
    rng = np.random.default_rng(draw(SEEDS))
    image = rng.integers(0, 256, shape + draw(st.sampled_from([(), (3,)])), dtype=np.uint8)
    labels = felzenszwalb(np.atleast_3d(image) / 255, scale=draw(st.sampled_from([1, 20, 200])), sigma=0, min_size=2)
    return image, labels


def members(made_of, count):
    """Which of the first `count` regions each of all regions consists of: a list of sets."""
    found = [{i} for i in range(count)]
    for first, second in made_of.tolist():
        found.append(found[first] | found[second])
    return found


def boxes_at_random(rng, count, size=60, least=5):
    corner = rng.uniform(0, size - 30, (count, 2))
    return np.hstack([corner, corner + rng.uniform(least, 30, (count, 2))])


@pytest.mark.parametrize("n", range(1, 7))
def test_number_of_boxes_equals_their_list(n):
    stretches = [(start, end) for start in range(n) for end in range(start + 1, n + 1)]
    assert lesson.count_boxes(n) == len(list(itertools.product(stretches, stretches)))


def test_a_picture_of_224_pixels_holds_635_million_boxes():
    assert lesson.count_boxes(224) == (224 * 225 // 2) ** 2 == 635_040_000


@given(st.integers(48, 200))
@settings(max_examples=20)
def test_windows_lie_in_the_picture_and_differ(size):
    windows = lesson.sliding_windows(size)
    assert np.allclose(geometry.clip(windows, size, size), windows)
    assert len(np.unique(windows, axis=0)) == len(windows)


def test_number_of_windows_of_one_shape():
    # 20 wide at steps of 5: 0, 5, ..., 80 are 17 places; the same for rows
    assert len(lesson.sliding_windows(100, heights=(20,), ratios=(1.0,))) == 17**2


def test_recall_counts_the_true_boxes_of_all_pictures():
    truths = [np.array([[0.0, 0, 10, 10], [20, 20, 30, 30]]), np.array([[0.0, 0, 10, 10]])]
    proposals = [np.array([[0.0, 0, 10, 6]]), np.array([[0.0, 0, 10, 4]])]
    assert lesson.recall(truths, proposals) == 1 / 3  # IoU 0.6, none, 0.4
    assert lesson.recall(truths, proposals, least=0.4) == 2 / 3


@given(pictures_with_labels())
def test_histograms_are_shares_and_boxes_are_tight(case):
    image, labels = case
    regions = lesson.describe(image, labels)
    count = labels.max() + 1
    assert np.allclose(regions.colors[:count].sum(axis=1), 1)
    assert np.allclose(regions.textures[:count].sum(axis=1), 1)
    assert len(regions.sizes) == 2 * count - 1
    for label in range(count):
        rows, columns = np.nonzero(labels == label)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert regions.boxes[label].tolist() == box
        assert regions.sizes[label] == len(rows)


def test_touching_regions_of_a_small_picture():
    labels = np.array([[0, 0, 1], [2, 2, 1], [3, 2, 2]])
    assert lesson.touching(labels).tolist() == [[0, 1], [0, 2], [1, 2], [2, 3]]  # corners don't count


@given(pictures_with_labels())
def test_each_merge_equals_a_measurement_from_scratch(case):
    image, labels = case
    regions, made_of, _ = lesson.group(image, labels)
    for row, parts in enumerate(members(made_of, labels.max() + 1)):
        anew = lesson.describe(image, np.where(np.isin(labels, list(parts)), 0, 1))
        for name in ("sizes", "boxes", "colors", "textures"):
            assert np.allclose(getattr(regions, name)[row], getattr(anew, name)[0])


@given(pictures_with_labels())
def test_the_last_region_is_the_whole_picture_and_boxes_lie_in_it(case):
    image, labels = case
    regions, made_of, alike = lesson.group(image, labels)
    height, width = labels.shape
    assert regions.sizes[-1] == labels.size
    assert regions.boxes[-1].tolist() == [0, 0, width, height]
    assert np.array_equal(geometry.clip(regions.boxes, height, width), regions.boxes)
    assert (geometry.area(regions.boxes) >= regions.sizes).all()
    assert len(made_of) == len(alike) == labels.max()


@given(pictures_with_labels())
def test_every_region_but_the_last_is_merged_once_and_into_a_later_one(case):
    image, labels = case
    _, made_of, _ = lesson.group(image, labels)
    assert sorted(made_of.ravel().tolist()) == list(range(2 * labels.max()))
    assert (made_of < np.arange(labels.max() + 1, 2 * labels.max() + 1)[:, None]).all()


@given(pictures_with_labels())
def test_merged_regions_touch(case):
    image, labels = case
    _, made_of, _ = lesson.group(image, labels)
    parts = members(made_of, labels.max() + 1)
    touching = set(map(tuple, lesson.touching(labels).tolist()))
    for first, second in made_of:
        pairs = {tuple(sorted((a, b))) for a in parts[first] for b in parts[second]}
        assert pairs & touching


@given(pictures_with_labels(), st.tuples(*[st.integers(0, 2)] * 4))
def test_the_four_similarities_lie_between_0_and_1(case, weights):
    image, labels = case
    regions, made_of, alike = lesson.group(image, labels, weights)
    values = lesson.similarities(regions, *made_of.T, labels.size)
    assert values.shape == (len(made_of), 4)
    assert (values >= -1e-9).all()
    assert (values <= 1 + 1e-9).all()
    assert np.allclose(values @ weights, alike)


@given(pictures_with_labels())
def test_similarity_is_symmetric_and_a_regions_own_color_and_texture_are_1(case):
    image, labels = case
    regions, rows = lesson.describe(image, labels), np.arange(labels.max() + 1)
    other = rows[::-1]
    forth, back = lesson.similarities(regions, rows, other, 99), lesson.similarities(regions, other, rows, 99)
    assert np.allclose(forth, back)
    assert np.allclose(lesson.similarities(regions, rows, rows, 99)[:, :2], 1)


@given(pictures_with_labels())
def test_the_first_merge_is_that_of_the_most_similar_neighbors(case):
    image, labels = case
    assume(labels.max() > 0)
    pairs = lesson.touching(labels)
    values = lesson.similarities(lesson.describe(image, labels), *pairs.T, labels.size).sum(axis=1)
    assert np.isclose(lesson.group(image, labels)[2][0], values.max())


def test_similarities_of_two_squares():
    # Two of 2 x 2 in a picture of 2 x 6, a gap of two columns between them: the box around both is 12, and 8 are filled.
    image = np.zeros((2, 6), np.uint8)
    labels = np.array([[0, 0, 1, 1, 2, 2]] * 2)
    regions = lesson.describe(image, labels)
    found = lesson.similarities(regions, np.array([0]), np.array([2]), 12)
    assert np.allclose(found, [[1, 1, 1 - 8 / 12, 1 - 4 / 12]])


def test_what_stands_out_longest_is_proposed_first_after_the_whole_picture():
    made_of, alike = np.array([[0, 1], [2, 3]]), np.array([3.5, 2.0])
    assert lesson.alone_until(made_of, alike).tolist() == [3.5, 3.5, 2.0, 2.0, -np.inf]


@given(SEEDS, st.sampled_from([(), (3,)]))
@settings(max_examples=20, deadline=None)
def test_proposals_lie_in_the_picture_differ_and_repeat(seed, channels):
    image = np.random.default_rng(seed).integers(0, 256, (20, 30, *channels), dtype=np.uint8)
    boxes = lesson.selective_search(image)
    assert boxes.dtype == np.float64
    assert np.array_equal(geometry.clip(boxes, 20, 30), boxes)
    assert len(np.unique(boxes, axis=0)) == len(boxes)
    assert (boxes[:, 2:] - boxes[:, :2] >= 4).all()
    assert [0, 0, 30, 20] in boxes.tolist()
    assert np.array_equal(lesson.selective_search(image), boxes)


def test_gray_picture_and_its_rgb_copy_get_the_same_regions():
    image = load_scenes(1, seed=3).images[0]
    labels = felzenszwalb(image / 255, scale=100, sigma=0, min_size=20)
    gray, color = (lesson.describe(each, labels) for each in (image, np.dstack([image] * 3)))
    assert np.allclose(np.tile(gray.colors, 3) / 3, color.colors)
    assert np.allclose(np.tile(gray.textures, 3) / 3, color.textures)


def test_a_bright_square_is_among_the_first_proposals():
    image = np.random.default_rng(0).integers(40, 60, (64, 64), dtype=np.uint8)
    image[20:40, 10:25] = 220
    best = geometry.iou([[10, 20, 25, 40]], lesson.selective_search(image)[:10])
    assert best.max() == 1


def test_a_picture_of_one_color_has_one_proposal():
    assert lesson.selective_search(np.full((30, 40), 7, np.uint8)).tolist() == [[0, 0, 40, 30]]


def test_recall_on_scenes():
    scenes = load_scenes(12, seed=9)
    proposals = [lesson.selective_search(image) for image in scenes.images]
    assert lesson.recall(scenes.boxes, [boxes[:300] for boxes in proposals]) > 0.9
    assert lesson.recall(scenes.boxes, proposals) > 0.95


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((5, 5)),
        np.zeros((0, 5), np.uint8),
        np.zeros((5, 5, 2), np.uint8),
        np.zeros(5, np.uint8),
        None,
        [[1, 2]],
    ],
)
def test_bad_picture_gets_one_sentence(image):
    with pytest.raises(ValueError, match="uint8") as caught:
        lesson.selective_search(image)
    assert "\n" not in str(caught.value)


@given(SEEDS, st.sampled_from([8, 32]))
@settings(max_examples=20, deadline=None)
def test_warping_equals_tensorflows_inside_the_picture(seed, size):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (70, 90), dtype=np.uint8)
    boxes = boxes_at_random(rng, 5) + 5.0
    half = (boxes[:, 2:] - boxes[:, :2]) / size / 2
    corners = np.hstack([boxes[:, :2] + half, boxes[:, 2:] - half]) - 0.5
    normalized = corners[:, [1, 0, 3, 2]] / [69, 89, 69, 89]
    theirs = tf.image.crop_and_resize(image[None, ..., None] / 255.0, normalized, np.zeros(5, int), (size, size))
    ours = lesson.warp(image, boxes, size, context=0.0)
    assert ours.dtype == np.float32
    assert np.allclose(ours, theirs, atol=1e-4)


def test_a_color_picture_is_warped_channel_by_channel():
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    boxes = [[3, 4, 20, 25], [0, 0, 40, 30]]
    each = [lesson.warp(np.ascontiguousarray(image[..., k]), boxes) for k in range(3)]
    assert np.allclose(lesson.warp(image, boxes), np.concatenate(each, axis=3), atol=1e-6)


def test_warping_a_box_of_the_same_size_copies_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (20, 30), dtype=np.uint8)
    crop = lesson.warp(image, [[5, 3, 13, 11]], size=8, context=0.0)
    assert crop.shape == (1, 8, 8, 1)
    assert np.allclose(crop[0, ..., 0] * 255, image[3:11, 5:13], atol=1e-3)


def test_context_takes_in_a_border():
    image = np.random.default_rng(0).integers(0, 256, (30, 30), dtype=np.uint8)
    # 8 pixels with a quarter of them on each side are 12 pixels
    found = lesson.warp(image, [[10, 10, 18, 18]], size=12, context=0.25)
    assert np.allclose(found, lesson.warp(image, [[8, 8, 20, 20]], size=12, context=0.0), atol=1e-6)


def test_beyond_the_border_the_edge_pixels_go_on():
    image = np.tile(np.arange(10, dtype=np.uint8), (10, 1))
    crop = lesson.warp(image, [[-4, 0, 4, 8]], size=8, context=0.0)[0, ..., 0] * 255
    assert np.allclose(crop, np.tile([0, 0, 0, 0, 0, 1, 2, 3], (8, 1)), atol=1e-4)


def test_no_box_gives_no_crop():
    assert lesson.warp(np.zeros((9, 9), np.uint8), np.empty((0, 4))).shape == (0, 32, 32, 1)


def test_a_box_has_the_class_of_the_digit_that_it_overlaps_most():
    truth, labels = np.array([[0.0, 0, 10, 10], [8, 0, 18, 10]]), np.array([3, 7])
    boxes = np.array([[0.0, 0, 10, 8], [9, 0, 18, 10], [4, 0, 14, 10], [50, 50, 60, 60]])
    assert lesson.classes_of(boxes, truth, labels).tolist() == [3, 7, 10, 10]


@given(SEEDS, st.floats(0, 0.4))
def test_moved_boxes_move_by_at_most_their_share(seed, amount):
    boxes = boxes_at_random(np.random.default_rng(seed), 6)
    moved = lesson.move(np.random.default_rng(seed), boxes, amount)
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    assert (np.abs(moved - boxes) <= amount * sides + 1e-9).all()


@given(SEEDS)
def test_boxes_anywhere_lie_in_the_picture(seed):
    boxes = lesson.anywhere(np.random.default_rng(seed), 20, 128)
    assert np.allclose(geometry.clip(boxes, 128, 128), boxes)


def test_training_crops_hold_digits_and_background():
    scenes = load_scenes(4, seed=2)
    crops, classes = lesson.training_crops(np.random.default_rng(0), scenes)
    assert crops.shape == (len(classes), 32, 32, 1)
    assert 10 in classes
    assert set(np.concatenate(scenes.labels)) <= set(classes.tolist())


@given(SEEDS)
def test_softmax_sums_to_1_and_ignores_a_shift(seed):
    logits = np.random.default_rng(seed).normal(0, 5, (4, 11))
    assert np.allclose(lesson.softmax(logits).sum(axis=1), 1)
    assert np.allclose(lesson.softmax(logits + 1000), lesson.softmax(logits))


def test_network_gives_pool_features_and_logits():
    keras.utils.set_random_seed(0)
    read = lesson.reader_of(lesson.build_crop_network(), chunk=4)
    crops = np.random.default_rng(0).random((10, 32, 32, 1)).astype(np.float32)
    found = read(crops)
    assert {name: values.shape for name, values in found.items()} == {
        "pool": (10, 1024), "features": (10, 128), "logits": (10, 11),
    }  # fmt: skip
    again = read(crops[5:6])
    assert all(np.allclose(found[name][5:6], again[name], atol=1e-4) for name in found)
    assert len(read(crops[:0])["logits"]) == 0


def test_picking_takes_pairs_above_the_least_score():
    boxes = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60]])
    found, labels, scores = lesson.pick(boxes, np.array([[0.9, 0.2], [0.1, 0.7]]), 0.15)
    assert found.tolist() == [boxes[0].tolist(), boxes[1].tolist(), boxes[0].tolist()]
    assert labels.tolist() == [0, 1, 1]
    assert scores.tolist() == [0.9, 0.7, 0.2]


def test_picking_drops_doubles_of_a_class_unless_told_not_to():
    boxes, scores = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9]]), np.array([[0.9], [0.8]])
    assert len(lesson.pick(boxes, scores, 0)[0]) == 1
    assert len(lesson.pick(boxes, scores, 0, overlap=None)[0]) == 2


def test_picking_cuts_moved_boxes_at_the_edge_of_a_picture_of_any_shape():
    class HalfRight:
        def predict(self, pool):
            return np.tile([0.5, 0.0, 0.0, 0.0], (len(pool), 1))

    case = np.array([[150.0, 10, 190, 50]]), np.array([[0.9]]), 0, np.zeros((1, 1)), [HalfRight()]
    # half a width of 40 to the right: from 170 to 210, and the picture ends at 200
    assert lesson.pick(*case, shape=(100, 200))[0].tolist() == [[170, 10, 200, 50]]


def test_picking_nothing_gives_empty_arrays():
    found, labels, scores = lesson.pick(np.array([[0.0, 0, 10, 10]]), np.array([[-5.0]]), 0)
    assert found.shape == (0, 4)
    assert labels.shape == scores.shape == (0,)


def test_a_true_box_is_taken_only_once_and_the_best_score_comes_first():
    truth = np.array([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    boxes = np.array([[0.0, 0, 10, 9], [0, 0, 10, 10], [20, 0, 30, 10], [0, 50, 9, 59]])
    assert lesson.match(truth, boxes, np.array([0.6, 0.9, 0.7, 0.8])).tolist() == [True, False, True, False]


def test_without_truth_or_detections_nothing_is_right():
    assert lesson.match(np.empty((0, 4)), np.array([[0.0, 0, 10, 10]]), np.array([0.5])).tolist() == [False]
    nothing = lesson.match(np.array([[0.0, 0, 10, 10]]), np.empty((0, 4)), np.empty(0))
    assert nothing.tolist() == []
    assert lesson.average_precision(nothing, 1) == lesson.average_precision(nothing, 1, np.linspace(0, 1, 11)) == 0


def detections_at_random(rng, pictures=3):
    """For some pictures true boxes (n, 4), and boxes (m, 4) with scores, no two alike, that hit some of them."""
    case = []
    scores = iter(rng.permutation(100) / 100)
    for _ in range(pictures):
        truth = boxes_at_random(rng, rng.integers(1, 5))
        found = truth[rng.integers(len(truth), size=6)] + rng.uniform(-4, 4, (6, 1))
        case.append((truth, found, np.array([next(scores) for _ in found])))
    return case


def ours(case, least=0.5, levels=None):
    """AP over all pictures by the lesson's functions."""
    scores = np.concatenate([values for *_, values in case])
    right = np.concatenate(
        [lesson.match(truth, boxes, values, least)[np.argsort(np.argsort(-values))] for truth, boxes, values in case]
    )
    return lesson.average_precision(right[np.argsort(-scores)], sum(len(truth) for truth, *_ in case), levels)


@given(SEEDS)
def test_all_points_equal_the_packages(seed):
    case = detections_at_random(np.random.default_rng(seed))
    truths = [(truth, np.zeros(len(truth), int)) for truth, *_ in case]
    found = [(boxes, np.zeros(len(boxes), int), scores) for _, boxes, scores in case]
    assert np.isclose(ours(case), metrics.average_precision(truths, found, 1)[0])


@given(SEEDS)
def test_eleven_points_equal_vocs_own_rule(seed):
    case = detections_at_random(np.random.default_rng(seed))
    (truth, boxes, scores), *_ = case
    right = lesson.match(truth, boxes, scores)
    hits = np.cumsum(right)
    precision, recall = hits / np.arange(1, len(hits) + 1), hits / len(truth)
    levels = np.linspace(0, 1, 11)
    best = [precision[recall >= level].max(initial=0) for level in levels]  # as in the VOC devkit
    assert np.isclose(lesson.average_precision(right, len(truth), levels), np.mean(best))


@pytest.mark.parametrize("least", [0.5, 0.75])
@pytest.mark.parametrize("seed", range(5))
def test_101_points_equal_cocos_own_program(seed, least, capsys):
    coco, cocoeval = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    case = detections_at_random(np.random.default_rng(seed))
    sized = [
        (number, [x0, y0, x1 - x0, y1 - y0])
        for number, (truth, *_) in enumerate(case, 1)
        for x0, y0, x1, y1 in truth.tolist()
    ]
    truth = coco.COCO()
    truth.dataset = {
        "images": [{"id": number} for number in range(1, len(case) + 1)],
        "categories": [{"id": 1}],
        "annotations": [
            {"id": i, "image_id": number, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            for i, (number, box) in enumerate(sized, 1)
        ],
    }
    truth.createIndex()
    found = truth.loadRes([
        {"image_id": number, "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0], "score": float(score)}
        for number, (_, boxes, scores) in enumerate(case, 1)
        for (x0, y0, x1, y1), score in zip(boxes.tolist(), scores, strict=True)
    ])  # fmt: skip
    judged = cocoeval.COCOeval(truth, found, "bbox")
    judged.params.iouThrs = np.array([least])
    judged.evaluate()
    judged.accumulate()
    assert np.isclose(ours(case, least, np.linspace(0, 1, 101)), judged.eval["precision"][0, :, 0, 0, -1].mean())


@given(SEEDS)
def test_offsets_equal_the_packages_and_lead_back(seed):
    rng = np.random.default_rng(seed)
    boxes, references = boxes_at_random(rng, 5), boxes_at_random(rng, 5)
    offsets = lesson.offsets_of(boxes, references)
    assert np.allclose(offsets, geometry.encode(boxes, references))
    assert np.allclose(geometry.decode(offsets, references), boxes)
    assert np.allclose(offsets, lesson.offsets_of(3 * boxes, 3 * references))


def test_svms_separate_what_can_be_separated():
    rng = np.random.default_rng(0)
    features = np.vstack([rng.normal(4 * np.eye(3)[label], 0.3, (30, 3)) for label in range(3)])
    rows = np.repeat([0, 1, 2], 30)
    each = [np.flatnonzero(rows == label) for label in range(3)], [np.flatnonzero(rows != label) for label in range(3)]
    scores = lesson.svm_scores(lesson.fit_svms(features, *each, slack=1.0))({"features": features})
    assert scores.shape == (90, 3)
    assert np.array_equal(scores.argmax(axis=1), rows)


def test_hard_negatives_score_high_and_overlap_no_digit_of_their_class():
    table = {"overlap": np.array([[0.9, 0.0], [0.1, 0.0], [0.2, 0.5]])}
    scores = np.array([[2.0, 0.5], [-0.5, -3.0], [-1.5, 2.0]])
    assert [rows.tolist() for rows in lesson.hard_negatives(table, scores)] == [[1], [0]]


def test_regressors_recover_a_linear_rule():
    rng = np.random.default_rng(0)
    boxes, pool = boxes_at_random(rng, 200), rng.normal(size=(200, 8))
    offsets = 0.1 * pool[:, :4]
    targets = geometry.decode(offsets, boxes)
    (regressor,) = lesson.fit_regressors(pool, boxes, targets, np.zeros(200, int), classes=1, strength=1e-6)
    assert np.allclose(regressor.predict(pool), offsets, atol=1e-6)


def read_pixels(crops):
    """Stands in for a network: a crop's first pixels."""
    flat = crops.reshape(len(crops), -1)
    return {"pool": flat[:, :6], "features": flat[:, :3]}


def test_a_table_holds_what_is_true_of_each_box():
    scenes = load_scenes(2, seed=4, digits=(2, 3))
    proposals = [np.array([[0.0, 0, 30, 30], [40, 40, 90, 90]])] * 2
    table = lesson.table_of(read_pixels, scenes.images, proposals, scenes.boxes, scenes.labels)
    truth = np.concatenate(scenes.boxes)
    assert len(table["boxes"]) == len(table["features"]) == len(truth) + 4
    assert table["boxes"][table["is_truth"]].tolist() == truth.tolist()
    assert table["target"][table["is_truth"]].tolist() == truth.tolist()
    assert table["label"][table["is_truth"]].tolist() == np.concatenate(scenes.labels).tolist()
    own = table["overlap"][table["is_truth"], table["label"][table["is_truth"]]]
    assert np.allclose(own, 1)


def test_a_picture_without_boxes_gives_negatives_alone():
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    table = lesson.table_of(read_pixels, [image], [np.array([[0.0, 0, 9, 9]])], [np.empty((0, 4))], [[]], classes=2)
    assert table["overlap"].tolist() == [[0, 0]]
    assert not table["is_truth"].any()


def test_a_gray_picture_is_read_by_a_network_for_color():
    inputs = keras.Input((8, 8, 3))
    read = lesson.reader_of(keras.Model(inputs, {"features": keras.layers.Flatten()(inputs)}))
    crops = np.random.default_rng(0).random((3, 8, 8, 1)).astype(np.float32)
    assert np.allclose(read(crops)["features"].reshape(3, 8, 8, 3), crops)


def folder_of(images, boxes, labels, classes):
    return SimpleNamespace(images=images, boxes=boxes, labels=labels, classes=classes)


def test_a_detector_learns_two_classes_of_color_pictures_of_any_shape():
    def picture(seed):
        rng = np.random.default_rng(seed)
        image = rng.integers(90, 110, (60, 100, 3), dtype=np.uint8)
        boxes = np.array([[10.0, 10, 34, 34], [60, 20, 84, 44]]) + rng.integers(0, 10, (2, 1))
        for (x0, y0, x1, y1), color in zip(boxes.astype(int), ([250, 30, 30], [30, 30, 250]), strict=True):
            image[y0:y1, x0:x1] = color
        return image, boxes

    images, boxes = zip(*map(picture, range(5)), strict=True)
    empty = np.random.default_rng(9).integers(90, 110, (60, 100, 3), dtype=np.uint8)
    shown = folder_of(
        np.array([*images[:4], empty]), [*boxes[:4], np.empty((0, 4))],
        [np.array([0, 1])] * 4 + [np.empty(0, int)], ("red", "blue"),
    )  # fmt: skip
    detector = lesson.train_on_folder(shown, proposals=40)
    found, labels, scores = detector.detect(images[4])
    for label in (0, 1):
        best = found[labels == label][scores[labels == label].argmax()]
        assert geometry.iou([best], boxes[4][[label]])[0, 0] > 0.7


def test_a_class_without_an_example_is_named():
    shown = folder_of(np.zeros((1, 40, 40, 1), np.uint8), [np.array([[0.0, 0, 9, 9]])], [np.array([0])], ("cat", "dog"))
    with pytest.raises(ValueError, match="'dog'"):
        lesson.train_on_folder(shown)


BLOOD = Path(__file__).resolve().parents[2] / "shared" / "real" / "bccd"


@pytest.mark.skipif(
    not BLOOD.is_dir(), reason="photographs of blood cells lie beside the project where it is developed"
)
@pytest.mark.filterwarnings("ignore:left out")
def test_blood_cells_of_unseen_photographs_are_found():
    folder = load_folder(BLOOD, size=(240, 320), faulty="skip")
    shown = folder.take(range(10))
    detector = lesson.train_on_folder(shown, proposals=200)
    unseen = folder.take(range(100, 104))
    found = [detector.detect(image) for image in unseen.images]
    truths = list(zip(unseen.boxes, unseen.labels, strict=True))
    precision = dict(zip(folder.classes, metrics.average_precision(truths, found, 3), strict=True))
    assert precision["WBC"] > 0.6
    assert precision["RBC"] > 0.3


@pytest.fixture(scope="module")
def small_detector():
    keras.utils.set_random_seed(0)
    return lesson.train_rcnn(load_scenes(180, seed=1), load_scenes(25, seed=2), epochs=4, proposals=120)


def test_a_detector_trained_on_few_scenes_finds_most_digits(small_detector):
    scenes = load_scenes(15, seed=2, part="test")
    found = [small_detector.detect(image) for image in scenes.images]
    hit = [
        ((geometry.iou(truth, boxes) >= 0.5) & (labels[:, None] == names)).any(axis=1)
        for truth, labels, (boxes, names, _) in zip(scenes.boxes, scenes.labels, found, strict=True)
    ]
    assert np.concatenate(hit).mean() > 0.6


def test_detections_are_clipped_thinned_and_best_first(small_detector):
    image = load_scenes(1, seed=2, part="test").images[0]
    boxes, labels, scores = small_detector.detect(image)
    assert np.array_equal(geometry.clip(boxes, 128, 128), boxes)
    assert (np.diff(scores) <= 0).all()
    for label in np.unique(labels):
        same = geometry.iou(boxes[labels == label], boxes[labels == label])
        assert (same - np.eye(len(same)) <= 0.3).all()


def test_sliding_windows_answer_in_the_same_form(small_detector):
    image = load_scenes(1, seed=2, part="test").images[0]
    boxes, labels, scores = lesson.SlidingWindows(small_detector.read, lesson.sliding_windows()).detect(image)
    assert len(boxes) == len(labels) == len(scores)
    assert ((scores > 0.01) & (scores <= 1)).all()


def test_worth_of_box_regression_is_what_the_benchmark_measured():
    results = json.loads((notebooks.FOLDER.parent / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    rows = {row[0]: row[1] for row in results["region_proposals"]["rows"]}
    text = notebooks.lessons(wanted=("08",))[0].prose

    def gain(where, least):
        return [float(number) for number in re.findall(r"[+-]\d\.\d+", rows[f"box regression, {where}, IoU {least}"])]

    half, strict = (gain("12 pictures of nuclei", least) for least in (0.5, 0.7))
    assert "it gained {:.2f} [{:.2f}, {:.2f}] at IoU 0.5, {:.2f} [{:.2f}, {:.2f}] at 0.7".format(*half, *strict) in text
    assert all(gain("12 pictures of nuclei", least)[1] <= 0 for least in (0.8, 0.9))  # "nothing from 0.8 on"
    lost = [gain("100 scenes", least) for least in (0.8, 0.9)]
    assert all(high < 0 for _, _, high in lost)
    assert f"it cost {-lost[0][0]:.2f} at 0.8 and {-lost[1][0]:.2f} at 0.9" in text


@pytest.mark.parametrize("settings", [{"scales": 100}, {"scales": ()}, {"scales": "50"}, {"scales": ((50,),)}, {"smooth": -1}, {"smooth": None}, {"smallest": 0}, {"thinnest": "4"}])  # fmt: skip
def test_bad_settings_of_a_search_get_one_sentence(settings):
    with pytest.raises(ValueError, match="expected a tuple of scales above 0"):
        lesson.selective_search(np.zeros((9, 9), np.uint8), **settings)


def test_a_class_that_no_proposal_fits_is_named():
    speck = [np.array([[3.0, 3, 9, 9]])]
    shown = folder_of(np.zeros((1, 60, 60, 1), np.uint8), speck, [np.array([0])], ("speck",))
    with pytest.raises(ValueError, match=r"no proposal overlaps an object of the class 'speck' by 0\.5"):
        lesson.train_on_folder(shown)
