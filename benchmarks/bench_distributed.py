"""Lesson 14's training in two processes: how far it is from one, what it costs the processor, and what an all-reduce costs."""

import time

import numpy as np

from benchmarks import Growth, Row, listed
from course_utils import distributed, tensorflow_start
from course_utils.datasets import carvana
from course_utils.notebooks import definitions

STEPS, WARM, TEAMS = 25, 5, 3
SIZES = (1_000, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000)
DIFFERENCE = 0.01  # of the distance that the training itself covers
GAIN = 1.1  # more than that would be a gain on the same two cores
build = training = None  # the lesson's, once `run` has read it


def train(strategy, data, steps, warm):
    """Weights (N,) after a step and at the end, and the processor's milliseconds per step of this process, without the first."""
    model, optimizer = build(strategy)
    weights, spent = [], []
    for number, _ in training(strategy, model, optimizer, data, steps, (48, 72), 8):
        spent.append(time.process_time())
        if number in (1, steps):
            weights.append(np.concatenate([np.ravel(each.numpy()) for each in model.trainable_variables]))
    return weights, 1000 * (spent[-1] - spent[warm - 1]) / (steps - warm)


def read_lesson():
    """The lesson's definitions, with what its notebook takes from lesson 06, and the 64 pictures that it trains on."""
    global build, training
    lesson = definitions("14_distributed")
    lesson.car_network = definitions("06_unet").car_network
    build, training = lesson.build, lesson.training
    known, _ = carvana.load_carvana(cars=40).split_by_car(validation=0.2, seed=0)
    return lesson, known.select(np.linspace(0, len(known) - 1, 64).astype(int))


def run():
    tensorflow_start.start_tensorflow()
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    lesson, data = read_lesson()
    errors, alone, together, sums = [], [], [], []
    for _ in range(TEAMS):
        (start, end), spent = train(tf.distribute.get_strategy(), data, STEPS, WARM)
        with distributed.Team(2) as team:
            ((_, first), one), ((_, second), other) = team.run(train, data, STEPS, WARM)
            sums.append(team.run(lesson.time_of_sums, list(SIZES))[0])
        errors.append(np.abs(first - end).max() / np.abs(end - start).max())
        alone.append(spent)
        together.append(one + other)
        equal = np.array_equal(first, second)
        yield Row(f"weights of two workers, team {len(sums)}", f"after {STEPS} steps", "equal", "bit for bit", equal)
    yield Row(
        "two workers and one process, of what training changed",
        listed(errors, ".1e"), "bar 1 %", f"{max(errors) / DIFFERENCE:.1e}", max(errors) < DIFFERENCE,
    )  # fmt: skip
    ratio = np.median(alone) / np.median(together)
    yield Row(
        "step of 8 pictures, two workers together",
        f"{listed(together, '.0f')} CPU ms", f"one process {listed(alone, '.0f')} CPU ms",
        f"{ratio:.2f}, a gain from {GAIN}", ratio < GAIN,
    )  # fmt: skip
    yield Growth("all-reduce of two workers", "numbers", SIZES, {"lesson 14": np.median(sums, axis=0).tolist()})
