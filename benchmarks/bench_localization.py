"""Lesson 07's loss weights at three learning rates: what holds at all of them."""

import numpy as np

from benchmarks import Row
from course_utils import tensorflow_start
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

RATES, SEEDS = (1e-3, 4e-3, 1.6e-2), 3  # the lesson shows 4e-3
PAIRS = {"b = 0": (1, 0), "b = 1": (1, 1), "b = 30": (1, 30), "b = 1000": (1, 1000), "a = 0": (0, 1)}


def run():
    tensorflow_start.start_tensorflow()
    lesson = definitions("07_localization")
    shape = {"size": 32, "sides": (14, 24), "digits": (1, 1)}  # as in the lesson
    lesson.small_data = lesson.as_arrays(load_scenes(4000, **shape))
    lesson.small_unseen = lesson.as_arrays(load_scenes(500, seed=1, part="test", **shape))
    for rate in RATES:
        results = lesson.sweep(list(PAIRS.values()), rate, SEEDS)  # (seeds, pairs, 4)
        dense = lesson.sweep([PAIRS["b = 30"]], rate, SEEDS, lesson.dense_head)
        scores = zip([*PAIRS, "b = 30, dense head"], [*np.moveaxis(results, 1, 0), dense[:, 0]], strict=True)
        for name, (accuracy, overlap, *_) in ((name, each.T) for name, each in scores):
            yield Row(
                f"{name}, learning rate {rate:g}", f"accuracy {accuracy.mean():.2f}", f"mean IoU {overlap.mean():.2f}",
                f"accuracy {accuracy.min():.2f} to {accuracy.max():.2f}, IoU {overlap.min():.2f} to {overlap.max():.2f}", True,
            )  # fmt: skip
