"""How cost grows: thresholds and K-means from 0.25 to 16 megapixels, multi-Otsu from 2 to 8 classes, networks from 64 to 512 pixels a side."""

import cv2
import numpy as np
from skimage import data, filters

from benchmarks import bench_fully_convolutional, bench_kmeans, bench_thresholding, grow
from course_utils import images, tensorflow_start
from course_utils.notebooks import definitions

MEGAPIXELS = (0.25, 1, 4, 16)
CLASSES = range(2, 9)  # one class needs no threshold
MOST_FOR_SKIMAGE = 5  # classes; its search grows by a factor of about fifty with each more
SIDES = (64, 128, 256, 512)
MOST_FOR_SLIDING = 256  # pixels a side; the patches of 512 would fill 0.8 GB


def tiled(picture, megapixels):
    """A gray picture of 512 x 512, repeated to so many megapixels (of 1024 x 1024)."""
    times = round(2 * megapixels**0.5)
    return np.tile(picture, (times, times))


def thresholds():
    """Otsu's method, the valley and the local threshold."""
    first, second = definitions("01_thresholding"), definitions("02_otsu")
    pictures = {size: tiled(data.camera(), size) for size in MEGAPIXELS}
    page = np.tile(data.page(), (3, 2))[:512, :512]
    pages = {size: tiled(page, size) for size in MEGAPIXELS}
    size, offset = bench_thresholding.SIZE, bench_thresholding.OFFSET
    yield grow("Otsu's method", "megapixels", MEGAPIXELS, {
        "lesson 02": lambda n: lambda: second.otsu_threshold(images.histogram(pictures[n])),
        "scikit-image": lambda n: lambda: filters.threshold_otsu(pictures[n]),
    })  # fmt: skip
    yield grow("local threshold", "megapixels", MEGAPIXELS, {
        "lesson 01": lambda n: lambda: first.ink_of(pages[n], size, offset),
        "scikit-image": lambda n: lambda: pages[n] <= filters.threshold_local(pages[n], size, method="mean", offset=offset, mode="nearest"),
        "OpenCV": lambda n: lambda: cv2.adaptiveThreshold(
            pages[n], 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, size, offset
        ),
    })  # fmt: skip


def classes():
    """Multi-Otsu on one picture, class by class."""
    lesson, camera = definitions("02_otsu"), data.camera()

    def library(count):
        return (lambda: filters.threshold_multiotsu(camera, count)) if count <= MOST_FOR_SKIMAGE else None

    return grow("multi-Otsu", "classes", CLASSES, {
        "lesson 02": lambda n: lambda: lesson.multi_otsu(images.histogram(camera), n),
        "scikit-image": library,
    })  # fmt: skip


def clusters():
    """K-means with five colors and one start, on a photograph that is enlarged, so that its colors grow in number too."""
    lesson, photograph = definitions("04_kmeans"), images.sample("china")

    def pixels(megapixels):
        side = round(1024 * megapixels**0.5)
        return cv2.resize(photograph, (side, side), interpolation=cv2.INTER_CUBIC).reshape(-1, 3)

    large = {size: pixels(size) for size in MEGAPIXELS}
    return grow("K-means, 5 colors", "megapixels", MEGAPIXELS, {
        "lesson 04": lambda n: lambda: bench_kmeans.ours(lesson, large[n], 1),
        "scikit-learn": lambda n: lambda: bench_kmeans.theirs(large[n], 1),
    })  # fmt: skip


def dense_classes():
    """A class for every pixel: the fully convolutional network, and the classifier that slides; the same weights."""
    import tensorflow as tf

    lesson, model = definitions("05_fully_convolutional"), bench_fully_convolutional.classifier()
    run, run_network = tf.function(model), tf.function(lesson.to_fully_convolutional(model, every_pixel=True))
    rng = np.random.default_rng(0)
    pictures = {side: rng.random((side, side, 1), dtype=np.float32) for side in SIDES}
    padded = {n: np.pad(each, ((14, 13), (14, 13), (0, 0)), mode="reflect")[None] for n, each in pictures.items()}
    return grow("a class for every pixel", "pixels a side", SIDES, {
        "lesson 05, fully convolutional": lambda n: lambda: run_network(padded[n]).numpy(),
        "sliding window": lambda n: (lambda: lesson.slide(run, pictures[n], 1)) if n <= MOST_FOR_SLIDING else None,
    })  # fmt: skip


def training_steps():
    """One step of training on one picture: the lesson's U-Net and the chapter's network."""
    import keras

    lesson, rng = definitions("06_unet"), np.random.default_rng(0)
    pictures = {side: rng.random((1, side, side, 3), dtype=np.float32) for side in SIDES}

    def step(make):
        model = make()
        model.compile(keras.optimizers.Adam(1e-4), loss=keras.losses.BinaryCrossentropy(from_logits=True))

        def at(side):
            masks = (pictures[side][..., :1] > 0.5).astype(np.float32)
            model.train_on_batch(pictures[side], masks)  # traces the graph for this size
            return lambda: model.train_on_batch(pictures[side], masks)

        return at

    return grow("a training step on one picture", "pixels a side", SIDES, {
        "lesson 06, U-Net": step(lesson.car_network), "chapter's network": step(lesson.chapter_network),
    })  # fmt: skip


def run():
    yield from thresholds()
    yield classes()
    yield clusters()
    tensorflow_start.start_tensorflow()
    yield dense_classes()
    yield training_steps()
