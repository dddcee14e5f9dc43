"""Replies of Anthropic's Messages API: events, or one complete message, as deltas.

Thinking blocks are stored unchanged, with the order of the reply's other blocks and a digest of the prompt that they
answered, because they are valid only after that prompt. Texts and arguments are stored once, with the message.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from memgpt_cli.domain.chat import CallDelta, CutDelta, Delta, TextDelta, ThoughtDelta, Usage
from memgpt_cli.domain.messages import Opaque
from memgpt_cli.errors import ModelError
from memgpt_cli.llm.event_errors import explain_event
from memgpt_cli.llm.server_errors import Target

_CUTS: Final = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
_THINKING: Final = ("thinking", "redacted_thinking")
_MOST_TOKENS: Final = 10**9


class MessageReader:
    """Reads one reply. `after` is the digest of the prompt that it answers."""

    def __init__(self, target: Target, origin: str, *, after: str, max_tokens: int | None) -> None:
        self._target = target
        self._origin = origin
        self._after = after
        self._max_tokens = max_tokens
        self._blocks: dict[int, dict[str, Any]] = {}
        self._lengths: dict[int, int] = {}
        self._calls: dict[int, int] = {}
        self._usage: dict[str, Any] = {}
        self._stop_reason: str | None = None

    def feed(self, event: Any) -> Iterator[Delta]:
        """Yield the deltas of one event; `ping` and unknown events have none."""
        if not isinstance(event, dict):
            return
        kind, at = event.get("type"), event.get("index", 0)
        if kind == "error":
            raise explain_event(event.get("error"), self._target)
        if kind == "message":  # a server that does not stream
            yield from self._whole(event)
        elif kind == "message_start":
            message = event.get("message")
            self._note_usage(message.get("usage") if isinstance(message, dict) else None)
        elif kind == "content_block_start":
            yield from self._started(at, event.get("content_block"))
        elif kind == "content_block_delta" and isinstance(event.get("delta"), dict):
            yield from self._more(at, event["delta"])
        elif kind == "message_delta":
            delta = event.get("delta")
            self._stop_reason = delta.get("stop_reason") if isinstance(delta, dict) else self._stop_reason
            self._note_usage(event.get("usage"))
        elif kind == "message_stop":
            self._stop_reason = self._stop_reason or "end_turn"

    def finish(self) -> Iterator[Delta]:
        """Yield the reason of a cut, the thinking to send back, and the usage."""
        if self._stop_reason is None:
            raise ModelError(
                f"{self._target.host} closed the connection in the middle of the reply.",
                hint="try again; your message is stored",
                transient=True,
            )
        if not any(self._lengths.values()) and not self._calls:
            raise self._silent()
        if self._stop_reason in _CUTS:
            yield CutDelta(_CUTS[self._stop_reason])
        blocks = [entry for at, block in sorted(self._blocks.items()) if (entry := self._entry(at, block))]
        if any(block["type"] in _THINKING for block in blocks):
            yield Opaque(origin=self._origin, content=json.dumps({"after": self._after, "blocks": blocks}))
        if (usage := self._counted()) is not None:
            yield usage

    def _whole(self, message: Mapping[str, Any]) -> Iterator[Delta]:
        content = message.get("content")
        for at, block in enumerate(content if isinstance(content, list) else ()):
            yield from self._started(at, block)
        self._note_usage(message.get("usage"))
        self._stop_reason = str(message.get("stop_reason") or "end_turn")

    def _started(self, at: int, block: Any) -> Iterator[Delta]:
        """Start a block; a server that does not stream sends it complete."""
        if not isinstance(block, dict):
            return
        kind = block.get("type")
        self._blocks[at] = dict(block)
        if kind == "tool_use":
            self._calls[at] = len(self._calls)
            given = block.get("input")
            arguments = json.dumps(given, ensure_ascii=False) if given else ""
            name = str(block.get("name") or "")
            yield CallDelta(index=self._calls[at], id=str(block.get("id") or ""), name=name, arguments=arguments)
        elif kind == "text":
            yield from self._text(at, block.get("text"))
        elif kind == "thinking" and block.get("thinking"):
            yield ThoughtDelta(str(block["thinking"]))

    def _more(self, at: int, delta: Mapping[str, Any]) -> Iterator[Delta]:
        kind = delta.get("type")
        if kind == "text_delta":
            yield from self._text(at, delta.get("text"))
        elif kind == "input_json_delta" and at in self._calls and delta.get("partial_json"):
            yield CallDelta(index=self._calls[at], arguments=str(delta["partial_json"]))
        elif kind in ("thinking_delta", "signature_delta") and at in self._blocks:
            field = "thinking" if kind == "thinking_delta" else "signature"
            piece = str(delta.get(field) or "")
            self._blocks[at][field] = str(self._blocks[at].get(field) or "") + piece
            if field == "thinking" and piece:
                yield ThoughtDelta(piece)

    def _text(self, at: int, piece: Any) -> Iterator[Delta]:
        if isinstance(piece, str) and piece:
            self._lengths[at] = self._lengths.get(at, 0) + len(piece)
            yield TextDelta(piece)

    def _entry(self, at: int, block: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the stored part of a block."""
        kind = block.get("type")
        if kind == "thinking":
            return {key: block.get(key) or "" for key in ("type", "thinking", "signature")}
        if kind == "redacted_thinking":
            return {"type": kind, "data": block.get("data")}
        if kind == "text":
            return {"type": kind, "length": self._lengths[at]} if self._lengths.get(at) else None
        return {"type": kind} if at in self._calls else None

    def _note_usage(self, usage: Any) -> None:
        if isinstance(usage, dict):
            self._usage |= {key: value for key, value in usage.items() if value is not None}

    def _counted(self) -> Usage | None:
        read, written = self._count("cache_read_input_tokens"), self._count("cache_creation_input_tokens")
        prompt = self._count("input_tokens") + read + written
        if not prompt:
            return None
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=self._count("output_tokens"),
            cached_tokens=read,
            cache_write_tokens=written,
        )

    def _count(self, key: str) -> int:
        value = self._usage.get(key)
        return int(value) if isinstance(value, int | float) and 0 < value <= _MOST_TOKENS else 0

    def _silent(self) -> ModelError:
        if self._stop_reason in ("max_tokens", "model_context_window_exceeded"):
            return ModelError(
                f"The model used up its {self._max_tokens or 'allowed'} tokens before it said anything.",
                hint="leave it more: memgpt config set window.reserve TOKENS, or model.reasoning_effort low",
            )
        if self._stop_reason == "refusal":
            return ModelError("The model refused to answer.", hint="rephrase the message, or use another model")
        return ModelError(f"{self._target.host} answered without a reply.", hint="try again; your message is stored")
