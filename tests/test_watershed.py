"""What lesson 03 defines: the flood against scikit-image, distances against SciPy, and counts against a known truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage import morphology, segmentation

from course_utils import images
from course_utils.notebooks import definitions

lesson = definitions("03_watershed")
MASKS = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=14))


@st.composite
def floods(draw, levels=4, markers_differ=False, all_differ=False):
    """A surface with few heights or all different ones, up to five markers, and a mask that holds them."""
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = shape[0] * shape[1]
    surface = (rng.permutation(size) if all_differ else rng.integers(0, levels, size)).astype(float)
    count = min(draw(st.integers(1, 5)), size)
    markers, spots = np.zeros(size, np.int32), rng.choice(size, count, replace=False)
    markers[spots] = rng.permutation(count) + 1
    if markers_differ:
        surface[spots] = -1 - rng.permutation(count)
    mask = (rng.random(size) < 0.8) | (markers > 0)
    return surface.reshape(shape), markers.reshape(shape), mask.reshape(shape)


@given(floods(all_differ=True))
def test_flood_equals_scikit_image_where_all_heights_differ(case):
    surface, markers, mask = case
    labels = lesson.flood(surface, markers, mask)
    assert labels.dtype == np.int32
    assert np.array_equal(labels, segmentation.watershed(surface, markers, mask=mask))
    assert np.array_equal(lesson.flood(surface, markers), segmentation.watershed(surface, markers))


@given(floods(markers_differ=True))
def test_flood_equals_scikit_image_on_plateaus_if_the_markers_heights_differ(case):
    surface, markers, mask = case
    assert np.array_equal(lesson.flood(surface, markers, mask), segmentation.watershed(surface, markers, mask=mask))


def _pass_heights(surface, mask, starts):
    """For each pixel the lowest possible highest place on a way from a start, by repeated relaxation."""
    best = np.where(starts, surface, np.inf)
    while True:
        around = ndimage.minimum_filter(
            best, footprint=ndimage.generate_binary_structure(2, 1), mode="constant", cval=np.inf
        )
        new = np.where(mask, np.minimum(best, np.maximum(around, surface)), np.inf)
        if np.array_equal(new, best):
            return best
        best = new


@given(floods(levels=3))
@settings(max_examples=60)
def test_every_pixel_goes_to_a_marker_with_the_lowest_pass_and_so_does_every_tie(case):
    surface, markers, mask = case
    ours, theirs = lesson.flood(surface, markers, mask), segmentation.watershed(surface, markers, mask=mask)
    passes = {number: _pass_heights(surface, mask, markers == number) for number in np.unique(markers[markers > 0])}
    lowest = np.min(list(passes.values()), axis=0)
    for number, heights in passes.items():
        assert (heights[ours == number] == lowest[ours == number]).all()
        assert (heights[theirs == number] == lowest[theirs == number]).all()
    assert np.array_equal(ours > 0, np.isfinite(lowest))  # all that can be reached, and nothing else
    assert (ours[markers > 0] == markers[markers > 0]).all()


def test_flat_ground_is_shared_half_and_half():
    # Both lakes take a step in turn, so 8 flat places between two markers are split 5 and 5, markers included.
    markers = np.array([[1, 0, 0, 0, 0, 0, 0, 0, 0, 2]])
    assert lesson.flood(np.zeros((1, 10)), markers).tolist() == [[1, 1, 1, 1, 1, 2, 2, 2, 2, 2]]


def test_flood_does_not_change_its_arguments():
    surface, markers = np.array([[0.0, 1, 0]]), np.array([[1, 0, 2]])
    lesson.flood(surface, markers)
    assert surface.tolist() == [[0, 1, 0]]
    assert markers.tolist() == [[1, 0, 2]]


def test_place_out_of_reach_stays_without_a_label():
    mask = np.array([[True, True, False, True]])
    assert lesson.flood(np.zeros((1, 4)), np.array([[7, 0, 0, 0]]), mask).tolist() == [[7, 7, 0, 0]]


FLAT, ONE = np.zeros((3, 3)), np.eye(3, dtype=int)


@pytest.mark.parametrize(
    ("surface", "markers", "mask", "words"),
    [
        (FLAT, ONE, np.zeros((3, 3), bool), "3 of 3 marker pixels lie outside of the mask"),
        (FLAT, np.zeros((3, 3), int), None, "no marker"),
        (FLAT, -ONE, None, "whole numbers"),
        (FLAT, ONE / 2, None, "whole numbers"),
        (FLAT, ONE[:2], None, "one shape"),
        (FLAT, ONE, np.ones((2, 3), bool), "one shape"),
        (np.full((3, 3), np.nan), ONE, None, "NaN"),
        (np.zeros((0, 3)), np.zeros((0, 3), int), None, "some pixels"),
        (np.zeros(3), np.ones(3, int), None, "shape"),
    ],
)
def test_bad_flood_gets_one_sentence(surface, markers, mask, words):
    with pytest.raises(ValueError, match=words) as caught:
        lesson.flood(surface, markers, mask)
    assert "\n" not in str(caught.value)


def test_nan_outside_of_the_mask_does_no_harm():
    surface = np.array([[0.0, 1, np.nan]])
    assert lesson.flood(surface, np.array([[1, 0, 0]]), ~np.isnan(surface)).tolist() == [[1, 1, 0]]


@pytest.mark.parametrize(
    ("heights", "lakes"),
    [
        ([1, 3, 2], [1, -1, 2]),  # two valleys and a dam
        ([3, 2, 1], [1, 1, 1]),
        ([2, 5, 1, 4, 3], [2, -1, 1, -1, 3]),
    ],
)
def test_lakes_of_small_profiles(heights, lakes):
    assert lesson.flood_profile(np.array(heights, float)).tolist() == lakes


def test_dry_places_lie_above_the_water():
    heights = np.array([1.0, 3, 2])
    assert lesson.flood_profile(heights, 2).tolist() == [1, 0, 2]
    assert lesson.flood_profile(heights, 0.5).tolist() == [0, 0, 0]


@given(hnp.arrays(float, st.integers(1, 40), elements=st.floats(0, 1), unique=True))
def test_a_rough_profile_has_a_lake_for_each_minimum(heights):
    padded = np.concatenate([[np.inf], heights, [np.inf]])
    minima = (padded[1:-1] < padded[:-2]) & (padded[1:-1] < padded[2:])
    assert lesson.flood_profile(heights).max() == minima.sum()


@given(MASKS)
def test_distance_equals_scipy_and_brute_force(mask):
    mask[0, 0] = False
    ours = lesson.distance_transform(mask)
    assert np.allclose(ours, ndimage.distance_transform_edt(mask))
    background = np.argwhere(~mask)
    y, x = mask.shape[0] - 1, mask.shape[1] - 1
    assert np.isclose(ours[y, x], np.hypot(*(background - (y, x)).T).min())


@given(hnp.arrays(np.int64, (9, 9), elements=st.integers(0, 6)), st.integers(1, 3))
def test_growing_back_equals_scikit_images_reconstruction(surface, h):
    assert np.array_equal(lesson.grow_back(surface - h, surface), morphology.reconstruction(surface - h, surface))


@given(hnp.arrays(float, (7, 7), elements=st.integers(3, 8)), st.sampled_from([0.5, 1.5, 2.5]))
def test_lowering_and_growing_back_keeps_tops_that_need_a_deeper_descent(inner, h):
    surface = np.pad(inner, 1)
    expected = 0
    for top in np.unique(inner):  # a top is kept if nothing higher is reached without going below top - h
        islands, count = ndimage.label(surface >= top - h, np.ones((3, 3)))
        expected += sum(surface[islands == i].max() == top for i in range(1, count + 1))
    assert lesson.segments_after_h(surface, h) == expected


def test_ghost_formula_agrees_with_a_fine_grid():
    radius, spacing = 200, 370
    distance = ndimage.distance_transform_edt(lesson.three_discs(spacing, radius))
    middle = radius + 4 + round(spacing / np.sqrt(3))  # a centroid is two thirds of the height below the upper centre
    s = spacing / radius
    expected = radius * (s / (2 * np.sqrt(3)) + np.sqrt(1 - s**2 / 4))
    assert abs(distance[middle, radius + 4 + spacing // 2] - expected) < 2


def test_recipe_finds_a_fourth_segment_in_three_discs():
    assert lesson.recipe_segments(lesson.three_discs(37)).max() == 4


@given(st.integers(0, 10_000), st.integers(1, 40), st.floats(0, 0.3))
@settings(max_examples=25, deadline=None)
def test_discs_touch_no_more_than_they_may_and_lie_inside(seed, count, overlap):
    placed = lesson.place_discs(np.random.default_rng(seed), count, (240, 320), (8, 20), overlap)
    assert len(placed) == count
    for i, (y, x, r) in enumerate(placed):
        assert 8 <= r <= 20
        assert r + 1 <= y <= 239 - r - 1
        assert r + 1 <= x <= 319 - r - 1
        for b, a, other in placed[:i]:
            assert np.hypot(y - b, x - a) >= r + other - overlap * min(r, other) - 1e-9


def test_most_discs_of_a_scene_touch_another():
    placed = np.array(lesson.place_discs(np.random.default_rng(0), 40, (240, 320), (8, 20), 0.1))
    gaps = np.hypot(*(placed[:, None, :2] - placed[None, :, :2]).T) - placed[:, 2] - placed[:, None, 2]
    np.fill_diagonal(gaps, np.inf)
    assert (gaps.min(axis=1) <= 1e-9).mean() > 0.8


def test_scene_shows_every_disc_that_it_promises():
    gray, truth = lesson.touching_scene(np.random.default_rng(1), 30)
    assert gray.dtype == np.uint8
    assert gray.shape == truth.shape == (240, 320)
    assert np.unique(truth).tolist() == list(range(31))
    assert gray[truth > 0].mean() > gray[truth == 0].mean() + 30


def test_full_picture_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="no room") as caught:
        lesson.touching_scene(np.random.default_rng(0), 40, shape=(60, 60))
    assert "\n" not in str(caught.value)


def test_fit_finds_a_surface_of_second_degree():
    rows, columns = np.mgrid[-1:1:120j, -1:1:150j]
    light = 90 + 20 * rows - 10 * columns + 5 * rows**2 - 7 * rows * columns
    assert np.allclose(lesson.fit_light(light, np.ones(light.shape, bool)), light)
    spoiled = light.copy()
    spoiled[40:60, 40:60] = 255
    assert np.allclose(lesson.fit_light(spoiled, spoiled < 255), light)


def test_all_coins_are_counted():
    coins = images.sample("coins")
    assert lesson.count_touching(coins) == 24
    assert lesson.count_touching(255 - coins, dark_object=True) == 24
    assert lesson.count_touching(np.ascontiguousarray(coins[::-1].T)) == 24


def test_at_least_95_percent_of_200_scenes_are_counted_within_one():
    # Nothing in the lesson was chosen on these seeds; it was tuned on those from 1000 to 1119, and seeds below 5000 were looked at on the way.
    scenes = lesson.random_scenes(range(7000, 7200))
    errors = np.array([lesson.count_touching(gray) - count for gray, count in scenes])
    assert {count for _, count in scenes} >= {5, 40}
    assert (abs(errors) <= 1).mean() >= 0.95
    assert abs(errors).max() <= 5


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_discs_are_counted(count):
    found = [lesson.count_touching(lesson.touching_scene(np.random.default_rng(s), count)[0]) for s in range(20)]
    assert np.mean(np.array(found) == count) >= 0.9


def test_three_discs_that_touch_are_three():
    mask = lesson.discs([(40, 60, 20), (75, 40, 20), (75, 80, 20)], (120, 120))  # 40.3 and 40 pixels apart
    assert lesson.count_touching(np.where(mask, 170, 60).astype(np.uint8)) == 3


@pytest.mark.parametrize(
    "gray",
    [
        np.full((50, 60), 90, np.uint8),
        np.random.default_rng(0).normal(100, 15, (120, 160)).astype(np.uint8),
        np.tile(np.arange(200, dtype=np.uint8), (100, 1)),
        np.zeros((1, 1), np.uint8),
    ],
    ids=["one gray value", "noise", "ramp", "one pixel"],
)
def test_picture_without_objects_gets_one_sentence(gray):
    with pytest.raises(ValueError, match="no object stands out") as caught:
        lesson.count_touching(gray)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("gray", [np.zeros((0, 5), np.uint8), np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8), None])
def test_what_is_no_gray_picture_gets_one_sentence(gray):
    with pytest.raises((TypeError, ValueError), match="picture") as caught:
        lesson.count_touching(gray)
    assert "\n" not in str(caught.value)


def test_best_iou_of_small_labels():
    truth = np.array([[1, 1, 2, 2]])
    assert lesson.mean_best_iou(truth, truth) == 1
    assert lesson.mean_best_iou(np.array([[1, 1, 1, 1]]), truth) == 2 / 4
    assert lesson.mean_best_iou(np.array([[1, 0, 2, 2]]), truth) == (1 / 2 + 1) / 2


def test_marker_too_large_for_its_label_is_named():
    with pytest.raises(ValueError, match="the marker 8589934592 does not fit into int32"):
        lesson.flood(np.zeros((2, 2)), np.array([[2**33, 0], [0, 1]]))
