"""HTTP requests to one endpoint, with the reply as parsed server-sent events.

The openai package handles connections, retries, `Retry-After` and the event stream for every API. Anthropic's API
streams in the same way, so no second client is needed.
"""

import codecs
import json
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from memgpt_cli.domain.chat import SkippedDelta
from memgpt_cli.errors import APIKeyError, ModelError
from memgpt_cli.llm.connection import client_for, headers_for
from memgpt_cli.llm.replies.bounds import ReplyBounds
from memgpt_cli.llm.server_errors import Target, explain
from memgpt_cli.vendors import load

if TYPE_CHECKING:
    import openai


class _Stream(Protocol):
    """A stream of the openai package, extended by `_watched`. `bounds` is set before the first event is read."""

    bounds: ReplyBounds
    done: bool
    skipped: int
    response: Any

    def __iter__(self) -> Iterator[Any]: ...

    def close(self) -> None: ...


class ReplyEvents:
    """The events of one reply. Iterate over `read` once, then `close`.

    `whole`: the server sent one JSON body instead of a stream.
    """

    def __init__(self, stream: _Stream, target: Target) -> None:
        self._stream = stream
        self._target = target
        self.whole = "application/json" in stream.response.headers.get("content-type", "")

    @property
    def done(self) -> bool:
        """Whether the server has marked the end of the stream."""
        return self._stream.done

    def skipped(self) -> Iterator[SkippedDelta]:
        """After `read`: report skipped events, if there were any."""
        if self._stream.skipped:
            yield SkippedDelta(self._stream.skipped)

    def read(self, bounds: ReplyBounds) -> Iterator[Any]:
        """Yield each event as parsed JSON, or the whole reply.

        Raises ReplyBoundError, and ModelError or the error in the server's error event.
        """
        import openai

        self._stream.bounds = bounds
        try:
            if self.whole:
                yield json.loads(b"".join(_utf8(bounds.wire(self._stream.response.iter_bytes()))))
            else:
                yield from self._stream
        except openai.OpenAIError as error:
            raise explain(error, self._target) from None
        except _transport_errors() as error:
            raise ModelError(
                f"{self._target.host} broke off: {self._target.redact(str(error))}",
                hint="try again; your message is stored",
                transient=True,
            ) from None
        except (ValueError, RecursionError):
            raise ModelError(f"{self._target.host} sent invalid JSON.", hint="see the server's log") from None

    def close(self) -> None:
        """Close the connection if the reply was not read to its end."""
        self._stream.close()


class Transport:
    """The connections to one endpoint, opened by the first request. Thread-safe.

    `timeout_s` limits the wait for a connection's next bytes. A failed request is retried `max_retries` times, as long
    as no part of the reply has arrived.
    """

    def __init__(self, target: Target, *, timeout_s: float, max_retries: int) -> None:
        self.timeout_s = timeout_s
        self._target = target
        self._max_retries = max_retries
        self._client: openai.OpenAI | None = None
        self._connecting = threading.Lock()

    def open(self, path: str, body: Mapping[str, Any]) -> ReplyEvents:
        """Send a request for a stream. Raises openai.APIStatusError for a refusal, ModelError without a response."""
        load("openai")
        import openai

        try:
            stream = self._connected().post(
                path,
                body=body,
                cast_to=object,
                options={"headers": self._headers()},
                stream=True,
                stream_cls=_watched(),
            )
        except openai.APIStatusError:
            raise
        except openai.OpenAIError as error:
            raise explain(error, self._target) from None
        return ReplyEvents(cast("_Stream", stream), self._target)

    def get(self, path: str, query: Mapping[str, object]) -> Any:
        """Return the parsed response to a GET. Raises APIKeyError or ModelError."""
        load("openai")
        import openai

        try:
            return self._connected().get(path, cast_to=object, options={"headers": self._headers(), "params": query})
        except openai.OpenAIError as error:
            raise explain(error, self._target) from None
        except (ValueError, RecursionError):
            raise ModelError(f"{self._target.host} sent invalid JSON.", hint="see the server's log") from None

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._connecting:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _headers(self) -> dict[str, Any]:
        return headers_for(self._target.endpoint, api_key=self._target.api_key)

    def _connected(self) -> "openai.OpenAI":
        endpoint = self._target.endpoint
        if endpoint.needs_key and self._target.api_key is None:
            raise APIKeyError(f"{endpoint.host} needs an API key.", hint=endpoint.key_hint)
        with self._connecting:
            if self._client is None:
                self._client = client = client_for(
                    endpoint, api_key=self._target.api_key, timeout_s=self.timeout_s, max_retries=self._max_retries
                )
                weakref.finalize(self, client.close).atexit = False
            return self._client


def _watched() -> "type[openai.Stream[object]]":
    """Return a stream class that counts read and skipped events, and records whether the server marked the end."""
    import openai

    class Watched(openai.Stream[object]):
        bounds: ReplyBounds
        done = False
        skipped = 0

        def _iter_events(self) -> Iterator[Any]:
            for event in self._decoder.iter_bytes(_utf8(self.bounds.wire(self.response.iter_bytes()))):
                self.done = self.done or event.data.startswith("[DONE]")
                if self.done or _is_json(event.data):
                    yield event
                elif any(mark in event.data for mark in '{["'):  # others are keep-alives
                    self.skipped += 1

    return Watched


def _utf8(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Replace invalid UTF-8 by U+FFFD. A character may be in two pieces."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


def _is_json(data: str) -> bool:
    """Whether an event can be parsed: valid JSON, not nested too deeply, without numbers of thousands of digits."""
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _transport_errors() -> tuple[type[Exception], ...]:
    """Return the errors of openai's HTTP package for a connection that breaks in a body: httpx2, formerly httpx."""
    transport = sys.modules.get("httpx2") or sys.modules.get("httpx")
    return (transport.HTTPError, transport.StreamError) if transport is not None else ()
