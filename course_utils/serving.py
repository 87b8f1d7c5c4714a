"""A small teaching server that answers like TensorFlow Serving, for lessons on machines where the real one is not installed.

It is no product. It runs in threads of the process that starts it, listens on 127.0.0.1 only, and ends with that process; every reply below ``/v1``
carries :data:`BANNER`. Its formats, error codes and version states follow what TensorFlow Serving documents:
https://www.tensorflow.org/tfx/serving/api_rest and https://www.tensorflow.org/tfx/serving/serving_config. What it does differently:

- bodies above a limit get 413 and bodies that arrive too slowly get 408; TensorFlow Serving itself sets no limit to a REST body;
- a version that can't be loaded is tried again when its files change, not five times a minute apart;
- a number that the input's type can't hold, and a shape that the signature does not allow, are refused before the model runs;
- there is no batching on the server, no warm-up, no metrics, no TLS, and no ``:regress``.

HTTP is tornado's and gRPC is grpcio's work; the messages are those of ``tensorflow-serving-api``. Importing this module imports no
gRPC and no TensorFlow. From a shell, ``python -m course_utils.serving models.config`` serves until it is interrupted.
"""

import asyncio
import atexit
import base64
import binascii
import contextlib
import functools
import itertools
import json
import logging
import math
import os
import re
import socket
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np
import tornado.httpserver
import tornado.web

BANNER = "course-utils teaching server, not TensorFlow Serving"
DEFAULT_SIGNATURE = "serving_default"
_HTTP = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "ABORTED": 409, "RESOURCE_EXHAUSTED": 429, "CANCELLED": 499, "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504,
}  # fmt: skip
_TYPE_NAMES = {"float32": "float", "float64": "double", "object": "string"}  # as TensorFlow writes them
_MANY = "as multiple input tensors required as per tensorinfo_map"
_DEEPEST = 64  # levels of lists: NumPy's limit
_DRAINED = 1 << 30  # bytes: a body that is too large is read and dropped up to here, so that its sender gets the reply


class ServingError(Exception):
    """A status that is not OK.

    Attributes
    ----------
    code : str
        A gRPC status code, such as ``"NOT_FOUND"``.
    message : str
    http : int
        The HTTP status that goes with it.
    """

    def __init__(self, code, message, http=None):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.http = code, message, http or _HTTP.get(code, 500)


def _invalid(message):
    return ServingError("INVALID_ARGUMENT", message)


class Spec(NamedTuple):
    """What a signature says of one tensor: its NumPy type (``"object"`` for strings) and its shape, None where it is open."""

    dtype: str
    shape: tuple | None


# JSON to arrays and back


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
        raise _invalid("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _invalid(f"JSON Parse error: Invalid value. {error}") from None
    if not isinstance(document, dict):
        raise _invalid(f"JSON Value: {_brief(document)} Is not object")
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
        raise _invalid("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    if "instances" in document:
        return _from_rows(document["instances"], inputs), True
    if "inputs" in document:
        return _from_columns(document["inputs"], inputs), False
    raise _invalid("Missing 'inputs' or 'instances' key")


def _from_rows(instances, inputs):
    if not isinstance(instances, list):
        raise _invalid("JSON Value: Excepting 'instances' to be an list/array")  # the words of TensorFlow Serving
    if not instances:
        raise _invalid("JSON Value: No values in 'instances' array")
    named = _is_object(instances[0])
    if not named and len(inputs) > 1:
        raise _invalid(f"instances is a plain list, but expecting list of objects {_MANY}")
    for number, instance in enumerate(instances):
        if _is_object(instance) != named:
            words = "Expecting object but got list" if named else "Expecting value/list but got object"
            raise _invalid(f"{words} at item {number} of input list")
        if named and set(instance) != set(inputs):
            raise _invalid(
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
                raise _invalid(f"Failed to process element: {number} of 'instances' list. Error: {own}") from None
        raise error


def _from_columns(values, inputs):
    if not _is_object(values):
        if len(inputs) > 1:
            raise _invalid(f"inputs is a plain value/list, but expecting an object {_MANY}")
        values = dict.fromkeys(inputs, values)
    for name in inputs:
        if name not in values:
            raise _invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: _dense(values[name], spec) for name, spec in inputs.items()}


def _dense(value, spec):
    """Turn nested lists, all of one shape, into an array of the wanted type."""
    shape, leaves, level = [], [value], 0
    while leaves and any(type(leaf) is list for leaf in leaves):
        if level == _DEEPEST:
            raise _invalid(f"Lists are nested in more than {_DEEPEST} levels")
        for leaf in leaves:
            if type(leaf) is not list:
                raise _invalid(f"JSON Value: {_brief(leaf)} found at incorrect level: {level} in the JSON DOM.")
            if len(leaf) != len(leaves[0]):
                sizes = f"{len(leaf)} at level: {level} expected size: {len(leaves[0])}"
                raise _invalid(f"Encountered list at unexpected size: {sizes}")
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
        found = f"JSON Value: {_brief(leaf)} Type: {_json_type(leaf)}"
        raise _invalid(f"{found} is not of expected type: {type_name(dtype)}")
    if dtype == "object":
        flat = np.empty(len(leaves), dtype=object)
        flat[:] = [_bytes(leaf) for leaf in leaves]
        return flat
    try:
        with np.errstate(over="raise"):
            return np.array(leaves, dtype=dtype)
    except (OverflowError, FloatingPointError):
        raise _invalid(
            f"Cannot convert JSON value to {type_name(dtype)} without loss of precision: "
            f"smallest {_brief(min(leaves))}, largest {_brief(max(leaves))}."
        ) from None


def _bytes(leaf):
    if isinstance(leaf, str):
        return leaf.encode("utf-8", "surrogatepass")
    if not _is_base64(leaf):
        raise _invalid(f"JSON Value: {_brief(leaf)} not formatted correctly for base64 data")
    try:
        return base64.b64decode(leaf["b64"], validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("Unable to base64 decode") from None


def _is_base64(value):
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def _is_object(value):
    return isinstance(value, dict) and not _is_base64(value)


def _json_type(value):
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
            raise _invalid("a tensor of the reply has no shape information: ask in column format")
        if len(sizes) > 1:
            raise _invalid("tensors of the reply have inconsistent batch sizes: ask in column format")
    plain = {name: _plain(name, array) for name, array in outputs.items()}
    if len(plain) == 1:
        return {"predictions" if row else "outputs": next(iter(plain.values()))}
    if not row:
        return {"outputs": plain}
    return {"predictions": [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]}


def _plain(name, array):
    """Turn an array into nested lists; float32 in as many digits as it takes to read the same float32 back."""
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
            raise _invalid(f"Failed to write JSON value: output {name} is no UTF-8, end its name in _bytes") from None
    filled = np.empty(array.size, dtype=object)
    filled[:] = texts
    return filled.reshape(array.shape).tolist()


# Versions of a model


@functools.cache
def _protos():
    """Import TensorFlow and the official messages, once they are needed."""
    import tensorflow as tf
    from google.protobuf import json_format, text_format
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        get_model_status_pb2,
        model_management_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
    )
    from tensorflow_serving.config import model_server_config_pb2

    return types.SimpleNamespace(
        tf=tf, text_format=text_format, json_format=json_format, saved_model=saved_model_pb2, metadata=get_model_metadata_pb2,
        status=get_model_status_pb2, management=model_management_pb2, model_service=model_service_pb2_grpc, predict=predict_pb2,
        prediction_service=prediction_service_pb2_grpc, config=model_server_config_pb2,
    )  # fmt: skip


@dataclass(eq=False)
class Version:
    """One numbered folder of a model, its state and what was loaded from it.

    Attributes
    ----------
    number : int
    folder : pathlib.Path
    state : str
        START, LOADING, AVAILABLE, UNLOADING or END, as in ``GetModelStatusResponse``.
    code, message : str
        ``"OK"`` and empty, or why it could not be loaded.
    signatures : dict of str to SignatureDef
    users : int
        Requests that it is answering.
    """

    number: int
    folder: Path
    state: str = "START"
    code: str = "OK"
    message: str = ""
    signatures: dict = field(default_factory=dict)
    users: int = 0
    tried: tuple = ()
    loaded: object = None

    def load(self):
        """Read the SavedModel; what goes wrong is kept in `code` and `message`, and never raised."""
        self.state, self.tried, tf = "LOADING", self.files(), _protos().tf
        try:
            parsed = _protos().saved_model.SavedModel.FromString((self.folder / "saved_model.pb").read_bytes())
            served = next(graph for graph in parsed.meta_graphs if "serve" in graph.meta_info_def.tags)
            self.loaded = tf.saved_model.load(str(self.folder))
            self.signatures = dict(served.signature_def)
            self.state, self.code, self.message = "AVAILABLE", "OK", ""
        except Exception as error:  # a damaged file may raise anything
            code = "NOT_FOUND" if isinstance(error, (FileNotFoundError, tf.errors.NotFoundError)) else "DATA_LOSS"
            self.state, self.code, self.message = "END", code, f"{type(error).__name__}: {error}"[:500]

    def files(self):
        """Describe the files, to see whether they change: names, sizes and times."""
        with contextlib.suppress(OSError):
            files = [(str(path), path.stat()) for path in sorted(self.folder.rglob("*")) if path.is_file()]
            return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in files)
        return ()

    def signature(self, name, code="INVALID_ARGUMENT"):
        """Find a signature.

        Parameters
        ----------
        name : str
            Empty for the default one.
        code : str
            Of the error.

        Returns
        -------
        str, SignatureDef
        """
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise ServingError(code, f'Serving signature name: "{name}" not found in signature def')
        return name, self.signatures[name]

    def predict(self, name, arrays):
        """Run a signature.

        Parameters
        ----------
        name : str
        arrays : dict of str to numpy.ndarray
            One for each input.

        Returns
        -------
        dict of str to numpy.ndarray

        Raises
        ------
        ServingError
            INVALID_ARGUMENT where names, types or shapes are not the signature's; what TensorFlow raises, with its code.
        """
        tf = _protos().tf
        infos = self.signatures[name].inputs
        _check_inputs(arrays, specs_of(infos))
        try:
            outputs = self.loaded.signatures[name](**{key: tf.constant(arrays[key], infos[key].dtype) for key in infos})
        except tf.errors.OpError as error:
            raise ServingError(_code_of(error), error.message[:500]) from None
        kinds = {key: object if value.dtype == tf.string else None for key, value in outputs.items()}
        return {key: np.asarray(value.numpy(), kinds[key]) for key, value in outputs.items()}


def _code_of(error):
    """Name the status code of an error of TensorFlow."""
    codes = _protos().status.ModelVersionStatus.DESCRIPTOR.fields_by_name["status"].message_type
    names = codes.fields_by_name["error_code"].enum_type.values_by_number
    return names[error.error_code].name if error.error_code in names else "UNKNOWN"


def specs_of(infos):
    """Read what a signature says of its inputs or outputs.

    Parameters
    ----------
    infos : mapping of str to TensorInfo

    Returns
    -------
    dict of str to Spec
        In alphabetical order.
    """
    tf, found = _protos().tf, {}
    for name in sorted(infos):
        shape = infos[name].tensor_shape
        sizes = None if shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
        found[name] = Spec(np.dtype(tf.as_dtype(infos[name].dtype).as_numpy_dtype).name, sizes)
    return found


def _check_inputs(arrays, specs):
    if set(arrays) != set(specs):
        extra, missing = set(arrays) - set(specs), set(specs) - set(arrays)
        raise _invalid(
            f"input size does not match signature: {len(arrays)}!={len(specs)}. Sent extra: {{{','.join(sorted(extra))}}}. "
            f"Missing but required: {{{','.join(sorted(missing))}}}."
        )
    for name, (dtype, shape) in specs.items():
        array = arrays[name]
        if array.dtype.name != dtype:
            raise _invalid(f"Input {name} expects {type_name(dtype)} but {type_name(array.dtype.name)} is provided")
        same = shape is None or (
            len(shape) == array.ndim and all(want in (None, has) for want, has in zip(shape, array.shape, strict=True))
        )
        if not same:
            wanted = ",".join("?" if size is None else str(size) for size in shape)
            raise _invalid(f"Input {name} expects shape [{wanted}] but [{','.join(map(str, array.shape))}] is provided")


class Models:
    """All models of a server: which versions are wanted, which are loaded, and which one answers.

    Parameters
    ----------
    config : ModelServerConfig
        The message that TensorFlow Serving reads from ``--model_config_file``.
    """

    def __init__(self, config):
        self._lock, self._changing = threading.Lock(), threading.Lock()
        self._configs, self._labels, self._versions = {}, {}, {}
        self.configure(config)

    def configure(self, config):
        """Take over a configuration, load and unload what it asks for, then set the labels.

        Parameters
        ----------
        config : ModelServerConfig

        Raises
        ------
        ServingError
            INVALID_ARGUMENT if it is no list of models, each named once; FAILED_PRECONDITION if a label is given to a version that
            is not available. Labels then stay as they were.
        """
        configs = {entry.name: entry for entry in config.model_config_list.config}
        if config.WhichOneof("config") != "model_config_list":
            raise _invalid("ServerModelConfig type not supported. Only ModelConfigList is supported")
        if len(configs) < len(config.model_config_list.config):
            raise _invalid("Illegal to list a model multiple times in config list")
        for name, entry in configs.items():
            if not name or not entry.base_path or entry.model_platform != "tensorflow":
                raise _invalid(f"Model {name!r} wants a name, a base_path, and the model_platform 'tensorflow'")
        with self._changing:
            self._configs = configs
            self._refresh()
            labels = {name: dict(entry.version_labels) for name, entry in configs.items()}
            for name, numbers in labels.items():
                for number in set(numbers.values()) - self._available(name):
                    words = f"label to version {number} of model {name}, which is not currently available for inference"
                    raise ServingError("FAILED_PRECONDITION", f"Request to assign {words}")
            self._labels = labels

    def refresh(self):
        """Look at the folders; load versions that are wanted and new, then unload those that are not wanted any more."""
        with self._changing:
            self._refresh()

    def _refresh(self):
        for name in self._configs.keys() | self._versions.keys():
            config = self._configs.get(name)
            folders = _version_folders(config.base_path) if config else {}
            wanted = _wanted(folders, config.model_version_policy) if config else set()
            versions = self._versions.setdefault(name, {})
            for number in sorted(wanted):
                self._load(versions, number, folders[number])
            loaded = wanted & self._available(name)
            if loaded or not wanted:  # the old one goes on until a new one can answer
                for number in self._available(name) - wanted:
                    versions[number].state = "UNLOADING"
                    self._finish(versions[number])

    def _load(self, versions, number, folder):
        old = versions.get(number)
        if old and old.state == "END" and old.code != "OK" and old.tried == old.files():
            return  # it failed, and its files are still the same
        with self._lock:
            if old and old.state == "UNLOADING":  # wanted again before its last answer
                old.state = "AVAILABLE"
        if old and old.state != "END":
            return
        version = Version(number, folder)
        with self._lock:
            versions[number] = version
        version.load()

    def _available(self, name):
        return {number for number, version in self._versions.get(name, {}).items() if version.state == "AVAILABLE"}

    def _finish(self, version):
        with self._lock:
            if version.state == "UNLOADING" and version.users == 0:
                version.state, version.loaded = "END", None

    @contextlib.contextmanager
    def borrow(self, name, number=None, label=None):
        """Hold on to the version that answers; it is not unloaded meanwhile.

        Parameters
        ----------
        name : str
        number : int, optional
        label : str, optional
            Without either, the largest version that is available.

        Yields
        ------
        Version

        Raises
        ------
        ServingError
            NOT_FOUND if there is none, INVALID_ARGUMENT if the label is unknown.
        """
        if label is not None:
            number = self._number_of(name, label)
        with self._lock:
            available = self._available(name)
            wanted = max(available, default=None) if number is None else number
            if wanted not in available:
                asked = f"Latest({name})" if number is None else f"Specific({name}, {number})"
                raise ServingError("NOT_FOUND", f"Servable not found for request: {asked}")
            version = self._versions[name][wanted]
            version.users += 1
        try:
            yield version
        finally:
            with self._lock:
                version.users -= 1
            self._finish(version)

    def _number_of(self, name, label):
        if label not in self._labels.get(name, {}):
            raise _invalid(f"Unrecognized servable version label: {label}")
        return self._labels[name][label]

    def status(self, name, number=None, label=None):
        """Report the state of one version, or of all of a model.

        Parameters
        ----------
        name : str
        number : int, optional
        label : str, optional

        Returns
        -------
        GetModelStatusResponse

        Raises
        ------
        ServingError
            NOT_FOUND if there is none, INVALID_ARGUMENT if the label is unknown.
        """
        number = self._number_of(name, label) if label is not None else number
        with self._lock:
            versions = dict(self._versions.get(name, {}))
        if number is not None and number not in versions:
            raise ServingError("NOT_FOUND", f"Could not find version {number} of model {name}")
        if not versions:
            raise ServingError("NOT_FOUND", f"Could not find any versions of model {name}")
        response = _protos().status.GetModelStatusResponse()
        for version in sorted(versions.values(), key=lambda version: -version.number):
            if number in (None, version.number):
                entry = response.model_version_status.add(version=version.number, state=version.state)
                entry.status.error_code, entry.status.error_message = version.code, version.message
        return response

    def metadata(self, name, number=None, label=None):
        """Report the signatures of a version.

        Parameters
        ----------
        name : str
        number : int, optional
        label : str, optional

        Returns
        -------
        GetModelMetadataResponse
        """
        protos = _protos()
        response, signatures = protos.metadata.GetModelMetadataResponse(), protos.metadata.SignatureDefMap()
        with self.borrow(name, number, label) as version:
            response.model_spec.name, response.model_spec.version.value = name, version.number
            for key, signature in version.signatures.items():
                signatures.signature_def[key].CopyFrom(signature)
        response.metadata["signature_def"].Pack(signatures)
        return response


def _version_folders(base):
    with contextlib.suppress(OSError):
        return {
            int(path.name): path
            for path in sorted(Path(base).iterdir())
            if path.name.isascii() and path.name.isdecimal() and path.is_dir()
        }
    return {}


def _wanted(folders, policy):
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return set(folders)
    if kind == "specific":
        return set(policy.specific.versions) & set(folders)
    return set(sorted(folders)[-max(1, policy.latest.num_versions) :])


def read_config(text):
    """Read a model config file.

    Parameters
    ----------
    text : str
        A ``ModelServerConfig`` in protobuf's text format.

    Returns
    -------
    ModelServerConfig

    Raises
    ------
    ServingError
        INVALID_ARGUMENT if it can't be read.
    """
    protos = _protos()
    try:
        return protos.text_format.Parse(text, protos.config.ModelServerConfig())
    except protos.text_format.ParseError as error:
        raise _invalid(f"the model config can't be read: {error}") from None


# REST


_PREDICT = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?:(classify|regress|predict)", re.I | re.A
)
_STATUS = re.compile(r"/v1/models(?:/([^/:]+))?(?:/versions/(\d+)|/labels/([^/:]+))?(?:/(metadata))?", re.I | re.A)


def answer_rest(models, method, path, body):
    """Answer one request of the REST interface.

    Parameters
    ----------
    models : Models
    method, path : str
    body : bytes

    Returns
    -------
    dict
        The reply, to be written as JSON.

    Raises
    ------
    ServingError
    """
    found = {"POST": _PREDICT, "GET": _STATUS}.get(method, re.compile("(?!)")).fullmatch(path)
    if not found:
        raise _invalid(f"Malformed request: {method} {path}")
    name, number, label, verb = found.groups()
    if name is None:
        raise _invalid("Missing model name in request.")
    if number is not None and (len(number) > 1000 or int(number) >= 2**63):
        raise _invalid(f"Failed to convert version: {number[:40]} to numeric.")
    spec = unquote(name), int(number) if number else None, unquote(label) if label else None
    if method == "GET":
        return _describe(models, verb, spec)
    document = read_json(body)
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise _invalid("JSON Value: not formatted correctly. 'signature_name' key must be a string value.")
    answer = {"predict": _predict_json, "classify": _classify_json}.get(verb.lower())
    if answer is None:
        raise ServingError("UNIMPLEMENTED", "the teaching server does not answer :regress")
    with models.borrow(*spec) as version:
        return answer(version, signature, document)


def _describe(models, verb, spec):
    to_dict = functools.partial(
        _protos().json_format.MessageToDict, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    if not verb:
        return to_dict(models.status(*spec))
    response = models.metadata(*spec)
    signatures = _protos().metadata.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    return {"model_spec": to_dict(response.model_spec), "metadata": {"signature_def": to_dict(signatures)}}


def _predict_json(version, signature, document):
    name, definition = version.signature(signature)
    arrays, row = arrays_from_json(document, specs_of(definition.inputs))
    return json_from_arrays(version.predict(name, arrays), row)


def _classify_json(version, signature, document):
    """Answer ``:classify``: the examples go to the signature as serialized ``tf.train.Example`` messages."""
    examples = document.get("examples")
    if not isinstance(examples, list) or not examples:
        raise _invalid("JSON Value: When method is classify, key 'examples' is expected and was not found")
    if "context" in document:
        raise ServingError("UNIMPLEMENTED", "the teaching server takes no 'context'")
    name, definition = version.signature(signature)
    inputs, outputs = specs_of(definition.inputs), specs_of(definition.outputs)
    if len(inputs) != 1:
        raise _invalid("Expected one input Tensor.")
    if len(outputs) > 2:
        raise _invalid(f"Expected one or two output Tensors, found {len(outputs)}")
    if set(inputs) != {"inputs"}:
        raise _invalid(f"No classification inputs found in SignatureDef: its input is {', '.join(inputs)}")
    if not {"classes", "scores"} & set(outputs):
        raise _invalid('Expected classification signature outputs to contain at least one of "classes" or "scores".')
    serialized = np.array([_example(example) for example in examples], dtype=object)
    found = version.predict(name, {"inputs": serialized})
    labels, scores = (_plain(key, found[key]) if key in found else None for key in ("classes", "scores"))
    labels = labels or [[""] * len(row) for row in scores]
    scores = scores or [[0.0] * len(row) for row in labels]
    return {"results": [[*map(list, zip(*pair, strict=True))] for pair in zip(labels, scores, strict=True)]}


def _example(features):
    """Serialize a JSON object of features, each a number, a string, ``{"b64": ...}`` or a list of these."""
    if not isinstance(features, dict):
        raise _invalid(f"Example must be JSON object but got JSON {_json_type(features)}")
    example = _protos().tf.train.Example()
    for name, value in features.items():
        values = value if isinstance(value, list) else [value]
        kinds, feature = set(map(type, values)), example.features.feature[name]
        if kinds <= {int, bool}:
            feature.int64_list.value.extend(map(int, values))
        elif kinds <= {float}:
            feature.float_list.value.extend(values)
        elif kinds <= {str, dict}:
            feature.bytes_list.value.extend(map(_bytes, values))
        else:
            raise _invalid(f"Unexpected element type in feature: {name}")
    return example.SerializeToString()


@tornado.web.stream_request_body
class Rest(tornado.web.RequestHandler):
    """The handler of HTTP: it collects a body, within its limits, and leaves the answer to the server."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")

    def initialize(self, server):
        """Begin a request to `server`, a TeachingServer."""
        self.server, self.received, self.parts = server, 0, []

    def set_default_headers(self):
        """Say who answers."""
        self.set_header("Server", BANNER)
        self.set_header("Content-Type", "application/json")

    def prepare(self):
        """Begin to wait for the body."""
        self.alarm = asyncio.get_running_loop().call_later(self.server.body_seconds, self._too_slow)

    def data_received(self, chunk):
        """Keep a piece of the body, or drop all of it once it is too large; `chunk` is bytes."""
        self.received += len(chunk)
        if self.received <= self.server.body_limit:
            self.parts.append(chunk)
        else:
            self.parts.clear()

    async def _answer(self):
        self.alarm.cancel()
        if self.received > self.server.body_limit:
            words = f"the body has {self.received} bytes, and at most {self.server.body_limit} are read"
            self._reply(413, json.dumps({"error": words}))
            return
        work = functools.partial(self.server.answer, self.request.method, self.request.path, b"".join(self.parts))
        self._reply(*await asyncio.get_running_loop().run_in_executor(self.server.pool, work))

    get = head = post = delete = patch = put = options = _answer

    def _too_slow(self):
        self.set_header("Connection", "close")
        words = f"the request did not arrive within {self.server.body_seconds:g} s"
        self._reply(408, json.dumps({"error": words}))

    def _reply(self, status, text):
        if not self._finished:
            self.set_status(status)
            self.finish(text)

    def on_connection_close(self):
        """Stop waiting: nobody is there to read a reply."""
        self.alarm.cancel()
        self._finished = True


# gRPC


class Grpc:
    """The services of gRPC, by the names of their methods; a request and a context go in, a response comes out.

    Parameters
    ----------
    models : Models
    """

    def __init__(self, models):
        self._models = models

    def _answer(self, work, context):
        import grpc

        context.send_initial_metadata((("x-server", BANNER),))
        try:
            return work()
        except ServingError as error:
            context.abort(getattr(grpc.StatusCode, error.code, grpc.StatusCode.UNKNOWN), error.message)

    def _spec(self, spec):
        if not spec.name:
            raise _invalid("ModelSpec has no name specified.")
        given, chosen = (
            {"version": spec.version.value, "version_label": spec.version_label},
            spec.WhichOneof("version_choice"),
        )
        return spec.name, *(value if kind == chosen else None for kind, value in given.items())

    def Predict(self, request, context):
        """Run a signature on the tensors of `request`, a PredictRequest; `context` is gRPC's."""
        return self._answer(lambda: self._predict(request), context)

    def _predict(self, request):
        protos = _protos()
        with self._models.borrow(*self._spec(request.model_spec)) as version:
            name, definition = version.signature(request.model_spec.signature_name, "FAILED_PRECONDITION")
            arrays = {key: _array(key, tensor) for key, tensor in request.inputs.items()}
            outputs = version.predict(name, arrays)
        for alias in set(request.output_filter) - set(outputs):
            raise _invalid(f"output tensor alias not found in signature: {alias}")
        response = protos.predict.PredictResponse()
        response.model_spec.name, response.model_spec.signature_name = request.model_spec.name, name
        response.model_spec.version.value = version.number
        for key in request.output_filter or outputs:
            proto = protos.tf.make_tensor_proto(outputs[key], definition.outputs[key].dtype, outputs[key].shape)
            response.outputs[key].CopyFrom(proto)
        return response

    def GetModelMetadata(self, request, context):
        """Report the signatures of the version that `request`, a GetModelMetadataRequest, names; `context` is gRPC's."""

        def work():
            if not request.metadata_field:
                raise _invalid("GetModelMetadataRequest must specify at least one metadata_field")
            if set(request.metadata_field) != {"signature_def"}:
                raise _invalid(f"Metadata field {','.join(request.metadata_field)} is not supported")
            return self._models.metadata(*self._spec(request.model_spec))

        return self._answer(work, context)

    def GetModelStatus(self, request, context):
        """Report the versions that `request`, a GetModelStatusRequest, names; `context` is gRPC's."""
        return self._answer(lambda: self._models.status(*self._spec(request.model_spec)), context)

    def HandleReloadConfigRequest(self, request, context):
        """Take over the configuration of `request`, a ReloadConfigRequest; `context` is gRPC's."""

        def work():
            self._models.configure(request.config)
            return _protos().management.ReloadConfigResponse()

        return self._answer(work, context)

    def Classify(self, request, context):
        """Refuse: this server, unlike the real one, answers `request` of Predict only; `context` is gRPC's."""

        def work():
            raise ServingError("UNIMPLEMENTED", "the teaching server answers Predict and GetModelMetadata")

        return self._answer(work, context)

    Regress = MultiInference = Classify


def _array(name, tensor):
    """Read a TensorProto, unless it claims to be larger than what came in: one number may stand for any shape."""
    tf = _protos().tf
    try:
        dtype = tf.as_dtype(tensor.dtype)
        if math.prod(dim.size for dim in tensor.tensor_shape.dim) * max(1, dtype.size or 1) > _DRAINED:
            raise ValueError("it is too large")
        return np.asarray(tf.make_ndarray(tensor))
    except (ValueError, TypeError) as error:
        raise _invalid(f"input {name} is no tensor: {error}") from None


# The server


class TeachingServer:
    """A server of models, on this machine only, in threads of this process.

    Parameters
    ----------
    config : str or ModelServerConfig
        What TensorFlow Serving reads from ``--model_config_file``.
    rest_port, grpc_port : int
        0 takes a free one.
    poll_seconds : float
        How often the folders are looked at.
    body_limit : int
        Bytes of a request.
    body_seconds : float
        How long a request may take to arrive.

    Attributes
    ----------
    rest, grpc : str
        The addresses, such as ``"http://127.0.0.1:8501"`` and ``"127.0.0.1:8500"``.

    Raises
    ------
    ServingError
        If the configuration can't be used.
    OSError
        If a port is taken.

    Examples
    --------
    >>> with TeachingServer(config) as server:  # doctest: +SKIP
    ...     requests.get(f"{server.rest}/v1/models/digits")
    """

    def __init__(self, config, rest_port=0, grpc_port=0, poll_seconds=0.2, body_limit=64 << 20, body_seconds=30.0):
        self.body_limit, self.body_seconds, self._poll_seconds = body_limit, body_seconds, poll_seconds
        self.models = Models(read_config(config) if isinstance(config, str) else config)
        self.pool = ThreadPoolExecutor(4, thread_name_prefix="predict")
        self._closed, self._started, self._failed = threading.Event(), threading.Event(), None
        self._grpc_server, self.grpc = self._start_grpc(grpc_port)
        self._threads = [
            threading.Thread(target=work, args=arguments, daemon=True, name=f"serving {name}")
            for name, work, arguments in (("REST", self._run_rest, (rest_port,)), ("poll", self._poll, ()))
        ]
        for thread in self._threads:
            thread.start()
        self._started.wait()
        atexit.register(self.close)
        if self._failed:
            self.close()
            raise self._failed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stop answering and free both ports; a second call does nothing."""
        if not self._closed.is_set():
            self._closed.set()
            self._grpc_server.stop(0.5).wait(2)
            if not self._failed:
                self._loop.call_soon_threadsafe(self._stop_rest.set)
            for thread in self._threads:
                thread.join(5)
            for pool in (self.pool, self._grpc_pool):
                pool.shutdown(cancel_futures=True)
            atexit.unregister(self.close)

    def answer(self, method, path, body):
        """Answer a request of the REST interface, whatever it is.

        Parameters
        ----------
        method, path : str
        body : bytes

        Returns
        -------
        status : int
        reply : str
            JSON.
        """
        try:
            return 200, json.dumps(answer_rest(self.models, method, path, body))
        except ServingError as error:
            return error.http, json.dumps({"error": error.message})
        except Exception as error:  # a bug must not take the server down
            return 500, json.dumps({"error": f"{type(error).__name__}: {error}"})

    def _poll(self):
        while not self._closed.wait(self._poll_seconds):
            self.models.refresh()

    def _start_grpc(self, port):
        import grpc

        limits = {"receive": self.body_limit, "send": -1}
        options = [("grpc.so_reuseport", 0), *((f"grpc.max_{way}_message_length", n) for way, n in limits.items())]
        self._grpc_pool = ThreadPoolExecutor(4, thread_name_prefix="grpc")
        server = grpc.server(self._grpc_pool, options=options)
        services = Grpc(self.models)
        _protos().prediction_service.add_PredictionServiceServicer_to_server(services, server)
        _protos().model_service.add_ModelServiceServicer_to_server(services, server)
        try:
            found = server.add_insecure_port(f"127.0.0.1:{port}")
        except RuntimeError as error:
            raise OSError(f"port {port} can't be used: {error}") from None
        server.start()
        return server, f"127.0.0.1:{found}"

    def _run_rest(self, port):
        try:
            asyncio.run(self._serve_rest(port))
        except OSError as error:
            self._failed = error
        finally:
            self._started.set()

    async def _serve_rest(self, port):
        for name in ("tornado.general", "tornado.access"):
            logging.getLogger(name).addHandler(logging.NullHandler())  # clients' mistakes are no warnings to the reader
        listening = socket.create_server(("127.0.0.1", port), backlog=128)
        listening.setblocking(False)
        application = tornado.web.Application([(r"/v1(?:/.*)?", Rest, {"server": self})], log_function=lambda _: None)
        http = tornado.httpserver.HTTPServer(application, max_body_size=_DRAINED, idle_connection_timeout=60)
        http.add_sockets([listening])
        self._loop, self._stop_rest = asyncio.get_running_loop(), asyncio.Event()
        self.rest = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._started.set()
        await self._stop_rest.wait()
        http.stop()
        await http.close_all_connections()


def folder(name, scratch):
    """Name the folder into which versions of a model are written.

    Parameters
    ----------
    name : str
        Of the model.
    scratch : str
        A folder to use where the environment names none.

    Returns
    -------
    pathlib.Path
        Within ``COURSE_SERVING_FOLDER``, which a server of your own must see as ``/models``, or within `scratch`. It is made.

    Raises
    ------
    FileExistsError
        If it holds anything: a server would go on serving what it finds.
    """
    found = Path(os.environ.get("COURSE_SERVING_FOLDER", scratch)) / name
    found.mkdir(parents=True, exist_ok=True)
    if any(found.iterdir()):
        raise FileExistsError(
            f"{found} is not empty: move what is in it elsewhere, or name another COURSE_SERVING_FOLDER."
        )
    return found


def base_path(name, here):
    """Name the folder of a model as the server sees it.

    Parameters
    ----------
    name : str
        Of the model.
    here : pathlib.Path
        The folder, as this process sees it.

    Returns
    -------
    str
    """
    return f"/models/{name}" if "COURSE_SERVING_FOLDER" in os.environ else Path(here).as_posix()


class Connection:
    """Where a server is: your own, which the environment names, or a teaching server that is started for it.

    Parameters
    ----------
    config : str
        For the teaching server; a server of your own was started with its own.

    Attributes
    ----------
    rest, grpc : str
        The addresses, from ``COURSE_SERVING_REST`` and ``COURSE_SERVING_GRPC`` where they are set.
    is_teaching : bool

    Raises
    ------
    ValueError
        If only some of the three variables are set.
    ConnectionError
        If your server does not open its port within a minute.
    """

    def __init__(self, config):
        names = ("COURSE_SERVING_REST", "COURSE_SERVING_GRPC", "COURSE_SERVING_FOLDER")
        values = [os.environ.get(name) for name in names]
        if any(values) and not all(values):
            raise ValueError(
                f"{', '.join(names)} go together: set all three, as deploy/README.md says, or none for the teaching server."
            )
        self._server = None if all(values) else TeachingServer(config)
        self.is_teaching = self._server is not None
        if not self.is_teaching:
            _await(values[1])
        self.rest, self.grpc = (
            (self._server.rest, self._server.grpc) if self.is_teaching else (values[0].rstrip("/"), values[1])
        )

    def close(self):
        """End the teaching server; a server of your own goes on."""
        if self.is_teaching:
            self._server.close()


def _await(address, seconds=60):
    """Wait until somebody listens: TensorFlow Serving opens its ports when it has loaded a first version."""
    host, port = address.rsplit(":", 1)
    for _ in range(2 * seconds):
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
            return
        time.sleep(0.5)
    raise ConnectionError(
        f"nobody answers at {address} (COURSE_SERVING_GRPC): start the server as deploy/README.md says."
    )


def main(arguments):
    """Serve until interrupted.

    Parameters
    ----------
    arguments : list of str
        The name of a model config file, and optionally both ports.
    """
    if not arguments:
        sys.exit("usage: python -m course_utils.serving MODELS.CONFIG [REST_PORT GRPC_PORT]")
    with TeachingServer(Path(arguments[0]).read_text(encoding="utf-8"), *map(int, arguments[1:3])) as server:
        print(f"{BANNER}: REST at {server.rest}, gRPC at {server.grpc}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    from course_utils import quiet

    quiet.start_tensorflow()
    main(sys.argv[1:])
