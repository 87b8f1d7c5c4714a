"""The teaching server keeps to what TensorFlow Serving documents, survives bad requests, and leaves nothing behind.

What is called documented stands in https://www.tensorflow.org/tfx/serving/api_rest and
https://www.tensorflow.org/tfx/serving/serving_config; what is called TensorFlow Serving's own test is in its
tensorflow_serving/model_servers/http_rest_api_handler_test.cc.
"""

import base64
import contextlib
import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import psutil
import pytest
import requests
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from jupyter_client.manager import start_new_kernel

from course_utils import serving, tensorflow_start
from course_utils.notebooks import definitions, lessons
from course_utils.serving.models import read_config
from course_utils.serving.rest import BANNER
from course_utils.serving.values import ServingError, Spec, arrays_from_json, json_from_arrays, read_json

tensorflow_start.start_tensorflow()
import tensorflow as tf  # noqa: E402
from google.protobuf import (  # noqa: E402
    descriptor_pb2,
    descriptor_pool,
    json_format,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.apis import (  # noqa: E402
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

ROOT = Path(__file__).parent.parent
POLL = 0.05

# JSON


DOCUMENTED = {
    "tag": Spec("object", (None,)),
    "signal": Spec("int64", (None, 5)),
    "sensor": Spec("float32", (None, 2, 2)),
}
ROWS = {
    "instances": [
        {"tag": "foo", "signal": [1, 2, 3, 4, 5], "sensor": [[1, 2], [3, 4]]},
        {"tag": "bar", "signal": [3, 4, 1, 2, 5], "sensor": [[4, 5], [6, 8]]},
    ]
}
COLUMNS = {
    "inputs": {
        "tag": ["foo", "bar"],
        "signal": [[1, 2, 3, 4, 5], [3, 4, 1, 2, 5]],
        "sensor": [[[1, 2], [3, 4]], [[4, 5], [6, 8]]],
    }
}


def test_documented_rows_and_columns_are_the_same_tensors():
    rows, is_row = arrays_from_json(ROWS, DOCUMENTED)
    columns, is_row_too = arrays_from_json(COLUMNS, DOCUMENTED)
    assert (is_row, is_row_too) == (True, False)
    for name, array in rows.items():
        assert array.dtype.name == DOCUMENTED[name].dtype
        assert np.array_equal(array, columns[name])
    assert rows["tag"].tolist() == [b"foo", b"bar"]
    assert rows["sensor"].shape == (2, 2, 2)


def test_documented_single_input_needs_no_name():
    (texts, _) = arrays_from_json({"instances": ["foo", "bar", "baz"]}, {"x": Spec("object", (None,))})
    assert texts["x"].tolist() == [b"foo", b"bar", b"baz"]
    (tensors, _) = arrays_from_json({"instances": [[[1, 2]], [[3, 4]]]}, {"x": Spec("float32", None)})
    assert tensors["x"].shape == (2, 1, 2)  # "list of 2 tensors each of [1, 2] shape"


def test_documented_binary_values_go_in_and_out_as_base64():
    given_values = [{"b64": "aW1hZ2UgYnl0ZXM="}, {"b64": "YXdlc29tZSBpbWFnZSBieXRlcw=="}]
    found, _ = arrays_from_json({"instances": given_values}, {"image": Spec("object", (None,))})
    assert found["image"].tolist() == [b"image bytes", b"awesome image bytes"]
    assert json_from_arrays({"image_bytes": found["image"]}, row=True) == {"predictions": given_values}
    assert json_from_arrays({"image": found["image"]}, row=False) == {"outputs": ["image bytes", "awesome image bytes"]}


def test_documented_replies_leave_out_the_name_of_a_single_output():
    one, two = np.array([3.5, 4.0, 5.5], np.float32), np.array([1, 2, 3])
    assert json_from_arrays({"y": one}, row=True) == {"predictions": [3.5, 4.0, 5.5]}
    assert json_from_arrays({"y": one}, row=False) == {"outputs": [3.5, 4.0, 5.5]}
    assert json_from_arrays({"y": one, "z": two}, row=False) == {"outputs": {"y": [3.5, 4.0, 5.5], "z": [1, 2, 3]}}
    assert json_from_arrays({"y": one, "z": two}, row=True)["predictions"][1] == {"y": 4.0, "z": 2}


NUMBERS = st.sampled_from(
    ["float32", "float64", "int8", "uint8", "int16", "int32", "uint32", "int64", "uint64", "bool"]
)


@given(st.data(), NUMBERS, st.booleans())
@settings(max_examples=150)
def test_every_number_survives_the_text_of_a_request_and_a_reply(data, dtype, row):
    shape = data.draw(arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
    array = data.draw(arrays.arrays(dtype, shape))
    reply = json.loads(json.dumps(json_from_arrays({"x": array}, row)))
    request = {"instances": reply["predictions"]} if row else {"inputs": reply["outputs"]}
    found, _ = arrays_from_json(read_json(json.dumps(request).encode()), {"x": Spec(dtype, None)})
    assert found["x"].dtype == array.dtype
    assert np.array_equal(found["x"], array, equal_nan=array.dtype.kind == "f")


@given(st.lists(st.binary(), min_size=1, max_size=5))
def test_any_bytes_come_back_as_they_were(values):
    array = np.empty(len(values), object)
    array[:] = values
    reply = json_from_arrays({"x_bytes": array}, row=True)
    found, _ = arrays_from_json({"instances": reply["predictions"]}, {"x": Spec("object", (None,))})
    assert found["x"].tolist() == values


def test_float32_is_written_in_as_few_digits_as_lead_back_to_it():
    array = np.array([0.2, 1 / 3, 16777216, 1e-45], np.float32)
    assert (
        json.dumps(json_from_arrays({"x": array}, row=True)) == '{"predictions": [0.2, 0.33333334, 16777216.0, 1e-45]}'
    )


def test_nan_and_infinity_are_numbers_both_ways():
    found, _ = arrays_from_json(
        read_json(b'{"instances": [1.0, -3.14, NaN, Infinity, -Infinity]}'), {"x": Spec("float32", (None,))}
    )
    assert np.isnan(found["x"][2])
    assert found["x"][3:].tolist() == [np.inf, -np.inf]
    assert json.dumps(json_from_arrays(found, row=True)).endswith("NaN, Infinity, -Infinity]}")


@pytest.mark.parametrize(
    ("inputs", "document", "words"),
    [
        ("float32", {}, "exactly one of the keys"),
        ("float32", {"instances": [1], "inputs": [1]}, "exactly one of the keys"),
        ("float32", {"instances": 1}, "to be a list with at least one entry"),
        ("float32", {"instances": []}, "to be a list with at least one entry"),
        ("float32", {"instances": ["x", "y"]}, 'JSON Value: "x" is not of expected type: float'),
        ("float32", {"instances": [1, True]}, "true is not of expected type: float"),
        ("float32", {"instances": [None]}, "null is not of expected type: float"),
        ("float32", {"instances": [{"b64": "aGk="}]}, "not of expected type: float"),
        ("float32", {"instances": [1e39]}, "to float without loss of precision"),
        ("float32", {"instances": [10**400]}, "to float without loss of precision"),
        ("uint8", {"instances": [1.0]}, "not of expected type: uint8"),
        ("uint8", {"instances": [0, 256]}, "to uint8 without loss of precision"),
        ("uint8", {"instances": [-1]}, "to uint8 without loss of precision"),
        ("uint8", {"instances": [float("nan")]}, "JSON Value: NaN is not of expected type: uint8"),
        ("bool", {"instances": [1]}, "not of expected type: bool"),
        ("object", {"instances": [1]}, "not of expected type: string"),
        ("object", {"instances": [{"b64": "no base64"}]}, "is neither text nor base64 data"),
        ("object", {"inputs": [{"b64": 1}]}, "is neither text nor base64 data"),
        ("float32", {"inputs": [[1, 2], [3]]}, "lists of different sizes at level 1"),
        ("float32", {"inputs": [[1, 2], 3]}, "lists of different sizes at level 1"),
        ("float16", {"instances": [1]}, "Conversion of JSON Value"),
        (DOCUMENTED, {"instances": ["foo"]}, "can't be matched to the inputs sensor, signal, tag"),
        (DOCUMENTED, {"instances": [*ROWS["instances"], 3]}, "Item 2 of 'instances' should be an object"),
        (DOCUMENTED, {"instances": [{"tag": "foo"}]}, "an object with the keys sensor, signal, tag"),
        (DOCUMENTED, {"inputs": [1]}, "can't be matched"),
        (DOCUMENTED, {"inputs": {"tag": ["foo"]}}, "The inputs are sensor, signal, tag, but tag was sent"),
        ("float32", {"instances": [1, {"x": 1}]}, "Item 0 of 'instances' should be an object"),
    ],
)
def test_wrong_requests_get_a_sentence_and_a_code_of_the_client(inputs, document, words):
    specs = {"x": Spec(inputs, None)} if isinstance(inputs, str) else inputs
    with pytest.raises(ServingError) as caught:
        arrays_from_json(document, specs)
    assert words in caught.value.message
    assert caught.value.http in (400, 501)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["b64", "tag", "signal", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    JSON,
    st.sampled_from(["instances", "inputs"]),
    st.sampled_from([DOCUMENTED, *({"x": Spec(t, None)} for t in ("float32", "uint8", "object"))]),
)
@settings(max_examples=300)
def test_any_json_gives_arrays_of_the_wanted_types_or_a_status(value, key, specs):
    try:
        found, _ = arrays_from_json({key: value}, specs)
    except ServingError as error:
        assert error.http == 400
    else:
        assert {name: array.dtype.name for name, array in found.items()} == {
            name: spec.dtype for name, spec in specs.items()
        }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "JSON Parse error: The document is empty"),
        (b"instances = [1, 2]", "JSON Parse error"),
        (b"[1]", "Is not object"),
        (b"\xff\xfe\x00", "JSON Parse error"),
        (b'{"instances": ' + b"[" * 100_000, "JSON Parse error"),
        (b'{"instances": [' + b"1" * 5000 + b"]}", "JSON Parse error"),
    ],
)
def test_what_is_no_json_object_is_refused(body, words):
    with pytest.raises(ServingError, match="INVALID_ARGUMENT") as caught:
        read_json(body)
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"x": np.float32(1)}, "one entry per instance"),
        ({"x": np.zeros(2), "y": np.zeros(3)}, "one entry per instance"),
        ({"x": np.array([b"\xff"], object)}, "is not UTF-8"),
    ],
)
def test_outputs_that_fit_no_row_are_refused(outputs, words):
    with pytest.raises(ServingError, match=words):
        json_from_arrays({name: np.asarray(array) for name, array in outputs.items()}, row=True)


# A server


class Half(tf.Module):
    """The documentation's half_plus_three, with any constant: y = x / 2 + constant."""

    def __init__(self, constant):
        self.constant = tf.Variable(float(constant))

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def call(self, x):
        return {"y": x / 2 + self.constant}


class Named(tf.Module):
    """Three named inputs of different types, and two outputs."""

    @tf.function(
        input_signature=[
            tf.TensorSpec((None,), tf.string, name="tag"),
            tf.TensorSpec((None, 5), tf.int64, name="signal"),
            tf.TensorSpec((None, 2, 2), tf.float32, name="sensor"),
        ]
    )
    def call(self, tag, signal, sensor):
        return {
            "total": tf.reduce_sum(signal, 1),
            "tag_bytes": tag,
            "mean": tf.reduce_mean(sensor)[None] + tf.zeros_like(sensor[:, 0, 0]),
        }


def write(module, folder, **signatures):
    """Export beside the folder, then rename: as one step."""
    beside = folder.parent.parent / f"unfinished {folder.name}"
    tf.saved_model.save(module, str(beside), signatures=signatures or module.call)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside.rename(folder)


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Two versions of half_plus_two and one of the named model, exported once and copied by the tests."""
    folder = tmp_path_factory.mktemp("exports")
    for constant in (2, 3):
        write(Half(constant), folder / "half" / str(constant))
    write(Named(), folder / "named" / "1")
    return folder


def config(base, name="half", rest=""):
    return f"config {{ name: '{name}' base_path: '{base}' model_platform: 'tensorflow' {rest} }}"


def listed(*configs):
    return f"model_config_list {{ {' '.join(configs)} }}"


@pytest.fixture(scope="module")
def server(exports, tmp_path_factory):
    root = tmp_path_factory.mktemp("served")
    shutil.copytree(exports / "half" / "3", root / "half" / "00000123")
    shutil.copytree(exports / "named", root / "named")
    text = listed(
        config(root / "half"), config("named", "named"), config("empty", "empty")
    )  # two are relative to the root
    with serving.TeachingServer(text, root, poll_seconds=POLL) as found:
        yield found


@pytest.fixture(scope="module")
def stubs(server):
    with grpc.insecure_channel(server.grpc) as channel:
        yield (
            prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model_service_pb2_grpc.ModelServiceStub(channel),
        )


def post(server, path, document, **options):
    body = document if isinstance(document, (bytes, str)) else json.dumps(document)
    return requests.post(f"{server.rest}/v1/models/{path}", data=body, timeout=20, **options)


def get(server, path):
    return requests.get(f"{server.rest}/v1/models{path}", timeout=20)


def assert_serves(server):
    assert post(server, "half:predict", {"instances": [1.0, 2.0, 5.0]}).json() == {"predictions": [3.5, 4.0, 5.5]}


def test_documented_status(server):
    reply = get(server, "/half")
    health = {"error_code": "OK", "error_message": ""}
    documented = {"model_version_status": [{"version": "123", "state": "AVAILABLE", "status": health}]}
    assert reply.json() == documented
    assert reply.headers["Content-Type"] == "application/json"
    assert get(server, "/half/versions/123").json() == documented


def test_documented_predict_and_its_column_format(server):
    assert_serves(server)
    assert post(server, "half:predict", {"inputs": [1.0, 2.0, 5.0]}).json() == {"outputs": [3.5, 4.0, 5.5]}
    named = {"signature_name": "serving_default", "inputs": {"x": [3.0, 4.0]}}
    assert post(server, "half/versions/123:predict", named).json() == {"outputs": [4.5, 5.0]}


def test_documented_error_of_an_unknown_model(server):
    reply = post(server, "half_plus:predict", {"instances": [1.0, 5.0]})
    assert reply.status_code == 404
    assert reply.json() == {"error": "Servable not found for request: Latest(half_plus)"}


def test_several_inputs_and_outputs_in_rows_and_columns(server):
    wanted = {"mean": 4.125, "tag_bytes": {"b64": base64.b64encode(b"bar").decode()}, "total": 15}
    assert post(server, "named:predict", ROWS).json()["predictions"][1] == wanted  # 3 + 4 + 1 + 2 + 5; 33 / 8
    columns = post(server, "named:predict", COLUMNS).json()["outputs"]
    assert {name: values[1] for name, values in columns.items()} == wanted


@pytest.mark.parametrize(
    ("method", "path", "code", "words"),
    [  # TensorFlow Serving's own test, UnsupportedApiCalls
        ("GET", "/v1/foo", 400, "Malformed request"),
        ("POST", "/v1/foo", 400, "Malformed request"),
        ("GET", "/v1/models", 400, "Malformed request"),
        ("POST", "/v1/models", 400, "Malformed request"),
        ("GET", "/v1/models/foo:predict", 400, "Malformed request"),
        ("GET", "/v1/models/foo/version/50:predict", 400, "Malformed request"),
        ("POST", "/v1/models/foo/version/50:regress", 400, "Malformed request"),
        ("POST", "/v1/models/foo/versions/HELLO:regress", 400, "Malformed request"),
        ("POST", f"/v1/models/foo/versions/{2**64 - 1}:predict", 400, "Failed to convert version"),
        ("GET", f"/v1/models/half/versions/1{'0' * 40}123", 400, "Failed to convert version"),
        ("GET", f"/v1/models/half/versions/{'1' * 5000}", 400, "Failed to convert version"),
        ("POST", "/v1/models/foo/metadata", 400, "Malformed request"),
        ("POST", "/v1/models/foo/label/some_label:regress", 400, "Malformed request"),
        ("POST", "/v1/models/foo/versions/50/labels/some_label:regress", 400, "Malformed request"),
        ("PUT", "/v1/models/half:predict", 400, "Malformed request"),
        ("DELETE", "/v1/models/half", 400, "Malformed request"),
        ("GET", "/v1/models/half/versions/9", 404, "Could not find version 9 of model half"),
        ("GET", "/v1/models/foo", 404, "Could not find any versions of model foo"),
        ("GET", "/v1/models/empty", 404, "Could not find any versions of model empty"),
        ("GET", "/v1/models/half/labels/best", 400, "Unrecognized servable version label: best"),
        ("POST", "/v1/models/half:PREDICT", 400, "Malformed request"),
        ("POST", "/v1/models/half:classify", 400, "Malformed request"),
        ("GET", "/v1/models/foo/metadata", 404, "Servable not found for request: Latest(foo)"),
    ],
)
def test_paths_that_are_not_answered(server, method, path, code, words):
    reply = requests.request(method, server.rest + path, timeout=20)
    assert reply.status_code == code
    assert words in reply.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "code", "words"),
    [
        ("foo:predict", {"instances": [1]}, 404, "Servable not found for request: Latest(foo)"),
        ("foo/versions/50:predict", {"instances": [1]}, 404, "Specific(foo, 50)"),
        ("half/versions/99:predict", {"instances": [1]}, 404, "Specific(half, 99)"),
        ("half/labels/best:predict", {"instances": [1]}, 400, "Unrecognized servable version label: best"),
        ("half:predict", b"", 400, "JSON Parse error: The document is empty"),
        ("half:predict", b"instances = [1, 2]", 400, "JSON Parse error"),
        ("half:predict", {"instances": ["x", "y"]}, 400, "not of expected type: float"),
        ("half:predict", {"signature_name": 100}, 400, "'signature_name' key must be a string value."),
        ("half:predict", {"signature_name": "no", "instances": [1]}, 400, 'Serving signature name: "no" not found'),
        ("half:predict", {"instances": [[1, 2], [3]]}, 400, "Encountered lists of different sizes"),
        ("half:predict", b'{"instances": ' + b"[" * 65 + b"1" + b"]" * 65 + b"}", 400, "more than 64 levels"),
        (
            "named:predict",
            {"instances": [{"tag": "a", "signal": [1], "sensor": [[1, 2], [3, 4]]}]},
            400,
            "Input signal expects shape [?,5] but [1,1]",
        ),
    ],
)
def test_bad_requests_get_their_error_and_the_server_goes_on(server, path, body, code, words):
    reply = post(server, path, body)
    assert reply.status_code == code
    assert list(reply.json()) == ["error"]
    assert words in reply.json()["error"]
    assert_serves(server)


def test_nan_is_answered_with_nan_where_the_type_has_it(server):
    reply = post(server, "half:predict", b'{"instances": [NaN, Infinity, -Infinity]}')
    assert reply.text == '{"predictions": [NaN, Infinity, -Infinity]}'


def raw(server, text):
    """Open a connection and send a piece of text."""
    host, port = server.rest.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(text)
    return connection


HEAD = b"POST /v1/models/half:predict HTTP/1.1\r\nHost: here\r\nContent-Length: 40\r\n\r\n"


@pytest.mark.parametrize(
    "text", [HEAD, HEAD + b"{", b"POST", b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 9]
)
def test_clients_that_leave_or_speak_no_http_do_no_harm(server, text, capfd):
    raw(server, text).close()
    assert_serves(server)
    assert capfd.readouterr().err == ""


def test_every_reply_says_who_answers(server, stubs):
    assert "teaching server" in get(server, "/half").headers["Server"]
    assert "not TensorFlow Serving" in post(server, "foo:predict", b"").headers["Server"]
    _, call = stubs[0].Predict.with_call(message("half", 1.0), timeout=20)
    assert dict(call.initial_metadata())["x-server"] == BANNER


# gRPC


def message(model, value, name="x", **spec):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    for key, setting in spec.items():
        setattr(request.model_spec, key, setting)
    request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


@given(arrays.arrays("float32", arrays.array_shapes(max_dims=3, max_side=4)))
@settings(max_examples=30)
def test_grpc_and_rest_give_the_same_numbers(server, stubs, array):
    response = stubs[0].Predict(message("half", array), timeout=20)
    reply = post(server, "half:predict", {"inputs": array.tolist()}).json()["outputs"]
    found = tf.make_ndarray(response.outputs["y"])
    assert found.shape == array.shape
    assert np.array_equal(found, np.float32(reply), equal_nan=True)
    assert (response.model_spec.version.value, response.model_spec.signature_name) == (123, "serving_default")


def test_strings_and_named_inputs_over_grpc(stubs):
    request = message("named", [b"\xff\x00", b"b"], "tag")
    request.inputs["signal"].CopyFrom(tf.make_tensor_proto(np.ones((2, 5), np.int64)))
    request.inputs["sensor"].CopyFrom(tf.make_tensor_proto(np.ones((2, 2, 2), np.float32)))
    response = stubs[0].Predict(request, timeout=20)
    assert tf.make_ndarray(response.outputs["tag_bytes"]).tolist() == [b"\xff\x00", b"b"]
    assert tf.make_ndarray(response.outputs["total"]).tolist() == [5, 5]


def _too_large():
    request = message("half", 1.0)
    for _ in range(4):
        request.inputs["x"].tensor_shape.dim.add(size=100_000)
    return request


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (message("", 1.0), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (message("foo", 1.0), "NOT_FOUND", "Servable not found for request: Latest(foo)"),
        (message("half", 1.0, version_label="best"), "INVALID_ARGUMENT", "Unrecognized servable version label"),
        (message("half", 1.0, signature_name="no"), "FAILED_PRECONDITION", '"no" not found'),
        (message("half", 1), "INVALID_ARGUMENT", "expects float but int32 is provided"),
        (message("half", 1.0, "z"), "INVALID_ARGUMENT", "The inputs are x, but z was sent"),
        (message("named", [b"a"], "tag"), "INVALID_ARGUMENT", "The inputs are sensor, signal, tag, but tag was sent"),
        (_too_large(), "INVALID_ARGUMENT", "is too large"),
    ],
)
def test_bad_messages_get_their_status_and_the_server_goes_on(server, stubs, request_, code, words):
    with pytest.raises(grpc.RpcError) as caught:
        stubs[0].Predict(request_, timeout=20)
    assert caught.value.code().name == code
    assert words in caught.value.details()
    assert_serves(server)


def test_documented_metadata_names_types_and_open_sizes(server):
    found = get(server, "/named/metadata").json()
    assert found["model_spec"] == {"name": "named", "signature_name": "", "version": "1"}
    inside = json_format.ParseDict(found["metadata"]["signature_def"], get_model_metadata_pb2.SignatureDefMap())
    assert "serving_default" in inside.signature_def
    signal_ = found["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]["signal"]
    assert signal_["dtype"] == "DT_INT64"
    assert [dim["size"] for dim in signal_["tensor_shape"]["dim"]] == ["-1", "5"]


def test_what_is_not_answered_over_grpc_says_so(stubs):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    with pytest.raises(grpc.RpcError) as caught:
        stubs[0].GetModelMetadata(request, timeout=20)
    assert caught.value.code().name == "UNIMPLEMENTED"


def test_status_is_the_same_over_both_protocols(server, stubs):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "half"
    found = json_format.ParseDict(get(server, "/half").json(), get_model_status_pb2.GetModelStatusResponse())
    assert stubs[1].GetModelStatus(request, timeout=20) == found


# Versions


class Served:
    """A server of one model in a folder of its own, and what a test asks of it."""

    def __init__(self, folder, exports):
        self.base, self.exports = folder / "half", exports
        self.base.mkdir()

    def start(self, rest=""):
        self.server = serving.TeachingServer(listed(config(self.base, rest=rest)), self.base.parent, poll_seconds=POLL)
        return self.server

    def put(self, number, constant=2):
        beside = self.base.parent / f"unfinished {number}"
        shutil.copytree(self.exports / "half" / str(constant), beside)
        beside.rename(self.base / str(number))

    def states(self):
        found = get(self.server, "/half").json().get("model_version_status", [])
        return {int(entry["version"]): entry["state"] for entry in found}

    def wait(self, **states):
        wanted = {int(number.removeprefix("v")): state for number, state in states.items()}
        for _ in range(600):
            if wanted.items() <= self.states().items():
                return
            time.sleep(0.05)
        raise AssertionError(f"{wanted} is wanted, and there is {self.states()}")

    def ask(self, path="half"):
        reply = post(self.server, f"{path}:predict", {"instances": [0.0]})
        return reply.json()["predictions"][0] if reply.ok else reply.status_code

    def reload(self, rest):
        request = model_management_pb2.ReloadConfigRequest()
        text_format.Parse(listed(config(self.base, rest=rest)), request.config)
        with grpc.insecure_channel(self.server.grpc) as channel:
            return model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(request, timeout=20)


@pytest.fixture
def served(tmp_path, exports):
    found = Served(tmp_path, exports)
    yield found
    found.server.close()


def test_largest_version_is_served_by_default_and_new_ones_are_noticed(served):
    served.put(2, 2)
    served.put(9, 3)
    served.start()
    assert served.states() == {9: "AVAILABLE"}
    assert served.ask() == 3.0
    served.put(10, 2)  # as text, 10 comes before 9
    served.wait(v10="AVAILABLE", v9="END")
    assert served.ask() == 2.0
    assert served.ask("half/versions/9") == 404


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("", {4}),
        ("model_version_policy { latest { num_versions: 2 } }", {3, 4}),
        ("model_version_policy { all { } }", {1, 3, 4}),
        ("model_version_policy { specific { versions: 1 versions: 3 } }", {1, 3}),
        ("model_version_policy { specific { versions: 3 versions: 7 } }", {3}),
    ],
)
def test_version_policies(served, policy, wanted):
    for number in (1, 3, 4):
        served.put(number)
    (served.base / "notes").mkdir()
    served.start(policy)
    assert {number for number, state in served.states().items() if state == "AVAILABLE"} == wanted
    assert all(served.ask(f"half/versions/{number}") == 2.0 for number in wanted)


BOTH = "model_version_policy { specific { versions: 1 versions: 2 } } "


def test_labels_name_versions_and_move_without_the_clients_knowing(served):
    served.put(1, 2)
    served.put(2, 3)
    served.start(BOTH)
    served.reload(BOTH + "version_labels { key: 'stable' value: 1 } version_labels { key: 'canary' value: 2 }")
    assert [served.ask(f"half/labels/{label}") for label in ("stable", "canary")] == [2.0, 3.0]
    assert get(served.server, "/half/labels/stable").json()["model_version_status"][0]["version"] == "1"
    served.reload(BOTH + "version_labels { key: 'stable' value: 2 }")
    assert served.ask("half/labels/stable") == 3.0
    assert served.ask("half/labels/canary") == 400


def test_label_for_a_missing_version_is_refused_and_old_labels_stay(served):
    served.put(1)
    served.start("version_labels { key: 'stable' value: 1 }")
    with pytest.raises(grpc.RpcError, match="not currently available for inference") as caught:
        served.reload("version_labels { key: 'stable' value: 5 }")
    assert caught.value.code().name == "FAILED_PRECONDITION"
    assert served.ask("half/labels/stable") == 2.0


def test_specific_rolls_back(served):
    served.put(1, 2)
    served.put(2, 3)
    served.start()
    assert served.ask() == 3.0
    served.reload("model_version_policy { specific { versions: 1 } }")
    served.wait(v1="AVAILABLE", v2="END")
    assert served.ask() == 2.0


def _no_weights(folder):
    shutil.rmtree(folder / "variables")


def _no_graph(folder):
    (folder / "saved_model.pb").unlink()


def _damaged_graph(folder):
    (folder / "saved_model.pb").write_bytes(b"\xff" * 100)


def _damaged_weights(folder):
    file = next((folder / "variables").glob("*.index"))
    file.write_bytes(file.read_bytes()[:20])


def _empty(folder):
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize("damage", [_no_weights, _no_graph, _damaged_graph, _damaged_weights, _empty])
def test_broken_version_is_reported_and_the_old_one_keeps_answering(served, damage):
    served.put(1)
    served.start()
    beside = served.base.parent / "bad"
    shutil.copytree(served.exports / "half" / "3", beside)
    damage(beside)
    beside.rename(served.base / "2")
    served.wait(v2="END", v1="AVAILABLE")
    entry = get(served.server, "/half/versions/2").json()["model_version_status"][0]["status"]
    assert entry["error_code"] in ("NOT_FOUND", "DATA_LOSS"), entry
    assert entry["error_message"]
    time.sleep(4 * POLL)
    assert served.states() == {1: "AVAILABLE", 2: "END"}
    assert served.ask() == 2.0
    shutil.copytree(served.exports / "half" / "3", served.base / "2", dirs_exist_ok=True)
    served.wait(v2="AVAILABLE", v1="END")
    assert served.ask() == 3.0


def test_version_that_is_taken_away_gives_way_to_the_one_before(served):
    served.put(1, 2)
    served.put(2, 3)
    served.start()
    shutil.rmtree(served.base / "2")
    served.wait(v1="AVAILABLE", v2="END")
    assert served.ask() == 2.0


def test_server_may_start_before_there_is_a_version(served):
    served.start()
    assert served.ask() == 404
    served.put(1)
    served.wait(v1="AVAILABLE")
    assert served.ask() == 2.0


def test_version_in_use_is_unloaded_after_its_last_answer(served):
    served.put(1, 2)
    served.start()
    with served.server.models.borrow("half") as version:
        served.put(2, 3)
        served.wait(v2="AVAILABLE", v1="UNLOADING")
        assert served.ask() == 3.0
        assert version.predict("serving_default", {"x": np.float32(0)})["y"] == 2.0
    served.wait(v1="END")


def test_version_that_is_wanted_again_before_its_last_answer_stays(served):
    served.put(1, 2)
    served.put(2, 3)
    served.start("model_version_policy { specific { versions: 1 } }")
    stable = "version_labels { key: 'stable' value: %d }"
    with served.server.models.borrow("half"):
        served.reload("model_version_policy { specific { versions: 2 } }")
        assert served.states() == {1: "UNLOADING", 2: "AVAILABLE"}
        served.reload("model_version_policy { specific { versions: 1 } } " + stable % 1)
        assert served.states() == {1: "AVAILABLE", 2: "END"}
    assert served.ask("half/labels/stable") == 2.0
    assert served.states() == {1: "AVAILABLE", 2: "END"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model_config_list {", "can't be read"),
        ("", "Only ModelConfigList is supported"),
        (
            listed("config { name: 'a' base_path: '/a' }"),
            "needs a name, a base_path, and the model_platform 'tensorflow'",
        ),
        (listed(config("a"), config("b")), "multiple times"),
    ],
)
def test_config_that_can_not_be_used_gets_one_sentence(text, words, tmp_path):
    with pytest.raises(ServingError, match=words):
        serving.TeachingServer(text, tmp_path)


# What it refuses: a model is code, and a browser shows pages of strangers


class Spy(tf.Module):
    """A model that writes a file as soon as it is loaded."""

    class Written(tf.lookup.KeyValueTensorInitializer):
        def __init__(self, path):
            super().__init__(["a"], [1])
            self._path = path

        def initialize(self, table):
            with tf.control_dependencies([tf.io.write_file(self._path, "a model was here")]):
                return super().initialize(table)

    def __init__(self, path):
        self.table = tf.lookup.StaticHashTable(self.Written(path), 0)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="x")])
    def call(self, x):
        return {"y": self.table.lookup(x)}


@pytest.fixture
def spy(tmp_path_factory):
    """The folder of a model outside of the server's, and the file that it writes when it is loaded."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    written = elsewhere / "written"
    write(Spy(str(written)), elsewhere / "half" / "1")
    written.unlink(missing_ok=True)
    return elsewhere / "half", written


def test_model_writes_its_file_where_it_may_be_loaded(spy):
    folder, written = spy
    with serving.TeachingServer(listed(config(folder)), folder.parent) as server:
        assert get(server, "/half").json()["model_version_status"][0]["state"] == "AVAILABLE"
    assert written.read_text() == "a model was here"


@pytest.mark.parametrize("way", ["absolute", "dots", "link to the base", "path over REST"])
def test_base_path_outside_the_folder_is_refused_at_start_and_by_grpc(served, spy, way):
    folder, written = spy
    served.put(1)
    server = served.start()
    (served.base.parent / "link").symlink_to(folder, target_is_directory=True)
    dots = f"half/../../{folder.parent.name}/half"
    base = {"absolute": folder, "dots": dots, "link to the base": "link"}.get(way)
    if way == "path over REST":
        for path in (f"..%2F{folder.parent.name}%2Fhalf", f"{folder}", f"%2e%2e/{folder.parent.name}/half"):
            assert post(server, f"{path}:predict", {"instances": ["a"]}).status_code in (400, 404)
    else:
        with pytest.raises(ServingError, match=r"outside of the server's folder") as caught:
            serving.TeachingServer(listed(config(base)), served.base.parent)
        assert "\n" not in str(caught.value)
        request = model_management_pb2.ReloadConfigRequest()
        text_format.Parse(listed(config(base)), request.config)
        with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
            model_service_pb2_grpc.ModelServiceStub(channel).HandleReloadConfigRequest(request, timeout=20)
        assert refused.value.code().name == "INVALID_ARGUMENT"
    assert served.ask() == 2.0
    assert not written.exists()


@pytest.mark.parametrize("linked", ["version", "graph", "weights", "each file of linked weights"])
def test_version_that_leads_out_of_the_folder_through_a_link_is_not_loaded(served, spy, linked):
    folder, written = spy
    served.put(1)
    served.start()
    if linked == "version":
        (served.base / "2").symlink_to(folder / "1", target_is_directory=True)
    else:
        beside = served.base.parent / "beside"
        shutil.copytree(folder / "1", beside)
        part = beside / ("saved_model.pb" if linked == "graph" else "variables")
        (shutil.rmtree if part.is_dir() else Path.unlink)(part)
        goal = folder / "1" / part.name
        if linked.startswith("each"):  # a link inside of the folder first, and only then out of it
            (inside := served.base.parent / "inside").mkdir()
            for file in goal.iterdir():
                (inside / file.name).symlink_to(file)
            goal = inside
        part.symlink_to(goal)
        beside.rename(served.base / "2")
    served.wait(v2="END", v1="AVAILABLE")
    entry = get(served.server, "/half/versions/2").json()["model_version_status"][0]["status"]
    assert entry["error_code"] == "PERMISSION_DENIED"
    assert "nothing was loaded" in entry["error_message"]
    assert served.ask() == 2.0
    assert not written.exists()


def test_link_that_stays_in_the_folder_is_followed(served):
    served.put(1)
    served.start()
    shutil.copytree(served.base / "1", beside := served.base.parent / "beside")
    (beside / "round").symlink_to(".", target_is_directory=True)  # a link that leads back to where it lies
    (served.base / "7").symlink_to(beside, target_is_directory=True)
    served.wait(v7="AVAILABLE")
    assert served.ask() == 2.0


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8501"},
        {"Host": "10.0.0.7"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Content-Type": "text/plain"},
        {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/x-www-form-urlencoded"},
    ],
    ids=lambda headers: ", ".join(map(" ".join, headers.items())),
)
def test_page_of_another_site_is_refused_whatever_it_can_send(server, headers):
    reply = post(server, "half:predict", {"instances": [1.0]}, headers=headers)
    assert reply.status_code in (400, 403)
    assert "predictions" not in reply.text
    assert requests.get(f"{server.rest}/v1/models/half", headers=headers, timeout=20).status_code == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_programs_on_this_machine_are_let_in(server, name):
    port = server.rest.rpartition(":")[2]
    headers = {"Host": f"{name}:{port}", "Content-Type": "application/json; charset=utf-8", "Sec-Fetch-Site": "none"}
    assert post(server, "half:predict", {"instances": [1.0]}, headers=headers).json() == {"predictions": [3.5]}


def test_documented_curl_command_with_its_form_type_is_answered(server):
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "curl/8.5.0", "Accept": "*/*"}
    reply = post(server, "half:predict", {"instances": [1.0, 2.0, 5.0]}, headers=headers)
    assert reply.json() == {"predictions": [3.5, 4.0, 5.5]}


def test_bodies_may_be_compressed_and_too_large_ones_are_refused(server):
    body = gzip.compress(json.dumps({"instances": [1.0]}).encode())
    assert post(server, "half:predict", body, headers={"Content-Encoding": "gzip"}).json() == {"predictions": [3.5]}
    with contextlib.suppress(requests.RequestException):  # the connection may close before all is sent
        assert post(server, "half:predict", b"1" * (65 << 20)).status_code in (400, 413)
    bomb = gzip.compress(b"1" * (65 << 20))
    with contextlib.suppress(requests.RequestException):
        assert post(server, "half:predict", bomb, headers={"Content-Encoding": "gzip"}).status_code in (400, 413)
    assert_serves(server)


# Odd folders


def test_odd_folders_are_ignored_and_two_names_of_a_number_are_one(served):
    served.put(1, 2)
    for name in ("+2", "-3", "4.0", " 5", "6e1", "٣", "²", "9" * 25, str(2**63), "v8", "tmp", ".11"):
        shutil.copytree(served.exports / "half" / "3", served.base / name)
    (served.base / "12").write_text("a file")
    (served.base / "13").symlink_to("nowhere")
    shutil.copytree(served.exports / "half" / "3", served.base / "01")
    served.start("model_version_policy { all { } }")
    assert served.states() == {1: "AVAILABLE"}
    assert served.ask() == 2.0  # the shortest name
    served.put(2**63 - 1, 3)
    served.wait(**{f"v{2**63 - 1}": "AVAILABLE"})
    assert served.ask() == 3.0


def test_folder_that_can_not_be_read_or_is_gone_keeps_what_is_loaded(served):
    served.put(1)
    served.start()
    served.base.rename(served.base.parent / "gone")
    time.sleep(5 * POLL)
    assert served.ask() == 2.0
    served.base.write_text("a file")
    time.sleep(5 * POLL)
    assert served.ask() == 2.0
    served.base.unlink()
    (served.base.parent / "gone").rename(served.base)
    served.put(2, 3)
    served.wait(v2="AVAILABLE")


def test_version_that_is_copied_slowly_is_loaded_once_it_is_whole(served):
    served.put(1)
    served.start()
    source = served.exports / "half" / "3"
    for path in sorted(source.rglob("*")):
        target = served.base / "2" / path.relative_to(source)
        if path.is_dir():
            target.mkdir(parents=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        data = path.read_bytes()
        with target.open("wb") as file:
            for part in (data[: len(data) // 2], data[len(data) // 2 :]):
                file.write(part)
                file.flush()
                time.sleep(1.5 * POLL)
                assert served.ask() in (2.0, 3.0)
    served.wait(v2="AVAILABLE", v1="END")
    assert served.ask() == 3.0


def test_folders_that_come_and_go_harm_nobody(served):
    served.put(1)
    served.start()
    for round_ in range(20):
        served.put(2 + round_, 3)
        time.sleep(POLL / 3)
        shutil.rmtree(served.base / str(2 + round_), ignore_errors=True)
        assert served.ask() in (2.0, 3.0)
    served.wait(v1="AVAILABLE")
    served.put(50, 3)
    served.wait(v50="AVAILABLE")


def test_labels_and_policy_change_together_without_a_gap(served):
    served.put(1, 2)
    served.put(2, 3)
    served.start("model_version_policy { specific { versions: 1 } } version_labels { key: 'stable' value: 1 }")
    stop, found = threading.Event(), set()

    def ask():
        while not stop.is_set():
            found.add(served.ask("half/labels/stable"))

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(ask) for _ in range(2)]
        for number in (2, 1, 2):
            only = f"model_version_policy {{ specific {{ versions: {number} }} }} "
            served.reload(only + f"version_labels {{ key: 'stable' value: {number} }}")
        stop.set()
        [future.result() for future in futures]
    assert found <= {2.0, 3.0}


# Under load


REQUESTS, CLIENTS = 1000, 8


def test_none_of_2000_requests_of_8_clients_fails_in_a_swap_and_back(served):
    served.put(1, 2)
    server = served.start()
    known = {2.0: 1, 3.0: 2}

    def rest():
        with requests.Session() as session:
            url = f"{server.rest}/v1/models/half:predict"
            while True:
                yield known[session.post(url, data=b'{"instances": [0.0]}', timeout=30).json()["predictions"][0]]

    def over_grpc():
        with grpc.insecure_channel(server.grpc) as channel:
            stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
            while True:
                response = stub.Predict(message("half", [0.0]), timeout=30)
                version = response.model_spec.version.value
                assert known[float(tf.make_ndarray(response.outputs["y"])[0])] == version
                yield version

    def client(number, counts, changed):
        asked = rest() if number < CLIENTS // 2 else over_grpc()
        with contextlib.closing(asked):
            while len(counts) < REQUESTS // CLIENTS or not changed.is_set():
                counts.append(next(asked))

    def run(change):
        counts, changed = [[] for _ in range(CLIENTS)], threading.Event()
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(client, number, found, changed) for number, found in enumerate(counts)]
            while sum(map(len, counts)) < REQUESTS // 5:
                time.sleep(0.005)
            try:
                change()
            finally:
                changed.set()
            for future in clients:
                future.result()  # raises what a client met
        assert sum(map(len, counts)) >= REQUESTS
        return {version for found in counts for version in found}

    there = run(lambda: (served.put(2, 3), served.wait(v2="AVAILABLE", v1="END")))
    back = run(
        lambda: (
            served.reload("model_version_policy { specific { versions: 1 } }"),
            served.wait(v1="AVAILABLE", v2="END"),
        )
    )
    assert there == back == {1, 2}


# Nothing is left


def port_is_free(address):
    host, port = address.removeprefix("http://").split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=2):
        return False
    return True


def test_close_frees_the_ports_and_ends_the_threads(exports):
    before = set(threading.enumerate())
    server = serving.TeachingServer(listed(config(exports / "half")), exports, poll_seconds=POLL)
    assert server.rest.startswith("http://127.0.0.1:")
    assert server.grpc.startswith("127.0.0.1:")
    assert_answers = post(server, "half:predict", {"instances": [0.0]})
    assert assert_answers.ok
    server.close()
    server.close()
    for _ in range(40):
        left = {thread for thread in set(threading.enumerate()) - before if thread.is_alive()}
        if not left:
            break
        time.sleep(0.05)
    assert not left
    assert port_is_free(server.rest)
    assert port_is_free(server.grpc)


def test_program_that_ends_without_closing_its_server_ends_in_silence(exports):
    code = (
        "import sys; from course_utils import tensorflow_start, serving; tensorflow_start.start_tensorflow();"
        f"server = serving.TeachingServer({listed(config('half'))!r}, {str(exports)!r});"
        "print(server.rest, server.grpc, flush=True); sys.stdin.read()"
    )
    options = {"cwd": ROOT, "text": True, **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)}
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], **options) as program:
        addresses = program.stdout.readline().split()
        assert requests.get(f"{addresses[0]}/v1/models/half", timeout=20).ok
        assert psutil.Process(program.pid).children(recursive=True) == []
        program.stdin.close()  # it reads to the end, and ends
        assert program.wait(20) == 0
        assert program.stderr.read() == ""
    assert all(map(port_is_free, addresses))


def test_server_ends_with_its_kernel(exports):
    code = (
        "from course_utils import tensorflow_start, serving; tensorflow_start.start_tensorflow()\n"
        f"server = serving.TeachingServer({listed(config('half'))!r}, {str(exports)!r})\n"
        "import os; print(server.rest, server.grpc, os.getpid())"
    )
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    try:
        printed = []
        client.execute_interactive(
            code, timeout=60, output_hook=lambda m: printed.append(m["content"].get("text", "")), store_history=False
        )
        *addresses, kernel = "".join(printed).split()
        assert requests.get(f"{addresses[0]}/v1/models/half", timeout=20).ok
        family = [psutil.Process(int(kernel)), *psutil.Process(int(kernel)).children(recursive=True)]
        client.stop_channels()
    finally:
        manager.shutdown_kernel()
    assert psutil.wait_procs(family, timeout=10)[1] == []  # none goes on
    assert all(map(port_is_free, addresses))


# Where the server is


def test_import_is_light():
    code = "import course_utils.serving, sys; print(*{'tensorflow', 'keras', 'grpc', 'matplotlib', 'google.protobuf'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.split() == []


def test_lesson_writes_no_version_where_a_server_looks():
    """A server of one's own would load half a model, and with the options in deploy/compose.yaml never try again."""
    cells = [cell.source for cell in lessons(wanted=("13",))[0].code_cells]
    assert any(".rename(models / " in source for source in cells)
    assert [source for source in cells if re.search(r"\bexport\([^)]*, models / ", source)] == []


def test_server_of_your_own_is_taken_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_SERVING_REST", server.rest + "/")
    monkeypatch.setenv("COURSE_SERVING_GRPC", server.grpc)
    with pytest.raises(ValueError, match="go together"):
        serving.Connection("", tmp_path)
    monkeypatch.setenv("COURSE_SERVING_FOLDER", str(tmp_path))
    connection = serving.Connection("", tmp_path)
    assert (connection.is_teaching, connection.rest, connection.grpc) == (False, server.rest, server.grpc)
    connection.close()
    assert_serves(server)
    assert serving.folder("digits", "elsewhere") == tmp_path / "digits"
    assert serving.base_path("digits", tmp_path / "digits") == "/models/digits"
    (tmp_path / "digits" / "1").mkdir()
    with pytest.raises(FileExistsError, match="not empty"):
        serving.folder("digits", "elsewhere")


@pytest.mark.parametrize("open_port", [False, True], ids=["closed", "open, but nobody speaks"])
def test_server_of_your_own_that_does_not_answer_is_named(open_port, tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        if not open_port:
            listening.close()
        for name, value in {"REST": "http://127.0.0.1:1", "GRPC": address, "FOLDER": str(tmp_path)}.items():
            monkeypatch.setenv(f"COURSE_SERVING_{name}", value)
        with pytest.raises(ConnectionError, match=f"^no model server answers at {address}"):
            serving.Connection("", tmp_path, patience=0.5)


def test_teaching_server_is_started_where_none_is_named(tmp_path, monkeypatch):
    for name in ("REST", "GRPC", "FOLDER"):
        monkeypatch.delenv(f"COURSE_SERVING_{name}", raising=False)
    folder = serving.folder("half", tmp_path)
    assert folder == tmp_path / "half"
    connection = serving.Connection(listed(config(serving.base_path("half", folder))), tmp_path)
    assert connection.is_teaching
    assert requests.get(f"{connection.rest}/v1/models/half", timeout=20).status_code == 404
    connection.close()
    assert port_is_free(connection.rest)


def _deployed(name):
    return (ROOT / "deploy" / name).read_text(encoding="utf-8")


def _service(name):
    return yaml.safe_load(_deployed(name))["services"]["serving"]


def _mounted(service, name):
    return next(volume.split(":")[1] for volume in service["volumes"] if volume.startswith(f"./{name}:"))


def test_files_for_the_real_server_fit_together():
    compose, found = _service("compose.yaml"), read_config(_deployed("models.config")).model_config_list.config
    assert [entry.name for entry in found] == ["digits"]
    assert found[0].base_path == "/models/digits"
    assert "./models:/models" in compose["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in compose["ports"])
    assert f"--model_config_file={_mounted(compose, 'models.config')}" in compose["command"]
    # the lesson waits 30 seconds for the end of a version that can't be loaded; by default there are five more tries, a minute apart
    assert "--max_num_load_retries=0" in compose["command"]


def test_container_is_where_lesson_readme_and_workflow_look_for_it(monkeypatch, tmp_path):
    ports = [port.rsplit(":", 1) for port in _service("compose.yaml")["ports"]]
    assert [inside for _, inside in ports] == ["8501", "8500"]  # where the image serves REST and gRPC
    rest, grpc_ = (outside for outside, _ in ports)
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    for text, sign in ((_deployed("README.md"), "="), (workflow, ": ")):
        assert f"COURSE_SERVING_REST{sign}http://{rest}" in text
        assert f"COURSE_SERVING_GRPC{sign}{grpc_}" in text
        assert re.search(rf"COURSE_SERVING_FOLDER{sign}.*/deploy/models", text)
    monkeypatch.setenv("COURSE_SERVING_FOLDER", str(tmp_path))
    lesson = definitions("13_serving")
    lesson.models = serving.folder("digits", tmp_path)
    (sent,) = read_config(
        lesson.config("all { }", "version_labels { key: 'stable' value: 2 }")
    ).model_config_list.config
    (started,) = read_config(_deployed("models.config")).model_config_list.config
    assert (sent.name, sent.base_path, sent.model_platform) == (started.name, started.base_path, started.model_platform)
    commented = "".join(re.findall(r"^ *# (?:model|version)_.*\n", _deployed("models.config"), re.M)).replace("# ", "")
    labels = dict(text_format.Parse(commented, type(started)()).version_labels)
    assert labels == {"stable": 1, "canary": 2}
    source = (ROOT / "notebooks" / "13_serving.ipynb").read_text(encoding="utf-8")
    assert all(f"`{label}`" in source for label in labels)


def test_batching_adds_two_options_to_the_real_server():
    added = _service("compose.batching.yaml")  # Compose puts its command in the place of the other file's
    parameters = f"--batching_parameters_file={_mounted(added, 'batching.config')}"
    assert added["command"] == [*_service("compose.yaml")["command"], "--enable_batching=true", parameters]


def _batching_parameters():
    """A message with the fields of TensorFlow Serving's BatchingParameters, which tensorflow-serving-api leaves out."""
    file = descriptor_pb2.FileDescriptorProto(
        name="batching.proto", syntax="proto3", dependency=["google/protobuf/wrappers.proto"]
    )
    message = file.message_type.add(name="BatchingParameters")
    names = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    for number, name in enumerate(names, start=1):
        message.field.add(name=name, number=number, label=1, type=11, type_name=".google.protobuf.Int64Value")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("BatchingParameters"))()


def test_batching_takes_the_largest_request_of_the_lesson():
    lesson_source = (ROOT / "notebooks" / "13_serving.ipynb").read_text(encoding="utf-8")
    found = text_format.Parse(_deployed("batching.config"), _batching_parameters())
    largest = max(map(int, re.search(r'gRPC\\": \[(.*?)\]', lesson_source).group(1).split(",")))
    assert found.max_batch_size.value >= largest  # a larger request would be refused
    assert 0 <= found.batch_timeout_micros.value < 30_000
    assert found.max_enqueued_batches.value >= 1
    assert found.num_batch_threads.value >= 1


# What the lesson defines


@pytest.fixture(scope="module")
def lesson():
    found = definitions("13_serving")
    found.NAMES = [f"class {digit}" for digit in range(10)]  # the lesson's variable
    return found


@pytest.fixture(scope="module")
def exported(lesson, tmp_path_factory):
    """A small untrained classifier with the lesson's signatures, and where it stands."""
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
    folder = tmp_path_factory.mktemp("digits") / "1"
    lesson.export(model, folder, 7)
    return model, folder, tf.saved_model.load(folder).signatures


PICTURES = arrays.arrays("uint8", st.tuples(st.integers(0, 5), st.just(28), st.just(28)))


@given(PICTURES)
@settings(max_examples=15)
def test_export_answers_as_the_model_whatever_the_batch(lesson, exported, pictures):
    model, _, signatures = exported
    assert lesson.largest_difference(signatures, model, pictures) < 1e-4
    assert signatures["classify"](images=pictures)["version"].numpy().tolist() == [7] * len(pictures)


def renamed(classify):
    """A signature with right probabilities and a wrong name for each digit."""

    def call(images):
        answer = classify(images=images)
        return answer | {"label": tf.fill(tf.shape(answer["label"]), "none")}

    return call


def test_comparison_notices_another_model_and_wrong_names(lesson, exported):
    model, _, signatures = exported
    pictures = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)

    def other(pictures):
        return model(pictures[:, ::-1])

    assert lesson.largest_difference(signatures, other, pictures) > 0.1
    swapped = dict(zip(signatures, signatures.values(), strict=True)) | {"classify": renamed(signatures["classify"])}
    assert lesson.largest_difference(swapped, model, pictures) == np.inf


@given(PICTURES)
@settings(max_examples=15)
def test_png_files_lead_back_to_the_same_pixels(lesson, pictures):
    files = lesson.write_png(pictures)
    assert all(file.startswith(b"\x89PNG") for file in files)
    assert np.array_equal(lesson.read_png(tf.constant(files, tf.string)), pictures)


def test_export_refuses_what_its_signatures_do_not_allow(exported):
    _, folder, _ = exported
    with serving.TeachingServer(listed(config(folder.parent, "digits")), folder.parent) as server:
        for name, value in (
            ("images", [[[0.5] * 28] * 28]),
            ("images", [[[0] * 28] * 27]),
            ("pixels", [[[0] * 28] * 28]),
        ):
            reply = post(server, "digits:predict", {"signature_name": "predict", "inputs": {name: value}})
            assert reply.status_code == 400
        bad = post(server, "digits:predict", {"signature_name": "classify_png", "instances": [{"b64": "aGVsbG8="}]})
        assert bad.status_code == 400  # TensorFlow's own error keeps its code
        good = post(server, "digits:predict", {"signature_name": "predict", "instances": [[[0] * 28] * 28]})
        assert np.shape(good.json()["predictions"]) == (1, 10)


def test_waiting_for_a_version_bears_a_server_that_does_not_listen_yet(lesson, monkeypatch):
    health = {"error_code": "OK", "error_message": ""}
    entry = {"version": "2", "state": "AVAILABLE", "status": health}
    replies = iter([None, {"error": "no versions"}, {"model_version_status": [entry | {"state": "LOADING"}]}, None])

    def get(url, timeout):
        reply = next(replies, {"model_version_status": [entry]})
        if reply is None:
            raise requests.ConnectionError("nobody there")
        return types.SimpleNamespace(json=lambda: reply)

    monkeypatch.setattr(requests, "get", get)
    monkeypatch.setattr(lesson, "address", "http://server/v1/models/digits", raising=False)
    assert lesson.wait_for(2, "AVAILABLE", seconds=1) == health
    with pytest.raises(TimeoutError, match="version 3 was not END within 1 s"):
        lesson.wait_for(3, "END", seconds=1)


def test_client_of_the_lesson_writes_down_failures_and_goes_on(lesson):
    stop, log, codes = threading.Event(), [], iter([1, None, 2])

    def ask_once(session):
        code = next(codes)
        if code == 2:
            stop.set()
        if code is None:
            raise requests.ConnectionError("nobody there")
        return code

    lesson.client(ask_once, stop, log)
    assert [version for *_, version in log] == [1, 0, 2]
    assert log == sorted(log)
    assert all(seconds >= 0 for _, seconds, _ in log)


def test_measurement_counts_every_request_of_every_client(lesson):
    calls, lock = [], threading.Lock()

    def send(request):
        with lock:
            calls.append((request, threading.get_ident()))
        time.sleep(0.02)

    times, rate = lesson.under_load(send, "question", clients=3, seconds=0.2)
    assert len(times) == len(calls) >= 9
    assert {request for request, _ in calls} == {"question"}
    assert len({thread for _, thread in calls}) == 3
    assert times.min() >= 0.019
    assert 0 < rate <= 3 / 0.019
    times, _ = lesson.under_load(send, None, clients=2, seconds=0)
    assert len(times) == 6  # three each at least


def test_swap_takes_its_steps_in_order_and_pauses_before_each(lesson, monkeypatch):
    did = []
    monkeypatch.setattr(lesson, "publish", lambda number: did.append(f"publish {number}"))
    monkeypatch.setattr(lesson, "move_label", lambda number: did.append(f"label {number}"))
    monkeypatch.setattr(lesson, "ask_rest", lambda session, path: did.append(path))
    monkeypatch.setattr(lesson, "session", None, raising=False)
    lesson.swap(lambda step: did.append("pause"))
    assert did.count("pause") == 7
    assert did[:3] == ["pause", "publish 2", "pause"]
    assert [each for each in did if each != "pause"] == [
        "publish 2", *["versions/2"] * 5, "label 2", "label 1", "publish 3", "label 3",
    ]  # fmt: skip
    assert did[-1] == "pause"


def test_loopback_is_reached_past_a_proxy(tmp_path):
    code = """
        import grpc, requests
        from course_utils import serving
        with serving.TeachingServer("model_config_list {}", ".") as server:
            assert requests.get(f"{server.rest}/v1/models/none", timeout=5).status_code == 404
            with grpc.insecure_channel(server.grpc) as channel:
                grpc.channel_ready_future(channel).result(5)
        print("answered")
    """
    proxies = {f"{name}_proxy": "http://127.0.0.1:9" for name in ("http", "https", "grpc", "all")}
    kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300,
        env=kept | proxies | {key.upper(): value for key, value in proxies.items()} | {"no_proxy": "example.org"},
    )  # fmt: skip
    assert done.stdout.strip() == "answered", done.stderr[-1000:]
