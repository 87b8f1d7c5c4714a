"""A small teaching server that answers like TensorFlow Serving, for lessons on machines where the real one is not installed.

It is not meant for production. It runs in threads of the process that starts it, listens on 127.0.0.1 only, and ends with that process; every reply below ``/v1``
carries a banner. Its formats, error codes and version states follow what TensorFlow Serving documents:
https://www.tensorflow.org/tfx/serving/api_rest and https://www.tensorflow.org/tfx/serving/serving_config. What it does differently:

- bodies above a limit get 413 and bodies that arrive too slowly get 408; TensorFlow Serving itself sets no limit to a REST body;
- a version that can't be loaded is tried again when its files change, not five times a minute apart; one without its folder ``variables``
  can't be loaded, where TensorFlow Serving takes it for a model that has none;
- a number that the input's type can't hold, and a shape that the signature does not allow, are refused before the model runs;
- there is no batching on the server, no warm-up, no metrics, no TLS, and no ``:regress``.

HTTP is tornado's and gRPC is grpcio's work; the messages are those of ``tensorflow-serving-api``. Importing this package imports no
gRPC and no TensorFlow. Its modules, from the left to the right: ``status``, ``values``, ``models``, ``rest`` and ``grpc_services``, ``server``.
From a shell, ``python -m course_utils.serving models.config`` serves until it is interrupted.
"""

import os
from pathlib import Path

from course_utils.serving.server import TeachingServer, exempt_loopback


def folder(name, scratch):
    """Name the folder into which versions of a model are written.

    Parameters
    ----------
    name : str
        Of the model.
    scratch : str
        A folder to use where the environment names none.

    Returns
    -------
    pathlib.Path
        Within ``COURSE_SERVING_FOLDER``, which a server of your own must see as ``/models``, or within `scratch`. It is made.

    Raises
    ------
    FileExistsError
        If it holds anything: a server would go on serving what it finds.
    """
    found = Path(os.environ.get("COURSE_SERVING_FOLDER", scratch)) / name
    found.mkdir(parents=True, exist_ok=True)
    if any(found.iterdir()):
        raise FileExistsError(
            f"{found} is not empty: move what is in it elsewhere, or name another COURSE_SERVING_FOLDER."
        )
    return found


def base_path(name, here):
    """Name the folder of a model as the server sees it.

    Parameters
    ----------
    name : str
        Of the model.
    here : pathlib.Path
        The folder, as this process sees it.

    Returns
    -------
    str
    """
    return f"/models/{name}" if "COURSE_SERVING_FOLDER" in os.environ else Path(here).as_posix()


class Connection:
    """Where a server is: your own, which the environment names, or a teaching server that is started for it.

    Parameters
    ----------
    config : str
        For the teaching server; a server of your own was started with its own.
    patience : float
        Seconds to wait for a server of your own.

    Attributes
    ----------
    rest, grpc : str
        The addresses, from ``COURSE_SERVING_REST`` and ``COURSE_SERVING_GRPC`` where they are set.
    is_teaching : bool

    Raises
    ------
    ValueError
        If only some of the three variables are set.
    ConnectionError
        If your server does not answer in time.
    """

    def __init__(self, config, patience=60.0):
        names = ("COURSE_SERVING_REST", "COURSE_SERVING_GRPC", "COURSE_SERVING_FOLDER")
        values = [os.environ.get(name) for name in names]
        if any(values) and not all(values):
            raise ValueError(
                f"{', '.join(names)} go together: set all three, as deploy/README.md says, or none for the teaching server."
            )
        self._server = None if all(values) else TeachingServer(config)
        self.is_teaching = self._server is not None
        if not self.is_teaching:
            _await(values[1], patience)
        self.rest, self.grpc = (
            (self._server.rest, self._server.grpc) if self.is_teaching else (values[0].rstrip("/"), values[1])
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
