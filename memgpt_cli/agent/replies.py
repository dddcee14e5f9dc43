"""Assemble a streamed reply, and read the reply of a stored turn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from memgpt_cli.domain.chat import (
    CallDelta,
    CutDelta,
    Delta,
    RetractDelta,
    SkippedDelta,
    TextDelta,
    ThoughtDelta,
    Usage,
    arguments_object,
)
from memgpt_cli.domain.events import Happening, Notice, StepCommitted, ThoughtText
from memgpt_cli.domain.messages import FunctionCall, Message, Opaque, Role, clean


@dataclass(slots=True)
class PartialReply:
    """What one model call has returned so far."""

    text: str = ""
    thought: str = ""
    usage: Usage = field(default_factory=Usage)
    usage_reported: bool = False
    cut: str = ""
    skipped: int = 0
    opaque: Opaque | None = None
    _calls: dict[int, dict[str, str]] = field(default_factory=dict)

    def add(self, delta: Delta) -> None:
        """Add the next delta."""
        if isinstance(delta, TextDelta):
            self.text += delta.text
        elif isinstance(delta, ThoughtDelta):
            self.thought += delta.text
        elif isinstance(delta, RetractDelta):
            self.thought, self.text = self.thought + self.text, ""
        elif isinstance(delta, CallDelta):
            call = self._calls.setdefault(delta.index, {"id": "", "name": "", "arguments": ""})
            call["id"] = delta.id or call["id"]
            call["name"] = delta.name or call["name"]
            call["arguments"] += delta.arguments
        elif isinstance(delta, CutDelta):
            self.cut = delta.reason
        elif isinstance(delta, SkippedDelta):
            self.skipped += delta.events
        elif isinstance(delta, Opaque):
            self.opaque = delta
        elif isinstance(delta, Usage):
            self.usage = delta
            self.usage_reported = delta.prompt_tokens > 0

    def calls(self, step_key: str) -> tuple[FunctionCall, ...]:
        """Return the calls in order. We assign the ids: nine digits, valid on every server and unique in the prompt."""
        return tuple(
            FunctionCall(id=f"{step_key}{n:02d}"[-9:], name=clean(c["name"]), arguments=clean(c["arguments"] or "{}"))
            for n, (_, c) in enumerate(sorted(self._calls.items()))
        )


_CUT: Final = {
    "length": "the reply was cut off where its tokens ran out: memgpt config set window.reserve TOKENS leaves it more",
    "content_filter": "the provider's content filter cut the reply off",
    "too_long": "the reply was cut off: the server sent far more than it was asked for",
    "stalled": "the reply was cut off: the server sent nothing more of it in time",
}


def told(committed: StepCommitted, reply: PartialReply) -> Iterator[Happening]:
    """Yield the happenings of a stored step, for display."""
    if reply.cut:
        yield Notice(_CUT.get(reply.cut, reply.cut))
    if reply.skipped:
        yield Notice("part of the reply could not be read and is missing")
    if reply.thought:
        yield ThoughtText(reply.thought)
    if committed.functions and reply.text.strip():
        yield ThoughtText(reply.text)
    yield from committed.functions
    yield committed


def reply_of(messages: Sequence[Message]) -> str:
    """Return the reply of a stored turn: the messages its calls sent, or its last plain text."""
    sending = {m.call_id for m in messages if m.effects.replied}
    sent = [
        str((arguments_object(call.arguments) or {}).get("message", ""))
        for message in messages
        for call in message.calls
        if call.id in sending
    ]
    if sent:
        return "\n".join(sent)
    plain = [m.text for m in messages if m.role is Role.ASSISTANT and not m.calls]
    return plain[-1] if plain else ""
