"""What lesson 06 defines: the U-Net's sizes, tiles without seams, elastic deformation, what separates objects, the judges."""

import ast
import contextlib
import json
import re
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks import bench_initialization
from course_utils import lesson, notebooks, tensorflow_start
from course_utils.notebooks import definitions

tensorflow_start.start_tensorflow()

import keras  # noqa: E402 - after the quiet start
import tensorflow as tf  # noqa: E402

from course_utils.datasets import carvana, nuclei  # noqa: E402
from course_utils.datasets._cars import render  # noqa: E402

unet = definitions("06_unet")


def crops_of(model):
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Cropping2D)]
    return [(layer.input.shape[1], layer.output.shape[1]) for layer in layers]


def test_paper_network_has_the_papers_sizes():
    paper = unet.unet((64, 128, 256, 512, 1024), outputs=2, size=572)
    assert paper.output.shape == (None, 388, 388, 2)
    assert crops_of(paper) == [(64, 56), (136, 104), (280, 200), (568, 392)]
    assert max(channels for *_, channels in unet.stations(paper)) == 1024
    assert [level for _, level, *_ in unet.stations(paper)][-1] == 0


def test_weights_are_counted_as_by_hand():
    # 3x3: 1*4*9+4 and 4*4*9+4; bottom 4*8*9+8, 8*8*9+8; up 8*4*4+4; 8*4*9+4, 4*4*9+4; 1x1: 4+1
    count = 40 + 148 + 296 + 584 + 132 + 292 + 148 + 5
    assert unet.unet((4, 8), size=20).count_params() == count


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 300), st.integers(1, 5))
def test_fitting_size_is_the_smallest_that_the_model_returns(wanted, levels):
    size, result = unet.fitting_size(wanted, levels)
    assert unet.unet((1,) * levels, size=size).output.shape[1] == result >= wanted
    assert result - 2 ** (levels - 1) < wanted or result <= 2 ** (levels - 1)  # the next smaller one is a block smaller


def test_padded_network_keeps_the_size_with_and_without_skips():
    for skips in (True, False):
        assert unet.car_network(skips)(np.zeros((2, 32, 48, 3))).shape == (2, 32, 48, 1)
    assert unet.car_network(False).count_params() < unet.car_network(True).count_params()


@pytest.fixture(scope="module")
def valid():
    keras.utils.set_random_seed(0)
    return unet.unet((2, 3, 4))  # takes 40 pixels, in blocks of 4


def whole_of(model, picture, margin=20):
    """One pass over the mirrored picture; its sides are multiples of 4, so it fits."""
    padded = np.pad(picture, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")
    return np.asarray(model(padded[None]))[0]


@settings(max_examples=8, deadline=None)
@given(st.integers(8, 12), st.integers(8, 12), st.integers(2, 9), st.integers(0, 2))
def test_tiles_in_whole_blocks_equal_the_whole(valid, rows, columns, blocks, overlap):
    picture = np.random.default_rng(rows * columns).random((4 * rows, 4 * columns, 1))
    tile = 4 * blocks
    step = max(tile - 4 * overlap, 4)
    tiled = unet.predict_in_tiles(valid, picture, tile, 20, step)
    assert tiled.shape == picture.shape
    assert np.allclose(tiled, whole_of(valid, picture), atol=1e-5)


def test_tiles_out_of_step_with_the_blocks_do_not_equal_the_whole(valid):
    picture = np.random.default_rng(0).random((80, 80, 1))
    difference = np.abs(unet.predict_in_tiles(valid, picture, 40, 20, 38) - whole_of(valid, picture))
    assert difference[:38, :38].max() < 1e-5
    assert difference[40:, 40:].max() > 1e-3


def direct_weights(instances, w0, sigma):
    """The formula, pixel by pixel and object by object."""
    weights = np.ones(instances.shape)
    for place in np.argwhere(instances == 0):
        distances = sorted(
            np.linalg.norm(np.argwhere(instances == name) - place, axis=1).min()
            for name in np.unique(instances[instances > 0])
        )
        weights[tuple(place)] += w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))
    return weights


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 20), st.floats(1, 9))
def test_weights_equal_a_direct_computation(seed, w0, sigma):
    rng = np.random.default_rng(seed)
    instances = np.where(rng.random((9, 11)) < 0.3, rng.integers(1, 5, (9, 11)), 0)
    instances[0, :2] = 1, 2  # two objects at least
    found = unet.boundary_weights(instances, w0, sigma)
    assert np.allclose(found, direct_weights(instances, w0, sigma))


def test_weights_are_one_without_a_neighbour_and_on_objects():
    single = np.zeros((6, 6), int)
    single[2:4, 2:4] = 7
    assert (unet.boundary_weights(single) == 1).all()
    assert (unet.boundary_weights(np.zeros((3, 3), int)) == 1).all()
    # two columns of background between: d1 + d2 = 3 there, 10 exp(-9 / 50) = 8.353
    assert np.allclose(unet.boundary_weights(np.array([[1, 0, 0, 2]])), [[1, 9.353, 9.353, 1]], atol=1e-3)


def test_no_spread_leaves_layers_as_they_are():
    layers = np.dstack(unet.cells(np.random.default_rng(0), size=40, count=3))
    places = unet.elastic_places(np.random.default_rng(0), layers.shape[:2], spread=0)
    assert (unet.deform(layers, places) == layers).all()


def test_displacements_are_the_coarse_grids_at_its_nine_points():
    places = unet.elastic_places(np.random.default_rng(3), (21, 41), spread=10)
    moves = places - np.mgrid[:21, :41]
    assert np.allclose(moves[:, ::10, ::20], np.random.default_rng(3).normal(0, 10, (2, 3, 3)))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_picture_and_truth_bend_in_step_and_no_new_value_appears(seed):
    rng = np.random.default_rng(seed)
    _, instances = unet.cells(rng, size=60, count=4)
    bent = unet.deform(np.dstack([instances * 10, instances]), unet.elastic_places(rng, instances.shape))
    assert set(np.unique(bent[..., 1])) <= set(np.unique(instances))
    assert (bent[..., 0] == 10 * bent[..., 1]).all()


def test_bent_noise_is_as_strong_as_before():
    noise = np.random.default_rng(0).normal(0, 60, (128, 128, 1))
    bent = unet.deform(noise, unet.elastic_places(np.random.default_rng(1), (128, 128)))
    assert bent.std() == pytest.approx(60, rel=0.05)


def test_cells_are_numbered_and_parted_by_background():
    gray, instances = unet.cells(np.random.default_rng(1))
    assert gray.shape == instances.shape == (140, 140)
    assert gray.dtype == np.uint8
    across = np.stack([instances[:, :-1], instances[:, 1:]])
    assert ((across[0] == across[1]) | (across == 0).any(axis=0)).all()


def test_found_objects_are_counted():
    truth = np.zeros((5, 12), int)
    truth[1:4, 1:4], truth[1:4, 5:8], truth[1:4, 9:11] = 1, 2, 3
    assert unet.count_found(truth > 0, truth) == 3
    merged = truth > 0
    merged[2, 4] = True  # a bridge of one pixel: 19 pixels, of which 9 are either cell's
    assert unet.count_found(merged, truth) == 1
    assert unet.count_found(np.zeros_like(truth), truth) == 0
    half = truth == 3
    half[:, 10] = False  # 3 of 6 pixels: an IoU of one half is not above one half
    assert unet.count_found(half, truth) == 0


def test_found_objects_are_counted_in_numbered_pieces_too():
    truth = np.zeros((5, 12), int)
    truth[1:4, 1:4], truth[1:4, 4:7] = 1, 2  # they touch
    assert unet.count_found(truth > 0, truth) == 0
    assert unet.count_found(truth, truth) == 2


def test_touching_discs_are_split_at_their_waist_and_others_left_whole():
    rows, columns = np.mgrid[:40, :90]
    discs = [np.hypot(rows - 20, columns - x) <= 12 for x in (15, 36, 70)]
    pieces = unet.split_at_waists(np.any(discs, axis=0))
    assert pieces.max() == 3
    assert unet.count_found(pieces, discs[0] + 2 * (discs[1] & ~discs[0]) + 3 * discs[2]) == 3
    assert not unet.split_at_waists(np.zeros((9, 9), bool)).any()


def test_gaps_part_what_touches_along_sides_and_nothing_else():
    labels = np.array([[1, 1, 2, 2, 0, 3], [1, 1, 1, 0, 0, 3], [0, 0, 0, 4, 4, 3]])
    parted = unet.with_gaps(labels)
    across = [(parted[:, 1:], parted[:, :-1]), (parted[1:], parted[:-1])]
    assert all(((a == b) | (a == 0) | (b == 0)).all() for a, b in across)
    assert parted.tolist() == [[1, 0, 0, 2, 0, 3], [1, 1, 0, 0, 0, 3], [0, 0, 0, 4, 0, 0]]


def test_wrong_pixels_are_counted_near_the_outline_only():
    masks = np.zeros((1, 20, 20, 1), np.uint8)
    masks[0, 5:15, 5:15] = 1
    exact = np.where(masks > 0, 1.0, -1.0)
    assert unet.wrong_near_outline(exact, masks) == 0
    assert unet.wrong_near_outline(-exact, masks) == 1
    far = exact.copy()
    far[0, 0, 0], far[0, 9:11, 9:11] = 1, -1  # a corner of the picture and the middle of the square
    assert unet.wrong_near_outline(far, masks) == 0


def test_blended_tiles_of_a_network_without_context_equal_the_whole():
    image = keras.Input((None, None, 1))
    model = keras.Model(image, keras.layers.Conv2D(2, 1)(image))
    picture = np.random.default_rng(0).random((37, 50, 1))
    for step in (3, 16):
        blended = unet.blend_tiles(model, picture, 16, step)
        assert np.allclose(blended, np.asarray(model(picture[None]))[0], atol=1e-5)


def test_small_network_starts_anew_and_forgets():
    trainee = unet.Trainee(
        lambda: unet.unet((2, 3), padding="same"), lambda truth, answer: keras.ops.mean((truth - answer) ** 2)
    )
    batch = np.random.default_rng(0).random((2, 2, 8, 8, 1), dtype=np.float32)
    ends = []
    for _ in range(2):
        unet.restart(trainee, 1)
        unet.learn(trainee, lambda: tuple(batch), 3, 3)
        ends.append(trainee.model(batch[0]).numpy())
    assert np.allclose(*ends)
    unet.learn(trainee, lambda: tuple(batch), 3, 3)
    assert not np.allclose(ends[0], trainee.model(batch[0]).numpy())


def test_small_network_takes_another_size_without_compiling_anew():
    trainee = unet.Trainee(lambda: unet.unet((2, 3), padding="same"), unet.weighted_loss)
    for side in (8, 12, 16):
        batch = np.ones((2, side, side, 1)), np.ones((2, side, side, 2))
        unet.learn(trainee, lambda batch=batch: batch, 1, 1)
    assert trainee.run.experimental_get_tracing_count() == 1


def test_crops_cover_the_picture_and_few_are_the_first_of_many():
    layers = np.arange(512 * 237).reshape(512, 237, 1)
    for seed in (0, 1):
        crops = unet.crops_of(layers, 48, seed)
        assert {crop.shape for crop in crops} == {(64, 64, 1)}
        assert len(np.unique(np.concatenate(crops))) == layers.size
        assert all((a == b).all() for a, b in zip(unet.crops_of(layers, 4, seed), crops, strict=False))
    assert (unet.crops_of(layers, 1, 0)[0] != unet.crops_of(layers, 1, 1)[0]).any()


def test_learning_from_few_leaves_the_rate_as_it_was():
    learner = unet.Trainee(lambda: unet.unet((2, 3), padding="same"), unet.weighted_loss, rate=0.25)
    halves = nuclei.split_nuclei(nuclei.load_nuclei())
    found = unet.learn_from_few(learner, halves, 1, True, 4.0, 0, plan=((20, 1e-2),))
    assert float(learner.optimizer.learning_rate) == 0.25
    assert len(found) == 1 and 0 <= found[0] <= 1
    again = unet.learn_from_few(learner, halves, 1, True, 4.0, 0, plan=((20, 1e-2),))
    assert again == pytest.approx(found, abs=1e-3)


def rows_of(part):
    results = json.loads((notebooks.FOLDER.parent / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    return {row[0]: row for row in results[part]["rows"]}


def values_beside(name):
    """The literals that the lesson assigns in the cell that assigns `name`."""
    source = next(source for source in notebooks.lessons(wanted=("06",))[0].sources() if f"\n{name} = {{" in source)
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    values = {}
    for node in nodes:
        with contextlib.suppress(ValueError):  # it is computed
            values[ast.unparse(node.targets[0])] = ast.literal_eval(node.value)
    return values


def test_curves_in_the_figure_are_those_that_the_benchmark_measured():
    values, rows = values_beside("measured"), rows_of("few_pictures")
    counts = values["counts"]
    for way, curve in values["measured"].items():
        for count, starts in zip(counts, curve, strict=True):
            what = f"{count} crop{'s' * (count > 1)} {way}, Dice after 160 steps"
            assert rows[what][1] == ", ".join(f"{dice:.3f}" for dice in starts)


def test_lines_with_and_without_skips_match_the_benchmark():
    values, rows = values_beside("along"), rows_of("skips_and_encoder")
    for k, measure in enumerate(("Dice", "wrong near the outline")):
        for j, steps in enumerate(values["checked"]):
            row = rows[f"small U-Net, {measure} after {steps} steps"]
            ours, theirs = (
                ", ".join(f"{value:.3f}" for value in values["along"][kind][k][j]) for kind in ("with skips", "without")
            )
            assert (row[1], row[2]) == (ours, f"without skips {theirs}")
    ahead = np.mean(values["along"]["with skips"][0], axis=1) - np.mean(values["along"]["without"][0], axis=1)
    assert (ahead > 0).all() and ahead[-1] < 0.01
    assert "On average, skips are ahead all the way, but after 480 steps by less than 0.01" in "".join(
        cell.source for cell in notebooks.lessons(wanted=("06",))[0].cells
    )


TOUCHING = {
    "mask": ("plain", "mask"),
    "higher threshold": ("plain", "higher threshold"),
    "weight map": ("weighted", "mask"),
    "both": ("weighted", "higher threshold"),
    "watershed on mask": ("plain", "watershed"),
}


def test_touching_objects_found_are_those_that_the_benchmark_counted():
    values, rows = values_beside("found_counts"), rows_of("touching")
    for data_set, found in values["found_counts"].items():
        assert list(found) == list(TOUCHING)
        for way, counts in found.items():
            loss, name = TOUCHING[way]
            for steps, starts in zip(values["lengths"][data_set], counts, strict=True):
                row = rows[f"{data_set}, {loss} loss, {name}: found after {steps} steps"]
                assert row[1] == ", ".join(map(str, starts))


def test_shares_of_nuclei_in_the_text_are_those_that_the_benchmark_counted():
    text = notebooks.lessons(wanted=("06",))[0].path.read_text(encoding="utf-8")
    share = {
        way: np.mean(counts[1]) / 63 for way, counts in values_beside("found_counts")["found_counts"]["nuclei"].items()
    }
    assert rows_of("touching")["nuclei, plain loss, mask: found after 640 steps"][2] == "of 63"
    for words in (
        f"the weight map ends at {share['weight map']:.0%}",
        f"a higher threshold at {share['higher threshold']:.0%}",
        f"both together at {share['both']:.0%}",
        f"The watershed on the plain mask ends at {share['watershed on mask']:.0%}",
    ):
        assert words in text


def test_losses_from_each_kind_of_weights_match_the_benchmark():
    values, rows = values_beside("trained_from"), rows_of("initialization")
    names = ["deviation 0.002", "deviation 0.02", "deviation 0.05", "Glorot", "He", "deviation 0.5"]
    for name, both in zip(names, values["trained_from"].values(), strict=True):
        for out, losses in zip(("", "out"), both, strict=True):
            row = rows[f"U-Net with{out} batch normalization, {name}: loss after 240 steps"]
            assert row[1] == ", ".join(f"{loss:.3f}" for loss in losses)


def test_losses_in_the_text_are_those_that_the_benchmark_measured():
    rows, text = rows_of("initialization"), notebooks.lessons(wanted=("06",))[0].path.read_text(encoding="utf-8")
    assert len(bench_initialization.RATES) == 2 and "the better of two learning rates" in text
    for kind, words in (
        ("out batch normalization, He", "He's weights end at {} to {}"),
        ("out batch normalization, deviation 0.02", "a deviation of 0.02 at {} to {}"),
        (" batch normalization, deviation 0.02", "0.02 still ends at {} to {}"),
    ):
        assert words.format(*spread(rows[f"U-Net with{kind}: loss after 240 steps"][1], 3)) in text


def test_normalization_in_one_operation_is_keras_own():
    rng = np.random.default_rng(0)
    x, weights = (rng.normal(2, 3, (4, 24, 36, 5)).astype(np.float32) for _ in range(2))
    found = []
    for kind in (keras.layers.BatchNormalization, unet.FusedBatchNormalization):
        layer = kind(momentum=0.9)
        layer.build(x.shape)
        layer.gamma.assign(np.arange(1, 6))
        layer.beta.assign(np.arange(5))
        given = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(given)
            value = tf.reduce_sum(weights * layer(given, training=True) ** 2)
        gradients = tape.gradient(value, [given, layer.gamma.value, layer.beta.value])
        found.append([layer(x, training=True), *gradients, layer.moving_mean, layer.moving_variance, layer(x)])
    for theirs, ours in zip(*found, strict=True):
        theirs = np.asarray(theirs)
        assert np.allclose(theirs, ours, rtol=2e-3, atol=1e-3 * np.abs(theirs).max())


def test_pairs_that_the_text_counts_are_those_that_the_benchmark_measured():
    rows = rows_of("few_pictures")
    names = [f"{count} crop{'s' * (count > 1)}" for count in (1, 2, 4)]
    starts = {
        way: [rows[f"{name} {way}, Dice after 160 steps"][1].split(", ") for name in names]
        for way in ("as they are", "bent")
    }
    gain = np.array(starts["bent"], float) - np.array(starts["as they are"], float)
    text = notebooks.lessons(wanted=("06",))[0].path.read_text(encoding="utf-8")
    assert (
        f"bending helped in {(gain > 0).sum()} of {gain.size} pairs of starts, by {gain.mean():.3f} on average" in text
    )


def spread(text, digits=2):
    """The lowest and the highest of the scores in a cell of the benchmark's table, rounded."""
    scores = [float(score) for score in re.findall(r"(?<![\d.])0\.\d{3}(?!\d)", text)]
    assert len(scores) == 3
    return f"{min(scores):.{digits}f}", f"{max(scores):.{digits}f}"


def test_scores_in_the_text_are_those_that_the_benchmark_measured():
    text = "\n".join(cell.source for cell in notebooks.lessons(wanted=("06",))[0].cells if cell.cell_type == "markdown")
    row = rows_of("skips_and_encoder")["small U-Net, Dice after 480 steps"]
    for name, scores in (("with skips", row[1]), ("without", row[2])):
        assert f"| {name} | {' | '.join(spread(scores, 3))} |" in text


def span(text):
    low, high = spread(text)
    return low if low == high else f"{low}\N{EN DASH}{high}"


def test_table_of_the_encoder_holds_what_the_benchmark_measured():
    text = "\n".join(cell.source for cell in notebooks.lessons(wanted=("06",))[0].cells if cell.cell_type == "markdown")
    dots = "{}, dots of {} classes, frozen encoder, mean IoU after {} CPU s of training"
    car = "one car, frozen encoder, Dice after {} CPU s of training"
    rows, cars, later = rows_of("photographs"), rows_of("skips_and_encoder"), []
    for name, classes in (("coffee", 4), ("astronaut", 3)):
        scores = [span(cell) for cell in rows[dots.format(name, classes, 2)][1:4]]
        assert f"| {name}, 2 s | {' | '.join(scores)} |" in text
        later.append(span(rows[dots.format(name, classes, 8)][2]))
    scores = [span(cell) for cell in cars[car.format(1.5)][1:3]]
    assert f"| cars, 1.5 s | {' | '.join(scores)} | |" in text
    later.append(span(cars[car.format(6)][2]))
    assert f"Four times the time brings the U-Net to {later[0]}, {later[1]}, and {later[2]}" in text
    for what in (dots.format("coffee", 4, 2), dots.format("astronaut", 3, 2)):
        (worst, _), (_, best) = (spread(cell, 3) for cell in rows[what][1:3])
        assert float(worst) > float(best)  # so the text may say that the encoder beats the U-Net


def test_dots_are_labeled_in_every_class_and_nowhere_else():
    picture, truth = unet.with_classes("coffee")
    assert picture.shape == (200, 296, 3) and truth.shape == (200, 296)
    assert picture.dtype == truth.dtype == np.uint8
    labeled = unet.dots(truth, np.random.default_rng(0))
    assert set(truth[labeled]) == {0, 1, 2, 3}
    single = unet.dots(truth, np.random.default_rng(0), count=1, radius=0)
    assert np.bincount(truth[single]).tolist() == [1, 1, 1, 1]
    assert 0.03 < labeled.mean() < 0.05


def test_cells_and_dots_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="100 cells don't fit into 60 x 60 pixels"):
        unet.cells(np.random.default_rng(0), size=60, count=100)
    with pytest.raises(ValueError, match="class 1 has 3 pixels, too few for 12 dots"):
        unet.dots(np.repeat([0, 1], [61, 3]).reshape(8, 8), np.random.default_rng(0))


def test_bending_takes_layers_and_nothing_else():
    with pytest.raises(ValueError, match=r"expected an array of numbers \(H, W, C\)"):
        unet.deform(np.zeros((8, 8)), unet.elastic_places(np.random.default_rng(0), (8, 8)))
    assert np.isfinite(unet.elastic_places(np.random.default_rng(0), (1, 8))).all()


def test_pixels_without_a_label_have_no_loss():
    rng = np.random.default_rng(0)
    truth, logits = np.zeros((1, 4, 4, 3), np.float32), rng.normal(size=(1, 4, 4, 3)).astype(np.float32)
    truth[0, 0, 0, 2] = truth[0, 3, 1, 0] = 1
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = -(log_p[0, 0, 0, 2] + log_p[0, 3, 1, 0]) / 2
    assert float(unet.loss_of_labeled(truth, logits)) == pytest.approx(expected, rel=1e-5)
    logits[0, 2, 2] += 5
    assert float(unet.loss_of_labeled(truth, logits)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("classes", [1, 4])
def test_decoder_gives_a_logit_per_class_at_the_size_of_the_picture(classes):
    maps = [np.zeros((2, 64 // stride, 96 // stride, count)) for stride, count in ((2, 24), (4, 40), (8, 112))]
    assert unet.decoder(classes)(maps).shape == (2, 64, 96, classes)


def test_encoder_refuses_sides_that_its_strides_do_not_divide():
    with pytest.raises(ValueError, match="sides that 8 divides, got 60 x 64"):
        unet.features_of(None, np.zeros((1, 60, 64, 3), np.uint8))


def test_rival_and_judge_of_the_photograph():
    truth = np.repeat([[0] * 5 + [1] * 5], 8, axis=0).astype(np.uint8)
    picture = np.repeat(truth[..., None] * np.uint8(200), 3, axis=-1)
    labeled = np.zeros(truth.shape, bool)
    labeled[::3] = True
    assert (unet.by_color_and_place(picture, truth, labeled) == truth).all()
    assert unet.mean_iou(truth, truth, labeled) == 1
    assert unet.mean_iou(np.zeros_like(truth), truth, labeled) == 0.25  # an IoU of 1/2 and one of 0


def test_full_scale_of_the_lesson_trains_on_files_as_large_as_carvanas(real_layout, monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "full")
    source = next(each for each in notebooks.lessons(wanted=("06",))[0].sources() if "\nsteps = lesson.choose" in each)
    data, asked = carvana.load_carvana(cars=None, folder=real_layout), {}
    learning = data.select([*range(len(data))] * 3)

    def train(model, part, size, steps, batch):
        asked.update(size=size, steps=steps, batch=batch)
        return unet.train(model, part, size, steps=2, checks=2, batch=2)

    names = {"lesson": lesson, "data": data, "keras": keras, "learning": learning}
    exec(source, names | {"car_network": unet.car_network, "train": train}, found := {})
    assert asked == {"size": (512, 768), "steps": 10_000, "batch": 8}
    assert np.isfinite(found["losses"]).all()
    images, masks = carvana.arrays(data.select([0]), asked["size"])
    logits = unet.logits_of(found["model"], images)
    assert logits.shape == masks.shape == (1, 512, 768, 1)
    assert np.isfinite(unet.judge(logits, masks)).all()
    assert 0 <= unet.wrong_near_outline(logits, masks) <= 1


def test_dice_loss_is_one_minus_dice_for_sure_logits():
    truth = (np.random.default_rng(0).random((2, 8, 8, 1)) < 0.4).astype(np.float32)
    assert float(unet.dice_loss(truth, 80 * truth - 40)) == pytest.approx(0, abs=1e-6)
    shifted = np.roll(truth, 1, axis=2)
    expected = 1 - unet.judge(80 * shifted - 40, truth.astype(np.uint8))[1]
    assert float(unet.dice_loss(truth, 80 * shifted - 40)) == pytest.approx(expected, abs=1e-5)


def test_weighted_loss_with_weights_of_one_is_the_cross_entropy():
    rng = np.random.default_rng(0)
    truth, logits = (
        (rng.random((2, 4, 4, 1)) < 0.5).astype(np.float32),
        rng.normal(0, 3, (2, 4, 4, 1)).astype(np.float32),
    )
    expected = float(np.mean(keras.losses.BinaryCrossentropy(from_logits=True)(truth, logits)))
    both = np.concatenate([truth, np.ones_like(truth)], axis=-1)
    assert float(unet.weighted_loss(both, logits)) == pytest.approx(expected, rel=1e-5)
    both[..., 1] = 3
    assert float(unet.weighted_loss(both, logits)) == pytest.approx(3 * expected, rel=1e-5)


def test_chapters_network_has_the_weights_of_its_listing():
    down = [3, 64, 64, 128, 128, 256, 256, 512, 512, 1024, 1024]
    up = [1024, 1024, 512, 256, 128]
    pairs = [*pairwise(down), *pairwise(up)]
    by_hand = sum(9 * before * after + after for before, after in pairs) + 128 + 1  # 3 x 3 and biases; then 1 x 1
    assert unet.chapter_network().count_params() == by_hand == 34_475_585


def test_gradient_shows_which_pixels_count():
    convolution = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 3, padding="same")])
    found = unet.gradient_of_pixel(convolution, np.ones((2, 9, 9, 3)), 4, 5)
    assert {tuple(place) for place in np.argwhere(found > 0)} == {(y, x) for y in (3, 4, 5) for x in (4, 5, 6)}


def test_small_weights_lose_the_signal_and_he_keeps_it():
    picture = np.random.default_rng(0).random((1, 32, 32, 3)).astype(np.float32)
    he = unet.signal_variance(keras.initializers.HeNormal(seed=0), picture)
    small = unet.signal_variance(keras.initializers.RandomNormal(stddev=0.02, seed=0), picture)
    assert len(he) == len(small) == 10
    assert 0.05 < he[-1] / he[0] < 20
    assert small[-1] < 1e-3 * small[0]


def test_judge_counts_pixels_and_takes_logits():
    masks = np.zeros((2, 4, 4, 1), np.uint8)
    masks[:, :2] = 1
    logits = np.where(masks == 1, 2.0, -1.0)
    loss, dice, iou = unet.judge(logits, masks)
    assert (dice, iou) == (1, 1)
    assert loss == pytest.approx((np.log1p(np.exp(-2)) + np.log1p(np.exp(-1))) / 2)
    assert unet.judge(logits, masks, threshold=-1.5)[1:] == pytest.approx(
        (2 / 3, 1 / 2)
    )  # 32 predicted, 16 of them true
    assert unet.judge(logits, masks, threshold=2.5)[1:] == (0, 0)
    masks[1] = 0  # 16 predicted, 8 of them true: Dice 16 / 24, IoU 8 / 16
    assert unet.judge(logits, masks)[1:] == pytest.approx((2 / 3, 1 / 2))


@pytest.mark.parametrize("count", [1, 16, 17, 35])
def test_logits_come_in_batches_and_in_order(count):
    model = unet.car_network(channels=(2, 4))
    pictures = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    assert np.allclose(unet.logits_of(model, pictures), model(pictures / np.float32(255)), atol=1e-5)


def test_full_size_dice_is_one_for_the_truth_itself():
    truth = np.zeros((1, 320, 480), np.uint8)
    truth[:, 100:200, 100:300] = 1
    assert unet.full_size_dice(truth, truth, 0.5) == 1
    assert 0.98 < unet.full_size_dice(truth[:, ::4, ::4], truth, 0.5) < 1  # the truth made smaller is not exact


@pytest.fixture
def real_layout(tmp_path):
    """Three cars of two views each, as large as Carvana's pictures and named as they are."""
    for part in ("train", "train_masks"):
        (tmp_path / part).mkdir()
    for seed in range(3):
        for view in (3, 6):
            picture, mask = render.render_car(seed, view, size=(160, 240))
            name = f"{render.name_of(seed)}_{view:02d}"
            large = cv2.resize(picture, (1918, 1280), interpolation=cv2.INTER_LINEAR)
            Image.fromarray(large).save(tmp_path / "train" / f"{name}.jpg")
            values = cv2.resize(mask.astype(np.uint8), (1918, 1280), interpolation=cv2.INTER_NEAREST)
            indices = Image.fromarray(values, "P")
            indices.putpalette([0, 0, 0, 255, 255, 255])
            indices.save(tmp_path / "train_masks" / f"{name}_mask.gif")
    return tmp_path


def test_lessons_chain_runs_on_files_as_large_as_carvanas(real_layout):
    data = carvana.load_carvana(cars=None, folder=real_layout)
    assert not data.is_fallback
    known, unseen = data.split_by_car(validation=0.34)
    assert not set(known.cars) & set(unseen.cars)
    images, masks = carvana.arrays(unseen, 32)
    assert 0.05 < masks.mean() < 0.4
    keras.utils.set_random_seed(0)
    model = unet.car_network(channels=(4, 8))
    losses = unet.train(model, data.select([*range(len(data))] * 3), 32, 4, checks=2)
    assert len(losses) == 2
    assert np.isfinite(unet.judge(unet.logits_of(model, images), masks)).all()
