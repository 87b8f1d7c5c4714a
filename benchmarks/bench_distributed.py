"""Lesson 14's training in two processes: how far it is from one, what it costs the processor, and what an all-reduce costs."""

import time

import numpy as np

from benchmarks import Growth, Row, listed
from course_utils import distributed, tensorflow_start
from course_utils.datasets import carvana
from course_utils.notebooks import definitions

WARM, STEPS, PARTS = 5, 10, 3  # steps that are not measured, then so many in each of three parts
SIZES = (1_000, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000)
DIFFERENCE = 0.01  # of the distance that the training itself covers
GAIN = 1.1  # more than that would be a gain on the same two cores
build = training = None  # the lesson's, once `run` has read it


def train(strategy, data, warm, steps, parts):
    """Weights (N,) after the first and the last step, and this process's CPU milliseconds per step in each part (parts,)."""
    model, optimizer = build(strategy)
    weights, spent, last = [], [], warm + steps * parts
    for number, _ in training(strategy, model, optimizer, data, last, (48, 72), 8):
        spent.append(time.process_time())
        if number in (1, last):
            weights.append(np.concatenate([np.ravel(each.numpy()) for each in model.trainable_variables]))
    return weights, 1000 * np.diff(spent[warm - 1 :: steps]) / steps


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
    (start, end), alone = train(tf.distribute.get_strategy(), data, WARM, STEPS, PARTS)
    with distributed.Team(2) as team:
        ((_, first), one), ((_, second), other) = team.run(train, data, WARM, STEPS, PARTS)
        sums = team.run(lesson.time_of_sums, list(SIZES))[0]
    last, equal = WARM + STEPS * PARTS, np.array_equal(first, second)
    yield Row(
        f"weights of two workers after {last} steps", "equal" if equal else "different", "bit for bit", "-", equal
    )
    error = np.abs(first - end).max() / np.abs(end - start).max()
    yield Row(
        "two workers and one process, of what training changed",
        f"{error:.1e}", f"bar {DIFFERENCE}", f"{error / DIFFERENCE:.1e}", error < DIFFERENCE,
    )  # fmt: skip
    gain = np.median(alone) / np.median(one + other)
    yield Row(
        "step of 8 pictures, two workers together",
        f"{listed(one + other, '.0f')} CPU ms", f"one process {listed(alone, '.0f')} CPU ms",
        f"{gain:.2f}, at most {GAIN}", gain <= GAIN,
    )  # fmt: skip
    yield Growth("all-reduce of two workers", "numbers", SIZES, {"lesson 14": sums.tolist()})
