"""The referees against scikit-learn, against slow direct versions, and on cases counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg
from sklearn import metrics as sklearn_metrics

from course_utils import geometry, metrics

CLASSES = 4
CLASS_MAPS = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=60)
SEEDS = st.integers(0, 10_000)


def pictures_and_detections(seed, pictures=3, classes=2):
    """Random truths, and detections that lie near to some of them; scores from few values, so that there are ties."""
    rng = np.random.default_rng(seed)
    truths, found = [], []
    for _ in range(pictures):
        corner = rng.uniform(0, 60, (rng.integers(0, 5), 2))
        boxes = np.hstack([corner, corner + rng.uniform(8, 30, corner.shape)])
        truths.append((boxes, rng.integers(0, classes, len(boxes))))
        near = np.repeat(boxes, 2, axis=0)
        near = near + rng.normal(0, 2, near.shape)
        near = np.hstack([near[:, :2], np.maximum(near[:, 2:], near[:, :2])])
        found.append((near, rng.integers(0, classes, len(near)), rng.integers(0, 6, len(near)) / 6))
    return truths, found


def slow_average_precision(truths, detections, label, threshold):
    """The definition, step by step: one detection after the other, one recall level after the other."""
    total = sum(int((np.asarray(labels) == label).sum()) for _, labels in truths)
    ranked = [
        (-scores[row], picture, row)
        for picture, (_, labels, scores) in enumerate(detections)
        for row in range(len(labels))
        if labels[row] == label
    ]
    taken, right, points = set(), 0, []
    for rank, (_, picture, row) in enumerate(sorted(ranked), 1):
        true_boxes, true_labels = truths[picture]
        best, best_overlap = None, threshold
        for number, (box, true_label) in enumerate(zip(true_boxes, true_labels, strict=True)):
            overlap = geometry.iou([detections[picture][0][row]], [box])[0, 0]
            free = true_label == label and (picture, number) not in taken
            if free and (overlap > best_overlap or (best is None and overlap == best_overlap)):
                best, best_overlap = number, overlap
        if best is not None:
            taken.add((picture, best))
            right += 1
        points.append((right / total, right / rank))
    levels = [hit / total for hit in range(1, total + 1)]
    return sum(max((p for r, p in points if r >= level - 1e-12), default=0.0) for level in levels) / total


@given(CLASS_MAPS)
def test_confusion_equals_scikit_learns(pairs):
    truth, prediction = np.array(pairs).T
    expected = sklearn_metrics.confusion_matrix(truth, prediction, labels=range(CLASSES))
    assert np.array_equal(metrics.confusion(truth, prediction, CLASSES), expected)


@given(CLASS_MAPS)
def test_iou_and_dice_equal_scikit_learns_where_the_class_occurs(pairs):
    truth, prediction = np.array(pairs).T
    counts = metrics.confusion(truth, prediction, CLASSES)
    present = np.union1d(truth, prediction)
    options = {"labels": present, "average": None}
    assert np.allclose(metrics.iou(counts)[present], sklearn_metrics.jaccard_score(truth, prediction, **options))
    assert np.allclose(metrics.dice(counts)[present], sklearn_metrics.f1_score(truth, prediction, **options))


@given(CLASS_MAPS)
def test_absent_classes_are_nan_and_no_others(pairs):
    truth, prediction = np.array(pairs).T
    counts = metrics.confusion(truth, prediction, CLASSES)
    absent = ~np.isin(np.arange(CLASSES), np.union1d(truth, prediction))
    assert np.array_equal(np.isnan(metrics.iou(counts)), absent)
    assert np.array_equal(np.isnan(metrics.dice(counts)), absent)


@given(CLASS_MAPS)
def test_dice_follows_from_iou(pairs):
    counts = metrics.confusion(*np.array(pairs).T, CLASSES)
    iou = metrics.iou(counts)
    assert np.allclose(metrics.dice(counts), 2 * iou / (1 + iou), equal_nan=True)


@given(CLASS_MAPS, CLASS_MAPS)
def test_confusions_of_batches_add_up(first, second):
    together = metrics.confusion(*np.array(first + second).T, CLASSES)
    apart = metrics.confusion(*np.array(first).T, CLASSES) + metrics.confusion(*np.array(second).T, CLASSES)
    assert np.array_equal(together, apart)


def test_confusion_reads_masks_and_pictures():
    truth, prediction = np.array([[True, False], [True, True]]), np.array([[True, True], [False, True]])
    assert metrics.confusion(truth, prediction, 2).tolist() == [[0, 1], [1, 2]]
    assert metrics.confusion(truth.astype(np.uint8), prediction.astype(np.int64), 2).tolist() == [[0, 1], [1, 2]]


def test_uint8_classes_do_not_wrap_around():
    # 20 * 20 classes are more than 255: truth 19 and prediction 19 make the pair 19 * 20 + 19 = 399
    counts = metrics.confusion(np.array([19], np.uint8), np.array([19], np.uint8), 20)
    assert counts[19, 19] == counts.sum() == 1


@pytest.mark.parametrize(
    ("truth", "prediction", "words"),
    [
        ([0, 1], [0, 1, 1], "should agree"),
        ([0.0, 1.0], [0, 1], "argmax"),
        ([0, 1], [0.2, 0.9], "argmax"),
        ([0, 2], [0, 1], "2 classes are 0 to 1"),
        ([0, 1], [0, -1], "2 classes are 0 to 1"),
    ],
)
def test_bad_labels_get_one_sentence(truth, prediction, words):
    with pytest.raises(ValueError, match=words) as caught:
        metrics.confusion(truth, prediction, 2)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("judge", [metrics.iou, metrics.dice])
@pytest.mark.parametrize("counts", [[1, 2], [[1, 2, 3], [4, 5, 6]], np.zeros((2, 2, 2))])
def test_what_is_no_confusion_matrix_gets_one_sentence(judge, counts):
    with pytest.raises(ValueError, match=r"confusion\(truth, prediction, classes\)"):
        judge(counts)


@given(SEEDS, st.sampled_from([0.3, 0.5, 0.75]))
@settings(max_examples=60)
def test_average_precision_equals_the_slow_direct_version(seed, threshold):
    truths, found = pictures_and_detections(seed)
    result = metrics.average_precision(truths, found, 2, threshold)
    for label in range(2):
        if any((labels == label).any() for _, labels in truths):
            assert np.isclose(result[label], slow_average_precision(truths, found, label, threshold))
        else:
            assert np.isnan(result[label])


def test_average_precision_of_a_ranking_counted_by_hand():
    # Four pictures with one box each. From the best score down: right, wrong, right, wrong; the fourth box is never found.
    # Precision 1/1 at recall 1/4, 2/3 at recall 2/4, then nothing: (1 + 2/3) / 4.
    box, elsewhere = [0.0, 0, 10, 10], [50.0, 50, 60, 60]
    truths = [([box], [0])] * 4
    answers = [(box, 0.9), (elsewhere, 0.8), (box, 0.7), (elsewhere, 0.6)]
    found = [([place], [0], [score]) for place, score in answers]
    assert np.isclose(metrics.average_precision(truths, found, 1)[0], (1 + 2 / 3) / 4)


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_one_box_a_picture_gives_scikit_learns_area_or_more(right):
    # scikit-learn takes each precision as it is, we take the best one at that recall or above, and each box is searched for.
    box, elsewhere = [0.0, 0, 10, 10], [50.0, 50, 60, 60]
    scores = 1 - np.arange(len(right)) / 20
    truths = [([box], [0])] * len(right)
    found = [([box if hit else elsewhere], [0], [score]) for hit, score in zip(right, scores, strict=True)]
    ours = metrics.average_precision(truths, found, 1)[0]
    reached = np.mean(right)  # their recall is relative to the positives that were answered, ours to all boxes
    theirs = sklearn_metrics.average_precision_score(right, scores) * reached if any(right) else 0
    assert theirs - 1e-12 <= ours <= reached + 1e-12


def test_best_precision_at_that_recall_or_above_counts():
    # wrong, right, right: precision 1/2 at recall 1/2 and 2/3 at recall 1; the better one, 2/3, counts for both.
    truth = ([[0.0, 0, 10, 10], [20, 0, 30, 10]], [0, 0])
    found = ([[50.0, 0, 60, 10], [0, 0, 10, 10], [20, 0, 30, 10]], [0, 0, 0], [0.9, 0.8, 0.7])
    assert np.isclose(metrics.average_precision([truth], [found], 1)[0], 2 / 3)


def test_a_second_detection_of_a_box_is_wrong():
    truth = ([[0.0, 0, 10, 10], [20, 0, 30, 10]], [0, 0])
    double = ([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], [0, 0, 0], [0.9, 0.8, 0.7])
    assert np.isclose(metrics.average_precision([truth], [double], 1)[0], (1 + 2 / 3) / 2)


@given(SEEDS)
def test_the_truth_itself_is_perfect(seed):
    truths, _ = pictures_and_detections(seed)
    found = [(boxes, labels, np.linspace(1, 0, len(labels))) for boxes, labels in truths]
    result = metrics.average_precision(truths, found, 2, (0.5, 0.95))
    assert np.array_equal(result[~np.isnan(result)], np.ones((~np.isnan(result)).sum()))


@given(SEEDS)
def test_average_precision_is_0_to_1_and_falls_with_the_overlap_asked(seed):
    # Falling holds where a detection can match one box only, so take one true box a picture.
    truths, found = pictures_and_detections(seed, pictures=6)
    truths = [(boxes[:1], labels[:1]) for boxes, labels in truths]
    result = metrics.average_precision(truths, found, 2, (0.3, 0.5, 0.7))
    assert result.shape == (3, 2)
    known = result[:, ~np.isnan(result[0])]
    assert ((known >= 0) & (known <= 1)).all()
    assert (np.diff(known, axis=0) <= 1e-12).all()


@given(SEEDS)
def test_the_order_of_scores_counts_and_that_of_pictures_does_not(seed):
    truths, found = pictures_and_detections(seed)
    rng = np.random.default_rng(seed)
    found = [(boxes, labels, scores + rng.uniform(0, 0.01, len(scores))) for boxes, labels, scores in found]  # no ties
    expected = metrics.average_precision(truths, found, 2)
    cubed = [(boxes, labels, scores**3 - 7) for boxes, labels, scores in found]
    for each_truths, each_found in ((truths, cubed), (truths[::-1], found[::-1])):
        assert np.allclose(metrics.average_precision(each_truths, each_found, 2), expected, equal_nan=True)


@given(SEEDS)
def test_one_wrong_detection_below_all_others_changes_nothing(seed):
    truths, found = pictures_and_detections(seed)
    boxes, labels, scores = found[0]
    worse = [(np.vstack([boxes, [[200, 200, 210, 210]]]), np.append(labels, 0), np.append(scores, -1.0)), *found[1:]]
    before, after = (metrics.average_precision(truths, each, 2) for each in (found, worse))
    assert np.allclose(before, after, equal_nan=True)


def test_many_thresholds_equal_each_alone():
    truths, found = pictures_and_detections(3, pictures=8)
    thresholds = np.arange(0.5, 1, 0.05)
    together = metrics.average_precision(truths, found, 2, thresholds)
    alone = [metrics.average_precision(truths, found, 2, threshold) for threshold in thresholds]
    assert np.array_equal(together, alone, equal_nan=True)


def test_a_class_without_truth_is_nan_and_one_that_is_never_found_is_0():
    truth = ([[0.0, 0, 10, 10]], [0])
    found = ([[0.0, 0, 10, 10]], [1], [0.9])
    assert metrics.average_precision([truth], [found], 2).tolist()[0] == 0
    assert np.isnan(metrics.average_precision([truth], [found], 2)[1])


def test_pictures_without_truth_or_detections_are_read():
    empty = np.empty((0, 4))
    truths = [(empty, []), ([[0.0, 0, 10, 10]], [0])]
    found = [([[0.0, 0, 10, 10]], [0], [0.9]), (empty, [], [])]
    assert metrics.average_precision(truths, found, 1).tolist() == [0]
    assert np.isnan(metrics.average_precision([], [], 1)).all()


def test_different_numbers_of_pictures_get_one_sentence():
    with pytest.raises(ValueError, match="1 pictures with truth, but 0 with detections"):
        metrics.average_precision([([[0, 0, 1, 1]], [0])], [], 1)


def test_a_box_that_is_none_gets_one_sentence():
    with pytest.raises(ValueError, match="x, y, width, height"):
        metrics.average_precision([([[5, 5, 3, 3]], [0])], [(np.empty((0, 4)), [], [])], 1)


# Fréchet distance


def features_of(seed, rows=40, columns=5):
    """Random features that are correlated, of several scales, and off zero."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(rows, columns)) @ rng.normal(size=(columns, columns))
    return mixed * 10.0 ** rng.uniform(-2, 2, columns) + rng.normal(0, 3, columns)


def direct_frechet_distance(first, second):
    """The formula as it is printed, with SciPy's root of a matrix."""
    s1, s2 = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    shift = first.mean(axis=0) - second.mean(axis=0)
    return shift @ shift + np.trace(s1 + s2 - 2 * linalg.sqrtm(s1 @ s2).real)


@given(SEEDS, st.integers(2, 8))
def test_frechet_distance_equals_the_formula_with_scipys_root(seed, columns):
    first, second = features_of(seed, columns=columns), features_of(seed + 1, rows=60, columns=columns)
    scale = np.trace(np.cov(first, rowvar=False)) + np.trace(np.cov(second, rowvar=False))
    found = metrics.frechet_distance(first, second)
    assert np.isclose(found, direct_frechet_distance(first, second), rtol=1e-6, atol=1e-6 * scale)


@given(SEEDS)
def test_for_independent_features_it_is_the_sum_over_single_features(seed):
    # With diagonal covariances the root of their product is the product of the standard deviations.
    rng = np.random.default_rng(seed)
    signs = np.array([[1, 1, 1, 1, -1, -1, -1, -1], [1, 1, -1, -1, 1, 1, -1, -1], [1, -1, 1, -1, 1, -1, 1, -1]]).T
    (a, b), (shift_a, shift_b) = rng.uniform(0.1, 5, (2, 3)), rng.normal(0, 3, (2, 3))
    deviation_a, deviation_b = a * np.sqrt(8 / 7), b * np.sqrt(8 / 7)  # of 8 values +-a, with n - 1 = 7
    wanted = ((shift_a - shift_b) ** 2 + (deviation_a - deviation_b) ** 2).sum()
    assert np.isclose(metrics.frechet_distance(signs * a + shift_a, signs * b + shift_b), wanted)


@given(SEEDS)
def test_frechet_distance_is_zero_on_itself_symmetric_and_never_below_zero(seed):
    first, second = features_of(seed), features_of(seed + 1)
    scale = np.trace(np.cov(first, rowvar=False)) + np.trace(np.cov(second, rowvar=False))
    assert metrics.frechet_distance(first, np.random.default_rng(seed).permutation(first)) <= 1e-9 * scale
    there, back = metrics.frechet_distance(first, second), metrics.frechet_distance(second, first)
    assert there >= 0
    assert np.isclose(there, back, rtol=1e-9, atol=1e-9 * scale)


@given(SEEDS)
def test_a_shift_costs_its_squared_length_and_a_rotation_of_both_nothing(seed):
    rng = np.random.default_rng(seed)
    first, second, shift = features_of(seed), features_of(seed + 1), rng.normal(0, 5, 5)
    scale = np.trace(np.cov(first, rowvar=False)) + np.trace(np.cov(second, rowvar=False))
    assert np.isclose(metrics.frechet_distance(first, first + shift), shift @ shift, atol=1e-9 * scale)
    turned, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    wanted = metrics.frechet_distance(first, second)
    assert np.isclose(metrics.frechet_distance(first @ turned, second @ turned), wanted, atol=1e-9 * scale)


def test_features_that_never_fire_and_few_pictures_do_no_harm():
    # Covariances without full rank, where a root of their product by SciPy may be NaN or complex.
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(10, 64)), rng.normal(size=(12, 64))
    first[:, :20] = second[:, :20] = 0
    assert metrics.frechet_distance(first, first) < 1e-9
    assert metrics.frechet_distance(first, second) > 1
    constant = np.ones((5, 3))
    assert metrics.frechet_distance(constant, constant + np.array([3, 4, 0])) == pytest.approx(25)  # 3 * 3 + 4 * 4


def test_single_precision_features_are_summed_in_double():
    features = features_of(0).astype(np.float32) + 1000
    wanted = metrics.frechet_distance(features.astype(np.float64), features_of(1))
    assert metrics.frechet_distance(features, features_of(1)) == wanted


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (np.zeros((4, 3)), np.zeros((4, 2)), "same network"),
        (np.zeros(4), np.zeros((4, 2)), "first set"),
        (np.zeros((1, 2)), np.zeros((4, 2)), "N >= 2"),
        (np.zeros((4, 2)), np.full((4, 2), np.nan), "second set"),
    ],
)
def test_features_that_can_not_be_compared_get_one_sentence(first, second, words):
    with pytest.raises(ValueError, match=words):
        metrics.frechet_distance(first, second)
