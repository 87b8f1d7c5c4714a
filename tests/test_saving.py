"""What lesson 12 defines: exact resume, files that survive a kill, what a restore says, and what damage is noticed."""

import ast
import hashlib
import inspect
import io
import json
import random
import re
import subprocess
import sys
import time
import warnings
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from course_utils import notebooks, tensorflow_start

tensorflow_start.start_tensorflow()
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

lesson = notebooks.definitions("12_saving")

# Keras hands its variables to h5py, whose way of reading them NumPy 2 calls old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ARRAYS = st.dictionaries(
    st.text("abcxyz/_0", min_size=1, max_size=8).filter(lambda name: name != "file" and name.strip("/") == name),
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, bool]), hnp.array_shapes(min_dims=0, max_side=4)
    ),
    max_size=4,
)


def _digits(count=600, seed=0):
    rng = np.random.default_rng(seed)
    return SimpleNamespace(
        train_images=rng.integers(0, 256, (count, 28, 28), dtype=np.uint8), train_labels=rng.integers(0, 10, count)
    )


def _same(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f")
        and one[name].dtype == other[name].dtype
        for name in one
    )


def _variables(parts):
    """All numbers of a run, by name."""
    found = {name: parts[name].numpy() for name in ("weights", "biases", "position")}
    found["generator"] = parts["generator"].state.numpy()
    return found | {f"optimizer/{n}": variable.numpy() for n, variable in enumerate(parts["optimizer"].variables)}


# The run


@given(st.integers(256, 3000), st.integers(0, 40), st.integers(1, 256))
def test_batches_of_an_epoch_hold_each_digit_at_most_once(count, position, size):
    per_epoch = count // size
    first = position // per_epoch * per_epoch
    taken = np.concatenate([lesson.batch_at(first + k, count, size) for k in range(min(per_epoch, 12))])
    assert len(np.unique(taken)) == len(taken)
    assert taken.min() >= 0
    assert taken.max() < count
    assert len(lesson.batch_at(position, count, size)) == size


def test_each_epoch_has_its_own_order_the_same_in_every_process():
    first, second = (lesson.order_of_epoch(epoch, 1000) for epoch in (0, 1))
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first), np.arange(1000))
    assert np.array_equal(first, np.random.default_rng(0).permutation(1000))


def test_first_step_moves_weights_by_adams_rate_and_returns_the_loss():
    digits, parts = _digits(), lesson.new_parts(0)
    before = np.vstack([parts["weights"].numpy(), parts["biases"].numpy()])
    images, labels = lesson.as_rows(digits.train_images[:256]), digits.train_labels[:256]
    loss = lesson.make_step(parts, drop=0.0)(tf.constant(images), tf.constant(labels))
    logits = images @ before[:784] + before[784]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.isclose(loss, -np.log(chances[np.arange(256), labels]).mean(), atol=1e-4)
    slopes = np.vstack([images.T, np.ones((1, 256))]) @ (chances - np.eye(10)[labels]) / 256
    clear = abs(slopes) > 1e-3  # Adam's first step is slope / |slope| but for its epsilon
    moved = np.vstack([parts["weights"].numpy(), parts["biases"].numpy()]) - before
    assert np.allclose(moved[clear], -0.005 * np.sign(slopes[clear]), atol=1e-4)
    assert int(parts["position"].numpy()) == 1


def test_dropout_drops_a_tenth_and_keeps_the_mean():
    """All pixels are 1 and a class has one weight for all of them, so a score depends only on how many pixels are kept."""
    kept = lesson.new_parts(0)["generator"].uniform((256, 784)).numpy() >= 0.1
    assert 0.89 < kept.mean() < 0.91
    parts = lesson.new_parts(0)
    parts["weights"].assign(np.tile(np.linspace(-1, 1, 10, dtype=np.float32) / 784, (784, 1)))
    loss = lesson.make_step(parts)(tf.ones((256, 784)), tf.fill([256], 9))
    logits = (kept.mean(axis=1) / 0.9)[:, None] * np.linspace(-1, 1, 10)
    assert np.isclose(loss, (np.log(np.exp(logits).sum(axis=1)) - logits[:, 9]).mean(), atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("forgotten", ["nothing", "optimizer", "generator", "position"])
def test_restored_run_continues_unchanged_unless_a_part_is_forgotten(seed, forgotten, tmp_path):
    digits, whole = _digits(seed=seed), lesson.new_parts(seed)
    list(lesson.train(whole, digits, 5))
    saved = tf.train.Checkpoint(**whole).save(str(tmp_path / "half"))
    losses = list(lesson.train(whole, digits, 5))
    parts, again = lesson.go_on_without(forgotten, saved, digits, 5)
    assert _same(_variables(parts), _variables(whole)) == (forgotten == "nothing")
    assert (again == losses) == (forgotten == "nothing")


def test_run_continues_from_its_newest_checkpoint_or_starts_anew(tmp_path):
    digits, whole, halves = _digits(), {}, {}
    one = lesson.run(tmp_path / "one", digits, whole.__setitem__, steps=250)
    lesson.run(tmp_path / "two", digits, halves.__setitem__, steps=150)
    assert list(halves) == list(range(1, 151))
    second = {}
    two = lesson.run(tmp_path / "two", digits, second.__setitem__, steps=250)
    assert list(second) == list(range(101, 251))
    assert halves | second == whole
    assert _same(_variables(one), _variables(two))


def test_an_optimizer_brings_its_weights_along(tmp_path):
    whole, other = lesson.new_parts(0), lesson.new_parts(1)
    saved = tf.train.Checkpoint(**whole).write(str(tmp_path / "run"))
    tf.train.Checkpoint(optimizer=other["optimizer"]).read(saved).expect_partial()
    assert np.array_equal(whole["weights"].numpy(), other["weights"].numpy())


def _script(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_script_is_made_of_the_functions_given_and_runs(tmp_path):
    lesson.write_script(
        tmp_path / "s.py", [lesson.order_of_epoch, lesson.batch_at], "print(batch_at(3, 100, 10).tolist())"
    )
    ran = subprocess.run([sys.executable, str(tmp_path / "s.py")], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(lesson.batch_at(3, 100, 10).tolist())


def test_start_kills_after_a_step_and_says_why_a_script_ended(tmp_path):
    steps = "import time\nprint('hello')\nfor n in (1, 2):\n    print('step', n, (n / 3).hex(), flush=True)\n"
    begin = time.monotonic()
    waits = _script(tmp_path / "waits.py", steps + "time.sleep(600)")
    assert lesson.start(waits, tmp_path, kill_at=2) == {1: 1 / 3, 2: 2 / 3}
    assert time.monotonic() - begin < 300
    assert lesson.start(_script(tmp_path / "ends.py", steps), tmp_path) == {1: 1 / 3, 2: 2 / 3}
    fails = _script(tmp_path / "fails.py", steps + "raise KeyError('lost')")
    with pytest.raises(RuntimeError, match=r"(?s)^fails\.py ended by itself: .*KeyError: 'lost'"):
        lesson.start(fails, tmp_path, kill_at=3)


# A file that is whole or not there


@given(ARRAYS)
@settings(max_examples=50)
def test_what_was_saved_is_loaded(tmp_path_factory, arrays):
    path = tmp_path_factory.mktemp("arrays") / "run.npz"
    lesson.save_arrays(path, arrays)
    assert _same(lesson.load_arrays(path), arrays)
    assert [found.name for found in path.parent.iterdir()] == ["run.npz"]


@given(st.data())
@settings(max_examples=100)
def test_any_turned_bit_and_any_missing_end_is_noticed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damage") / "run.npz"
    lesson.save_arrays(path, {"weights": np.arange(12.0)})
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    else:
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match=r"^run\.npz is damaged, or was not written by save_arrays: take the checkpoint"
    ):
        lesson.load_arrays(path)


def test_a_pickle_is_refused(tmp_path):
    objects = {"objects": np.array([{}], dtype=object)}
    with pytest.raises(ValueError, match=r"an \.npz file can't hold 'objects': give it another name, and numbers"):
        lesson.save_arrays(tmp_path / "run.npz", objects)
    assert not any(tmp_path.iterdir())
    stream = io.BytesIO()
    np.savez(stream, **objects)
    content = stream.getvalue()
    (tmp_path / "run.npz").write_bytes(hashlib.sha256(content).digest() + content)
    with pytest.raises(ValueError, match="allow_pickle"):
        lesson.load_arrays(tmp_path / "run.npz")


def _record(monkeypatch):
    """What is asked of the disk, in its order: the kind of what is synced, and renames."""
    asked, fsync, replace = [], lesson.os.fsync, lesson.Path.replace

    def synced(number):
        asked.append("folder" if lesson.os.path.isdir(f"/proc/self/fd/{number}") else "file")
        fsync(number)

    def renamed(old, new):
        asked.append("rename")
        return replace(old, new)

    monkeypatch.setattr(lesson.os, "fsync", synced)
    monkeypatch.setattr(lesson.Path, "replace", renamed)
    return asked


@pytest.mark.skipif(sys.platform != "linux", reason="reads from /proc which file a number stands for")
def test_the_file_is_on_the_disk_before_its_name_and_the_name_in_the_end(monkeypatch, tmp_path):
    asked, model = _record(monkeypatch), lesson.new_model()
    lesson.save_arrays(tmp_path / "run.npz", {"a": np.zeros(3)})
    assert asked == ["file", "rename", "folder"]
    asked.clear()
    lesson.save_keras(model, tmp_path / "model.keras")
    assert asked == ["file", "rename", "folder"]
    assert sorted(found.name for found in tmp_path.iterdir()) == ["model.keras", "run.npz"]


STAGES = {
    "half written": "Path.write_bytes = lambda path, data: (path.open('wb').write(data[: len(data) // 2]), wait())",
    "before fsync": "os.fsync = lambda number: wait()",
    "before the rename": "Path.replace = lambda *paths: wait()",
}


@pytest.mark.parametrize("stage", STAGES)
def test_kill_9_in_the_middle_of_a_save_leaves_the_old_file(stage, tmp_path):
    path = tmp_path / "run.npz"
    lesson.save_arrays(path, {"weights": np.zeros(1000)})
    child = "\n".join(
        [
            "import hashlib, io, os, sys, time",
            "from pathlib import Path",
            "import numpy as np",
            *(inspect.getsource(each) for each in (lesson.sync, lesson.put_in_place, lesson.save_arrays)),
            "def wait():\n    print('now', flush=True)\n    time.sleep(600)",
            STAGES[stage],
            "save_arrays(Path(sys.argv[1]), {'weights': np.ones(1000)})",
        ]
    )
    with subprocess.Popen([sys.executable, "-c", child, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == "now"
        process.kill()
    assert process.returncode != 0
    assert [found.name for found in sorted(tmp_path.iterdir())] == ["run.npz", "run.npz.unfinished"]
    assert np.array_equal(lesson.load_arrays(path)["weights"], np.zeros(1000))
    lesson.save_arrays(path, {"weights": np.full(1000, 2.0)})  # what the kill left behind is in no one's way
    assert np.array_equal(lesson.load_arrays(path)["weights"], np.full(1000, 2.0))


@pytest.mark.parametrize("moment", ["os.fsync", "pathlib.Path.replace"])
def test_a_save_that_fails_leaves_the_old_file(moment, tmp_path):
    path, old = tmp_path / "run.npz", lesson.new_model()
    lesson.save_arrays(path, {"a": np.zeros(3)})
    lesson.save_keras(old, tmp_path / "model.keras")
    other = lesson.new_model(drop=0.5)
    other.set_weights([each + 1 for each in old.get_weights()])
    with mock.patch(moment, side_effect=OSError("the disk is gone")):
        with pytest.raises(OSError, match="the disk is gone"):
            lesson.save_arrays(path, {"a": np.ones(3)})
        with pytest.raises(OSError, match="the disk is gone"):
            lesson.save_keras(other, tmp_path / "model.keras")
    assert np.array_equal(lesson.load_arrays(path)["a"], np.zeros(3))
    assert lesson.same_weights(keras.saving.load_model(tmp_path / "model.keras"), old)
    lesson.save_keras(other, tmp_path / "model.keras")
    assert lesson.same_weights(keras.saving.load_model(tmp_path / "model.keras"), other)


SAVER = """
import sys
from course_utils import tensorflow_start
tensorflow_start.start_tensorflow()
import tensorflow as tf
parts = {name: tf.Variable(tf.zeros(2_000_000)) for name in "ab"}
manager = tf.train.CheckpointManager(tf.train.Checkpoint(**parts), sys.argv[1], max_to_keep=2)
manager.restore_or_initialize()
count = parts["a"].numpy()[0]
while True:
    count += 1
    for part in parts.values():
        part.assign(tf.fill([2_000_000], count))
    manager.save()
    print(int(count), flush=True)
"""


def test_kill_9_while_the_manager_saves_leaves_a_whole_checkpoint(tmp_path):
    draw, newest = random.Random(0), 0
    for _ in range(3):
        command = [sys.executable, "-c", SAVER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            reported = [int(process.stdout.readline()) for _ in range(3)]
            time.sleep(draw.uniform(0, 0.1))
            process.kill()
        parts = {name: tf.Variable(tf.zeros(2_000_000)) for name in "ab"}
        found = tf.train.latest_checkpoint(str(tmp_path))
        tf.train.Checkpoint(**parts).restore(found).expect_partial().assert_existing_objects_matched()
        values = np.unique([part.numpy() for part in parts.values()])
        assert len(values) == 1
        assert reported[0] == newest + 1
        assert values[0] >= reported[-1]
        newest = int(values[0])


# A full disk, with a real limit

FULL = """
import sys
from pathlib import Path
from course_utils import tensorflow_start
tensorflow_start.start_tensorflow()
import keras, resource
import tensorflow as tf
folder = Path(sys.argv[1])
model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(64)])
manager = tf.train.CheckpointManager(tf.train.Checkpoint(model=model), str(folder / "kept"), max_to_keep=1)
manager.save()
model.save(folder / "model.keras")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
for save in (manager.save, lambda: model.save(folder / "model.keras")):
    try:
        save()
    except Exception as error:
        print(type(error).__name__)
"""


def test_full_disk_spares_the_managers_checkpoint_but_not_keras_file(tmp_path):
    pytest.importorskip("resource", reason="this system has no limit for the size of files")
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len(seen) == 2
    assert seen[1] == "OSError"
    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(64)])
    newest = tf.train.latest_checkpoint(str(tmp_path / "kept"))
    assert newest.endswith("ckpt-1")
    lesson.restore({"model": model}, newest, "assert_consumed")
    assert (tmp_path / "model.keras").stat().st_size <= 100_000
    assert lesson.outcome(keras.saving.load_model, tmp_path / "model.keras") != "nothing"


# Damage, and what is heard of it


def test_flip_changes_one_weight_and_keras_does_not_notice(tmp_path):
    model, victim = lesson.new_model(), lesson.new_model()
    path, hidden = tmp_path / "model.weights.h5", model.get_weights()[0]
    model.save_weights(path)
    lesson.flip(path, hidden)
    assert lesson.outcome(victim.load_weights, path) == "nothing"
    assert np.argwhere(victim.get_weights()[0] != hidden).tolist() == [[0, 0]]
    new, old = (np.log10(abs(float(each[0, 0]))) for each in (victim.get_weights()[0], hidden))
    assert abs(new - old) > 30


def test_cut_keeps_half(tmp_path):
    (tmp_path / "file").write_bytes(bytes(range(100)))
    lesson.cut(tmp_path / "file", None)
    assert (tmp_path / "file").read_bytes() == bytes(range(50))


def test_outcome_tells_silence_from_a_warning_from_an_error():
    assert lesson.outcome(lambda: 1) == "nothing"
    assert lesson.outcome(warnings.warn, "careful") == "a warning"
    assert lesson.outcome(warnings.warn, "old", DeprecationWarning) == "nothing"
    assert lesson.outcome(int, "a") == "an error"
    assert lesson.outcome(int, "11", base=2) == "nothing"


def test_a_refused_file_has_overwritten_what_fits(tmp_path):
    model, narrow = lesson.new_model(), lesson.new_model(classes=5)
    model.set_weights([each + 1 for each in model.get_weights()])
    before = [weights.copy() for weights in narrow.get_weights()]
    model.save_weights(tmp_path / "model.weights.h5")
    assert lesson.outcome(narrow.load_weights, tmp_path / "model.weights.h5") == "an error"
    assert np.array_equal(narrow.get_weights()[0], model.get_weights()[0])
    assert all(np.array_equal(a, b) for a, b in zip(narrow.get_weights()[2:], before[2:], strict=True))


# Layers of one's own, and files of the past


def test_residual_comes_back_with_the_layer_inside(tmp_path):
    assert lesson.outcome(lesson.save_and_load, lesson.Residual, tmp_path / "model.keras") == "an error"
    with keras.saving.custom_object_scope({"Residual": lesson.Residual}):
        assert lesson.save_and_load(lesson.Residual, tmp_path / "model.keras") == 0
    x = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    inner = keras.layers.Dense(4)
    assert np.allclose(lesson.Residual(inner)(x), x + inner(x))
    with pytest.raises(TypeError, match="Residual"):  # it was saved, and is refused when loaded
        keras.saving.load_model(tmp_path / "model.keras")
    bare = keras.Sequential([keras.Input((4,)), lesson.Bare(keras.layers.Dense(4))])
    assert lesson.outcome(bare.save, tmp_path / "bare.keras") == "an error"


def test_chapters_program_keeps_five_and_leaves_its_optimizer_out(tmp_path):
    digits = _digits()
    digits.test_images = digits.train_images
    scores = lesson.chapter_run(tmp_path, digits, steps=610)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    kept = sorted(int(re.search(r"-(\d+)\.index", path.name)[1]) for path in tmp_path.glob("*.index"))
    assert kept == [300, 400, 500, 600, 609]
    found = tf.train.load_checkpoint(str(tmp_path / "model_basic-609"))
    assert found.get_variable_to_shape_map() == {"W": [784, 10], "b": [10]}
    served = tf.saved_model.load(str(tmp_path / "saved_model"), tags=["serve"]).signatures["predict"]
    assert np.allclose(served(images=tf.constant(lesson.as_rows(digits.test_images)))["pred"], scores, atol=1e-6)


# Two classifiers


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 50))
def test_mcnemar_is_the_exact_binomial_test_of_the_digits_that_differ(only_a, only_b, both):
    a = np.repeat([True, False, True], [only_a, only_b, both])
    b = np.repeat([False, True, True], [only_a, only_b, both])
    total, least = only_a + only_b, min(only_a, only_b)
    expected = min(1, 2 * stats.binom.cdf(least, total, 0.5)) if only_a != only_b else 1
    found = lesson.mcnemar(a, b)
    assert found[:2] == (only_a, only_b)
    assert np.isclose(found[2], expected, atol=1e-9)


# Data that goes on


def test_pipeline_goes_on_where_it_stood_and_a_new_one_does_not(tmp_path):
    batches = lesson.new_batches(100, 8)
    for _ in range(20):
        next(batches)
    path = tf.train.Checkpoint(batches=batches).write(str(tmp_path / "iterator"))
    expected = [next(batches).numpy().tolist() for _ in range(20)]
    restored = lesson.new_batches(100, 8)
    tf.train.Checkpoint(batches=restored).read(path).assert_consumed()
    assert [next(restored).numpy().tolist() for _ in range(20)] == expected
    assert [next(batch).numpy().tolist() for batch in [lesson.new_batches(100, 8)] for _ in range(20)] != expected


# What was measured


def test_fsync_calls_and_lost_files_in_the_table_match_the_benchmark():
    source = next(
        source for source in notebooks.lessons(wanted=("12",))[0].sources() if "\nmeasured = {" in f"\n{source}"
    )
    assignment = next(node for node in ast.parse(source).body if isinstance(node, ast.Assign))
    results = json.loads((notebooks.FOLDER.parent / "benchmarks" / "results.json").read_text(encoding="utf-8"))
    rows = {row[0].partition(",")[0]: row for row in results["saving"]["rows"]}
    table = ast.literal_eval(assignment.value)
    assert table.keys() == rows.keys()
    for writer, (calls, lost) in table.items():
        assert rows[writer][1].startswith(f"{lost} of 20")
        assert rows[writer][2].startswith(f"{calls} calls of fsync")
