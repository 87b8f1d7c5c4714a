"""Sample pictures that need no network, reading a picture of your own, and checks that answer in one sentence."""

import warnings
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError
from scipy import ndimage

# Without it Pillow 13 takes the rows of a turned TIFF that is not compressed for its columns.
TiffImagePlugin.READ_LIBTIFF = True

# Each ships inside scikit-image; its source and license are listed in data/README.md.
SAMPLES = {
    "coins": "24 coins on a dark, unevenly lit table (303, 384): bright objects, some of them as dark as the table elsewhere",
    "page": "a page of print under uneven light (191, 384): dark objects, and no single threshold that serves all of it",
    "text": "handwriting on crumpled paper (172, 448): few dark pixels among many bright ones",
    "cell": "one bright cell on an even background (660, 550): two clear peaks of very different height",
    "camera": "a man with a camera in a park (512, 512): coat, grass and sky make three peaks",
}

# In color; china and flower ship inside scikit-learn.
COLOR_SAMPLES = {
    "coffee": "a cup of coffee on a wooden table (400, 600, 3): few hues, and shades of each",
    "chelsea": "a cat's face (300, 451, 3): fur of one hue, and two small green eyes",
    "astronaut": "a woman in an orange suit (512, 512, 3): many things, each in colors of its own",
    "rocket": "a launch pad at dusk (427, 640, 3): a smooth sky from orange to black, with no clear groups",
    "china": "a temple under a bright sky (427, 640, 3): a large even part and a detailed one",
    "flower": "a dahlia before dark leaves (427, 640, 3): two groups of colors far apart",
}


def sample(name):
    """Load a picture that ships with the libraries.

    Parameters
    ----------
    name : str
        One of :data:`SAMPLES`, gray, or :data:`COLOR_SAMPLES`, which say what each is good for.

    Returns
    -------
    numpy.ndarray
        (H, W), uint8, 0 (black) to 255 (white), or (H, W, 3) RGB in color; a new copy at each call.

    Raises
    ------
    ValueError
        If there is no picture of that name.
    """
    if name not in SAMPLES | COLOR_SAMPLES:
        raise ValueError(f"there is no sample picture {name!r}; there are: {', '.join(SAMPLES | COLOR_SAMPLES)}.")
    if name in ("china", "flower"):
        from sklearn.datasets import load_sample_image  # here, because it takes longer to import than all else

        return np.array(load_sample_image(f"{name}.jpg"))
    from skimage import data

    return np.array(getattr(data, name)())


def shrink(image, factor):
    """Make a picture smaller by the mean of each square of pixels, rounded: the same numbers on every processor.

    Parameters
    ----------
    image : numpy.ndarray
        (H, W) or (H, W, 3), uint8.
    factor : int
        The side of a square, at least 1. Rows and columns that fill no square are left out.

    Returns
    -------
    numpy.ndarray
        (H // factor, W // factor) or (H // factor, W // factor, 3), uint8.

    Raises
    ------
    ValueError
        If no square fits into the picture.
    """
    rows, columns = image.shape[0] // factor, image.shape[1] // factor
    if not rows or not columns:
        raise ValueError(f"a picture of shape {image.shape} has no square of {factor} x {factor} pixels.")
    squares = image[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor, *image.shape[2:])
    return np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)


def read_gray(path):
    """Read a picture of your own as gray values.

    Parameters
    ----------
    path : str or pathlib.Path
        A PNG, JPEG, TIFF, portable map or any file that Pillow reads; the path may hold spaces and letters of any
        alphabet. Of several pages or frames, the first is read.

    Returns
    -------
    numpy.ndarray
        (H, W), uint8, 0 (black) to 255 (white), turned as the camera says it should be shown. Colors are weighted by
        luminance, and what is transparent turns white.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a picture, or is damaged, or doesn't say which of its values are black and white.
    """
    return to_gray(_load(path))


def read_color(path):
    """Read a picture of your own in color.

    Parameters
    ----------
    path : str or pathlib.Path
        As for :func:`read_gray`.

    Returns
    -------
    numpy.ndarray
        (H, W, 3), uint8, RGB, turned as the camera says it should be shown; what is transparent turns white.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_gray`.
    """
    image = _load(path)
    if image.ndim == 2:
        return np.repeat(to_gray(image)[..., None], 3, axis=2)
    if image.shape[2] == 3:
        return image
    share = image[..., 3:] / 255
    return np.rint(image[..., :3] * share + 255 * (1 - share)).astype(np.uint8)


def read_mask(path):
    """Read a mask of your own by its colors, whatever the order of a palette.

    Parameters
    ----------
    path : str or pathlib.Path
        A picture of two colors: the brighter one is the object, and what is transparent is not. Gray values 0 and 1 will
        do too, and so will black alone, which holds no object.

    Returns
    -------
    numpy.ndarray
        (H, W), bool, turned as the camera says.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_gray`, and if the file has more than two gray values.
    """
    gray = _load(path, _values_on_black)
    values = np.flatnonzero(np.bincount(gray.ravel(), minlength=256))
    if len(values) > 2:
        soft = " Soft edges come from JPEG or from resizing:" if {values[0], values[-1]} == {0, 255} else ""
        raise ValueError(
            f"expected a mask of two colors, got {len(values)} gray values from {values[0]} to {values[-1]} in {str(path)!r}."
            f"{soft} Save it as a PNG or GIF with two colors, or threshold it with images.read_gray(path) > 127."
        )
    return gray == values[-1] if len(values) == 2 else gray > 0


def read_labels(path):
    """Read a map of your own with a whole number for each object, as a tool for labeling cells writes it.

    Parameters
    ----------
    path : str or pathlib.Path
        A picture of one channel with up to 32 bits, such as a PNG or TIFF. Of a picture with a palette, the numbers count
        and not the colors.

    Returns
    -------
    numpy.ndarray
        (H, W), int64, at least 0, turned as the camera says.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_gray`, and if the file holds colors or decimal numbers, or is a JPEG, which changes numbers.
    """
    return _load(path, _numbers)


def frame(path):
    """Read how large a picture is as it is shown, from the head of its file.

    Parameters
    ----------
    path : str or pathlib.Path

    Returns
    -------
    tuple of (int, int)
        Height and width in pixels, after the camera's turn. Boxes and masks count in this frame.

    Raises
    ------
    OSError
        If the file is missing or not a picture.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path) as file:
            # Orientations 5 to 8 swap rows and columns; of a TIFF, Pillow gives the size as it is shown.
            is_turned = file.format != "TIFF" and file.getexif().get(0x0112, 1) >= 5
            return file.size if is_turned else file.size[::-1]


def _load(path, read=None):
    """What `read` takes from a file's first picture, by default as :func:`to_gray` wants it: (H, W) or (H, W, 3 or 4)."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {str(path)!r}; a relative path starts at {str(Path.cwd())!r}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the file's metadata; what matters is judged here
            return (read or _values)(*_open(path))
    except _Unclear as error:
        raise ValueError(f"{str(path)!r} {error}") from None
    except Exception as error:  # each format's decoder has exceptions of its own
        raise ValueError(
            f"{str(path)!r} can't be read as a picture ({type(error).__name__}): is it whole, and a PNG, JPEG, or TIFF?"
        ) from error


def _open(path):
    """A file, for what it says of itself, and its picture, turned as its camera says."""
    try:
        with Image.open(path) as file:
            if not (file.format == "TIFF" and _is_read_wrongly(file)):
                file.load()
                return file, ImageOps.exif_transpose(file)
    except UnidentifiedImageError:
        if path.read_bytes()[:2] not in (b"II", b"MM"):
            raise
    return _open_numbers(path)


def _is_read_wrongly(file):
    """Whether Pillow 13 swaps the bytes of an open TIFF's numbers, or takes its signed bytes for unsigned ones."""
    if file.mode in ("I", "F"):
        return file.tag_v2.prefix == b"MM"
    return file.mode == "L" and file.tag_v2.get(339, (1,))[0] == 2


def _open_numbers(path):
    """What :func:`_open` returns, of a TIFF that Pillow has no mode for, as float64, or reads wrongly."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        values = page.asarray()
        wide = values.astype(np.float32 if page.dtype.kind == "f" else np.int32)
        if values.ndim != 2 or page.dtype.kind not in "iuf" or (page.dtype.kind != "f" and (wide != values).any()):
            raise _Unclear(f"holds {page.dtype} numbers of shape {page.shape}: store it as 8 or 16 bit, gray or RGB.")
        tags = {258: (page.bitspersample,), 262: page.photometric, 339: (page.sampleformat,)}
        image = Image.fromarray(wide)
        image.getexif()[0x0112] = page.tags.valueof(0x0112) or 1
    return SimpleNamespace(format="TIFF", tag_v2=tags), ImageOps.exif_transpose(image)


class _Unclear(Exception):
    """Why a file's numbers can't be turned into gray values."""


def _numbers(file, image):
    """Whole numbers of a label map (H, W), int64."""
    if file.format in ("JPEG", "MPO") or not image.mode.startswith(("1", "L", "P", "I")) or len(image.getbands()) > 1:
        what = "a JPEG, which changes numbers" if file.format in ("JPEG", "MPO") else f"of mode {image.mode}"
        raise _Unclear(f"is {what}: expected one whole number per pixel, in a PNG or TIFF.")
    numbers = np.asarray(image).astype(np.int64)
    if numbers.min() < 0:
        raise _Unclear(f"holds {numbers.min()}: objects are numbered from 1, and 0 is the background.")
    return numbers


def _values_on_black(file, image):
    """Gray values of a mask (H, W), uint8, with what is transparent black; whole numbers 0 and 1 stay as they are."""
    if image.mode.startswith("I") and {*np.unique(image)} <= {0, 1}:  # of 16 or 32 bits, which would both be black
        return np.asarray(image).astype(np.uint8)
    if image.mode.startswith(("I", "F")):
        return to_gray(_values(file, image))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return np.asarray(image.convert("L"))


def _values(file, image):
    """The numbers of a picture; TIFF's tags say what Pillow's mode leaves open."""
    tags = getattr(file, "tag_v2", {})
    bits, kind = tags.get(258, (16,))[0], tags.get(339, (1,))[0]
    if not image.mode.startswith(("I", "F")):
        has_alpha = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
        mode = image.mode if image.mode in ("1", "L") else "RGB"
        return np.asarray(image.convert("RGBA" if has_alpha else mode))
    values = np.asarray(image)
    if image.mode == "F":
        if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
            span = f"from {np.nanmin(values) + 0.0:g} to {np.nanmax(values) + 0.0:g}"
            raise _Unclear(
                f"holds decimal numbers {span}, expected 0 (black) to 1 (white): scale them first, and replace NaN."
            )
    elif kind == 2 or bits > 16 or values.min() < 0 or values.max() > 65535:
        raise _Unclear(
            f"holds {'signed' if kind == 2 else f'{bits}-bit'} whole numbers from {values.min()} to {values.max()} and doesn't say which is "
            "white: scale them to 0 to 1 first, and store them as decimal numbers, or as 8 or 16 bit."
        )
    else:
        is_clear = values == image.info.get("transparency", -1)
        values = np.where(is_clear, 1, values / (2 ** min(bits, 16) - 1))
    return 1 - values if tags.get(262) == 0 else values  # photometric interpretation 0: white is zero


def to_gray(image):
    """Turn a picture into gray values.

    Parameters
    ----------
    image : numpy.ndarray
        (H, W), (H, W, 3) RGB or (H, W, 4) RGBA; bool, uint8, uint16, or float in [0, 1].

    Returns
    -------
    numpy.ndarray
        (H, W), uint8, 0 to 255; colors are weighted by luminance (ITU-R BT.709), and what is transparent turns white.

    Raises
    ------
    TypeError, ValueError
        If it is not a picture, or outside its range.
    """
    image = _check_array(image)
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (3, 4)):
        raise ValueError(f"a picture has the shape (H, W), (H, W, 3), or (H, W, 4), but this has {image.shape}.")
    if image.dtype.kind == "f" and not (image.min() >= 0 and image.max() <= 1):  # NaN fails too
        raise ValueError(
            f"float gray values range from 0 to 1, but these from {image.min():g} to {image.max():g}: "
            "divide by the largest possible value, and replace NaN."
        )
    scale = {"b": 1, "f": 1}.get(image.dtype.kind) or np.iinfo(image.dtype).max
    values = image.astype(float) / scale
    if image.ndim == 3:
        from skimage import color  # here, because it takes longer to import than all else

        values = color.rgb2gray(color.rgba2rgb(values) if image.shape[2] == 4 else values)
    return np.rint(values * 255).astype(np.uint8)


def check_gray(image):
    """Check that a picture is what the lessons on gray values work with.

    Parameters
    ----------
    image : object

    Returns
    -------
    numpy.ndarray
        The picture itself: (H, W), uint8, not empty.

    Raises
    ------
    TypeError
        If it is not an array, or not of dtype uint8.
    ValueError
        If it is empty or not two-dimensional.
    """
    image = _check_array(image)
    if image.ndim != 2:
        raise ValueError(
            f"expected a gray picture of shape (H, W), got the shape {image.shape}: images.to_gray(image) makes one."
        )
    if image.dtype != np.uint8:
        raise TypeError(
            f"expected a gray picture of dtype uint8, got {image.dtype}: images.to_gray(image) converts it."
        )
    return image


def check_pictures(pictures, channels=None, model=None):
    """Check that an array holds pictures as the lessons' networks are fed with.

    Parameters
    ----------
    pictures : object
    channels : int, optional
        How many channels the last axis has to hold; by default there is no such axis.
    model : keras.Model, optional
        A network that keeps the size of its pictures: each of its poolings halves the sides, so they must be even there.

    Returns
    -------
    numpy.ndarray
        The pictures themselves: (N, H, W) or (N, H, W, channels), uint8; N may be 0.

    Raises
    ------
    ValueError
        If they are anything else.
    """
    shape, kind = getattr(pictures, "shape", ()), getattr(pictures, "dtype", type(pictures).__name__)
    axes = (channels,) if channels else ()
    if kind != np.uint8 or len(shape) != 3 + len(axes) or shape[3:] != axes or 0 in shape[1:]:
        raise ValueError(
            f"expected pictures ({', '.join(map(str, ('N', 'H', 'W', *axes)))}) of dtype uint8, 0 to 255, got the shape {shape} and {kind}."
        )
    halved = 2 ** sum("MaxPool" in type(layer).__name__ for layer in getattr(model, "layers", ()))
    if shape[1] % halved or shape[2] % halved:
        raise ValueError(f"expected sides that {halved} divides, got {shape[1]} x {shape[2]}: pad or crop them.")
    return pictures


def check_map(x):
    """Check that an array holds one number for each row, column and channel of a picture or map.

    Parameters
    ----------
    x : object

    Returns
    -------
    numpy.ndarray
        The array itself: (H, W, C).

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if not isinstance(x, np.ndarray) or x.ndim != 3 or x.dtype.kind not in "biuf":
        raise ValueError(
            f"expected an array of numbers (H, W, C), got {type(x).__name__} of shape {np.shape(x)}: x[..., None] adds a channel."
        )
    return x


def histogram(gray):
    """Count the pixels of each gray value, fast: OpenCV counts on all cores.

    Parameters
    ----------
    gray : numpy.ndarray
        (H, W), uint8.

    Returns
    -------
    numpy.ndarray
        (256,), int64.

    Raises
    ------
    TypeError, ValueError
        As in :func:`check_gray`.
    """
    rows = check_gray(gray)
    parts = np.array_split(rows, 1 + rows.size // 2**24)  # OpenCV returns float32, exact up to 2**24
    return sum(cv2.calcHist([part], [0], None, [256], [0, 256]).astype(np.int64) for part in parts).ravel()


def check_histogram(histogram):
    """Check that counts are a histogram of gray values.

    Parameters
    ----------
    histogram : array_like
        (256,): for each gray value the number of its pixels, or their share.

    Returns
    -------
    numpy.ndarray
        (256,), float64, at least 0, with a positive sum.

    Raises
    ------
    ValueError
        If it has another shape, holds a negative or non-finite count, or counts no pixel.
    """
    counts = np.asarray(histogram)
    if counts.shape != (256,) or counts.dtype.kind not in "iuf":
        raise ValueError(
            f"a histogram holds 256 counts, one for each gray value, but this has the shape {counts.shape} and dtype {counts.dtype}: images.histogram(gray) makes one."
        )
    counts = counts.astype(float)
    if not np.isfinite(counts).all() or counts.min() < 0:
        bad = int(np.flatnonzero(~np.isfinite(counts) | (counts < 0))[0])
        raise ValueError(
            f"a histogram's counts are finite and at least 0, but the count of gray value {bad} is {counts[bad]:g}."
        )
    if counts.sum() == 0:
        raise ValueError("this histogram is empty: all of its 256 counts are 0, so it is of no picture.")
    return counts


def _check_array(image):
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f"a picture is a NumPy array, but this is of type {type(image).__name__}: np.asarray(image, dtype=np.uint8) may make one."
        )
    if image.size == 0:
        raise ValueError(f"this picture is empty: its shape is {image.shape}.")
    if image.dtype.kind not in "bf" and image.dtype not in (np.uint8, np.uint16):
        raise TypeError(
            f"a picture is of dtype bool, uint8, uint16, or float, but this is {image.dtype}: convert it with .astype(np.uint8) if its values range from 0 to 255."
        )
    return image


def printed_page(rng, shade=0.7, noise=8.0, shape=(256, 384)):
    """Draw a page of print under uneven light, together with the truth.

    Good for measuring what a threshold gets right, which a photograph without a truth does not allow.

    Parameters
    ----------
    rng : numpy.random.Generator
        Chooses the words, the direction of the light and the noise.
    shade : float
        0 (even light) to below 1: how much darker the far side of the page is.
    noise : float
        Standard deviation of the camera's noise, in gray values.
    shape : tuple of (int, int)
        Rows and columns, at least 40 each.

    Returns
    -------
    gray : numpy.ndarray
        (H, W), uint8, 0 to 255: dark ink on bright paper.
    ink : numpy.ndarray
        (H, W), bool: where the ink is.
    """
    ink = _print_words(rng, shape)
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    across = np.cos(angle) * columns + np.sin(angle) * rows
    light = 1 - shade * (across - across.min()) / np.ptp(across)
    reflectance = ndimage.gaussian_filter(np.where(ink, 0.35, 0.95), 0.7)  # a lens blurs edges a little
    values = 255 * light * reflectance + rng.normal(0, noise, shape)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8), ink


def _print_words(rng, shape):
    """Fill a page with words, line by line; (H, W), bool."""
    words = [
        "a",
        "threshold",
        "asks",
        "each",
        "pixel",
        "one",
        "question",
        "and",
        "image",
        "answers",
        "bright",
        "or",
        "dark",
    ]
    canvas = np.zeros(shape, np.uint8)
    for baseline in range(26, shape[0] - 8, 26):
        left = 12
        while left < shape[1] - 60:
            word = words[rng.integers(len(words))]
            cv2.putText(canvas, word, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, 0.55, 255, 2)
            left += cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 0.55, 2)[0][0] + 12
    return canvas > 0


def fields(rng, noise=25.0, shade=0.0, shape=(90, 120)):
    """Draw eight fields seen from above, in four colors, together with the truth.

    Good for measuring a segmentation by color, by place, or by both: each color occurs in two fields far apart.

    Parameters
    ----------
    rng : numpy.random.Generator
        Chooses the slant of the borders and the noise.
    noise : float
        Standard deviation of the camera's noise in each channel, in gray values.
    shade : float
        0 (even light) to below 1: how much darker the right side is.
    shape : tuple of (int, int)
        Rows and columns, at least 20 each.

    Returns
    -------
    picture : numpy.ndarray
        (H, W, 3), uint8, RGB.
    field : numpy.ndarray
        (H, W), int, 0 to 7: the field that a pixel lies in.
    crop : numpy.ndarray
        (H, W), int, 0 to 3: the color of that field without light and noise.
    """
    height, width = shape
    rows, columns = np.mgrid[:height, :width]
    slants = rng.uniform(-0.3, 0.3, 2)
    column = np.clip((columns + slants[0] * (rows - height / 2)) * 4 / width, 0, 3).astype(int)
    field = 4 * (rows + slants[1] * (columns - width / 2) > height / 2) + column
    crop = np.array([0, 1, 2, 3, 2, 3, 0, 1])[field]
    colors = np.array([[196, 160, 70], [84, 130, 60], [150, 95, 60], [120, 150, 165]])  # wheat, grass, soil, flax
    light = (1 - shade * columns / width)[..., None]
    values = colors[crop] * light + rng.normal(0, noise, (*shape, 3))
    return np.clip(np.rint(values), 0, 255).astype(np.uint8), field, crop
