"""Forgetting for good: what is to go, what would go, and what was looked at afterwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

SHORTEST_RAW: Final = 5
"""Bytes from which on files are searched byte by byte: anything shorter stands everywhere by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to forget: everything that holds `text`, or what these ids, sources, tags and dates name, or all of it.

    From `SHORTEST_RAW` bytes on a text is found anywhere, in any case, whatever blanks stand between its words; a
    shorter one only as whole words. `start` inclusive, `end` exclusive, in UTC, of messages and of passages that no
    document brought. A `source` that ends with `/` is a folder of them.
    """

    text: str | None = None
    messages: tuple[int, ...] = ()
    passages: tuple[int, ...] = ()
    source: str | None = None
    tags: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None

    @property
    def by_place(self) -> bool:
        """Whether anything but a text is named."""
        return bool(self.messages or self.passages or self.source or self.tags or self.start or self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What a block, or its description, loses; `after` None when the block goes whole."""

    label: str
    before: str
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would go. `messages` and `passages` by id with their texts, deleted ones with what their tombstones keep.

    `derived` are those of them that quote or came after what was named. Counts: old states of blocks and passages,
    recorded operations, summaries and heads of epochs, documents, files of the agent, entries of the chat's history,
    folders of batch runs that have not ended well.
    """

    messages: Mapping[int, str]
    passages: Mapping[int, str]
    derived: frozenset[str]
    cuts: tuple[Cut, ...]
    versions: int = 0
    operations: int = 0
    summaries: int = 0
    documents: tuple[str, ...] = ()
    history_entries: int = 0
    files: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing of it is known."""
        counts = self.versions + self.operations + self.summaries + self.history_entries
        return not (self.messages or self.passages or self.cuts or self.documents or self.files or self.runs or counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was looked at after forgetting, and what was found.

    `texts` sequences of bytes were looked for in `files` files of `bytes` bytes in all, `sampled` when there were too
    many to look for each. `rows` names tables that still hold one, `left` files of this agent and of the program,
    `elsewhere` those of other agents.
    """

    texts: int
    sampled: bool
    too_short: bool
    tables: int
    files: int
    bytes: int
    rows: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing of it was found where it should be gone."""
        return not self.rows and not self.left


Progress = Callable[[str], None]
"""Told what is being done."""
