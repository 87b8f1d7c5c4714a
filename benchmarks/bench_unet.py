"""The U-Net of lesson 06 against the chapter's network of 34 million weights on rendered cars, and what feeds it."""

import time

import numpy as np

from benchmarks import Row
from course_utils import tensorflow_start
from course_utils.datasets import carvana
from course_utils.notebooks import definitions

SEEDS, CORES = (0, 1, 2), 2
LESSON_SIZE, STEPS, BATCH = (96, 144), 280, 4  # as the lesson trains
DICE, TRAINING_SECONDS = 0.978, 45  # of two cores, so at most 90 CPU seconds
SIZE, SHORT, LOSS = 128, 100, 0.06  # the chapter's size, and steps that pass the loss of its log
CHAPTER_STEPS, CHAPTER_BATCH = 400, 32  # its printed log: single batches stay above 0.06 until step 417


def clocks(work):
    """Seconds on the wall and of all cores that a call takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def step_seconds(model, batch, steps):
    """Seconds on the wall and of all cores for one step of training, after one to warm up."""
    import keras

    rng = np.random.default_rng(0)
    images = rng.random((batch, SIZE, SIZE, 3), dtype=np.float32)
    masks = (images[..., :1] > 0.5).astype(np.float32)
    model.compile(keras.optimizers.Adam(1e-4), loss=keras.losses.BinaryCrossentropy(from_logits=True))
    model.train_on_batch(images, masks)
    wall, cpu = clocks(lambda: [model.train_on_batch(images, masks) for _ in range(steps)])
    return wall / steps, cpu / steps


def feeding_seconds(part, batch):
    """Seconds on the wall for one batch of the pipeline, once its files are decoded."""
    batches = carvana.pipeline(part, SIZE, batch, train=True)
    list(batches)
    wall, _ = clocks(lambda: list(batches))
    return wall / (len(part) // batch)


def trained(lesson, part, size, steps, seed):
    """A network trained as in the lesson, and the CPU seconds that reading and training took."""
    import keras

    keras.utils.set_random_seed(seed)
    model = lesson.car_network()
    _, cpu = clocks(lambda: lesson.train(model, part, size, steps, batch=BATCH, seed=seed))
    return model, cpu


def run():
    tensorflow_start.start_tensorflow()
    lesson = definitions("06_unet")
    known, unseen = carvana.load_carvana().split_by_car(0.2)
    pictures, spent, losses = carvana.arrays(unseen, LESSON_SIZE), [], []
    for seed in SEEDS:
        model, cpu = trained(lesson, known, LESSON_SIZE, STEPS, seed)
        _, dice, iou = lesson.judge(lesson.logits_of(model, pictures[0]), pictures[1])
        allowed = CORES * TRAINING_SECONDS
        yield Row(
            f"U-Net, unseen cars, seed {seed}",
            f"Dice {dice:.4f}, IoU {iou:.4f} after {cpu:.0f} CPU s",
            f"bar Dice {DICE} in {TRAINING_SECONDS} s of {CORES} cores",
            f"{cpu / allowed:.2f}",
            dice >= DICE and cpu <= allowed,
        )
    pictures = carvana.arrays(unseen, SIZE)
    for seed in SEEDS:
        model, cpu = trained(lesson, known, SIZE, SHORT, seed)
        spent.append(cpu)
        losses.append(lesson.judge(lesson.logits_of(model, pictures[0]), pictures[1])[0])
    ours, _ = step_seconds(model, BATCH, 20)
    feed = feeding_seconds(known, BATCH)
    yield Row(
        f"pipeline, batch of {BATCH}",
        f"{feed:.4f} s",
        f"a step of training {ours:.3f} s",
        f"{ours / feed:.1f}, at least 2",
        ours >= 2 * feed,
    )
    _, step = step_seconds(lesson.chapter_network(), CHAPTER_BATCH, 1)
    chapter = CHAPTER_STEPS * step
    yield Row(
        f"CPU seconds to a validation loss of {LOSS}",
        f"{max(spent):.0f} s, at most {max(losses):.3f}",
        f"chapter's network {chapter:.0f} s ({CHAPTER_STEPS} steps x {step:.1f} s, extrapolated)",
        f"{chapter / max(spent):.0f}, at least 150",
        chapter >= 150 * max(spent) and max(losses) <= LOSS,
    )
