"""A real `/v1/embeddings` server on loopback. Its vectors are made of a text's letters; it keeps what it was asked.

It can be told to misbehave: to fail a number of times, to refuse texts or batches over a size, to leave usage out, to
answer with numbers although base64 was asked for.
"""

import base64
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Behaviour:
    """What the server does with the requests to come."""

    dimensions: int = 8
    key: str | None = None
    model: str = "letters"
    failures: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Statuses and headers for the next requests, before any is answered."""
    longest_text: int | None = None
    largest_batch: int | None = None
    base64: bool = True
    refuses_base64: bool = False
    usage: bool = True
    body: str | None = None
    """Sent in place of any answer."""
    hold_after: int | None = None
    """Once so many texts were asked for, requests get no answer until `let_go` is set; `held` says that one waits."""


@dataclass
class EmbeddingsServer:
    """The address, the behaviour, and every request body it got."""

    base_url: str
    behaviour: Behaviour
    requests: list[dict[str, Any]] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    @property
    def answered(self) -> list[str]:
        """All texts of all requests, in order."""
        return [text for request in self.requests for text in request["input"]]


def letters(text: str, dimensions: int) -> list[float]:
    """A vector that only depends on the text; not of unit length."""
    numbers = [0.0] * dimensions
    for position, character in enumerate(text):
        numbers[ord(character) % dimensions] += 1.0 + position / 100
    return numbers


@contextmanager
def embeddings_server(behaviour: Behaviour | None = None) -> Iterator[EmbeddingsServer]:
    """The server, running on a free port until the block ends."""
    state = EmbeddingsServer("", behaviour or Behaviour())

    class Handler(_Handler):
        server_state = state

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    state.base_url = f"http://127.0.0.1:{httpd.server_address[1]}/v1"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        state.let_go.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_state: EmbeddingsServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server_state.requests.append(body)
        behaviour = self.server_state.behaviour
        if behaviour.hold_after is not None and len(self.server_state.answered) > behaviour.hold_after:
            self.server_state.held.set()
            self.server_state.let_go.wait()
        if behaviour.failures:
            status, headers = behaviour.failures.pop(0)
            self._send(status, {"error": {"message": f"told to fail with {status}"}}, headers)
        elif behaviour.body is not None:
            self._send_text(200, behaviour.body)
        else:
            self._send(*self._answer(body, behaviour))

    def _answer(self, body: dict[str, Any], behaviour: Behaviour) -> tuple[int, dict[str, Any]]:
        refusal = self._refusal(body, behaviour)
        if refusal is not None:
            return refusal
        dimensions = body.get("dimensions", behaviour.dimensions)
        data = [
            {"object": "embedding", "index": index, "embedding": self._encoded(letters(text, dimensions), body)}
            for index, text in enumerate(body["input"])
        ]
        answer: dict[str, Any] = {"object": "list", "model": body["model"], "data": data[::-1]}
        if behaviour.usage:
            tokens = sum(len(text) for text in body["input"])
            answer["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
        return 200, answer

    def _refusal(self, body: dict[str, Any], behaviour: Behaviour) -> tuple[int, dict[str, Any]] | None:
        texts = body["input"]
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if behaviour.key is not None and key != behaviour.key:
            return 401, {"error": {"message": f"Incorrect API key provided: {key}"}}
        if body["model"] != behaviour.model:
            return 404, {"error": {"message": f"model {body['model']!r} not found"}}
        if behaviour.refuses_base64 and body.get("encoding_format") == "base64":
            return 400, {"error": {"message": "unsupported encoding_format"}}
        message = self._complaint(texts, behaviour)
        return None if message is None else (400, {"error": {"message": message}})

    def _complaint(self, texts: list[str], behaviour: Behaviour) -> str | None:
        if "" in texts:
            return "input cannot be an empty string"
        if behaviour.largest_batch is not None and len(texts) > behaviour.largest_batch:
            return f"batch size {len(texts)} > maximum allowed batch size"
        if behaviour.longest_text is not None and any(len(text) > behaviour.longest_text for text in texts):
            return "This model's maximum context length is exceeded"
        return None

    def _encoded(self, numbers: list[float], body: dict[str, Any]) -> str | list[float]:
        if self.server_state.behaviour.base64 and body.get("encoding_format") == "base64":
            return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
        return numbers

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._send_text(status, json.dumps(answer), headers)

    def _send_text(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        payload = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)
