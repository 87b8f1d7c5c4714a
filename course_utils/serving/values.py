"""JSON to arrays and back, as https://www.tensorflow.org/tfx/serving/api_rest describes it, and errors with their codes."""

import base64
import binascii
import itertools
import json
from typing import NamedTuple

import numpy as np

_HTTP = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "PERMISSION_DENIED": 403, "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429, "UNIMPLEMENTED": 501, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}  # fmt: skip
_TYPE_NAMES = {"float32": "float", "float64": "double", "object": "string"}  # as TensorFlow writes them
_JSON_TYPES = {"f": {int, float}, "i": {int}, "u": {int}, "b": {bool}, "O": {str, dict}}
_DEEPEST = 64  # levels of lists: NumPy's limit


class ServingError(Exception):
    """A status that is not OK: its gRPC `code`, such as ``"NOT_FOUND"``, a `message`, and the HTTP status that goes with it."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.http = code, message, _HTTP.get(code, 500)


def invalid(message):
    """Make the ServingError, with `message`, for a request that breaks the rules."""
    return ServingError("INVALID_ARGUMENT", message)


class Spec(NamedTuple):
    """What a signature says of one tensor: its NumPy type (``"object"`` for strings) and its shape, None where it is open."""

    dtype: str
    shape: tuple | None


def type_name(dtype):
    """Name a type as TensorFlow does: ``"float"`` for the `dtype` ``"float32"``."""
    return _TYPE_NAMES.get(str(dtype), str(dtype))


def read_json(body):
    """Read the `body` of a request, bytes, as a dictionary; ServingError if it is not a JSON object."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error if body else 'The document is empty'}") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {_brief(document)} Is not object")
    return document


def arrays_from_json(document, inputs):
    """Turn `document`, a request of the predict API, into arrays by name, as `inputs`, Spec by name, describes them.

    Also return whether it has ``instances`` (row format) and not ``inputs`` (column format); the reply has the same.
    """
    if ("instances" in document) == ("inputs" in document):
        raise invalid("Expecting exactly one of the keys 'inputs' and 'instances'")
    row = "instances" in document
    values = _columns(document["instances"], inputs) if row else document["inputs"]
    if not _is_object(values):
        if len(inputs) != 1:
            raise invalid(f"A plain list can't be matched to the inputs {', '.join(sorted(inputs))}: send objects")
        values = dict.fromkeys(inputs, values)
    if set(values) != set(inputs):
        raise invalid(f"The inputs are {', '.join(sorted(inputs))}, but {', '.join(sorted(values))} was sent")
    return {name: _dense(values[name], spec) for name, spec in inputs.items()}, row


def _columns(instances, inputs):
    """Collect the values of each name from a list of objects; other lists stay as they are."""
    if not isinstance(instances, list) or not instances:
        raise invalid("Expecting 'instances' to be a list with at least one entry")
    if not any(map(_is_object, instances)):
        return instances
    for number, instance in enumerate(instances):
        if not _is_object(instance) or set(instance) != set(inputs):
            raise invalid(f"Item {number} of 'instances' should be an object with the keys {', '.join(sorted(inputs))}")
    return {name: [instance[name] for instance in instances] for name in inputs}


def _dense(value, spec):
    """Turn nested lists, all of one shape, into an array of the type that the signature expects."""
    shape, leaves = [], [value]
    while leaves and any(type(leaf) is list for leaf in leaves):
        if len(shape) == _DEEPEST:
            raise invalid(f"Lists are nested in more than {_DEEPEST} levels")
        sizes = {len(leaf) if type(leaf) is list else None for leaf in leaves}
        if len(sizes) > 1:
            raise invalid(f"Encountered lists of different sizes at level {len(shape)}")
        shape += sizes
        leaves = list(itertools.chain.from_iterable(leaves))
    return _typed(leaves, spec.dtype).reshape(shape)


def _typed(leaves, dtype):
    """Turn JSON values into an array (N,), and refuse those that the type can't hold."""
    accepted = _JSON_TYPES.get(np.dtype(dtype).kind)
    if accepted is None or dtype == "float16":
        raise ServingError("UNIMPLEMENTED", f"Conversion of JSON Value to type: {type_name(dtype)}")
    if not set(map(type, leaves)) <= accepted:  # exactly these: True is not a number
        leaf = next(leaf for leaf in leaves if type(leaf) not in accepted)
        raise invalid(f"JSON Value: {_brief(leaf)} is not of expected type: {type_name(dtype)}")
    if dtype == "object":
        return _objects([_bytes(leaf) for leaf in leaves])
    try:
        with np.errstate(over="raise"):
            return np.array(leaves, dtype=dtype)
    except (OverflowError, FloatingPointError):
        raise invalid(
            f"Cannot convert JSON value to {type_name(dtype)} without loss of precision: "
            f"smallest {_brief(min(leaves))}, largest {_brief(max(leaves))}."
        ) from None


def _bytes(leaf):
    """Turn a JSON string or ``{"b64": ...}`` into bytes."""
    try:
        return leaf.encode() if isinstance(leaf, str) else base64.b64decode(leaf["b64"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        raise invalid(f"JSON Value: {_brief(leaf)} is neither text nor base64 data") from None


def _is_object(value):
    return isinstance(value, dict) and list(value) != ["b64"]


def _brief(value):
    """Write a value as JSON, cut after 60 characters."""
    text = json.dumps(value) if not isinstance(value, int) or abs(value) < 10**60 else "a number of more than 60 digits"
    return text if len(text) <= 60 else text[:57] + "..."


def _objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def json_from_arrays(outputs, row):
    """Turn `outputs`, arrays by name, into the reply of the predict API, in `row` or column format.

    The name is left out where there is one output. Bytes are sent as base64 where the name ends in ``_bytes``, else as UTF-8.
    """
    if row and (len({array.shape[:1] for array in outputs.values()}) > 1 or any(not a.ndim for a in outputs.values())):
        raise invalid("The outputs do not all have one entry per instance: ask in column format")
    plain = {name: _lists(name, array) for name, array in outputs.items()}
    if len(plain) == 1:
        return {"predictions" if row else "outputs": next(iter(plain.values()))}
    if not row:
        return {"outputs": plain}
    return {"predictions": [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]}


def _lists(name, array):
    """Turn an output into nested lists; float32 gets as many digits as it takes to read the same float32 back."""
    if array.dtype.kind == "f" and array.dtype != np.float64:
        return array.astype(str).astype(np.float64).tolist()
    if array.dtype.kind != "O":
        return array.tolist()
    try:
        texts = [
            {"b64": base64.b64encode(v).decode()} if name.endswith("_bytes") else v.decode() for v in array.ravel()
        ]
    except UnicodeDecodeError:
        raise invalid(f"The output {name} is not UTF-8: end its name in _bytes") from None
    return _objects(texts).reshape(array.shape).tolist()
