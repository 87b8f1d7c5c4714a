"""R-CNN in lesson 09's race, with box regression and without, and its network on a grid of windows.

What regression is worth depends on the data, so the way that the lesson shows is chosen on validation scenes. Other rows of the race are
in `bench_faster_rcnn`.
"""

import time

import numpy as np

from benchmarks import Row
from benchmarks.bench_faster_rcnn import EPOCHS, SEEDS, SHARED, UNSEEN, averages, in_the_race, marks, sliding_windows
from course_utils import tensorflow_start
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

VALIDATION, PROPOSALS = 100, 150  # scenes to choose on, and what R-CNN takes of selective search
WAYS = "with box regression", "without box regression"


def train(previous, scenes, proposals, seed):
    """Lesson 08's R-CNN on scenes whose proposals are known; the seconds of processor time without the search."""
    import keras

    keras.utils.set_random_seed(seed)
    begin, rng = time.process_time(), np.random.default_rng(seed)
    read = previous.reader_of(previous.train_crop_network(*previous.training_crops(rng, scenes), EPOCHS))
    table = previous.table_of(read, scenes.images, proposals, scenes.boxes, scenes.labels)
    return previous.RCNN(read, *previous.fit_heads(table, rng), PROPOSALS), time.process_time() - begin


def by_svms(previous, rcnn, boxes, image):
    """What R-CNN finds in an image at proposals (P, 4), in both ways."""
    reading = rcnn.read(previous.warp(image, boxes))
    scores = previous.svm_scores(rcnn.svms)(reading)
    return [
        previous.pick(boxes, scores, -1, reading["pool"], use, shape=image.shape) for use in (rcnn.regressors, None)
    ]


def judge(previous, unseen, found):
    """What :func:`marks` gives, and AP at 0.5:0.95 and at 0.8."""
    return marks(previous, unseen, found), averages(unseen, found)[1:]


def both_ways(previous, answers, spent, unseen, validation):
    """Rows on R-CNN; `answers` holds for each seed what it finds in pictures for validation and in unseen ones, in both ways."""
    chosen_by = []
    for way, name in enumerate(WAYS):
        held, found = ([[each[way] for each in some[part]] for some in answers] for part in (0, 1))
        judged, strict = zip(*(judge(previous, unseen, each) for each in found), strict=True)
        yield in_the_race(f"R-CNN {name}", judged, strict, spent)
        chosen_by.append(np.mean([averages(validation, each)[:2] for each in held], axis=0))
    (half, mean), (other_half, other_mean) = chosen_by
    yield Row(
        f"R-CNN, {VALIDATION} validation scenes, AP at 0.5:0.95", f"{WAYS[0]} {mean:.3f}", f"{WAYS[1]} {other_mean:.3f}",
        f"chosen: {WAYS[int(other_mean > mean)]}; at 0.5 {half:.3f} and {other_half:.3f}", True,
    )  # fmt: skip


def run():
    tensorflow_start.start_tensorflow()
    lesson, previous = definitions("09_faster_rcnn"), definitions("08_region_proposals")
    unseen, validation = load_scenes(UNSEEN, seed=3, part="test"), load_scenes(VALIDATION, seed=11)
    scenes, sets = load_scenes(SHARED, seed=10), (validation, unseen)
    begin = time.process_time()
    searched = [previous.selective_search(image)[:PROPOSALS] for image in scenes.images]
    search = time.process_time() - begin
    given = [[previous.selective_search(image)[:PROPOSALS] for image in some.images] for some in sets]
    trained, spent = zip(*(train(previous, scenes, searched, seed) for seed in SEEDS), strict=True)
    answers = [
        [
            [by_svms(previous, rcnn, *each) for each in zip(some, part.images, strict=True)]
            for some, part in zip(given, sets, strict=True)
        ]
        for rcnn in trained
    ]
    yield from both_ways(previous, answers, np.add(spent, search), unseen, validation)
    grid = previous.sliding_windows(step=1 / 3)
    found = [[sliding_windows(lesson, previous, rcnn.read, grid, image) for image in unseen.images] for rcnn in trained]
    judged, strict = zip(*(judge(previous, unseen, each) for each in found), strict=True)
    yield in_the_race("sliding windows", judged, strict, np.add(spent, search))
