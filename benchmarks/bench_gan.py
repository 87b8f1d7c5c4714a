"""Lesson 11's conditional GAN on MNIST over three seeds, what each of its choices is worth, and its time to the FID of the chapter's network.

An FID depends on the judge, which each machine trains for itself. So the chapter's generator is stored as it was after its 60,000
iterations, and the judge of this run looks at its digits, too. Under ``COURSE_SCALE=full`` it is trained, and stored, again.
"""

import time
from pathlib import Path

import numpy as np

from benchmarks import Row, against_bar, listed
from course_utils import lesson, metrics, tensorflow_start
from course_utils.datasets.mnist import load_mnist
from course_utils.notebooks import definitions

SEEDS, STEPS = range(3), 1000
MORE_SEEDS = range(3, 10)  # for the losses, of which one fails now and then
FID_BAR, LEAST_SURE, LEAST_OBEYED, TRAINING_SECONDS = 10, 0.75, 0.85, 30
CHAPTER_ITERATIONS, TIMES_FASTER = 60_000, 40
STORED = Path(__file__).with_name("chapter_generator.npz")
CHANGES = {  # one change each: what recipe_gan and train take
    "without labels": ({"classes": 0}, {}),
    "with the saturating loss": ({}, {"loss": "saturating_loss"}),
    "with a logistic output, 0 to 1": ({"activation": "sigmoid"}, {}),
    "with beta 0.9": ({"beta": 0.9}, {}),
    "without batch normalization": ({"normalize": False}, {}),
}
RINGS = {  # one change each: steps of G per step of D, and the rate of D
    "1 step of G": (1, 2e-3),
    "10 steps of G": (10, 2e-3),
    "10 steps of G, D's rate times 5": (10, 1e-2),
}


class Referee:
    """Measures of a generator's 10,000 samples: FID against the test digits, the share that the judge is sure of, and asked digits."""

    def __init__(self, gan_lesson, digits):
        self.lesson, self.judge = gan_lesson, gan_lesson.train_judge(digits)
        self.unseen, guesses = gan_lesson.judged(self.judge, gan_lesson.as_input(digits.test_images))
        self.accuracy = np.mean(guesses.argmax(axis=1) == digits.test_labels)
        self.asked = np.arange(10_000) % 10

    def labels(self, classes):
        """Labels (10000, 10) of the asked digits, or (10000, 0) for a GAN without labels."""
        return self.lesson.one_hot(self.asked)[:, :classes]

    def of_pictures(self, pictures):
        """FID of pictures (10000, 28, 28, 1), the share that the judge is sure of, and of those that show the asked digit."""
        features, guesses = self.lesson.judged(self.judge, pictures)
        obeyed = np.mean(guesses.argmax(axis=1) == self.asked)
        return metrics.frechet_distance(features, self.unseen), np.mean(guesses.max(axis=1) > 0.9), obeyed

    def __call__(self, generator, classes=10):
        """Measure a generator's samples; a generator that draws from 0 to 1 is noticed by its pixels."""
        pictures = self.lesson.draw_samples(generator, self.labels(classes))
        return self.of_pictures(pictures if pictures.min() < -0.01 else 2 * pictures - 1)


def dense_pair():
    """The chapter's generator (100,) to (28, 28, 1), and its discriminator back to one logit."""
    import keras
    from keras import layers

    def dense(units, activation=None):
        start = keras.initializers.TruncatedNormal(stddev=0.1)
        return layers.Dense(units, activation, kernel_initializer=start)

    generator = [keras.Input((100,)), dense(150, "relu"), dense(300, "relu"), dense(784, "tanh")]
    hidden = [dense(300, "relu"), layers.Dropout(0.3), dense(150, "relu"), layers.Dropout(0.3)]
    pictures, no_labels = keras.Input((28, 28, 1)), keras.Input((0,))
    logit = keras.Sequential([layers.Flatten(), *hidden, dense(1)])(pictures)
    return keras.Sequential([*generator, layers.Reshape((28, 28, 1))]), keras.Model([pictures, no_labels], logit)


def chapter(gan_lesson, referee, pictures):
    """The chapter's generator after its 60,000 iterations: its measures, and the CPU seconds: of 300 iterations, extrapolated, or of all."""
    import keras

    class Chapter(gan_lesson.Gan):
        def fakes(self, labels):
            return self.generator(self.random.uniform((labels.shape[0], 100), -1, 1), training=True)

    keras.utils.set_random_seed(0)
    gan = Chapter(*dense_pair(), rates=(1e-4, 1e-4), beta=0.9)
    until = lesson.choose(lesson=300, full=CHAPTER_ITERATIONS)
    times = []
    gan_lesson.train(gan, pictures, until, batch=256, watch=lambda _: times.append(time.process_time()))
    took = (times[-1] - times[20]) / (until - 21) * CHAPTER_ITERATIONS  # the first one compiles
    if until == CHAPTER_ITERATIONS:
        np.savez_compressed(STORED, *(weights.astype(np.float16) for weights in gan.generator.get_weights()))
    with np.load(STORED) as stored:
        gan.generator.set_weights([stored[name] for name in stored.files])
    noise = np.random.default_rng(1).uniform(-1, 1, (10_000, 100)).astype(np.float32)
    how = "measured" if until == CHAPTER_ITERATIONS else "extrapolated from 300"
    return referee.of_pictures(gan.generator.predict(noise, batch_size=500, verbose=0)), took, how


def changed(gan_lesson, referee, data, seed, recipe, training, wanted=0.0):
    """One training with one change: measures by the averaged generator and by the plain one, CPU seconds, and those until the FID is `wanted`.

    CPU seconds, because they don't depend on what else the machine does; on idle cores a training takes no longer than that.
    """
    gan, (pictures, labels) = gan_lesson.recipe_gan(seed=seed, **recipe), data
    classes, spent, reached = recipe.get("classes", 10), [0.0, time.process_time()], [np.inf]
    if recipe.get("activation") == "sigmoid":
        pictures = (pictures + 1) / 2
    if "loss" in training:
        training = {"loss": getattr(gan_lesson, training["loss"])}

    def watch(gan):
        if wanted and int(gan.steps) % 100 == 0 and not np.isfinite(reached[0]):
            spent[0] += time.process_time() - spent[1]
            if referee(gan.averaged)[0] <= wanted:
                reached[0] = spent[0]
            spent[1] = time.process_time()

    gan_lesson.train(gan, pictures, STEPS, labels if classes else None, watch=watch, **training)
    took = spent[0] + time.process_time() - spent[1]
    return referee(gan.averaged, classes), referee(gan.generator, classes), took, reached[0]


def rings(gan_lesson):
    """For each game on the ring the bumps that are reached after the lesson's steps, over the seeds."""
    for name, (steps, rate) in RINGS.items():
        ends = [gan_lesson.play_on_ring(steps, (2e-3, rate), seed=seed)[-1] for seed in SEEDS]
        bumps = [gan_lesson.modes_found(end["fakes"]) for end in ends]
        met = min(bumps) >= 7 if steps == 1 else max(bumps) <= 3 if rate == 2e-3 else True
        yield Row(f"ring, {name}: bumps of 8", listed(bumps, "d"), "", "", met)


def run():
    tensorflow_start.start_tensorflow()
    gan_lesson, digits = definitions("11_gan"), load_mnist()
    gan_lesson.turns = np.arange(8) * np.pi / 4
    gan_lesson.centers = np.stack([np.cos(gan_lesson.turns), np.sin(gan_lesson.turns)], axis=1)
    data = gan_lesson.as_input(digits.train_images), gan_lesson.one_hot(digits.train_labels)
    referee = Referee(gan_lesson, digits)
    yield Row("judge, test digits right", f"{referee.accuracy:.4f}", "bar 0.98", "", referee.accuracy >= 0.98)
    some = np.random.default_rng(0).permutation(len(data[0]))[:10_000]
    yield Row("training digits, FID", f"{referee.of_pictures(data[0][some])[0]:.1f}", "", "", True)
    found, took, how = chapter(gan_lesson, referee, data[0])
    yield Row("chapter's GAN, FID", f"{found[0]:.1f}", f"sure of {found[1]:.0%}", "", True)

    runs = [changed(gan_lesson, referee, data, seed, {}, {}, wanted=found[0]) for seed in SEEDS]
    fids, sure, obeyed = np.array([run[0] for run in runs]).T
    yield Row(
        "conditional GAN, FID", listed(fids, ".1f"), f"bar {FID_BAR}", f"worst {fids.max():.1f}", fids.max() <= FID_BAR
    )
    yield Row("conditional GAN, judge sure", listed(sure, ".0%"), f"bar {LEAST_SURE:.0%}", "", sure.min() >= LEAST_SURE)
    yield Row(
        "conditional GAN, asked digit",
        listed(obeyed, ".0%"),
        f"bar {LEAST_OBEYED:.0%}",
        "",
        obeyed.min() >= LEAST_OBEYED,
    )
    yield against_bar("conditional GAN, slowest training, CPU seconds", max(run[2] for run in runs), TRAINING_SECONDS)
    plain = listed([run[1][0] for run in runs], ".1f")
    yield Row("conditional GAN without the average, FID", plain, f"with it {listed(fids, '.1f')}", "", True)
    measured = {"": np.array([run[0] for run in runs])}
    for name, (recipe, training) in CHANGES.items():
        others = np.array([changed(gan_lesson, referee, data, seed, recipe, training)[0] for seed in SEEDS])
        measured[name] = others
        row = (
            listed(others[:, 0], ".1f"),
            f"with it all {listed(fids, '.1f')}",
            f"sure of {listed(others[:, 1], '.0%')}",
        )
        yield Row(f"conditional GAN {name}, FID", *row, True)

    both = []
    for name, loss in (("", {}), ("with the saturating loss", {"loss": "saturating_loss"})):
        more = np.array([changed(gan_lesson, referee, data, seed, {}, loss)[0] for seed in MORE_SEEDS])
        both.append(np.vstack([measured[name], more]))
    yield Row(
        f"conditional GAN, {len(both[0])} seeds, FID",
        listed(both[0][:, 0], ".1f"),
        f"with the saturating loss {listed(both[1][:, 0], '.1f')}",
        f"sure of {listed(both[0][:, 1], '.0%')}, and {listed(both[1][:, 1], '.0%')}",
        True,
    )

    times = np.array([run[3] for run in runs])
    ratio = took / times.max()
    yield Row(
        f"conditional GAN, CPU seconds to the chapter's FID, {found[0]:.1f}",
        listed(times, ".1f"),
        f"the chapter's {CHAPTER_ITERATIONS:,} iterations {took:.0f} s, {how}",
        f"{ratio:.0f} times faster, at least {TIMES_FASTER}",
        ratio >= TIMES_FASTER,
    )
    yield from rings(gan_lesson)
