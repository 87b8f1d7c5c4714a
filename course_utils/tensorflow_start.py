"""A silent start of TensorFlow. Only the standard library is imported here until TensorFlow is asked for."""

import contextlib
import logging
import os
import sys


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


def start_tensorflow():
    """Import TensorFlow and Keras without their start-up messages.

    Afterwards ``import tensorflow as tf`` and ``import keras`` work as usual and stay silent. Errors are still shown.
    It must run before the first import of either; later it does no harm, but the messages are out.

    Raises
    ------
    ImportError
        If TensorFlow is not installed, with the way to install it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        with _descriptor_two_silenced():
            import tensorflow as tf

            tf.config.list_physical_devices()  # the first look at devices prints the last of the messages
    except ModuleNotFoundError as error:
        raise ImportError(
            f"This lesson needs TensorFlow, and {error.name!r} is not installed: "
            "run `make lab`, or install the project again as README.md says."
        ) from error
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
