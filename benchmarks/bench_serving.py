"""The teaching server of lesson 13: two swaps under load, latency beside a call without a server, and its start and end."""

import contextlib
import json
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks import Row, against_bar, seconds
from course_utils import serving, tensorflow_start
from course_utils.notebooks import definitions

REQUESTS, CLIENTS = 1000, 8


def ask_until(stop, asked, log, least):
    """Ask until told to stop, at least `least` times; note the seconds and the version of each answer, 0 for a failure."""
    while not stop.is_set() or len(log) < least:
        begin = time.perf_counter()
        try:
            version = next(asked)
        except Exception:
            version = 0
        log.append((time.perf_counter() - begin, version))


def swap_under_load(clients, change):
    """Let all clients ask while `change` is made: seconds (N,) and versions (N,) of the answers."""
    stop, logs = threading.Event(), [[] for _ in clients]
    with ThreadPoolExecutor(len(clients)) as pool:
        for client, log in zip(clients, logs, strict=True):
            pool.submit(ask_until, stop, client, log, REQUESTS // CLIENTS)
        time.sleep(0.2)
        change()
        stop.set()
    return np.array([entry for log in logs for entry in log]).T


def run():
    tensorflow_start.start_tensorflow()
    import grpc
    import keras
    import requests
    import tensorflow as tf
    from google.protobuf import text_format
    from tensorflow_serving.apis import model_management_pb2, predict_pb2
    from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
    from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

    lesson = definitions("13_serving")
    lesson.NAMES = [str(digit) for digit in range(10)]
    image = np.random.default_rng(0).integers(0, 256, (1, 28, 28), np.uint8)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        scores = []
        for number in (1, 2):
            keras.utils.set_random_seed(number)
            model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
            lesson.export(model, folder / f"export {number}", number)
            scores.append(model(image / 255).numpy()[0])
        models = folder / "digits"
        models.mkdir()
        (folder / "export 1").rename(models / "1")

        def config(policy):
            model = f"name: 'digits' base_path: '{models.as_posix()}' model_platform: 'tensorflow'"
            return f"model_config_list {{ config {{ {model} model_version_policy {{ {policy} }} }} }}"

        begin = time.perf_counter()
        server = stack.enter_context(serving.TeachingServer(config("latest { num_versions: 1 }"), folder))
        yield against_bar("teaching server: start, with one model", time.perf_counter() - begin, 3)
        channel = stack.enter_context(grpc.insecure_channel(server.grpc))
        stub, url = PredictionServiceStub(channel), f"{server.rest}/v1/models/digits"
        body = json.dumps({"signature_name": "predict", "instances": image.tolist()})
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = "digits", "predict"
        request.inputs["images"].CopyFrom(tf.make_tensor_proto(image))

        def over_rest():
            with requests.Session() as session:
                while True:
                    reply = session.post(url + ":predict", data=body, timeout=30).json()
                    yield 1 + int(np.abs(np.array(scores) - reply["predictions"][0]).max(axis=1).argmin())

        def over_grpc():
            while True:
                yield stub.Predict(request, timeout=30).model_spec.version.value

        def wait_for(number, state):
            while True:
                entries = requests.get(url, timeout=30).json()["model_version_status"]
                if {"version": str(number), "state": state}.items() <= {
                    key: value for entry in entries if entry["version"] == str(number) for key, value in entry.items()
                }.items():
                    return
                time.sleep(0.02)

        def forth():
            (folder / "export 2").rename(models / "2")
            wait_for(1, "END")

        def back():
            reload = model_management_pb2.ReloadConfigRequest()
            text_format.Parse(config("specific { versions: 1 }"), reload.config)
            ModelServiceStub(channel).HandleReloadConfigRequest(reload, timeout=60)
            wait_for(2, "END")

        direct = tf.saved_model.load(models / "1").signatures["predict"]
        rest, by_grpc = over_rest(), over_grpc()
        alone, through_grpc, through_rest = seconds(
            lambda: direct(images=image), lambda: next(by_grpc), lambda: next(rest), repeats=200
        )
        for name, measured in (("gRPC", through_grpc), ("REST", through_rest)):
            yield Row(
                f"one digit over {name}", f"{measured * 1000:.2f} ms", f"without a server {alone * 1000:.2f} ms",
                f"{measured / alone:.1f}, at most 50", measured <= 50 * alone,
            )  # fmt: skip
        clients = [over_rest() if number < CLIENTS // 2 else over_grpc() for number in range(CLIENTS)]
        for words, change in (("swap", forth), ("roll-back", back)):
            times, versions = swap_under_load(clients, change)
            failed, seen = int((versions == 0).sum()), {int(version) for version in versions} - {0}
            p50, p99, worst = np.percentile(times, [50, 99, 100]) * 1000
            yield Row(
                f"{words} under {CLIENTS} clients, {len(times)} requests", f"{failed} failed",
                f"bar 0 of {REQUESTS}; median {p50:.0f}, 99 % {p99:.0f}, longest {worst:.0f} ms", "-",
                failed == 0 and seen == {1, 2} and len(times) >= REQUESTS,
            )  # fmt: skip
        begin = time.perf_counter()
        server.close()
        yield against_bar("teaching server: end", time.perf_counter() - begin, 1)
