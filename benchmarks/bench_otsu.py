"""Otsu's method and its extension to more classes, histogram included, on 16 megapixels."""

import numpy as np
from skimage import data, filters

from benchmarks import against_library, seconds
from course_utils import images
from course_utils.notebooks import definitions


def run():
    lesson = definitions("02_otsu")
    large = np.tile(data.camera(), (8, 8))  # 4096 x 4096, uint8
    assert lesson.otsu_threshold(images.histogram(large)) == filters.threshold_otsu(large)
    ours, theirs = seconds(
        lambda: lesson.otsu_threshold(images.histogram(large)), lambda: filters.threshold_otsu(large)
    )
    yield against_library("Otsu, 16 megapixels", ours, "scikit-image", theirs, most=0.5)

    assert lesson.multi_otsu(images.histogram(large), 5) == filters.threshold_multiotsu(large, 5).tolist()
    ours, theirs = seconds(
        lambda: lesson.multi_otsu(images.histogram(large), 5), lambda: filters.threshold_multiotsu(large, 5), repeats=3
    )
    yield against_library("multi-Otsu with 5 classes, 16 megapixels", ours, "scikit-image", theirs, most=0.01)
