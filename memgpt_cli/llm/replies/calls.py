"""Assemble the calls of a streamed reply from the pieces that servers send.

A piece belongs to a call by its index, its id, or its position, and servers get each of these wrong: every call has
index 0, no index at all, no id, one id for all, another id in each piece. A name may come in two pieces or with every
piece. Arguments may come after an empty object, again as a whole, or as growing snapshots. So the pieces are collected,
and the calls are determined at the end of the reply.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from memgpt_cli.domain.chat import ToolSchema
from memgpt_cli.llm.opaque_fields import call_extras
from memgpt_cli.llm.replies.arguments import as_json, repaired
from memgpt_cli.llm.replies.names import plain_name
from memgpt_cli.llm.replies.offered import ReadCall

_DECODER: Final = json.JSONDecoder(strict=False)
_MOST_RESTARTS: Final = 32


@dataclass(slots=True)
class _Open:
    """A call under construction."""

    server_id: str | None
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def raw(self) -> str:
        return "".join(self.pieces)


class CallPieces:
    """Collects the `tool_calls` of deltas, and the older `function_call`."""

    def __init__(self, tools: Sequence[ToolSchema]) -> None:
        self._schemas = {tool.name: tool.parameters for tool in tools}
        self._open: list[_Open] = []
        self._by_index: dict[int, _Open] = {}
        self.characters = 0

    def __bool__(self) -> bool:
        """Whether any piece of a call has arrived."""
        return bool(self._open)

    def add(self, piece: Mapping[str, Any]) -> None:
        """Add one item of `tool_calls`."""
        function = piece.get("function")
        function = function if isinstance(function, dict) else piece
        name, arguments = function.get("name"), function.get("arguments", function.get("parameters"))
        name = name if isinstance(name, str) else ""
        arguments = "" if arguments is None else arguments if isinstance(arguments, str) else as_json(arguments)
        server_id = piece.get("id") if isinstance(piece.get("id"), str) else None
        index = _index(piece.get("index"))
        self.characters += len(name) + len(arguments)
        if not (name or arguments or server_id):
            if (beside := self._find(index, None, named=False)) is not None:
                beside.extra |= call_extras(piece)
            return
        call = self._find(index, server_id or None, named=bool(name))
        if call is None or (name and self._begins_another(call, name, arguments, server_id or None)):
            call = _Open(server_id or None)
            self._open.append(call)
        if index is not None:
            self._by_index[index] = call
        call.server_id = call.server_id or server_id or None
        call.extra |= call_extras(piece)
        if name:
            call.name = self._joined_name(call.name, name)
        if arguments:
            call.pieces.append(arguments)

    def finished(self) -> Iterator[ReadCall]:
        """Yield the calls in order, with complete arguments."""
        calls: list[_Open] = []
        for call in self._open:
            call.name = call.name or plain_name(call.server_id or "", self._schemas) or ""
            if not call.name and calls:  # a continuation under a new index
                calls[-1].pieces += call.pieces
            elif call.name:
                calls.append(call)
        for call in calls:
            name = plain_name(call.name, self._schemas) or call.name
            schema = self._schemas.get(name)
            for n, raw in enumerate(_whole_arguments(call.pieces)):
                yield ReadCall(name=name, arguments=repaired(raw, schema), extra={} if n else call.extra)

    def _find(self, index: int | None, server_id: str | None, *, named: bool) -> _Open | None:
        """Return the call that a piece may belong to."""
        by_id = next((call for call in reversed(self._open) if server_id and call.server_id == server_id), None)
        if index is not None:
            known = self._by_index.get(index)
            return known if known is not None or named else by_id
        if server_id is not None and (by_id is not None or named):
            return by_id
        return self._open[-1] if self._open else None

    def _begins_another(self, call: _Open, name: str, arguments: str, server_id: str | None) -> bool:
        """Whether a piece with a name begins another call, although index or position say otherwise."""
        if not call.name:
            return False
        raw = call.raw
        other_id = None not in (server_id, call.server_id) and server_id != call.server_id
        same_name = name == call.name
        unfinished = bool(raw) and _object(raw) is None
        if other_id:
            return not (same_name and unfinished and not arguments.lstrip().startswith("{"))
        if not same_name:
            return bool(raw) or not self._continues_name(call.name, name)
        given, before = _object(arguments), _object(raw)
        return bool(before) and given is not None and given != before

    def _continues_name(self, begun: str, more: str) -> bool:
        """Whether a name came in two pieces, or again after its first piece."""
        return (
            more.startswith(begun)
            or (
                plain_name(begun, self._schemas) is None
                and any(begun + more in prefixed for prefixed in self._spellings())
            )
            or begun + more in self._schemas
        )

    def _spellings(self) -> Iterator[str]:
        """Yield names with possible prefixes."""
        for name in self._schemas:
            yield f"default_api.functions.{name}"
            yield f"default_api:functions:{name}"

    def _joined_name(self, begun: str, more: str) -> str:
        if not begun or more.startswith(begun):
            return more
        return begun + more if self._continues_name(begun, more) else begun


def _index(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else None  # noqa: PLR2004
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def _object(text: str) -> Any:
    """Return the JSON object that `text` is, or that a string in it contains; None for anything else."""
    try:
        value = json.loads(text, strict=False)
        value = json.loads(value, strict=False) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _whole_arguments(pieces: Sequence[str]) -> list[str]:
    """Return the arguments from the pieces of one name; several if complete objects of several calls were joined."""
    joined = "".join(pieces)
    if not joined or _object(joined) is not None:
        return [joined]
    if (objects := _sequence(joined)) is not None:
        distinct = [one for n, one in enumerate(objects) if one and one not in objects[:n]]
        return [as_json(one) for one in distinct] or ["{}"]
    if _object(pieces[-1]):  # growing snapshots, or the whole after its pieces
        return [pieces[-1]]
    starts = [n for n, piece in enumerate(pieces) if n and piece.lstrip().startswith("{")]
    for start in starts[-_MOST_RESTARTS:]:
        if _object(again := "".join(pieces[start:])):
            return [again]
    return [joined]


def _sequence(text: str) -> list[dict[str, Any]] | None:
    """Return the JSON objects if `text` is a sequence of them."""
    found: list[dict[str, Any]] = []
    at = 0
    while at < len(text):
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict):
            return None
        found.append(value)
        while at < len(text) and (text[at].isspace() or text[at] in ",;"):
            at += 1
    return found
