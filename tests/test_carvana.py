"""Loading cars and masks: pairing, each kind of bad file, splitting by car, and the pipeline that feeds a network."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from course_utils import tensorflow_start
from course_utils.datasets import carvana
from course_utils.datasets._cars import render
from course_utils.datasets.carvana import DataError, arrays, load_carvana, pipeline, read_pair

tensorflow_start.start_tensorflow()
SIZE = (32, 48)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    return render.write_cars(tmp_path_factory.mktemp("rendered") / "cars", cars=4, size=SIZE)


@pytest.fixture
def folder(rendered, tmp_path, monkeypatch):
    """A data folder in which a reader has put Carvana; its files may be changed."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    shutil.copytree(rendered, tmp_path / "carvana")
    return tmp_path / "carvana"


def write_mask(path, values, palette=(0, 0, 0, 255, 255, 255)):
    image = Image.fromarray(np.asarray(values, np.uint8), "P")
    image.putpalette(palette)
    image.save(path, optimize=False)  # or Pillow would number the values anew


def write_pairs(folder, masks):
    """Pictures that show their mask in white on black, to see that both stay in step."""
    for name in ("train", "train_masks"):
        (folder / name).mkdir(parents=True)
    for i, mask in enumerate(masks):
        name = f"{i // 16:012x}_{i % 16 + 1:02d}"
        Image.fromarray(np.dstack([mask * 255] * 3).astype(np.uint8)).save(folder / "train" / f"{name}.jpg", quality=95)
        write_mask(folder / "train_masks" / f"{name}_mask.gif", mask)
    return load_carvana(folder=folder, cars=None)


# Finding files


def test_a_readers_carvana_is_found_and_put_in_order(folder):
    data = load_carvana(cars=None)
    assert (data.source, data.is_fallback, len(data)) == ("Carvana", False, 64)
    assert list(data.cars) == sorted(data.cars)
    assert data.views[:17] == (*range(1, 17), 1)
    for image, mask, car, view in zip(data.images, data.masks, data.cars, data.views, strict=True):
        assert image == folder / "train" / f"{car}_{view:02d}.jpg"
        assert mask == folder / "train_masks" / f"{car}_{view:02d}_mask.gif"


def test_the_first_cars_by_name_are_taken(folder):
    assert set(load_carvana(cars=2).cars) == set(sorted({render.name_of(seed) for seed in range(4)})[:2])


def test_without_carvana_cars_are_rendered_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    data = load_carvana(cars=1, size=SIZE)
    assert (data.source, data.is_fallback, len(data)) == ("rendered cars", True, 16)
    assert data.images[0].is_relative_to(tmp_path / "cars")
    assert data.images[0].parent.parent.name.startswith("1-cars-48x32-seed-0-")
    monkeypatch.setattr(render, "_share_out", None)
    assert load_carvana(cars=1, size=SIZE).images == data.images


def test_real_and_rendered_files_load_alike(folder, rendered):
    real, drawn = load_carvana(cars=None), carvana._find(rendered, 4, "rendered cars", is_fallback=True)
    assert [path.name for path in real.images] == [path.name for path in drawn.images]
    assert all(np.array_equal(a, b) for a, b in zip(arrays(real, 16), arrays(drawn, 16), strict=True))


def test_endings_in_capitals_count(folder):
    for path in [*(folder / "train").iterdir(), *(folder / "train_masks").iterdir()]:
        path.rename(path.with_suffix(path.suffix.upper()))
    assert (load_carvana(cars=None).source, len(load_carvana(cars=None))) == ("Carvana", 64)


def test_hidden_files_of_other_systems_are_passed_over(folder):
    (folder / "train" / "._0123.jpg").write_bytes(b"")
    (folder / "train" / "Thumbs.db").write_bytes(b"")
    assert len(load_carvana(cars=None)) == 64


# Bad files: each is named, with the way out


def first(folder):
    name = sorted(path.stem for path in (folder / "train").iterdir())[0]
    return folder / "train" / f"{name}.jpg", folder / "train_masks" / f"{name}_mask.gif"


def test_a_missing_mask_is_named(folder):
    image, mask = first(folder)
    mask.unlink()
    with pytest.raises(DataError, match=rf"{mask.name} is missing, the mask of {image.name}; unpack"):
        load_carvana()


def test_a_missing_picture_is_named(folder):
    image, mask = first(folder)
    image.unlink()
    with pytest.raises(DataError, match=rf"{image.name} is missing, the picture of {mask.name}; unpack"):
        load_carvana()


def test_no_pictures_and_no_cars_are_refused(tmp_path, folder):
    with pytest.raises(DataError, match=r"holds no \*\.jpg; put"):
        load_carvana(folder=tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"at least one car.*got cars=0"):
        load_carvana(cars=0)


def test_a_foreign_name_is_refused(folder):
    first(folder)[0].rename(folder / "train" / "holiday.jpg")
    with pytest.raises(DataError, match=r"holiday\.jpg is not named as Carvana's"):
        load_carvana()


def test_a_mask_of_another_size_is_named(folder):
    image, mask = first(folder)
    write_mask(mask, np.zeros((30, 48)))
    with pytest.raises(DataError, match=rf"{mask.name} is 48 x 30 pixels, but {image.name} 48 x 32;"):
        load_carvana()


def test_a_mask_is_read_by_its_colors_whatever_the_order_of_its_palette(folder):
    mask, expected = first(folder)[1], arrays(load_carvana(), 32)[1]
    with Image.open(mask) as file:
        truth = np.asarray(file)
    for low, high in (((0, 0, 0), (255, 255, 255)), ((10, 0, 0), (0, 200, 90))):
        file = Image.fromarray((1 - truth).astype(np.uint8), "P")
        file.putpalette([*high, *low])
        file.save(mask)
        assert np.array_equal(arrays(load_carvana(), 32)[1], expected)
    Image.fromarray(np.uint8(truth)[..., None] * np.full(3, 255, np.uint8)).save(
        mask
    )  # as Pillow turns RGB into a palette
    assert np.array_equal(arrays(load_carvana(), 32)[1], expected)


def test_a_mask_with_soft_edges_is_named(folder):
    mask = first(folder)[1]
    soft = np.zeros(SIZE)
    soft[3, 4:7] = 255, 100, 30
    write_mask(mask, soft, [i // 3 for i in range(768)])
    with pytest.raises(DataError, match=rf"expected a mask of two colors, got 4 gray values .*{mask.name}.*Soft edges"):
        arrays(load_carvana(), 16)


@pytest.mark.parametrize("which", [0, 1])
def test_a_truncated_file_is_named(folder, which):
    path = first(folder)[which]
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=rf"{path.name} is truncated or not a picture; delete it"):
        arrays(load_carvana(), 16)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("content", [b"", b"<html>Log in</html>"])
def test_a_file_that_is_no_picture_is_named_at_once(folder, which, content):
    path = first(folder)[which]
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{path.name} is truncated or not a picture"):
        load_carvana()


# Splitting


def test_a_split_leaves_no_car_on_both_sides_and_loses_none(folder):
    data = load_carvana(cars=None)
    for seed in range(5):
        training, validation = data.split_by_car(0.25, seed)
        assert not set(training.cars) & set(validation.cars)
        assert sorted(training.images + validation.images) == list(data.images)
        assert (len(training), len(validation)) == (48, 16)
        assert validation.images == data.split_by_car(0.25, seed)[1].images
    assert len({data.split_by_car(0.25, seed)[1].cars[0] for seed in range(9)}) > 1


@pytest.mark.parametrize("validation", [0, 1, -0.2, float("nan")])
def test_a_split_without_two_sides_is_refused(folder, validation):
    with pytest.raises(ValueError, match=r"got 4 cars and validation="):
        load_carvana(cars=None).split_by_car(validation)
    with pytest.raises(ValueError, match="got 1 cars"):
        load_carvana(cars=1).split_by_car()


# Reading


def test_arrays_hold_areas_means_and_the_masks_themselves(folder):
    data = load_carvana(cars=1)
    images, masks = arrays(data, SIZE)
    assert (images.shape, images.dtype, masks.shape, masks.dtype) == (
        (16, 32, 48, 3),
        np.uint8,
        (16, 32, 48, 1),
        np.uint8,
    )
    with Image.open(data.images[5]) as image, Image.open(data.masks[5]) as mask:
        assert np.array_equal(images[5], np.asarray(image))
        assert np.array_equal(masks[5, ..., 0], np.asarray(mask))
    half, _ = arrays(data, (16, 24))
    means = images.reshape(16, 16, 2, 24, 2, 3).mean((2, 4))
    assert np.abs(half - means).max() < 1  # the mean of each square of four, rounded
    assert arrays(data, 16)[0].shape == (16, 16, 16, 3)


def test_masks_stay_hard_and_images_use_every_pixel(tmp_path):
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 1
    data = write_pairs(tmp_path, [stripes])
    pair = read_pair(data.images[0], data.masks[0], 16)
    assert set(np.unique(pair[..., 3])) <= {0, 1}
    assert np.abs(pair[..., :3].astype(int) - 127).max() <= 3  # half white, half black


def test_a_large_jpeg_decoded_in_part_looks_like_the_whole(tmp_path):
    picture, mask = render.render_car(2, 3, (640, 959))
    Image.fromarray(picture).save(tmp_path / "a.jpg", quality=92)
    write_mask(tmp_path / "a.gif", mask)
    pair = read_pair(tmp_path / "a.jpg", tmp_path / "a.gif", 128)
    whole = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(pair[..., :3].astype(int) - whole).mean() < 1.5
    assert abs(pair[..., 3].mean() - mask.mean()) < 0.005


# The pipeline


def test_without_training_the_pipeline_gives_what_arrays_gives_in_order(folder):
    data = load_carvana(cars=2)
    images, masks = arrays(data, 16)
    batches = list(pipeline(data, 16, batch=12, train=False).as_numpy_iterator())
    assert [len(batch[0]) for batch in batches] == [12, 12, 8]
    assert {array.dtype for batch in batches for array in batch} == {np.dtype(np.float32)}
    assert np.array_equal(np.concatenate([batch[0] for batch in batches]), images.astype(np.float32) / 255)
    assert np.array_equal(np.concatenate([batch[1] for batch in batches]), masks.astype(np.float32))


def test_training_shuffles_and_mirrors_pictures_and_masks_in_step(tmp_path):
    rng = np.random.default_rng(0)
    tiles = (rng.random((32, 4, 4)) > 0.5).astype(np.uint8).repeat(8, 1).repeat(8, 2)
    data = write_pairs(tmp_path, tiles)
    feed = pipeline(data, 32, batch=10, train=True, seed=1)
    epochs = [[np.concatenate(part) for part in zip(*feed.as_numpy_iterator(), strict=True)] for _ in range(2)]
    seen, mirrored = 0, 0
    for images, masks in epochs:
        assert len(images) == 30  # whole batches only
        assert np.array_equal(images[..., :1] > 0.5, masks == 1)
        for mask in masks[..., 0]:
            seen += any(np.array_equal(mask, tile) for tile in tiles)
            mirrored += any(np.array_equal(mask[:, ::-1], tile) for tile in tiles)
    assert seen + mirrored >= 60
    assert 15 <= mirrored <= 45  # half of 60, within four standard deviations
    assert not np.array_equal(epochs[0][1], epochs[1][1])
    again = np.concatenate([masks for _, masks in pipeline(data, 32, 10, True, seed=1).as_numpy_iterator()])
    assert np.array_equal(again, epochs[0][1])


def test_part_too_large_for_memory_is_kept_in_the_data_folder(folder, monkeypatch):
    monkeypatch.setattr(carvana, "MEMORY", 1000)
    data, kept = load_carvana(cars=1), []
    monkeypatch.setattr(carvana.atexit, "register", lambda function, path, **_: kept.append(path))
    feed = pipeline(data, 16, batch=4, train=True)
    assert sum(len(images) for images, _ in feed) == sum(len(images) for images, _ in feed) == 16
    assert Path(kept[0]).parent == folder.parent
    assert any(Path(kept[0]).iterdir())


def test_an_error_inside_the_pipeline_names_the_file(folder):
    path = first(folder)[0]
    data = load_carvana(cars=1)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(Exception, match=rf"{path.name} is truncated or not a picture; delete it"):
        list(pipeline(data, 16, batch=4, train=False))


def test_importing_the_loader_is_light():
    code = "import course_utils.datasets.carvana, sys; print(*sorted({'tensorflow', 'keras', 'matplotlib', 'sklearn', 'skimage'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda part: arrays(part, 0), r"a size in whole pixels, .* got 0"),
        (lambda part: arrays(part, -3), "got -3"),
        (lambda part: arrays(part, 10.5), "got 10.5"),
        (lambda part: arrays(part, "small"), "got 'small'"),
        (lambda part: arrays(part, None), "got None"),
        (lambda part: arrays(part, (1, 2, 3)), r"got \(1, 2, 3\)"),
        (lambda part: arrays(part.select([]), 8), "this part holds no picture"),
        (lambda part: carvana.pipeline(part, 0, 2, train=True), "got 0"),
        (lambda part: carvana.pipeline(part, 8, 0, train=True), "a batch from 1 to .*, got 0"),
        (lambda part: carvana.pipeline(part, 8, 2.5, train=False), "got 2.5"),
        (lambda part: carvana.pipeline(part, 8, 1000, train=True), "got 1000"),
        (lambda part: carvana.pipeline(part.select([]), 8, 1, train=False), "a batch from 1 to 0"),
        (lambda part: part.select([999]), "positions from 0 to .* got .*999"),
        (lambda part: part.select([-1]), "positions from 0"),
        (lambda part: part.select([True, False]), r"np\.flatnonzero\(mask\)"),
        (lambda part: part.select([0.5]), "whole numbers"),
        (lambda part: part.split_by_car("half"), "validation=half"),
        (lambda part: load_carvana(cars=1.5), "got cars=1.5"),
        (lambda part: load_carvana(cars="two"), "got cars='two'"),
    ],
)
def test_what_can_not_be_is_named_before_a_file_is_read(ask, words, folder):
    with pytest.raises(ValueError, match=words) as caught:
        ask(load_carvana(cars=2))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"size": 128},
        {"size": "a"},
        {"size": (20.5, 30)},
        {"size": (8, 8)},
        {"seed": -1},
        {"seed": "../x"},
        {"seed": 0.5},
    ],
)
def test_cars_that_can_not_be_rendered_are_named_and_leave_nothing(options, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(ValueError, match=r"expected seed >= 0, .* of at least 16 pixels each"):
        load_carvana(**{"cars": 1, "size": SIZE} | options)
    assert not any(tmp_path.iterdir())


def test_data_folder_that_can_not_be_written_is_named_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "x")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        with pytest.raises(
            carvana.DataError,
            match=r"Can't write cars to .*cars \(Permission denied\): make it writable, or set COURSE_DATA",
        ):
            load_carvana(cars=1, size=SIZE)
    there = load_carvana(cars=1, size=SIZE)
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert load_carvana(cars=1, size=SIZE).images == there.images  # what is there is read


def test_large_part_is_kept_elsewhere_if_the_data_folder_is_read_only(folder, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(folder / "none"))
    monkeypatch.setattr(carvana, "MEMORY", 1)
    part = load_carvana(cars=1, folder=folder)
    assert sum(len(pictures) for pictures, _ in carvana.pipeline(part, 8, 4, train=False)) == len(part)
