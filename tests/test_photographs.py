"""Outlined photographs, and scenes of real coins that touch."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label

from course_utils import images
from course_utils.datasets import photographs
from course_utils.datasets.annotations import boxes_of_mask
from course_utils.datasets.photographs import PHOTOGRAPHS, load_photograph, touching_coins

OBJECTS = {
    "coffee": ("saucer", "spoon", "cup"),
    "chelsea": ("cat",),
    "astronaut": ("astronaut", "helmet"),
    "rocket": ("rocket",),
    "china": ("roof",),
    "flower": ("flower", "flower"),
    "coins": ("coin",) * 24,
}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photograph_has_names_boxes_and_masks_that_agree(name):
    found = load_photograph(name)
    np.testing.assert_array_equal(found.image, images.sample(name))
    assert found.labels == OBJECTS[name]
    assert found.masks.shape == (len(found.labels), *found.image.shape[:2]) and found.masks.dtype == bool
    assert found.masks.sum(axis=0).max() == 1  # visible pixels belong to one object
    assert found.boxes.dtype == np.float64
    for box, mask in zip(found.boxes, found.masks, strict=True):
        np.testing.assert_array_equal([box], boxes_of_mask(mask))
        pieces = np.sort(np.bincount(label(mask, connectivity=2).ravel())[1:])
        assert pieces[-1] > 0.8 * mask.sum()  # of the spoon, the cup leaves two pieces


def test_outlines_lie_inside_their_photographs():
    for name, objects in photographs._outlines().items():
        height, width = images.sample(name).shape[:2]
        for _, polygon in objects:
            corners = np.array(polygon)
            assert corners.min() >= 0 and (corners.max(axis=0) <= [width, height]).all()


def test_pixels_whose_centers_lie_in_a_polygon_are_filled():
    square = photographs._fill([(1, 2), (4, 2), (4, 4), (1, 4)], (6, 7))
    assert boxes_of_mask(square).tolist() == [[1, 2, 4, 4]] and square.sum() == 6
    assert photographs._fill([(1.4, 2.4), (3.6, 2.4), (3.6, 3.6), (1.4, 3.6)], (6, 7)).tolist() == square.tolist()


def test_outlines_follow_what_the_colors_say():
    """Where a simple rule on colors finds the object, it and the outline agree."""
    flower = load_photograph("flower")
    red, _, blue = flower.image.astype(int).transpose(2, 0, 1)
    both = flower.masks.any(axis=0)
    orange = ndimage.binary_opening((red > blue + 40) & (red > 120), iterations=3)
    assert (both & orange).sum() / (both | orange).sum() > 0.95
    astronaut = load_photograph("astronaut")
    red, green, blue = astronaut.image.astype(int).transpose(2, 0, 1)
    suit = ndimage.binary_opening((red > 180) & (green < 120) & (blue < 90), iterations=4)
    assert (suit & astronaut.masks[0]).sum() > 0.99 * suit.sum() > 25_000
    china = load_photograph("china")
    assert (china.image[..., 2][china.masks[0]] > 210).mean() < 0.03  # hardly any sky
    coins = load_photograph("coins")
    for mask in coins.masks:
        ring = ndimage.binary_dilation(mask, iterations=6) & ~ndimage.binary_dilation(mask, iterations=2)
        inner = mask & ~ndimage.binary_erosion(mask, iterations=4)
        assert coins.image[inner].mean() > coins.image[ring].mean() + 40


def test_photograph_without_outlines_is_refused():
    with pytest.raises(ValueError, match="no outlined photograph 'camera'; there are: coffee, chelsea"):
        load_photograph("camera")


# Coins moved together


@pytest.mark.parametrize(("seed", "count", "groups"), [(0, 16, 3), (1, 24, 1), (2, 5, 5), (3, 2, 1), (4, 1, 1)])
def test_scene_of_coins_is_what_it_says(seed, count, groups):
    scene = touching_coins(seed, count, groups)
    assert scene.image.shape == scene.labels.shape == (303, 384)
    assert (scene.image.dtype, scene.labels.dtype, scene.boxes.dtype) == (np.uint8, np.int32, np.float64)
    assert scene.count == count and np.unique(scene.labels).tolist() == list(range(count + 1))
    np.testing.assert_array_equal(scene.boxes, boxes_of_mask(scene.labels))
    assert label(scene.labels > 0, connectivity=2).max() <= groups
    assert len(scene.touching) >= count - groups
    areas = np.bincount(scene.labels.ravel())[1:]
    whole = load_photograph("coins").masks.sum(axis=(1, 2))
    assert set(areas) <= set(whole)  # none is covered or cut


def test_each_coin_of_a_scene_is_one_of_the_photographs():
    source, scene = load_photograph("coins"), touching_coins(0)
    pieces = []
    for mask, (x0, y0, x1, y1) in zip(source.masks, source.boxes.astype(int), strict=True):
        pieces.append((mask[y0:y1, x0:x1], source.image[y0:y1, x0:x1]))
    used = set()
    for number, (x0, y0, x1, y1) in enumerate(scene.boxes.astype(int), 1):
        mask, values = scene.labels[y0:y1, x0:x1] == number, scene.image[y0:y1, x0:x1]
        same = [k for k, (form, _) in enumerate(pieces) if form.shape == mask.shape and (form == mask).all()]
        assert len(same) == 1
        inner = ndimage.binary_erosion(mask, iterations=4)
        np.testing.assert_array_equal(values[inner], pieces[same[0]][1][inner])
        used.add(same[0])
    assert len(used) == scene.count


def test_table_without_coins_is_the_photographs_and_has_none_left():
    source = load_photograph("coins")
    table = photographs._empty_table(source)
    near = ndimage.binary_dilation(source.masks.any(axis=0), iterations=4)
    np.testing.assert_allclose(table[~near], source.image[~near])
    under = source.masks.any(axis=0)
    assert abs(table[under].mean() - source.image[~near].mean()) < 10 < source.image[under].mean() - table[under].mean()
    local = [ndimage.generic_filter(table, np.std, 3)[part].mean() for part in (under, ~near)]
    assert 0.5 < local[0] / local[1] < 1.5  # the grain is there too


def test_scene_is_the_same_for_a_seed_and_another_for_the_next():
    first, again, other = touching_coins(5), touching_coins(5), touching_coins(6)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert (first.labels != other.labels).any()


def count_by_threshold(image):
    mask = ndimage.binary_opening(ndimage.binary_fill_holes(image > threshold_otsu(image)), iterations=2)
    return (np.bincount(label(mask, connectivity=2).ravel())[1:] > 300).sum()


def test_threshold_counts_coins_apart_and_miscounts_those_that_touch():
    assert count_by_threshold(load_photograph("coins").image) == 24
    for seed in range(6):
        scene = touching_coins(seed)
        assert scene.count == 16 and count_by_threshold(scene.image) < 13


def test_scene_that_is_impossible_is_refused():
    for count, groups in ((0, 1), (25, 1), (3, 4), (3, 0)):
        with pytest.raises(ValueError, match="expected 1 <= groups <= count <= 24"):
            touching_coins(0, count, groups)
    labels = np.ones((50, 50), np.int32)
    rng = np.random.default_rng(0)
    assert photographs._free_place(rng, labels, np.ones((9, 9), bool)) is None
    assert photographs._place_that_touches(rng, labels, np.ones((9, 9), bool)) is None


def test_scene_without_room_is_told(monkeypatch):
    monkeypatch.setattr(photographs, "_free_place", lambda *arguments: None)
    with pytest.raises(ValueError, match="no room was found for coin 1 of 16 with seed=7: take another seed"):
        touching_coins(7)
