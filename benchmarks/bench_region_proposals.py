"""What box regression is worth to lesson 08's R-CNN at IoU thresholds from 0.5 to 0.9, on rendered scenes and on pictures of nuclei.

The chain is judged with its regressors, without them, and with the same mean offsets for all boxes. Intervals come from redrawing the judged pictures.
"""

import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image
from sklearn.dummy import DummyRegressor

from benchmarks import Row
from benchmarks.bench_faster_rcnn import DRAWS, marks, precisions
from course_utils import tensorflow_start
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

THRESHOLDS, SEEDS = (0.5, 0.6, 0.7, 0.8, 0.9), (0, 1, 2)
LEARNED, JUDGED, EPOCHS, PROPOSALS = 150, 100, 8, 150  # scenes, and what R-CNN takes
NUCLEI, LARGEST = (
    Path("../shared/real/nuclei"),
    256,
)  # pictures with label images, where they exist; larger ones are cut
WAYS = "whole chain", "no regression", "mean offsets"


def heads_of(lesson, table, rng, slack, strength):
    """SVMs, and three kinds of regressors: learned ones, none, and the mean offsets of each class."""
    svms, learned = lesson.fit_heads(table, rng, slack, strength)
    near = (table["overlap"].max(axis=1) >= 0.5) & ~table["is_truth"]
    pool, labels = table["pool"][near], table["label"][near]
    offsets = lesson.offsets_of(table["target"][near], table["boxes"][near])
    mean = [DummyRegressor().fit(pool[labels == k], offsets[labels == k]) for k in range(len(learned))]
    return svms, dict(zip(WAYS, (learned, None, mean), strict=True))


def answers(lesson, read, heads, image, boxes, size):
    """Detections of one picture in the three ways, all from the same scores."""
    svms, regressors = heads
    reading = read(lesson.warp(image, boxes, size))
    scores = lesson.svm_scores(svms)(reading)
    return [lesson.pick(boxes, scores, -1, reading["pool"], regressors[way], shape=image.shape[:2]) for way in WAYS]


def rows_of(lesson, name, parts):
    """One row per threshold from (pictures with boxes and labels, their detections in three ways), one per seed or fold."""
    rng = np.random.default_rng(0)
    sizes = [len(unseen.images) for unseen, _ in parts]
    same = all(unseen is parts[0][0] for unseen, _ in parts)  # seeds judge the same pictures, folds others
    weights = [rng.multinomial(size, np.full(size, 1 / size), DRAWS) for size in sizes]
    weights = [weights[0]] * len(parts) if same else weights
    for least in THRESHOLDS:
        values, draws = {}, {}
        for number, way in enumerate(WAYS):
            judged = [marks(lesson, unseen, [each[number] for each in found], least) for unseen, found in parts]
            values[way] = np.mean([precisions(each, np.ones((1, n)))[0] for each, n in zip(judged, sizes, strict=True)])
            draws[way] = np.mean([precisions(*each) for each in zip(judged, weights, strict=True)], axis=0)
        gains = []
        for way in WAYS[1:]:
            low, high = np.percentile(draws["whole chain"] - draws[way], [2.5, 97.5])
            gains.append(f"{values['whole chain'] - values[way]:+.2f} [{low:+.2f}, {high:+.2f}]")
        yield Row(
            f"box regression, {name}, IoU {least}", f"gain {gains[0]}",
            ", ".join(f"{way} {value:.2f}" for way, value in values.items()), f"over mean offsets {gains[1]}", True,
        )  # fmt: skip


def on_scenes(lesson):
    """Scenes: the small network of lesson 08's aside, three seeds."""
    import keras

    scenes, unseen = load_scenes(LEARNED, seed=10), load_scenes(JUDGED, seed=3, part="test")
    searched = [[lesson.selective_search(image)[:PROPOSALS] for image in some.images] for some in (scenes, unseen)]
    parts = []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        rng = np.random.default_rng(seed)
        read = lesson.reader_of(lesson.train_crop_network(*lesson.training_crops(rng, scenes), EPOCHS))
        table = lesson.table_of(read, scenes.images, searched[0], scenes.boxes, scenes.labels)
        heads = heads_of(lesson, table, rng, 0.01, 1000.0)  # as `train_rcnn` has them
        parts.append(
            (unseen, [answers(lesson, read, heads, *each, 32) for each in zip(unseen.images, searched[1], strict=True)])
        )
    yield from rows_of(lesson, f"{JUDGED} scenes", parts)


def read_nuclei(place):
    """Pictures of nuclei and the boxes of all that are whole inside the cut: images (H, W), boxes (n, 4), labels (n,)."""
    images, boxes = [], []
    for path in sorted(place.glob("*_labels.png")):
        labels = np.array(Image.open(path)).astype(int)
        picture = np.array(Image.open(path.with_name(path.name.replace("_labels", ""))))
        rows, columns = (
            slice((side - min(side, LARGEST)) // 2, (side + min(side, LARGEST)) // 2) for side in labels.shape
        )
        labels, picture = labels[rows, columns], picture[rows, columns]
        places = [np.nonzero(labels == number) for number in np.unique(labels[labels > 0])]
        tight = [[x.min(), y.min(), x.max() + 1, y.max() + 1] for y, x in places if len(x) >= 20]
        images.append(np.ascontiguousarray(picture))
        boxes.append(np.array(tight, float).reshape(-1, 4))
    return images, boxes


def on_nuclei(lesson):
    """Pictures of nuclei: pretrained features as in the lesson, learned on every other picture, judged on the rest, and the reverse."""
    place = Path(os.environ.get("COURSE_NUCLEI_PICTURES", Path(__file__).parents[1] / NUCLEI))
    if not place.is_dir():
        return
    images, boxes = read_nuclei(place)
    search = partial(lesson.selective_search, scales=(10, 30), strategies=((1, 0, 0, 0), (1, 1, 1, 1)), smooth=0.8)
    read = lesson.reader_of(lesson.pretrained_network(), chunk=256)
    proposals = [search(image)[:600] for image in images]
    labels = [np.zeros(len(some), int) for some in boxes]
    parts = []
    for fold in (0, 1):
        learn, judge = ([each[k::2] for each in (images, proposals, boxes, labels)] for k in (fold, 1 - fold))
        table = lesson.table_of(read, *learn, classes=1, size=64)
        heads = heads_of(lesson, table, np.random.default_rng(0), 0.001, 10_000.0)
        unseen = SimpleNamespace(images=judge[0], boxes=judge[2], labels=judge[3], classes=["nucleus"])
        parts.append((unseen, [answers(lesson, read, heads, *each, 64) for each in zip(*judge[:2], strict=True)]))
    yield from rows_of(lesson, f"{len(images)} pictures of nuclei", parts)


def run():
    tensorflow_start.start_tensorflow()
    lesson = definitions("08_region_proposals")
    yield from on_nuclei(lesson)
    yield from on_scenes(lesson)
