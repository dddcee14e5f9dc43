"""Permanent deletion: the selection, the plan, the check afterwards, and the receipt."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from memgpt_cli.domain.kinds import Kind

SHORTEST_RAW: Final = 5
"""The fewest bytes to search files for; a shorter sequence occurs everywhere by chance."""

SHORTEST_INSIDE: Final = 5
"""The fewest letters to match inside longer words; a shorter text would match "planning" with "Ann"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to delete: everything with `text`, or the items with these ids, sources, tags and dates, or everything.

    `items` are the numbers of single items of each kind.

    A text is found in every spelling that search treats as equal, whatever separates its words. With at least
    `SHORTEST_INSIDE` letters, or in a script without spaces, it is also found inside longer words. `start` is inclusive
    and `end` exclusive, in UTC; they select messages, and passages that no document brought. A `source` that ends with
    `/` is a folder.
    """

    text: str | None = None
    items: Mapping[Kind, tuple[int, ...]] = field(default_factory=dict)
    source: str | None = None
    tags: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None

    @property
    def by_place(self) -> bool:
        """Whether items are selected by anything except a text."""
        return bool(any(self.items.values()) or self.source or self.tags or self.start or self.end)

    def is_from(self, source: str | None) -> bool:
        """Whether this is the selected source, or is in the selected folder, which ends with `/`."""
        wanted = self.source
        if wanted is None or source is None:
            return False
        return source == wanted or (wanted.endswith("/") and source.startswith(wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The text that a block or its description loses; `after` is None if the whole block is deleted."""

    label: str
    before: str
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would go. `items` by kind and number with their texts, deleted ones with what their tombstones keep.

    `derived` are the ids of those of them that quote or came after what was named. Counts: old states, recorded
    operations, summaries and heads of epochs, documents, files of the agent, entries of the chat's history, folders of
    batch runs that have not ended well.
    """

    items: Mapping[Kind, Mapping[int, str]]
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
        """Whether nothing matched."""
        counts = self.versions + self.operations + self.summaries + self.history_entries
        return not (any(self.items.values()) or self.cuts or self.documents or self.files or self.runs or counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The check after forgetting, and what it found.

    It searched `files` files of `bytes` bytes for `texts` byte sequences, or for a sample of them if `sampled`. `rows`
    names tables that still contain one, `left` files of this agent and of the program, `elsewhere` those of other
    agents. `replicas` are folders in which another program copies the record.
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
    replicas: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was found in a place that must be clean."""
        return not self.rows and not self.left


class PlaceState(StrEnum):
    """The state of one place in a receipt."""

    REMOVED = "removed"
    NOT_FOUND = "not found"
    LEFT = "still there"
    UNPROVABLE = "cannot be proven"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """One place, its state, and how much or why."""

    place: str
    state: PlaceState
    detail: str = ""


def receipt(wanted: Wanted, plan: Plan, checked: Checked, *, provider: str | None) -> tuple[ReceiptLine, ...]:
    """Return for each place whether the text was removed, not found, still present, or not provable.

    `provider` names the endpoint that received the messages; None if only our own model did.
    """
    removed = (
        *((kind.plural, len(items)) for kind, items in plan.items.items()),
        ("core memory", len(plan.cuts)),
        ("old versions", plan.versions),
        ("undo history", plan.operations),
        ("summaries and prompts", plan.summaries),
        ("documents", len(plan.documents)),
        ("chat input history", plan.history_entries),
        ("drafts and old copies", len(plan.files)),
        ("unfinished batch runs", len(plan.runs)),
    )
    lines = [
        ReceiptLine(place=place, state=PlaceState.REMOVED if count else PlaceState.NOT_FOUND, detail=str(count or ""))
        for place, count in removed
    ]
    return (*lines, *_checked_lines(wanted, checked), *_unreachable_lines(checked, provider))


def _checked_lines(wanted: Wanted, checked: Checked) -> Iterator[ReceiptLine]:
    rows = PlaceState.LEFT if checked.rows else PlaceState.NOT_FOUND
    yield ReceiptLine(place="rows and indexes", state=rows, detail=", ".join(checked.rows))
    if checked.too_short:
        why = "too short to search for in raw bytes"
        yield ReceiptLine(place="bytes of files", state=PlaceState.UNPROVABLE, detail=why)
    else:
        files = PlaceState.LEFT if checked.left else PlaceState.NOT_FOUND
        yield ReceiptLine(place="bytes of files", state=files, detail=", ".join(checked.left))
    for name in checked.elsewhere:
        yield _elsewhere(wanted, name)


def _elsewhere(wanted: Wanted, agent: str) -> ReceiptLine:
    """Return the line of another agent. The words of a selected item may stand there by chance."""
    if wanted.text is None:
        return ReceiptLine(place=f"agent {agent}", state=PlaceState.UNPROVABLE, detail="it has the same words")
    command = shlex.join(["memgpt", "forget", "-a", agent, wanted.text])
    return ReceiptLine(place=f"agent {agent}", state=PlaceState.LEFT, detail=command)


def _unreachable_lines(checked: Checked, provider: str | None) -> Iterator[ReceiptLine]:
    for folder in checked.replicas:
        yield ReceiptLine(place=f"replica {folder}", state=PlaceState.UNPROVABLE, detail="kept by another program")
    if provider is not None:
        yield ReceiptLine(place=provider, state=PlaceState.UNPROVABLE, detail="has received messages of this agent")
    yield ReceiptLine(place="backups, exports, batch output", state=PlaceState.UNPROVABLE, detail="files that you made")
    yield ReceiptLine(place="file system snapshots", state=PlaceState.UNPROVABLE, detail="and old blocks of the disk")


Progress = Callable[[str], None]
"""Called with a description of the current step."""
