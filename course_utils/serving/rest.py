"""The REST interface: what each address answers, and the handler that reads a body within its limits."""

import asyncio
import functools
import json
import re
from urllib.parse import unquote

import numpy as np
import tornado.web

from course_utils.serving.models import messages, specs_of
from course_utils.serving.status import BANNER, ServingError, invalid
from course_utils.serving.values import arrays_from_json, bytes_of, json_from_arrays, json_type, lists_of, read_json

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
        raise invalid(f"Malformed request: {method} {path}")
    name, number, label, verb = found.groups()
    if name is None:
        raise invalid("Missing model name in request.")
    if number is not None and (len(number) > 1000 or int(number) >= 2**63):
        raise invalid(f"Failed to convert version: {number[:40]} to numeric.")
    spec = unquote(name), int(number) if number else None, unquote(label) if label else None
    if method == "GET":
        return _describe(models, verb, spec)
    document = read_json(body)
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise invalid("JSON Value: not formatted correctly. 'signature_name' key must be a string value.")
    answer = {"predict": _predict_json, "classify": _classify_json}.get(verb.lower())
    if answer is None:
        raise ServingError("UNIMPLEMENTED", "the teaching server does not answer :regress")
    with models.borrow(*spec) as version:
        return answer(version, signature, document)


def _describe(models, verb, spec):
    to_dict = functools.partial(
        messages().json_format.MessageToDict,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    if not verb:
        return to_dict(models.status(*spec))
    response = models.metadata(*spec)
    signatures = messages().metadata.SignatureDefMap()
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
        raise invalid("JSON Value: When method is classify, key 'examples' is expected and was not found")
    if "context" in document:
        raise ServingError("UNIMPLEMENTED", "the teaching server takes no 'context'")
    name, definition = version.signature(signature)
    inputs, outputs = specs_of(definition.inputs), specs_of(definition.outputs)
    if len(inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if len(outputs) > 2:
        raise invalid(f"Expected one or two output Tensors, found {len(outputs)}")
    if set(inputs) != {"inputs"}:
        raise invalid(f"No classification inputs found in SignatureDef: its input is {', '.join(inputs)}")
    if not {"classes", "scores"} & set(outputs):
        raise invalid('Expected classification signature outputs to contain at least one of "classes" or "scores".')
    serialized = np.array([_example(example) for example in examples], dtype=object)
    found = version.predict(name, {"inputs": serialized})
    labels, scores = (lists_of(key, found[key]) if key in found else None for key in ("classes", "scores"))
    labels = labels or [[""] * len(row) for row in scores]
    scores = scores or [[0.0] * len(row) for row in labels]
    return {"results": [[*map(list, zip(*pair, strict=True))] for pair in zip(labels, scores, strict=True)]}


def _example(features):
    """Serialize a JSON object of features, each a number, a string, ``{"b64": ...}`` or a list of these."""
    if not isinstance(features, dict):
        raise invalid(f"Example must be JSON object but got JSON {json_type(features)}")
    example = messages().tf.train.Example()
    for name, value in features.items():
        values = value if isinstance(value, list) else [value]
        kinds, feature = set(map(type, values)), example.features.feature[name]
        if kinds <= {int, bool}:
            feature.int64_list.value.extend(map(int, values))
        elif kinds <= {float}:
            feature.float_list.value.extend(values)
        elif kinds <= {str, dict}:
            feature.bytes_list.value.extend(map(bytes_of, values))
        else:
            raise invalid(f"Unexpected element type in feature: {name}")
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
