"""The transports for clients: standard input and output, or streamable HTTP."""

from __future__ import annotations

import hmac
import json
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import anyio

from memgpt_cli.domain.endpoints import is_loopback_host
from memgpt_cli.domain.messages import clean
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from socket import socket

    from anyio.abc import TaskGroup
    from mcp.server.lowlevel import Server
    from starlette.types import ASGIApp, Receive, Scope, Send

_MOST_SESSIONS: Final = 64
_SESSION_IDLE_S: Final = 600.0
_LAST_CALL_S: Final = 30.0
"""Seconds that a running call may still take after the client has closed its end."""


def serve_stdio(server: Server[Any], source: BinaryIO, output: BinaryIO) -> None:
    """Serve one client until it closes `source`; calls that are running then are still answered.

    `source` and `output` are for the protocol only.
    """
    from mcp.server.stdio import stdio_server

    async def serve() -> None:
        lines = anyio.wrap_file(TextIOWrapper(output, encoding="utf-8"))
        typed: Any = _clean_lines(source)
        async with stdio_server(stdin=typed, stdout=lines) as (read, write):
            calls = _OpenCalls()
            async with anyio.create_task_group() as group:
                requests, answers = calls.requests_of(group, read), calls.answers_to(group, write)
                await server.run(requests, answers, server.create_initialization_options())

    anyio.run(serve)


async def _clean_lines(source: BinaryIO) -> AsyncIterator[str]:
    """Yield lines of JSON; the parser of the protocol refuses lone surrogates, so U+FFFD replaces them."""
    async for line in anyio.wrap_file(TextIOWrapper(source, encoding="utf-8", errors="replace")):
        yield _without_surrogates(line) if "\\ud" in line.lower() else line


def _without_surrogates(line: str) -> str:
    try:
        return clean(json.dumps(json.loads(line), ensure_ascii=False))
    except (ValueError, RecursionError):
        return line


class _OpenCalls:
    """Passes messages on in both directions, and delays the end of input while a request has no answer.

    The server cancels running calls at the end of its input; a script that pipes its requests in would get no answers.
    """

    def __init__(self) -> None:
        self._open: set[Any] = set()
        self._answered = anyio.Event()

    def requests_of(self, group: TaskGroup, source: Any) -> Any:
        """Yield the client's messages."""
        send, receive = anyio.create_memory_object_stream[Any](0)

        async def forward() -> None:
            async with send:
                async for message in source:
                    request = getattr(getattr(message, "message", None), "id", None)
                    if request is not None:
                        self._open.add(request)
                    await send.send(message)
                with anyio.move_on_after(_LAST_CALL_S):
                    while self._open:
                        self._answered = anyio.Event()
                        await self._answered.wait()

        group.start_soon(forward)
        return receive

    def answers_to(self, group: TaskGroup, target: Any) -> Any:
        """Send messages to the client."""
        send, receive = anyio.create_memory_object_stream[Any](0)

        async def forward() -> None:
            async with target:
                async for message in receive:
                    await target.send(message)
                    self._open.discard(getattr(message.message, "id", None))
                    self._answered.set()

        group.start_soon(forward)
        return send


def http_app(server: Server[Any], *, host: str, key: str | None) -> ASGIApp:
    """The server as an ASGI application at `/mcp`; with a key only for requests that send it as a bearer token.

    Host and Origin headers are checked. Raises UsageError for an address beyond this machine without a key.
    """
    if not is_loopback_host(host) and not key:
        raise UsageError(
            f"{host} can be reached from other machines, so a key is needed",
            hint="set MEMGPT_MCP_KEY, or leave out --host",
        )
    app: ASGIApp = server.streamable_http_app(
        host=host,
        json_response=True,
        max_sessions=_MOST_SESSIONS,
        session_idle_timeout=_SESSION_IDLE_S,
        transport_security=None if is_loopback_host(host) else _security_of(host),
    )
    return _KeyCheck(app, key) if key else app


def serve_http(app: ASGIApp, address: socket) -> None:
    """Serve clients over HTTP on a bound socket until the process is terminated."""
    import uvicorn

    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3)).run(sockets=[address])


def _security_of(host: str) -> Any:
    from mcp.server.transport_security import TransportSecuritySettings

    return TransportSecuritySettings(allowed_hosts=[host, f"{host}:*"], allowed_origins=[])


class _KeyCheck:
    """Refuses requests without the key. Keys are compared in constant time."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._expected = f"Bearer {key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or pass the request on."""
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
                await send({"type": "http.response.start", "status": 401, "headers": headers})
                await send({"type": "http.response.body", "body": b'{"error":"a valid key is needed"}'})
                return
        await self._app(scope, receive, send)
