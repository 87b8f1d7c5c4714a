"""A silent start of TensorFlow. Only the standard library is imported here until TensorFlow is asked for."""

import contextlib
import logging
import os
import platform
import sys
import sysconfig


@contextlib.contextmanager
def _descriptor_two_silenced():
    """Point file descriptor 2 at the null device: C++ writes there, past anything that Python could catch."""
    sys.stderr.flush()
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def without_wheel():
    """Say in one sentence that TensorFlow publishes no package for this Python, where that is so.

    Returns
    -------
    str
        Empty where there is one: 64-bit Linux with glibc on x86-64 or ARM, macOS on Apple silicon, Windows on x86-64.
    """
    system, machine = platform.system(), platform.machine().lower()
    where = ""
    if sys.maxsize < 2**32:
        where = "a 32-bit Python"
    elif system == "Darwin" and machine != "arm64":
        where = "macOS on Intel"
    elif sysconfig.get_platform() == "win-arm64":
        where = "Windows on Arm"
    elif system == "Linux" and "musl" in (sysconfig.get_config_var("HOST_GNU_TYPE") or ""):
        where = "Linux with musl, such as Alpine"
    elif system == "Linux" and machine not in ("x86_64", "aarch64", "amd64", "arm64"):
        where = f"Linux on {machine}"
    if not where:
        return ""
    way_out = "open the project in its container (.devcontainer), or on another computer."
    return f"TensorFlow publishes no package for {where}: {way_out}"


def start_tensorflow():
    """Import TensorFlow and Keras without their start-up messages.

    Afterwards ``import tensorflow as tf`` and ``import keras`` work as usual and stay silent. Errors are still shown.
    It must run before the first import of either; later it does no harm, but the messages are out.

    Raises
    ------
    ImportError
        If TensorFlow is not installed, with the way to install it, if Keras runs on another backend already, or refuses its settings.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if sys.modules.get("keras") and sys.modules["keras"].config.backend() != "tensorflow":
        raise ImportError(
            f"This lesson needs Keras on TensorFlow, but this kernel has started it on {sys.modules['keras'].config.backend()!r}: "
            "restart the kernel, and run the lesson from its top."
        )
    try:
        with _descriptor_two_silenced():
            import keras  # noqa: F401 - reads its settings
            import tensorflow as tf

            tf.config.list_physical_devices()  # the first look at devices prints the last of the messages
    except ModuleNotFoundError as error:
        raise ImportError(
            f"This lesson needs TensorFlow, and {error.name!r} is not installed: "
            + (without_wheel() or "run `make lab`, or install the project again as README.md says.")
        ) from error
    except (AssertionError, AttributeError, ImportError, TypeError, ValueError) as error:
        home = os.environ.get("KERAS_HOME", "~/.keras")
        raise ImportError(
            f"Keras can't start ({type(error).__name__}): is {home}/keras.json in order? Move that file elsewhere, and restart the kernel."
        ) from error
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    _use_the_lessons_settings(backend)


def _use_the_lessons_settings(backend):
    """Overrule, in this process, what `KERAS_BACKEND` and keras.json of somebody's other work say, and tell."""
    import keras

    settings = {
        "backend": (backend, "tensorflow", lambda _: None),
        "image_data_format": (keras.config.image_data_format(), "channels_last", keras.config.set_image_data_format),
        "floatx": (keras.config.floatx(), "float32", keras.config.set_floatx),
        "epsilon": (keras.config.epsilon(), 1e-7, keras.config.set_epsilon),
        "dtype_policy": (keras.config.dtype_policy().name, "float32", keras.config.set_dtype_policy),
    }
    changed = []
    for name, (found, needed, put) in settings.items():
        if found != needed:
            put(needed)
            changed.append(f"{name} {needed} in place of {found}")
    if changed:
        print(f"For this lesson, Keras uses {', '.join(changed)}. Your own settings are left as they are.")
