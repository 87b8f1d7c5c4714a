"""Lesson 06's ways to keep touching objects apart, on drawn cells and on nuclei, after a short and a longer training, three starts each."""

import numpy as np

from benchmarks import Row, listed
from course_utils import tensorflow_start
from course_utils.notebooks import definitions

SEEDS = (0, 1, 2)
STEPS = {"drawn cells": (80, 320), "nuclei": (160, 640)}
WAYS = ("mask", "higher threshold", "watershed")  # as `found_by` returns them


def run():
    tensorflow_start.start_tensorflow()
    lesson = definitions("06_unet")
    learner = lesson.Trainee(lesson.small_unet, lesson.weighted_loss)
    for data_set, steps in STEPS.items():
        data = lesson.data_of(data_set)
        total = sum(len(np.unique(labels)) - 1 for _, labels, _ in data[1])
        for loss, weigh in (("plain", None), ("weighted", lesson.boundary_weights)):
            found = np.array([lesson.learn_touching(learner, data, weigh, seed, steps) for seed in SEEDS])
            for k, way in enumerate(WAYS):
                for j, count in enumerate(steps):
                    numbers = found[:, j, k]
                    yield Row(
                        f"{data_set}, {loss} loss, {way}: found after {count} steps",
                        listed(numbers, "d"),
                        f"of {total}",
                        f"mean {numbers.mean() / total:.2f}",
                        True,
                    )
