"""What lesson 05 defines: shape laws, transposes, round trips, gradients, and agreement with TensorFlow and Keras."""

import ast
import json
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import notebooks, tensorflow_start
from course_utils.notebooks import definitions

tensorflow_start.start_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

lesson = definitions("05_fully_convolutional")
SEEDS = st.integers(0, 10_000)
SIDES = st.integers(1, 6)
KERNELS, STRIDES, PADDINGS = st.integers(1, 5), st.integers(1, 3), st.sampled_from(["SAME", "VALID"])


def small_classifier(side=12, pool=2, hidden=(3,), channels=1):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((side, side, channels)),
            layers.Conv2D(3, 3, activation="relu", bias_initializer="normal"),
            layers.MaxPooling2D(pool),
            layers.Conv2D(4, 2, activation="tanh", bias_initializer="normal"),
            layers.MaxPooling2D(pool),
            layers.Flatten(),
            *(layers.Dense(n, activation="relu", bias_initializer="normal") for n in hidden),
            layers.Dense(3, bias_initializer="normal"),
        ]
    )


# The sliding window and the fully convolutional network.


@given(st.integers(8, 15), st.integers(8, 15), st.integers(1, 8), st.integers(1, 2))
@settings(max_examples=20)
def test_windows_have_their_pixel_at_the_centre(height, width, side, channels):
    picture = np.random.default_rng(0).normal(size=(height, width, channels))
    windows = lesson.windows_of(picture, side)
    assert windows.shape == (height, width, side, side, channels)
    assert np.array_equal(windows[:, :, side // 2, side // 2], picture)


def test_window_inside_is_the_picture_around_its_pixel():
    picture = np.arange(100.0).reshape(10, 10, 1)
    assert np.array_equal(lesson.windows_of(picture, 4)[5, 6], picture[3:7, 4:8])  # 4 // 2 = 2 before, 1 after


def test_picture_too_small_for_a_patch_is_refused():
    with pytest.raises(ValueError, match="too small for patches of 28"):
        lesson.windows_of(np.zeros((14, 40, 1)))


def test_drawn_patches_have_the_class_of_their_centre():
    scenes = lesson.load_scenes(6, size=64, classes=(0, 1), digits=(2, 3), sides=(18, 26), overlap=0.0)
    patches, truth = lesson.draw_patches(scenes, 5, np.random.default_rng(0))
    assert patches.shape == (25, 28, 28, 1)  # 3 * 5 of background and 5 of each of two classes
    assert np.bincount(truth).tolist() == [15, 5, 5]
    assert patches[truth > 0, 14, 14].mean() > patches[truth == 0, 14, 14].mean() + 0.2  # ink is brighter


# 12 -> conv 3 -> 10 -> pool 2 -> 5 -> conv 2 -> 4 -> pool 2 -> 2, and 14 -> 12 -> pool 3 -> 4 -> 3 -> pool 3 -> 1: nothing is left over.
@pytest.mark.parametrize(("side", "pool"), [(12, 2), (14, 3)])
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)])
@pytest.mark.parametrize("channels", [1, 3])
def test_fully_convolutional_network_equals_the_sliding_window(side, pool, hidden, channels):
    classifier, step = small_classifier(side, pool, hidden, channels), pool**2
    picture = np.random.default_rng(1).normal(size=(25, 28, channels)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(picture, (side, side), axis=(0, 1)).transpose(0, 1, 3, 4, 2)
    rows, columns = windows.shape[:2]
    slid = np.asarray(classifier(windows.reshape(-1, side, side, channels))).reshape(rows, columns, 3)
    everywhere = lesson.to_fully_convolutional(classifier, every_pixel=True)(picture[None])[0]
    coarse = np.asarray(lesson.to_fully_convolutional(classifier)(picture[None])[0])
    assert np.allclose(everywhere, slid, atol=1e-5)
    assert coarse.shape[:2] == ((25 - side) // step + 1, (28 - side) // step + 1)
    assert np.allclose(coarse, slid[::step, ::step], atol=1e-5)


def test_conversion_leaves_the_classifier_alone():
    classifier = small_classifier()
    before = [weight.copy() for weight in classifier.get_weights()]
    network = lesson.to_fully_convolutional(classifier)
    network.set_weights([0 * weight for weight in network.get_weights()])
    assert all(np.array_equal(a, b) for a, b in zip(before, classifier.get_weights(), strict=True))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (layers.Conv2D(2, 3, padding="same"), r"has padding='same': .* only valid convolutions"),
        (layers.Conv2D(2, 3, strides=2), r"has strides=\(2, 2\): "),
        (layers.Conv2D(2, 1, use_bias=False), "has use_bias=False: "),
        (layers.MaxPooling2D(3, strides=2), "MaxPooling2D that moves by its own size"),
        (layers.MaxPooling2D((2, 3)), "a square MaxPooling2D"),
        (layers.MaxPooling2D(2, padding="same"), "does not pad"),
        (layers.AveragePooling2D(2), "is a AveragePooling2D"),
    ],
)
def test_layers_that_differ_at_a_patchs_border_are_refused(layer, words):
    classifier = keras.Sequential([keras.Input((8, 8, 1)), layer, layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match=words):
        lesson.to_fully_convolutional(classifier)


def test_grouped_convolution_is_refused():
    grouped = layers.Conv2D(4, 3, groups=2)
    classifier = keras.Sequential([keras.Input((5, 5, 2)), grouped, layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match="has groups=2: "):
        lesson.to_fully_convolutional(classifier)


def test_sliding_in_batches_of_any_size_gives_the_same():
    picture = np.random.default_rng(0).normal(size=(30, 32, 1)).astype(np.float32)

    def run(patches):
        return tf.reduce_mean(patches, axis=(1, 2))

    slid = lesson.slide(run, picture, step=3, batch=7)
    assert slid.shape == (10, 11, 1)
    assert np.allclose(slid, lesson.slide(run, picture, batch=1000)[::3, ::3], atol=1e-6)


def test_multiplications_of_a_small_network():
    classifier = small_classifier(side=12, hidden=(5,))
    # 12 -> conv 3 -> 10 -> pool -> 5 -> conv 2 -> 4 -> pool -> 2: 100 * 9 * 3 + 16 * 4 * 3 * 4 + 2 * 2 * 4 * 5 + 5 * 3
    assert lesson.multiplications(classifier, 12, 12) == 2700 + 768 + 80 + 15
    # 13 x 14 at every pixel: 11 x 12 places of 27, pooled 10 x 11, then 8 x 9 of 48, pooled 6 x 7, then 2 x 3 of 80 + 15
    network = lesson.to_fully_convolutional(classifier, every_pixel=True)
    assert lesson.multiplications(network, 13, 14) == 11 * 12 * 27 + 8 * 9 * 48 + 2 * 3 * 95


# Softmax and cross entropy.


@given(SEEDS, st.floats(0.1, 1000))
def test_softmax_sums_to_one_and_ignores_a_common_shift(seed, scale):
    scores = scale * np.random.default_rng(seed).normal(size=(3, 4, 5))
    logs = lesson.log_softmax(scores)
    assert np.allclose(np.exp(logs).sum(axis=-1), 1)
    assert np.allclose(logs, lesson.log_softmax(scores + 7), atol=1e-8 * scale)


def test_cross_entropy_of_equal_scores_is_the_logarithm_of_the_classes():
    assert np.isclose(lesson.cross_entropy(np.zeros((2, 2, 5)), np.array([[0, 4], [1, 2]])), np.log(5))


@given(SEEDS)
@settings(max_examples=20)
def test_gradient_of_cross_entropy_is_softmax_minus_truth(seed):
    rng = np.random.default_rng(seed)
    scores, truth, direction = rng.normal(size=(2, 3, 4)), rng.integers(0, 4, (2, 3)), rng.normal(size=(2, 3, 4))
    gradient = (np.exp(lesson.log_softmax(scores)) - np.eye(4)[truth]) / truth.size
    step = 1e-5 * direction
    slope = (lesson.cross_entropy(scores + step, truth) - lesson.cross_entropy(scores - step, truth)) / 2e-5
    assert np.isclose(slope, (gradient * direction).sum(), atol=1e-7)


def test_truth_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"expected a truth of shape \(4, 5\)"):
        lesson.cross_entropy(np.zeros((4, 5, 3)), np.zeros((5, 4), int))


# Sizes.


@given(st.integers(1, 30), KERNELS, STRIDES, st.one_of(PADDINGS, st.integers(0, 2)))
def test_size_down_is_what_tensorflow_gives(size, kernel, stride, padding):
    amount = padding if isinstance(padding, int) else 0
    if padding != "SAME" and size + 2 * amount < kernel:
        with pytest.raises(ValueError, match="does not fit into"):
            lesson.size_down(size, kernel, stride, padding)
        return
    x, weights = np.zeros((1, size + 2 * amount, 1)), np.ones((kernel, 1, 1))
    theirs = tf.nn.conv1d(x, weights, stride, "VALID" if isinstance(padding, int) else padding)
    assert lesson.size_down(size, kernel, stride, padding) == theirs.shape[1]


@given(st.integers(1, 30), KERNELS, STRIDES, st.integers(0, 2))
def test_way_up_leads_to_a_size_that_goes_down_to_the_same(size, kernel, stride, padding):
    if (size - 1) * stride + kernel - 2 * padding < 1:
        with pytest.raises(ValueError, match=f"padding {padding} cuts off all"):
            lesson.size_up(size, kernel, stride, padding)
        return
    assert lesson.size_down(lesson.size_up(size, kernel, stride, padding), kernel, stride, padding) == size


@given(st.integers(1, 12), KERNELS, STRIDES, st.sampled_from(["SAME", "VALID", "same", "valid"]))
def test_size_up_is_what_keras_gives(size, kernel, stride, padding):
    x, weights = np.zeros((1, size, 1)), np.zeros((kernel, 1, 1))
    theirs = keras.ops.conv_transpose(x, weights, stride, padding.lower())
    assert lesson.size_up(size, kernel, stride, padding) == theirs.shape[1]


@pytest.mark.parametrize("size_of", [lesson.size_down, lesson.size_up])
@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"size": 0}, "the size should be a whole number of at least 1, got 0"),
        ({"kernel": 2.5}, "the kernel should be a whole number of at least 1, got 2.5"),
        ({"stride": 0}, "the stride should be a whole number of at least 1, got 0"),
        ({"stride": True}, "the stride should be .* got True"),
        ({"padding": -1}, "the padding should be 'VALID', 'SAME', or a whole number of at least 0, got -1"),
        ({"padding": "full"}, "the padding should be .* got 'FULL'"),
        ({"padding": 0.5}, "the padding should be .* got 0.5"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(size_of, bad, words):
    with pytest.raises(ValueError, match=words):
        size_of(**({"size": 5, "kernel": 3} | bad))


@pytest.mark.parametrize("chain", [[(0, 1)], [(3, 0)], [(3, 1), (2.0, 2)]])
def test_receptive_field_refuses_what_is_no_layer(chain):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        lesson.receptive_field(chain)


def test_receptive_field_of_small_chains():
    assert lesson.receptive_field([]) == (1, 1)
    assert lesson.receptive_field([(3, 1), (3, 1)]) == (5, 1)  # 1 + 2 + 2
    assert lesson.receptive_field([(3, 1), (2, 2), (3, 1)]) == (8, 2)  # 1 + 2 + 1 + 2 * 2


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 2)), min_size=1, max_size=3))
@settings(max_examples=30)
def test_receptive_field_is_where_one_output_has_a_gradient(chain):
    field, step = lesson.receptive_field(chain)
    x = tf.Variable(np.zeros((1, field + step, 1)))  # room for two outputs
    with tf.GradientTape() as tape:
        y = x
        for kernel, stride in chain:
            y = tf.nn.conv1d(y, np.ones((kernel, 1, 1)), stride, "VALID")
        second = y[0, 1, 0]
    assert y.shape[1] >= 2
    touched = np.flatnonzero(tape.gradient(second, x)[0, :, 0])
    assert touched[0] == step
    assert touched[-1] == step + field - 1


# Unpooling.


def pictures(seed, rows, columns, size, channels=2):
    shape = (rows * size, columns * size, channels)
    return (
        np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape) + 1.0
    )  # no two are equal, none is 0


@given(SEEDS, SIDES, SIDES, st.integers(1, 3))
def test_pooling_undoes_each_unpooling(seed, rows, columns, size):
    x = pictures(seed, rows, columns, 1)
    assert np.array_equal(lesson.max_pool_with_positions(lesson.unpool_nearest(x, size), size)[0], x)
    assert np.array_equal(lesson.max_pool_with_positions(lesson.unpool_bed_of_nails(x, size), size)[0], x)
    assert np.array_equal(lesson.unpool_bed_of_nails(x, size)[::size, ::size], x)


@given(SEEDS, SIDES, SIDES, st.integers(1, 3))
def test_max_unpooling_keeps_the_largest_of_each_square_in_place(seed, rows, columns, size):
    x = pictures(seed, rows, columns, size)
    pooled, positions = lesson.max_pool_with_positions(x, size)
    up = lesson.max_unpool(pooled, positions, x.shape)
    assert (up != 0).sum() == pooled.size
    assert np.array_equal(up[up != 0], x[up != 0])
    assert np.array_equal(lesson.max_pool_with_positions(up, size)[0], pooled)


@given(SEEDS, SIDES, SIDES)
@settings(max_examples=20)
def test_pool_and_positions_equal_tensorflow(seed, rows, columns):
    x = pictures(seed, rows, columns, 2)
    values, positions = lesson.max_pool_with_positions(x)
    theirs, places = tf.nn.max_pool_with_argmax(x[None].astype(np.float32), 2, 2, "VALID")
    assert np.array_equal(values, theirs[0])
    assert np.array_equal(positions, places[0])


@pytest.mark.parametrize("shape", [(5, 4, 1), (4, 7, 1)])
def test_sizes_that_pooling_does_not_divide_are_refused(shape):
    with pytest.raises(ValueError, match=f"got {shape[0]} x {shape[1]}: pad or crop"):
        lesson.max_pool_with_positions(np.zeros(shape))


@pytest.mark.parametrize("bad", [-1, 16])
def test_positions_out_of_range_are_refused(bad):
    positions = np.array([[[0], [2]], [[8], [bad]]])
    with pytest.raises(ValueError, match="holds 0 to 15: give the shape before pooling"):
        lesson.max_unpool(np.ones((2, 2, 1)), positions, (4, 4, 1))


def test_positions_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="don't match"):
        lesson.max_unpool(np.ones((2, 2, 1)), np.zeros((2, 2, 2), int), (4, 4, 1))


# Convolution and transposed convolution.


@given(SEEDS, SIDES, SIDES, KERNELS, STRIDES, PADDINGS, st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=60)
def test_transposed_convolution_equals_tensorflow(seed, rows, columns, side, stride, padding, into, out):
    rng = np.random.default_rng(seed)
    x, kernel = rng.normal(size=(rows, columns, into)), rng.normal(size=(side, side, out, into))
    ours = lesson.transposed_convolution(x, kernel, stride, padding)
    assert ours.shape == keras.ops.conv_transpose(x[None], kernel, stride, padding.lower()).shape[1:]
    assert np.allclose(ours, tf.nn.conv2d_transpose(x[None], kernel, [1, *ours.shape], stride, padding)[0])


@given(SEEDS, st.integers(5, 8), KERNELS, STRIDES, st.integers(0, 2))
@settings(max_examples=40)
def test_convolution_equals_tensorflow(seed, size, side, stride, padding):
    rng = np.random.default_rng(seed)
    x, kernel = rng.normal(size=(size, size + 1, 2)), rng.normal(size=(side, side, 2, 3))
    pads = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
    theirs = tf.nn.conv2d(np.pad(x[None], pads), kernel, stride, "VALID")[0]
    assert np.allclose(lesson.convolution(x, kernel, stride, padding), theirs)


@given(SEEDS, SIDES, KERNELS, STRIDES, st.integers(0, 2))
@settings(max_examples=60)
def test_transposed_convolution_is_the_adjoint_of_convolution(seed, rows, side, stride, padding):
    rng = np.random.default_rng(seed)
    kernel, y = rng.normal(size=(side, side, 2, 3)), rng.normal(size=(rows, rows + 1, 3))
    if (rows - 1) * stride + side - 2 * padding < 1:
        return
    up = lesson.transposed_convolution(y, kernel, stride, padding)
    x = rng.normal(size=up.shape)
    assert up.shape[0] == lesson.size_up(rows, side, stride, padding)
    assert np.isclose((lesson.convolution(x, kernel, stride, padding) * y).sum(), (x * up).sum())


@given(SEEDS, st.integers(4, 6), st.integers(1, 4), STRIDES, st.integers(0, 1))
@settings(max_examples=30)
def test_matrix_is_the_convolution_and_its_transpose_the_gradient(seed, size, side, stride, padding):
    rng = np.random.default_rng(seed)
    x, kernel = rng.normal(size=(size, size, 1)), rng.normal(size=(side, side, 1, 2))
    matrix = lesson.convolution_matrix(x.shape, kernel, stride, padding)
    y = lesson.convolution(x, kernel, stride, padding)
    assert np.allclose(matrix @ x.ravel(), y.ravel())
    weights, step = rng.normal(size=y.shape), 1e-6 * rng.normal(size=x.shape)
    moved = [(lesson.convolution(x + sign * step, kernel, stride, padding) * weights).sum() for sign in (1, -1)]
    assert np.isclose((moved[0] - moved[1]) / 2e-6, (matrix.T @ weights.ravel()) @ step.ravel() / 1e-6, atol=1e-5)


def test_stamps_of_a_small_case_add_up():
    x = np.array([[1.0, 2.0]])[..., None]
    up = lesson.transposed_convolution(x, np.ones((3, 3, 1, 1)), stride=2)[..., 0]
    assert np.array_equal(up, [[1, 1, 3, 2, 2]] * 3)  # the stamps share one column: 1 + 2


@pytest.mark.parametrize("shape", [(3, 3, 1, 3), (3, 2, 1, 2), (3, 3)])
def test_kernel_that_does_not_fit_is_refused(shape):
    with pytest.raises(
        ValueError, match=r"expected a square kernel \(k, k, out, in\) for 2 channels in, got the shape"
    ):
        lesson.transposed_convolution(np.zeros((2, 2, 2)), np.zeros(shape))
    with pytest.raises(
        ValueError, match=r"expected a square kernel \(k, k, in, out\) for 2 channels in, got the shape"
    ):
        lesson.convolution(np.zeros((4, 4, 2)), np.zeros(shape))


@pytest.mark.parametrize(("stride", "padding", "words"), [(0, 0, "stride"), (1, "full", "padding"), (2, -1, "padding")])
def test_strides_and_paddings_that_make_no_sense_are_refused(stride, padding, words):
    x, kernel = np.zeros((4, 4, 1)), np.zeros((3, 3, 1, 1))
    for function in (lesson.convolution, lesson.transposed_convolution):
        with pytest.raises(ValueError, match=f"the {words} should be"):
            function(x, kernel, stride, padding)


def test_padding_may_be_written_in_small_letters():
    x, kernel = np.random.default_rng(0).normal(size=(3, 4, 1)), np.ones((5, 5, 1, 1))
    for word in ("same", "valid"):
        ours = lesson.transposed_convolution(x, kernel, 2, word)
        assert np.array_equal(ours, lesson.transposed_convolution(x, kernel, 2, word.upper()))


def test_convolution_takes_no_word_for_its_padding():
    with pytest.raises(ValueError, match="here a number of zeros"):
        lesson.convolution(np.zeros((4, 4, 1)), np.zeros((3, 3, 1, 1)), padding="SAME")


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", range(1, 8))
def test_stamps_are_even_where_the_stride_divides_the_kernel(kernel, stride):
    stamps = lesson.stamps_at(kernel, stride)
    assert (np.ptp(stamps) == 0) == (kernel % stride == 0)
    assert np.isclose(stamps[: 3 * stride, : 3 * stride].mean(), (kernel / stride) ** 2)


@pytest.mark.parametrize("stride", [2, 4])
def test_bilinear_stamps_keep_a_ramp_straight(stride):
    ramp = np.arange(8.0)[None, :, None] * np.ones((8, 1, 1))
    up = lesson.transposed_convolution(ramp, lesson.bilinear_kernel(stride)[..., None, None], stride, "SAME")[..., 0]
    inside = up[2 * stride : -2 * stride, 2 * stride : -2 * stride]
    assert np.allclose(np.diff(inside, axis=1), 1 / stride)
    assert np.allclose(np.diff(inside, axis=0), 0)


# The layers and the network.


def test_unpooling_layer_equals_numpy_for_each_picture_of_a_batch():
    x = np.random.default_rng(0).normal(size=(3, 6, 4, 2)).astype(np.float32)
    up = np.asarray(lesson.MaxUnpool2D()(lesson.MaxPoolWithPositions2D()(x)))
    for one, found in zip(x, up, strict=True):
        assert np.array_equal(found, lesson.max_unpool(*lesson.max_pool_with_positions(one), one.shape))


def test_gradient_of_the_unpooling_layer_by_finite_differences():
    rng = np.random.default_rng(0)
    positions = lesson.MaxPoolWithPositions2D()(rng.normal(size=(2, 4, 4, 2)).astype(np.float32))[1]
    x = tf.Variable(rng.normal(size=(2, 2, 2, 2)).astype(np.float32))
    weights = rng.normal(size=(2, 4, 4, 2)).astype(np.float32)
    layer = lesson.MaxUnpool2D()

    def value(shift=0.0):
        return tf.reduce_sum(layer([x + shift, positions]) ** 2 * weights)

    with tf.GradientTape() as tape:
        result = value()
    direction = rng.normal(size=x.shape).astype(np.float32)
    slope = (value(0.01 * direction) - value(-0.01 * direction)) / 0.02  # exact for a square
    assert np.isclose(slope, (np.asarray(tape.gradient(result, x)) * direction).sum(), rtol=1e-3)


@pytest.mark.parametrize("bad", [-1, 0, 32])
def test_unpooling_layer_refuses_positions_outside_of_their_squares(bad):
    positions = np.full((2, 2, 2, 2), bad, np.int64)
    with pytest.raises(tf.errors.InvalidArgumentError, match="positions lie outside of their squares"):
        lesson.MaxUnpool2D()([np.ones((2, 2, 2, 2), np.float32), positions])


def test_unpooling_layer_refuses_positions_of_an_odd_width():
    x, positions = tf.nn.max_pool_with_argmax(np.random.default_rng(0).random((1, 6, 7, 1), np.float32), 2, 2, "VALID")
    with pytest.raises(tf.errors.InvalidArgumentError, match="of even sides"):
        lesson.MaxUnpool2D()([x, positions])


@pytest.mark.parametrize("way", ["nothing", "positions", "skips"])
@pytest.mark.parametrize("shape", [(1, 60, 64, 1), (1, 64, 36, 1)])
def test_network_refuses_sides_that_do_not_halve_three_times(way, shape):
    with pytest.raises(ValueError, match="expected even sides, got"):
        lesson.encoder_decoder(way)(np.zeros(shape, np.float32))


def test_unpooling_layer_refuses_positions_of_another_level():
    with pytest.raises(ValueError, match="take those of the pooling at this level"):
        lesson.MaxUnpool2D()([keras.Input((4, 4, 2)), keras.Input((4, 4, 3), dtype="int64")])


# Keras 3.15 reads a variable with np.asarray(variable, copy=...), which NumPy 2 warns of.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning")
@pytest.mark.parametrize("way", ["nothing", "positions", "skips"])
def test_network_keeps_the_size_learns_and_comes_back_from_its_file(way, tmp_path):
    keras.utils.set_random_seed(0)
    model = lesson.encoder_decoder(way, classes=3, filters=(4, 4), middle=4)
    x = np.random.default_rng(0).normal(size=(2, 16, 24, 1)).astype(np.float32)
    truth = (x[..., 0] > 0).astype(int)
    assert model(x).shape == (2, 16, 24, 3)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    losses = model.fit(x, truth, epochs=15, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded(x), model(x))


# FCN-32s, 16s and 8s.


def features(rng):
    return [rng.normal(size=(1, 64 // n, 64 // n, c)).astype(np.float32) for n, c in ((8, 320), (4, 112), (2, 40))]


@pytest.mark.parametrize(("finest", "used"), [(32, 1), (16, 2), (8, 3)])
def test_fcn_uses_the_maps_down_to_its_finest_stride(finest, used):
    keras.utils.set_random_seed(0)
    model, maps = lesson.fcn(finest), features(np.random.default_rng(0))
    before = np.asarray(model(maps))
    assert before.shape == (1, 64, 64, 5)
    for number in range(3):
        changed = [each + (place == number) for place, each in enumerate(maps)]
        assert np.allclose(model(changed), before) == (number >= used)


@pytest.mark.parametrize(("stride", "used"), [(32, 0), (16, 1), (8, 2)])
def test_a_stride_alone_uses_its_own_map_only(stride, used):
    keras.utils.set_random_seed(0)
    model, maps = lesson.fcn(stride, coarsest=stride), features(np.random.default_rng(0))
    for number in range(3):
        changed = [each + (place == number) for place, each in enumerate(maps)]
        assert np.allclose(model(changed), model(maps)) == (number != used)


def test_a_finest_stride_above_the_coarsest_is_refused():
    with pytest.raises(ValueError, match="not above the coarsest, got 16, 8"):
        lesson.fcn(16, coarsest=8)


@pytest.mark.parametrize("finest", [4, 64, "8s"])
def test_fcn_of_another_stride_is_refused(finest):
    with pytest.raises(ValueError, match="the finest stride should be 32, 16, or 8"):
        lesson.fcn(finest)


def test_ceiling_is_one_for_single_pixels_and_falls_with_the_cells():
    truth = lesson.load_scenes(10, size=64, classes=(0, 1, 3, 4), digits=(3, 5), sides=(18, 26)).class_maps
    tops = [lesson.ceiling(truth, cell) for cell in (1, 2, 4, 8)]
    assert tops[0] == 1
    assert all(finer > coarser + 0.05 for finer, coarser in pairwise(tops))


def test_enlarging_begins_as_bilinear_interpolation_of_each_class():
    x = np.random.default_rng(0).normal(size=(1, 6, 6, 3)).astype(np.float32)
    up = np.asarray(lesson.enlarge(keras.ops.convert_to_tensor(x), 2))[0]
    theirs = np.asarray(tf.image.resize(x, (12, 12), "bilinear"))[0]
    assert np.allclose(up[2:-2, 2:-2], theirs[2:-2, 2:-2], atol=1e-5)


@pytest.mark.parametrize("stride", [3, 0, 2.0])
def test_bilinear_kernel_of_no_even_stride_is_refused(stride):
    with pytest.raises(ValueError, match=r"even stride|whole number"):
        lesson.bilinear_kernel(stride)


def test_features_want_sides_that_come_out_whole():
    with pytest.raises(ValueError, match="sides that 8 divides, got 60 x 64"):
        lesson.features_of(None, np.zeros((1, 60, 64), np.uint8))


@pytest.mark.parametrize("bad", [{"epochs": 0}, {"epochs": 1.5}, {"epochs": 1, "batch": 0}])
def test_training_refuses_epochs_and_batches_below_one(bad):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        lesson.fit(None, np.zeros(4), np.zeros(4), **bad)


def test_after_each_epoch_what_was_asked_for_is_called():
    calls, x = [], np.zeros((4, 2), np.float32)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    lesson.fit(model, x, np.zeros(4, int), epochs=3, batch=2, after_epoch=[lambda: calls.append(1)])
    assert len(calls) == 3


# The heat map, and checkerboards.


def test_heat_is_the_share_of_the_classes_at_each_cell():
    scores = np.random.default_rng(0).normal(size=(2, 3, 5))
    warmth = lesson.heat(lambda _: scores[None], np.zeros((64, 96, 3), np.uint8), [1, 4])
    expected = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    assert np.allclose(warmth, expected[..., [1, 4]].sum(axis=-1), atol=1e-6)


def test_heat_of_a_gray_picture_is_refused():
    with pytest.raises(ValueError, match=r"pictures \(N, H, W, 3\)"):
        lesson.heat(None, np.zeros((64, 64), np.uint8), [0])


def test_copies_and_a_convolution_leave_a_flat_map_flat_and_stamps_do_not():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        assert lesson.unevenness(lesson.enlarged_flat(0, rng, True)) < 1e-9
        assert lesson.unevenness(lesson.enlarged_flat(3, rng, True)) > 0.1


def test_unevenness_of_a_checkerboard():
    board = np.indices((16, 16)).sum(axis=0) % 2
    assert lesson.unevenness(2.0 * board) == pytest.approx(np.sqrt(0.5))
    assert lesson.unevenness(2.0 * board - 1) == 1
    assert lesson.unevenness(np.full((16, 16), 3.0)) == 0


def test_unknown_way_up_is_refused():
    with pytest.raises(ValueError, match="'nothing', 'positions', or 'skips', and not 'ladder'"):
        lesson.encoder_decoder("ladder")


def test_networks_in_the_figure_are_those_that_the_benchmark_measured():
    lesson_file = notebooks.lessons(wanted=("05",))[0]
    source = next(source for source in lesson_file.sources() if "\nmeasured = {" in source)
    assignment = next(node for node in ast.parse(source).body if isinstance(node, ast.Assign))
    results = json.loads((notebooks.FOLDER.parent / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    rows = {row[0]: row[1:3] for row in results["fully_convolutional"]["rows"]}
    drawn = ast.literal_eval(assignment.value)
    for way, (early, late) in drawn.items():
        at_24, at_9 = (
            tuple(map(float, re.findall(r"0\.\d+", text)))
            for text in rows[f"decoder with {way}, mean IoU after 24 epochs"]
        )
        assert (at_9, at_24) == (early, late)
    ahead = sum(ours > theirs for ours, theirs in zip(drawn["positions"][1], drawn["nothing"][1], strict=True))
    words = {2: "two seeds of three", 3: "every seed"}[ahead]
    text = "\n".join(cell.source for cell in lesson_file.cells)
    assert f"*positions* are ahead of *nothing* with {words}" in text
    assert min(drawn["skips"][1]) > max(drawn["positions"][1])  # "*skips* lead with every seed"


def test_scores_of_the_skips_in_the_text_match_the_benchmark():
    text = "\n".join(cell.source for cell in notebooks.lessons(wanted=("05",))[0].cells if cell.cell_type == "markdown")
    results = json.loads((notebooks.FOLDER.parent / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    rows = {row[0]: row for row in results["fully_convolutional"]["rows"]}

    def spread(name):
        scores = [
            round(float(score), 2) for score in rows[f"{name}, frozen backbone, mean IoU after 8 epochs"][1].split(", ")
        ]
        low, high = f"{min(scores):.2f}", f"{max(scores):.2f}"
        return low if low == high else f"{low} to {high}"

    assert f"stride 16 alone gets {spread('stride 16 alone')} and FCN-16s {spread('FCN-16s')}" in text
    assert f"Stride 8 alone gets {spread('stride 8 alone')}, and FCN-8s {spread('FCN-8s')}" in text
    change = rows["FCN-32s, frozen backbone, mean IoU after 16 epochs"][3]
    assert float(change.removeprefix("changes by ")) < 0.02 and "twice the epochs add less than 0.02" in text
