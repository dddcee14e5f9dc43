"""One model call: the request in Chat Completions form, and the deltas of the reply.

The wire form is made only here, because the promise that a prompt only grows at its end is about exactly these bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from memgpt_cli.domain.messages import FunctionCall, Opaque, clean
from memgpt_cli.domain.pictures import Picture

PromptRole = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptMessage:
    """A message as the model sees it. A `picture` comes before the text.

    `opaque` is for the adapter that wrote it; `to_wire` omits it.
    """

    role: PromptRole
    content: str | None
    calls: tuple[FunctionCall, ...] = ()
    call_id: str | None = None
    picture: Picture | None = None
    opaque: Opaque | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the Chat Completions form, with keys in a fixed order."""
        wire: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.picture is not None:
            import base64

            data = base64.b64encode(self.picture.content).decode("ascii")
            image = {"type": "image_url", "image_url": {"url": f"data:{self.picture.kind};base64,{data}"}}
            wire["content"] = [image, {"type": "text", "text": self.content or ""}]
        if self.calls:
            wire["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
                for call in self.calls
            ]
        if self.call_id is not None:
            wire["tool_call_id"] = self.call_id
        return wire

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "PromptMessage":
        """The inverse of `to_wire`, for a message without a picture and without opaque fields."""
        return cls(
            role=wire["role"],
            content=wire["content"],
            calls=tuple(
                FunctionCall(id=c["id"], name=c["function"]["name"], arguments=c["function"]["arguments"])
                for c in wire.get("tool_calls", ())
            ),
            call_id=wire.get("tool_call_id"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSchema:
    """A function as the model sees it; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]

    def to_wire(self) -> dict[str, Any]:
        """Return the Chat Completions form."""
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": dict(self.parameters)},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One call. `max_tokens` limits the reply. Without `may_call` the reply must be text, even if `tools` are given.

    A request that must not call functions still contains the tools, so that its prefix is the one in the server's
    cache.
    """

    model: str
    messages: tuple[PromptMessage, ...]
    tools: tuple[ToolSchema, ...] = ()
    max_tokens: int | None = None
    may_call: bool = True

    def body(self) -> dict[str, Any]:
        """Return the body of `POST /chat/completions`, before an adapter adapts it to its server."""
        body: dict[str, Any] = {"model": self.model, "messages": [m.to_wire() for m in self.messages]}
        if self.tools:
            body["tools"] = [tool.to_wire() for tool in self.tools]
            if not self.may_call:
                body["tool_choice"] = "none"
        if self.max_tokens is not None:
            body["max_tokens"] = self.max_tokens
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
        return body


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the reply's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtDelta:
    """The next piece of reasoning that a server reports separately from the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class RetractDelta:
    """All text so far was reasoning: its closing mark arrived, and the chat template had opened it in the prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDelta:
    """The next piece of the call at `index`: `id` and `name` come once, `arguments` in pieces or complete."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class CutDelta:
    """The reply was cut off: `length` (its tokens were used up) or `content_filter`."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call as the server counts them.

    `prompt_tokens` includes `cached_tokens`, read from its cache, and `cache_write_tokens`, written to its cache.
    `cost_usd` is the call's cost, if the server states it.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class WaitDelta:
    """The reason for the current wait; an empty text ends the wait."""

    text: str


@dataclass(frozen=True, slots=True)
class SkippedDelta:
    """The number of `events` of the reply that could not be read and are missing."""

    events: int


Delta = TextDelta | ThoughtDelta | RetractDelta | CallDelta | CutDelta | Opaque | Usage | WaitDelta | SkippedDelta
"""A piece of a reply. `Opaque` comes at most once, after all text and calls; it must be sent back with this reply."""


def arguments_object(raw: str) -> dict[str, Any] | None:
    """Return the arguments of a call as a mapping that can be stored, or None if they are not one JSON object."""
    try:
        value = json.loads(raw or "{}")
        if "\\u" in raw:  # an escaped lone surrogate is valid JSON, but no encoding accepts it
            value = json.loads(clean(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
