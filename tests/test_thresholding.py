"""What lesson 01 defines: properties, and agreement with OpenCV, scikit-image and SciPy."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize
from scipy.stats import norm
from skimage import filters

from course_utils import images
from course_utils.notebooks import definitions

lesson = definitions("01_thresholding")
GRAYS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20))


def two_humps(rng, dark=70, bright=170, spread=15, share=0.6, pixels=20_000):
    values = np.where(rng.random(pixels) < share, rng.normal(dark, spread, pixels), rng.normal(bright, spread, pixels))
    return np.bincount(np.clip(np.rint(values), 0, 255).astype(int), minlength=256)


@given(GRAYS, st.integers(0, 255), st.booleans())
def test_binarize_equals_opencv(gray, threshold, dark_object):
    kind = cv2.THRESH_BINARY_INV if dark_object else cv2.THRESH_BINARY
    assert np.array_equal(lesson.binarize(gray, threshold, dark_object), cv2.threshold(gray, threshold, 255, kind)[1])


@given(GRAYS, st.floats(0, 255))
def test_both_polarities_share_the_picture(gray, threshold):
    bright, dark = lesson.binarize(gray, threshold), lesson.binarize(gray, threshold, dark_object=True)
    assert bright.dtype == dark.dtype == np.uint8
    assert (bright + dark == 255).all()


@pytest.mark.parametrize(
    ("curve", "peaks"),
    [
        ([0, 1, 0], [1]),
        ([3, 1, 2], [0, 2]),  # both ends count
        ([0, 2, 2, 2, 0], [2]),  # a flat top counts once, at its middle
        ([0, 1, 1, 2, 0], [3]),  # a step on the way up is none
        ([5, 5, 5], [1]),
        ([0, 0, 1, 0, 3, 0], [2, 4]),
    ],
)
def test_peaks_of_small_curves(curve, peaks):
    assert lesson.find_peaks(np.array(curve, float)).tolist() == peaks


@given(st.integers(0, 10_000), st.integers(50, 90), st.integers(150, 200))
@settings(max_examples=30)
def test_peaks_lie_near_the_means_of_two_humps(seed, dark, bright):
    found = lesson.two_peaks(two_humps(np.random.default_rng(seed), dark, bright))
    assert np.allclose(found, (dark, bright), atol=12)  # the spread is 15


# Powers of two: other factors round the smoothed counts anew, which can turn a tie between neighbours.
@given(st.integers(0, 10_000), st.integers(-20, 20), st.sampled_from([2, 4, 8, 64]))
@settings(max_examples=30)
def test_thresholds_move_with_the_brightness_and_ignore_the_size(seed, shift, times):
    counts = two_humps(np.random.default_rng(seed), 90, 160, 10)
    for find in (lesson.mean_of_peaks_threshold, lesson.valley_threshold):
        assert find(np.roll(counts, shift)) == find(counts) + shift
        assert find(counts * times) == find(counts)


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_thresholds_lie_between_the_peaks(seed):
    counts = two_humps(np.random.default_rng(seed), spread=20)
    dark, bright = lesson.two_peaks(counts)
    assert dark < lesson.valley_threshold(counts) < bright
    assert lesson.mean_of_peaks_threshold(counts) == (dark + bright) / 2


@given(st.integers(0, 10_000), st.integers(8, 25), st.floats(0.3, 0.7))
@settings(max_examples=40)
def test_valley_is_as_deep_as_scikit_images(seed, spread, share):
    # scikit-image smooths in float32 and counts the faintest peaks, so it may stop a round earlier or later.
    counts = two_humps(np.random.default_rng(seed), spread=spread, share=share)
    curve = lesson.smooth_until(counts, 2)[0]
    ours, theirs = lesson.valley_threshold(counts), filters.threshold_minimum(hist=(counts, np.arange(256)))
    assert 0 <= curve[theirs] - curve[ours] <= 0.01 * curve.max()


@pytest.mark.parametrize("name", images.SAMPLES)
def test_valley_of_every_sample_equals_scikit_image(name):
    gray = images.sample(name)
    assert lesson.valley_threshold(lesson.histogram_of(gray)) == filters.threshold_minimum(gray)


def test_as_many_valleys_as_gaps_between_peaks():
    counts = sum(two_humps(np.random.default_rng(i), 40 + 60 * i, 70 + 60 * i, 6) for i in range(3))
    cuts = lesson.valleys(counts, peaks=3)
    assert len(cuts) == 2
    assert cuts == sorted(cuts)


@pytest.mark.parametrize(
    ("histogram", "words"),
    [
        (np.eye(256)[100] * 50, "2 peaks are wanted, and this histogram has 1"),
        (np.ones(256), "2 peaks are wanted"),
        (np.zeros(256), "empty"),
        (np.zeros(0), "256 counts"),
        (-np.ones(256), "at least 0"),
        (np.full(256, np.nan), "finite"),
        ([1, 2, 3], "256 counts"),
        (np.full(256, "a"), "256 counts"),
    ],
)
@pytest.mark.parametrize(
    "find", [lesson.two_peaks, lesson.mean_of_peaks_threshold, lesson.valley_threshold], ids=lambda f: f.__name__
)
def test_bad_histogram_gets_one_sentence(find, histogram, words):
    with pytest.raises(ValueError, match=words) as caught:
        find(histogram)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "gray", [[[1, 2]], np.zeros((2, 2)), np.zeros((0, 3), np.uint8), np.zeros((2, 2, 3), np.uint8), None]
)
def test_bad_picture_gets_one_sentence(gray):
    with pytest.raises((TypeError, ValueError), match=r"picture") as caught:
        lesson.binarize(gray, 100)
    assert "\n" not in str(caught.value)


@given(st.floats(0.1, 0.9), st.floats(50, 100), st.floats(50, 90), st.floats(5, 25), st.floats(5, 25))
@settings(max_examples=50)
def test_bayes_threshold_minimises_the_error(share, dark_mean, gap, dark_spread, bright_spread):
    case = (share, (dark_mean, dark_spread), (dark_mean + gap, bright_spread))
    bayes = lesson.three_thresholds(*case)[2]
    best = optimize.minimize_scalar(
        lambda t: lesson.error_share(t, *case), bounds=(dark_mean, dark_mean + gap), method="bounded"
    )
    assert lesson.error_share(bayes, *case) <= best.fun + 1e-4


@given(st.floats(0.2, 0.8), st.floats(8, 30))
@settings(max_examples=30)
def test_closed_form_agrees_with_the_search(share, spread):
    expected = 120 + spread**2 / 80 * np.log(share / (1 - share))
    assume(80 < expected < 160)
    assert np.isclose(lesson.three_thresholds(share, (80, spread), (160, spread))[2], expected, atol=0.05)


def test_error_share_counts_both_errors():
    # Half of the pixels are dark, and the threshold lies one deviation above their mean and one below the bright mean.
    expected = 0.5 * norm.sf(1) + 0.5 * norm.cdf(-1)
    assert np.isclose(lesson.error_share(100, 0.5, (80, 20), (120, 20)), expected)


def test_measured_error_is_the_predicted_one():
    case = (0.9, (80, 25), (160, 25))
    gray, disc = lesson.disc_scene(np.random.default_rng(5), *case, shape=(600, 800))
    share = 1 - disc.mean()
    for threshold in (120, 137):
        measured = ((gray > threshold) != disc).mean()
        assert np.isclose(measured, lesson.error_share(threshold + 0.5, share, *case[1:]), atol=0.002)


@given(GRAYS, st.sampled_from([1, 3, 5, 9]))
def test_local_mean_equals_scikit_image(gray, size):
    expected = filters.threshold_local(gray, size, method="mean", mode="nearest")
    assert np.allclose(lesson.local_mean(gray, size), expected)


@pytest.mark.parametrize("name", ["page", "text"])
@pytest.mark.parametrize("size", [3, 35])
def test_rounded_local_mean_finds_opencvs_ink(name, size):
    gray = images.sample(name)
    found = cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, size, 15) > 0
    assert np.array_equal(found, gray <= np.rint(lesson.local_mean(gray, size)) - 15)


def test_dice_of_small_masks():
    a, b = np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 0], bool)
    assert lesson.dice(a, b) == 2 * 1 / (2 + 2)
    assert lesson.dice(a, a) == 1
    assert lesson.dice(a, ~a) == 0
