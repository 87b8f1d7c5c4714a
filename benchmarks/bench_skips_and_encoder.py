"""What lesson 06 chooses, each with three starts: skip connections and a pretrained encoder."""

import time

import numpy as np

from benchmarks import Row, listed
from course_utils import tensorflow_start
from course_utils.datasets import carvana
from course_utils.notebooks import definitions

SIZE, SEEDS = (48, 72), (0, 1, 2)
STRETCH, STRETCHES = 120, 4  # of training with and without skips
ENCODER_SECONDS = 1.5  # CPU seconds of training, beside those that the encoder takes to read the pictures


def cross_entropy():
    import keras

    return keras.losses.BinaryCrossentropy(from_logits=True)


def skips(lesson, cars, unseen):
    """Dice and wrong pixels near the outline, with and without skips, until both have had four times the lesson's steps."""
    spent, found = {}, {}
    for kind in (True, False):
        trainee = lesson.Trainee(lambda kind=kind: lesson.small_car_network(kind), cross_entropy())
        lesson.judge_along(trainee, cars, unseen, SEEDS[0], 20, 1)  # compiles
        begin = time.process_time()
        found[kind] = np.array([lesson.judge_along(trainee, cars, unseen, s, STRETCH, STRETCHES) for s in SEEDS])
        spent[kind] = (time.process_time() - begin) / (len(SEEDS) * STRETCH * STRETCHES)
    for k in range(STRETCHES):
        dice, near = (tuple(found[kind][:, k, measure] for kind in (True, False)) for measure in (0, 1))
        for name, (ours, theirs), sign in (("Dice", dice, 1), ("wrong near the outline", near, -1)):
            better = np.median(sign * (ours - theirs))
            what = f"small U-Net, {name} after {STRETCH * (k + 1)} steps"
            ratio = f"paired, the median start is better by {better:.3f}"
            yield Row(what, listed(ours), f"without skips {listed(theirs)}", ratio, True)
    yield Row(
        "small U-Net, CPU seconds of a step",
        f"{spent[True]:.4f} s",
        f"without skips {spent[False]:.4f} s",
        f"{spent[True] / spent[False]:.2f}",
        True,
    )


def encoder(lesson, cars, unseen):
    """Dice on unseen cars after seconds of training on one car: a decoder on a frozen encoder, and a U-Net from scratch."""
    from course_utils.pretrained import efficientnet_lite0

    backbone = efficientnet_lite0(classifier=False)
    views, masks = (np.concatenate([each, each[:, :, ::-1]]) for each in cars)
    lesson.features_of(backbone, views[:2])
    maps, reading = lesson.timed(lambda: lesson.features_of(backbone, views))
    seen = lesson.features_of(backbone, unseen[0])
    scores = {}
    for factor in (1, 4):
        tasks = {
            "decoder": (lesson.decoder, maps, factor * ENCODER_SECONDS),
            "scratch": (
                lambda: lesson.car_network(channels=(8, 16, 32)), views / np.float32(255), factor * ENCODER_SECONDS + reading
            ),
        }  # fmt: skip
        for name, (build, inputs, seconds) in tasks.items():
            trainee = lesson.Trainee(build, cross_entropy(), 1e-2)
            for seed in (SEEDS[0], *SEEDS):
                lesson.restart(trainee, seed)
                compiling = (name, factor) not in scores
                lesson.train_for(trainee, inputs, masks, 0 if compiling else seconds, seed)
                if compiling:
                    scores[name, factor] = []
                    continue
                answer = trainee.model(seen, training=False).numpy() if name == "decoder" else lesson.logits_of(trainee.model, unseen[0])  # fmt: skip
                scores[name, factor].append(lesson.judge(answer, unseen[1])[1])
        yield Row(
            f"one car, frozen encoder, Dice after {factor * ENCODER_SECONDS:g} CPU s of training",
            listed(scores["decoder", factor]),
            f"from scratch, {factor * ENCODER_SECONDS + reading:.1f} CPU s {listed(scores['scratch', factor])}",
            f"worst of ours less best of theirs {min(scores['decoder', factor]) - max(scores['scratch', factor]):.3f}",
            True,
        )


def run():
    tensorflow_start.start_tensorflow()
    lesson = definitions("06_unet")
    known, test = carvana.load_carvana().split_by_car(0.2)
    cars = carvana.arrays(known.select(range(0, len(known), 2)), SIZE)
    unseen = carvana.arrays(test.select(range(0, len(test), 4)), SIZE)
    first = known.select(np.flatnonzero(np.array(known.cars) == known.cars[0]))
    yield from encoder(lesson, carvana.arrays(first, SIZE), unseen)
    yield from skips(lesson, cars, unseen)
