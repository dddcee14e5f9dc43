"""A Chat Completions server on the loopback, as strict as the strictest real one, with a brain instead of a model.

    with StrictServer(memory_worker(), window=8192) as server:
        model = OpenAIChat("gpt-4o", base_url=server.base_url, api_key=None)
        ...
    assert not server.refusals

It checks every request (`strict_rules`), counts it its own way (`strict_counting`), asks the brain (`brains`), and
answers as OpenAI does: in SSE chunks or in one piece. `server.requests` holds the accepted bodies in order,
`server.refusals` what was refused and why, `server.exchanges` the token counts of each answered request,
`server.headers` the headers of all of them.

Import it as `from support.strict_server import StrictServer` (`tests` is on pytest's path). Not here: anything that
imitates a language model.
"""

import itertools
import json
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from support.brains import Body, Brain, Call, Reply, echo, text_of
from support.families import Family
from support.strict_counting import Segment, common_prefix, encode, prompt_tokens, segments
from support.strict_rules import RefusalError, check
from support.strict_wire import Exchange, Wire, Writer

from memgpt_cli.llm.written_tools import NO_CALLS_NOW

__all__ = ["Call", "Exchange", "Fault", "Refusal", "Reply", "StrictServer", "Wire"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one request, before it is even looked at. Use the constructors."""

    status: int | None = None
    message: str = ""
    code: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    raw: str | None = None
    hang: bool = False
    cut_after: int | None = None
    quietly: bool = False
    chunk_delay_s: float = 0.0

    @classmethod
    def rate_limited(cls, retry_after_s: float = 0.01) -> "Fault":
        headers = (("retry-after-ms", str(round(retry_after_s * 1000))), ("retry-after", str(retry_after_s)))
        return cls(status=429, message="Rate limit reached for requests", code="rate_limit_exceeded", headers=headers)

    @classmethod
    def error(cls, status: int = 500, message: str = "The server had an error.", code: str | None = None) -> "Fault":
        return cls(status=status, message=message, code=code)

    @classmethod
    def hanging(cls) -> "Fault":
        """No answer at all until the server stops or the client gives up."""
        return cls(hang=True)

    @classmethod
    def cut(cls, after_chunks: int = 3) -> "Fault":
        """The connection breaks in mid-stream."""
        return cls(cut_after=after_chunks)

    @classmethod
    def ended(cls, after_chunks: int = 3) -> "Fault":
        """The stream ends in the middle of the reply as if all were said."""
        return cls(cut_after=after_chunks, quietly=True)

    @classmethod
    def sent_on(cls, to: str) -> "Fault":
        return cls(status=307, message="It is elsewhere.", headers=(("location", to),))

    @classmethod
    def slow(cls, chunk_delay_s: float = 0.05) -> "Fault":
        return cls(chunk_delay_s=chunk_delay_s)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One refused request."""

    message: str
    status: int
    body: Any


@dataclass(kw_only=True)
class StrictServer:
    """The server; `with` starts and stops it.

    `window` in tokens bounds prompt + max_tokens. `count_factor` makes its count differ from its own honest one, as a
    tokenizer error would. `api_key`, when set, is demanded. `models`, when given, are the only ones it knows.
    `faults` are consumed one for each request (None lets one through); afterwards all is well. `latency_s` is waited
    before each answer, side by side for parallel requests.
    `family` replaces OpenAI's rules by another family's. `cache_step` 128 with `cache_from` 1024 are OpenAI's; 1 and
    0 report the exact prefix. `keep` bounds how many bodies are remembered.
    """

    brain: Brain = field(default=echo, kw_only=False)
    window: int = 128_000
    count_factor: float = 1.0
    api_key: str | None = None
    models: tuple[str, ...] = ()
    tools_supported: bool = True
    family: Family | None = None
    refused_fields: tuple[str, ...] = ()
    faults: Iterable[Fault | None] = ()
    latency_s: float = 0.0
    cache_step: int = 128
    cache_from: int = 1024
    wire: Wire = field(default_factory=Wire)
    keep: int | None = None

    def __post_init__(self) -> None:
        self.exchanges: deque[Exchange] = deque(maxlen=self.keep)
        self.refusals: list[Refusal] = []
        self.headers: deque[dict[str, str]] = deque(maxlen=self.keep)
        self.faults = deque(self.faults)
        self.stopped = threading.Event()
        self.disconnects = 0
        self._lock = threading.Lock()
        self._previous: list[Segment] = []
        self._prompt_tokens = self._repeated_tokens = 0
        self._numbers = itertools.count(1)

    @property
    def base_url(self) -> str:
        """With `/v1`, as clients want it."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def requests(self) -> list[Body]:
        """The accepted bodies, in order."""
        return [exchange.body for exchange in self.exchanges]

    @property
    def repeated_share(self) -> float:
        """Which part of all prompt tokens repeated the prefix of the request before, whatever `keep` is."""
        return self._repeated_tokens / self._prompt_tokens if self._prompt_tokens else 0.0

    def count(self, body: Body) -> int:
        """The prompt's tokens as this server counts them."""
        return math.ceil(self.count_factor * prompt_tokens(segments(body)))

    def __enter__(self) -> Self:
        self._http = _HTTPServer(self)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def next_fault(self) -> Fault:
        with self._lock:
            faults = self.faults
            assert isinstance(faults, deque)
            return (faults.popleft() if faults else None) or Fault()

    def answer(self, body: Any) -> tuple[Exchange, int]:
        """Check, count and answer one body; raises RefusalError, which it has recorded."""
        try:
            self._check(body)
            parts = segments(body)
            counted = math.ceil(self.count_factor * prompt_tokens(parts))
            room = body.get("max_tokens", body.get("max_completion_tokens"))
            self._check_window(counted, room)
        except RefusalError as error:
            self.refusals.append(Refusal(message=error.message, status=error.status, body=body))
            raise
        self.stopped.wait(self.latency_s)
        with self._lock:
            reply = _cut_to(_allowed(self._reply(body), body), room)
            repeated = common_prefix(self._previous, parts)
            self._previous = parts
            exchange = Exchange(
                body=body,
                reply=reply,
                prompt_tokens=counted,
                repeated_tokens=repeated,
                cached_tokens=repeated // self.cache_step * self.cache_step if repeated >= self.cache_from else 0,
                completion_tokens=_completion_tokens(reply),
            )
            self.exchanges.append(exchange)
            self._prompt_tokens += counted
            self._repeated_tokens += repeated
            return exchange, next(self._numbers)

    def _reply(self, body: Body) -> Reply:
        reply = self.brain(body)
        return _as_text_without_tools(reply, body) if self.family is not None and not self.family.tools else reply

    def _check(self, body: Any) -> None:
        if self.family is not None:
            self.family.check(body)
        else:
            check(body, refused_fields=self.refused_fields)
        if self.models and body["model"] not in self.models:
            message = f"The model `{body['model']}` does not exist or you do not have access to it."
            raise RefusalError(message, status=404, code="model_not_found")
        if body.get("tools") and not self.tools_supported:
            raise RefusalError(f"{body['model']} does not support tools", kind="api_error")

    def _check_window(self, counted: int, room: int | None) -> None:
        if counted + (room or 0) <= self.window:
            return
        raise RefusalError(
            f"This model's maximum context length is {self.window} tokens. However, you requested "
            f"{counted + (room or 0)} tokens ({counted} in the messages, {room or 0} in the completion). "
            "Please reduce the length of the messages or completion.",
            code="context_length_exceeded",
            param="messages",
        )


class _HTTPServer(ThreadingHTTPServer):
    """Closes what clients left open, and waits for its threads, so that a test leaves nothing behind."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

    def __init__(self, strict: StrictServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.strict = strict
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def _allowed(reply: Reply, body: Body) -> Reply:
    """The reply without its calls where the request forbids them, as real servers see to."""
    return replace(reply, calls=()) if reply.calls and body.get("tool_choice") == "none" else reply


def _as_text_without_tools(reply: Reply, body: Body) -> Reply:
    """The reply with its calls as text where the request offers no functions, as a model writes them."""
    if not reply.calls or "tools" in body or text_of(body["messages"][-1]).endswith(NO_CALLS_NOW):
        return reply
    written = (f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.raw}}}\n</tool_call>' for call in reply.calls)
    return replace(reply, text="\n".join((reply.text or "", *written)).lstrip(), calls=())


def _cut_to(reply: Reply, room: int | None) -> Reply:
    """Hold the reply to `room` tokens, as real servers do; what does not fit is cut off, and `length` says so."""
    if room is None or reply.chunks is not None or _completion_tokens(reply) <= room:
        return reply
    text, calls = reply.text, []
    if text is not None:
        text, room = _head(text, room)
    for call in reply.calls:
        if room <= 0:
            break
        arguments, room = _head(call.raw, room)
        calls.append(Call(call.name, arguments))
    return Reply(text, tuple(calls), reply.reasoning, "length")


def _head(text: str, room: int) -> tuple[str, int]:
    """As much of `text` as `room` tokens hold, and how much room is left."""
    length = len(encode(text))
    if length <= room:
        return text, room - length
    return text[: max(1, len(text) * room // length)], 0


def _completion_tokens(reply: Reply) -> int:
    texts = (reply.text or "", reply.reasoning or "", *(part for call in reply.calls for part in (call.name, call.raw)))
    return sum(len(encode(text)) for text in texts)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HTTPServer

    @property
    def strict(self) -> StrictServer:
        return self.server.strict

    def log_message(self, *_: Any) -> None: ...

    def do_GET(self) -> None:
        self._guarded(self._models)

    def do_POST(self) -> None:
        self._guarded(self._completions)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except RefusalError as error:
            self._json(error.status, error.body())
        except (BrokenPipeError, ConnectionResetError):
            self.strict.disconnects += 1
            self.close_connection = True

    def _models(self) -> None:
        self._authorise()
        if self.path != "/v1/models":
            raise RefusalError(f"Unknown request URL: GET {self.path}", status=404, code="unknown_url")
        names = self.strict.models or ("gpt-4o",)
        self._json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in names]})

    def _completions(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.strict.headers.append({name.lower(): value for name, value in self.headers.items()})
        fault = self.strict.next_fault()
        if fault.hang:
            self.strict.stopped.wait()
            self.close_connection = True
            return
        if fault.status is not None:
            self._fail(fault)
            return
        self._authorise()
        if self.path != "/v1/chat/completions":
            raise RefusalError(f"Unknown request URL: POST {self.path}", status=404, code="unknown_url")
        exchange, number = self.strict.answer(_parsed(raw))
        writer = Writer(self.strict.wire, exchange, number)
        if exchange.body.get("stream"):
            self._stream(writer, fault)
        else:
            self._json(200, writer.whole())

    def _authorise(self) -> None:
        if self.strict.api_key is None:
            return
        given = self.headers.get("authorization", "").removeprefix("Bearer ")
        if given != self.strict.api_key:
            message = f"Incorrect API key provided: {given}." if given else "You didn't provide an API key."
            raise RefusalError(message, status=401, code="invalid_api_key")

    def _fail(self, fault: Fault) -> None:
        body = {"error": {"message": fault.message, "type": "server_error", "param": None, "code": fault.code}}
        self._json(fault.status or 500, body if fault.raw is None else fault.raw, headers=fault.headers)

    def _json(self, status: int, value: Any, *, headers: Iterable[tuple[str, str]] = ()) -> None:
        data = (value if isinstance(value, str) else json.dumps(value)).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, text in headers:
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, writer: Writer, fault: Fault) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, chunk in enumerate((*writer.chunks(), "[DONE]")):
            if fault.cut_after is not None and number >= fault.cut_after:
                self.close_connection = True
                if fault.quietly:
                    self.wfile.write(b"0\r\n\r\n")
                return
            if fault.chunk_delay_s:
                time.sleep(fault.chunk_delay_s)
            text = chunk if isinstance(chunk, str) else json.dumps(chunk, ensure_ascii=False)
            data = f"data: {text}\n\n".encode("utf-8", "surrogatepass")
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise RefusalError("We could not parse the JSON body of your request.") from None
