"""Pictures: samples, reading, and one clear sentence for each kind of bad input."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import color, io

from course_utils import images


@pytest.mark.parametrize("name", images.SAMPLES)
def test_sample_is_gray_and_as_described(name):
    gray = images.check_gray(images.sample(name))
    assert str(gray.shape) in images.SAMPLES[name]


def test_samples_are_copies():
    images.sample("coins")[:] = 0
    assert images.sample("coins").max() > 0


def test_unknown_sample_names_those_there_are():
    with pytest.raises(ValueError, match=r"'coin'.*coins, page"):
        images.sample("coin")


@pytest.mark.parametrize("name", ["picture.png", "a picture with spaces.png", "Übung größer.png", "绘图.tif"])
def test_path_of_any_alphabet_is_read(tmp_path, name):
    gray = np.arange(64, dtype=np.uint8).reshape(8, 8)
    io.imsave(tmp_path / name, gray, check_contrast=False)
    assert np.array_equal(images.read_gray(tmp_path / name), gray)
    assert np.array_equal(images.read_gray(str(tmp_path / name)), gray)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.png"):
        images.read_gray(tmp_path / "nothing.png")
    with pytest.raises(FileNotFoundError):
        images.read_gray(tmp_path)  # a folder


@pytest.mark.parametrize("keep", [0, 20, 200])
def test_damaged_file_is_named(tmp_path, keep):
    path = tmp_path / "broken.png"
    io.imsave(path, np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8), check_contrast=False)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"broken\.png.*can't be read as a picture") as caught:
        images.read_gray(path)
    assert "\n" not in str(caught.value)


def test_text_file_is_no_picture(tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(ValueError, match="can't be read as a picture"):
        images.read_gray(tmp_path / "notes.png")


def test_gray_of_colours_is_their_luminance():
    rgb = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    assert np.array_equal(images.to_gray(rgb), np.rint(color.rgb2gray(rgb) * 255))


def test_transparent_pixels_turn_white():
    assert (images.to_gray(np.zeros((2, 2, 4), np.uint8)) == 255).all()


@given(hnp.arrays(np.uint8, (3, 4)))
def test_gray_stays_as_it_is_in_every_dtype(gray):
    assert np.array_equal(images.to_gray(gray), gray)
    assert np.array_equal(images.to_gray(gray / 255), gray)
    assert np.array_equal(images.to_gray(gray.astype(np.uint16) * 257), gray)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ([[0, 1]], "list"),
        (None, "NoneType"),
        (np.zeros((0, 4), np.uint8), "empty"),
        (np.zeros((2, 2), np.int64), "int64"),
        (np.zeros((2, 2), complex), "complex"),
        (np.zeros((2, 2), "U3"), "U3"),
        (np.full((2, 2), 200.0), "range from 0 to 1, but these from 200 to 200"),
        (np.full((2, 2), -0.5), "range from 0 to 1"),
        (np.array([[0.1, np.nan]]), "NaN"),
        (np.zeros(4, np.uint8), r"\(4,\)"),
        (np.zeros((2, 2, 5), np.uint8), r"\(2, 2, 5\)"),
    ],
)
def test_no_picture_gets_one_sentence(image, words):
    with pytest.raises((TypeError, ValueError), match=words) as caught:
        images.to_gray(image)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((2, 2)), r"float64: images\.to_gray"),
        (np.zeros((2, 2), np.uint16), r"uint16: images\.to_gray"),
        (np.zeros((2, 2, 3), np.uint8), r"\(2, 2, 3\): images\.to_gray"),
        ([[1]], "list"),
    ],
)
def test_gray_check_names_the_way_out(image, words):
    with pytest.raises((TypeError, ValueError), match=words):
        images.check_gray(image)


def test_histogram_check_returns_counts_as_floats():
    counts = images.check_histogram(np.ones(256, int))
    assert counts.dtype == float
    assert images.check_histogram([1] * 256).sum() == 256


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9), st.floats(0, 20))
def test_printed_page_is_dark_ink_on_bright_paper(seed, shade, noise):
    gray, ink = images.printed_page(np.random.default_rng(seed), shade, noise, shape=(64, 160))
    assert gray.dtype == np.uint8
    assert gray.shape == ink.shape == (64, 160)
    assert 0.03 < ink.mean() < 0.4
    if shade < 0.2:
        assert gray[ink].mean() + 50 < gray[~ink].mean()


def test_same_seed_prints_the_same_page():
    pages = [images.printed_page(np.random.default_rng(7))[0] for _ in range(2)]
    assert np.array_equal(*pages)


def test_reading_warns_of_nothing(tmp_path):
    io.imsave(tmp_path / "flat.png", np.zeros((4, 4), np.uint8), check_contrast=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images.read_gray(tmp_path / "flat.png")


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_histogram_counts_every_pixel(gray):
    assert np.array_equal(images.histogram(gray), np.bincount(gray.ravel(), minlength=256))
    assert np.array_equal(images.histogram(gray[:, ::-1]), images.histogram(gray))


def test_histogram_of_a_large_flat_picture_is_exact():
    gray = np.full((4200, 4200), 9, np.uint8)  # 17,640,000 pixels, an odd multiple of more than 2**24
    gray[0, 0] = 10
    assert images.histogram(gray)[[9, 10]].tolist() == [4200 * 4200 - 1, 1]


@pytest.mark.parametrize("name", images.COLOR_SAMPLES)
def test_color_sample_is_as_described(name):
    picture = images.sample(name)
    assert picture.dtype == np.uint8
    assert str(picture.shape) in images.COLOR_SAMPLES[name]
    assert picture.shape[2] == 3


def test_shrunken_pixel_is_the_mean_of_its_square():
    image = np.array([[0, 10, 7], [20, 30, 7], [9, 9, 9]], np.uint8)
    assert images.shrink(image, 2).tolist() == [[15]]  # (0 + 10 + 20 + 30) / 4; the third row and column fill no square
    color = np.stack([image, image + 1, image + 2], axis=2)
    assert images.shrink(color, 2).tolist() == [[[15, 16, 17]]]
    assert np.array_equal(images.shrink(color, 1), color)


def test_too_small_a_picture_is_not_shrunk():
    with pytest.raises(ValueError, match="no square of 4 x 4"):
        images.shrink(np.zeros((3, 8), np.uint8), 4)


@given(st.integers(0, 2**32 - 1))
def test_each_crop_grows_in_two_fields(seed):
    picture, field, crop = images.fields(np.random.default_rng(seed), noise=0)
    assert picture.shape == (90, 120, 3)
    assert set(np.unique(field)) == set(range(8))
    for kind in range(4):
        assert len(np.unique(field[crop == kind])) == 2
        assert len(np.unique(picture[crop == kind], axis=0)) == 1


def test_shaded_fields_are_darker_at_the_right():
    picture, field, crop = images.fields(np.random.default_rng(0), noise=0, shade=0.5)
    one = picture[field == 0].astype(int).sum(axis=1)
    assert one.min() < 0.95 * one.max()
    assert crop.max() == 3
