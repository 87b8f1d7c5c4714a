"""What lesson 03 defines: the flood against scikit-image, and counts against a known truth."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy import ndimage
from skimage import morphology, segmentation, transform

from course_utils import images
from course_utils.datasets.nuclei import load_nuclei
from course_utils.datasets.photographs import touching_coins
from course_utils.notebooks import definitions

lesson = definitions("03_watershed")


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
def test_flood_equals_scikit_image_on_plateaus_of_different_heights(case):
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
def test_every_pixel_and_tie_goes_to_a_marker_with_the_lowest_pass(case):
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
        ([5, 2, 2, 2, 1], [1, 1, 1, 1, 1]),  # a terrace is no valley of its own
        ([2, 2, 2], [1, 1, 1]),
        ([1, 3, 3, 3, 2], [1, 1, -1, 2, 2]),  # the dam stands in the middle of a flat ridge
        ([1, 3, 3, 2], [1, 1, -1, 2]),
        ([3, 1, 1, 3, 2], [1, 1, 1, -1, 2]),
    ],
)
def test_lakes_of_small_profiles(heights, lakes):
    assert lesson.flood_profile(np.array(heights, float)).tolist() == lakes


def test_dry_places_lie_above_the_water():
    heights = np.array([1.0, 3, 2])
    assert lesson.flood_profile(heights, 2).tolist() == [1, 0, 2]
    assert lesson.flood_profile(heights, 0.5).tolist() == [0, 0, 0]


@given(hnp.arrays(float, st.integers(1, 40), elements=st.integers(0, 4)))
def test_profile_has_a_lake_per_valley_and_a_dam_between_two(heights):
    lakes = lesson.flood_profile(heights)
    deep = np.diff(np.concatenate([[9], heights[np.append(True, np.diff(heights) != 0)], [9]]))
    valleys = ((deep[:-1] < 0) & (deep[1:] > 0)).sum()
    assert lakes.max() == valleys
    assert (lakes == -1).sum() == valleys - 1
    assert (lakes != 0).all()


@pytest.mark.parametrize("heights", [[1, np.nan], [], [[1, 2]], 3, [1, np.inf]])
def test_what_is_no_profile_gets_one_sentence(heights):
    with pytest.raises(ValueError, match="expected a profile") as caught:
        lesson.flood_profile(heights)
    assert "\n" not in str(caught.value)


@given(hnp.arrays(float, (9, 9), elements=st.integers(0, 6)), st.integers(1, 3))
def test_growing_back_equals_scikit_images_reconstruction(surface, h):
    assert np.array_equal(lesson.grow_back(surface - h, surface), morphology.reconstruction(surface - h, surface))


@given(hnp.arrays(bool, (12, 14)), st.sampled_from([0.05, 0.1, 0.4]))
def test_growing_back_by_a_share_equals_scikit_images_reconstruction(mask, share):
    distance = ndimage.distance_transform_edt(np.pad(mask, 1))
    lowered = (1 - share) * distance
    assert np.array_equal(lesson.grow_back(lowered, distance), morphology.reconstruction(lowered, distance))


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


def test_marker_that_stands_out_by_a_share_has_no_unit():
    mask = lesson.discs([(40, 40, 30), (40, 85, 20)], (80, 120))
    distance = ndimage.distance_transform_edt(mask)
    for factor in (0.01, 1, 50):
        assert np.array_equal(lesson.tall_maxima(factor * distance), lesson.tall_maxima(distance))
    assert lesson.tall_maxima(distance).max() == 2
    assert lesson.tall_maxima(distance, share=0.99).max() == 1


@pytest.mark.parametrize(
    ("size", "gamma"), [(0.7, 0.6), (0.7, 1), (0.7, 1.6), (1, 0.8), (1, 1.3), (2, 0.6), (2, 1.6), (3, 1)]
)
def test_all_coins_are_counted_at_other_sizes_and_in_other_light(size, gamma):
    coins = images.sample("coins") / 255
    resized = coins if size == 1 else transform.rescale(coins, size, anti_aliasing=size < 1)
    assert lesson.count_touching(np.rint(255 * resized.clip(0, 1) ** gamma).astype(np.uint8)) == 24


def test_at_least_95_percent_of_60_scenes_are_counted_within_one():
    # Nothing in the lesson was chosen on these seeds; it was tuned on those from 1000 to 1023.
    scenes = lesson.random_scenes(range(7000, 7060))
    errors = np.array([lesson.count_touching(gray) - truth.max() for gray, truth in scenes])
    assert len({truth.max() for _, truth in scenes}) > 20  # from few discs to many
    assert (abs(errors) <= 1).mean() >= 0.95
    assert abs(errors).max() <= 5


def test_nuclei_are_found_with_numbers_that_were_chosen_elsewhere():
    nuclei = load_nuclei()
    if nuclei.is_fallback:
        pytest.skip("the microscope's picture is not there")
    assert lesson.f1(lesson.match(lesson.separate(nuclei.image), nuclei.labels)) >= 0.85


def test_nuclei_of_other_microscopes_are_found():
    files = sorted((Path(__file__).resolve().parents[2] / "shared/real/nuclei").glob("*_labels.png"))
    if not files:
        pytest.skip("the twelve pictures that the counter was tuned on are not there")
    counts = np.zeros(3)
    for file in files:
        truth = np.array(Image.open(file)).astype(int)
        gray = images.to_gray(images.read_color(file.with_name(file.name.replace("_labels", ""))))
        counts += lesson.match(lesson.separate(gray), np.unique(truth, return_inverse=True)[1].reshape(truth.shape))
    assert lesson.f1(counts) >= 0.8


def test_real_coins_that_touch_are_counted_within_two_on_most_scenes():
    errors = [lesson.count_touching(touching_coins(seed).image) - 16 for seed in range(200, 208)]
    assert np.mean(np.abs(errors) <= 2) >= 0.75
    assert np.abs(errors).max() <= 6


def test_labels_are_numbered_without_gaps_and_lie_on_the_objects():
    gray, truth = lesson.random_scenes([7300])[0]
    labels = lesson.separate(gray)
    assert labels.dtype == np.int32
    assert labels.shape == gray.shape
    assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1))
    assert ((labels > 0) == (truth > 0)).mean() > 0.97


def test_dirt_is_dropped_and_large_objects_keep_the_pictures_size():
    mask = lesson.discs([(100, 100, 60), (100, 260, 60), (180, 180, 5)], (201, 361))
    labels = lesson.separate(np.where(mask, 170, 60).astype(np.uint8))
    assert labels.shape == (201, 361)
    assert labels.max() == 2


def test_match_counts_each_object_once():
    truth = np.array([[1, 1, 1, 2, 2, 2]])
    assert lesson.match(truth, truth).tolist() == [2, 2, 2]
    assert lesson.match(np.array([[1, 1, 1, 1, 1, 1]]), truth).tolist() == [
        0,
        2,
        1,
    ]  # an IoU of exactly 0.5 is not enough
    assert lesson.match(np.array([[1, 1, 0, 3, 2, 2]]), truth).tolist() == [2, 2, 3]
    assert lesson.f1(np.array([2, 2, 3])) == 4 / 5
    assert lesson.f1(np.zeros(3)) == 0


@given(hnp.arrays(bool, (8, 9)))
def test_solidity_is_one_for_rectangles_and_never_above_one(mask):
    labels = ndimage.label(mask)[0]
    if labels.any():
        assert 0 < lesson.solidity(labels) <= 1
    box = np.zeros((8, 9), int)
    box[2:5, 1:7] = 1
    assert lesson.solidity(box) == 1


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_discs_are_counted(count):
    found = []
    for seed in range(20):
        gray, _ = lesson.touching_scene(np.random.default_rng(seed), count)
        try:
            found.append(lesson.count_touching(gray))
        except ValueError:  # a small disc in much noise
            found.append(0)
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


def test_marker_too_large_for_its_label_is_named():
    with pytest.raises(ValueError, match="the marker 8589934592 does not fit into int32"):
        lesson.flood(np.zeros((2, 2)), np.array([[2**33, 0], [0, 1]]))
