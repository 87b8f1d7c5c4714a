"""What a saved file survives: which writers wait for the disk, and whose file a kill in the middle of a save destroys."""

import multiprocessing
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import Row

KILLS, SHAPE = 20, (1000, 2000)
WRITERS = ("save_arrays", "save_keras", "CheckpointManager", "model.save", "BackupAndRestore")
SAFE = WRITERS[:3]
WAITING = ("fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync")  # the calls that wait for a disk


class Store:
    """A model whose weights all have one value, saved with one of the writers, and read again."""

    def __init__(self, writer, folder):
        import keras
        import tensorflow as tf

        from course_utils.notebooks import definitions

        self.lesson, self.writer, self.folder = definitions("12_saving"), writer, Path(folder)
        self.model = keras.Sequential([keras.Input((SHAPE[0],)), keras.layers.Dense(SHAPE[1])])
        self.model.compile("sgd", "mse")
        self.checkpoint = tf.train.Checkpoint(model=self.model)
        self.manager = tf.train.CheckpointManager(self.checkpoint, str(self.folder / "kept"), max_to_keep=2)
        self.backup = keras.callbacks.BackupAndRestore(str(self.folder / "backup"))
        self.backup.set_model(self.model)

    def save(self, value):
        """Set all weights to a value and save them."""
        self.model.set_weights([each * 0 + value for each in self.model.get_weights()])
        if self.writer == "save_arrays":
            arrays = {str(number): each for number, each in enumerate(self.model.get_weights())}
            self.lesson.save_arrays(self.folder / "run.npz", arrays)
        elif self.writer == "save_keras":
            self.lesson.save_keras(self.model, self.folder / "model.keras")
        elif self.writer == "CheckpointManager":
            self.manager.save()
        elif self.writer == "model.save":
            self.model.save(self.folder / "model.keras")
        else:
            self.backup.on_epoch_end(0)

    def read(self):
        """Read the saved arrays."""
        import keras

        if self.writer == "save_arrays":
            return list(self.lesson.load_arrays(self.folder / "run.npz").values())
        if self.writer in ("save_keras", "model.save"):
            return keras.saving.load_model(self.folder / "model.keras").get_weights()
        if self.writer == "CheckpointManager":
            status = self.checkpoint.restore(self.manager.latest_checkpoint)
            status.expect_partial().assert_existing_objects_matched()
        else:
            self.backup.on_train_begin()
        return self.model.get_weights()


def save_forever(writer, folder, pipe):
    """Save over and over, each time with another value; never ends."""
    store = Store(writer, folder)
    store.save(1.0)
    pipe.send("ready")
    value = 1.0
    while True:
        value += 1
        store.save(value)


def is_lost(writer, folder):
    """Whether the newest file can't be read, or mixes the values of two saves."""
    import numpy as np

    try:
        values = Store(writer, folder).read()
    except Exception:  # what a damaged file raises is the library's choice
        return True
    return len(np.unique(np.concatenate([each.ravel() for each in values]))) != 1


def killed_while_saving(writer, draw, context):
    """Kill a process that saves over and over, at a moment that is drawn, and tell whether its newest file is lost."""
    folder = tempfile.mkdtemp()
    here, there = context.Pipe()
    process = context.Process(target=save_forever, args=(writer, folder, there), daemon=True)
    process.start()
    there.close()
    here.recv()  # raises EOFError if the process ended by itself
    time.sleep(draw.uniform(0.0, 0.5))
    process.kill()
    process.join()
    lost = is_lost(writer, folder)
    shutil.rmtree(folder)
    return lost


def waiting_calls(writer):
    """Count the calls that wait for the disk during one save, in all threads of a process that strace follows."""
    code = (
        "import sys; from pathlib import Path; from benchmarks.bench_saving import Store;"
        "store = Store(*sys.argv[1:]); Path('begin').exists(); store.save(1.0); Path('end').exists()"
    )
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        trace = ["strace", "-f", "-e", f"trace={','.join(WAITING)},stat,newfstatat,access,faccessat", "-o", str(log)]
        subprocess.run([*trace, sys.executable, "-c", code, writer, folder], check=True, capture_output=True)
        lines = log.read_text(errors="replace").splitlines()
    first, last = (next(n for n, line in enumerate(lines) if f'"{mark}"' in line) for mark in ("begin", "end"))
    return sum(any(f" {call}(" in line for call in WAITING) for line in lines[first:last])


def run():
    from course_utils import tensorflow_start

    tensorflow_start.start_tensorflow()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow", "keras", "course_utils.notebooks"])
    for writer in WRITERS:
        calls = f"{waiting_calls(writer)} calls of fsync in a save" if shutil.which("strace") else "not traced"
        draw = random.Random(0)
        lost = sum(killed_while_saving(writer, draw, context) for _ in range(KILLS))
        yield Row(
            f"{writer}, killed while saving", f"{lost} of {KILLS} lost", calls, "-", lost == 0 or writer not in SAFE
        )
