"""Bodies that are read whole are bounded after they are unpacked: lists, pages of local servers, errors, vectors."""

import gzip
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from memgpt_cli.domain.chat import ChatRequest, PromptMessage
from memgpt_cli.domain.endpoints import Endpoint, Provider
from memgpt_cli.errors import APIKeyError, MemGPTError, ModelError
from memgpt_cli.llm.openai_chat import OpenAIChat
from memgpt_cli.llm.openai_embedder import OpenAIEmbedder
from memgpt_cli.llm.served_models import served_models
from memgpt_cli.llm.served_window import ask_window
from memgpt_cli.llm.server_errors import Target
from memgpt_cli.vendors import load

load("openai")  # so that its import is not counted

UNPACKED = 100_000_000
MOST = 40_000_000
"""Bytes that a call may take at its peak."""
LIST = gzip.compress(b'{"data": [], "more": "' + b"x" * UNPACKED + b'"}', 1)
ERROR = gzip.compress(b'{"error": {"message": "no such key"}}' + b" " * UNPACKED, 1)
EMPTY_REPLY = gzip.compress(b"data: {}\n\n" + (b": " + b"x" * 100_000 + b"\n") * 1_000, 1)


@contextmanager
def serving(status: int, body: bytes, asked: list[str], kind: str = "application/json") -> Iterator[str]:
    """A server that answers everything with one packed body; yields its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            asked.append(self.headers["accept-encoding"])
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-encoding", "gzip")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # the client closes the connection at its limit
                self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def refused(call: Callable[[], object]) -> MemGPTError:
    """The error of a call, which stays in its bound of memory."""
    tracemalloc.start()
    try:
        with pytest.raises(MemGPTError) as caught:
            call()
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()
    return caught.value


def at(url: str) -> Target:
    endpoint = Endpoint.at(url, model="m", provider=Provider.OPENAI_CHAT)
    return Target(model="m", endpoint=endpoint, api_key=None)


def chat(url: str) -> list[Any]:
    request = ChatRequest(model="m", messages=(PromptMessage(role="user", content="Hi"),), max_tokens=16)
    return list(OpenAIChat("m", base_url=url, api_key=None, max_retries=2).stream(request))


def test_a_list_of_models_is_bounded_and_asked_for_once() -> None:
    asked: list[str] = []
    with serving(200, LIST, asked) as url:
        error = refused(lambda: served_models(at(url), timeout_s=20))
    assert isinstance(error, ModelError)
    assert not error.transient
    assert asked == ["gzip, identity"]


def test_the_pages_of_a_local_server_are_bounded() -> None:
    tracemalloc.start()
    try:
        with serving(200, LIST, []) as url:
            assert ask_window(at(url).endpoint, "m", api_key=None) is None
        assert tracemalloc.get_traced_memory()[1] < MOST
    finally:
        tracemalloc.stop()


def test_the_beginning_of_a_huge_error_is_told() -> None:
    with serving(401, ERROR, []) as url:
        error = refused(lambda: chat(url))
    assert isinstance(error, APIKeyError)
    assert "no such key" in str(error)


def test_a_huge_error_of_a_broken_server_is_not_repeated() -> None:
    asked: list[str] = []
    with serving(500, ERROR, asked) as url:
        error = refused(lambda: chat(url))
    assert isinstance(error, ModelError)
    assert not error.transient
    assert len(asked) == 1


def test_vectors_are_bounded_and_asked_for_once() -> None:
    asked: list[str] = []
    with serving(200, LIST, asked) as url:
        embedder = OpenAIEmbedder(model="m", base_url=url)
        with pytest.raises(ModelError):
            embedder.embed(["tea"])
    assert len(asked) == 1


def test_a_huge_reply_without_text_is_not_repeated() -> None:
    asked: list[str] = []
    with serving(200, EMPTY_REPLY, asked, "text/event-stream") as url:
        error = refused(lambda: chat(url))
    assert isinstance(error, ModelError)
    assert not error.transient
    assert len(asked) == 1
