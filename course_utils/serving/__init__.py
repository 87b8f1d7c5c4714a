"""A small teaching server that answers like TensorFlow Serving, for lessons on machines where the real one is not installed.

It is not meant for production. It runs in threads of the process that starts it, listens on 127.0.0.1 only, and ends with that
process. Its formats, codes and version states follow what TensorFlow Serving documents:
https://www.tensorflow.org/tfx/serving/api_rest and https://www.tensorflow.org/tfx/serving/serving_config. What it does differently:

- a model is code, so it loads nothing from outside of its own folder. Requests that a browser sends for a page of another site,
  as their headers ``Host``, ``Origin`` and ``Sec-Fetch-Site`` show, are refused;
- it answers Predict, the status and a new config, and over REST also the metadata. The wording of its errors is its own;
- a version that can't be loaded is tried again when its files change, not five times a minute apart; one without its folder
  ``variables`` can't be loaded, where TensorFlow Serving takes it for a model that has none;
- requests of more than 64 MiB, numbers that the input's type can't hold, and shapes that the signature does not allow are refused;
- there is no batching on the server, no warm-up by recorded requests, no metrics and no TLS.

HTTP is handled by tornado, gRPC by grpcio, and the messages come from ``tensorflow-serving-api``. Importing this package imports
neither gRPC nor TensorFlow. Each module needs only those before it: ``values``, ``models``, ``rest``, ``grpc_services``, ``server``.
"""

import os
from pathlib import Path

from course_utils.serving.server import TeachingServer, exempt_loopback

_NAMES = ("COURSE_SERVING_REST", "COURSE_SERVING_GRPC", "COURSE_SERVING_FOLDER")


def folder(name, scratch):
    """Make the folder into which versions of the model `name` are written, and return its path.

    It is in ``COURSE_SERVING_FOLDER``, which a server of your own must see as ``/models``, or else in the folder `scratch`.
    FileExistsError if it holds anything: a server would go on serving what it finds.
    """
    found = Path(os.environ.get("COURSE_SERVING_FOLDER", scratch)) / name
    found.mkdir(parents=True, exist_ok=True)
    if any(found.iterdir()):
        raise FileExistsError(
            f"{found} is not empty: move what is in it elsewhere, or name another COURSE_SERVING_FOLDER."
        )
    return found


def base_path(name, here):
    """Name the folder of the model `name`, which is `here` for this process, as the server sees it."""
    return f"/models/{name}" if "COURSE_SERVING_FOLDER" in os.environ else Path(here).as_posix()


class Connection:
    """Where a server is: your own, which the environment names, or a teaching server that is started for it.

    Parameters
    ----------
    config : str
        For the teaching server; a server of your own was started with its own.
    root : str or pathlib.Path
        The folder of the teaching server, from which alone it loads.
    patience : float
        Seconds to wait for a server of your own.

    Its attributes `rest` and `grpc` are the addresses, and `is_teaching` says whose they are. ConnectionError if your server does not
    answer in time, ValueError if only some of ``COURSE_SERVING_REST``, ``COURSE_SERVING_GRPC`` and ``COURSE_SERVING_FOLDER`` are set.
    """

    def __init__(self, config, root, patience=60.0):
        rest, grpc, shared = (os.environ.get(name) for name in _NAMES)
        self.is_teaching = not (rest or grpc or shared)
        if self.is_teaching:
            self._server = TeachingServer(config, root)
            self.rest, self.grpc = self._server.rest, self._server.grpc
        elif rest and grpc and shared:
            self.rest, self.grpc = rest.rstrip("/"), grpc
            _await(grpc, patience)
        else:
            raise ValueError(
                f"{', '.join(_NAMES)} go together: set all three, as deploy/README.md says, or none for the teaching server."
            )

    def close(self):
        """End the teaching server; a server of your own goes on."""
        if self.is_teaching:
            self._server.close()


def _await(address, seconds):
    """Wait until a server speaks gRPC: a container's port may be open before TensorFlow Serving has loaded a first version."""
    import grpc

    exempt_loopback()
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(seconds)
        except grpc.FutureTimeoutError:
            raise ConnectionError(
                f"no model server answers at {address} (COURSE_SERVING_GRPC): start it as deploy/README.md says."
            ) from None
