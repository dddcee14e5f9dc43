"""Replies that never end are cut: what came is kept, and the connection is closed."""

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from memgpt_cli.agent.replies import PartialReply, told
from memgpt_cli.domain.agents import StepRecord
from memgpt_cli.domain.chat import ChatRequest, CutDelta, PromptMessage, SkippedDelta, TextDelta
from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.domain.events import Notice, StepCommitted
from memgpt_cli.errors import ModelError
from memgpt_cli.llm.anthropic.wire import AnthropicWire
from memgpt_cli.llm.endpoint_model import EndpointModel
from memgpt_cli.llm.openai_chat import OpenAIChat
from memgpt_cli.llm.responses.wire import ResponsesWire
from memgpt_cli.llm.server_errors import Target
from memgpt_cli.llm.transport import Transport

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
    assert deltas[-1] == SkippedDelta(1)


def test_bytes_that_are_not_utf8_are_replaced_and_the_reply_is_kept() -> None:
    tea = WORD.replace(b"word word", b"\xff \xe8\x8c\xb6", 1)
    pieces = [WORD + tea[: tea.index(b"\x8c")], tea[tea.index(b"\x8c") :], b": end \xe8\n\ndata: [DONE]\n\n"]
    deltas = replied(iter(pieces))
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)) == "word " * 4 + "\ufffd \u8336 word word "
    assert not any(isinstance(d, SkippedDelta) for d in deltas)


@pytest.mark.parametrize("kept_alive", [b"ping", b"", b"1"])
def test_a_keep_alive_is_not_a_part_of_the_reply(kept_alive: bytes) -> None:
    deltas = replied(iter([WORD, b"data: " + kept_alive + b"\n\n", WORD, b"data: [DONE]\n\n"]))
    assert not any(isinstance(d, SkippedDelta) for d in deltas)


def test_a_skipped_part_of_the_reply_is_told() -> None:
    reply = PartialReply()
    reply.add(SkippedDelta(2))
    committed = StepCommitted(record=cast("StepRecord", None), text="", final=True)
    assert Notice("part of the reply could not be read and is missing") in list(told(committed, reply))


RESPONSES = (
    b'{"type": "response.output_text.delta", "output_index": 0, "delta": "tea"}',
    b'{"type": "response.completed", "response": {"status": "completed", "output": []}}',
)
MESSAGES = (
    b'{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "tea"}}',
    b'{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}',
)


@pytest.mark.parametrize(("provider", "events"), [("openai_responses", RESPONSES), ("anthropic", MESSAGES)])
def test_a_skipped_event_of_another_api_is_told(provider: str, events: tuple[bytes, bytes]) -> None:
    server = served(b"data: " + event + b"\n\n" for event in (events[0], b'{"type": cut', events[1]))
    try:
        endpoint = Endpoint.at(f"http://127.0.0.1:{server.server_port}/v1", model="m", provider=provider)
        target = Target(model="m", endpoint=endpoint, api_key=None)
        wire = AnthropicWire(target) if provider == "anthropic" else ResponsesWire(target, None)
        model = EndpointModel(target, wire, Transport(target, timeout_s=5, max_retries=0))
        request = ChatRequest(model="m", messages=(PromptMessage(role="user", content="Hi"),), max_tokens=16)
        deltas = list(model.stream(request))
    finally:
        server.shutdown()
        server.server_close()
    assert (deltas[0], deltas[-1]) == (TextDelta("tea"), SkippedDelta(1))
