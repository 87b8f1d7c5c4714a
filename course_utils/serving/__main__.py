"""Serve from a shell, until interrupted: ``python -m course_utils.serving MODELS.CONFIG [REST_PORT GRPC_PORT]``."""

import contextlib
import sys
import threading
from pathlib import Path

from course_utils import tensorflow_start
from course_utils.serving.server import TeachingServer
from course_utils.serving.status import BANNER, ServingError


def main(arguments):
    """Serve until interrupted.

    Parameters
    ----------
    arguments : list of str
        The name of a model config file, and optionally both ports.
    """
    if not arguments or not all(port.isdecimal() for port in arguments[1:]) or len(arguments) > 3:
        sys.exit("usage: python -m course_utils.serving MODELS.CONFIG [REST_PORT GRPC_PORT]")
    try:
        server = TeachingServer(Path(arguments[0]).read_text(encoding="utf-8"), *map(int, arguments[1:]))
    except (OSError, ValueError, ServingError) as error:
        sys.exit(f"The server did not start: {error}")
    with server:
        print(f"{BANNER}: REST at {server.rest}, gRPC at {server.grpc}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    tensorflow_start.start_tensorflow()
    main(sys.argv[1:])
