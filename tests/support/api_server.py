"""A test server on the loopback for an API other than Chat Completions, as strict as the API it stands for.

    with ApiServer(ResponsesApi(), plan(["Hello."])) as server:
        ...
    assert not server.refusals

A dialect checks each request and writes each reply; the brain (`brains`) is asked in the form of Chat Completions.
"""

import json
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Protocol, Self

from support.brains import Body, Brain, Reply, echo
from support.strict_rules import RefusalError


class Dialect(Protocol):
    path: str

    def authorise(self, headers: dict[str, str], api_key: str | None) -> None: ...

    def check(self, body: Any) -> None: ...

    def as_chat(self, body: Body) -> Body: ...

    def events(self, body: Body, reply: Reply, number: int) -> Iterator[dict[str, Any]]: ...

    def refusal(self, error: RefusalError) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class ApiFault:
    """One request that goes wrong: a status with a body, an event in mid-stream, or a stream that breaks."""

    status: int | None = None
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    event_after: tuple[int, dict[str, Any]] | None = None
    cut_after: int | None = None


@dataclass(kw_only=True)
class ApiServer:
    """The server; `with` starts and stops it. `faults` are consumed one for each request."""

    dialect: Dialect = field(kw_only=False)
    brain: Brain = field(default=echo, kw_only=False)
    api_key: str | None = None
    faults: Iterable[ApiFault | None] = ()
    path_prefix: str = "/v1"

    def __post_init__(self) -> None:
        self.requests: list[Body] = []
        self.refusals: list[RefusalError] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.faults = deque(self.faults)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}{self.path_prefix}"

    def __enter__(self) -> Self:
        self._http = _HTTPServer(("127.0.0.1", 0), _Handler)
        self._http.api = self
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def check_request(self, path: str, headers: dict[str, str]) -> None:
        self.dialect.authorise(headers, self.api_key)
        if path.partition("?")[0] != self.path_prefix + self.dialect.path:
            raise RefusalError(f"Unknown request URL: POST {path}", status=404, code="unknown_url")

    def answer(self, body: Any) -> Iterator[dict[str, Any]]:
        try:
            self.dialect.check(body)
        except RefusalError as error:
            self.refusals.append(error)
            raise
        self.requests.append(body)
        reply = self.brain(self.dialect.as_chat(body))
        return self.dialect.events(body, reply, len(self.requests))


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    api: ApiServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is expected."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HTTPServer

    def log_message(self, *_: Any) -> None: ...

    def do_POST(self) -> None:
        api = self.server.api
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        api.headers.append({name.lower(): value for name, value in self.headers.items()})
        api.paths.append(self.path)
        assert isinstance(api.faults, deque)
        fault = (api.faults.popleft() if api.faults else None) or ApiFault()
        with suppress(BrokenPipeError, ConnectionResetError):
            if fault.status is not None:
                self._json(fault.status, fault.body, fault.headers)
                return
            try:
                api.check_request(self.path, api.headers[-1])
                events = api.answer(json.loads(raw))
            except RefusalError as error:
                self._json(error.status, api.dialect.refusal(error))
                return
            self._stream(events, fault)

    def _json(self, status: int, value: Any, headers: Iterable[tuple[str, str]] = ()) -> None:
        data = (value if isinstance(value, str) else json.dumps(value)).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, text in headers:
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events: Iterator[dict[str, Any]], fault: ApiFault) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(events):
            if fault.event_after is not None and number == fault.event_after[0]:
                self._event(fault.event_after[1])
                break
            if number == fault.cut_after:
                self.close_connection = True
                return
            self._event(event)
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, event: dict[str, Any]) -> None:
        data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
