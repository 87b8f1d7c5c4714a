"""Lesson 13's swap under load on a server that is not the project's own: MLServer, in an environment of its own.

`make test-serving` installs it into build/serving. Without it the tests are skipped.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests

from course_utils import tensorflow_start
from course_utils.notebooks import definitions

ROOT = Path(__file__).parent.parent
PYTHON = ROOT / "build" / "serving" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
REQUESTS, CLIENTS = 1000, 8

pytestmark = pytest.mark.skipif(
    not (ROOT / "build" / "serving" / "ready").exists(), reason="MLServer is not installed: see `make test-serving`"
)


def free_ports(count):
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in listening]
    for each in listening:
        each.close()
    return ports


class Engine:
    """MLServer on a folder of models, and the clients' side of it."""

    def __init__(self, folder, exports):
        self.folder, self.exports = folder, exports
        self.models = folder / "models"
        self.models.mkdir()
        self.session = requests.Session()
        self.session.trust_env = False  # past any proxy

    def put(self, number):
        """Put a version in place in one step."""
        beside = shutil.copytree(self.exports / str(number), self.folder / f"unfinished {number}")
        settings = {"name": "digits", "implementation": "runtime.SavedModel"}
        settings["parameters"] = {"uri": str(self.models / str(number)), "version": str(number)}
        (beside / "model-settings.json").write_text(json.dumps(settings), encoding="utf-8")
        beside.rename(self.models / str(number))

    def start(self):
        names = ("http_port", "grpc_port", "metrics_port")
        ports = dict(zip(names, free_ports(3), strict=True))
        self.address = f"http://127.0.0.1:{ports['http_port']}/v2"
        settings = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False, **ports}
        (self.models / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        self.log = (self.folder / "log").open("w")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        self.process = subprocess.Popen(
            [PYTHON, "-c", "import mlserver.cli; mlserver.cli.main()", "start", str(self.models)],
            stdout=self.log, stderr=subprocess.STDOUT, cwd=self.folder,
            env=kept | {"PYTHONPATH": str(ROOT / "deploy" / "mlserver"), "TF_CPP_MIN_LOG_LEVEL": "3"},
        )  # fmt: skip
        for _ in range(1200):
            if self.process.poll() is not None:
                break
            try:
                if self.session.get(f"{self.address}/models/digits/ready", timeout=5).ok:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text()[-3000:])

    def load(self):
        """Let MLServer look at its folder: new versions are loaded, and those that are gone unloaded."""
        reply = self.session.post(f"{self.address}/repository/models/digits/load", json={}, timeout=120)
        assert reply.ok, reply.text

    def ask(self, session, image, version=""):
        """Scores of one picture (28, 28), uint8, and the version that answered."""
        tensor = {"name": "images", "shape": [1, 28, 28], "datatype": "UINT8", "data": image.ravel().tolist()}
        reply = session.post(f"{self.address}/models/digits{version}/infer", json={"inputs": [tensor]}, timeout=30)
        reply.raise_for_status()
        found = reply.json()
        return np.array(found["outputs"][0]["data"]), int(found["model_version"])

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Two untrained classifiers as the lesson exports them: their folder, a picture, and both versions' scores of it."""
    tensorflow_start.start_tensorflow()
    import keras

    lesson, folder, scores = definitions("13_serving"), tmp_path_factory.mktemp("exports"), {}
    lesson.NAMES = [f"class {digit}" for digit in range(10)]
    image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    for number in (1, 2):
        keras.utils.set_random_seed(number)
        model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
        lesson.export(model, folder / str(number), number)
        scores[number] = model(image[None] / np.float32(255)).numpy()[0]
    return folder, image, scores


def test_none_of_2000_requests_of_8_clients_fails_in_a_swap_and_back(exported, tmp_path):
    exports, image, scores = exported
    engine = Engine(tmp_path, exports)
    engine.put(1)
    try:
        engine.start()

        def client(asked, changed):
            with requests.Session() as session:
                session.trust_env = False
                while len(asked) < REQUESTS // CLIENTS or not changed.is_set():
                    found, version = engine.ask(session, image)
                    assert np.allclose(found, scores[version], atol=1e-4)
                    asked.append(version)

        def run(change):
            logs, changed = [[] for _ in range(CLIENTS)], threading.Event()
            with ThreadPoolExecutor(CLIENTS) as pool:
                clients = [pool.submit(client, log, changed) for log in logs]
                try:
                    while sum(map(len, logs)) < REQUESTS // 5 and not any(each.done() for each in clients):
                        time.sleep(0.005)
                    change()
                finally:
                    changed.set()
                for each in clients:
                    each.result()  # raises what a client met
            assert sum(map(len, logs)) >= REQUESTS
            assert {version for log in logs for version in log} == {1, 2}
            assert {log[-1] for log in logs} == {engine.ask(engine.session, image)[1]}

        def swap():
            engine.put(2)
            engine.load()
            assert [engine.ask(engine.session, image, f"/versions/{number}")[1] for number in (1, 2)] == [1, 2]

        def roll_back():
            shutil.rmtree(engine.models / "2")
            engine.load()

        run(swap)
        assert engine.ask(engine.session, image)[1] == 2
        run(roll_back)
        assert engine.ask(engine.session, image)[1] == 1
    finally:
        engine.close()
