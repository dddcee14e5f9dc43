"""Parse one line of the input into a conversation, or report errors by field. `docs/batch.md` describes the format.

The rules are those of `docs/schemas/batch-input.schema.json` and some that a schema cannot express: patterns compile,
times are valid, labels are unique.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final, TypeVar

from memgpt_cli.batch.conversations import Expectation, Expected, GivenBlock, ScriptedConversation, ScriptedMessage
from memgpt_cli.batch.expectations import compiled
from memgpt_cli.domain.blocks import is_label
from memgpt_cli.domain.names import nearest
from memgpt_cli.domain.times import parse

T = TypeVar("T")

_CONVERSATION: Final = ("id", "agent", "messages", "blocks", "documents", "ask", "expect")
_MESSAGE: Final = ("role", "content", "name", "created_at", "expect")
_BLOCK: Final = ("value", "description", "limit", "read_only")
_KINDS: Final = {list: "a list", dict: "an object", str: "a text", int: "a whole number", bool: "true or false"}


@dataclass(slots=True)
class Checker:
    """Checks one line; `faults` are pairs of field and message. Times without a zone are in `zone`."""

    zone: tzinfo
    faults: list[tuple[str, str]] = field(default_factory=list)

    def conversation(self, value: object, *, index: int, line: int) -> ScriptedConversation | None:
        """Return the conversation that the object of a line describes; None if there are errors."""
        if not isinstance(value, dict):
            self._fault("", f"a conversation is an object, not {_kind(value)}")
            return None
        self._known(value, "", _CONVERSATION)
        identity = value.get("id")
        if "id" not in value:
            self._fault("id", "it is missing")
        elif isinstance(identity, bool) or not isinstance(identity, str | int) or identity == "":
            self._fault("id", "it must be a text or a whole number")
        messages = self._list(value, "messages", self._said)
        asks = self._list(value, "ask", self._asked)
        if not messages and not asks and not self.faults:
            self._fault("messages", "there is nothing to say: neither messages nor ask")
        made = ScriptedConversation(
            index=index,
            id=identity if isinstance(identity, str | int) else "",
            line=line,
            messages=messages,
            asks=asks,
            agent=self._optional(value, "agent", str, "agent"),
            blocks=self._blocks(value.get("blocks", {})),
            documents=self._list(value, "documents", self._document),
            expect=self._list(value, "expect", self._expectation),
        )
        return None if self.faults else made

    def _fault(self, where: str, message: str) -> None:
        self.faults.append((where, message))

    def _known(self, value: Mapping[str, Any], where: str, known: tuple[str, ...]) -> None:
        for key in value:
            if key not in known:
                near = nearest(key, known, most=1)
                hint = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(known)}"
                self._fault(_inside(where, key), f"there is no such field; {hint}")

    def _list(self, value: Mapping[str, Any], key: str, item: Callable[[object, str], T | None]) -> tuple[T, ...]:
        items = value.get(key, [])
        if not isinstance(items, list):
            self._fault(key, f"it must be a list, not {_kind(items)}")
            return ()
        made = (item(entry, f"{key}[{number}]") for number, entry in enumerate(items))
        return tuple(entry for entry in made if entry is not None)

    def _optional(self, value: Mapping[str, Any], key: str, kind: type[T], where: str) -> T | None:
        found = value.get(key)
        if found is None:
            return None
        if found == "":
            self._fault(where, "it is empty")
            return None
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            self._fault(where, f"it must be {_KINDS[kind]}, not {_kind(found)}")
            return None
        return found

    def _asked(self, value: object, where: str) -> ScriptedMessage | None:
        return self._said({"content": value} if isinstance(value, str) else value, where)

    def _said(self, value: object, where: str) -> ScriptedMessage | None:
        if not isinstance(value, dict):
            self._fault(where, f"it must be an object, not {_kind(value)}")
            return None
        self._known(value, where, _MESSAGE)
        if value.get("role", "user") != "user":
            self._fault(_inside(where, "role"), 'only "user" can be said to an agent; its replies are its own')
        content = value.get("content")
        if not isinstance(content, str):
            self._fault(_inside(where, "content"), "it is missing" if content is None else "it must be a text")
        elif not content.strip():
            self._fault(_inside(where, "content"), "it is empty")
        expect = value.get("expect", [])
        return ScriptedMessage(
            content=content if isinstance(content, str) else "",
            name=self._optional(value, "name", str, _inside(where, "name")),
            created_at=self._time(value.get("created_at"), _inside(where, "created_at")),
            expect=self._expectations(expect, _inside(where, "expect")),
        )

    def _time(self, value: object, where: str) -> datetime | None:
        if value is None:
            return None
        try:
            return parse(str(value), self.zone)
        except (ValueError, OverflowError):
            self._fault(where, f"{value!r} is not a valid time; write it as 2024-03-31T18:30:00Z")
            return None

    def _expectations(self, value: object, where: str) -> tuple[Expectation, ...]:
        if not isinstance(value, list):
            self._fault(where, f"it must be a list, not {_kind(value)}")
            return ()
        made = (self._expectation(entry, f"{where}[{number}]") for number, entry in enumerate(value))
        return tuple(entry for entry in made if entry is not None)

    def _expectation(self, value: object, where: str) -> Expectation | None:
        kinds = tuple(kind.value for kind in Expected)
        if not isinstance(value, dict) or len(value) != 1:
            self._fault(where, 'it must be an object with one field, such as {"contains": "Lisbon"}')
            return None
        self._known(value, where, kinds)
        (key, wanted) = next(iter(value.items()))
        if key not in kinds:
            return None
        kind, place = Expected(key), _inside(where, key)
        if kind is Expected.MAX_PROMPT_TOKENS:
            if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
                self._fault(place, "it must be a number of tokens from 1")
                return None
        elif not isinstance(wanted, str) or not wanted:
            self._fault(place, "it must be a text that is not empty")
            return None
        if kind is Expected.REGEX:
            try:
                compiled(str(wanted))
            except ValueError as error:
                self._fault(place, f"not a valid regular expression: {error}")
                return None
        return Expectation(kind=kind, value=wanted)

    def _blocks(self, value: object) -> tuple[GivenBlock, ...]:
        if not isinstance(value, dict):
            self._fault("blocks", f"it must be an object of labels and texts, not {_kind(value)}")
            return ()
        made = (self._block(label, content, _inside("blocks", label)) for label, content in value.items())
        return tuple(block for block in made if block is not None)

    def _block(self, label: str, value: object, where: str) -> GivenBlock | None:
        if not is_label(label):
            self._fault(where, "a label has up to 40 letters, digits, - _ and ., a letter or a digit first")
        if isinstance(value, str):
            return GivenBlock(label=label, value=value)
        if not isinstance(value, dict) or not isinstance(value.get("value"), str):
            self._fault(where, 'it must be a text, or an object with "value"')
            return None
        self._known(value, where, _BLOCK)
        limit = self._optional(value, "limit", int, _inside(where, "limit"))
        if limit is not None and limit < 1:
            self._fault(_inside(where, "limit"), "it must be a number of characters from 1")
        elif limit is not None and len(value["value"].strip("\n")) > limit:
            self._fault(
                _inside(where, "value"), f"it has {len(value['value']):,} characters, and its limit is {limit:,}"
            )
        description = value.get("description")
        if description is not None and not isinstance(description, str):
            self._fault(_inside(where, "description"), "it must be a text")
        return GivenBlock(
            label=label,
            value=value["value"],
            description=description,
            limit=limit,
            read_only=self._optional(value, "read_only", bool, _inside(where, "read_only")),
        )

    def _document(self, value: object, where: str) -> str | None:
        if isinstance(value, str) and value.strip():
            return value
        self._fault(where, "it must be the path of a file")
        return None


def _inside(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return _KINDS.get(type(value), "a number")
