"""Lesson 06's U-Net from six kinds of first weights, with and without batch normalization: its loss against steps, three starts each."""

import numpy as np

from benchmarks import Row, listed
from course_utils import tensorflow_start
from course_utils.datasets import carvana
from course_utils.notebooks import definitions

SIZE, SEEDS = (48, 72), (0, 1, 2)
STEPS = (40, 80, 240)  # of training, at which the loss is taken
STRETCH = 20  # steps at one rate
RATES = (
    1e-2,
    3e-3,
)  # each falls along a cosine; every kind of weights is trained with both, and judged by the better one
CHAPTER = 0.02  # the chapter's standard deviation


def starts():
    """Each kind of first weights: its name, and a function of a seed that gives a Keras initializer."""
    import keras

    he, glorot, normal = keras.initializers.HeNormal, keras.initializers.GlorotUniform, keras.initializers.RandomNormal
    kinds = {"He": lambda seed: he(seed=seed), "Glorot": lambda seed: glorot(seed=seed)}
    for deviation in (0.002, CHAPTER, 0.05, 0.5):
        kinds[f"deviation {deviation:g}"] = lambda seed, deviation=deviation: normal(stddev=deviation, seed=seed)
    return kinds


def first_weights(model, start, seed):
    """A model's weights with all kernels drawn anew, each from a seed of its own; the rest as it was built."""
    kernels = {id(layer.kernel): number for number, layer in enumerate(model.layers) if hasattr(layer, "kernel")}
    return [
        start(1000 * seed + kernels[id(variable)])(variable.shape) if id(variable) in kernels else variable.numpy()
        for variable in model.weights
    ]


def losses(lesson, trainee, weights, rate, cars, unseen, seed):
    """The loss on unseen cars after each number of steps, from these weights."""
    trainee.starts["now"] = weights
    lesson.restart(trainee, "now")
    draw, found = lesson.draw_cars(cars, np.random.default_rng(seed)), []
    for done in range(0, STEPS[-1], STRETCH):
        trainee.optimizer.learning_rate.assign(rate * (1 + np.cos(np.pi * done / STEPS[-1])) / 2)
        lesson.learn(trainee, draw, STRETCH, STRETCH)
        if done + STRETCH in STEPS:
            found.append(lesson.judge(lesson.logits_of(trainee.model, unseen[0]), unseen[1])[0])
    return found


def run():
    tensorflow_start.start_tensorflow()
    import keras

    lesson = definitions("06_unet")
    known, test = carvana.load_carvana().split_by_car(0.2)
    cars = carvana.arrays(known.select(range(0, len(known), 2)), SIZE)
    unseen = carvana.arrays(test.select(range(0, len(test), 4)), SIZE)
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    for normalize in (True, False):
        fresh = lesson.car_network(normalize=normalize)
        trainee = lesson.Trainee(lambda normalize=normalize: lesson.car_network(normalize=normalize), cross_entropy)
        for name, start in starts().items():
            runs = {
                rate: np.array(
                    [
                        losses(lesson, trainee, first_weights(fresh, start, seed), rate, cars, unseen, seed)
                        for seed in SEEDS
                    ]
                )
                for rate in RATES
            }
            rate = min(runs, key=lambda rate, runs=runs: np.nan_to_num(runs[rate][:, -1], nan=np.inf).mean())
            early = "; ".join(
                f"after {steps} {listed(runs[rate][:, k])}" for k, steps in enumerate(STEPS[:-1])
            )  # of the same runs
            yield Row(
                f"U-Net with{'' if normalize else 'out'} batch normalization, {name}: loss after {STEPS[-1]} steps",
                listed(runs[rate][:, -1]),
                early,
                f"rate {rate:g}",
                True,
            )
