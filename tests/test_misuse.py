"""Functions that a lesson invites to use on one's own data answer in one sentence, before a library's traceback."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from course_utils import tensorflow_start
from course_utils.notebooks import definitions

tensorflow_start.start_tensorflow()
import keras  # noqa: E402 - after the silent start

fcn, unet = definitions("05_fully_convolutional"), definitions("06_unet")
proposals, detectors = definitions("08_region_proposals"), definitions("09_faster_rcnn")
games, gan = definitions("10_minimax_games"), definitions("11_gan")
saving, serving = definitions("12_saving"), definitions("13_serving")
X, KERNEL = np.ones((3, 4, 2)), np.ones((3, 3, 1, 2))
ODD = np.zeros((1, 6, 7, 1), np.float32)


def bytes_of(*shape):
    return np.zeros(shape, np.uint8)


def scenes_of(boxes, labels):
    return SimpleNamespace(images=bytes_of(len(boxes), 32, 32), boxes=boxes, labels=labels)


def small_gan(**options):
    return gan.Gan(*gan.small_pair(2, 2), **options)


POINTS = np.ones((9, 2), np.float32)
FLOATS, SHARES = np.full((1, 32, 32), 0.5), np.array([0.25, 0.75])
BOX = np.array([[2.0, 2, 20, 20]])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        # Pictures of dtype float were divided by 255 once more, and came out black.
        (
            lambda: fcn.as_input(FLOATS),
            r"pictures \(N, H, W\) of dtype uint8, .* got the shape \(1, 32, 32\) and float64",
        ),
        (lambda: fcn.as_input(bytes_of(1, 4, 4, 3)), r"got the shape \(1, 4, 4, 3\)"),
        (lambda: fcn.as_input([[1, 2]]), "and list"),
        (lambda: fcn.as_input(np.zeros((1, 4, 4), np.uint16)), "and uint16"),
        (lambda: fcn.windows_of(bytes_of(40, 50)), r"numbers \(H, W, C\), got ndarray of shape \(40, 50\)"),
        (lambda: fcn.max_pool_with_positions([[[1]]]), "got list"),
        (lambda: fcn.cross_entropy(np.zeros((2, 3)), np.array([0, 3])), "classes from 0 to 2, got .* 0 to 3"),
        (lambda: fcn.cross_entropy(np.zeros((2, 3)), np.array([0, -1])), "-1 to 0"),
        (lambda: fcn.cross_entropy(np.zeros((2, 3)), np.array([0, 0.7])), "classes from 0 to 2"),
        (
            lambda: fcn.classes_of(fcn.encoder_decoder("nothing"), bytes_of(1, 60, 60)),
            "sides that 8 divides, got 60 x 60",
        ),
        (lambda: fcn.classes_of(fcn.encoder_decoder("skips"), bytes_of(1, 64, 66)), "got 64 x 66"),
        (
            lambda: fcn.train_network(fcn.encoder_decoder("skips"), SimpleNamespace(images=bytes_of(1, 60, 60))),
            "got 60 x 60",
        ),
        (
            lambda: unet.logits_of(unet.car_network(channels=(4, 8)), bytes_of(1, 9, 8, 3)),
            "sides that 2 divides, got 9 x 8",
        ),
        (lambda: unet.logits_of(unet.car_network(channels=(4, 8)), bytes_of(1, 8, 8)), r"pictures \(N, H, W, 3\)"),
        (lambda: unet.logits_of(unet.car_network(channels=(4, 8)), bytes_of(1, 8, 8, 4)), r"\(1, 8, 8, 4\)"),
        (lambda: unet.logits_of(unet.car_network(channels=(4, 8)), np.ones((1, 8, 8, 3))), "float64"),
        (lambda: unet.boundary_weights(FLOATS[0]), "numbers of objects .* float64"),
        (lambda: unet.boundary_weights(bytes_of(2, 4, 4)), r"\(2, 4, 4\)"),
        (lambda: unet.predict_in_tiles(keras.Sequential(), bytes_of(9, 9), 4, 1, 2), r"\(H, W, C\)"),
        (lambda: unet.train(unet.unet((4, 8)), None, 16, steps=3, checks=0), "the 0 checks"),
        (lambda: proposals.selective_search(FLOATS[0]), "this has the shape .* float64"),
        (lambda: proposals.selective_search(bytes_of(1, 9)), "at least 2 x 2"),
        (lambda: proposals.selective_search([[1]]), "list"),
        (
            lambda: proposals.selective_search(bytes_of(9, 9), scales=(0,)),
            "a tuple of scales above 0, smallest and thinnest above 0",
        ),
        (lambda: proposals.selective_search(bytes_of(9, 9), smooth=-1), "smooth of at least 0"),
        (lambda: proposals.selective_search(bytes_of(9, 9), strategies=(1, 1, 1, 1)), "four weights each"),
        (lambda: proposals.warp(bytes_of(8, 8, 4), BOX), r"the shape \(8, 8, 4\)"),
        (lambda: proposals.warp(FLOATS[0], BOX), "is float64"),
        (lambda: proposals.train_rcnn(scenes_of([BOX[:0]], [[]]), None), "picture 0 has 0 boxes and 0 labels"),
        (lambda: proposals.train_rcnn(scenes_of([BOX], [[3, 4]]), None), "1 boxes and 2 labels"),
        (lambda: proposals.train_rcnn(scenes_of([BOX], [[3]]), None), r"all classes from 0 to 9, got \[3\]"),
        (lambda: detectors.OneStage().detect(FLOATS[0]), "is float64"),
        (lambda: detectors.FasterRCNN().detect(bytes_of(64, 64, 4)), r"the shape \(64, 64, 4\)"),
        (lambda: detectors.check_set(bytes_of(2, 8, 8), [BOX], [[0]], 1), "pictures of one size"),
        (
            lambda: detectors.check_set(bytes_of(1, 32, 32), [BOX], [[2]], 2),
            "expected one whole number from 0 to 1 per box",
        ),
        (lambda: detectors.check_set(bytes_of(1, 32, 32), [BOX], [[0.5]], 2), "expected one whole number from 0 to 1"),
        (lambda: detectors.check_set(bytes_of(1, 32, 32), [BOX], [["cell"]], 2), r"the labels \['cell'\]"),
        (lambda: detectors.check_set(bytes_of(1, 32, 32), [BOX], [0], 2), "1 boxes and the labels"),
        (lambda: detectors.check_set(bytes_of(1, 32, 32), [BOX], None, 2), "N arrays of boxes and labels"),
        (lambda: detectors.check_set(list(bytes_of(2, 32, 32)), [BOX] * 2, [[0]] * 2, 2), r"np.stack\(pictures\)"),
        (lambda: detectors.check_set(bytes_of(1, 32, 32), [[[9, 9, 9.4, 20]]], [[0]], 2), "less than a pixel wide"),
        (
            lambda: detectors.check_set(bytes_of(1, 32, 32), [BOX], [[0]], ["cell"]),
            r"classes as a whole number .* \['cell'\]",
        ),
        (
            lambda: detectors.check_set(bytes_of(1, 32, 32), [BOX], [[0]], 1, steps=0),
            "steps as a whole number from 1, got 0",
        ),
        (
            lambda: detectors.check_memory(np.broadcast_to(np.uint8(0), (40, 3000, 4000, 3))),
            "would fill 7 GB.* smaller",
        ),
        (lambda: detectors.check_picture(bytes_of(8, 8).astype(np.uint16)), r"16 bits with \(image // 257\)"),
        (lambda: detectors.check_picture(bytes_of(8, 8), least=0.1, overlap=3), "overlap from 0 to 1, got 3"),
        (lambda: detectors.check_picture(bytes_of(8, 8), least=np.nan), "least from 0 to 1, got nan"),
        (lambda: detectors.check_set(bytes_of(1, 8, 8), [BOX], [[0]], 1), "lies outside the picture of 8 x 8"),
        (lambda: detectors.check_set(bytes_of(1, 8, 8), [BOX[:0]], [[]], 1), "nothing to learn"),
        (lambda: games.game_value([0.5, 0.5], [0.5, 0.5], [1.0]), "probabilities of the same outcomes"),
        (lambda: games.best_discriminator([0.5, 0.5], [1.0]), "same outcomes"),
        (lambda: games.jensen_shannon([-0.5, 1.5], SHARES), "each summing to 1"),
        (lambda: games.jensen_shannon([np.nan, 1], SHARES), "each summing to 1"),
        (lambda: games.jensen_shannon(SHARES, [0.1, 0.2, 0.7]), "same outcomes"),
        (lambda: games.safest_mix([[1, 2], [3]]), "rows of numbers, all equally long"),
        (lambda: gan.train(small_gan(), np.ones((9, 2)), 1), "float32 data .* of float64"),
        (lambda: gan.train(small_gan(), np.ones((9, 2), np.uint8), 1), "of uint8"),
        (lambda: gan.train(small_gan(), np.ones((9, 3), np.float32), 1), r"data \(N, 2\), got \(9, 3\)"),
        (lambda: gan.train(small_gan(), [[1.0, 2.0]], 1), "of list"),
        (lambda: gan.train(small_gan(), POINTS[:0], 1), r"got \(0, 2\)"),
        (lambda: gan.train(small_gan(), np.full((9, 2), np.nan, np.float32), 1), "finite"),
        (lambda: gan.train(small_gan(), POINTS, 1, k=0), "k as a whole number of at least 1, got 0"),
        (lambda: gan.train(small_gan(), POINTS, 1, batch=0), "batch as a whole number"),
        (lambda: gan.train(small_gan(), POINTS, 0), "steps as a whole number"),
        (lambda: gan.train(small_gan(), POINTS, 1, generator_steps=1.5), "generator_steps .* got 1.5"),
        (lambda: gan.train(small_gan(), POINTS, 1, np.ones((9, 3))), r"labels \(9, 0\), .* got \(9, 3\)"),
        # Digits from 0 to 255 trained without a word, and no digit came out.
        (lambda: gan.train(gan.recipe_gan(), np.full((9, 28, 28, 1), 255, np.float32), 1), "-1 to 1, got 255 to 255"),
        (lambda: gan.train(gan.recipe_gan(), bytes_of(9, 28, 28), 1), "of uint8: as_input makes them"),
        (lambda: gan.train(small_gan(), keras.ops.convert_to_tensor(POINTS), 1), "expected a NumPy array"),
        (lambda: gan.draw_samples(small_gan().generator, [7, 7]), r"\(N, C\), got \(2,\): one_hot makes"),
        (lambda: gan.one_hot([3, 10]), "whole numbers from 0 to 9"),
        (lambda: gan.one_hot([0.5]), "whole numbers from 0 to 9"),
        (lambda: gan.one_hot("7"), "whole numbers from 0 to 9"),
        (lambda: gan.as_input(FLOATS), "float64"),
        (lambda: saving.save_arrays(None, {"file": X}), "an .npz file can't hold 'file': give it another name"),
        (lambda: saving.save_arrays(None, {"allow_pickle": X}), "'allow_pickle'"),
        (lambda: saving.save_arrays(None, {"": X}), "can't hold ''"),
        (lambda: saving.save_arrays(None, {"steps": [None, "a"]}), "can't hold 'steps'"),
        (lambda: saving.batch_at(0, 100), "at least 128 digits, which make one batch, got 100"),
        (lambda: serving.write_png(FLOATS), "uint8"),
        (
            lambda: fcn.transposed_convolution(X, KERNEL, 2, "half"),
            "the padding should be .* got 'HALF'",
        ),
        (lambda: fcn.transposed_convolution(X, KERNEL, 0), "the stride should be a whole number of at least 1, got 0"),
        (lambda: fcn.transposed_convolution(X, KERNEL, 2, -1), "at least 0, got -1"),
        (lambda: fcn.transposed_convolution(X[..., :1], KERNEL), r"a square kernel .* for 1 channels in"),
        (lambda: fcn.transposed_convolution(X[..., 0], KERNEL), r"shape \(3, 4\)"),
        (lambda: fcn.max_pool_with_positions(np.ones((5, 4, 1))), "multiples of 2, got 5 x 4"),
        (lambda: fcn.MaxPoolWithPositions2D()(ODD), "expected even sides, got 6 x 7"),
        (
            lambda: fcn.encoder_decoder("positions")(np.zeros((1, 60, 60, 1), np.float32)),
            "expected even sides, got 15 x 15",
        ),
        (lambda: fcn.encoder_decoder("stairs"), "'stairs'"),
        (lambda: fcn.encoder_decoder("nothing")(np.zeros((1, 60, 60, 1), np.float32)), "got 15 x 15"),
        (lambda: fcn.size_up(1, 1, 1, 3), "padding 3 cuts off all"),
        (lambda: fcn.size_down(4, 3, 0), "the stride should be a whole number of at least 1, got 0"),
        (lambda: fcn.slide(None, X, step=0), "the step should be a whole number of at least 1, got 0"),
        (lambda: fcn.unpool_nearest(X, 0), "of at least 1, got 0"),
        (lambda: unet.unet((8, 16, 32), size=90, padding="same"), "halved 2 times, got 90: 88 is near"),
        (lambda: unet.unet((8, 16, 32), size=570), "halved 2 times on the way down, got 570: 572 is near"),
        (lambda: unet.unet((8, 16, 32), size=8), "got 8: 32 is near"),
        (lambda: unet.unet((8, 16), padding="mirror"), "'same' or 'valid', got 'mirror'"),
        (lambda: unet.unet(()), "number of channels"),
        (lambda: unet.fitting_size(0), "at least 1 pixel"),
        (lambda: unet.blend_tiles(None, ODD[0], 4, 5), "step from 1 to 4"),
        (lambda: unet.blend_tiles(None, ODD[0], 8, 4), "no smaller than a tile"),
        (lambda: unet.predict_in_tiles(unet.unet((2, 3)), ODD[0], 4, 9, 4), "returns 4 of 22 pixels, it returns 6"),
        (lambda: unet.judge(np.zeros((1, 2, 2, 1)), bytes_of(1, 2, 2)), "masks of 0 and 1 as large as the logits"),
        (lambda: unet.judge(np.zeros((1, 2)), np.array([[0, 255]])), "values up to 255"),
        (lambda: unet.cells(np.random.default_rng(0), count=0), "at least 2 cells"),
        (lambda: unet.predict_in_tiles(keras.Sequential(), ODD[0], 4, 1, 5), "step from 1 to 4.* got 5"),
        (lambda: unet.predict_in_tiles(keras.Sequential(), ODD[0], 4, 1, 0), "got 0"),
        (lambda: unet.train(unet.unet((4, 8)), None, 16, steps=3), "at least as many steps as the 5 checks, got 3"),
    ],
)
def test_misuse_is_named_in_one_sentence(call, words):
    with pytest.raises((ValueError, TypeError), match=words) as caught:
        call()
    # Keras puts a line about the layer before it, and its arguments after it.
    assert len([line for line in str(caught.value).splitlines() if re.search(words, line)]) == 1


@pytest.mark.parametrize("spelling", ["SAME", "same", "Same", "VALID", "valid"])
def test_padding_is_understood_in_any_spelling(spelling):
    found = fcn.transposed_convolution(X, KERNEL, 2, spelling)
    assert np.array_equal(found, fcn.transposed_convolution(X, KERNEL, 2, spelling.upper()))
    assert found.shape == ((6, 8, 1) if spelling.upper() == "SAME" else (7, 9, 1))


def test_size_of_a_layer_is_told_in_any_spelling():
    for padding in ("SAME", "same", "Same"):
        assert fcn.size_down(28, 3, 2, padding) == 14
    for padding in ("VALID", "valid", 0):
        assert fcn.size_down(28, 3, 2, padding) == 13


def test_pictures_of_other_sizes_get_boxes_up_to_their_borders():
    """They were cut at 128 pixels."""
    detector = detectors.FasterRCNN()
    boxes, _, scores = detector.detect(bytes_of(160, 160), least=0.0)
    assert len(boxes) == len(scores)
    assert boxes[:, 2:].max() > 128


def test_many_boxes_keep_their_numbers():
    """Numbers of 8 bits ended at 127."""
    boxes = np.array([[8.0 * n, 0, 8.0 * n + 9, 20] for n in range(200)])
    assert detectors.assign_anchors(boxes, boxes, (20, 1700))[1].tolist() == list(range(200))


def test_arrays_under_any_other_name_come_back(tmp_path):
    arrays = {"optimizer/0": np.arange(3), "../up": np.ones(2), "größe": np.zeros(1), "a.npy": np.eye(2), "self": X}
    saving.save_arrays(tmp_path / "a.npz", arrays)
    found = saving.load_arrays(tmp_path / "a.npz")
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in arrays.items()
    }
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
