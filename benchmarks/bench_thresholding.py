"""The lesson's own thresholds against the libraries', on pictures of a camera's size."""

import cv2
import numpy as np
from skimage import data, filters

from benchmarks import against_library, seconds
from course_utils.notebooks import definitions

SIZE, OFFSET = 35, 15


def run():
    lesson = definitions("01_thresholding")
    large = np.tile(data.camera(), (8, 8))  # 16 megapixels, uint8
    assert lesson.valley_threshold(lesson.histogram_of(large)) == filters.threshold_minimum(large)
    ours, theirs = seconds(
        lambda: lesson.valley_threshold(lesson.histogram_of(large)), lambda: filters.threshold_minimum(large), repeats=5
    )
    yield against_library("valley threshold, 16 megapixels", ours, "scikit-image", theirs, most=1.25)

    page = np.tile(data.page(), (11, 6))[:2048, :2048]  # 4 megapixels, uint8
    ours, skimage, opencv = seconds(
        lambda: lesson.ink_of(page, SIZE, OFFSET),
        lambda: page <= filters.threshold_local(page, SIZE, method="mean", offset=OFFSET, mode="nearest"),
        lambda: cv2.adaptiveThreshold(page, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, SIZE, OFFSET),
        repeats=5,
    )
    yield against_library("local threshold, 4 megapixels", ours, "scikit-image", skimage, most=1.5)
    yield against_library("local threshold, 4 megapixels", ours, "OpenCV", opencv, most=25)
