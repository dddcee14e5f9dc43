"""Chat Completions over any base URL: OpenAI, Ollama, vLLM, llama.cpp, LM Studio, OpenRouter and similar servers.

This module handles differences between servers' requests. `replies` handles replies, `server_errors` refusals,
`transport` connections.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from memgpt_cli.domain.chat import ChatRequest, Delta, PromptMessage
from memgpt_cli.domain.endpoint_traits import EndpointTraits
from memgpt_cli.domain.endpoints import Endpoint, Provider
from memgpt_cli.errors import ContextLengthError, MemGPTError, ModelError
from memgpt_cli.llm.connection import usable_key
from memgpt_cli.llm.endpoint_memory import ProcessEndpointMemory
from memgpt_cli.llm.refusals import MOST_ATTEMPTS, form_of, taught
from memgpt_cli.llm.replies.bounds import ReplyBoundError, ReplyBounds
from memgpt_cli.llm.replies.stream import ReplyStream
from memgpt_cli.llm.server_errors import Target, explain
from memgpt_cli.llm.transport import ReplyEvents, Transport
from memgpt_cli.llm.wire import sendable
from memgpt_cli.llm.wire_messages import wire_messages
from memgpt_cli.llm.written_tools import NO_CALLS_NOW, STOP, instructions
from memgpt_cli.ports import ChatModel, EndpointMemory
from memgpt_cli.vendors import load

if TYPE_CHECKING:
    import openai


class OpenAIChat(ChatModel):
    """A model over HTTP.

    `base_url` None is OpenAI. `timeout_s` limits the wait for a connection's next bytes, not the whole reply: a local
    model may take minutes to read a long prompt. A failed call is retried `max_retries` times, with growing pauses or
    those that the server requests, as long as no part of the reply has arrived. `reasoning_effort` is sent unchanged if
    the server accepts it. Learned refusals are stored in `memory`. Thread-safe.

    Raises ConfigError if `base_url` is not a URL, APIKeyError for a key that is not valid in a header.
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
        self._transport = Transport(self._endpoint, timeout_s=timeout_s, max_retries=max_retries)
        self._is_openai = endpoint.is_openai
        self._reasoning_effort = reasoning_effort
        self._memory = memory or ProcessEndpointMemory()

    @override
    @property
    def name(self) -> str:
        return self._endpoint.model

    @override
    @property
    def origin(self) -> str:
        return f"chat {self._endpoint.base_url} {self._endpoint.model}"

    @override
    def body(self, request: ChatRequest) -> dict[str, Any]:
        """Return the exact body that `stream` sends, in the form that this server accepts."""
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
        """Return what this process and others learned about this model at this endpoint."""
        return self._memory.traits(self._endpoint.base_url, self._endpoint.model)

    @property
    def _limit_fields(self) -> tuple[str, str, str]:
        """Return the fields that may limit the reply, in the order of the tries; "" is none."""
        usual, other = (
            ("max_completion_tokens", "max_tokens") if self._is_openai else ("max_tokens", "max_completion_tokens")
        )
        return usual, other, ""

    @override
    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it arrives, then its usage if the server reports it.

        Closing the iterator, or an interrupt in it, closes the connection. Raises ContextLengthError, RateLimitError,
        APIKeyError or ModelError, also after a part of the reply has arrived.
        """
        reply = ReplyStream(request, origin=self.origin)
        bounds = ReplyBounds(request.max_tokens, idle_s=self._transport.timeout_s)
        events = self._open(request)
        cut = ""
        try:
            for chunk in events.read(bounds):
                before = reply.characters
                yield from reply.feed(chunk)
                bounds.content(reply.characters - before)
        except ReplyBoundError as bound:
            cut = bound.reason
        finally:
            events.close()
        yield from reply.finish(complete=events.whole or bool(cut) or events.done, cut=cut)
        yield from events.skipped()

    @override
    def close(self) -> None:
        self._transport.close()

    def _open(self, request: ChatRequest) -> ReplyEvents:
        """Send the request; if the server refuses its form, try other forms. A form that works is remembered."""
        load("openai")
        import openai

        traits = known = self.traits
        for attempt in range(MOST_ATTEMPTS):
            body = self._body(request, traits)
            try:
                events = self._transport.open("/chat/completions", body)
            except openai.APIStatusError as error:
                meant = list(taught(error, body, traits, self._limit_fields))
                other = next((t for t in meant if self._body(request, t) != body), None)
                if other is None or attempt + 1 == MOST_ATTEMPTS:
                    self._learn_about_prompt(error, known, traits)
                    raise self._refusal(error, is_about_form=bool(meant)) from None
                traits = other
            else:
                self._learn(known, traits)
                return events
        raise AssertionError("the last attempt returns or raises")

    def _refusal(self, error: "openai.APIStatusError", *, is_about_form: bool) -> MemGPTError:
        """Return the error for a refusal.

        One about the request's form is final, also with a status of unavailable servers.
        """
        explained = explain(error, self._endpoint)
        if is_about_form and isinstance(explained, ModelError):
            explained.transient = False
        return explained

    def _learn(self, known: EndpointTraits, found: EndpointTraits) -> None:
        """Store what an accepted request has shown."""
        if found != known:
            new = {name: value for name, value in found.known().items() if getattr(known, name) != value}
            self._memory.learn(self._endpoint.base_url, self._endpoint.model, EndpointTraits(**dict[str, Any](new)))

    def _learn_about_prompt(self, error: "openai.APIStatusError", known: EndpointTraits, found: EndpointTraits) -> None:
        """Store the form of a prompt that was refused for its length: the form was accepted."""
        if isinstance(explain(error, self._endpoint), ContextLengthError):
            self._learn(known, found)


def _in_text(request: ChatRequest, body: dict[str, Any]) -> tuple[ChatRequest, dict[str, Any]]:
    """Return the request and its body with the functions in the system message instead of in `tools`."""
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
