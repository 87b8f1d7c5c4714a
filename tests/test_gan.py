"""What lesson 11 defines: losses against Keras, slopes against their formulas, steps that move one player, checkpoints, and the referees."""

import types

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import distance
from scipy.special import expit

from course_utils import tensorflow_start
from course_utils.datasets.mnist import load_mnist
from course_utils.notebooks import definitions

tensorflow_start.start_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

lesson = definitions("11_gan")
games = definitions("10_minimax_games")
lesson.edges = np.linspace(-3, 3, 41)
lesson.middles = (lesson.edges[1:] + lesson.edges[:-1]) / 2
lesson.centers = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)

LOGITS = hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(-30, 30, width=32))
DISTRIBUTIONS = hnp.arrays(np.float64, 5, elements=st.floats(0.05, 1)).map(lambda weights: weights / weights.sum())
SEEDS = st.integers(0, 10_000)


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


def small_gan(**options):
    """A Gan on the line that takes milliseconds."""
    return lesson.Gan(*lesson.small_pair(2, 1, width=4), batch=8, **options)


def line(count=50):
    return np.random.default_rng(0).normal(size=(count, 1)).astype(np.float32)


def weights_of(gan):
    networks = (gan.generator, gan.discriminator, gan.averaged)
    return [weight for network in networks for weight in network.get_weights()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


# The cost


@given(hnp.arrays(np.float32, (30, 1), elements=st.floats(-5, 5, width=32)))
def test_a_histogram_counts_each_sample_once_also_those_beyond_its_ends(samples):
    shares = lesson.histogram(samples, lesson.edges)
    assert shares.shape == (40,)
    assert np.isclose(shares.sum(), 1)
    assert shares[-1] >= np.mean(samples >= 3)


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
    assert np.isclose(lesson.swapped_loss(fake), entropy(zeros, fake), rtol=1e-4, atol=1e-5)


@given(st.floats(-30, 30))
def test_slopes_are_minus_sigma_and_minus_one_less_sigma(logit):
    assert np.isclose(lesson.slope(lesson.saturating_loss, logit), -expit(logit), atol=1e-6)
    assert np.isclose(lesson.slope(lesson.non_saturating_loss, logit), -expit(-logit), atol=1e-6)


def test_huge_logits_cost_what_they_should():
    assert float(lesson.non_saturating_loss(np.float32([-1000, 1000]))) == 500  # (1000 + 0) / 2
    assert float(lesson.discriminator_loss(np.float32([-1000]), np.float32([1000]))) == 2000
    assert lesson.slope(lesson.non_saturating_loss, -1000.0) == -1


def test_gradient_norm_is_the_length_of_all_slopes():
    # One weight w, D the identity: the loss is softplus(-w z), its slope -z sigma(-w z); w = 2 and z = 3.
    generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    generator.set_weights([np.array([[2.0]])])
    found = lesson.gradient_norm(lesson.non_saturating_loss, generator, lambda x: x, tf.constant([[3.0]]))
    assert np.isclose(found, 3 * expit(-6), rtol=1e-4)


# The networks


def test_both_pairs_make_pictures_in_the_range_of_the_data_and_one_logit():
    convolutional = lesson.convolutional_generator(), lesson.convolutional_discriminator()
    for generator, discriminator in (lesson.dense_pair(), convolutional):
        pictures = generator(np.random.default_rng(0).normal(size=(3, generator.input_shape[1])))
        assert pictures.shape == (3, 28, 28, 1)
        assert np.abs(pictures).max() <= 1
        assert discriminator(pictures).shape == (3, 1)


def test_the_chapters_networks_have_its_numbers_of_weights():
    generator, discriminator = lesson.dense_pair()
    assert generator.count_params() == 100 * 150 + 150 + 150 * 300 + 300 + 300 * 784 + 784
    assert discriminator.count_params() == 784 * 300 + 300 + 300 * 150 + 150 + 150 + 1


@pytest.mark.parametrize(("normalize", "wanted"), [(True, 2), (False, 0)])
def test_normalization_can_be_left_out(normalize, wanted):
    made = lesson.convolutional_generator(normalize=normalize).layers
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in made) == wanted


def test_pixels_go_from_minus_one_to_one():
    pictures = lesson.as_input(np.array([[[0, 255]]], np.uint8))
    assert pictures.shape == (1, 1, 2, 1)
    assert pictures.ravel().tolist() == [-1, 1]


# The training step


def test_noise_is_new_at_each_draw_and_the_same_for_the_same_draw():
    first, second = small_gan(), small_gan()
    a, b = first.noise(100), first.noise(100)
    assert not np.array_equal(a, b)
    assert np.array_equal(a, second.noise(100))
    assert not np.array_equal(a, small_gan(seed=1).noise(100))
    uniform = small_gan(uniform=True).noise(1000)
    assert uniform.shape == (1000, 2)
    assert -1 <= uniform.numpy().min() < -0.9 < 0.9 < uniform.numpy().max() < 1


def test_each_update_moves_one_player():
    gan, data = small_gan(), tf.constant(line(8))
    generator, discriminator = gan.generator.get_weights(), gan.discriminator.get_weights()
    lesson.update_discriminator(gan, data)
    assert same(generator, gan.generator.get_weights())
    assert not same(discriminator, gan.discriminator.get_weights())
    discriminator = gan.discriminator.get_weights()
    lesson.update_generator(gan, lesson.non_saturating_loss)
    assert not same(generator, gan.generator.get_weights())
    assert same(discriminator, gan.discriminator.get_weights())


def test_a_discriminator_that_plays_alone_tells_data_from_fakes():
    gan, data = small_gan(rates=(0.0, 0.05)), tf.constant(line(8) * 0.1 + 5)
    for _ in range(60):
        lesson.update_discriminator(gan, data)
    fakes = gan.generator(gan.noise(100))
    assert expit(gan.discriminator(data)).min() > 0.9
    assert expit(gan.discriminator(fakes)).max() < 0.1


def test_the_average_is_kept_as_stated():
    # After the first step 1 / 11 of the old weights is kept, after the second 2 / 12.
    gan = small_gan()
    average = gan.averaged.get_weights()
    assert same(average, gan.generator.get_weights())
    for kept in (1 / 11, 2 / 12):
        gan.step(tf.constant(line(8)))
        average = [kept * a + (1 - kept) * w for a, w in zip(average, gan.generator.get_weights(), strict=True)]
        assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(average, gan.averaged.get_weights(), strict=True))


def test_k_steps_of_d_take_k_batches_and_k_plus_one_draws():
    gan, seen = small_gan(k=3), []
    compiled = gan.step
    gan.step = lambda data: (seen.append(data.shape), compiled(data))
    lesson.train(gan, line(), 2)
    assert seen == [(24, 1), (24, 1)]
    assert int(gan.draws) == 2 * (3 + 1)
    assert int(gan.optimizers[1].iterations) == 6
    assert int(gan.optimizers[0].iterations) == 2


# Stop and go on


def test_a_stopped_training_goes_on_from_its_checkpoint_as_if_it_had_not_been(tmp_path, capsys):
    keras.utils.set_random_seed(1)
    whole = small_gan()
    lesson.train(whole, line(), 12)
    keras.utils.set_random_seed(1)
    stopped = small_gan()
    _, watch = lesson.album(np.zeros((1, 2), np.float32), (), stop=5)
    lesson.train(stopped, line(), 12, tmp_path, watch=watch)
    assert "Stopped after 5 of 12 steps. Call train with the same folder" in capsys.readouterr().out
    keras.utils.set_random_seed(2)  # other weights, which the checkpoint replaces
    resumed = small_gan()
    lesson.train(resumed, line(), 12, tmp_path)
    assert int(resumed.steps) == 12
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(weights_of(whole), weights_of(resumed), strict=True))


def test_dropout_too_goes_on_where_it_stopped(tmp_path):
    def gan_with_dropout(seed):
        keras.utils.set_random_seed(seed)
        generator, _ = lesson.small_pair(2, 1, width=4)
        layers = [keras.layers.Dense(30, activation="relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        return lesson.Gan(generator, keras.Sequential([keras.Input((1,)), *layers]), batch=8)

    whole, stopped, resumed = gan_with_dropout(1), gan_with_dropout(1), gan_with_dropout(2)
    lesson.train(whole, line(), 8)
    lesson.train(stopped, line(), 5, tmp_path)
    lesson.train(resumed, line(), 8, tmp_path)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(weights_of(whole), weights_of(resumed), strict=True))


def test_a_checkpoint_is_left_every_so_many_steps_and_at_the_end(tmp_path):
    gan, found = small_gan(), []
    lesson.train(gan, line(), 7, tmp_path, every=3, watch=lambda _: found.append(tf.train.latest_checkpoint(tmp_path)))
    assert [name and name.rsplit("-", 1)[1] for name in found] == [None, None, "3", "3", "3", "6", "6"]
    assert tf.train.latest_checkpoint(tmp_path).endswith("-7")
    before = weights_of(gan)
    lesson.train(gan, line(), 7, tmp_path)  # nothing is left to do
    assert same(before, weights_of(gan))


def test_without_a_folder_a_stopped_training_goes_on_with_the_same_gan(capsys):
    whole = small_gan()
    lesson.train(whole, line(), 6)
    keras.utils.set_random_seed(0)
    gan = small_gan()
    lesson.train(gan, line(), 6, watch=lesson.album(np.zeros((1, 2), np.float32), (), stop=2)[1])
    assert "with this gan" in capsys.readouterr().out
    lesson.train(gan, line(), 6)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(weights_of(whole), weights_of(gan), strict=True))


def test_a_checkpoint_of_other_networks_gets_one_sentence(tmp_path):
    lesson.train(small_gan(), line(), 1, tmp_path)
    other = lesson.Gan(*lesson.small_pair(2, 1, width=5), batch=8)
    with pytest.raises(ValueError, match="other networks: build the same ones"):
        lesson.train(other, line(), 2, tmp_path)


def test_an_album_keeps_the_averaged_generators_samples():
    gan, noise = small_gan(), np.ones((3, 2), np.float32)
    pictures, watch = lesson.album(noise, (2, 4))
    lesson.train(gan, line(), 4, watch=watch)
    assert sorted(pictures) == [2, 4]
    assert np.array_equal(pictures[4], gan.averaged(noise))


# The judge


def few_digits():
    rng = np.random.default_rng(0)
    return types.SimpleNamespace(
        train_images=rng.integers(0, 256, (20, 28, 28), dtype=np.uint8), train_labels=rng.integers(0, 10, 20)
    )


@pytest.fixture
def trainings(monkeypatch):
    """How often a judge was trained; the training itself is left out."""
    counted = []

    def train(_):
        counted.append(1)
        return lesson.judge_network()

    monkeypatch.setattr(lesson, "train_judge", train)
    return counted


def test_a_judge_is_trained_once_and_then_read(tmp_path, trainings, capsys):
    first = lesson.load_judge(few_digits(), tmp_path / "new")
    second = lesson.load_judge(few_digits(), tmp_path / "new")
    assert len(trainings) == 1
    assert same(first.get_weights(), second.get_weights())
    assert len(list((tmp_path / "new").iterdir())) == 1
    assert capsys.readouterr().out == ""


def test_other_digits_get_a_judge_of_their_own(tmp_path, trainings):
    other = few_digits()
    other.train_labels = (other.train_labels + 1) % 10
    lesson.load_judge(few_digits(), tmp_path)
    lesson.load_judge(other, tmp_path)
    assert len(trainings) == 2


def test_a_judge_that_can_not_be_kept_is_used_all_the_same(tmp_path, trainings, capsys):
    (tmp_path / "file").write_text("no folder")
    judge = lesson.load_judge(few_digits(), tmp_path / "file" / "judge")
    assert judge.output_shape == (None, 10)
    assert "can't be kept" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["cut", "one byte", "empty", "foreign", "other shapes"])
def test_a_damaged_judge_is_trained_again_and_said_so(tmp_path, trainings, capsys, damage):
    good = lesson.load_judge(few_digits(), tmp_path)
    (file,) = tmp_path.iterdir()
    content = bytearray(file.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "one byte":
        content[len(content) // 2] ^= 255
    elif damage == "other shapes":
        np.savez(file, *[weight[..., :-1] for weight in good.get_weights()])
        content = file.read_bytes()
    else:
        content = b"" if damage == "empty" else b"not an archive"
    file.write_bytes(content)
    lesson.load_judge(few_digits(), tmp_path)
    assert len(trainings) == 2
    assert "damaged" in capsys.readouterr().out
    lesson.load_judge(few_digits(), tmp_path)
    assert len(trainings) == 2


def test_the_judge_names_98_of_100_test_digits(tmp_path):
    digits = load_mnist()
    if digits.is_fallback:
        pytest.skip("the stand-in is no MNIST")
    judge = lesson.train_judge(digits)
    logits = judge.predict(lesson.as_input(digits.test_images), batch_size=500, verbose=0)
    assert np.mean(logits.argmax(axis=1) == digits.test_labels) >= 0.98


def test_shares_of_digits_count_all_ten():
    guesses = np.eye(10)[[3, 3, 3, 9]]
    assert lesson.share_of_digits(guesses).tolist() == [0, 0, 0, 0.75, 0, 0, 0, 0, 0, 0.25]


@settings(max_examples=20)
@given(SEEDS)
def test_nearest_neighbors_are_what_scipy_finds(seed):
    rng = np.random.default_rng(seed)
    pictures, data = rng.normal(size=(5, 4, 4, 1)), rng.normal(size=(9, 4, 4, 1))
    table = distance.cdist(pictures.reshape(5, -1), data.reshape(9, -1))
    far, number = lesson.nearest(pictures, data)
    assert np.allclose(far, table.min(axis=1))
    assert np.array_equal(number, table.argmin(axis=1))
    assert np.allclose(lesson.nearest(data, data)[0], 0, atol=1e-6)


def test_samples_come_from_the_same_noise_at_each_call():
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, use_bias=False)])
    generator.set_weights([np.eye(2)])
    samples = lesson.draw_samples(generator, 2000)
    assert np.array_equal(samples, lesson.draw_samples(generator, 2000))
    assert 0.9 < samples.std() < 1.1
    assert np.abs(lesson.draw_samples(generator, 100, uniform=True)).max() <= 1


def test_tiles_stand_in_reading_order():
    pictures = np.zeros((6, 28, 28, 1)) + np.arange(6)[:, None, None, None]
    table = lesson.tiled(pictures, 3)
    assert table.shape == (56, 84)
    assert (table[::28, ::28] * 2 - 1).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert lesson.tiled(pictures[:5], 3).shape == (28, 84)  # a last row that is not full is left out


# Directions in the noise


def stroke(columns_per_row):
    """A straight stroke through the middle that moves right by so many columns for each row up: (1, 28, 28, 1)."""
    picture = -np.ones((1, 28, 28, 1))
    for up in range(-8, 9):
        picture[0, 14 - up, round(14 + columns_per_row * up), 0] = 1
    return picture


@given(st.sampled_from([-1, -0.5, 0, 0.5, 1]))
def test_slant_is_the_slope_of_a_stroke(columns_per_row):
    assert np.isclose(lesson.slant(stroke(columns_per_row))[0], columns_per_row, atol=0.05)


@given(SEEDS)
def test_slant_turns_its_sign_in_the_mirror_and_ink_does_not_change(seed):
    pictures = np.random.default_rng(seed).uniform(-1, 1, (3, 28, 28, 1))
    assert np.allclose(lesson.slant(pictures[:, :, ::-1]), -lesson.slant(pictures), atol=1e-9)
    assert np.allclose(lesson.ink(pictures[:, :, ::-1]), lesson.ink(pictures))


def test_a_direction_follows_what_is_measured():
    # Brightness is the third number of the noise: the direction should point there, and nowhere else.
    generator = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(1, use_bias=False), keras.layers.Reshape((1, 1, 1))]
    )
    generator.set_weights([np.array([[0.0], [0], [1], [0]])])
    found = lesson.direction(generator, lesson.ink)
    # The mean of the upper tenth of a normal distribution is 1.755, of the lower one -1.755.
    assert np.allclose(found, [0, 0, 3.51, 0], atol=0.35)


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


@pytest.mark.parametrize("seed", range(2))
def test_a_fast_generator_collapses_and_a_fast_discriminator_cures(seed, monkeypatch):
    monkeypatch.setattr(keras.utils, "set_random_seed", lambda _: None)
    keras.utils.set_random_seed(seed)
    collapsed = lesson.play_on_ring(160, rates=(2e-3, 2e-3), generator_steps=10, seed=seed)
    assert np.mean([lesson.modes_found(points) for points in collapsed]) <= 3
    assert lesson.modes_found(lesson.play_on_ring(800, rates=(2e-3, 1e-2), seed=seed)[-1]) >= 7
