"""The teaching server: both interfaces in threads of one process."""

import asyncio
import atexit
import contextlib
import logging
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import tornado.httpserver
import tornado.web

from course_utils.serving.grpc_services import Grpc
from course_utils.serving.models import Models, read_config
from course_utils.serving.rest import Rest

_BODY = 64 << 20  # bytes of a request, as it is sent and unpacked


def exempt_loopback():
    """Let requests and gRPC reach this machine directly in this process, whatever proxy its environment names."""
    for name in {"no_proxy", "NO_PROXY", *({"no_grpc_proxy"} & os.environ.keys())}:
        there = [part for part in os.environ.get(name, "").split(",") if part]
        os.environ[name] = ",".join(dict.fromkeys([*there, "127.0.0.1", "localhost"]))


class TeachingServer:
    """A server of models, on this machine only, in threads of this process.

    Parameters
    ----------
    config : str or ModelServerConfig
        What TensorFlow Serving reads from ``--model_config_file``.
    root : str or pathlib.Path
        The server's folder: it loads nothing from outside of it.
    poll_seconds : float
        How often the folders are looked at.

    Its attributes `rest` and `grpc` are the addresses, such as ``"http://127.0.0.1:8501"`` and ``"127.0.0.1:8500"``. ServingError
    if the configuration can't be used.
    """

    def __init__(self, config, root, poll_seconds=0.2):
        exempt_loopback()
        self.models = Models(read_config(config) if isinstance(config, str) else config, root)
        self._pools = [ThreadPoolExecutor(4, thread_name_prefix=f"serving {name}") for name in ("REST", "gRPC")]
        self._closed, self._started = threading.Event(), threading.Event()
        self._start_grpc()
        self._threads = [
            threading.Thread(target=work, args=arguments, daemon=True, name="serving")
            for work, arguments in ((asyncio.run, (self._serve_rest(),)), (self._poll, (poll_seconds,)))
        ]
        for thread in self._threads:
            thread.start()
        self._started.wait()
        atexit.register(self.close, grace=None)  # from Python 3.12 on no thread can start then, and grace takes one

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self, grace=0.5):
        """Stop answering and free both ports; running requests get `grace` seconds. A second call does nothing."""
        if not self._closed.is_set():
            self._closed.set()
            self._grpc_server.stop(grace).wait(2)
            self._loop.call_soon_threadsafe(self._stop_rest.set)
            for thread in self._threads:
                thread.join(5)
            for pool in self._pools:
                pool.shutdown(cancel_futures=True)
            atexit.unregister(self.close)

    def _poll(self, seconds):
        while not self._closed.wait(seconds):
            with contextlib.suppress(Exception):  # whatever lies in the folders, it looks again
                self.models.refresh()

    def _start_grpc(self):
        import grpc

        options = {"so_reuseport": 0, "max_receive_message_length": _BODY, "max_send_message_length": -1}
        named = [(f"grpc.{name}", value) for name, value in options.items()]
        self._grpc_server = grpc.server(self._pools[1], options=named)
        Grpc(self.models).add_to(self._grpc_server)
        self.grpc = f"127.0.0.1:{self._grpc_server.add_insecure_port('127.0.0.1:0')}"
        self._grpc_server.start()

    async def _serve_rest(self):
        for name in ("tornado.general", "tornado.access"):
            logging.getLogger(name).addHandler(logging.NullHandler())  # clients' mistakes must not warn the reader
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        listening.setblocking(False)
        routes = [(r"/v1(?:/.*)?", Rest, {"models": self.models, "pool": self._pools[0]})]
        application = tornado.web.Application(routes, log_function=lambda _: None)
        limits = {"max_buffer_size": _BODY, "max_body_size": _BODY, "body_timeout": 30, "idle_connection_timeout": 60}
        http = tornado.httpserver.HTTPServer(application, decompress_request=True, **limits)
        http.add_sockets([listening])
        self._loop, self._stop_rest = asyncio.get_running_loop(), asyncio.Event()
        self.rest = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._started.set()
        await self._stop_rest.wait()
        http.stop()
        await http.close_all_connections()
