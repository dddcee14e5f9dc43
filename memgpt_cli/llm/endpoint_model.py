"""A model behind an endpoint with another API than Chat Completions."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from memgpt_cli.domain.chat import CallDelta, ChatRequest, Delta, TextDelta, ThoughtDelta
from memgpt_cli.domain.endpoint_traits import EndpointTraits
from memgpt_cli.domain.messages import Opaque
from memgpt_cli.errors import ModelError
from memgpt_cli.llm.endpoint_memory import ProcessEndpointMemory
from memgpt_cli.llm.replies.bounds import STALLED, ReplyBoundError, ReplyBounds
from memgpt_cli.llm.server_errors import Target, explain, is_about
from memgpt_cli.llm.transport import ReplyEvents, Transport
from memgpt_cli.llm.wire import Wire, sendable
from memgpt_cli.ports import ChatModel, EndpointMemory
from memgpt_cli.vendors import load

if TYPE_CHECKING:
    import openai


_UNVERIFIED: Final = re.compile(
    r"signature|thinking`? block|redacted_thinking|encrypted[ _]content|required '?reasoning|required following item",
    re.IGNORECASE,
)
"""Refusals of opaque fields: they belong to another account or conversation, or the server has changed its keys."""


class EndpointModel(ChatModel):
    """A model over HTTP in the form of `wire`.

    The endpoint's extra fields are added to each request unchanged. Optional fields that the server refuses are left
    out from then on, and stored in `memory`; opaque fields that it cannot verify are left out in this process.
    Thread-safe.
    """

    def __init__(
        self,
        target: Target,
        wire: Wire,
        transport: Transport,
        *,
        memory: EndpointMemory | None = None,
    ) -> None:
        self._target = target
        self._wire = wire
        self._transport = transport
        self._extra_body = target.endpoint.extra_fields
        self._memory = memory or ProcessEndpointMemory()
        self._refused: set[Opaque] = set()

    @override
    @property
    def name(self) -> str:
        return self._target.model

    @override
    @property
    def origin(self) -> str:
        return f"{self._wire.name} {self._target.base_url} {self._target.model}"

    @override
    def body(self, request: ChatRequest) -> dict[str, Any]:
        """Return the exact body that `stream` sends, without the fields that this server refuses."""
        refused = self._memory.traits(self._target.base_url, self._target.model).refused_fields
        body = self._wire.body(self._accepted(request))
        body = {field: value for field, value in body.items() if field not in refused}
        return {field: sendable(value) for field, value in (body | self._extra_body).items()}

    @override
    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it arrives, then its opaque fields, then its usage.

        Closing the iterator, or an interrupt in it, closes the connection. Raises ContextLengthError, RateLimitError,
        APIKeyError or ModelError, also after a part of the reply has arrived.
        """
        events = self._open(request)
        reader = self._wire.reader(self._accepted(request), self.origin)
        bounds = ReplyBounds(request.max_tokens, idle_s=self._transport.timeout_s)
        try:
            for event in events.read(bounds):
                deltas = list(reader.feed(event))
                bounds.content(sum(_characters(delta) for delta in deltas))
                yield from deltas
        except ReplyBoundError as bound:
            raise self._over(bound) from None
        finally:
            events.close()
        yield from reader.finish()
        yield from events.skipped()

    @override
    def close(self) -> None:
        self._transport.close()

    def _over(self, bound: ReplyBoundError) -> ModelError:
        """Return the error for a reply over a limit: without its signature, its thinking is unusable."""
        if bound.reason == STALLED:
            said = f"said nothing for {self._transport.timeout_s:g} s"
            return ModelError(
                f"{self._target.host} {said}.", hint="try again in a moment; your message is stored", transient=True
            )
        return ModelError(f"{self._target.host} sent a longer reply than was asked for.", hint="see the server's log")

    def _open(self, request: ChatRequest) -> ReplyEvents:
        """Send the request; if the server refuses an optional field, retry once without it."""
        load("openai")
        import openai

        while True:
            body = self.body(request)
            try:
                return self._transport.open(self._wire.path, body)
            except openai.APIStatusError as error:
                if not (self._learn(error, body) or self._drop_opaque(error, request)):
                    raise explain(error, self._target) from None

    def _accepted(self, request: ChatRequest) -> ChatRequest:
        """Return the request without the opaque fields that the server has refused."""
        if not self._refused:
            return request
        messages = (replace(m, opaque=None) if m.opaque in self._refused else m for m in request.messages)
        return replace(request, messages=tuple(messages))

    def _drop_opaque(self, error: "openai.APIStatusError", request: ChatRequest) -> bool:
        """Remove all opaque fields of this prompt after the server refused one; False if there are none."""
        sent = {m.opaque for m in self._accepted(request).messages if m.opaque is not None}
        if not sent or error.status_code not in (400, 404, 422) or not _UNVERIFIED.search(str(error)):
            return False
        self._refused |= sent
        return True

    def _learn(self, error: "openai.APIStatusError", body: Mapping[str, Any]) -> bool:
        """Learn from a refusal which fields this server accepts; False if there is nothing to learn."""
        fields = (field for field in self._wire.optional_fields if field in body and field not in self._extra_body)
        refused = next((field for field in fields if is_about(error, field)), None)
        if refused is None or error.status_code not in (400, 422):
            return False
        known = self._memory.traits(self._target.base_url, self._target.model).refused_fields
        self._memory.learn(self._target.base_url, self._target.model, EndpointTraits(refused_fields=known | {refused}))
        return True


def _characters(delta: Delta) -> int:
    """How long a delta is, as the bounds count it."""
    if isinstance(delta, TextDelta | ThoughtDelta):
        return len(delta.text)
    return len(delta.arguments) if isinstance(delta, CallDelta) else 0
