"""A server for a benchmark, in a process of its own, so that its work is not counted."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.queues import Queue


class _Server(ThreadingHTTPServer):
    request_queue_size = 128


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The base URL of a server with this handler, which is a class at the top of its module."""
    context = multiprocessing.get_context("spawn")
    port = context.Queue()
    process = context.Process(target=_serve, args=(port, handler), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{port.get()}/v1"
    process.terminate()
    process.join()


def _serve(port: "Queue[int]", handler: type[BaseHTTPRequestHandler]) -> None:
    server = _Server(("127.0.0.1", 0), handler)
    port.put(server.server_address[1])
    server.serve_forever()
