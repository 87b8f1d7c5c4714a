"""JSON to arrays and back, as the predict API of TensorFlow Serving documents it.

https://www.tensorflow.org/tfx/serving/api_rest
"""

import base64
import binascii
import itertools
import json
from typing import NamedTuple

import numpy as np

from course_utils.serving.status import ServingError, invalid

_TYPE_NAMES = {"float32": "float", "float64": "double", "object": "string"}  # as TensorFlow writes them
_MANY = "as multiple input tensors required as per tensorinfo_map"
_DEEPEST = 64  # levels of lists: NumPy's limit


class Spec(NamedTuple):
    """What a signature says of one tensor: its NumPy type (``"object"`` for strings) and its shape, None where it is open."""

    dtype: str
    shape: tuple | None


def read_json(body):
    """Read the body of a request.

    Parameters
    ----------
    body : bytes
        UTF-8; ``NaN``, ``Infinity`` and ``-Infinity`` are numbers.

    Returns
    -------
    dict

    Raises
    ------
    ServingError
        INVALID_ARGUMENT if it is no JSON object.
    """
    if not body:
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: Invalid value. {error}") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {_brief(document)} Is not object")
    return document


def arrays_from_json(document, inputs):
    """Turn a request of the predict API into arrays.

    Parameters
    ----------
    document : dict
        With ``instances`` (row format) or ``inputs`` (column format).
    inputs : dict of str to Spec
        The signature's inputs.

    Returns
    -------
    arrays : dict of str to numpy.ndarray
    row : bool
        Whether the request was in row format; the reply has the same.

    Raises
    ------
    ServingError
        INVALID_ARGUMENT, with the beginning of the sentence that TensorFlow Serving would send.
    """
    if "instances" in document and "inputs" in document:
        raise invalid("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    if "instances" in document:
        return _from_rows(document["instances"], inputs), True
    if "inputs" in document:
        return _from_columns(document["inputs"], inputs), False
    raise invalid("Missing 'inputs' or 'instances' key")


def _from_rows(instances, inputs):
    if not isinstance(instances, list):
        raise invalid("JSON Value: Excepting 'instances' to be an list/array")  # the words of TensorFlow Serving
    if not instances:
        raise invalid("JSON Value: No values in 'instances' array")
    named = _is_object(instances[0])
    if not named and len(inputs) > 1:
        raise invalid(f"instances is a plain list, but expecting list of objects {_MANY}")
    for number, instance in enumerate(instances):
        if _is_object(instance) != named:
            words = "Expecting object but got list" if named else "Expecting value/list but got object"
            raise invalid(f"{words} at item {number} of input list")
        if named and set(instance) != set(inputs):
            raise invalid(
                f"Failed to process element: {number} of 'instances' list. JSON object: {_brief(instance)} "
                f"keys must be equal to: {','.join(sorted(inputs))}"
            )
    columns = {name: [instance[name] for instance in instances] if named else instances for name in inputs}
    return {name: _stacked(columns[name], spec) for name, spec in inputs.items()}


def _stacked(values, spec):
    """Turn one value for each instance into an array, and name the first that is wrong by itself."""
    try:
        return _dense(values, spec)
    except ServingError as error:
        for number, value in enumerate(values):
            try:
                _dense(value, spec)
            except ServingError as own:
                raise invalid(f"Failed to process element: {number} of 'instances' list. Error: {own}") from None
        raise error


def _from_columns(values, inputs):
    if not _is_object(values):
        if len(inputs) > 1:
            raise invalid(f"inputs is a plain value/list, but expecting an object {_MANY}")
        values = dict.fromkeys(inputs, values)
    for name in inputs:
        if name not in values:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _dense(values[name], spec) for name, spec in inputs.items()}


def _dense(value, spec):
    """Turn nested lists, all of one shape, into an array of the wanted type."""
    shape, leaves, level = [], [value], 0
    while leaves and any(type(leaf) is list for leaf in leaves):
        if level == _DEEPEST:
            raise invalid(f"Lists are nested in more than {_DEEPEST} levels")
        for leaf in leaves:
            if type(leaf) is not list:
                raise invalid(f"JSON Value: {_brief(leaf)} found at incorrect level: {level} in the JSON DOM.")
            if len(leaf) != len(leaves[0]):
                sizes = f"{len(leaf)} at level: {level} expected size: {len(leaves[0])}"
                raise invalid(f"Encountered list at unexpected size: {sizes}")
        shape.append(len(leaves[0]))
        leaves, level = list(itertools.chain.from_iterable(leaves)), level + 1
    return _typed(leaves, spec.dtype).reshape(shape)


def _typed(leaves, dtype):
    """Turn JSON values into an array (N,), and refuse those that the type can't hold."""
    wanted = {"f": (int, float), "i": (int,), "u": (int,), "b": (bool,), "O": (str, dict)}.get(np.dtype(dtype).kind)
    if wanted is None or dtype == "float16":
        raise ServingError("UNIMPLEMENTED", f"Conversion of JSON Value to type: {type_name(dtype)}")
    if not set(map(type, leaves)) <= set(wanted):  # exactly these: True is no number
        leaf = next(leaf for leaf in leaves if type(leaf) not in wanted)
        found = f"JSON Value: {_brief(leaf)} Type: {json_type(leaf)}"
        raise invalid(f"{found} is not of expected type: {type_name(dtype)}")
    if dtype == "object":
        flat = np.empty(len(leaves), dtype=object)
        flat[:] = [bytes_of(leaf) for leaf in leaves]
        return flat
    try:
        with np.errstate(over="raise"):
            return np.array(leaves, dtype=dtype)
    except (OverflowError, FloatingPointError):
        raise invalid(
            f"Cannot convert JSON value to {type_name(dtype)} without loss of precision: "
            f"smallest {_brief(min(leaves))}, largest {_brief(max(leaves))}."
        ) from None


def bytes_of(leaf):
    """Turn `leaf`, a JSON string or ``{"b64": ...}``, into bytes; ServingError where it is neither."""
    if isinstance(leaf, str):
        return leaf.encode("utf-8", "surrogatepass")
    if not _is_base64(leaf):
        raise invalid(f"JSON Value: {_brief(leaf)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(leaf["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def _is_base64(value):
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def _is_object(value):
    return isinstance(value, dict) and not _is_base64(value)


def json_type(value):
    """Name the JSON type of `value`, which :func:`json.loads` returned, as TensorFlow Serving does."""
    names = {dict: "Object", list: "Array", str: "String", int: "Number", float: "Number", type(None): "Null"}
    return str(value) if isinstance(value, bool) else names[type(value)]


def _brief(value):
    """Write a value as JSON, cut after 60 characters."""
    text = json.dumps(value) if not isinstance(value, int) or abs(value) < 10**60 else "a number of more than 60 digits"
    return text if len(text) <= 60 else text[:57] + "..."


def type_name(dtype):
    """Name a type as TensorFlow does.

    Parameters
    ----------
    dtype : str
        NumPy's name, as in :class:`Spec`.

    Returns
    -------
    str
        Such as ``"float"`` for ``"float32"``.
    """
    return _TYPE_NAMES.get(str(dtype), str(dtype))


def json_from_arrays(outputs, row):
    """Turn a signature's outputs into the reply of the predict API.

    Parameters
    ----------
    outputs : dict of str to numpy.ndarray
        Strings as bytes in an object array; they are sent as base64 where the name ends in ``_bytes``, else as UTF-8.
    row : bool
        Row format (``predictions``) or column format (``outputs``).

    Returns
    -------
    dict
        The name is left out where there is one output.

    Raises
    ------
    ServingError
        INVALID_ARGUMENT if outputs in row format have no or different first dimensions, or a string is no UTF-8.
    """
    if row:
        sizes = {array.shape[:1] for array in outputs.values()}
        if () in sizes:
            raise invalid("a tensor of the reply has no shape information: ask in column format")
        if len(sizes) > 1:
            raise invalid("tensors of the reply have inconsistent batch sizes: ask in column format")
    plain = {name: lists_of(name, array) for name, array in outputs.items()}
    if len(plain) == 1:
        return {"predictions" if row else "outputs": next(iter(plain.values()))}
    if not row:
        return {"outputs": plain}
    return {"predictions": [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]}


def lists_of(name, array):
    """Turn the output `name` with the values `array` into nested lists.

    float32 gets as many digits as it takes to read the same float32 back; strings are base64 where `name` ends in ``_bytes``.
    """
    if array.dtype.kind == "f" and array.dtype != np.float64:
        return array.astype(str).astype(np.float64).tolist()
    if array.dtype.kind != "O":
        return array.tolist()
    if name.endswith("_bytes"):
        texts = [{"b64": base64.b64encode(value).decode()} for value in array.ravel()]
    else:
        try:
            texts = [value.decode() for value in array.ravel()]
        except UnicodeDecodeError:
            raise invalid(f"Failed to write JSON value: output {name} is no UTF-8, end its name in _bytes") from None
    filled = np.empty(array.size, dtype=object)
    filled[:] = texts
    return filled.reshape(array.shape).tolist()
