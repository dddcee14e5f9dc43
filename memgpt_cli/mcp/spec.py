"""The definition of a server's tool: its schema, whether it writes, and what it works on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.parameters import Arguments, Parameter, object_schema
from memgpt_cli.domain.trust import UNTRUSTED, Author

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from memgpt_cli.domain.kinds import MemoryItem
    from memgpt_cli.services.memory import AgentMemory


HELD_FOR_S: Final = 1_800.0
"""Writes to core memory are held for so long after untrusted text was shown."""

_MOST: Final = 50


@dataclass(slots=True)
class ShownItems:
    """The untrusted items that the server showed lately: from documents, imports and programs.

    They count for every client, since a client gives its name itself and could change it to escape.
    """

    _items: dict[str, tuple[Author, str | None, float]] = field(default_factory=dict)

    def note(self, item: MemoryItem) -> None:
        """Note an item of a result."""
        if item.least in UNTRUSTED:
            command = getattr(getattr(item, "provenance", None), "command", None)
            self._items.pop(item.ref, None)
            self._items[item.ref] = (item.least, command, time.monotonic())
            while len(self._items) > _MOST:
                self._items.pop(next(iter(self._items)))

    def sources(self, program: str) -> dict[str, Author]:
        """Return the ids of the items with their sources, without those that `program` itself stored.

        It could have written their text to core memory at once.
        """
        since = time.monotonic() - HELD_FOR_S
        return {ref: author for ref, (author, command, at) in self._items.items() if at >= since and command != program}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool by a client, `program`: the memory, checked arguments, and the items shown before."""

    memory: AgentMemory
    arguments: Arguments
    shown: ShownItems
    program: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool. `run` returns a JSON object; it raises MemGPTError to fail.

    `output` is the JSON Schema of the object, set only if a client uses it: schemas cost tokens.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    run: Callable[[ToolCall], dict[str, Any]]
    writes: bool = False
    output: Mapping[str, Any] | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        return object_schema(self.parameters)
