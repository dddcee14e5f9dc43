"""Import messages of other programs into recall storage, once each, and export messages as JSON lines.

Idempotent and resumable. A message is known if its id exists with the same text; a message without an id is known if
the same speaker said the same text at the same time. If an id exists with another text, as when two files both count
from 1, the message is stored in addition. An interrupted import continues when it is started again.
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
"""A note that identifies this agent's own messages, also in a copy of the agent."""

_SPEAKERS: Final = 1_000

_CONTROLS: Final = (range(0x7F, 0xA0), range(0x200B, 0x2010), range(0x2028, 0x202F), range(0x2066, 0x206A))
"""Characters that control a terminal or the direction of text; JSON itself escapes those below 0x20."""
_ESCAPES: Final = {code: f"\\u{code:04x}" for codes in _CONTROLS for code in codes}


class Importer:
    """Imports into the recall storage of one agent; it needs no lock."""

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
        self,
        items: Iterable[SaidElsewhere | Unreadable],
        *,
        dry_run: bool = False,
        command: str = "recall import",
        source: str | None = None,
    ) -> Iterator[tuple[ImportProgress, list[Unreadable]]]:
        """Import, and yield the progress after each batch with the batch's unreadable parts.

        The whole import is one operation for `memgpt undo`, also when it is interrupted and started again with the same
        `source`.
        """
        provenance = Provenance(author=Author.IMPORT, command=command)
        progress = ImportProgress()
        at = self._clock.now()
        key = None if source is None or dry_run else json.dumps([command, source])
        with self._store.journal.operation(provenance, key=key):
            for batch in _batches(items):
                messages = [item for item in batch if isinstance(item, SaidElsewhere)]
                faulty = [item for item in batch if isinstance(item, Unreadable)]
                stored = []
                for item in messages:
                    at = item.created_at or at  # a message without a time gets the time of the previous one
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
        """Remove messages that this agent wrote itself and still has, as in its own export."""
        if not self._own:
            return messages
        own = {m.external_id: m.text for m in messages if (m.external_id or "").startswith(self._own)}
        ids = [int(number) for key in own if (number := (key or "").rpartition("/m")[2]).isdecimal()]
        there = {f"{self._own}{message_ref(m.id)}": m.text for m in self._store.messages.get(ids)}
        return [m for m in messages if m.external_id not in there or there[m.external_id] != m.text]

    def _fresh(self, messages: list[Message]) -> list[Message]:
        """Return the unknown messages. One whose id exists with another text gets a distinct id."""
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
        """Return an id for a message that has none: duplicates within a file get distinct ids."""
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
    """Yield the messages by time, each as a line of JSON that `Importer` reads back as the same message."""
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
        text = json.dumps({key: value for key, value in line.items() if value is not None}, ensure_ascii=False)
        yield text.translate(_ESCAPES)


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
