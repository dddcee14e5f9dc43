"""Find standing wishes in recall storage ("always ... when I ask about ..."), and add them to a core memory block.

Finding writes nothing. Writing is one operation for undo, and each line keeps its message as its origin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.messages import Message, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memgpt_cli.bootstrap import Memory
    from memgpt_cli.domain.blocks import Block

COMMAND: Final = "memory suggest"
BLOCK: Final = "human"
"""The default block for the lines."""

_STEP: Final = 10_000
"""Messages between two reports of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A wish and the newest message with it; `line` is the text for a block."""

    text: str
    message: Message

    @property
    def line(self) -> str:
        """Return the line for a block."""
        return f"Standing wish: {self.text}"


class WishService:
    """Finds standing wishes in one agent's messages and writes them into a block."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def find(self, *, progress: Callable[[int, int], None] | None = None) -> list[Suggestion]:
        """Return user messages that read like a standing wish and are in no block yet, in order of time, each once.

        Reads every user message once. `progress` is called with the messages read and their number.
        """
        from memgpt_cli.domain.search import RecallFilters
        from memgpt_cli.text.wishes import standing_wishes

        store = self._memory.store
        held = "\n".join(block.value for block in store.blocks.all()).casefold()
        filters = RecallFilters(roles=(Role.USER,))
        total = store.messages.count(filters)
        found: dict[str, Suggestion] = {}
        for number, message in enumerate(store.messages.oldest_first(filters), 1):
            for text in standing_wishes(message.text):
                key = text.casefold()
                if key not in held:
                    found.pop(key, None)  # the newest position of a repeated wish
                    found[key] = Suggestion(text=text, message=message)
            if progress is not None and number % _STEP == 0:
                progress(number, total)
        return list(found.values())

    def write(self, label: str, chosen: Sequence[Suggestion]) -> Block:
        """Add these lines at the end of a block, all or none, as one operation.

        Raises NotFoundError if there is no such block, LimitError if they do not fit.
        """
        store, by = self._memory.store, Provenance(author=Author.USER, command=COMMAND)
        with store.journal.operation(by), store.transaction():
            block = self._memory.core_memory.block(label)
            for one in chosen:
                source = Provenance(author=Author.USER, message_id=one.message.id, command=COMMAND)
                block = self._memory.core_memory.append(block.label, one.line, source)
            return block
