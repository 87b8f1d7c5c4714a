"""The REST interface: what each address answers, and whose requests are refused."""

import asyncio
import functools
import json
import re
from urllib.parse import unquote

import tornado.web

from course_utils.serving.models import messages, specs_of
from course_utils.serving.values import ServingError, arrays_from_json, invalid, json_from_arrays, read_json

BANNER = "course-utils teaching server, not TensorFlow Serving"
_WHICH = r"(?:/versions/(\d+)|/labels/([^/:]+))?"
_PREDICT = re.compile(rf"/v1/models/([^/:]+){_WHICH}:predict", re.A)
_STATUS = re.compile(rf"/v1/models/([^/:]+){_WHICH}(/metadata)?", re.A)
_HERE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.I)


def answer_rest(models, method, path, body):
    """Answer one request of the REST interface from `models`: `method`, `path` and `body`, bytes, to a reply for JSON."""
    found = {"POST": _PREDICT, "GET": _STATUS}.get(method, re.compile("(?!)")).fullmatch(path)
    if not found:
        raise invalid(f"Malformed request: {method} {path}")
    name, number, label = found.group(1, 2, 3)
    if number and (len(number) > 1000 or int(number) >= 2**63):
        raise invalid(f"Failed to convert version: {number[:40]} to numeric.")
    spec = unquote(name), number and int(number), label and unquote(label)
    if method == "GET":
        return _metadata(models, spec) if found.group(4) else _to_dict(models.status(*spec))
    document = read_json(body)
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise invalid("JSON Value: not formatted correctly. 'signature_name' key must be a string value.")
    with models.borrow(*spec) as version:
        name, definition = version.signature(signature)
        arrays, row = arrays_from_json(document, specs_of(definition.inputs))
        return json_from_arrays(version.predict(name, arrays), row)


def _to_dict(message):
    return messages().json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _metadata(models, spec):
    with models.borrow(*spec) as version:
        signatures = {key: _to_dict(signature) for key, signature in version.signatures.items()}
    spec = {"name": spec[0], "signature_name": "", "version": str(version.number)}
    return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}


class Rest(tornado.web.RequestHandler):
    """Answers HTTP: programs on this machine are let in, and pages of other sites are not."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")

    def initialize(self, models, pool):
        """Begin a request to `models`, which is answered in a thread of `pool`."""
        self.models, self.pool = models, pool

    def set_default_headers(self):
        """Say who answers."""
        self.set_header("Server", BANNER)
        self.set_header("Content-Type", "application/json")

    def _check_sender(self):
        headers = self.request.headers
        if not _HERE.fullmatch(self.request.host):
            raise ServingError("PERMISSION_DENIED", f"this server is called 127.0.0.1, not {self.request.host[:60]}")
        site = headers.get("Sec-Fetch-Site", "none")  # browsers send it, and with a POST they send Origin too
        if site not in ("none", "same-origin") or headers.get("Origin", own := f"http://{self.request.host}") != own:
            raise ServingError("PERMISSION_DENIED", "this server answers programs, not the pages of other sites")

    async def _answer(self):
        request = self.request
        try:
            self._check_sender()
            work = functools.partial(answer_rest, self.models, request.method, request.path, request.body)
            reply = await asyncio.get_running_loop().run_in_executor(self.pool, lambda: json.dumps(work()))
        except ServingError as error:
            self.set_status(error.http)
            reply = json.dumps({"error": error.message})
        except Exception as error:  # a bug must not take the server down
            self.set_status(500)
            reply = json.dumps({"error": f"{type(error).__name__}: {error}"})
        self.finish(reply)

    get = head = post = delete = patch = put = options = _answer
