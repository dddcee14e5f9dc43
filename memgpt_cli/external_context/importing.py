"""Messages of other places into recall storage, once each, and out of it again as JSON lines.

Idempotent and resumable: a message is there already when its id is, with the same text, or without an id when another
says the same, then, by the same speaker; killed at any point and started again, an import goes on. An id that stands
for something else there, as when two files both count from 1, loses nothing: the message comes in beside it.
Not here: reading files, vectors, a terminal.
"""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.conversations import ImportProgress, SaidElsewhere, Unreadable
from memgpt_cli.domain.messages import SPOKEN, Message, Role, message_ref
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.ports import Clock, Store
from memgpt_cli.text.wishes import standing_wishes

BATCH: Final = 5_000
"""Messages written in one transaction."""

_ORIGIN: Final = "origin"
"""A note that tells this agent's messages from those of others, also in a copy of it."""

_SPEAKERS: Final = 1_000


class Importer:
    """Imports into the recall storage of one agent; no lock is needed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen: Counter[str] = Counter()
        self._tried: set[int] = set()
        self._sessions: set[str] = set()
        self._speakers: dict[str, None] = {}
        self._wishes = False
        self._own = f"{store.note(_ORIGIN)}/" if store.note(_ORIGIN) else None

    def run(
        self, items: Iterable[SaidElsewhere | Unreadable], *, dry_run: bool = False, command: str = "recall import"
    ) -> Iterator[tuple[ImportProgress, list[Unreadable]]]:
        """Import, and tell after each batch how far it is, with what of the batch could not be read.

        All of it is one operation that `memgpt undo` takes back.
        """
        provenance = Provenance(author=Author.IMPORT, command=command)
        progress = ImportProgress()
        at = self._clock.now()
        with self._store.journal.operation(provenance):
            for batch in _batches(items):
                messages = [item for item in batch if isinstance(item, SaidElsewhere)]
                faulty = [item for item in batch if isinstance(item, Unreadable)]
                stored = []
                for item in messages:
                    at = item.created_at or at  # what has no time was said after what stands before it
                    stored.append(self._message(item, at))
                new = self._take(stored, provenance, dry_run=dry_run)
                progress = self._after(progress, stored, new=new, faulty=len(faulty))
                yield progress, faulty

    def _take(self, messages: list[Message], provenance: Provenance, *, dry_run: bool) -> int:
        fresh = self._fresh(self._foreign(messages))
        self._wishes = self._wishes or any(m.role is Role.USER and standing_wishes(m.text) for m in fresh)
        if dry_run:
            before = len(self._tried)
            self._tried.update(hash(m.external_id) for m in fresh)
            return len(self._tried) - before
        with self._store.transaction():
            return self._store.messages.extend(fresh, at=self._clock.now(), provenance=provenance)

    def _foreign(self, messages: list[Message]) -> list[Message]:
        """Without those that this agent said itself and still has, which an export of its own brings back."""
        if not self._own:
            return messages
        own = {m.external_id: m.text for m in messages if (m.external_id or "").startswith(self._own)}
        ids = [int(number) for key in own if (number := (key or "").rpartition("/m")[2]).isdecimal()]
        there = {f"{self._own}{message_ref(m.id)}": m.text for m in self._store.messages.get(ids)}
        return [m for m in messages if m.external_id not in there or there[m.external_id] != m.text]

    def _fresh(self, messages: list[Message]) -> list[Message]:
        """Those that are not there; one whose id stands for another text gets an id that tells them apart."""
        said = dict(self._store.messages.known([m.external_id or "" for m in messages]))
        others: list[Message] = []
        fresh: dict[str, Message] = {}
        for message in messages:
            key = message.external_id or ""
            if key not in said:
                said[key] = message.text
                fresh[key] = message
            elif said[key] != message.text:
                others.append(replace(message, external_id=f"{key}/{_digest(message.text)}"))
        there = self._store.messages.known([m.external_id or "" for m in others])
        fresh |= {m.external_id or "": m for m in others if m.external_id not in there}
        return list(fresh.values())

    def _message(self, item: SaidElsewhere, at: datetime) -> Message:
        return Message(
            role=item.role,
            text=item.text,
            created_at=at,
            name=item.name,
            session=item.session,
            external_id=item.key or self._key(item),
            in_context=False,
        )

    def _key(self, item: SaidElsewhere) -> str:
        """An id for a message that has none: of equal ones in a file each is one."""
        at = to_text(item.created_at) if item.created_at else ""
        said = json.dumps([item.session, item.role, item.name, at, item.text], ensure_ascii=False)
        digest = _digest(said)
        self._seen[digest] += 1
        return f"import/{digest}/{self._seen[digest]}"

    def _after(self, progress: ImportProgress, messages: list[Message], *, new: int, faulty: int) -> ImportProgress:
        self._sessions |= {m.session for m in messages if m.session}
        if len(self._speakers) < _SPEAKERS:
            self._speakers |= dict.fromkeys(m.name for m in messages if m.name)
        times = [t for t in (progress.first, progress.last, *(m.created_at for m in messages)) if t is not None]
        return replace(
            progress,
            new=progress.new + new,
            known=progress.known + len(messages) - new,
            faulty=progress.faulty + faulty,
            sessions=len(self._sessions),
            speakers=tuple(self._speakers),
            first=min(times, default=None),
            last=max(times, default=None),
            wishes=self._wishes,
        )


def export_lines(
    store: Store, *, roles: tuple[Role, ...] = SPOKEN, filters: RecallFilters | None = None
) -> Iterator[str]:
    """The messages, oldest first by time, each as a line of JSON that `Importer` takes back as the same message."""
    origin = store.note(_ORIGIN)
    if origin is None:
        origin = secrets.token_hex(6)
        store.set_note(_ORIGIN, origin)
    wanted = replace(filters or RecallFilters(), roles=roles)
    for message in store.messages.oldest_first(wanted):
        if not message.text:
            continue
        line = {
            "role": message.role.value,
            "content": message.text,
            "name": message.name,
            "created_at": to_text(message.created_at),
            "session": message.session,
            "id": message.external_id or f"{origin}/{message_ref(message.id)}",
        }
        yield json.dumps({key: value for key, value in line.items() if value is not None}, ensure_ascii=False)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _batches(items: Iterable[SaidElsewhere | Unreadable]) -> Iterator[list[SaidElsewhere | Unreadable]]:
    batch: list[SaidElsewhere | Unreadable] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
