"""Fields that a Chat Completions server sends besides text and calls and may require back: reasoning, signatures.

A field of a message is kept if its name mentions reasoning, thoughts or signatures; a field of a call is kept if it is
not a standard one. Each is returned under its own name, in the same place, to the same endpoint and model. DeepSeek,
Kimi and Gemini refuse a call that comes back without it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from memgpt_cli.domain.messages import Opaque, clean

_MESSAGE_FIELD: Final = re.compile(r"reasoning|thinking|thought|signature|^extra_content$")
_CALL_FIELDS: Final = frozenset({"index", "id", "type", "function", "name", "arguments", "parameters", "custom"})
_FUNCTION_FIELDS: Final = frozenset({"name", "arguments", "parameters", "description", "strict", "type", "id"})
_TEXT_KEYS: Final = frozenset({"text", "summary", "thinking"})
"""In items of a list, these keys come in pieces; every other key comes complete."""
_LONGEST_PLAIN_ID: Final = 64
"""A longer id contains data: LiteLLM puts Gemini's signature there."""
_NAMING_ID: Final = re.compile(r"functions\.[\w-]+:\d+")
"""Kimi's templates show the model this id instead of the function's name."""


class OpaqueFields:
    """Collects the opaque fields of one reply: `message` and `call` for each piece, then `finished`."""

    def __init__(self) -> None:
        self._message: dict[str, Any] = {}
        self._calls: dict[int, dict[str, Any]] = {}

    def message(self, delta: Mapping[str, Any]) -> None:
        """Add the opaque fields of a delta, or of a whole message."""
        for name, value in delta.items():
            if value and isinstance(value, str | list | dict) and is_opaque(name):
                self._message[name] = _merged(self._message.get(name), value)
        if isinstance(content := delta.get("content"), list):
            self._thinking([part for part in content if isinstance(part, dict) and part.get("type") == "thinking"])

    def call(self, position: int, extra: Mapping[str, Any]) -> None:
        """Add the opaque fields of the call at a position in the reply."""
        if extra:
            self._calls[position] = {**self._calls.get(position, {}), **extra}

    def finished(self, origin: str) -> Opaque | None:
        """Return all of them with their origin; None if the server sent none."""
        message = dict(self._message)
        if "reasoning_details" in message:  # the same reasoning, with its signatures
            message.pop("reasoning", None)
            message.pop("reasoning_content", None)
        if message.get("reasoning") == message.get("reasoning_content"):  # vLLM sends both names
            message.pop("reasoning", None)
        if not (message or self._calls):
            return None
        content = {"message": message, "calls": {str(n): extra for n, extra in sorted(self._calls.items())}}
        try:
            text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        except ValueError:  # a number that is invalid in a request
            return None
        return Opaque(origin=origin, content=clean(text))

    def _thinking(self, parts: list[dict[str, Any]]) -> None:
        """Add Mistral's thinking parts, which come in pieces within `content`."""
        known = self._message.setdefault("content", []) if parts else []
        for part in parts:
            if known and isinstance(known[-1].get("thinking"), type(part.get("thinking"))):
                known[-1] = {**known[-1], **part, "thinking": _joined(known[-1]["thinking"], part["thinking"])}
            else:
                known.append(part)


def is_opaque(name: str) -> bool:
    """Whether the name of a message's field mentions reasoning, thoughts or signatures."""
    return _MESSAGE_FIELD.search(name) is not None


def call_extras(piece: Mapping[str, Any]) -> dict[str, Any]:
    """Return the opaque fields of one item of `tool_calls`, in the item's own form."""
    extra = {key: value for key, value in piece.items() if value and key not in _CALL_FIELDS}
    function = piece.get("function")
    if isinstance(function, dict):
        inner = {key: value for key, value in function.items() if value and key not in _FUNCTION_FIELDS}
        extra |= {"function": inner} if inner else {}
    if isinstance(given := piece.get("id"), str) and (len(given) > _LONGEST_PLAIN_ID or _NAMING_ID.fullmatch(given)):
        extra["id"] = given
    return extra


def server_ids(opaque: Opaque | None) -> dict[int, str]:
    """Return the ids that the server gave to calls and needs back, by the position of the call in its message."""
    calls = {} if opaque is None else json.loads(opaque.content)["calls"]
    return {int(position): extra["id"] for position, extra in calls.items() if "id" in extra}


def with_opaque(wire: dict[str, Any], opaque: Opaque) -> dict[str, Any]:
    """Return an assistant message in wire form with the opaque fields in their places."""
    fields = json.loads(opaque.content)
    message, calls = dict(fields["message"]), fields["calls"]
    if thinking := message.pop("content", None):
        text = [{"type": "text", "text": wire["content"]}] if wire["content"] else []
        wire = {**wire, "content": [*thinking, *text]}
    if "tool_calls" in wire:
        wire = {**wire, "tool_calls": [_filled(c, calls.get(str(n), {})) for n, c in enumerate(wire["tool_calls"])]}
    return {**wire, **message}


def _filled(call: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    function = {**call["function"], **extra.get("function", {})}
    return {**call, **{key: value for key, value in extra.items() if key != "id"}, "function": function}


def _merged(before: Any, more: Any) -> Any:
    """Merge a piece into a field: texts and lists grow, objects are filled in."""
    if isinstance(before, str) and isinstance(more, str):
        return before + more
    if isinstance(before, dict) and isinstance(more, dict):
        return before | {
            key: _merged(before.get(key), value) if key in before else value for key, value in more.items()
        }
    if isinstance(more, list):
        grown = list(before) if isinstance(before, list) else []
        for item in more:
            if grown and _continues(grown[-1], item):
                grown[-1] = _filled_item(grown[-1], item)
            else:
                grown.append(item)
        return grown
    return more


def _continues(last: Any, item: Any) -> bool:
    """Whether an item of a streamed list continues the last one."""
    if not (isinstance(last, dict) and isinstance(item, dict) and "index" in item):
        return False
    same = all(last.get(key) == item.get(key) for key in ("index", "type"))
    return same and (not last.get("id") or not item.get("id") or last["id"] == item["id"])


def _filled_item(last: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    filled = dict(last)
    for key, value in item.items():
        grows = key in _TEXT_KEYS and isinstance(value, str) and isinstance(filled.get(key), str)
        if grows:
            filled[key] += value
        elif value is not None:
            filled[key] = value
    return filled


def _joined(before: Any, more: Any) -> Any:
    if isinstance(before, str):
        return before + more
    if isinstance(before, list):
        texts = [part.get("text", "") for part in (*before, *more) if isinstance(part, dict)]
        return [{"type": "text", "text": "".join(texts)}]
    return more
