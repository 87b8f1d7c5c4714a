"""The versions of each model: which are wanted, loaded and available, and which one answers.

States, policies and labels follow https://www.tensorflow.org/tfx/serving/serving_config.
"""

import contextlib
import functools
import threading
import types
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from course_utils.serving.status import ServingError, invalid
from course_utils.serving.values import Spec, type_name

DEFAULT_SIGNATURE = "serving_default"


@functools.cache
def messages():
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
        self.state, self.tried, tf = "LOADING", self.files(), messages().tf
        try:
            parsed = messages().saved_model.SavedModel.FromString((self.folder / "saved_model.pb").read_bytes())
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
        tf = messages().tf
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
    codes = messages().status.ModelVersionStatus.DESCRIPTOR.fields_by_name["status"].message_type
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
    tf, found = messages().tf, {}
    for name in sorted(infos):
        shape = infos[name].tensor_shape
        sizes = None if shape.unknown_rank else tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
        found[name] = Spec(np.dtype(tf.as_dtype(infos[name].dtype).as_numpy_dtype).name, sizes)
    return found


def _check_inputs(arrays, specs):
    if set(arrays) != set(specs):
        extra, missing = set(arrays) - set(specs), set(specs) - set(arrays)
        raise invalid(
            f"input size does not match signature: {len(arrays)}!={len(specs)}. Sent extra: {{{','.join(sorted(extra))}}}. "
            f"Missing but required: {{{','.join(sorted(missing))}}}."
        )
    for name, (dtype, shape) in specs.items():
        array = arrays[name]
        if array.dtype.name != dtype:
            raise invalid(f"Input {name} expects {type_name(dtype)} but {type_name(array.dtype.name)} is provided")
        same = shape is None or (
            len(shape) == array.ndim and all(want in (None, has) for want, has in zip(shape, array.shape, strict=True))
        )
        if not same:
            wanted = ",".join("?" if size is None else str(size) for size in shape)
            raise invalid(f"Input {name} expects shape [{wanted}] but [{','.join(map(str, array.shape))}] is provided")


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
            INVALID_ARGUMENT if it is not a list of models, each named once; FAILED_PRECONDITION if a label is given to a version that
            is not available. Labels then stay as they were.
        """
        configs = {entry.name: entry for entry in config.model_config_list.config}
        if config.WhichOneof("config") != "model_config_list":
            raise invalid("ServerModelConfig type not supported. Only ModelConfigList is supported")
        if len(configs) < len(config.model_config_list.config):
            raise invalid("Illegal to list a model multiple times in config list")
        for name, entry in configs.items():
            if not name or not entry.base_path or entry.model_platform != "tensorflow":
                raise invalid(f"Model {name!r} wants a name, a base_path, and the model_platform 'tensorflow'")
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
            raise invalid(f"Unrecognized servable version label: {label}")
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
        response = messages().status.GetModelStatusResponse()
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
        protos = messages()
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
    protos = messages()
    try:
        return protos.text_format.Parse(text, protos.config.ModelServerConfig())
    except protos.text_format.ParseError as error:
        raise invalid(f"the model config can't be read: {error}") from None
