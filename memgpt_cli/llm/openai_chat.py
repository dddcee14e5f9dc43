"""Chat Completions over any base URL: OpenAI, Ollama, vLLM, llama.cpp, LM Studio, OpenRouter and their likes.

The openai package does the talking (connections, retries, server-sent events); it is imported at the first call, and
kept on the leash of `connection`. Here is what differs between servers' requests; what differs between their replies is
in `replies`, between their refusals in `server_errors`.
"""

import json
import sys
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.chat import ChatRequest, Delta, PromptMessage
from memgpt_cli.domain.endpoint_traits import EndpointTraits
from memgpt_cli.domain.endpoints import Endpoint, Provider
from memgpt_cli.errors import APIKeyError, ContextLengthError, ModelError
from memgpt_cli.llm.connection import client_for, headers_for, usable_key
from memgpt_cli.llm.endpoint_memory import ProcessEndpointMemory
from memgpt_cli.llm.refusals import MOST_ATTEMPTS, form_of, taught
from memgpt_cli.llm.replies.bounds import ReplyBoundError, ReplyBounds
from memgpt_cli.llm.replies.stream import ReplyStream
from memgpt_cli.llm.server_errors import Target, explain
from memgpt_cli.llm.wire import sendable
from memgpt_cli.llm.wire_messages import wire_messages
from memgpt_cli.llm.written_tools import NO_CALLS_NOW, STOP, instructions
from memgpt_cli.ports import EndpointMemory
from memgpt_cli.vendors import load

if TYPE_CHECKING:
    import openai


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model that an endpoint lists; `window` in tokens where the server tells it."""

    name: str
    window: int | None = None


class OpenAIChat:
    """ports.ChatModel over HTTP.

    `base_url` None is OpenAI. `timeout_s` bounds the wait for a connection's next bytes, not the whole reply: a local
    model may take minutes to read a long prompt. A failed call is repeated `max_retries` times, with growing pauses or
    those that the server asks for, as long as nothing of the reply has come. `reasoning_effort` goes into the request
    as it stands, where the server takes it. What its server refuses is kept in `memory`. One instance may serve several
    threads.

    Raises ConfigError if `base_url` is not a URL, APIKeyError for a key that no header can carry.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None,
        api_key: str | None,
        timeout_s: float = 600.0,
        max_retries: int = 2,
        reasoning_effort: str | None = None,
        provider: Provider = Provider.OPENAI_CHAT,
        memory: EndpointMemory | None = None,
        extra_body: str | None = None,
    ) -> None:
        endpoint = replace(Endpoint.at(base_url, model=model, provider=provider), extra_body=extra_body)
        self._endpoint = Target(model=model, endpoint=endpoint, api_key=usable_key(api_key))
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self._is_openai = endpoint.is_openai
        self._reasoning_effort = reasoning_effort
        self._memory = memory or ProcessEndpointMemory()
        self._client: openai.OpenAI | None = None
        self._connecting = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name, as the server knows it."""
        return self._endpoint.model

    @property
    def origin(self) -> str:
        """`chat`, the base URL and the model."""
        return f"chat {self._endpoint.base_url} {self._endpoint.model}"

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The exact body that `stream` sends, in the form that this server was found to take."""
        return self._body(request, self.traits)

    def _body(self, request: ChatRequest, traits: EndpointTraits) -> dict[str, Any]:
        body = request.body()
        if traits.takes_tools is False:
            request, body = _in_text(request, body)
        body["messages"] = wire_messages(request.messages, form_of(traits))
        limit = body.pop("max_tokens", None)
        limit_field = self._limit_fields[0] if traits.limit_field is None else traits.limit_field
        if limit is not None and limit_field:
            body[limit_field] = limit
        if self._reasoning_effort is not None:
            body["reasoning_effort"] = self._reasoning_effort
        body |= self._endpoint.endpoint.extra_fields
        return {field: sendable(value) for field, value in body.items() if field not in traits.refused_fields}

    @property
    def traits(self) -> EndpointTraits:
        """What was learned about this model at this endpoint, by this process and others."""
        return self._memory.traits(self._endpoint.base_url, self._endpoint.model)

    @property
    def _limit_fields(self) -> tuple[str, str, str]:
        """The fields that may bound the reply, in the order in which they are tried; "" is none."""
        usual, other = (
            ("max_completion_tokens", "max_tokens") if self._is_openai else ("max_tokens", "max_completion_tokens")
        )
        return usual, other, ""

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it comes, at the end its usage where the server reports it.

        Closing the iterator, or an interrupt in it, closes the connection. Raises ContextLengthError, RateLimitError,
        APIKeyError or ModelError; after a part of the reply has come too.
        """
        load("openai")
        import openai

        reply = ReplyStream(request, origin=self.origin)
        bounds = ReplyBounds(request.max_tokens, idle_s=self._timeout_s)
        events = self._open(request)
        setattr(events, "bounds", bounds)  # noqa: B010 - of the class that `_watched` makes
        whole = _is_whole(events)
        cut = ""
        try:
            for chunk in [json.loads(b"".join(bounds.wire(events.response.iter_bytes())))] if whole else events:
                before = reply.characters
                yield from reply.feed(chunk)
                bounds.content(reply.characters - before)
        except ReplyBoundError as bound:
            cut = bound.reason
        except openai.OpenAIError as error:
            raise explain(error, self._endpoint) from None
        except _transport_errors() as error:
            raise ModelError(
                f"{self._endpoint.host} broke off: {error}", hint="try again; what was said is kept", transient=True
            ) from None
        except (ValueError, RecursionError):
            raise ModelError(f"{self._endpoint.host} sent what is no JSON.", hint="see the server's log") from None
        finally:
            events.close()
        yield from reply.finish(complete=whole or bool(cut) or getattr(events, "done", False), cut=cut)

    def models(self) -> list[ServedModel]:
        """What the endpoint says that it serves, by name. Raises APIKeyError or ModelError."""
        load("openai")
        import openai

        try:
            listed = self._connected().get("/models", cast_to=object, options={"headers": self._headers()})
        except openai.OpenAIError as error:
            raise explain(error, self._endpoint) from None
        rows = listed.get("data") if isinstance(listed, dict) else None
        found = [row for row in rows or () if isinstance(row, dict) and isinstance(row.get("id"), str)]
        return sorted((ServedModel(name=row["id"], window=_window(row)) for row in found), key=lambda m: m.name)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._connecting:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _open(self, request: ChatRequest) -> "openai.Stream[object]":
        """Send the request; where the server refuses its form, again in another one. What works is remembered."""
        import openai

        traits = known = self.traits
        for attempt in range(MOST_ATTEMPTS):
            body = self._body(request, traits)
            try:
                events = self._post(body)
            except openai.APIStatusError as error:
                meant = taught(error, body, traits, self._limit_fields) if attempt + 1 < MOST_ATTEMPTS else iter(())
                other = next((t for t in meant if self._body(request, t) != body), None)
                if other is None:
                    self._learn_about_prompt(error, known, traits)
                    raise explain(error, self._endpoint) from None
                traits = other
            except openai.OpenAIError as error:
                raise explain(error, self._endpoint) from None
            else:
                self._learn(known, traits)
                return events
        raise AssertionError("the last attempt returns or raises")

    def _post(self, body: dict[str, Any]) -> "openai.Stream[object]":
        return self._connected().post(
            "/chat/completions",
            body=body,
            cast_to=object,
            options={"headers": self._headers()},
            stream=True,
            stream_cls=_watched(),
        )

    def _learn(self, known: EndpointTraits, found: EndpointTraits) -> None:
        """Remember what a request that was taken has shown."""
        if found != known:
            new = {name: value for name, value in found.known().items() if getattr(known, name) != value}
            self._memory.learn(self._endpoint.base_url, self._endpoint.model, EndpointTraits(**dict[str, Any](new)))

    def _learn_about_prompt(self, error: "openai.APIStatusError", known: EndpointTraits, found: EndpointTraits) -> None:
        """A prompt that is refused for its length was in the right form."""
        if isinstance(explain(error, self._endpoint), ContextLengthError):
            self._learn(known, found)

    def _headers(self) -> dict[str, Any]:
        return headers_for(self._endpoint.endpoint, api_key=self._endpoint.api_key)

    def _connected(self) -> "openai.OpenAI":
        if self._is_openai and self._endpoint.api_key is None:
            raise APIKeyError(
                "OpenAI needs an API key.",
                hint="export OPENAI_API_KEY=... or memgpt keys set openai (or --model offline)",
            )
        with self._connecting:
            if self._client is None:
                self._client = client = client_for(
                    self._endpoint.endpoint,
                    api_key=self._endpoint.api_key,
                    timeout_s=self._timeout_s,
                    max_retries=self._max_retries,
                )
                weakref.finalize(self, client.close).atexit = False
            return self._client


def _in_text(request: ChatRequest, body: dict[str, Any]) -> tuple[ChatRequest, dict[str, Any]]:
    """The request and its body with the functions in the system message instead of in `tools`."""
    plain = {field: value for field, value in body.items() if field not in ("tools", "tool_choice")}
    if not request.tools:
        return request, plain
    system, rest = PromptMessage(role="system", content=""), request.messages
    if rest and rest[0].role == "system":
        system, rest = rest[0], rest[1:]
    text = f"{system.content}\n\n{instructions(request.tools)}".lstrip()
    messages = [replace(system, content=text), *rest]
    if not request.may_call:
        messages.append(PromptMessage(role="user", content=NO_CALLS_NOW))
    return replace(request, messages=tuple(messages)), {**plain, "stop": [STOP]}


def _is_whole(events: "openai.Stream[object]") -> bool:
    """Whether the server does not stream: it is taken at its one word."""
    return "application/json" in events.response.headers.get("content-type", "")


def _watched() -> "type[openai.Stream[object]]":
    """A stream that knows whether the server has said that it is done; the package tells nobody."""
    import openai

    class Watched(openai.Stream[object]):
        done = False

        bounds: ReplyBounds

        def _iter_events(self) -> Iterator[Any]:
            for event in self._decoder.iter_bytes(self.bounds.wire(self.response.iter_bytes())):
                self.done = self.done or event.data.startswith("[DONE]")
                yield event

    return Watched


def _transport_errors() -> tuple[type[Exception], ...]:
    """What the package under openai raises when a connection breaks while a body is read: httpx2, formerly httpx."""
    transport = sys.modules.get("httpx2") or sys.modules.get("httpx")
    return (transport.HTTPError, transport.StreamError) if transport is not None else ()


def _window(row: dict[str, Any]) -> int | None:
    """vLLM, OpenRouter and LM Studio tell a model's window, each under its own name."""
    for key in ("max_model_len", "context_length", "max_context_length", "context_window"):
        if isinstance(row.get(key), int):
            return int(row[key])
    return None
