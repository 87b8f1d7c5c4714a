"""Rendering cars, and what their pipeline delivers and keeps: as it is used, and on photographs of Carvana's size.

The cache must pay: later epochs are at least as fast as the first. Whether the pipeline keeps up with a network is in bench_unet.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import Row, against_bar
from course_utils.datasets import carvana
from course_utils.datasets._cars import render

REAL_SIZE, REAL_PICTURES = (1280, 1918), 5088
GIGABYTES = 2


def large_folder(folder, count):
    """A folder of `count` pictures and masks of Carvana's size: eight rendered ones under many names."""
    few = render.write_cars(folder / "few", cars=1, size=REAL_SIZE)
    for name in ("train", "train_masks"):
        (folder / "many" / name).mkdir(parents=True)
        files = sorted((few / name).iterdir())
        for i in range(count):
            file = files[i % 16]
            os.link(file, folder / "many" / name / f"{i // 16:012x}{file.name[12:]}")
    return folder / "many"


def report_pipeline(folder, count, size):
    """Print pictures a second in the first and in a later epoch, and by how many bytes each picture makes the process larger."""
    import psutil

    from course_utils.tensorflow_start import start_tensorflow

    start_tensorflow()
    part = carvana.load_carvana(cars=None) if folder is None else carvana.load_carvana(cars=None, folder=folder)
    part = part.select(range(min(count, len(part))))
    process, speeds, sizes = psutil.Process(), [], []
    feed = carvana.pipeline(part, size, batch=16, train=True)
    sizes.append(process.memory_info().rss)
    for _ in range(4):
        begin = time.perf_counter()
        pictures = sum(len(images) for images, _ in feed)
        speeds.append(pictures / (time.perf_counter() - begin))
        sizes.append(process.memory_info().rss)
    print(json.dumps([speeds[0], sorted(speeds[1:])[1], sizes[0], max(sizes)]))


def in_a_process(folder, count, size):
    """What `report_pipeline` prints in a fresh process."""
    code = f"from benchmarks import bench_cars; bench_cars.report_pipeline({folder and str(folder)!r}, {count}, {size})"
    return json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def run():
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        render.write_cars(Path(folder) / "cars")
        yield against_bar("40 cars x 16 views, 480 x 320", time.perf_counter() - begin, 30)

        first, later, _, _ = in_a_process(None, 640, 128)
        what = f"{later:,.0f} pictures/s, first epoch {first:,.0f}"
        yield Row("pipeline at 128 px, rendered cars", what, "-", f"{later / first:.1f}, at least 1", later >= first)

        count = 320
        first, later, before, peak = in_a_process(large_folder(Path(folder), count), count, 128)
        what = f"{first:,.0f} pictures/s, later epochs {later:,.0f}"
        yield Row("pipeline at 128 px, 1918 x 1280", what, "-", f"{later / first:.1f}, at least 1", later >= first)

        kept = REAL_PICTURES * 128 * 128 * 4  # RGB and mask as bytes
        growth = (peak - before) / 1e9
        most = peak / 1e9 + (REAL_PICTURES - count) * 128 * 128 * 4 / 1e9
        what = f"{most:.2f} GB for {REAL_PICTURES:,}: {peak / 1e9:.2f} with {count} (grown by {growth:.2f}), {kept / 1e9:.2f} kept"
        yield Row(
            "memory at 128 px, 1918 x 1280", what, f"bar {GIGABYTES} GB", f"{most / GIGABYTES:.2f}", most < GIGABYTES
        )
