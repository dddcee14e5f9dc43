"""Replies that never end are cut: what came is kept, and the connection is closed."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from memgpt_cli.domain.chat import ChatRequest, CutDelta, PromptMessage, TextDelta
from memgpt_cli.errors import ModelError
from memgpt_cli.llm.openai_chat import OpenAIChat

WORD = b'data: {"choices":[{"index":0,"delta":{"content":"word word word word "}}]}\n\n'


def served(body: Iterator[bytes], *, encoding: str | None = None) -> Any:
    """A server on the loopback that answers every request with `body`."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            if encoding:
                self.send_header("content-encoding", encoding)
            self.end_headers()
            for piece in body:
                try:
                    self.wfile.write(piece)
                except OSError:
                    return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def replied(body: Iterator[bytes], *, timeout_s: float = 20, encoding: str | None = None) -> list[Any]:
    server = served(body, encoding=encoding)
    try:
        model = OpenAIChat(
            "m", base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key=None, timeout_s=timeout_s, max_retries=0
        )
        request = ChatRequest(model="m", messages=(PromptMessage(role="user", content="Hi"),), max_tokens=16)
        return list(model.stream(request))
    finally:
        server.shutdown()
        server.server_close()


def endless(piece: bytes, first: bytes = b"") -> Iterator[bytes]:
    yield first
    while True:
        yield piece


def test_a_reply_that_never_ends_is_cut_and_kept() -> None:
    deltas = replied(endless(WORD * 50))
    assert deltas[-1] == CutDelta("too_long")
    assert isinstance(deltas[0], TextDelta)


def test_one_line_that_never_ends_is_an_error() -> None:
    with pytest.raises(ModelError):
        replied(endless(b"x" * 65_536, b"data: "))


def test_a_small_body_that_unpacks_to_a_huge_one_is_cut() -> None:
    bomb = gzip.compress(WORD + b": " + b"x" * 40_000_000)
    assert replied(iter([bomb]), encoding="gzip")[-1] == CutDelta("too_long")
    assert len(bomb) < 100_000


def test_keep_alives_without_content_end_in_time() -> None:
    with pytest.raises(ModelError):
        replied(endless(b": wait\n\n"), timeout_s=0.3)


@pytest.mark.parametrize(
    "bad", [b"{nonsense", b'{"a": ' + b"[" * 100_000, b'{"usage": {"prompt_tokens": ' + b"9" * 5000 + b"}}"]
)
def test_a_chunk_that_cannot_be_read_is_skipped_and_the_reply_is_kept(bad: bytes) -> None:
    deltas = replied(iter([WORD, b"data: " + bad + b"\n\n", WORD, b"data: [DONE]\n\n"]))
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == "word " * 8
