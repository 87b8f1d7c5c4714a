"""R-CNN and its network on a grid of windows in lesson 09's race, each with box regression and without.

What regression is worth depends on the data, so the way that the lesson shows is chosen on validation scenes. Other rows of the race are
in `bench_faster_rcnn`.
"""

import time

import numpy as np

from benchmarks import Row
from benchmarks.bench_faster_rcnn import EPOCHS, SEEDS, SHARED, UNSEEN, averages, in_the_race, marks
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


def by_windows(lesson, previous, rcnn, boxes, image):
    """What R-CNN's network says of windows (P, 4) by its own softmax, in both ways, with lesson 09's quicker suppression."""
    reading, found = rcnn.read(previous.warp(image, boxes)), []
    scores = previous.softmax(reading["logits"])[:, :-1]  # the last class is background
    for use in (rcnn.regressors, None):
        moved, labels, values = previous.pick(boxes, scores, 0.01, reading["pool"], use, None, image.shape)
        table = np.zeros((len(moved), scores.shape[1]), np.float32)  # a row for each pair of window and class
        table[np.arange(len(moved)), labels] = values
        found.append(lesson.as_arrays(lesson.keep_best(np.float32(moved), table, 0.01, 0.3), image.shape))
    return found


def rows_of(previous, name, looks, spent, unseen, validation):
    """Rows on both ways; `looks` holds a function for each seed, from the number of a set and of its picture to both answers."""
    judged, strict, chosen_by = ([[], []] for _ in range(3))
    for look in looks:
        answers = [[look(part, n) for n in range(len(some.images))] for part, some in enumerate((validation, unseen))]
        for way in range(2):
            held, found = ([each[way] for each in some] for some in answers)
            chosen_by[way].append(averages(validation, held)[:2])
            judged[way].append(marks(previous, unseen, found))
            strict[way].append(averages(unseen, found)[1:])
    for way in range(2):
        yield in_the_race(f"{name} {WAYS[way]}", judged[way], strict[way], spent)
    (half, mean), (other_half, other_mean) = (np.mean(each, axis=0) for each in chosen_by)
    yield Row(
        f"{name}, {VALIDATION} validation scenes, AP at 0.5:0.95", f"{WAYS[0]} {mean:.3f}", f"{WAYS[1]} {other_mean:.3f}",
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
    spent, grid = np.add(spent, search), previous.sliding_windows(step=1 / 3)
    svms = [lambda part, n, r=r: by_svms(previous, r, given[part][n], sets[part].images[n]) for r in trained]
    windows = [lambda part, n, r=r: by_windows(lesson, previous, r, grid, sets[part].images[n]) for r in trained]
    for name, looks in (("R-CNN", svms), ("sliding windows", windows)):
        yield from rows_of(previous, name, looks, spent, unseen, validation)
