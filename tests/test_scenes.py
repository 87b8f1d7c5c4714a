"""Scenes of digits: the truth fits the picture, a seed fixes everything, and the parts share nothing."""

import numpy as np
import pytest

from course_utils import geometry
from course_utils.datasets import scenes


@pytest.fixture(scope="module")
def some():
    return scenes.load_scenes(60, seed=5)


def test_arrays_are_as_described(some):
    assert some.images.shape == some.class_maps.shape == (60, 128, 128)
    assert some.images.dtype == some.class_maps.dtype == np.uint8
    for boxes, labels in zip(some.boxes, some.labels, strict=True):
        assert boxes.shape == (len(labels), 4)
        assert boxes.dtype == np.float64
        assert labels.dtype == np.int64
        assert 1 <= len(labels) <= 6
        assert set(labels) <= set(range(10))


def test_every_number_of_digits_and_every_class_occurs(some):
    assert {len(labels) for labels in some.labels} == {1, 2, 3, 4, 5, 6}
    assert set(np.concatenate(some.labels)) == set(range(10))


def test_boxes_lie_inside_and_keep_to_the_sizes_asked_for(some):
    boxes = np.concatenate(some.boxes)
    assert (geometry.clip(boxes, 128, 128) == boxes).all()
    longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    assert longer.max() <= 48
    assert longer.min() >= 18 - 2  # the outermost ink of a digit may grow too faint to count


def test_boxes_are_tight_around_the_ink_of_their_class():
    alone = scenes.load_scenes(80, seed=2, digits=(1, 1))
    for class_map, boxes, labels in zip(alone.class_maps, alone.boxes, alone.labels, strict=True):
        rows, columns = np.nonzero(class_map)
        assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == boxes[0].tolist()
        assert set(class_map[rows, columns]) == {1 + labels[0]}


def test_ink_is_brighter_than_what_is_around_it(some):
    ink = some.class_maps > 0
    assert some.images[ink].mean() > some.images[~ink].mean() + 80


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.3])
def test_boxes_overlap_no_more_than_asked_for(overlap):
    found = 0.0
    for boxes in scenes.load_scenes(60, seed=1, digits=(5, 6), overlap=overlap).boxes:
        pairs = geometry.iou(boxes, boxes)[np.triu_indices(len(boxes), 1)]
        found = max(found, pairs.max(initial=0))
    assert found <= overlap
    assert found > overlap / 2 or overlap == 0


def test_a_seed_gives_the_same_scenes_however_many_there_are(some):
    fewer = scenes.load_scenes(7, seed=5)
    np.testing.assert_array_equal(fewer.images, some.images[:7])
    np.testing.assert_array_equal(fewer.class_maps, some.class_maps[:7])
    for few, many in zip(fewer.boxes, some.boxes[:7], strict=True):
        np.testing.assert_array_equal(few, many)


def test_seeds_and_parts_differ(some):
    other_seed, other_part = scenes.load_scenes(60, seed=6), scenes.load_scenes(60, seed=5, part="test")
    for other in (other_seed, other_part):
        assert not any((a == b).all() for a, b in zip(some.images, other.images, strict=True))


def test_parts_take_their_background_from_different_rows(monkeypatch):
    rows_as_gray = np.repeat(np.arange(512) // 2, 512).reshape(512, 512).astype(np.uint8)  # row 304 is gray 152
    monkeypatch.setattr(scenes, "TEXTURES", ("brick",))
    monkeypatch.setattr(scenes.data, "brick", lambda: rows_as_gray)
    monkeypatch.setattr(scenes, "_background", lambda rng, textures, size: np.resize(textures[0], (size, size)))
    train, test = (scenes.load_scenes(1, part=part).images[0, 0, 0] for part in ("train", "test"))
    assert (train, test) == (0, 152)


def test_fewer_classes_are_numbered_from_zero():
    chosen = scenes.load_scenes(30, classes=(3, 8), seed=0)
    assert chosen.classes == (3, 8)
    assert set(np.concatenate(chosen.labels)) == {0, 1}
    assert set(np.unique(chosen.class_maps)) == {0, 1, 2}


def test_no_scenes_are_empty_arrays():
    none = scenes.load_scenes(0)
    assert none.images.shape == none.class_maps.shape == (0, 128, 128)
    assert none.boxes == none.labels == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"part": "validation"}, "'train' or 'test', got 'validation'"),
        ({"size": 400}, "at most 208"),
        ({"size": 40}, "given are sides=\\(18, 48\\) and size=40"),
        ({"classes": (1, 11)}, "different digits from 0 to 9"),
        ({"classes": ()}, "at least one"),
        ({"digits": (0, 3)}, "starts at 1"),
        ({"sides": (30, 20)}, "smallest, largest"),
        ({"overlap": 1.5}, "0 to 1, got 1.5"),
    ],
)
def test_arguments_out_of_range_get_one_sentence(wrong, words):
    with pytest.raises(ValueError, match=words):
        scenes.load_scenes(1, **wrong)
