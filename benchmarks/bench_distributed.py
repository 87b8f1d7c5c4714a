"""Lesson 14's training in two processes: how far it is from one process, what it gains on this computer, and what an all-reduce costs."""

import numpy as np

from benchmarks import Growth, Row, listed
from course_utils import distributed, tensorflow_start
from course_utils.datasets import carvana
from course_utils.notebooks import definitions

STEPS, TEAMS = 20, 3
SIZES = (1_000, 10_000, 100_000, 1_000_000, 3_000_000, 10_000_000)
DIFFERENCE = 0.01  # of the distance that the training itself covers


def read_lesson():
    """The lesson's definitions, with what its notebook takes from lesson 06, and the 64 pictures that it trains on."""
    lesson = definitions("14_distributed")
    lesson.car_network = definitions("06_unet").car_network
    known, _ = carvana.load_carvana(cars=40).split_by_car(validation=0.2, seed=0)
    return lesson, known.select(np.linspace(0, len(known) - 1, 64).astype(int))


def run():
    tensorflow_start.start_tensorflow()
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    lesson, data = read_lesson()
    ratios, errors, alone_times, team_times, predicted, sums = [], [], [], [], [], []
    for _ in range(TEAMS):
        alone, alone_time = lesson.experiment(tf.distribute.get_strategy(), data, STEPS)
        with distributed.Team(2) as team:
            (first, team_time), (second, _) = team.run(lesson.experiment, data, STEPS)
            sums.append(team.run(lesson.time_of_sums, list(SIZES))[0])
        assert not lesson.distances(first, second).any()
        learned = np.abs(alone[STEPS][1] - alone[1][1]).max()
        errors.append(lesson.distances(first, alone).max() / learned)
        bandwidth = 4 * (SIZES[-1] - SIZES[0]) / (sums[-1][-1] - sums[-1][0])
        weights = alone[1][1].size
        predicted.append(lesson.step_time(2, alone_time, weights, bandwidth, sums[-1][0] / 2))
        alone_times.append(alone_time)
        team_times.append(team_time)
        ratios.append(alone_time / team_time)
    yield Row("weights of both workers, three teams", "equal bit for bit", "after each of 20 steps", "-", True)
    yield Row(
        "two workers and one process, of what training changed",
        listed(errors, ".5f"), "bar 1 %", f"{max(errors) / DIFFERENCE:.2g}", max(errors) < DIFFERENCE,
    )  # fmt: skip
    yield Row(
        "step of 8 pictures in two workers, three teams",
        f"{listed([1000 * each for each in team_times], '.0f')} ms",
        f"one process, all cores {listed([1000 * each for each in alone_times], '.0f')} ms; "
        f"modeled {listed([1000 * each for each in predicted], '.0f')} ms",
        f"speed-up {listed(ratios, '.2f')}", True,
    )  # fmt: skip
    yield Growth("all-reduce of two workers", "numbers", SIZES, {"lesson 14": np.median(sums, axis=0).tolist()})
