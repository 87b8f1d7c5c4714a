"""The sliding window against the fully convolutional network with its weights, at the same pixels; and the training of the encoder-decoder."""

import numpy as np

from benchmarks import Row, against_bar, seconds
from course_utils import tensorflow_start
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

KIND = {"size": 64, "classes": (0, 1, 3, 4), "digits": (3, 5), "sides": (18, 26), "overlap": 0.0}
CANVAS, BATCHES, SEEDS = 128, (64, 256, 1024), range(3)
TIMES_FASTER, MEAN_IOU, TRAINING_SECONDS = 50, 0.90, 45


def classifier():
    """The lesson's patch classifier. It is not trained: that changes no size, and no number of multiplications."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    convolutions = [layers.Conv2D(16, 3, activation="relu") for _ in range(4)]
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            *convolutions[:2], layers.MaxPooling2D(2),
            *convolutions[2:], layers.MaxPooling2D(2),
            layers.Flatten(), layers.Dense(32, activation="relu"), layers.Dense(5),
        ]
    )  # fmt: skip


def compare(lesson, every_pixel):
    """A row for the seconds, and one for the multiplications, on a canvas; both networks are compiled graphs.

    The sliding window gets its patches in batches of the size that serves it best, and cutting them out is counted.
    """
    import tensorflow as tf

    model, step = classifier(), 1 if every_pixel else 4
    network = lesson.to_fully_convolutional(model, every_pixel)
    picture = lesson.as_input(load_scenes(1, size=CANVAS).images)[0]
    padded = np.pad(picture, ((14, 13), (14, 13), (0, 0)), mode="reflect")[None]
    run, run_network = tf.function(model), tf.function(network)
    works = [lambda batch=batch: lesson.slide(run, picture, step, batch) for batch in BATCHES]
    assert np.allclose(works[0](), run_network(padded)[0], atol=1e-3)
    *slid, once = seconds(*works, lambda: run_network(padded).numpy(), repeats=5)
    best = int(np.argmin(slid))
    where = f"{'every pixel' if every_pixel else 'every 4th pixel'} of {CANVAS} x {CANVAS}"
    bar = f", at least {TIMES_FASTER}" if every_pixel else ""
    ratio = slid[best] / once
    sliding = f"sliding window {slid[best]:.4f} s, batches of {BATCHES[best]}"
    met = ratio >= TIMES_FASTER or not every_pixel
    yield Row(f"FCN, {where}", f"{once:.4f} s", sliding, f"{ratio:.0f} times faster{bar}", met)
    ours = lesson.multiplications(network, CANVAS + 27, CANVAS + 27)
    theirs = lesson.multiplications(model, 28, 28) * (CANVAS // step) ** 2
    yield Row(
        f"FCN, {where}, multiplications",
        f"{ours:,}",
        f"sliding window {theirs:,}",
        f"{theirs / ours:.0f} times fewer",
        True,
    )


def train(lesson, seed):
    """Mean IoU on unseen scenes, and the seconds of the training."""
    import keras

    keras.utils.set_random_seed(seed)
    model, scenes = lesson.encoder_decoder("skips"), load_scenes(800, seed=seed, **KIND)
    took = lesson.train_network(model, scenes)
    test = load_scenes(100, seed=seed, part="test", **KIND)
    return lesson.iou_of(lesson.classes_of(model, test.images), test.class_maps).mean(), took


def run():
    tensorflow_start.start_tensorflow()
    lesson = definitions("05_fully_convolutional")
    yield from compare(lesson, every_pixel=True)
    yield from compare(lesson, every_pixel=False)
    scores, times = zip(*(train(lesson, seed) for seed in SEEDS), strict=True)
    listed = ", ".join(f"{score:.3f}" for score in scores)
    yield Row(
        "encoder-decoder with skips, mean IoU",
        listed,
        f"bar {MEAN_IOU:.2f}",
        f"worst {min(scores):.3f}",
        min(scores) >= MEAN_IOU,
    )
    yield against_bar("encoder-decoder with skips, slowest training", max(times), TRAINING_SECONDS)
