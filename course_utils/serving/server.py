"""The teaching server: both interfaces in threads of one process."""

import asyncio
import atexit
import json
import logging
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import tornado.httpserver
import tornado.web

from course_utils.serving.grpc_services import Grpc
from course_utils.serving.models import Models, messages, read_config
from course_utils.serving.rest import Rest, answer_rest
from course_utils.serving.status import ServingError

_DRAINED = 1 << 30  # bytes: a body that is too large is read and dropped up to here, so that its sender gets the reply


def exempt_loopback():
    """Let requests and gRPC reach this machine directly in this process, whatever proxy its environment names."""
    for name in ("no_proxy", "NO_PROXY"):
        there = [part for part in os.environ.get(name, "").split(",") if part]
        os.environ[name] = ",".join(dict.fromkeys([*there, "127.0.0.1", "localhost"]))


class TeachingServer:
    """A server of models, on this machine only, in threads of this process.

    Parameters
    ----------
    config : str or ModelServerConfig
        What TensorFlow Serving reads from ``--model_config_file``.
    rest_port, grpc_port : int
        0 takes a free one.
    poll_seconds : float
        How often the folders are looked at.
    body_limit : int
        Bytes of a request.
    body_seconds : float
        How long a request may take to arrive.

    Attributes
    ----------
    rest, grpc : str
        The addresses, such as ``"http://127.0.0.1:8501"`` and ``"127.0.0.1:8500"``.

    Raises
    ------
    ServingError
        If the configuration can't be used.
    ValueError
        If the configuration is neither a text nor a message, or a port is not a whole number from 0 to 65535.
    OSError
        If a port is taken.

    Examples
    --------
    >>> with TeachingServer(config) as server:  # doctest: +SKIP
    ...     requests.get(f"{server.rest}/v1/models/digits")
    """

    def __init__(self, config, rest_port=0, grpc_port=0, poll_seconds=0.2, body_limit=64 << 20, body_seconds=30.0):
        for port in (rest_port, grpc_port):
            if not isinstance(port, int) or not 0 <= port <= 65535:
                raise ValueError(f"expected a port from 0 to 65535, got {port!r}; 0 takes a free one.")
        if not isinstance(config, str) and not hasattr(config, "model_config_list"):
            raise ValueError(f"expected a model config, as a text or a ModelServerConfig, got {config!r}.")
        exempt_loopback()
        self.body_limit, self.body_seconds, self._poll_seconds = body_limit, body_seconds, poll_seconds
        self.models = Models(read_config(config) if isinstance(config, str) else config)
        self.pool = ThreadPoolExecutor(4, thread_name_prefix="predict")
        self._closed, self._started, self._failed = threading.Event(), threading.Event(), None
        self._grpc_server, self.grpc = self._start_grpc(grpc_port)
        self._threads = [
            threading.Thread(target=work, args=arguments, daemon=True, name=f"serving {name}")
            for name, work, arguments in (("REST", self._run_rest, (rest_port,)), ("poll", self._poll, ()))
        ]
        for thread in self._threads:
            thread.start()
        self._started.wait()
        atexit.register(self.close)
        if self._failed:
            self.close()
            raise self._failed

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stop answering and free both ports; a second call does nothing."""
        if not self._closed.is_set():
            self._closed.set()
            self._grpc_server.stop(0.5).wait(2)
            if not self._failed:
                self._loop.call_soon_threadsafe(self._stop_rest.set)
            for thread in self._threads:
                thread.join(5)
            for pool in (self.pool, self._grpc_pool):
                pool.shutdown(cancel_futures=True)
            atexit.unregister(self.close)

    def answer(self, method, path, body):
        """Answer a request of the REST interface, whatever it is.

        Parameters
        ----------
        method, path : str
        body : bytes

        Returns
        -------
        status : int
        reply : str
            JSON.
        """
        try:
            return 200, json.dumps(answer_rest(self.models, method, path, body))
        except ServingError as error:
            return error.http, json.dumps({"error": error.message})
        except Exception as error:  # a bug must not take the server down
            return 500, json.dumps({"error": f"{type(error).__name__}: {error}"})

    def _poll(self):
        while not self._closed.wait(self._poll_seconds):
            self.models.refresh()

    def _start_grpc(self, port):
        import grpc

        limits = {"receive": self.body_limit, "send": -1}
        options = [("grpc.so_reuseport", 0), *((f"grpc.max_{way}_message_length", n) for way, n in limits.items())]
        self._grpc_pool = ThreadPoolExecutor(4, thread_name_prefix="grpc")
        server = grpc.server(self._grpc_pool, options=options)
        services = Grpc(self.models)
        messages().prediction_service.add_PredictionServiceServicer_to_server(services, server)
        messages().model_service.add_ModelServiceServicer_to_server(services, server)
        try:
            found = server.add_insecure_port(f"127.0.0.1:{port}")
        except RuntimeError as error:
            raise OSError(f"port {port} can't be used: {error}") from None
        server.start()
        return server, f"127.0.0.1:{found}"

    def _run_rest(self, port):
        try:
            asyncio.run(self._serve_rest(port))
        except OSError as error:
            self._failed = error
        finally:
            self._started.set()

    async def _serve_rest(self, port):
        for name in ("tornado.general", "tornado.access"):
            logging.getLogger(name).addHandler(logging.NullHandler())  # clients' mistakes are no warnings to the reader
        listening = socket.create_server(("127.0.0.1", port), backlog=128)
        listening.setblocking(False)
        application = tornado.web.Application([(r"/v1(?:/.*)?", Rest, {"server": self})], log_function=lambda _: None)
        http = tornado.httpserver.HTTPServer(application, max_body_size=_DRAINED, idle_connection_timeout=60)
        http.add_sockets([listening])
        self._loop, self._stop_rest = asyncio.get_running_loop(), asyncio.Event()
        self.rest = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._started.set()
        await self._stop_rest.wait()
        http.stop()
        await http.close_all_connections()
