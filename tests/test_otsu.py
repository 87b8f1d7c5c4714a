"""What lesson 02 defines: properties, exhaustive search on small cases, and agreement with scikit-image and OpenCV."""

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage import data, filters

from course_utils import images
from course_utils.datasets.nuclei import load_nuclei
from course_utils.datasets.photographs import load_photograph, touching_coins
from course_utils.notebooks import definitions

lesson = definitions("02_otsu")
dice = definitions("01_thresholding").dice
COUNTS = hnp.arrays(np.int64, 256, elements=st.integers(0, 1000), fill=st.just(0)).filter(
    lambda counts: (counts > 0).sum() >= 4
)
GRAYS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)).filter(
    lambda gray: np.ptp(gray) > 0
)
SHIPPED = ["brick", "camera", "cell", "clock", "coins", "grass", "gravel", "moon", "page", "text"]


def variance_between(histogram, cuts):
    """The between-class variance from its definition, class by class."""
    values, total = np.arange(256), histogram.sum()
    mean, found = histogram @ values / total, 0.0
    for low, high in itertools.pairwise([-1, *cuts, 255]):
        part = histogram[low + 1 : high + 1]
        if part.sum():
            found += part.sum() / total * (part @ values[low + 1 : high + 1] / part.sum() - mean) ** 2
    return found


def test_statistics_of_four_pixels():
    histogram = np.bincount([10, 20, 90, 100], minlength=256)
    shares, means, variances = (statistic[:, 50] for statistic in lesson.class_statistics(histogram))
    assert shares.tolist() == [0.5, 0.5]
    assert means.tolist() == [(10 + 20) / 2, (90 + 100) / 2]
    assert variances.tolist() == [5**2, 5**2]
    assert lesson.between_class_variance(histogram)[50] == 0.5 * 0.5 * (15 - 95) ** 2


def test_empty_classes_are_zero_and_not_nan():
    for statistic in lesson.class_statistics(np.bincount([10, 20], minlength=256)):
        assert (statistic[0, :10] == 0).all()
        assert (statistic[1, 20:] == 0).all()


@given(COUNTS)
def test_within_and_between_add_up(counts):
    shares, _, variances = lesson.class_statistics(counts)
    total = np.average((np.arange(256) - np.average(np.arange(256), weights=counts)) ** 2, weights=counts)
    assert np.allclose((shares * variances).sum(axis=0) + lesson.between_class_variance(counts), total)


@given(COUNTS, st.integers(0, 255))
def test_curve_is_the_definition(counts, threshold):
    assert np.isclose(lesson.between_class_variance(counts)[threshold], variance_between(counts, [threshold]))


@given(GRAYS)
def test_threshold_is_as_good_as_the_libraries(gray):
    counts = images.histogram(gray)
    best = variance_between(counts, [lesson.otsu_threshold(counts)])
    assert np.isclose(best, variance_between(counts, [filters.threshold_otsu(gray)]))
    assert np.isclose(best, variance_between(counts, [int(cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[0])]), rtol=1e-5)


@pytest.mark.parametrize("name", SHIPPED)
def test_threshold_of_every_shipped_picture_equals_both_libraries(name):
    gray = getattr(data, name)()
    found = lesson.otsu_threshold(images.histogram(gray))
    assert found == filters.threshold_otsu(gray) == cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[0]


def test_the_explorer_starts_at_otsus_threshold_of_the_coins():
    assert lesson.draw_split.__defaults__ == (lesson.otsu_threshold(images.histogram(images.sample("coins"))),)


@given(COUNTS, st.integers(-40, 40), st.integers(2, 9))
def test_threshold_moves_with_the_brightness_and_ignores_the_size(counts, shift, times):
    counts[:40], counts[216:] = 0, 0
    assume((counts > 0).sum() >= 2)
    curve = lesson.between_class_variance(counts)
    assert np.allclose(np.roll(curve, shift), lesson.between_class_variance(np.roll(counts, shift)))
    assert np.allclose(curve, lesson.between_class_variance(counts * times))


def test_wrong_means_fail_the_shift_test():
    values = np.arange(256)
    counts = np.rint(800 * np.exp(-((values - 60) ** 2) / 200) + 200 * np.exp(-((values - 170) ** 2) / 200))
    moved = [
        find(np.roll(counts, 50)) - find(counts)
        for find in (lesson.otsu_threshold, lambda h: lesson.chapter_variance(h).argmax())
    ]
    assert moved[0] == 50
    assert moved[1] != 50


@given(hnp.arrays(np.int64, 12, elements=st.integers(0, 9)), st.integers(2, 5))
def test_multi_otsu_is_as_good_as_trying_all(few, classes):
    assume((few > 0).sum() >= classes)
    counts = np.zeros(256, np.int64)
    counts[100:112] = few
    cuts = lesson.multi_otsu(counts, classes)
    best = max(variance_between(counts, choice) for choice in itertools.combinations(range(99, 112), classes - 1))
    assert len(cuts) == classes - 1
    assert cuts == sorted(set(cuts))
    assert np.isclose(variance_between(counts, cuts), best)


@given(COUNTS)
def test_two_classes_are_otsus_own(counts):
    cut = lesson.multi_otsu(counts, 2)
    assert np.isclose(variance_between(counts, cut), variance_between(counts, [lesson.otsu_threshold(counts)]))


@pytest.mark.parametrize(("name", "classes"), [(name, classes) for name in SHIPPED for classes in (3, 4)])
def test_multi_otsu_equals_scikit_image(name, classes):
    gray = getattr(data, name)()
    assert lesson.multi_otsu(images.histogram(gray), classes) == filters.threshold_multiotsu(gray, classes).tolist()


@given(COUNTS)
def test_more_classes_never_explain_less(counts):
    most = min(6, int((counts > 0).sum()))
    explained = [variance_between(counts, lesson.multi_otsu(counts, classes)) for classes in range(2, most + 1)]
    assert (np.diff(explained) >= -1e-6).all()


def test_as_many_classes_as_gray_levels_leave_nothing_within():
    counts = np.bincount([3, 50, 51, 200, 255], minlength=256)
    assert lesson.multi_otsu(counts, 5) == [3, 50, 51, 200]


@given(COUNTS)
def test_separability_is_a_share(counts):
    assert 0 < lesson.separability(counts) <= 1 + 1e-12


def test_two_gray_values_are_separated_perfectly():
    assert np.isclose(lesson.separability(np.bincount([7, 7, 200], minlength=256)), 1)


@pytest.mark.parametrize(
    "histogram", [np.zeros(256), np.zeros(0), -np.ones(256), np.full(256, np.nan), "abc", np.ones((256, 2))]
)
@pytest.mark.parametrize(
    "find",
    [
        lesson.class_statistics,
        lesson.between_class_variance,
        lesson.otsu_threshold,
        lesson.separability,
        lambda histogram: lesson.multi_otsu(histogram, 3),
    ],
)
def test_bad_histogram_gets_one_sentence(find, histogram):
    with pytest.raises(ValueError, match=r"histogram") as caught:
        find(histogram)
    assert "\n" not in str(caught.value)


def test_constant_picture_is_named():
    counts = images.histogram(np.full((5, 5), 77, np.uint8))
    with pytest.raises(ValueError, match="all pixels have the gray value 77"):
        lesson.otsu_threshold(counts)
    with pytest.raises(ValueError, match="got 2 for 1 gray values"):
        lesson.multi_otsu(counts, 2)
    with pytest.raises(ValueError, match="77"):
        lesson.separability(counts)


@pytest.mark.parametrize("classes", [-1, 0, 1, 4, 300])
def test_impossible_number_of_classes_is_named(classes):
    with pytest.raises(ValueError, match=rf"got {classes} for 3 gray values"):
        lesson.multi_otsu(np.bincount([1, 2, 3], minlength=256), classes)


def test_lowest_of_equal_thresholds_is_taken():
    assert lesson.otsu_threshold(np.bincount([10, 200], minlength=256)) == 10
    assert lesson.multi_otsu(np.bincount([10, 100, 200], minlength=256), 3) == [10, 100]


@pytest.mark.parametrize(("name", "threshold"), [("coins", 89), ("camera", 148), ("page", 180), ("cell", 67)])
def test_wrong_criterion_is_the_shares_times_a_sum_with_the_mean(name, threshold):
    counts = images.histogram(images.sample(name))
    shares, mean = lesson.class_statistics(counts)[0], counts @ np.arange(256) / counts.sum()
    expected = shares[0] * shares[1] * (lesson.between_class_variance(counts) + mean**2)
    assert np.allclose(lesson.chapter_variance(counts), expected)
    assert lesson.chapter_variance(counts).argmax() == threshold


@pytest.mark.parametrize("name", SHIPPED)
def test_negative_has_the_mirrored_threshold(name):
    counts = images.histogram(getattr(data, name)())
    mirrored = 254 - lesson.otsu_threshold(counts[::-1])
    assert np.isclose(variance_between(counts, [mirrored]), variance_between(counts, [lesson.otsu_threshold(counts)]))


def test_drift_ends_at_the_median():
    gray = images.sample("camera")
    right, wrong = lesson.drift(gray, [0, 100_000])
    assert right == [102, 102]
    assert wrong == [148, np.median(gray)]


@pytest.mark.parametrize(("name", "expected"), [("normal", 2 / np.pi), ("uniform", 3 / 4)])
def test_separability_of_one_class(name, expected):
    values = np.arange(256)
    counts = np.exp(-((values - 127.5) ** 2) / (2 * 20**2)) if name == "normal" else np.ones(256)
    assert np.isclose(lesson.separability(counts), expected, atol=0.002)


def test_cost_of_an_interval_is_its_spread_around_the_mean():
    counts = np.bincount([3, 3, 5], minlength=256)
    costs = lesson.interval_costs(counts)
    assert costs[0, 4] == costs[3, 3] == 0
    assert np.isclose(costs[3, 5], 2 * (3 - 11 / 3) ** 2 + (5 - 11 / 3) ** 2)
    assert costs[4, 4] == costs[9, 2] == np.inf


def test_splitting_again_misses_what_dynamic_programming_finds():
    toy = np.array([5, 4, 1, 3, 4, 1, 3, 5])
    counts = np.pad(toy, (0, 248))
    costs = lesson.interval_costs(counts)
    first = lesson.otsu_threshold(counts)
    assert first == 3
    assert lesson.multi_otsu(counts, 3) == [2, 5]
    again = min(
        costs[0, a] + costs[a + 1, b] + costs[b + 1, 7]
        for a, b in itertools.combinations(range(7), 2)
        if first in (a, b)
    )
    assert again > 2 * (costs[0, 2] + costs[3, 5] + costs[6, 7])


@pytest.mark.parametrize("name", SHIPPED)
def test_unguarded_search_ends_at_an_empty_class(name):
    counts = images.histogram(getattr(data, name)())
    found = lesson.unguarded_otsu(counts)
    assert 0 in (counts[: found + 1].sum(), counts[found + 1 :].sum())


@given(GRAYS)
def test_area_lies_in_its_range(gray):
    area, least, most = lesson.area_range(gray)
    threshold = lesson.otsu_threshold(images.histogram(gray))
    assert np.isclose(area, 100 * (gray > threshold).mean())
    assert least <= area <= most


@pytest.mark.parametrize(
    "picture", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), np.zeros((0, 4), np.uint8), [[1, 2]]]
)
def test_a_picture_of_another_kind_gets_one_sentence(picture):
    with pytest.raises((TypeError, ValueError), match=r"picture") as caught:
        lesson.area_range(picture)
    assert "\n" not in str(caught.value)


def test_areas_of_the_real_pictures_are_as_the_text_says():
    ranges = {name: lesson.area_range(images.sample(name)) for name in ("cell", "coins")}
    assert np.ptp(ranges["cell"]) < 0.15 * ranges["cell"][0]
    assert ranges["coins"][1] > 100 * load_photograph("coins").masks.any(axis=0).mean()
    nuclei = load_nuclei()
    if nuclei.is_fallback:
        pytest.skip("the microscope's picture is not here")
    area, least, most = lesson.area_range(nuclei.image)
    assert least < 100 * (nuclei.labels > 0).mean() < most
    assert 0.28 < (most - least) / area < 0.38


@pytest.fixture(scope="module")
def coin_scores():
    """Dice of Otsu's threshold on scenes with 20 coins and with one, as they are and with the light subtracted: (2, 3, 2)."""
    scenes = [[touching_coins(seed, count, groups=min(count, 4)) for seed in range(3)] for count in (20, 1)]
    ones = [scene.labels > 0 for scene in scenes[1]]
    assert np.sum(ones, axis=0).max() == 1  # so the median of the three is the empty table
    light = ndimage.gaussian_filter(np.median([scene.image for scene in scenes[1]], axis=0), 12)
    notebook = definitions("02_otsu")
    notebook.dice = dice
    return np.array(
        [
            [
                [
                    notebook.dice_of_otsu(gray, scene.labels > 0)
                    for gray in (scene.image, lesson.evened(scene.image, light))
                ]
                for scene in row
            ]
            for row in scenes
        ]
    )


def test_neither_a_small_object_nor_a_wide_background_alone_defeats_otsu(coin_scores):
    (many, many_even), (one, one_even) = coin_scores.transpose(0, 2, 1)
    assert many.min() > 0.8
    assert min(many_even.min(), one_even.min()) > 0.9
    assert one.max() < 0.2


def test_separability_does_not_tell_where_the_threshold_fails():
    scene, nuclei = touching_coins(0, 1, groups=1), load_nuclei()
    if nuclei.is_fallback:
        pytest.skip("the microscope's picture is not here")
    one_coin, many_nuclei = (lesson.separability(images.histogram(image)) for image in (scene.image, nuclei.image))
    assert one_coin > many_nuclei + 0.05
    assert abs(many_nuclei - 2 / np.pi) < 0.02


@pytest.mark.parametrize(("count", "better"), [(20, False), (6, True), (2, True), (1, True)])
def test_kittler_and_illingworth_beat_otsu_where_coins_are_few(count, better):
    gains = []
    for seed in range(3):
        scene = touching_coins(seed, count, groups=min(count, 4))
        truth, counts = scene.labels > 0, images.histogram(scene.image)
        shares, _, variances = lesson.class_statistics(counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            costs = (shares * np.log(np.sqrt(variances) / shares)).sum(axis=0)
        found = np.ma.masked_invalid(costs).argmin()
        gains.append(dice(scene.image > found, truth) - dice(scene.image > lesson.otsu_threshold(counts), truth))
    assert (np.mean(gains) > 0) == better
    assert sum(gain > 0.2 for gain in gains) == {20: 0, 6: 3, 2: 2, 1: 1}[count]  # so many as the verdict says


def test_rounding_the_means_can_cost_the_smallest_error():
    gray = images.sample("text")
    cut = lesson.multi_otsu(images.histogram(gray), 2)[0]
    means = [np.rint(part.mean()) for part in (gray[gray <= cut], gray[gray > cut])]
    assert means == [82, 136]
    rounded = np.mean((np.where(gray <= cut, *means) - gray) ** 2)
    other = np.minimum((gray - 81.0) ** 2, (gray - 136.0) ** 2).mean()
    assert np.isclose(rounded, 186.685, atol=5e-4)
    assert np.isclose(other, 186.602, atol=5e-4)


@pytest.mark.parametrize("classes", [2.5, 3.0, "3", None])
def test_number_of_classes_is_whole(classes):
    with pytest.raises(ValueError, match="expected a whole number of classes"):
        lesson.multi_otsu(np.bincount([1, 2, 3, 4], minlength=256), classes)


@given(st.integers(0, 1000), st.lists(st.floats(0.4, 1), min_size=3, max_size=3))
def test_the_light_of_a_field_drops_out_where_backgrounds_are_evened(seed, lamp):
    fields = np.random.default_rng(seed).integers(60, 200, (3, 12, 9), dtype=np.uint8)
    even = lesson.same_background(fields).astype(int)
    faded = lesson.same_background(np.rint(fields * np.reshape(lamp, (3, 1, 1))).astype(np.uint8))
    share = np.percentile(faded, 10) / np.percentile(even, 10)
    assert np.allclose(np.percentile(faded, 10, axis=(1, 2)), np.percentile(faded[0], 10), atol=2)
    assert np.allclose(faded, np.minimum(even * share, 255), atol=8)


def test_a_black_background_is_named():
    with pytest.raises(ValueError, match="background of a field is black"):
        lesson.same_background(np.zeros((2, 4, 4), np.uint8))


def test_fields_are_cut_row_by_row():
    picture = np.arange(512 * 512).reshape(512, 512)
    fields = lesson.fields_of(picture, 170)
    assert fields.shape == (9, 170, 170)
    assert np.array_equal(fields[5], picture[170:340, 340:510])


@pytest.mark.parametrize("side", [128, 170])
def test_one_threshold_after_evening_measures_fields_best(side):
    if load_nuclei().is_fallback:
        pytest.skip("the microscope's picture is not here")
    fields = lesson.fields_of(load_nuclei().image, side)
    truth = lesson.fields_of(load_nuclei().labels > 0, side).mean(axis=(1, 2))
    for faintest, seed in ((1, 0), (0.5, 0), (0.5, 1), (0.5, 2)):
        lamp = np.random.default_rng(seed).permutation(np.linspace(faintest, 1, len(fields)))
        taken = np.rint(fields * lamp[:, None, None]).astype(np.uint8)
        own, one, evened, by_median, triangle = (
            np.sqrt(((masks.mean(axis=(1, 2)) / truth - 1) ** 2).mean()) for masks in lesson.masks_of(taken).values()
        )
        assert evened < min(own, one, triangle)
        assert by_median < one


def test_a_black_level_spoils_the_division():
    if load_nuclei().is_fallback:
        pytest.skip("the microscope's picture is not here")
    fields = lesson.fields_of(load_nuclei().image, 128)
    truth = lesson.fields_of(load_nuclei().labels > 0, 128).mean(axis=(1, 2))
    squares = {0: [], 10: []}
    for seed in range(3):
        lamp = np.random.default_rng(seed).permutation(np.linspace(0.5, 1, len(fields)))
        for black, found in squares.items():
            taken = np.rint(fields * lamp[:, None, None] + black).astype(np.uint8)
            areas = lesson.masks_of(taken)["evened, one for all"].mean(axis=(1, 2))
            found.append(((areas / truth - 1) ** 2).mean())
    assert np.mean(squares[10]) > 2 * np.mean(squares[0])
