"""What the lessons share. Each lesson's own idea stands in its notebook; this package holds the rest.

Modules, from left to right; none imports one that stands to the right of it:

================  ==================================================================================
tensorflow_start  a silent start of TensorFlow
geometry          boxes on NumPy alone: overlap, offsets, non-maximum suppression
notebooks         a lesson as an object: card, cells, exercises, figures, asides, definitions
data              ``data_folder()``, ``fetch(name)`` and the table of sources; verified, written whole or not at all
progress          which exercises were answered right, kept on this computer
checker           the engine behind ``check``, ``hint`` and ``solution``; knows no topic
metrics           evaluation metrics: confusion, IoU, Dice, average precision, Fréchet distance
images            sample pictures, reading your own, checks of pictures and histograms
plots             one style, one meaning for each color, ``show(fig, alt=...)``
pretrained        EfficientNet-Lite0 with its ImageNet weights, as a Keras model, and the class names
datasets          ``load_*`` functions that return arrays
explore           sliders over a drawing function
serving           a teaching model server that answers like TensorFlow Serving
distributed       worker processes that train together, and a training on real machines
exercises         one module per lesson: statement, check, hint; ``answers`` beside them
lesson            ``start(seed)``, the size of a run, progress, the environment check
================  ==================================================================================

Importing ``course_utils`` imports nothing else; it looks only whether the libraries behind it are there.
"""

import importlib.util

_LIBRARIES = {
    "numpy": "numpy", "scipy": "scipy", "matplotlib": "matplotlib", "cv2": "opencv-python-headless",
    "skimage": "scikit-image", "ipywidgets": "ipywidgets", "pooch": "pooch",
}  # fmt: skip
_missing = [package for module, package in _LIBRARIES.items() if importlib.util.find_spec(module) is None]
if _missing:
    raise ImportError(
        f"The lessons need {', '.join(_missing)}, which this kernel's Python does not have: run `make lab`, or install "
        "the project again as README.md says."
    )
