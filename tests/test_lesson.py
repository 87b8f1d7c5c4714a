"""The start of a lesson, its size, the environment check, and a silent TensorFlow."""

import importlib.metadata
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from jupyter_client.manager import start_new_kernel

from course_utils import lesson, plots, tensorflow_start

ROOT = Path(__file__).parent.parent


def test_start_makes_random_numbers_repeat():
    drawn = []
    for _ in range(2):
        lesson.start(seed=3)
        drawn.append((random.random(), np.random.rand()))  # noqa: NPY002 - the state under test
    assert drawn[0] == drawn[1]


def test_start_sets_the_style():
    mpl.rcdefaults()
    lesson.start(seed=0)
    assert mpl.rcParams["axes.prop_cycle"].by_key()["color"][0] == plots.TRUTH


@pytest.mark.parametrize(("scale", "chosen"), [(None, 10), ("lesson", 10), ("full", 60_000)])
def test_scale_chooses_the_size(scale, chosen, monkeypatch):
    monkeypatch.delenv("COURSE_SCALE", raising=False)
    if scale:
        monkeypatch.setenv("COURSE_SCALE", scale)
    assert lesson.choose(lesson=10, full=60_000) == chosen


def test_unknown_scale_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "huge")
    with pytest.raises(ValueError, match=r"'huge'.*'lesson' or 'full'"):
        lesson.choose(lesson=1, full=2)


def test_this_environment_is_complete():
    assert lesson.environment_problems() == []


def test_missing_and_old_packages_are_named_with_the_way_out(monkeypatch):
    real = importlib.metadata.version

    def version(name):
        if name == "tqdm":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0" if name == "numpy" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    problems = lesson.environment_problems()
    assert len(problems) == 3
    assert "3.9" in problems[0]
    assert any(text.startswith("numpy 1.0 is installed") and "make lab" in text for text in problems)
    assert any(text.startswith("tqdm is missing") and "pip install" in text for text in problems)


def test_either_wheel_of_opencv_will_do(monkeypatch):
    real = importlib.metadata.version

    def version(name):
        if name == "opencv-python-headless":
            raise importlib.metadata.PackageNotFoundError(name)
        return "5.0.0" if name == "opencv-python" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert lesson.environment_problems() == []


@pytest.mark.parametrize(
    ("environment", "config", "said"),
    [
        (
            {"KERAS_BACKEND": "jax"},
            {"floatx": "float16", "image_data_format": "channels_first"},
            [
                "backend tensorflow in place of jax",
                "image_data_format channels_last in place of channels_first",
                "float16",
            ],
        ),
        (
            {},
            {"epsilon": 0.1, "floatx": "float64", "backend": "torch", "dtype_policy": "mixed_float16"},
            ["in place of float64, epsilon 1e-07 in place of 0.1"],
        ),
    ],
)
def test_keras_settings_of_other_work_are_overruled_and_told(environment, config, said, tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps(config), encoding="utf-8")
    code = """
        from course_utils import lesson
        lesson.start(seed=0, tensorflow=True)
        import keras
        layer = keras.layers.Conv2D(2, 3)
        assert layer(keras.ops.zeros((1, 8, 8, 3))).shape == (1, 6, 6, 2)
        assert keras.backend.backend() == "tensorflow" and layer.kernel.dtype == "float32", layer.kernel.dtype
        assert keras.config.epsilon() == 1e-7
    """
    clean = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True,
        env=clean | {"KERAS_HOME": str(tmp_path)} | environment,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert all(words in found.stdout for words in said)
    assert len(found.stdout.splitlines()) == 1


def test_missing_libraries_are_named_in_one_sentence_by_the_first_import():
    for module, package in (("cv2", "opencv-python-headless"), ("skimage", "scikit-image"), ("numpy", "numpy")):
        code = f"import sys; sys.modules[{module!r}] = None\nfrom course_utils import images, lesson"
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        last = found.stderr.strip().splitlines()[-1]
        assert last.startswith(
            f"ImportError: The lessons need {package}, which this kernel's Python does not have: run"
        )


@pytest.mark.parametrize("settings", ['{"floatx": "bfloat16"}', "[]"])
def test_keras_settings_that_keras_refuses_are_named(settings, tmp_path):
    (tmp_path / "keras.json").write_text(settings)
    code = "from course_utils import tensorflow_start; tensorflow_start.start_tensorflow()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"KERAS_HOME": str(tmp_path)}, capture_output=True, text=True
    )
    assert f"is {tmp_path}/keras.json in order? Move that file elsewhere" in done.stderr.splitlines()[-1]


def test_keras_on_another_backend_asks_for_a_new_kernel():
    code = """
        import sys, types
        sys.modules["keras"] = types.SimpleNamespace(config=types.SimpleNamespace(backend=lambda: "jax"))
        from course_utils import lesson
        lesson.start(seed=0, tensorflow=True)
    """
    found = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert "started it on 'jax': restart the kernel" in found.stderr.splitlines()[-1]


def _run_in_kernel(code):
    """Return what a cell writes to stdout and stderr in a new kernel, C++ included."""
    manager, client = start_new_kernel(kernel_name="python3")
    texts = []
    try:
        client.execute_interactive(
            code,
            timeout=120,
            output_hook=lambda message: (
                texts.append(json.dumps(message["content"])) if message["msg_type"] in ("stream", "error") else None
            ),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return texts


def test_tensorflow_starts_silently_in_a_kernel_and_is_as_usual_afterwards():
    code = """
        from course_utils import lesson
        lesson.start(seed=0, tensorflow=True)
        import keras
        import tensorflow as tf
        first = keras.random.normal((2,))
        lesson.start(seed=0, tensorflow=True)
        assert tf.reduce_all(first == keras.random.normal((2,)))
        assert keras.backend.backend() == "tensorflow"
        assert tf.function(lambda x: x + 1)(tf.constant(1)) == 2
    """
    assert _run_in_kernel(textwrap.dedent(code)) == []


def test_errors_still_reach_stderr_after_a_silent_start():
    code = "from course_utils import tensorflow_start; tensorflow_start.start_tensorflow(); import os; os.write(2, b'still here')"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert found.stderr.endswith(b"still here")
    assert found.stderr == b"still here"


def test_missing_tensorflow_says_what_to_do():
    code = "import sys; sys.modules['tensorflow'] = None\nfrom course_utils import tensorflow_start; tensorflow_start.start_tensorflow()"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "needs TensorFlow" in found.stderr.splitlines()[-1]
    assert "make lab" in found.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"system": "Darwin", "machine": "x86_64"}, "macOS on Intel"),
        ({"system": "Windows", "machine": "ARM64", "build": "win-arm64"}, "Windows on Arm"),
        ({"system": "Linux", "machine": "x86_64", "libc": "x86_64-alpine-linux-musl"}, "musl, such as Alpine"),
        ({"system": "Linux", "machine": "ppc64le"}, "Linux on ppc64le"),
        ({"system": "Windows", "machine": "AMD64", "largest": 2**31 - 1}, "a 32-bit Python"),
        ({"system": "Darwin", "machine": "arm64"}, ""),
        ({"system": "Windows", "machine": "AMD64", "build": "win-amd64"}, ""),
        ({"system": "Windows", "machine": "ARM64", "build": "win-amd64"}, ""),  # a Python for x86-64 runs there too
        ({"system": "Linux", "machine": "aarch64"}, ""),
        ({"system": "Linux", "machine": "x86_64"}, ""),
    ],
)
def test_platform_without_a_package_of_tensorflow_is_named(values, words, monkeypatch):
    values = {"build": "any", "libc": "x86_64-pc-linux-gnu", "largest": 2**63 - 1} | values
    monkeypatch.setattr(platform, "system", lambda: values["system"])
    monkeypatch.setattr(platform, "machine", lambda: values["machine"])
    monkeypatch.setattr(sysconfig, "get_platform", lambda: values["build"])
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: values["libc"])
    monkeypatch.setattr(sys, "maxsize", values["largest"])
    said = tensorflow_start.without_wheel()
    assert words in said
    assert ("in its container" in said) == bool(words)


def test_set_up_stops_with_that_sentence_before_it_installs(tmp_path):
    (tmp_path / "course_utils").mkdir()
    (tmp_path / "course_utils" / "__init__.py").touch()
    (tmp_path / "course_utils" / "tensorflow_start.py").write_text(
        "def without_wheel():\n    return 'no package here'\n"
    )
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(["make", "setup", f"PYTHON={sys.executable}"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode
    assert "no package here" in done.stderr
    assert not (tmp_path / ".venv").exists()
