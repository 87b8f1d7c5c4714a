"""MNIST, the handwritten digits, as arrays; where it can't be fetched, a stand-in that says so."""

import math
import os
import struct
import sys
from dataclasses import dataclass
from io import BytesIO
from textwrap import fill

import numpy as np

from course_utils.data import RUN, SOURCES, DownloadError, folder_of, is_genuine, read_or_fetch


@dataclass(frozen=True, eq=False)
class Mnist:
    """Digits and their labels, split into training and test, with the name of where they come from."""

    train_images: np.ndarray  # (N, 28, 28) uint8
    train_labels: np.ndarray  # (N,) int64
    test_images: np.ndarray  # (M, 28, 28) uint8
    test_labels: np.ndarray  # (M,) int64
    source: str
    is_fallback: bool


def load_mnist(folder: str | os.PathLike | None = None) -> Mnist:
    """Load MNIST: 70,000 handwritten digits in gray, each centered in 28 x 28 pixels.

    Good for a first classifier, a small GAN and anything that needs thousands of small pictures with a clear shape: a
    network learns it in minutes on a laptop. Too easy to tell two good classifiers apart.

    The files are read from the data folder and verified. Missing ones are fetched; where no source answers,
    scikit-learn's 8 x 8 digits stand in (Optical Recognition of Handwritten Digits, UCI), enlarged to 20 x 20 pixels
    within a margin of 4, as in MNIST, and a banner says so.

    Parameters
    ----------
    folder : path, optional
        The folder that holds the four files themselves; `data/mnist` by default.

    Returns
    -------
    Mnist
        `train_images` (60000, 28, 28) and `test_images` (10000, 28, 28), uint8, 0 (background) to 255 (ink);
        `train_labels` (60000,) and `test_labels` (10000,), int64, 0 to 9: the digit. int64, because arithmetic on uint8
        labels wraps around at 256. The split is MNIST's own; no writer is in both parts. `source` is "MNIST".
        For the stand-in, `is_fallback` is True, `source` names it, and 1437 images are for training, 360 for
        testing: the first and the last ones in scikit-learn's order. All arrays can be written to.

        Another data set with the same four names, shapes and ten classes, such as Fashion-MNIST (uncompressed), may stand in
        MNIST's place. It is read as it is, `is_fallback` is True and `source` says so, as does a banner.

    Raises
    ------
    DownloadError
        If a file is present but damaged, or a file stands where a folder is needed.

    References
    ----------
    Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, http://yann.lecun.com/exdb/mnist/
    L. Bottou et al., Comparison of classifier methods: a case study in handwritten digit recognition, ICPR 1994.
    Y. LeCun et al., Gradient-based learning applied to document recognition, 1998, https://doi.org/10.1109/5.726791.
    License: `course_utils.data.SOURCES["mnist"].license` (commonly stated as CC BY-SA 3.0).
    """
    contents, why = read_or_fetch("mnist", folder)
    if not contents:
        return _stand_in(why)
    genuine = is_genuine("mnist", contents)
    source = "MNIST" if genuine else "other files in MNIST's place"
    if not genuine:
        show_banner(f"These are not MNIST but {source}; scores and pictures differ from the text.")
    arrays = [_parse(name, data, folder) for name, data in contents.items()]  # in the order of `SOURCES`
    train_images, train_labels, test_images, test_labels = arrays
    return Mnist(
        train_images,
        train_labels.astype(np.int64),
        test_images,
        test_labels.astype(np.int64),
        source,
        is_fallback=not genuine,
    )


def _parse(name: str, data: bytes, folder: str | os.PathLike | None) -> np.ndarray:
    """Read pictures or labels; files that stand in MNIST's place may hold anything."""
    try:
        values = parse_idx(data, name)
        if "labels" in name and values.max() > 9:
            raise ValueError(f"it has a label {values.max()}, but the ten classes are 0 to 9.")
        if values.shape[1:] != (() if "labels" in name else (28, 28)):
            raise ValueError(f"it has the shape {values.shape}; expected pictures of 28 x 28 pixels, or a label each.")
    except ValueError as error:
        place = folder_of("mnist", folder)
        raise DownloadError(f"{place / name} can't stand in MNIST's place: {error} Delete it and {RUN}.") from None
    return values


def parse_idx(data: bytes, name: str = "the data") -> np.ndarray:
    """Return the array of an IDX file of unsigned bytes, the format of MNIST.

    Parameters
    ----------
    data : bytes
        Two zero bytes, the type (8), the number of dimensions, the dimensions as big-endian uint32, then the values.
    name : str
        What to call the data in an error.

    Returns
    -------
    ndarray
        A uint8 array of the header's shape, 0 to 255; it can be written to.

    Raises
    ------
    ValueError
        If the header is another one, or more or fewer values follow than it says.
    """
    if len(data) < 4 or data[:3] != b"\0\0\x08" or data[3] == 0:
        raise ValueError(f"{name} starts with {bytes(data[:4])!r}, which is not an IDX header of unsigned bytes.")
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise ValueError(f"{name} ends within its IDX header of {start} bytes.")
    shape = struct.unpack(f">{data[3]}I", data[4:start])
    wanted = start + math.prod(shape)  # exact, where NumPy would overflow
    if len(data) != wanted:
        raise ValueError(f"{name} has {len(data):,} bytes, but its IDX header says {wanted:,}.")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape).copy()  # a copy can be written to


def _stand_in(why: str) -> Mnist:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.stack([_enlarge(image) for image in digits.images])  # (1797, 28, 28)
    labels = digits.target.astype(np.int64)
    cut = len(labels) * 4 // 5  # no shuffling: neighbors, often by one hand, stay in one part
    source = SOURCES["mnist"].fallback
    show_banner(f"These are not MNIST but {source}; scores and pictures differ from the text. {why}")
    return Mnist(images[:cut], labels[:cut], images[cut:], labels[cut:], source, is_fallback=True)


def _enlarge(image: np.ndarray) -> np.ndarray:
    """Enlarge one digit, (8, 8) with values 0 to 16, to (28, 28) uint8."""
    from PIL import Image

    gray = Image.fromarray(np.rint(image * (255 / 16)).astype(np.uint8))
    # Pillow resizes bytes in integer arithmetic, so every processor gives the same pixels.
    return np.pad(np.asarray(gray.resize((20, 20), Image.Resampling.BICUBIC)), 4)


def show_banner(text: str) -> None:
    """Show a sentence to a person: in a notebook as a PNG alone, else on stderr.

    nbval compares text but not PNG, so a notebook passes it with the banner and without. The text is the picture's
    alt text.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if getattr(shell, "kernel", None) is None:  # a script, or IPython in a terminal, which shows no pictures
        print(text, file=sys.stderr)
        return
    from IPython.display import display

    png, width = _draw_banner(text)
    display({"image/png": png}, raw=True, metadata={"image/png": {"alt": text, "width": width}})


def _draw_banner(text: str) -> tuple[bytes, int]:
    """Draw the text, black on pale yellow; return the PNG and the width at which to show it."""
    from PIL import Image, ImageDraw, ImageFont

    sharpness = 2  # pixels for each one shown, for screens with many dots
    margin = 14 * sharpness
    font = ImageFont.load_default(15 * sharpness)
    lines = fill(text, 100, break_on_hyphens=False)
    _, _, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((margin, margin), lines, font)
    picture = Image.new("RGB", (math.ceil(right) + margin, math.ceil(bottom) + margin), "#fff4d6")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 5 * sharpness, picture.height), fill="#d98e04")
    draw.multiline_text((margin, margin), lines, "black", font)
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue(), picture.width // sharpness
