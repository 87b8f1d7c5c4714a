"""Lesson 07: loss weights at three learning rates and in a longer training, and its box head on photographs of blood cells."""

import os
from pathlib import Path

import numpy as np
from skimage.filters import threshold_otsu

from benchmarks import Row
from course_utils import geometry, tensorflow_start
from course_utils.datasets.folder import load_folder
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

RATES, SEEDS = (1e-3, 4e-3, 1.6e-2), 3  # the lesson shows 4e-3
LONG = 400  # steps; the lesson shows 80
PAIRS = {"b = 0": (1, 0), "b = 1": (1, 1), "b = 30": (1, 30), "b = 1000": (1, 1000), "a = 0": (0, 1)}
CELLS, SPLITS = Path("../shared/real/bccd"), 3  # photographs with boxes in Pascal VOC's format, where they exist


def compared(lesson, names, rate, title, **options):
    """One row per weight, and one for the dense head, from all seeds."""
    results = lesson.sweep([PAIRS[name] for name in names], rate, SEEDS, **options)  # (seeds, pairs, 4)
    dense = lesson.sweep([PAIRS["b = 30"]], rate, SEEDS, lesson.dense_head, **options)
    scores = zip([*names, "b = 30, dense head"], [*np.moveaxis(results, 1, 0), dense[:, 0]], strict=True)
    for name, (accuracy, overlap, *_) in ((name, each.T) for name, each in scores):
        yield Row(
            f"{name}, {title}", f"accuracy {accuracy.mean():.2f}", f"mean IoU {overlap.mean():.2f}",
            f"accuracy {accuracy.min():.2f} to {accuracy.max():.2f}, IoU {overlap.min():.2f} to {overlap.max():.2f}", True,
        )  # fmt: skip


def purple_box(lesson, image):
    """The box (4,) of the largest piece above Otsu's threshold on blue minus green, as white blood cells are stained."""
    purple = image[..., 2].astype(float) - image[..., 1]
    return lesson.hottest_box(purple > threshold_otsu(purple), *purple.shape, share=0.5)


def on_cells(lesson):
    """Photographs with one white blood cell each: mean IoU on the held-out fifth of three splits."""
    import keras

    place = Path(os.environ.get("COURSE_BLOOD_CELLS", Path(__file__).parents[1] / CELLS))
    if not place.is_dir():
        return
    cells = lesson.only_one(load_folder(place, (240, 320), faulty="skip"), "WBC")
    images, _, boxes = lesson.as_arrays(cells)
    frozen = lesson.efficientnet_lite0(classifier=False)
    strides = keras.Model(frozen.input, [frozen.output["stride_8"], frozen.output["stride_16"]])
    features = lesson.frozen_features(lesson.reader_of(strides), images)
    stained = np.array([purple_box(lesson, image) for image in images]) / [320, 240, 320, 240]
    found = {"head": [], "Otsu on blue minus green": [], "mean box": []}
    for seed in range(SPLITS):
        order = np.random.default_rng(seed).permutation(len(images))
        learn, judge = np.split(order, [round(0.8 * len(order))])
        head = lesson.fit_box_head(features[learn], boxes[learn], epochs=40, seed=seed)
        mean = np.tile(boxes[learn].mean(axis=0), (len(judge), 1))
        answers = lesson.find_boxes(head, features[judge], 1, 1), stained[judge], mean
        for scores, each in zip(found.values(), answers, strict=True):
            scores.append(geometry.iou(each, boxes[judge]).diagonal().mean())
    for name, scores in found.items():
        yield Row(
            f"{name}, {len(images)} photographs of one white blood cell", f"mean IoU {min(scores):.2f} to {max(scores):.2f}",
            f"{SPLITS} splits", f"{len(judge)} judged in each", True,
        )  # fmt: skip


def run():
    tensorflow_start.start_tensorflow()
    lesson = definitions("07_localization")
    shape = {"size": 32, "sides": (14, 24), "digits": (1, 1)}  # as in the lesson
    lesson.small_data = lesson.as_arrays(load_scenes(4000, **shape))
    lesson.small_unseen = lesson.as_arrays(load_scenes(500, seed=1, part="test", **shape))
    for rate in RATES:
        yield from compared(lesson, PAIRS, rate, f"learning rate {rate:g}")
    yield from compared(lesson, ["b = 1", "b = 30", "b = 1000"], 4e-3, f"{LONG} steps", steps=LONG)
    yield from on_cells(lesson)
