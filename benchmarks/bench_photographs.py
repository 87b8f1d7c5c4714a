"""Lesson 06's decoder on a frozen encoder against a U-Net from scratch and a random forest: some dots of a photograph are labeled, the rest is judged."""

import numpy as np

from benchmarks import Row, listed
from course_utils import tensorflow_start
from course_utils.notebooks import definitions

PHOTOGRAPHS, SEEDS = ("coffee", "astronaut"), (0, 1, 2)
SECONDS = (2, 8)  # CPU seconds of training, beside those that the encoder takes to read the photograph


def run():
    tensorflow_start.start_tensorflow()
    from course_utils.pretrained import efficientnet_lite0

    lesson = definitions("06_unet")
    encoder = efficientnet_lite0(classifier=False)
    for name in PHOTOGRAPHS:
        picture, truth = lesson.with_classes(name)
        trainees, scores = lesson.trainees_of(truth.max() + 1), []
        for seed in SEEDS:
            labeled = lesson.dots(truth, np.random.default_rng(seed))
            pairs = lesson.paint(encoder, trainees, picture, truth, labeled, SECONDS, seed)
            forest = lesson.by_color_and_place(picture, truth, labeled)
            answers = [*(answer for pair in pairs for answer in pair), forest]
            scores.append([lesson.mean_iou(answer, truth, labeled) for answer in answers])
        *by_network, by_forest = zip(*scores, strict=True)
        for seconds, ours, scratch in zip(SECONDS, by_network[::2], by_network[1::2], strict=True):
            yield Row(
                f"{name}, dots of {truth.max() + 1} classes, frozen encoder, mean IoU after {seconds} CPU s of training",
                listed(ours),
                f"from scratch {listed(scratch)}",
                f"random forest on color and place {listed(by_forest)}",
                True,
            )
