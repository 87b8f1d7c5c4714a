"""The lesson's K-means against scikit-learn's, on color pictures of 600 x 400, at the same loss; and the memory that each takes."""

import json
import subprocess
import sys
from functools import partial

import cv2
import numpy as np
from sklearn.cluster import KMeans

from benchmarks import Row, against_library, seconds
from course_utils import images
from course_utils.notebooks import definitions

K, NEAR, SEEDS = 5, 1.01, range(6)
MEGABYTES = 300


def picture(name):
    """A sample picture as pixels: (240000, 3), uint8."""
    return cv2.resize(images.sample(name), (600, 400), interpolation=cv2.INTER_AREA).reshape(-1, 3)


def ours(lesson, pixels, restarts, seed=0):
    """Labels of all pixels, and the inertia: finding the distinct colors and going back to pixels included."""
    colors, counts, index = lesson.distinct(pixels)
    _, labels, inertia = lesson.kmeans(colors, K, np.random.default_rng(seed), restarts, counts)
    return labels[index], inertia


def theirs(pixels, restarts, seed=0):
    """The same from scikit-learn, at its fastest: Lloyd's algorithm on 32-bit floats."""
    found = KMeans(K, n_init=restarts, random_state=seed).fit(pixels.astype(np.float32))
    return found.labels_, found.inertia_


def fewest_restarts(run, best):
    """How many starts bring every seed within 1 % of the best known loss: 1 to 8."""
    return next((n for n in (1, 2, 3, 4, 6) if all(run(n, seed)[1] <= NEAR * best for seed in SEEDS)), 8)


def peak(who, name):
    """Memory of a fresh process that clusters one picture: what `report_peak` prints."""
    code = f"from benchmarks import bench_kmeans; bench_kmeans.report_peak({who!r}, {name!r})"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def report_peak(who, name):
    """Print in megabytes what NumPy allocates at most at once, and the largest size of this process, libraries included."""
    import resource
    import tracemalloc

    pixels, lesson = picture(name), definitions("04_kmeans")
    tracemalloc.start()
    ours(lesson, pixels, 1) if who == "ours" else theirs(pixels, 1)
    allocated = tracemalloc.get_traced_memory()[1] / 1e6
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux
    print(json.dumps([allocated, largest]))


def compare(lesson, name):
    """A row for the seconds on one picture, with as many starts for each as the loss needs."""
    pixels = picture(name)
    best = min(ours(lesson, pixels, 10)[1], theirs(pixels, 10)[1])
    mine = fewest_restarts(lambda n, seed: ours(lesson, pixels, n, seed), best)
    library = fewest_restarts(lambda n, seed: theirs(pixels, n, seed), best)
    times = seconds(lambda: ours(lesson, pixels, mine), lambda: theirs(pixels, library), repeats=5)
    return against_library(f"K-means, {name}, restarts={mine}", times[0], f"scikit-learn, n_init={library},", times[1])


def compare_starts(lesson, name, starts):
    """A row for the seconds with the same number of starts; our mean loss may be 1 % higher, or no more than two standard errors."""
    pixels = picture(name)
    seeds = range(20) if starts == 1 else SEEDS  # a single start may get stuck, so its losses differ much
    losses = np.array([[run(pixels, starts, seed)[1] for seed in seeds] for run in (partial(ours, lesson), theirs)])
    ratio, more = losses[0].mean() / losses[1].mean(), losses[0] - losses[1]  # paired by seed
    doubt = more.std(ddof=1) / np.sqrt(len(seeds)) / losses[1].mean()
    times = seconds(
        lambda: ours(lesson, pixels, starts), lambda: theirs(pixels, starts), repeats=5 if starts == 1 else 3
    )
    what = f"K-means, {name}, {starts} start{'s' * (starts > 1)}, loss {ratio:.3f} \u00b1 {doubt:.3f} of scikit-learn's"
    row = against_library(what, times[0], "scikit-learn", times[1])
    return row._replace(met=row.met and bool(ratio <= max(NEAR, 1 + 2 * doubt)))


def run():
    lesson = definitions("04_kmeans")
    for name in images.COLOR_SAMPLES:
        yield compare(lesson, name)
        for starts in (1, 10):
            yield compare_starts(lesson, name, starts)
    for name in ("coffee", "china"):
        (allocated, process), (library_allocated, library) = peak("ours", name), peak("theirs", name)
        yield Row(
            f"K-means, {name}, memory",
            f"{allocated:.0f} MB, whole process {process:.0f} MB",
            f"scikit-learn {library_allocated:.0f} MB, process {library:.0f} MB",
            f"bar {MEGABYTES} MB",
            process <= MEGABYTES,
        )
