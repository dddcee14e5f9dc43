"""Ids as people type them: `m12` and `p7`, or the number only; suggestions for unknown ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memgpt_cli.domain.kinds import PREFIXES, Kind
from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services.wording import one_line

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Memory
    from memgpt_cli.ports import Store

_RANGE = re.compile(rf"([{PREFIXES}]?)(\d{{1,15}})(?:(?:-|\.\.)([{PREFIXES}]?)(\d{{1,15}}))?", re.IGNORECASE)
_MOST = 1_000_000
"""Maximum size of a range: a larger one is a mistake, and each id takes memory."""

_BEGINNING = 40


def numbers(typed: str, *, letter: str) -> tuple[int, int]:
    """Parse `m12`, `12`, `m12-m20` or `m12..m20` into first and last number. Raises UsageError."""
    match = _RANGE.fullmatch(typed.strip())
    if match is None or any(given.lower() not in {"", letter} for given in (match[1], match[3] or "")):
        raise UsageError(
            f"{typed!r} is not a valid id", hint=f"ids look like {letter}12, a range like {letter}12-{letter}20"
        )
    first, last = int(match[2]), int(match[4] or match[2])
    if last < first:
        raise UsageError(f"{typed!r} ends before it begins", hint=f"{letter}{last}-{letter}{first}")
    if last - first >= _MOST:
        raise UsageError(
            f"{typed!r} spans more than {_MOST:,} ids", hint=f"{letter}{first}-{letter}{first + _MOST - 1}"
        )
    return first, last


def number(typed: str, *, letter: str) -> int:
    """Parse one id. Raises UsageError."""
    first, last = numbers(typed, letter=letter)
    if first != last:
        raise UsageError(f"{typed!r} is more than one id", hint=f"{letter}{first}")
    return first


def message(memory: Memory, typed: str) -> Message:
    """Return the message with this id. Raises NotFoundError with the nearest ids, or with the reason."""
    wanted = number(typed, letter="m")
    found = memory.store.messages.get([wanted])
    if found:
        return found[0]
    tombstone = memory.store.tombstones.get(wanted)
    if tombstone is not None and tombstone.message is None:
        raise NotFoundError(f"{message_ref(wanted)} was permanently deleted", hint="memgpt recall list")
    if tombstone is not None:
        raise NotFoundError(
            f"{message_ref(wanted)} was deleted (with memgpt {tombstone.provenance.command or 'undo'})",
            hint="memgpt undo --list shows what can be undone",
        )
    raise unknown(memory.store, Kind.MESSAGE, wanted)


def passage(memory: Memory, typed: str) -> Passage:
    """Return the existing passage with this id. Raises NotFoundError with the nearest ids, or with the reason."""
    wanted = number(typed, letter="p")
    found = memory.store.passages.get([wanted])
    if found:
        return found[0]
    ref = passage_ref(wanted)
    history = memory.store.passages.history(wanted)
    if history:
        gone = "permanently deleted" if not history[-1].passage.text else "deleted"
        last = max((v.version for v in history if not v.deleted), default=1)
        hint = "memgpt archival list" if gone != "deleted" else f"memgpt archival restore {ref} {last}"
        raise NotFoundError(f"{ref} was {gone}", hint=hint)
    raise unknown(memory.store, Kind.PASSAGE, wanted)


def unknown(store: Store, kind: Kind, wanted: int) -> NotFoundError:
    """Return the error for an unknown id, with the nearest ones."""
    near = [kind.ref(number) for number in sorted(store.kinds.nearest(kind, wanted))]
    listed = f"; the nearest: {', '.join(near)}" if near else "; there are none"
    return NotFoundError(f"there is no {kind} {kind.ref(wanted)}{listed}", hint=f"memgpt {kind.place} list")


def newest_messages(memory: Memory, limit: int) -> list[tuple[str, str]]:
    """Return the newest messages of every role: their ids and the beginnings of their texts."""
    newest = memory.store.messages.page(RecallFilters(roles=tuple(Role)), limit=limit)
    return [(message_ref(m.id), one_line(m.text, _BEGINNING)) for m in newest]


def newest_passages(memory: Memory, limit: int) -> list[tuple[str, str]]:
    """Return the newest passages: their ids and the beginnings of their texts."""
    newest = memory.store.passages.page(ArchivalFilters(), limit=limit)
    return [(passage_ref(p.id), one_line(p.text, _BEGINNING)) for p in newest]
