"""Replies of the Responses API: events, or one whole response, as deltas.

The data to send back is stored as a layout: reasoning items unchanged, and the position of each message and call. Texts
and arguments are not in it; they are stored once, with the message.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from memgpt_cli.domain.chat import CallDelta, CutDelta, Delta, TextDelta, ThoughtDelta, Usage
from memgpt_cli.domain.messages import Opaque
from memgpt_cli.errors import ModelError
from memgpt_cli.llm.event_errors import explain_event
from memgpt_cli.llm.server_errors import Target

_TEXT: Final = ("response.output_text.delta", "response.refusal.delta")
_THOUGHT: Final = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
_ENDS: Final = ("response.completed", "response.incomplete", "response.failed")
_CUTS: Final = {"max_output_tokens": "length", "content_filter": "content_filter"}


class ResponseReader:
    """Reads one reply. `max_tokens` is the request's limit, for the error if reasoning used it up."""

    def __init__(self, target: Target, origin: str, max_tokens: int | None) -> None:
        self._target = target
        self._origin = origin
        self._max_tokens = max_tokens
        self._items: dict[int, dict[str, Any]] = {}  # finished or in progress, by output index
        self._texts: dict[int, str] = {}
        self._arguments: dict[int, str] = {}
        self._calls: dict[int, int] = {}  # output index -> our index
        self._response: Mapping[str, Any] | None = None

    def feed(self, event: Any) -> Iterator[Delta]:
        """The deltas of one event."""
        if not isinstance(event, dict):
            return
        kind, at = event.get("type"), event.get("output_index", 0)
        if event.get("object") == "response":  # a server that does not stream
            yield from self._end(event)
        elif kind == "error":
            raise explain_event(event.get("error") or event, self._target)
        elif kind in _ENDS:
            yield from self._end(event.get("response"))
        elif kind in _TEXT:
            yield from self._text(at, event.get("delta"))
        elif kind in _THOUGHT and isinstance(event.get("delta"), str):
            yield ThoughtDelta(event["delta"])
        elif kind == "response.function_call_arguments.delta":
            yield from self._more_arguments(at, event.get("delta"))
        elif kind == "response.output_item.added":
            yield from self._added(at, event.get("item"))
        elif kind == "response.output_item.done":
            yield from self._done(at, event.get("item"))

    def finish(self) -> Iterator[Delta]:
        """Yield the reason of a cut, the opaque layout and the usage."""
        response = self._response
        if response is None:
            raise ModelError(
                f"{self._target.host} closed the connection in the middle of the reply.",
                hint="try again; your message is stored",
                transient=True,
            )
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        if not any(self._texts.values()) and not self._calls:
            raise self._silent(reason)
        if reason is not None:
            yield CutDelta(_CUTS.get(str(reason), "length"))
        usage, reasoning = _usage(response.get("usage"))
        if any(item["type"] == "reasoning" or item.get("phase") for item in self._layout()):
            yield Opaque(origin=self._origin, content=json.dumps(self._layout()), tokens=reasoning)
        if usage is not None:
            yield usage

    def _text(self, at: int, piece: Any) -> Iterator[Delta]:
        if isinstance(piece, str) and piece:
            self._texts[at] = self._texts.get(at, "") + piece
            yield TextDelta(piece)

    def _added(self, at: int, item: Any) -> Iterator[Delta]:
        if not isinstance(item, dict):
            return
        self._items[at] = item
        if item.get("type") == "function_call" and at not in self._calls and item.get("name"):
            self._calls[at] = len(self._calls)
            yield CallDelta(index=self._calls[at], id=str(item.get("call_id") or ""), name=str(item["name"]))

    def _more_arguments(self, at: int, piece: Any) -> Iterator[Delta]:
        if isinstance(piece, str) and piece and at in self._calls:
            self._arguments[at] = self._arguments.get(at, "") + piece
            yield CallDelta(index=self._calls[at], arguments=piece)

    def _done(self, at: int, item: Any) -> Iterator[Delta]:
        """Handle a finished item: parts that its deltas left out are added."""
        if not isinstance(item, dict):
            return
        yield from self._added(at, item)
        if item.get("type") == "function_call":
            whole = item.get("arguments")
            if isinstance(whole, str) and not self._arguments.get(at):
                yield from self._more_arguments(at, whole)
        elif item.get("type") == "message" and not self._texts.get(at):
            parts = item.get("content")
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict):
                    yield from self._text(at, part.get("text") or part.get("refusal"))

    def _end(self, response: Any) -> Iterator[Delta]:
        """Read the whole response, which every end event contains."""
        if not isinstance(response, dict):
            return
        if response.get("status") == "failed" or response.get("error"):
            raise explain_event(response.get("error") or {}, self._target)
        output = response.get("output")
        for at, item in enumerate(output if isinstance(output, list) else ()):
            yield from self._done(at, item)
        self._response = response

    def _layout(self) -> list[dict[str, Any]]:
        layout = []
        for at, item in sorted(self._items.items()):
            kind = item.get("type")
            if kind == "reasoning" and item.get("encrypted_content"):
                layout.append({key: item.get(key) or [] for key in ("type", "id", "summary", "encrypted_content")})
            elif kind == "message" and self._texts.get(at):
                length = len(self._texts[at])
                layout.append({"type": kind, "id": item.get("id"), "phase": item.get("phase"), "length": length})
            elif at in self._calls:
                layout.append({"type": "function_call", "id": item.get("id"), "call_id": item.get("call_id")})
        return layout

    def _silent(self, reason: Any) -> ModelError:
        if reason == "max_output_tokens":
            return ModelError(
                f"The model used up its {self._max_tokens or 'allowed'} tokens before it said anything.",
                hint="leave it more: memgpt config set window.reserve TOKENS, or model.reasoning_effort low",
            )
        if reason == "content_filter":
            return ModelError("The provider's content filter stopped the reply.", hint="rephrase the message")
        return ModelError(f"{self._target.host} answered without a reply.", hint="try again; your message is stored")


def _usage(usage: Any) -> tuple[Usage | None, int | None]:
    """Return the usage, and the tokens of reasoning in it."""
    if not isinstance(usage, dict) or not _count(usage, "input_tokens"):
        return None, None
    cached = _count(usage.get("input_tokens_details"), "cached_tokens")
    found = Usage(
        prompt_tokens=_count(usage, "input_tokens"),
        completion_tokens=_count(usage, "output_tokens"),
        cached_tokens=min(cached, _count(usage, "input_tokens")),
    )
    return found, _count(usage.get("output_tokens_details"), "reasoning_tokens")


_MOST_TOKENS: Final = 10**9


def _count(table: Any, key: str) -> int:
    value = table.get(key) if isinstance(table, dict) else None
    return int(value) if isinstance(value, int | float) and 0 < value <= _MOST_TOKENS else 0
