"""Requests over HTTP to one endpoint, with the reply as parsed server-sent events.

The openai package does the talking for every API: connections, retries, `Retry-After`, the event stream. Anthropic's
API streams in the same way, so that no second client is needed.
"""

import json
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.errors import APIKeyError, ModelError
from memgpt_cli.llm.connection import client_for, headers_for
from memgpt_cli.llm.server_errors import Target, explain
from memgpt_cli.vendors import load

if TYPE_CHECKING:
    import openai


MOST_BYTES: Final = 64 * 2**20
"""Bytes of the longest reply that is read. The events of 128,000 tokens, one each, take about half of that."""


class Transport:
    """The connections to one endpoint; opened by the first request. Several threads may use it.

    `timeout_s` bounds the wait for a connection's next bytes. A failed request is repeated `max_retries` times, as long
    as nothing of the reply has come.
    """

    def __init__(self, target: Target, *, timeout_s: float, max_retries: int) -> None:
        self.timeout_s = timeout_s
        self._target = target
        self._max_retries = max_retries
        self._client: openai.OpenAI | None = None
        self._connecting = threading.Lock()

    def open(self, path: str, body: Mapping[str, Any]) -> "openai.Stream[object]":
        """Send a request for a stream. Raises openai.APIStatusError for a refusal, ModelError when nobody answers."""
        load("openai")
        import openai

        try:
            return self._connected().post(
                path,
                body=body,
                cast_to=object,
                options={"headers": self._headers()},
                stream=True,
                stream_cls=_bounded_stream(self._target.host),
            )
        except openai.APIStatusError:
            raise
        except openai.OpenAIError as error:
            raise explain(error, self._target) from None

    def read(self, events: "openai.Stream[object]") -> Iterator[Any]:
        """Each event as parsed JSON, or the whole reply of a server that does not stream. Closes the stream at the end.

        Raises ModelError or what the server's error event stands for.
        """
        import openai

        whole = "application/json" in events.response.headers.get("content-type", "")
        try:
            body = _bounded(events.response.iter_bytes(), self._target.host)
            yield from [json.loads(b"".join(body))] if whole else events
        except openai.OpenAIError as error:
            raise explain(error, self._target) from None
        except _transport_errors() as error:
            raise ModelError(
                f"{self._target.host} broke off: {self._target.redact(str(error))}",
                hint="try again; what was said is kept",
                transient=True,
            ) from None
        except (ValueError, RecursionError):
            raise ModelError(f"{self._target.host} sent invalid JSON.", hint="see the server's log") from None
        finally:
            events.close()

    def get(self, path: str) -> Any:
        """The parsed answer to a GET. Raises APIKeyError or ModelError."""
        load("openai")
        import openai

        try:
            return self._connected().get(path, cast_to=object, options={"headers": self._headers()})
        except openai.OpenAIError as error:
            raise explain(error, self._target) from None

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


def _bounded_stream(host: str) -> "type[openai.Stream[object]]":
    """A stream of events that ends with an error once it is longer than any reply."""
    import openai

    class Bounded(openai.Stream[object]):
        def _iter_events(self) -> Iterator[Any]:
            yield from self._decoder.iter_bytes(_bounded(self.response.iter_bytes(), host))

    return Bounded


def _bounded(chunks: Iterator[bytes], host: str) -> Iterator[bytes]:
    """The same chunks, as they are after decompression. Raises ModelError when there are too many bytes of them."""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > MOST_BYTES:
            raise ModelError(f"{host} sent more than {MOST_BYTES:,} bytes.", hint="see the server's log")
        yield chunk


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the package under openai raises when a connection breaks while a body is read: httpx2, formerly httpx."""
    transport = sys.modules.get("httpx2") or sys.modules.get("httpx")
    return (transport.HTTPError, transport.StreamError) if transport is not None else ()
