"""What lesson 14 defines, and its worker processes: they train alike, fail in a sentence, and never outlive who started them."""

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import distributed, tensorflow_start
from course_utils.datasets import carvana
from course_utils.distributed.__main__ import main as script_main

tensorflow_start.start_tensorflow()
import tensorflow as tf  # noqa: E402

from course_utils.notebooks import definitions, lessons  # noqa: E402

lesson = definitions("14_distributed")
lesson.car_network = definitions("06_unet").car_network  # a variable of the notebook
ROOT = Path(__file__).parent.parent
SIZE = (24, 36)


@pytest.fixture(scope="module")
def data():
    return carvana.load_carvana(cars=40).select(range(0, 160, 10))  # 16 pictures


@pytest.fixture(scope="module")
def team():
    with distributed.Team(2) as started:
        yield started


# What a worker does, sent as source


def train(strategy, data, steps, folder=None):
    model, optimizer = lesson_build(strategy)
    losses = [
        loss for _, loss in lesson_training(strategy, model, optimizer, data, steps, (24, 36), 8, folder, every=2)
    ]
    return losses, [variable.numpy() for variable in model.variables]


def place(strategy):
    return strategy.cluster_resolver.task_id, strategy.num_replicas_in_sync, os.getpid()


def slow(strategy):
    return time.sleep(60)


def wrong(strategy):
    if strategy.cluster_resolver.task_id == 1:
        raise ValueError("no such picture")
    time.sleep(60)


def outer(strategy, x):
    return inner(x) + OFFSET


def inner(x):
    return np.sum([each**2 for each in x])


def _local():
    number = 3

    def inside(strategy):
        return number

    return inside


OFFSET = 1
lesson_build, lesson_training = lesson.build, lesson.training


# Who gets which pictures


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 9), st.integers(0, 3))
def test_every_picture_is_taken_exactly_once_in_an_epoch(workers, per_worker, steps, epoch):
    batch = workers * per_worker
    count = batch * steps
    taken = [
        lesson.shard(lesson.batch_of_step(epoch * steps + step, batch, count), worker, workers)
        for step in range(steps)
        for worker in range(workers)
    ]
    assert all(len(part) == per_worker for part in taken)
    assert np.array_equal(np.sort(np.concatenate(taken)), np.arange(count))


def test_epochs_differ_and_steps_repeat():
    assert np.array_equal(lesson.batch_of_step(5, 8, 64), lesson.batch_of_step(5, 8, 64))
    assert not np.array_equal(lesson.batch_of_step(0, 64, 64), lesson.batch_of_step(1, 64, 64))


def test_batch_that_does_not_divide_gets_a_sentence():
    with pytest.raises(ValueError, match=r"^8 pictures can't be split evenly among 3 workers\.$"):
        lesson.shard(np.arange(8), 0, 3)


# The ring


@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_ring_gives_everyone_the_sum(machines, size, seed):
    values = np.random.default_rng(seed).normal(size=(machines, size))
    sums, sent = lesson.ring_all_reduce(values)
    assert sums.shape == values.shape
    assert np.allclose(sums, values.sum(axis=0))
    assert (sums == sums[0]).all()  # the same rounding on all of them
    assert sent.sum() == 2 * (machines - 1) * size
    assert sent.max() <= 2 * (machines - 1) * -(-size // machines)


def test_ring_changes_no_input():
    values = np.ones((3, 6))
    lesson.ring_all_reduce(values)
    assert (values == 1).all()


def test_figures_of_the_ring_show_what_it_does():
    assert (lesson.counts_after(6) == 4).all()
    assert sorted((lesson.counts_after(3) == 4).sum(axis=1)) == [1, 1, 1, 1]


# The model of a step's time


@given(st.integers(1, 64), st.floats(0.01, 10), st.integers(1, 10**8), st.floats(1e7, 1e11))
def test_step_time_is_the_formula(machines, alone, weights, bandwidth):
    wanted = alone + 2 * (machines - 1) * 1e-4 + 2 * (machines - 1) / machines * 4 * weights / bandwidth
    assert np.isclose(lesson.step_time(machines, alone, weights, bandwidth, 1e-4), wanted)
    assert lesson.step_time(1, alone, weights, bandwidth) == alone


def test_processor_time_in_the_text_is_what_the_benchmark_measured():
    rows = json.loads((ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))["distributed"]["rows"]
    ((_, together, alone, *_),) = [row for row in rows if row[0] == "step of 8 pictures, two workers together"]
    together, alone = (np.median([int(each) for each in re.findall(r"\d+", text)]) for text in (together, alone))
    text = lessons(wanted=("14",))[0].path.read_text(encoding="utf-8")
    assert f"together spend {together / alone:.1f} times one process's processor time" in text


# Training


def test_two_workers_take_the_steps_of_one_process_and_stay_equal(team, data, tmp_path):
    (losses, weights), (others_losses, others) = team.run(train, data, 5, tmp_path)
    alone_losses, alone = train(tf.distribute.get_strategy(), data, 5)
    assert losses == others_losses
    assert all(np.array_equal(one, other) for one, other in zip(weights, others, strict=True))
    assert np.allclose(losses, alone_losses, rtol=1e-4)
    change = max(
        np.abs(one - first).max()
        for one, first in zip(alone, lesson_build(tf.distribute.get_strategy())[0].get_weights(), strict=True)
    )
    assert max(np.abs(one - other).max() for one, other in zip(weights, alone, strict=True)) < 1e-3 * change
    # Step 5 is after the checkpoint of step 4: what is read back ends with the same weights, bit for bit.
    resumed, again = team.run(train, data, 5, tmp_path)[0]
    assert resumed == losses[4:]
    assert all(np.array_equal(one, other) for one, other in zip(weights, again, strict=True))
    # A training that had finished when it was started again takes no step.
    assert [found[0] for found in team.run(train, data, 4, tmp_path)] == [[], []]


def test_own_batch_as_divisor_multiplies_the_step(data):
    """The mistake of the lesson, on the real step: a divisor K times too small is a learning rate K times too large."""
    images, masks = (np.float32(each) for each in carvana.arrays(data.select(range(4)), SIZE))
    ends = []
    for rate, divisor in ((0.01, 1), (0.04, 4)):
        model, optimizer = lesson_build(tf.distribute.get_strategy(), rate)
        lesson.make_step(tf.distribute.get_strategy(), model, optimizer, divisor)(images / 255, masks)
        ends.append(np.concatenate([np.ravel(weight) for weight in model.get_weights()]))
    assert np.allclose(*ends, atol=1e-6)


def test_checkpoint_is_whole_or_not_there(tmp_path):
    state = [tf.Variable([1.0, 2.0]), tf.Variable(7, dtype=tf.int64)]
    assert lesson.restore(tmp_path, state) == 0
    lesson.save(tmp_path, 3, state)
    state[0].assign([0.0, 0.0])
    state[1].assign(0)
    assert lesson.restore(tmp_path, state) == 3
    assert [variable.numpy().tolist() for variable in state] == [[1.0, 2.0], 7]
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]
    for other in (state[:1], [*state, state[1]], [tf.Variable([1.0]), state[1]]):
        with pytest.raises(ValueError, match="another network or optimizer"):
            lesson.restore(tmp_path, other)


def test_checkpoint_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(lesson.os, "fsync", lambda number: asked.append(Path("part.npz")))
    monkeypatch.setattr(lesson.Path, "replace", lambda old, new: asked.append(new.relative_to(tmp_path)))
    lesson.save(tmp_path, 3, [tf.Variable(1.0)])
    assert asked == [Path("part.npz"), Path("checkpoint.npz")]


MIXED = """
import functools, sys
from course_utils import tensorflow_start
tensorflow_start.start_tensorflow()
import tensorflow as tf

devices = 2 * [tf.config.LogicalDeviceConfiguration()]
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
from course_utils.distributed.__main__ import main
# As if they were the GPUs of this computer:
tf.distribute.MirroredStrategy = functools.partial(tf.distribute.MirroredStrategy, ["CPU:0", "CPU:1"])
options = "--steps 2 --batch 4 --size 24 36 --channels 4 8 --every 2 --precision mixed_bfloat16"
main(["--folder", sys.argv[1], *options.split()])
"""


def test_script_trains_on_two_devices_in_mixed_precision(tmp_path):
    command = [sys.executable, "-c", MIXED, str(tmp_path)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert found.returncode == 0, found.stderr
    losses, dice = found.stdout.splitlines()
    assert re.fullmatch(r"step 2  loss [01]\.\d{4}", losses)
    assert re.fullmatch(r"Dice 0\.\d{3} on \d+ pictures of unseen cars", dice)
    with np.load(tmp_path / "checkpoint.npz") as stored:
        assert {str(each.dtype) for each in stored.values() if each.dtype.kind not in "iu"} == {"float32"}


@pytest.mark.parametrize(
    "options", [["--steps", "0"], ["--every", "0"], ["--size", "500", "700"], ["--size", "0", "8"]]
)
def test_script_says_in_a_sentence_which_options_it_can_not_use(options, tmp_path):
    with pytest.raises(SystemExit, match="--steps and --every should be at least 1, and both of --size multiples of 8"):
        script_main(["--folder", str(tmp_path / "run"), *options])
    assert not (tmp_path / "run").exists()


# The team


def test_each_worker_knows_its_place(team):
    assert [found[:2] for found in team.run(place)] == [(0, 2), (1, 2)]
    assert sorted(found[2] for found in team.run(place)) == sorted(team.pids)
    assert len(team) == 2


def test_functions_are_sent_with_what_they_use(team):
    assert team.run(outer, [1, 2, 3]) == [15, 15]
    sources, modules, values = distributed.parts_of(outer)
    assert set(sources) == {"outer", "inner"}
    assert modules == {"np": "numpy"}
    assert values == {"OFFSET": 1}
    assert pickle.loads(pickle.dumps((sources, modules, values))) == (sources, modules, values)


class Scale:
    """A class that is defined beside the function that uses it, as a notebook's layer is."""

    def __init__(self, factor):
        self.factor = factor

    def __call__(self, value):
        return inner(value) * self.factor


class Twice(Scale):
    def __init__(self):
        super().__init__(2)


def scaled(strategy, value):
    return Twice()(value)


def test_classes_are_sent_with_what_they_use(team):
    sources, _, _ = distributed.parts_of(scaled)
    assert set(sources) == {"scaled", "Twice", "Scale", "inner"}
    assert team.run(scaled, [1, 2]) == [scaled(None, [1, 2])] * 2


def test_network_of_lesson_06_with_a_layer_of_its_own_is_sent():
    sources, _, _ = distributed.parts_of(definitions("06_unet").car_network)
    assert {"car_network", "two_convolutions", "FusedBatchNormalization"} <= set(sources)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (3, "expected a function, got int"),
        (np.sum, "expected a function, got"),
        (eval("lambda strategy: 1"), "defined by `def`"),
        (_local(), "uses variables of the function around it"),
    ],
)
def test_what_can_not_be_sent_gets_a_sentence(function, sentence):
    with pytest.raises(ValueError, match=sentence):
        distributed.parts_of(function)


@pytest.mark.parametrize(("workers", "threads"), [(0, 1), (2, 0), (1.5, 1), ("2", 1)])
def test_impossible_team_gets_a_sentence(workers, threads):
    with pytest.raises(ValueError, match=r"^expected at least one worker and one thread, got"):
        distributed.Team(workers, threads)


def test_free_ports_are_free_and_different():
    ports = distributed.free_ports(5)
    assert len(set(ports)) == 5
    assert all(port > 1023 for port in ports)


PARENT = """
import sys
sys.path.insert(0, {root!r})
from course_utils import distributed
from tests.workers_at_work import wait_for_the_other
team = distributed.Team(2)
print(*team.pids, flush=True)
team.run(wait_for_the_other, sys.argv[1])
"""


def _gone(pids, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids):
            return True
        time.sleep(0.1)
    return False


def _closed(ports, seconds=20):
    """Whether nobody listens at any of the ports; the system closes them a moment after the process."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not ports & {each.laddr.port for each in psutil.net_connections("tcp") if each.status == "LISTEN"}:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_workers_end_when_who_started_them_is_killed(tmp_path):
    """One of them waits for the other in an all-reduce, the other sleeps; their starter gets SIGKILL and can't tell them."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(root=str(ROOT)), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        until = time.monotonic() + 120
        while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(0.5)  # so that the first is in the all-reduce
        ports = {
            each.laddr.port for pid in pids for each in psutil.Process(pid).net_connections() if each.status == "LISTEN"
        }
        assert len(ports) >= 2
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        parent.stdout.close()
    assert _gone(pids)
    assert _closed(ports)


# Last, because they end the module's team


def test_failing_worker_is_named_with_its_reason_and_nothing_is_left(team):
    pids, begin = team.pids, time.monotonic()
    with pytest.raises(
        distributed.WorkerError, match=r"^Worker 1 failed, and the team is closed: ValueError: no such picture$"
    ):
        team.run(wrong)
    assert time.monotonic() - begin < 40  # not the 60 s that the other would sleep
    assert _gone(pids)
    assert team.pids == []
    with pytest.raises(distributed.WorkerError, match="this team is closed"):
        team.run(place)
    team.close()  # a second time does nothing


def test_slow_and_killed_workers_end_in_a_sentence():
    with distributed.Team(1) as alone:
        pids = alone.pids
        with pytest.raises(
            distributed.WorkerError, match=r"^The workers did not answer within 1 s, and the team is closed\.$"
        ):
            alone.run(slow, seconds=1)
        assert _gone(pids)
    with distributed.Team(1) as alone:
        alone.kill(0)
        with pytest.raises(distributed.WorkerError, match=r"^Worker 0 is gone, and the team is closed\.$"):
            alone.run(place)


# The script for real machines


def _machines(folder, steps, ports, workers=2):
    """Start the script as on so many machines; what each prints and its exit status."""
    running = []
    for number in range(workers):
        addresses = [f"127.0.0.1:{port}" for port in ports]
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": number}}
        command = ["--folder", str(folder), "--steps", str(steps), "--batch", "4", "--size", "24", "36"]
        command += ["--channels", "4", "8", "--every", "2"]
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "course_utils.distributed", *command], cwd=ROOT, text=True,
                env={**os.environ, "TF_CONFIG": str(config).replace("'", '"'), "CUDA_VISIBLE_DEVICES": "-1"},
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
        )  # fmt: skip
    try:
        return [(*process.communicate(timeout=400), process.returncode) for process in running]
    finally:
        for process in running:
            process.kill()


def test_script_trains_on_two_machines_and_stores_the_network(tmp_path):
    chief, other = _machines(tmp_path, 3, distributed.free_ports(2))
    assert chief[2] == other[2] == 0, chief[1] + other[1]
    assert re.findall(r"^step (\d)  loss 0\.\d{4}$", chief[0], re.M) == ["2", "3"]
    assert re.search(r"^Dice 0\.\d{3} on \d+ pictures of unseen cars$", chief[0], re.M)
    assert other[0] == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "unet.weights.h5"]
    model = definitions("06_unet").car_network(channels=(4, 8))
    model.load_weights(tmp_path / "unet.weights.h5")
    with np.load(tmp_path / "checkpoint.npz") as stored:
        assert int(stored["arr_0"]) == 2
