"""What lesson 11 defines: losses against Keras, slopes against their formulas, steps that move one player, labels, and the referees."""

import ast
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import distance
from scipy.special import expit

from benchmarks import bench_gan
from course_utils import notebooks, tensorflow_start
from course_utils.datasets.mnist import load_mnist
from course_utils.exercises import gan as exercises
from course_utils.notebooks import definitions

tensorflow_start.start_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

lesson = definitions("11_gan")
games = definitions("10_minimax_games")
lesson.centers = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)

LOGITS = hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(-30, 30, width=32))
DISTRIBUTIONS = hnp.arrays(np.float64, 5, elements=st.floats(0.05, 1)).map(lambda weights: weights / weights.sum())
SEEDS = st.integers(0, 10_000)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


def small_gan(**options):
    """A Gan on the line that takes milliseconds."""
    return lesson.Gan(*lesson.small_pair(2, 1, width=4), **options)


def line(count=50):
    return np.random.default_rng(0).normal(size=(count, 1)).astype(np.float32)


def no_labels(count):
    return tf.zeros((count, 0))


def weights_of(gan):
    networks = (gan.generator, gan.discriminator, gan.averaged)
    return [weight for network in networks for weight in network.get_weights()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


# The losses


@settings(max_examples=20)
@given(DISTRIBUTIONS, DISTRIBUTIONS)
def test_a_table_learns_the_best_discriminator_only_with_both_terms(p, q):
    assert np.allclose(lesson.learn_table(p, q, 1, 1, steps=4000, rate=4), games.best_discriminator(p, q), atol=1e-3)
    assert (lesson.learn_table(p, q, 0, 1) < 0.01).all()
    assert (lesson.learn_table(p, q, 1, -1) > 0.99).all()


@given(LOGITS, LOGITS)
def test_losses_equal_kerass_cross_entropy_with_labels(real, fake):
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    ones, zeros = np.ones_like(fake), np.zeros_like(fake)
    wanted = entropy(np.ones_like(real), real) + entropy(zeros, fake)
    assert np.isclose(lesson.discriminator_loss(real, fake), wanted, rtol=1e-4, atol=1e-5)
    assert np.isclose(lesson.non_saturating_loss(fake), entropy(ones, fake), rtol=1e-4, atol=1e-5)
    assert np.isclose(lesson.saturating_loss(fake), -entropy(zeros, fake), rtol=1e-4, atol=1e-5)


@given(st.floats(-30, 30))
def test_slopes_are_minus_sigma_and_minus_one_less_sigma(logit):
    assert np.isclose(lesson.slope(lesson.saturating_loss, logit), -expit(logit), atol=1e-6)
    assert np.isclose(lesson.slope(lesson.non_saturating_loss, logit), -expit(-logit), atol=1e-6)


def test_huge_logits_cost_what_they_should():
    assert float(lesson.non_saturating_loss(np.float32([-1000, 1000]))) == 500  # (1000 + 0) / 2
    assert float(lesson.discriminator_loss(np.float32([-1000]), np.float32([1000]))) == 2000
    assert lesson.slope(lesson.non_saturating_loss, -1000.0) == -1


# The networks


def test_pixels_go_from_minus_one_to_one():
    pictures = lesson.as_input(np.array([[[0, 255]]], np.uint8))
    assert pictures.shape == (1, 1, 2, 1)
    assert pictures.ravel().tolist() == [-1, 1]


def test_one_hot_has_a_one_at_each_class():
    assert np.array_equal(lesson.one_hot([3, 0]), np.eye(10)[[3, 0]])
    assert lesson.one_hot(np.array([], int)).shape == (0, 10)


@pytest.mark.parametrize("classes", [0, 10])
def test_the_recipe_draws_in_the_range_of_the_data_with_labels_or_without(classes):
    gan = lesson.recipe_gan(classes)
    labels = np.eye(10, dtype=np.float32)[:3, :classes]
    pictures = lesson.draw_samples(gan.generator, labels)
    assert pictures.shape == (3, 28, 28, 1)
    assert np.abs(pictures).max() <= 1
    assert gan.discriminator([pictures, labels]).shape == (3, 1)


def test_the_discriminators_logit_is_a_projection():
    gan = lesson.recipe_gan()
    x = np.random.default_rng(0).normal(size=(1, 28, 28, 1)).astype(np.float32)
    at = [float(gan.discriminator([x, label])[0, 0]) for label in (np.zeros((1, 10)), *lesson.one_hot([2, 5])[:, None])]
    both = float(gan.discriminator([x, lesson.one_hot([2]) + lesson.one_hot([5])])[0, 0])
    assert not np.isclose(at[1], at[2])
    assert np.isclose(both - at[0], (at[1] - at[0]) + (at[2] - at[0]), atol=1e-4)  # the label enters linearly


@pytest.mark.parametrize(("normalize", "wanted"), [(True, 2), (False, 0)])
def test_normalization_can_be_left_out(normalize, wanted):
    made = lesson.convolutional_generator(normalize=normalize).layers
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in made) == wanted


def test_the_chapters_networks_have_its_numbers_of_weights():
    generator, discriminator = bench_gan.dense_pair()
    assert generator.count_params() == 100 * 150 + 150 + 150 * 300 + 300 + 300 * 784 + 784
    assert discriminator.count_params() == 784 * 300 + 300 + 300 * 150 + 150 + 150 + 1


# The training step


def test_fakes_are_new_at_each_draw_and_the_same_for_the_same_seed():
    first, second, third = small_gan(), small_gan(), small_gan(seed=1)
    for gan in (second, third):
        gan.generator.set_weights(first.generator.get_weights())
    a, b = first.fakes(no_labels(100)), first.fakes(no_labels(100))
    assert not np.array_equal(a, b)
    assert np.array_equal(a, second.fakes(no_labels(100)))
    assert not np.array_equal(a, third.fakes(no_labels(100)))


def test_fakes_depend_on_their_labels_only_through_the_generator():
    generator = keras.Sequential([keras.Input((12,)), keras.layers.Dense(10, use_bias=False)])
    generator.set_weights([np.concatenate([np.zeros((2, 10)), np.eye(10)])])  # forgets the noise, repeats the label
    gan = lesson.Gan(generator, lesson.small_pair(2, 10)[1])
    assert np.array_equal(gan.fakes(lesson.one_hot([4, 9])), np.eye(10)[[4, 9]])


def test_each_update_moves_one_player():
    gan, data = small_gan(), tf.constant(line(8))
    generator, discriminator = gan.generator.get_weights(), gan.discriminator.get_weights()
    lesson.update_discriminator(gan, data, no_labels(8))
    assert same(generator, gan.generator.get_weights())
    assert not same(discriminator, gan.discriminator.get_weights())
    discriminator = gan.discriminator.get_weights()
    lesson.update_generator(gan, no_labels(8), lesson.non_saturating_loss)
    assert not same(generator, gan.generator.get_weights())
    assert same(discriminator, gan.discriminator.get_weights())


def test_a_discriminator_that_plays_alone_tells_data_from_fakes():
    gan, data = small_gan(rates=(0.0, 0.05)), tf.constant(line(8) * 0.1 + 5)
    for _ in range(60):
        lesson.update_discriminator(gan, data, no_labels(8))
    fakes = gan.fakes(no_labels(100))
    assert expit(gan.discriminator([data, no_labels(8)])).min() > 0.9
    assert expit(gan.discriminator([fakes, no_labels(100)])).max() < 0.1


def test_a_generator_that_plays_alone_raises_its_logits():
    gan = small_gan(rates=(0.05, 0.0))
    before = float(tf.reduce_mean(gan.discriminator([gan.fakes(no_labels(200)), no_labels(200)])))
    for _ in range(60):
        lesson.update_generator(gan, no_labels(8), lesson.non_saturating_loss)
    after = float(tf.reduce_mean(gan.discriminator([gan.fakes(no_labels(200)), no_labels(200)])))
    assert after > before + 0.5


def test_the_average_is_kept_as_stated():
    # After the first step 1 / 11 of the old weights is kept, after the second 2 / 12.
    gan = small_gan()
    average = gan.averaged.get_weights()
    assert same(average, gan.generator.get_weights())
    for kept in (1 / 11, 2 / 12):
        lesson.train(gan, line(8), 1, batch=8)
        average = [kept * a + (1 - kept) * w for a, w in zip(average, gan.generator.get_weights(), strict=True)]
        assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(average, gan.averaged.get_weights(), strict=True))


@pytest.mark.parametrize(("k", "generator_steps"), [(3, 1), (1, 2)])
def test_each_player_makes_its_steps(k, generator_steps):
    gan, seen = small_gan(), []
    took = lesson.train(
        gan, line(), 2, k=k, generator_steps=generator_steps, watch=lambda gan: seen.append(gan.steps + 0)
    )
    assert took > 0
    assert [int(step) for step in seen] == [1, 2]
    assert int(gan.optimizers[1].iterations) == 2 * k
    assert int(gan.optimizers[0].iterations) == 2 * generator_steps


def test_a_training_that_is_called_again_goes_on_with_other_batches(monkeypatch):
    gan, data, seeds, default_rng = small_gan(), line(), [], np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: seeds.append(seed) or default_rng(seed))
    lesson.train(gan, data, 3)
    lesson.train(gan, data, 3)
    assert int(gan.steps) == 6
    assert seeds[0] != seeds[1]


def test_the_same_seed_trains_the_same_gan():
    first, second = (lesson.Gan(*lesson.small_pair(2, 1, width=4), seed=3) for _ in range(2))
    for network in ("generator", "discriminator", "averaged"):
        getattr(second, network).set_weights(getattr(first, network).get_weights())
    for gan in (first, second):
        lesson.train(gan, line(), 5)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(weights_of(first), weights_of(second), strict=True))


def test_a_conditional_gan_learns_which_label_is_where():
    # Label 0 means data around -2, label 1 around 2: the generator should draw each on its side.
    rng, classes = np.random.default_rng(0), np.arange(2000) % 2
    data = (4.0 * classes - 2 + rng.normal(0, 0.3, 2000)).astype(np.float32)[:, None]
    labels = np.eye(2, dtype=np.float32)[classes]
    generator, _ = lesson.small_pair(3, 1, width=16)
    points, label = keras.Input((1,)), keras.Input((2,))
    h = keras.layers.Dense(32, "relu")(points)
    logit = keras.layers.Dense(1)(h) + keras.layers.Dot(axes=1)([keras.layers.Dense(2, use_bias=False)(h), label])
    gan = lesson.Gan(generator, keras.Model([points, label], logit), rates=(5e-3, 1e-2))
    lesson.train(gan, data, 400, labels, batch=64)
    left, right = (
        lesson.draw_samples(gan.averaged, np.repeat(row[None], 200, 0)).mean() for row in np.eye(2, dtype=np.float32)
    )
    assert left < -1
    assert right > 1


def test_an_album_keeps_the_averaged_generators_samples():
    gan = small_gan()
    album, watch = lesson.album_of((2, 4), np.zeros((3, 0), np.float32))
    lesson.train(gan, line(), 4, watch=watch)
    assert sorted(album) == [2, 4]
    assert np.array_equal(album[4], lesson.draw_samples(gan.averaged, np.zeros((3, 0), np.float32)))


def test_rows_in_one_hand_share_their_noise():
    generator = keras.Sequential([keras.Input((12,)), keras.layers.Dense(2, use_bias=False)])
    generator.set_weights([np.concatenate([np.eye(2), np.zeros((10, 2))])])  # repeats the noise
    drawn = lesson.in_one_hand(generator, 3).reshape(3, 10, 2)
    assert np.allclose(drawn, drawn[:, :1])
    assert not np.allclose(drawn[0], drawn[1])


def test_samples_come_from_the_same_noise_at_each_call():
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    generator.set_weights([np.eye(2)])
    labels = np.zeros((2000, 0), np.float32)
    samples = lesson.draw_samples(generator, labels)
    assert np.array_equal(samples, lesson.draw_samples(generator, labels))
    assert not np.array_equal(samples, lesson.draw_samples(generator, labels, seed=2))
    assert 0.9 < samples.std() < 1.1


def test_tiles_stand_in_reading_order():
    pictures = np.zeros((6, 28, 28, 1)) + np.arange(6)[:, None, None, None]
    table = lesson.tiled(pictures, 3)
    assert table.shape == (56, 84)
    assert (table[::28, ::28] * 2 - 1).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert lesson.tiled(pictures[:5], 3).shape == (28, 84)  # a last row that is not full is left out


# The referees


def test_the_judge_names_98_of_100_test_digits():
    digits = load_mnist()
    if digits.is_fallback:
        pytest.skip("the stand-in is not MNIST")
    _, guesses = lesson.judged(lesson.train_judge(digits), lesson.as_input(digits.test_images))
    assert np.allclose(guesses.sum(axis=1), 1, atol=1e-4)
    assert np.mean(guesses.argmax(axis=1) == digits.test_labels) >= 0.98


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 4))
def test_coverage_is_what_a_loop_finds(seed, k):
    rng = np.random.default_rng(seed)
    points, by = rng.normal(size=(6, 3)), rng.normal(size=(9, 3))
    inside = []
    for point in points:
        reach = [sorted(np.linalg.norm(by - center, axis=1))[k] for center in by]
        inside.append(any(np.linalg.norm(point - center) < far for center, far in zip(by, reach, strict=True)))
    assert np.isclose(lesson.covered(points, by, k), np.mean(inside))
    assert lesson.covered(by, by, k) == 1


def test_a_generator_with_one_picture_per_class_covers_nothing():
    rng, classes = np.random.default_rng(0), np.repeat(np.arange(10), 30)
    real = rng.normal(size=(300, 5)) + 20 * classes[:, None]
    one_each = real[classes * 30]  # the first of each class, thirty times
    assert lesson.within_classes(one_each, classes, real, classes).tolist() == [1] * 10  # faithful
    assert lesson.within_classes(real, classes, one_each, classes).max() == 0  # but not diverse
    other_class = lesson.within_classes(real, (classes + 1) % 10, real, classes)
    assert other_class.max() == 0


@settings(max_examples=20)
@given(SEEDS)
def test_nearest_neighbors_are_what_scipy_finds(seed):
    rng = np.random.default_rng(seed)
    points, others = rng.normal(size=(5, 16)), rng.normal(size=(9, 16))
    table = distance.cdist(points, others)
    far, number = lesson.nearest(points, others)
    assert np.allclose(far, table.min(axis=1))
    assert np.array_equal(number, table.argmin(axis=1))
    assert np.allclose(lesson.nearest(others, others)[0], 0, atol=1e-6)


@given(SEEDS, st.integers(-1, 1), st.integers(-1, 1))
def test_a_shifted_copy_is_found_and_its_number_too(seed, down, right):
    rng = np.random.default_rng(seed)
    others = rng.normal(size=(5, 28, 28, 1))

    def flat(pictures):
        return pictures.reshape(len(pictures), -1)

    copy = np.roll(others[3:4], (down, right), axis=(1, 2))
    far, number = lesson.nearest_of_all(np.array([flat(moved) for moved in lesson.shifted(copy)]), flat(others))
    assert far[0] < 1e-5
    assert number[0] == 3
    new = lesson.shifted(rng.normal(size=(1, 28, 28, 1)))
    assert lesson.nearest_of_all(np.array([flat(moved) for moved in new]), flat(others))[0] > 10


# What goes wrong


@given(st.sets(st.integers(0, 7)))
def test_modes_found_counts_bumps_that_hold_points(chosen):
    points = np.repeat(lesson.centers[sorted(chosen)], 10, axis=0) if chosen else np.zeros((10, 2))
    assert lesson.modes_found(points) == len(chosen)


def test_the_ring_has_eight_modes_and_a_few_stray_points_are_none():
    points = lesson.ring(2000, np.random.default_rng(0))
    assert lesson.modes_found(points) == 8
    stray = np.concatenate([np.repeat(lesson.centers[:1], 990, axis=0), np.repeat(lesson.centers[1:2], 10, axis=0)])
    assert lesson.modes_found(stray) == 1  # the second holds 1 %


def test_generator_collapses_with_many_steps_and_not_with_one():
    collapsed, fair = lesson.play_on_ring(10, seed=1), lesson.play_on_ring(1, seed=1)
    assert [len(looks) for looks in (collapsed, fair)] == [8, 8]
    assert np.mean([lesson.modes_found(look["fakes"]) for look in collapsed[4:]]) <= 3
    assert lesson.modes_found(fair[-1]["fakes"]) >= 7


def test_a_look_pulls_fakes_to_where_d_is_higher():
    gan = lesson.Gan(*lesson.small_pair(2, 2))
    seen = lesson.look(gan, np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32))
    assert seen["d"].shape == (61, 61)
    along = 1e-2 * seen["pull"] / np.linalg.norm(seen["pull"], axis=1, keepdims=True)
    before, after = (
        gan.discriminator([tf.constant(at), no_labels(20)]) for at in (seen["fakes"], seen["fakes"] + along)
    )
    assert np.mean(after > before) > 0.9


def test_a_penalty_on_the_discriminator_makes_the_smallest_game_converge():
    assert lesson.distance_after(0) > np.sqrt(2)
    assert lesson.distance_after(0.3) < 0.01


# Figures and sentences that quote the benchmark, and the exercise that trains


def benchmark_rows():
    results = json.loads((notebooks.FOLDER.parent / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    return {row[0]: row for row in results["gan"]["rows"]}


def numbers(cell):
    return tuple(map(float, re.findall(r"\d+(?:\.\d+)?", cell)))


def test_the_chart_of_changes_shows_what_the_benchmark_measured():
    lesson_file = notebooks.lessons(wanted=("11",))[0]
    source = next(source for source in lesson_file.sources() if "\nmeasured = {" in source)
    chapter, chart = (ast.literal_eval(node.value) for node in ast.parse(source).body if isinstance(node, ast.Assign))
    rows = benchmark_rows()
    assert float(rows["chapter's GAN, FID"][1]) == chapter
    for name, values in chart.items():
        row = "conditional GAN, FID" if name == "recipe" else f"conditional GAN {name}, FID"
        assert numbers(rows[row][1]) == values


def test_fids_in_the_text_are_those_that_the_benchmark_measured():
    rows, text = benchmark_rows(), notebooks.lessons(wanted=("11",))[0].path.read_text(encoding="utf-8")
    chapter = float(rows["chapter's GAN, FID"][1])
    recipe, unlabeled, logistic = (
        numbers(rows[f"conditional GAN{change}, FID"][1])
        for change in ("", " without labels", " with a logistic output, 0 to 1")
    )
    assert f"Without labels, the FID is {min(unlabeled):.0f} to {max(unlabeled):.0f}, worse than the chapter's." in text
    assert min(unlabeled) > chapter
    ends = f"It ends at FIDs of {min(logistic)} to {max(logistic)}, and the recipe at {min(recipe)} to {max(recipe)}."
    assert ends in text


def test_shares_in_the_text_are_those_that_the_benchmark_measured():
    rows, text = benchmark_rows(), notebooks.lessons(wanted=("11",))[0].path.read_text(encoding="utf-8")
    _, ours, theirs, sure, _ = rows["conditional GAN, 10 seeds, FID"]
    (*most, failed), (sure_ours, sure_theirs) = sorted(numbers(theirs)), map(numbers, sure.split("and"))
    low, high = sorted(sure_theirs)[1], max(sure_theirs)
    assert failed > 2 * most[-1]
    assert (
        f"the saturating loss ends at FIDs of {most[0]} to {most[-1]}, like ours ({min(numbers(ours))} to {max(numbers(ours))}), "
        f"but once at {failed:.0f}. The judge is sure of {low:.0f} to {high:.0f}% of its digits ({min(sure_theirs):.0f}% that time), "
        f"and of {min(sure_ours):.0f} to {max(sure_ours):.0f}% of ours."
    ) in text


def test_the_speed_in_the_text_is_what_the_benchmark_measured():
    rows, text = benchmark_rows(), notebooks.lessons(wanted=("11",))[0].path.read_text(encoding="utf-8")
    fid = rows["chapter's GAN, FID"][1]
    _, _, chapter, faster, _ = rows[f"conditional GAN, CPU seconds to the chapter's FID, {fid}"]
    how = "" if chapter.endswith("measured") else " (extrapolated)"
    times = f"{bench_gan.CHAPTER_ITERATIONS:,} iterations take {faster.split()[0]} times as long{how} as the recipe"
    assert f"{times} to an FID of {fid}." in text


def test_bumps_in_the_text_are_those_that_the_benchmark_measured():
    rows, text = benchmark_rows(), notebooks.lessons(wanted=("11",))[0].path.read_text(encoding="utf-8")
    one, ten, faster = (rows[f"ring, {name}: bumps of 8"][1].split(", ") for name in bench_gan.RINGS)
    assert set(one) == {"8"}
    assert f"ten steps end on {ten[0]}, {ten[1]}, and {ten[2]} bumps, and one step on all 8." in text
    assert f"A five times higher rate of $D$ is no cure ({faster[0]}, {faster[1]}, and {faster[2]})." in text


def test_steps_of_the_exercise_carry_the_fakes_to_the_data():
    rng, weights = np.random.default_rng(0), np.zeros(3)
    for _ in range(500):
        weights = exercises._step(*weights, rng.normal(3, 1, 64), rng.normal(size=64), 0.1)
    assert abs(weights[0] - 3) < 0.2
