"""Checks of each request before anything reads it: Host, Origin, key, size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.server.keys import OPEN, ServerKey, matching

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 32 << 20
"""Of a request: a picture of 20 MB in base64, with a history."""

KEY: Final = "memgpt.key"
"""Where the scope of a request holds the `ServerKey` that it came with."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


class Guard:
    """Passes on the requests that may use the server. Without `keys` every request may.

    On the loopback a foreign Host is refused: a web page could otherwise reach the server by a name of its own.
    """

    def __init__(self, app: ASGIApp, *, keys: Sequence[ServerKey], loopback: bool, origins: Sequence[str] = ()) -> None:
        self._app = app
        self._keys = tuple(keys)
        self._loopback = loopback
        self._origins = {origin.rstrip("/").encode() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with an error, or pass the request on with its key."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        allowed = [(b"access-control-allow-origin", origin), (b"vary", b"Origin")] if origin in self._origins else []
        refusal = self._refusal(headers, origin)
        if scope["method"] == "OPTIONS" and allowed:
            more = [(b"access-control-allow-headers", b"*, Authorization"), (b"access-control-allow-methods", b"*")]
            await _answer(send, 204, [*allowed, *more])
        elif refusal is not None:
            await _refuse(send, *refusal, allowed)
        else:
            key = matching(self._keys, headers.get(b"authorization", b"")) if self._keys else OPEN
            await self._app({**scope, KEY: key}, _bounded(receive), _with_headers(send, allowed))

    def _refusal(self, headers: Mapping[bytes, bytes], origin: bytes | None) -> tuple[int, str] | None:
        host = headers.get(b"host", b"").decode("latin-1").rpartition(":")
        name = host[0] if host[2].isdecimal() and host[0] else host[0] + host[1] + host[2]
        if self._loopback and name.lower() not in _LOOPBACK:
            return 421, "this server answers only to localhost"
        if origin is not None and origin not in self._origins:
            return 403, "this web page may not use the server; memgpt serve --allow-origin ORIGIN allows it"
        if self._keys and matching(self._keys, headers.get(b"authorization", b"")) is None:
            return 401, "a valid key is needed"
        size = headers.get(b"content-length", b"0")
        if not size.isdigit() or int(size) > MOST_BYTES:
            return 413, f"a request has at most {MOST_BYTES >> 20} MB"
        return None


def _bounded(receive: Receive) -> Receive:
    """The body of a request up to the bound; a longer one ends as if the client were gone."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        return {"type": "http.disconnect"} if taken > MOST_BYTES else message

    return bounded


def _with_headers(send: Send, headers: Sequence[tuple[bytes, Any]]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and headers:
            message = {**message, "headers": [*message["headers"], *headers]}
        await send(message)

    return sending


async def _refuse(send: Send, status: int, why: str, headers: Sequence[tuple[bytes, Any]]) -> None:
    body = json.dumps({"error": {"message": why, "type": "refused", "code": None, "param": None}}).encode()
    kind = [(b"content-type", b"application/json"), (b"x-should-retry", b"false")]
    await _answer(send, status, [*kind, *headers], body)


async def _answer(send: Send, status: int, headers: Sequence[tuple[bytes, Any]], body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})
