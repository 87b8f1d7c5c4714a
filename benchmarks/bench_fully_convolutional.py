"""The sliding window against the fully convolutional network with its weights; FCN-32s, 16s and 8s; and three encoder-decoders, trained until their curves are flat."""

import numpy as np

from benchmarks import Row, listed, seconds
from course_utils import tensorflow_start
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

KIND = {"size": 64, "classes": (0, 1, 3, 4), "digits": (3, 5), "sides": (18, 26), "overlap": 0.0}
CANVAS, BATCHES, SEEDS = 128, (64, 256, 1024), range(3)
SCENES, FEW_SCENES, EPOCHS, FEW_EPOCHS, HEAD_EPOCHS = 320, 240, 24, 9, 8
TIMES_FASTER, MEAN_IOU, GAIN_OF_A_SKIP = 50, 0.90, 0.1


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


def heads(lesson, train, test):
    """Mean IoU on unseen scenes of FCN-32s, 16s and 8s with three seeds; FCN-32s also with twice the epochs; single strides alone."""
    import keras

    from course_utils.pretrained import efficientnet_lite0

    backbone = efficientnet_lite0(classifier=False)
    seen, unseen = (lesson.features_of(backbone, each) for each in (train.images[:FEW_SCENES], test.images))
    scores = {}
    for finest, epochs in ((32, HEAD_EPOCHS), (32, 2 * HEAD_EPOCHS), (16, HEAD_EPOCHS), (8, HEAD_EPOCHS)):
        scores[finest, epochs] = []
        for seed in SEEDS:
            keras.utils.set_random_seed(seed)
            network = lesson.fcn(finest)
            lesson.fit(network, seen, train.class_maps[:FEW_SCENES], epochs=epochs, rate=1e-2)
            answer = network.predict(unseen, verbose=0).argmax(axis=-1)
            scores[finest, epochs].append(lesson.iou_of(answer, test.class_maps).mean())
    before = None
    for (finest, epochs), found in scores.items():
        what = f"FCN-{finest}s, frozen backbone, mean IoU after {epochs} epochs"
        if epochs > HEAD_EPOCHS:
            change = max(abs(a - b) for a, b in zip(found, before, strict=True))
            yield Row(what, listed(found), f"{HEAD_EPOCHS} epochs {listed(before)}", f"changes by {change:.3f}", True)
            continue
        gain = min(found) - max(before) if before else None
        against = f"without the last skip {listed(before)}" if before else "-"
        ratio = f"at least {gain:.2f} more, bar {GAIN_OF_A_SKIP:g}" if before else ""
        yield Row(what, listed(found), against, ratio, gain is None or gain >= GAIN_OF_A_SKIP)
        before = found
    for stride in (16, 8):
        found = []
        for seed in SEEDS:
            keras.utils.set_random_seed(seed)
            network = lesson.fcn(stride, coarsest=stride)
            lesson.fit(network, seen, train.class_maps[:FEW_SCENES], epochs=HEAD_EPOCHS, rate=1e-2)
            answer = network.predict(unseen, verbose=0).argmax(axis=-1)
            found.append(lesson.iou_of(answer, test.class_maps).mean())
        what = f"stride {stride} alone, frozen backbone, mean IoU after {HEAD_EPOCHS} epochs"
        beside = f"FCN-{stride}s {listed(scores[stride, HEAD_EPOCHS])}"
        gain = min(scores[stride, HEAD_EPOCHS]) - max(found)
        yield Row(what, listed(found), beside, f"the sum gets at least {gain:.2f} more", gain > 0)


def decoders(lesson, train, test):
    """Mean IoU of the three encoder-decoders with three seeds, until their curves are flat."""
    import keras

    curves = {}
    for way in ("nothing", "positions", "skips"):
        curves[way] = []
        for seed in SEEDS:
            keras.utils.set_random_seed(seed)
            curves[way].append(lesson.curve_of(lesson.encoder_decoder(way), train, test, EPOCHS))
    ends = {way: [curve[-1] for curve in each] for way, each in curves.items()}
    for way, each in curves.items():
        gained = max(curve[-1] - curve[-1 - EPOCHS // 6] for curve in each)
        early = f"after {FEW_EPOCHS} of them {listed(curve[FEW_EPOCHS - 1] for curve in each)}"
        met = way != "skips" or min(ends[way]) >= MEAN_IOU
        bar = f", bar {MEAN_IOU:.2f}" if way == "skips" else ""
        flat = f"worst {min(ends[way]):.3f}{bar}; the last {EPOCHS // 6} epochs add {gained:.3f} at most"
        yield Row(f"decoder with {way}, mean IoU after {EPOCHS} epochs", listed(ends[way]), early, flat, met)


def run():
    tensorflow_start.start_tensorflow()
    lesson = definitions("05_fully_convolutional")
    yield from compare(lesson, every_pixel=True)
    yield from compare(lesson, every_pixel=False)
    train, test = load_scenes(SCENES, **KIND), load_scenes(100, part="test", **KIND)
    yield from heads(lesson, train, test)
    yield from decoders(lesson, train, test)
