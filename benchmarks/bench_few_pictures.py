"""Lesson 06's small U-Net on 1 to 48 crops of nuclei: Dice on the other half of the picture, with and without deforming the crops."""

import numpy as np

from benchmarks import Row, listed
from course_utils import tensorflow_start
from course_utils.datasets import nuclei
from course_utils.notebooks import definitions

COUNTS, SEEDS = (1, 2, 4, 16, 48), (0, 1, 2)
WAYS = {  # whether crops are turned and mirrored, and by how many pixels they are bent
    "as they are": (False, 0.0),
    "bent": (False, 4.0),
    "turned": (True, 0.0),
    "turned and bent": (True, 4.0),
}


def run():
    tensorflow_start.start_tensorflow()
    lesson = definitions("06_unet")
    halves = nuclei.split_nuclei(nuclei.load_nuclei())
    learner = lesson.Trainee(lesson.small_unet, lesson.weighted_loss)
    for count in COUNTS:
        for way in WAYS:
            dice = [lesson.learn_from_few(learner, halves, count, *WAYS[way], seed) for seed in SEEDS]
            early, late = zip(*dice, strict=True)
            yield Row(
                f"{count} crop{'s' * (count > 1)} {way}, Dice after 160 steps",
                listed(late),
                f"after the first 120 {listed(early)}",
                f"mean {np.mean(late):.3f}",
                True,
            )
