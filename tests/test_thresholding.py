"""What lesson 01 defines: properties, and agreement with OpenCV, scikit-image and SciPy."""

import cv2
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize
from scipy.stats import norm
from skimage import filters, measure

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
    by_opencv = cv2.threshold(gray, threshold, 255, kind)[1] > 0
    assert np.array_equal(lesson.binarize(gray, threshold, dark_object), by_opencv)


@given(GRAYS, st.floats(0, 255))
def test_both_polarities_share_the_picture(gray, threshold):
    bright, dark = lesson.binarize(gray, threshold), lesson.binarize(gray, threshold, dark_object=True)
    assert bright.dtype == dark.dtype == bool
    assert (bright != dark).all()


@given(hnp.arrays(bool, (12, 15)), st.integers(1, 6))
def test_measure_agrees_with_scikit_images_regions(mask, smallest):
    areas = [region.area for region in measure.regionprops(measure.label(mask, connectivity=1))]
    kept = [area for area in areas if area >= smallest]
    assert lesson.measure(mask, smallest) == (len(kept), sum(kept))


@pytest.mark.parametrize(
    ("hills", "peaks"),
    [
        ({0: 3, 100: 2}, [0, 100]),  # an end can be a peak
        ({50: 4, 255: 2}, [50, 255]),
        ({40: 9000, 90: 4000, 200: 2}, [40, 90]),  # below a thousandth of the highest
    ],
)
def test_peaks_at_the_ends_count_and_faint_ones_do_not(hills, peaks):
    counts = np.zeros(256)
    counts[list(hills)] = list(hills.values())
    curve, found = lesson.smooth_until(counts, 2)
    assert found.tolist() == peaks
    assert np.array_equal(curve, counts)  # nothing had to be smoothed


@given(st.integers(0, 10_000), st.integers(50, 90), st.integers(150, 200))
@settings(max_examples=30)
def test_peaks_lie_near_the_means_of_two_humps(seed, dark, bright):
    found = lesson.smooth_until(two_humps(np.random.default_rng(seed), dark, bright), 2)[1]
    assert np.allclose(found, (dark, bright), atol=12)  # the spread is 15


# Powers of two: other factors round the smoothed counts anew, which can turn a tie between neighbors.
@given(st.integers(0, 10_000), st.integers(-20, 20), st.sampled_from([2, 4, 8, 64]))
@settings(max_examples=30)
def test_thresholds_move_with_the_brightness_and_ignore_the_size(seed, shift, times):
    counts = two_humps(np.random.default_rng(seed), 90, 160, 10)
    for find in (lesson.mean_of_peaks_threshold, lesson.valley_threshold, lesson.triangle_threshold):
        assert find(np.roll(counts, shift)) == find(counts) + shift
        assert find(counts * times) == find(counts)


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_thresholds_lie_between_the_peaks(seed):
    counts = two_humps(np.random.default_rng(seed), spread=20)
    dark, bright = lesson.smooth_until(counts, 2)[1]
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
        (np.eye(256)[100] * 50, "expected 2 peaks, got 1"),
        (np.ones(256), "expected 2 peaks"),
        (np.zeros(256), "empty"),
        (np.zeros(0), "256 counts"),
        (-np.ones(256), "at least 0"),
        (np.full(256, np.nan), "finite"),
        ([1, 2, 3], "256 counts"),
        (np.full(256, "a"), "256 counts"),
    ],
)
@pytest.mark.parametrize("find", [lesson.mean_of_peaks_threshold, lesson.valley_threshold], ids=lambda f: f.__name__)
def test_bad_histogram_gets_one_sentence(find, histogram, words):
    with pytest.raises(ValueError, match=words) as caught:
        find(histogram)
    assert "\n" not in str(caught.value)


@given(st.integers(0, 10_000), st.integers(20, 230))
@example(188, 188)  # 198 and 209 tie
@settings(max_examples=40)
def test_triangle_equals_scikit_images(seed, peak):
    rng = np.random.default_rng(seed)
    gray = np.clip(np.rint(rng.normal(peak, rng.uniform(2, 30), (40, 40)) + rng.exponential(20, (40, 40))), 0, 255)
    gray = gray.astype(np.uint8)
    counts = lesson.histogram_of(gray)
    found, reference = lesson.triangle_threshold(counts), int(filters.threshold_triangle(gray))
    used, top = np.flatnonzero(counts), int(counts.argmax())
    end = int(used[0] if top - used[0] >= used[-1] - top else used[-1])
    below = [int(counts[top]) * abs(t - end) - abs(top - end) * int(counts[t]) for t in (found, reference)]
    assert below[0] == below[1]  # in whole numbers: where two gray values tie, rounding picks one of them


def test_triangle_of_one_gray_value_is_that_value():
    assert lesson.triangle_threshold(np.eye(256)[40] * 7) == 40


@pytest.mark.parametrize("name", images.SAMPLES)
def test_triangle_of_every_sample_equals_scikit_images(name):
    gray = images.sample(name)
    assert lesson.triangle_threshold(lesson.histogram_of(gray)) == filters.threshold_triangle(gray)


@pytest.mark.parametrize(
    "find",
    [
        lambda gray: lesson.binarize(gray, 100),
        lesson.histogram_of,
        lesson.ink_of,
        lambda gray: lesson.local_mean(gray, 5),
        lesson.sauvola_threshold,
        lambda gray: lesson.coarse_valley(gray, 10),
        lambda gray: lesson.blur(gray, 1),
    ],
)
@pytest.mark.parametrize(
    "gray", [[[1, 2]], np.zeros((2, 2)), np.zeros((0, 3), np.uint8), np.zeros((2, 2, 3), np.uint8), None]
)
def test_bad_picture_gets_one_sentence(find, gray):
    with pytest.raises((TypeError, ValueError), match=r"picture") as caught:
        find(gray)
    assert "\n" not in str(caught.value)


@given(st.floats(0.1, 0.9), st.floats(50, 100), st.floats(50, 90), st.floats(5, 25), st.floats(5, 25))
@settings(max_examples=50)
def test_bayes_threshold_minimises_the_error(share, dark_mean, gap, dark_spread, bright_spread):
    case = (share, (dark_mean, dark_spread), (dark_mean + gap, bright_spread))
    bayes = lesson.three_thresholds(*case)[2]
    best = optimize.minimize_scalar(
        lambda t: lesson.error_share(t, *case), bounds=(dark_mean - 100, dark_mean + 200), method="bounded"
    )
    assert lesson.error_share(bayes, *case) <= best.fun + 1e-4


@given(st.floats(0.01, 0.99), st.floats(8, 40))
@settings(max_examples=30)
def test_closed_form_agrees_with_the_search(share, spread):
    expected = 120 + spread**2 / 80 * np.log(share / (1 - share))  # which may lie beyond both means
    assume(80 - 4 * spread < expected < 160 + 4 * spread)
    assert np.isclose(lesson.three_thresholds(share, (80, spread), (160, spread))[2], expected, atol=0.1)


def test_a_shoulder_has_no_valley():
    assert np.isnan(lesson.three_thresholds(0.9, (80, 25), (160, 25))[1])
    assert np.isclose(lesson.three_thresholds(0.5, (80, 25), (160, 25))[1], 120, atol=0.1)


def test_error_share_counts_both_errors():
    # Half of the pixels are dark, and the threshold lies one deviation above their mean and one below the bright mean.
    expected = 0.5 * norm.sf(1) + 0.5 * norm.cdf(-1)
    assert np.isclose(lesson.error_share(100, 0.5, (80, 20), (120, 20)), expected)


def test_error_share_is_the_share_of_drawn_pixels():
    rng = np.random.default_rng(5)
    dark, bright = rng.normal(80, 25, 360_000), rng.normal(160, 25, 40_000)
    wrong = (dark > 120).sum() + (bright <= 120).sum()
    assert np.isclose(wrong / 400_000, lesson.error_share(120, 0.9, (80, 25), (160, 25)), atol=0.002)


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


@given(st.integers(0, 1000), st.booleans())
@settings(max_examples=30)
def test_best_number_is_the_best_of_all(seed, dark_object):
    rng = np.random.default_rng(seed)
    gray, truth = rng.integers(0, 256, (12, 9), dtype=np.uint8), rng.random((12, 9)) < 0.4
    scores = [lesson.dice(lesson.binarize(gray, t, dark_object), truth) for t in range(256)]
    threshold, score = lesson.best_number(gray, truth, dark_object)
    assert np.isclose(score, max(scores))
    assert np.isclose(scores[threshold], score)


@pytest.mark.parametrize(("size", "k"), [(5, 0.2), (35, 0.4)])
def test_sauvola_equals_scikit_images_inside(size, k):
    page, margin = images.sample("page"), size // 2 + 1
    inside = np.s_[margin:-margin, margin:-margin]
    expected = filters.threshold_sauvola(page, size, k=k, r=128)
    assert np.allclose(lesson.sauvola_threshold(page, size, k)[inside], expected[inside])


def test_a_ratio_does_not_notice_how_much_light_there_is():
    page = images.sample("page")
    dimmed = page // 2 * 2  # even values, so that half of them is exact
    for share in (0.75, 0.9):
        whole, half = (
            dimmed < share * lesson.local_mean(dimmed, 35),
            dimmed // 2 < share * lesson.local_mean(dimmed // 2, 35),
        )
        assert np.array_equal(whole, half)
    moved = (lesson.ink_of(dimmed) != lesson.ink_of(dimmed // 2)).mean()
    assert moved > 0.01


def test_an_even_window_is_named():
    with pytest.raises(ValueError, match="expected an odd size"):
        lesson.local_mean(images.sample("page"), 34)
