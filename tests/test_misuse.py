"""Functions that a lesson invites to use on one's own data answer in one sentence, before a library's traceback."""

import re

import numpy as np
import pytest

from course_utils import tensorflow_start
from course_utils.notebooks import definitions

tensorflow_start.start_tensorflow()
import keras  # noqa: E402 - after the silent start

fcn, unet = definitions("05_fully_convolutional"), definitions("06_unet")
X, KERNEL = np.ones((3, 4, 2)), np.ones((3, 3, 1, 2))
ODD = np.zeros((1, 6, 7, 1), np.float32)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: fcn.transposed_convolution(X, KERNEL, 2, "half"),
            "padding 'valid', 'same' or a number of pixels, .*'HALF'",
        ),
        (lambda: fcn.transposed_convolution(X, KERNEL, 0), "a stride from 1"),
        (lambda: fcn.transposed_convolution(X, KERNEL, 2, -1), "got .* -1"),
        (lambda: fcn.transposed_convolution(X[..., :1], KERNEL), r"expected x \(H, W, 2\)"),
        (lambda: fcn.transposed_convolution(X[..., 0], KERNEL), r"got \(3, 4\)"),
        (lambda: fcn.max_pool_with_positions(np.ones((5, 4, 1))), "multiples of 2, got 5 x 4"),
        (lambda: fcn.MaxPoolWithPositions2D()(ODD), "expected even sides, got 6 x 7"),
        (
            lambda: fcn.encoder_decoder("positions")(np.zeros((1, 60, 60, 1), np.float32)),
            "expected even sides, got 15 x 15",
        ),
        (lambda: fcn.encoder_decoder("stairs"), "'stairs'"),
        (lambda: unet.unet((8, 16, 32), size=90, padding="same"), "halved 2 times, got 90: 88 is near"),
        (lambda: unet.predict_in_tiles(keras.Sequential(), ODD[0], 4, 1, 5), "step from 1 to 4.* got 5"),
        (lambda: unet.predict_in_tiles(keras.Sequential(), ODD[0], 4, 1, 0), "got 0"),
        (lambda: unet.train(unet.unet((4, 8)), None, 16, steps=3), "at least as many steps as the 5 checks, got 3"),
    ],
)
def test_misuse_is_named_in_one_sentence(call, words):
    with pytest.raises(ValueError, match=words) as caught:
        call()
    # Keras puts a line about the layer before it, and its arguments after it.
    assert len([line for line in str(caught.value).splitlines() if re.search(words, line)]) == 1


@pytest.mark.parametrize("spelling", ["SAME", "same", "Same", "VALID", "valid"])
def test_padding_is_understood_in_any_spelling(spelling):
    found = fcn.transposed_convolution(X, KERNEL, 2, spelling)
    assert np.array_equal(found, fcn.transposed_convolution(X, KERNEL, 2, spelling.upper()))
    assert found.shape == ((6, 8, 1) if spelling.upper() == "SAME" else (7, 9, 1))
