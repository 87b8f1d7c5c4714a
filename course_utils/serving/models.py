"""The versions of each model: which are wanted, loaded and available, and which one answers.

States, policies and labels follow https://www.tensorflow.org/tfx/serving/serving_config.
"""

import contextlib
import functools
import os
import re
import threading
import types
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from course_utils.serving.values import ServingError, Spec, invalid, type_name

_LARGEST = 2**63 - 1  # of a version's number


@functools.cache
def messages():
    """Import TensorFlow and the official messages, once they are needed."""
    import tensorflow as tf
    from google.protobuf import json_format, text_format
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow_serving.apis import (
        get_model_status_pb2,
        model_management_pb2,
        model_service_pb2_grpc,
        predict_pb2,
        prediction_service_pb2_grpc,
    )
    from tensorflow_serving.config import model_server_config_pb2

    return types.SimpleNamespace(
        tf=tf, text_format=text_format, json_format=json_format, saved_model=saved_model_pb2, status=get_model_status_pb2,
        management=model_management_pb2, model_service=model_service_pb2_grpc, predict=predict_pb2,
        prediction_service=prediction_service_pb2_grpc, config=model_server_config_pb2,
    )  # fmt: skip


def read_config(text):
    """Read `text`, a ``ModelServerConfig`` in protobuf's text format, as a message; ServingError if it can't be read."""
    protos = messages()
    try:
        return protos.text_format.Parse(text, protos.config.ModelServerConfig())
    except protos.text_format.ParseError as error:
        raise invalid(f"the model config can't be read: {error}") from None


@dataclass(eq=False)
class Version:
    """One numbered folder of a model, its state and what was loaded from it."""

    number: int
    folder: Path
    root: Path  # nothing outside of it is loaded
    state: str = "START"  # then LOADING, AVAILABLE, UNLOADING, END, as in GetModelStatusResponse
    code: str = "OK"  # or why it could not be loaded, with a message
    message: str = ""
    signatures: dict = field(default_factory=dict)  # SignatureDef by name
    users: int = 0  # requests that it is answering
    tried: tuple = ()  # its files when it was loaded last
    loaded: object = None

    def load(self):
        """Read the SavedModel; what goes wrong is kept in `code` and `message`, and never raised."""
        self.state, self.tried, tf = "LOADING", self.files(), messages().tf
        try:
            self._check_place()
            parsed = messages().saved_model.SavedModel.FromString((self.folder / "saved_model.pb").read_bytes())
            served = next(graph for graph in parsed.meta_graphs if "serve" in graph.meta_info_def.tags)
            self.loaded = tf.saved_model.load(str(self.folder))
            self.signatures = dict(served.signature_def)
            self.state, self.code, self.message = "AVAILABLE", "OK", ""
        except Exception as error:  # a damaged file may raise anything
            gone = isinstance(error, (FileNotFoundError, tf.errors.NotFoundError))
            self.code = getattr(error, "code", None) or ("NOT_FOUND" if gone else "DATA_LOSS")
            self.state, self.message = "END", f"{type(error).__name__}: {error}"[:500]

    def _check_place(self):
        """Refuse a version of which any part, links followed, is outside of the server's folder: a model is code."""
        parts = [self.folder]
        for path in parts:  # which grows: a link to a folder inside may hold a link that leads outside
            if not (real := path.resolve()).is_relative_to(self.root):
                message = f"{path.name} leads out of the server's folder: nothing was loaded"
                raise ServingError("PERMISSION_DENIED", message)
            parts += [part for part in real.glob("*") if part not in parts]

    def files(self):
        """Describe the files, to see whether they change: names, sizes and times."""
        with contextlib.suppress(OSError):
            files = [(str(path), path.lstat()) for path in sorted(self.folder.rglob("*"))]
            return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in files)
        return ()

    def signature(self, name, code="INVALID_ARGUMENT"):
        """Find the signature `name`, the default one where it is empty: its name and SignatureDef, or a ServingError of `code`."""
        name = name or "serving_default"
        if name not in self.signatures:
            raise ServingError(code, f'Serving signature name: "{name}" not found in signature def')
        return name, self.signatures[name]

    def predict(self, name, arrays):
        """Run the signature `name` on `arrays`, a dictionary with one for each input: a dictionary of the outputs.

        ServingError where names, types or shapes are not the signature's, and where TensorFlow raises, with its code.
        """
        tf, infos = messages().tf, self.signatures[name].inputs
        _check_inputs(arrays, specs_of(infos))
        try:
            outputs = self.loaded.signatures[name](**{key: tf.constant(arrays[key], infos[key].dtype) for key in infos})
        except tf.errors.OpError as error:
            code = type(error).__name__.removesuffix("Error")  # InvalidArgument: INVALID_ARGUMENT
            raise ServingError(re.sub(r"(?<!^)(?=[A-Z])", "_", code).upper(), error.message[:500]) from None
        kinds = {key: object if value.dtype == tf.string else None for key, value in outputs.items()}
        return {key: np.asarray(value.numpy(), kinds[key]) for key, value in outputs.items()}


def specs_of(infos):
    """Read what a signature says of its inputs or outputs: from `infos`, TensorInfo by name, to Spec by name, sorted."""
    tf, found = messages().tf, {}
    for name in sorted(infos):
        shape = infos[name].tensor_shape
        sizes = None if shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
        found[name] = Spec(np.dtype(tf.as_dtype(infos[name].dtype).as_numpy_dtype).name, sizes)
    return found


def _check_inputs(arrays, specs):
    if set(arrays) != set(specs):
        raise invalid(f"The inputs are {', '.join(specs)}, but {', '.join(sorted(arrays)) or 'nothing'} was sent")
    for name, (dtype, shape) in specs.items():
        array = arrays[name]
        if array.dtype.name != dtype:
            raise invalid(f"Input {name} expects {type_name(dtype)} but {type_name(array.dtype.name)} is provided")
        fits = shape is None or (
            len(shape) == array.ndim and all(size in (None, has) for size, has in zip(shape, array.shape, strict=True))
        )
        if not fits:
            expected = ",".join("?" if size is None else str(size) for size in shape)
            raise invalid(
                f"Input {name} expects shape [{expected}] but [{','.join(map(str, array.shape))}] is provided"
            )


class Models:
    """All models of a server: which versions are wanted, which are loaded, and which one answers.

    It begins with `config`, a ModelServerConfig. Relative base paths begin in the folder `root`, and nothing outside of it is loaded.
    """

    def __init__(self, config, root):
        self._lock, self._changing = threading.Lock(), threading.Lock()
        self._root = Path(root).resolve()
        self._configs, self._labels, self._versions = {}, {}, {}
        self.configure(config)

    def configure(self, config):
        """Take over `config`, a ModelServerConfig: load what it asks for, set the labels, then unload the rest.

        ServingError if it can't be used, or if a label is given to a version that is not available; labels then stay as they were.
        """
        if config.WhichOneof("config") != "model_config_list":
            raise invalid("ServerModelConfig type not supported. Only ModelConfigList is supported")
        entries = config.model_config_list.config
        configs = {entry.name: entry for entry in entries}
        if len(configs) < len(entries):
            raise invalid("Illegal to list a model multiple times in config list")
        for name, entry in configs.items():
            if not name or not entry.base_path or entry.model_platform != "tensorflow":
                raise invalid(f"The model {name!r} needs a name, a base_path, and the model_platform 'tensorflow'")
            if not (self._root / entry.base_path).resolve().is_relative_to(self._root):
                raise invalid(
                    f"The base_path of {name} is outside of the server's folder, and a model is code: refused"
                )
        with self._changing:
            self._configs = configs
            wanted = self._load_wanted()
            try:
                self._set_labels({name: dict(entry.version_labels) for name, entry in configs.items()})
            finally:
                self._unload_others(wanted)

    def _set_labels(self, labels):
        for name, numbers in labels.items():
            for number in set(numbers.values()) - self._available(name):
                words = f"label to version {number} of model {name}, which is not currently available for inference"
                raise ServingError("FAILED_PRECONDITION", f"Request to assign {words}")
        self._labels = labels

    def refresh(self):
        """Look at the folders; load versions that are wanted and new, then unload those that are not wanted any more."""
        with self._changing:
            self._unload_others(self._load_wanted())

    def _load_wanted(self):
        found = {}
        for name in self._configs.keys() | self._versions.keys():
            config, versions = self._configs.get(name), self._versions.setdefault(name, {})
            try:
                folders = _version_folders(self._root / config.base_path) if config else {}
            except OSError:  # a folder that can't be read now says nothing about its versions
                continue
            found[name] = _wanted(folders, config.model_version_policy) if config else set()
            for number in sorted(found[name]):
                self._load(versions, number, folders[number])
        return found

    def _unload_others(self, wanted):
        for name, numbers in wanted.items():
            if numbers and not numbers & self._available(name):
                continue  # the old one goes on until a new one can answer
            for number in self._available(name) - numbers:
                self._versions[name][number].state = "UNLOADING"
                self._finish(self._versions[name][number])

    def _load(self, versions, number, folder):
        old = versions.get(number)
        if old and old.state == "END" and old.code != "OK" and old.tried == old.files():
            return  # it failed, and its files are still the same
        with self._lock:
            if old and old.state == "UNLOADING":  # wanted again before its last answer
                old.state = "AVAILABLE"
            if old and old.state != "END":
                return
            version = versions[number] = Version(number, folder, self._root)
        version.load()

    def _available(self, name):
        return {number for number, version in self._versions.get(name, {}).items() if version.state == "AVAILABLE"}

    def _finish(self, version):
        with self._lock:
            if version.state == "UNLOADING" and version.users == 0:
                version.state, version.loaded = "END", None

    @contextlib.contextmanager
    def borrow(self, name, number=None, label=None):
        """Hold on to the version of the model `name` that answers, so that it is not unloaded meanwhile.

        `number` or `label` says which; without either it is the largest that is available. ServingError if there is none.
        """
        with self._lock:
            number = self._number(name, number, label)
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

    def _number(self, name, number, label):
        if label is not None and label not in self._labels.get(name, {}):
            raise invalid(f"Unrecognized servable version label: {label}")
        return number if label is None else self._labels[name][label]

    def status(self, name, number=None, label=None):
        """Report the state of the version `number` or `label` of the model `name`, or of all, as a GetModelStatusResponse."""
        with self._lock:
            number = self._number(name, number, label)
            versions = dict(self._versions.get(name, {}))
        if number is not None and number not in versions:
            raise ServingError("NOT_FOUND", f"Could not find version {number} of model {name}")
        if not versions:
            raise ServingError("NOT_FOUND", f"Could not find any versions of model {name}")
        response = messages().status.GetModelStatusResponse()
        for version in sorted(versions.values(), key=lambda version: -version.number):
            if number in (None, version.number):
                entry = response.model_version_status.add(version=version.number, state=version.state)
                entry.status.error_code, entry.status.error_message = version.code, version.message
        return response


def _version_folders(base):
    """List the folders whose names are whole numbers that fit in 64 bits; of several with one number, the shortest name."""
    found = {}
    for name in sorted(os.listdir(base), key=lambda name: (-len(name), name)):  # noqa: PTH208 - names are all it needs
        number = int(name) if name.isascii() and name.isdecimal() and len(name) < 1000 else _LARGEST + 1
        if number <= _LARGEST and (base / name).is_dir():
            found[number] = base / name
    return found


def _wanted(folders, policy):
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return set(folders)
    if kind == "specific":
        return set(policy.specific.versions) & set(folders)
    return set(sorted(folders)[-max(1, policy.latest.num_versions) :])
