"""Lesson 09's detectors: Faster R-CNN at full size, three of the race's five detectors on equal data, two ways to pool.

Precision is judged on 200 unseen scenes for three seeds. Training is counted in seconds of processor time, because other programs on the
computer don't change it: two cores have 120 of them in a minute. The race's other two detectors are in `bench_rcnn_race`.
"""

import os
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import Row, listed, seconds
from course_utils import metrics, tensorflow_start
from course_utils.datasets.folder import load_folder
from course_utils.datasets.nuclei import load_nuclei, split_nuclei
from course_utils.datasets.scenes import load_scenes
from course_utils.notebooks import definitions

PRECISION, TRAINING, TIMES = 0.90, 120, 25
SEEDS, UNSEEN = (0, 1, 2), 200
SCENES, STEPS = 5000, 1000  # what Faster R-CNN learns from at full size
SHARED, SHARED_STEPS, EPOCHS = 250, 350, 8  # the race: scenes that all learn from, steps, and R-CNN's epochs
PROPOSALS = 64  # of selective search, for Fast R-CNN
TIMED = 10  # scenes that two detectors look at in turns
BLOOD, BLOOD_STEPS, OWN_PRECISION = (
    Path("../shared/real/bccd"),
    330,
    0.80,
)  # photographs of blood cells, where they exist
WIDTHS = (48, 64, 96)  # of the layers after the frozen backbone; one is chosen on a third of the learning pictures
ABOUT = 0.02  # mAP
NUCLEI_KEPT = 128  # Faster R-CNN's proposals there: a half shows up to 63 nuclei
DRAWS = 500  # of the bootstrap over unseen scenes


def marks(previous, unseen, found, least=0.5):
    """For each class: which detections are right, best first, their pictures, and the objects in each picture."""
    result = []
    for label in range(len(unseen.classes)):
        rows, totals = [], np.zeros(len(unseen.images), int)
        for number, (truth, names, (boxes, labels, scores)) in enumerate(
            zip(unseen.boxes, unseen.labels, found, strict=True)
        ):
            mine = labels == label
            totals[number] = (names == label).sum()
            right = previous.match(truth[names == label], boxes[mine], scores[mine], least)
            rows += zip(-np.sort(-scores[mine], kind="stable"), right, [number] * mine.sum(), strict=True)
        rows.sort(key=lambda row: -row[0])
        result.append((np.array([row[1] for row in rows], bool), np.array([row[2] for row in rows], int), totals))
    return result


def precisions(judged, weights):
    """Mean AP when pictures count as often as the weights (draws, pictures) say: (draws,)."""
    values = []
    for right, place, totals in judged:
        each = weights[:, place]
        hits = np.cumsum(each * right, axis=1)
        precision = hits / np.maximum(np.cumsum(each, axis=1), 1)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        values.append((best * each * right).sum(axis=1) / np.maximum(weights @ totals, 1))
    return np.mean(values, axis=0)


def interval(judged):
    """Mean AP over seeds, and its 95 % interval when the unseen scenes are drawn again."""
    pictures = len(judged[0][0][2])
    weights = np.random.default_rng(0).multinomial(pictures, np.full(pictures, 1 / pictures), DRAWS)
    draws = np.mean([precisions(each, weights) for each in judged], axis=0)
    value = np.mean([precisions(each, np.ones((1, pictures)))[0] for each in judged])
    return value, *np.percentile(draws, [2.5, 97.5])


def trained(lesson, detector, scenes, steps, seed, proposals=None):
    """Train a detector of lesson 09 on scenes; the seconds of processor time that it took."""
    begin = time.process_time()
    data = detector.data(scenes.images, scenes.boxes, scenes.labels, *([] if proposals is None else [proposals]))
    lesson.train(lesson.compile_step(detector, steps), data, steps, np.random.default_rng(seed))
    return time.process_time() - begin


def averages(unseen, found):
    """Mean AP at IoU 0.5, and over 0.5, 0.55, ..., 0.95."""
    truths = list(zip(unseen.boxes, unseen.labels, strict=True))
    values = metrics.average_precision(truths, found, len(unseen.classes), np.arange(0.5, 1, 0.05))
    return np.nanmean(values[0]), np.nanmean(values), np.nanmean(values[6])


def full_size(lesson, unseen):
    """Rows on Faster R-CNN at full size, and a trained one."""
    import keras

    results, spent, others = [], [], []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        detector = lesson.FasterRCNN()
        spent.append(trained(lesson, detector, load_scenes(SCENES, seed=seed), STEPS, seed))
        results.append(averages(unseen, [detector.detect(image) for image in unseen.images]))
        found = [[detector.detect(image, across=across) for image in unseen.images] for across in (False, True)]
        others.append(
            [(averages(unseen, each)[0], *lesson.error_counts(unseen.boxes, unseen.labels, each)) for each in found]
        )
    half, mean, _ = np.array(results).T
    yield Row(
        f"Faster R-CNN, AP at 0.5, {UNSEEN} unseen scenes", listed(half), f"0.5:0.95 {listed(mean)}",
        f"bar {PRECISION}", bool(min(half) >= PRECISION),
    )  # fmt: skip
    yield Row(
        "Faster R-CNN, training, CPU s", listed(spent, ".0f"), f"bar {TRAINING}, a minute of two cores",
        f"{max(spent) / TRAINING:.2f}", bool(max(spent) <= TRAINING),
    )  # fmt: skip
    others = np.mean(others, axis=0)  # (2, 7)
    for name, values in zip(("by class", "across classes"), others, strict=True):
        yield Row(
            f"suppression {name}, AP at 0.5", f"{values[0]:.3f}",
            "right {:.0f}, wrong class {:.0f}, place {:.0f}, duplicate {:.0f}, background {:.0f}, missed {:.0f}".format(*values[1:]),
            "at score 0.5, mean of three seeds", True,
        )  # fmt: skip
    return detector


def sliding_windows(lesson, previous, read, windows, image):
    """What R-CNN's network says of windows (P, 4), by its own softmax; lesson 09's suppression, which is quicker than lesson 08's."""
    scores = previous.softmax(read(previous.warp(image, windows))["logits"])[:, :-1]  # the last class is background
    found = lesson.keep_best(np.float32(windows), np.float32(scores), 0.01, 0.3)
    return lesson.as_arrays(found, image.shape)


def race(lesson, previous, unseen):
    """Rows on three detectors that learn from the same scenes, and on two ways to pool."""
    import keras

    scenes = load_scenes(SHARED, seed=10)
    quick = partial(previous.selective_search, scales=(100,), strategies=((1, 1, 1, 1),))
    begin = time.process_time()
    some = lesson.searched(quick, scenes.images, PROPOSALS)
    search = time.process_time() - begin
    given = lesson.searched(quick, unseen.images, PROPOSALS)
    judged, strict, spent = {}, {}, {}

    def judge(name, found, cost):
        judged.setdefault(name, []).append(marks(previous, unseen, found))
        strict.setdefault(name, []).append(averages(unseen, found)[1:])
        spent.setdefault(name, []).append(cost)

    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        fast = lesson.FastRCNN()
        cost = search + trained(lesson, fast, scenes, SHARED_STEPS, seed, some)
        judge("Fast R-CNN", [fast.detect(*each) for each in zip(unseen.images, given, strict=True)], cost)
        for name, make in {
            "Faster R-CNN": lesson.FasterRCNN,
            "one stage": lesson.OneStage,
            "Faster R-CNN with RoI pooling": partial(lesson.FasterRCNN, pool=lesson.roi_max),
        }.items():
            keras.utils.set_random_seed(seed)
            detector = make()
            cost = trained(lesson, detector, scenes, SHARED_STEPS, seed)
            judge(name, [detector.detect(image) for image in unseen.images], cost)
    for name, each in judged.items():
        yield in_the_race(name, each, strict[name], spent[name])


def in_the_race(name, judged, strict, spent):
    """The row of a detector: what :func:`marks` gives for each seed, AP at 0.5:0.95 and at 0.8, seconds of processor time."""
    value, low, high = interval(judged)
    mean, at_08 = np.mean(strict, axis=0)
    return Row(
        f"{name}, {SHARED} scenes, AP at 0.5", f"{value:.3f} [{low:.3f}, {high:.3f}]",
        f"0.5:0.95 {mean:.3f}, 0.8 {at_08:.3f} ({listed([row[1] for row in strict])})",
        f"training {np.mean(spent):.0f} CPU s", True,
    )  # fmt: skip


def speed(lesson, previous, unseen):
    """Rows on the time that each detector of the race takes for a picture, all measured in turns."""
    import keras

    scenes = load_scenes(SHARED, seed=10)
    quick = partial(previous.selective_search, scales=(100,), strategies=((1, 1, 1, 1),))
    keras.utils.set_random_seed(0)
    rcnn = previous.train_rcnn(scenes, scenes, 0, epochs=EPOCHS, proposals=150)
    slide = partial(sliding_windows, lesson, previous, rcnn.read, previous.sliding_windows(step=1 / 3))
    faster, stage, fast = lesson.FasterRCNN(), lesson.OneStage(), lesson.FastRCNN()
    trained(lesson, faster, scenes, SHARED_STEPS, 0)
    trained(lesson, stage, scenes, SHARED_STEPS, 0)
    trained(lesson, fast, scenes, SHARED_STEPS, 0, lesson.searched(quick, scenes.images, PROPOSALS))

    def search_and_detect(image):
        return fast.detect(image, lesson.searched(quick, image[None], PROPOSALS)[0])

    detects = [faster.detect, rcnn.detect, stage.detect, search_and_detect, slide]
    looks = [partial(detect_all, detect, unseen.images[:TIMED]) for detect in detects]
    times = [1000 * value / TIMED for value in seconds(*looks, repeats=11)]
    yield Row(
        "Faster R-CNN, a picture", f"{times[0]:.1f} ms", f"R-CNN {times[1]:.1f} ms",
        f"{times[1] / times[0]:.1f} times faster, at least {TIMES}", times[1] >= TIMES * times[0],
    )  # fmt: skip
    yield Row(
        "one stage, Fast R-CNN, sliding windows, a picture", f"{times[2]:.1f} ms",
        f"{times[3]:.1f} ms, {times[4]:.1f} ms", "", True,
    )  # fmt: skip


def from_scratch(lesson, folder, budget, batch=8):
    """One stage in color without pretrained features, for as many steps as fit into seconds of processor time, and their number."""
    import keras

    keras.utils.set_random_seed(0)
    begin = time.process_time()
    blocks = [*lesson.block(32, kernel=8, strides=4), *lesson.block(40), *lesson.block(40)]
    backbone = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Rescaling(1 / 255), *blocks])
    read = partial(lesson.padded, multiple=8)
    detector = lesson.OneStage(backbone, len(folder.classes), lesson.sizes_for(folder.boxes), read=read)
    images, boxes = lesson.mirrored(folder.images, folder.boxes)
    data = detector.data(images, boxes, [*folder.labels, *folder.labels], high=0.5)
    first = [part.get_weights() for part in detector.parts]
    step = lesson.compile_step(detector, 9)
    lesson.train(step, data, 3, np.random.default_rng(5), batch)
    since = time.process_time()
    lesson.train(step, data, 6, np.random.default_rng(5), batch)
    each = (time.process_time() - since) / 6
    steps = int((budget - (time.process_time() - begin - 9 * each)) / each)
    for part, weights in zip(detector.parts, first, strict=True):
        part.set_weights(weights)
    lesson.train(lesson.compile_step(detector, steps), data, steps, np.random.default_rng(0), batch)
    return detector, steps


def own_pictures(lesson):
    """Rows on photographs of blood cells, read and learned as the lesson says; the width is chosen without those that judge."""
    places = [Path(__file__).parents[1] / BLOOD, Path(os.environ.get("COURSE_BCCD", BLOOD))]
    place = next((place for place in places if place.is_dir()), None)
    if place is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it names the boxes that are left out
        folder = load_folder(place, size=(304, 400), faulty="skip")
    learn, judge = folder.split(0.6)
    read = lesson.pretrained_reader()

    def judged(detector, others):
        found = [detector.detect(image) for image in others.images]
        return metrics.average_precision(
            list(zip(others.boxes, others.labels, strict=True)), found, len(folder.classes)
        )

    def average(some, others, width):
        begin = time.process_time()
        detector = lesson.learn_pictures(
            some.images, some.boxes, some.labels, len(folder.classes), BLOOD_STEPS, read, width=width
        )
        spent = time.process_time() - begin
        return judged(detector, others), spent

    part, held = learn.split(2 / 3)
    chosen_by = {width: average(part, held, width)[0].mean() for width in WIDTHS}
    # The narrowest that is about as good as the best, since training takes longer with the width.
    chosen = min(width for width, value in chosen_by.items() if value >= max(chosen_by.values()) - ABOUT)
    yield Row(
        f"one stage on {len(held)} held photographs of blood cells, mAP at 0.5", listed(chosen_by.values()),
        f"widths {', '.join(map(str, WIDTHS))}", f"chosen: {chosen}; {len(part)} pictures to learn from", True,
    )  # fmt: skip
    values, spent = average(learn, judge, chosen)
    yield Row(
        f"one stage on {len(judge)} unseen photographs of blood cells, mAP at 0.5", f"{values.mean():.3f}",
        by_class(folder, values), f"bar {OWN_PRECISION}, {spent:.0f} CPU s on {len(learn)} pictures",
        bool(values.mean() >= OWN_PRECISION),
    )  # fmt: skip
    detector, steps = from_scratch(lesson, learn, spent)
    yield scratch_row(folder, judge, judged(detector, judge), steps)


def by_class(folder, values):
    """Names of classes and values as one text."""
    return ", ".join(f"{name} {value:.2f}" for name, value in zip(folder.classes, values, strict=True))


def scratch_row(folder, judge, values, steps):
    """The row of the detector without pretrained features."""
    return Row(
        f"one stage from scratch on {len(judge)} unseen photographs of blood cells, mAP at 0.5", f"{values.mean():.3f}",
        by_class(folder, values), f"{steps} steps in the same CPU seconds", True,
    )  # fmt: skip


def nuclei(lesson, names=("one stage", "one stage from scratch", "Faster R-CNN")):
    """Rows on the half of the nuclei that was not learned: the lesson's one stage, the same from scratch, and Faster R-CNN for longer."""
    import keras

    left, right = split_nuclei(load_nuclei())
    height = left.image.shape[0]
    pictures, boxes = np.stack([left.image, left.image[::-1]]), [left.boxes, left.boxes.copy()]
    boxes[1][:, [1, 3]] = height - left.boxes[:, [3, 1]]
    labels, read, sizes = [np.zeros(len(left.boxes), int)] * 2, lesson.pretrained_reader(), lesson.sizes_for(boxes)
    truths = [(right.boxes, np.zeros(len(right.boxes), int))]
    both, all_boxes = lesson.mirrored(pictures, boxes)
    frozen = {"classes": 1, "sizes": sizes, "stride": 8, "step": 1, "read": read}
    ways = {
        "one stage": (lambda: lesson.OneStage(lesson.build_neck(), **frozen), 60),
        "one stage from scratch": (lambda: lesson.OneStage(classes=1, sizes=sizes), 60),
        "Faster R-CNN": (lambda: lesson.FasterRCNN(lesson.build_neck(), **frozen, keep=NUCLEI_KEPT), 150),
    }
    for name in names:
        (make, steps), precision, begin = ways[name], [], time.process_time()
        for seed in SEEDS:
            keras.utils.set_random_seed(seed)
            detector = make()
            data = detector.data(both, all_boxes, [*labels, *labels], high=0.5)
            lesson.train(lesson.compile_step(detector, steps), data, steps, np.random.default_rng(seed), 2)
            precision.append(metrics.average_precision(truths, [detector.detect(right.image, least=0.1)], 1)[0])
        spent = (time.process_time() - begin) / len(SEEDS)
        yield Row(
            f"{name}, nuclei of the unseen half, AP at 0.5", listed(precision, ".2f"), f"bar {OWN_PRECISION} for one stage",
            f"{steps} steps, {spent:.0f} CPU s", name != "one stage" or min(precision) >= OWN_PRECISION,
        )  # fmt: skip


def detect_all(detect, images):
    """Look at one picture after the other."""
    for image in images:
        detect(image)


def run():
    tensorflow_start.start_tensorflow()
    lesson, previous = definitions("09_faster_rcnn"), definitions("08_region_proposals")
    unseen = load_scenes(UNSEEN, seed=3, part="test")
    yield from race(lesson, previous, unseen)
    yield from speed(lesson, previous, unseen)
    yield from full_size(lesson, unseen)
    yield from own_pictures(lesson)
    yield from nuclei(lesson)
