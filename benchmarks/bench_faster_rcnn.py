"""Lesson 09's Faster R-CNN at full size: its precision, its training time, and its time a picture beside lesson 08's R-CNN."""

import time
from functools import partial

import numpy as np

from benchmarks import Row, against_bar, seconds
from course_utils import tensorflow_start
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

PRECISION, TRAINING, TIMES = 0.85, 120, 20
SCENES, STEPS = 5000, 1000  # what Faster R-CNN learns from
CROPS, PROPOSED, SHARED = 600, 60, 60  # what R-CNN learns from, and how many of the unseen scenes it is judged on
TIMED = 10  # scenes that both look at in turns


def learn(faster, seed=0):
    """A trained Faster R-CNN, and the seconds from scenes to detector, those for assigning anchors included."""
    import keras

    keras.utils.set_random_seed(seed)
    scenes, anchors = load_scenes(SCENES, seed=seed), faster.make_anchors()
    begin = time.perf_counter()
    assigned = [faster.assign_anchors(anchors, boxes, high=0.6) for boxes in scenes.boxes]
    kinds, matched = (np.array(column) for column in zip(*assigned, strict=True))
    data = (scenes.images, kinds, matched, *faster.padded_truth(scenes))
    detector = faster.FasterRCNN(anchors)
    faster.train(faster.compile_step(detector, STEPS), data, STEPS, np.random.default_rng(seed))
    return detector, time.perf_counter() - begin


def detect_all(detect, images):
    """Look at one picture after the other."""
    for image in images:
        detect(image)


def run():
    tensorflow_start.start_tensorflow()
    faster, previous = definitions("09_faster_rcnn"), definitions("08_region_proposals")
    unseen = load_scenes(200, seed=3, part="test")
    shared = load_scenes(SHARED, seed=3, part="test")
    detector, spent = learn(faster)
    rcnn = previous.train_rcnn(load_scenes(CROPS, seed=10), load_scenes(PROPOSED, seed=20))
    half, mean = faster.precision_of(unseen, [detector.detect(image) for image in unseen.images])
    half_before, mean_before = faster.precision_of(shared, [rcnn.detect(image) for image in shared.images])
    few = shared.images[:TIMED]
    looks = [partial(detect_all, found.detect, few) for found in (detector, rcnn)]
    look, look_before = (time / TIMED for time in seconds(*looks, repeats=9))
    yield Row(
        "Faster R-CNN, AP at 0.5, 200 unseen scenes",
        f"{half:.3f} (0.5:0.95 {mean:.3f})",
        f"R-CNN {half_before:.3f} ({mean_before:.3f}) on {SHARED}",
        f"bar {PRECISION}",
        half >= PRECISION,
    )
    yield against_bar("Faster R-CNN, training", spent, TRAINING)
    yield Row(
        "Faster R-CNN, a picture",
        f"{1000 * look:.1f} ms",
        f"R-CNN {1000 * look_before:.1f} ms",
        f"{look_before / look:.0f} times faster, at least {TIMES}",
        look_before >= TIMES * look,
    )
