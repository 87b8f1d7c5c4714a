"""What lesson 12 defines: intervals against SciPy, files that survive a kill, exact resume, and what damage is noticed."""

import contextlib
import hashlib
import inspect
import io
import random
import subprocess
import sys
import time
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from course_utils import tensorflow_start

tensorflow_start.start_tensorflow()
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from course_utils.notebooks import definitions  # noqa: E402

lesson = definitions("12_saving")

# Keras hands its variables to h5py, whose way of reading them NumPy 2 calls old.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

COUNTS = st.integers(1, 20_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
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


# What a sample can tell


@given(COUNTS)
def test_wilson_interval_is_scipys(counted):
    right, total = counted
    wanted = stats.binomtest(right, total).proportion_ci(confidence_level=2 * stats.norm.cdf(1.96) - 1, method="wilson")
    assert np.allclose(lesson.wilson_interval(right, total), wanted, atol=1e-9)


@given(COUNTS)
def test_wilson_interval_ends_where_the_share_is_196_deviations_away(counted):
    right, total = counted
    for end in lesson.wilson_interval(right, total):
        assert np.isclose(abs(right / total - end), 1.96 * np.sqrt(max(end * (1 - end), 0) / total), atol=1e-6)


@pytest.mark.parametrize("truth", [0.5, 0.871, 0.92])
def test_wilson_interval_covers_the_truth_in_about_95_of_100_samples(truth):
    rights = np.arange(257)
    low, high = lesson.wilson_interval(128, 256)
    assert low < 0.5 < high
    covered = [low <= truth <= high for low, high in (lesson.wilson_interval(int(k), 256) for k in rights)]
    assert 0.93 < stats.binom.pmf(rights, 256, truth)[covered].sum() < 0.97


@pytest.mark.parametrize(("right", "total"), [(3, 2), (-1, 5), (0, 0)])
def test_impossible_result_gets_one_sentence(right, total):
    with pytest.raises(ValueError, match=f"^{right} right of {total} is no result"):
        lesson.wilson_interval(right, total)


@given(st.integers(1, 255), st.integers(1, 255))
def test_p_of_a_difference_is_that_of_the_chi_squared_test(a, b):
    wanted = stats.chi2_contingency([[a, 256 - a], [b, 256 - b]], correction=False).pvalue
    assert np.isclose(lesson.p_of_difference(a, b, 256), wanted, atol=1e-9)


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


def test_epochs_have_orders_of_their_own_that_are_the_same_in_every_process():
    first, second = (lesson.order_of_epoch(epoch, 1000) for epoch in (0, 1))
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first), np.arange(1000))
    assert np.array_equal(first, np.random.default_rng([0, 0]).permutation(1000))


def test_losses_are_the_formulas():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(7, 10)).astype(np.float32), rng.integers(0, 10, 7)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.isclose(lesson.softmax_loss(labels, logits), -np.log(chances[np.arange(7), labels]).mean(), atol=1e-5)
    alone, truth = 1 / (1 + np.exp(-logits)), np.eye(10)[labels]
    wanted = -(truth * np.log(alone) + (1 - truth) * np.log(1 - alone)).mean()
    assert np.isclose(lesson.sigmoid_loss(labels, logits), wanted, atol=1e-5)


def test_first_step_moves_every_weight_by_adams_rate_against_its_slope():
    digits, parts = _digits(), lesson.new_parts(0)
    before = lesson.trained_numbers(parts)
    images = lesson.as_rows(digits.train_images[:256])
    labels = digits.train_labels[:256]
    lesson.make_step(parts, lesson.softmax_loss, 0.0)(tf.constant(images), tf.constant(labels))
    logits = images @ before[:784] + before[784]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    slopes = np.vstack([images.T, np.ones((1, 256))]) @ (chances - np.eye(10)[labels]) / 256
    clear = abs(slopes) > 1e-3  # Adam's first step is slope / |slope| but for its epsilon
    moved = lesson.trained_numbers(parts) - before
    assert np.allclose(moved[clear], -0.005 * np.sign(slopes[clear]), atol=1e-4)
    assert int(parts["position"].numpy()) == 1


def test_dropout_drops_a_tenth_and_keeps_the_mean(monkeypatch):
    monkeypatch.setattr(lesson.tf, "function", lambda step: step)  # so that the scores can be read
    parts, seen = lesson.new_parts(0), []
    parts["weights"].assign(np.full((784, 10), 1 / 784, np.float32))
    kept = lesson.new_parts(0)["generator"].uniform((256, 784)).numpy() >= 0.1

    def record(labels, logits):
        seen.append(logits.numpy())
        return lesson.softmax_loss(labels, logits)

    lesson.make_step(parts, record, 0.1)(tf.ones((256, 784)), tf.zeros(256, tf.int64))
    assert 0.89 < kept.mean() < 0.91
    assert np.allclose(seen[0], (kept.mean(axis=1) / 0.9)[:, None], atol=1e-5)
    assert abs(seen[0].mean() - 1) < 0.01


def test_without_dropout_no_number_is_drawn():
    parts = lesson.new_parts(0)
    before = parts["generator"].state.numpy()
    images, labels = np.ones((4, 784), np.float32), np.arange(4)
    lesson.make_step(parts, lesson.softmax_loss, 0.0)(images, labels)
    assert np.array_equal(parts["generator"].state.numpy(), before)
    lesson.make_step(parts, lesson.softmax_loss, 0.1)(images, labels)
    assert not np.array_equal(parts["generator"].state.numpy(), before)


@pytest.mark.parametrize("forgotten", [None, "optimizer", "generator", "position"])
def test_a_restored_run_goes_on_as_if_nothing_had_happened_unless_a_part_is_forgotten(forgotten, tmp_path):
    digits, whole = _digits(), lesson.new_parts(0)
    lesson.train(whole, digits, 5)
    saved = tf.train.Checkpoint(**whole).write(str(tmp_path / "half"))
    lesson.save_arrays(tmp_path / "half.npz", {k: v.numpy() for k, v in lesson.variables_of(whole).items()})
    lesson.train(whole, digits, 5)

    by_library, by_hand = lesson.new_parts(1), lesson.new_parts(1)
    known = {name: part for name, part in by_library.items() if name != forgotten}
    tf.train.Checkpoint(**known).read(saved).expect_partial().assert_existing_objects_matched()
    for name, array in lesson.load_arrays(tmp_path / "half.npz").items():
        if forgotten is None or not name.startswith(forgotten):
            lesson.variables_of(by_hand)[name].assign(array)
    for restored in (by_library, by_hand):
        lesson.train(restored, digits, 5)
        assert lesson.same_variables(restored, whole) == (forgotten is None)
    assert lesson.same_variables(by_library, by_hand)


def test_an_optimizer_brings_its_weights_along(tmp_path):
    whole, other = lesson.new_parts(0), lesson.new_parts(1)
    saved = tf.train.Checkpoint(**whole).write(str(tmp_path / "run"))
    tf.train.Checkpoint(optimizer=other["optimizer"]).read(saved).expect_partial()
    assert np.array_equal(lesson.trained_numbers(whole), lesson.trained_numbers(other))


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


STAGES = {
    "half written": "whole = io.FileIO.write\nclass Half(io.FileIO):\n    def write(self, data):\n        whole(self, data[: len(data) // 2])\n        wait()\nPath.open = lambda path, mode: Half(path, 'w')",
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
            inspect.getsource(lesson.save_arrays),
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


def test_kill_9_at_any_moment_of_the_managers_saves_leaves_a_checkpoint_that_is_whole(tmp_path):
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


def test_on_a_full_disk_the_manager_keeps_its_last_checkpoint_and_keras_loses_its_file(tmp_path):
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


def test_full_disk_is_full_below_its_place_only_and_while_it_is_in_use(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "old").write_bytes(b"old")
    with lesson.full_disk(tmp_path / "full"):
        (tmp_path / "elsewhere").write_bytes(bytes(200_000))
        (tmp_path / "full" / "small").write_bytes(bytes(1000))
        assert (tmp_path / "full" / "old").read_bytes() == b"old"
        with pytest.raises(OSError, match="No space left"), (tmp_path / "full" / "large").open("wb") as file:
            file.write(bytes(200_000))
    (tmp_path / "full" / "large").write_bytes(bytes(200_000))


@pytest.mark.parametrize("moment", ["os.fsync", "pathlib.Path.replace"])
def test_a_save_that_fails_leaves_the_old_file(moment, tmp_path):
    path = tmp_path / "run.npz"
    lesson.save_arrays(path, {"a": np.zeros(3)})
    with mock.patch(moment, side_effect=OSError("the disk is gone")), pytest.raises(OSError, match="the disk is gone"):
        lesson.save_arrays(path, {"a": np.ones(3)})
    assert np.array_equal(lesson.load_arrays(path)["a"], np.zeros(3))


def test_save_keras_keeps_the_old_model_on_a_full_disk(tmp_path):
    path, old = tmp_path / "model.keras", lesson.new_model()
    lesson.save_keras(old, path)
    with lesson.full_disk(tmp_path), contextlib.suppress(OSError):
        lesson.save_keras(lesson.new_model(), path)
    assert lesson.same_weights(keras.saving.load_model(path), old)


# Damage, and what is heard of it


def test_flip_changes_one_weight_and_keras_does_not_notice(tmp_path):
    model, victim = lesson.new_model(), lesson.new_model()
    path, hidden = tmp_path / "model.weights.h5", model.get_weights()[0]
    model.save_weights(path)
    lesson.flip(path, hidden)
    assert lesson.outcome(victim.load_weights, path) == "nothing"
    changed = np.argwhere(victim.get_weights()[0] != hidden)
    assert changed.tolist() == [[14 * 28 + 14, hidden[14 * 28 + 14].argmax()]]


def test_cut_keeps_half(tmp_path):
    (tmp_path / "file").write_bytes(bytes(range(100)))
    lesson.cut(tmp_path / "file", None)
    assert (tmp_path / "file").read_bytes() == bytes(range(50))


def test_outcome_tells_silence_from_a_warning_from_an_error():
    import warnings

    assert lesson.outcome(lambda: 1) == "nothing"
    assert lesson.outcome(warnings.warn, "careful") == "a warning"
    assert lesson.outcome(warnings.warn, "old", DeprecationWarning) == "nothing"
    assert lesson.outcome(int, "a") == "an error"
    assert lesson.outcome(int, "11", base=2) == "nothing"


def test_sentence_is_how_an_error_begins():
    def fail():
        raise OSError("no zip: /somewhere/model.keras")

    assert lesson.sentence(fail) == "no zip"
    assert lesson.sentence(lambda: 1) is None


def test_a_refused_file_has_overwritten_what_fits(tmp_path):
    model, narrow = lesson.new_model(), lesson.new_model(classes=5)
    before = [weights.copy() for weights in narrow.get_weights()]
    model.save_weights(tmp_path / "model.weights.h5")
    assert lesson.outcome(narrow.load_weights, tmp_path / "model.weights.h5") == "an error"
    assert np.array_equal(narrow.get_weights()[0], model.get_weights()[0])
    assert all(np.array_equal(a, b) for a, b in zip(narrow.get_weights()[2:], before[2:], strict=True))


# The scripts


def test_script_is_made_of_the_functions_given_and_runs(tmp_path):
    lesson.write_script(
        tmp_path / "s.py", [lesson.order_of_epoch, lesson.batch_at], "print(batch_at(3, 100, 10).tolist())"
    )
    ran = subprocess.run([sys.executable, str(tmp_path / "s.py")], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(lesson.batch_at(3, 100, 10).tolist())


def _script(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_run_and_kill_kills_at_the_words_and_says_why_a_script_ended_by_itself(tmp_path):
    waits = _script(
        tmp_path / "waits.py", "import time\nprint('one', flush=True)\nprint('two', flush=True)\ntime.sleep(600)"
    )
    start = time.monotonic()
    assert lesson.run_and_kill(waits, tmp_path, "two")
    assert time.monotonic() - start < 300
    fails = _script(tmp_path / "fails.py", "print('one', flush=True)\nraise KeyError('lost')")
    with pytest.raises(RuntimeError, match=r"(?s)^fails\.py ended by itself: .*KeyError: 'lost'"):
        lesson.run_and_kill(fails, tmp_path, "two")


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
