"""Ids as people type them: `m12` and `p7`, or the bare number; nearest ones for a wrong id; completion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import typer

from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.texts import one_line
from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memgpt_cli.bootstrap import Memory

_RANGE = re.compile(r"([mp]?)(\d{1,15})(?:(?:-|\.\.)([mp]?)(\d{1,15}))?", re.IGNORECASE)
_MOST = 1_000_000
"""Ids that one range may span: more are a slip, and each of them takes memory."""

_AROUND = 50
_OFFERED = 50


def numbers(typed: str, *, letter: str) -> tuple[int, int]:
    """`m12`, `12`, `m12-m20` or `m12..m20` as first and last number. Raises UsageError."""
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
    """One id. Raises UsageError."""
    first, last = numbers(typed, letter=letter)
    if first != last:
        raise UsageError(f"{typed!r} is more than one id", hint=f"{letter}{first}")
    return first


def message(memory: Memory, typed: str) -> Message:
    """The message of this id. Raises NotFoundError with the nearest ones, or with what became of it."""
    wanted = number(typed, letter="m")
    found = memory.store.messages.get([wanted])
    if found:
        return found[0]
    tombstone = memory.store.tombstones.get(wanted)
    if tombstone is not None and tombstone.message is None:
        raise NotFoundError(f"{message_ref(wanted)} was forgotten for good", hint="memgpt recall list")
    if tombstone is not None:
        raise NotFoundError(
            f"{message_ref(wanted)} was deleted (with memgpt {tombstone.provenance.command or 'undo'})",
            hint="memgpt undo --list shows what can be undone",
        )
    newest = memory.store.messages.page(RecallFilters(roles=tuple(Role)), limit=2)
    near = _nearest(wanted, memory.store.messages.get(_around(wanted)) or newest)
    raise NotFoundError(
        f"there is no message {message_ref(wanted)}{_told(near, message_ref)}", hint="memgpt recall list"
    )


def passage(memory: Memory, typed: str) -> Passage:
    """The living passage of this id. Raises NotFoundError with the nearest ones, or with what became of it."""
    wanted = number(typed, letter="p")
    found = memory.store.passages.get([wanted])
    if found:
        return found[0]
    ref = passage_ref(wanted)
    history = memory.store.passages.history(wanted)
    if history:
        gone = "forgotten for good" if not history[-1].passage.text else "deleted"
        last = max((v.version for v in history if not v.deleted), default=1)
        hint = "memgpt archival list" if gone != "deleted" else f"memgpt archival restore {ref} {last}"
        raise NotFoundError(f"{ref} was {gone}", hint=hint)
    newest = memory.store.passages.page(ArchivalFilters(), limit=2)
    near = _nearest(wanted, memory.store.passages.get(_around(wanted)) or newest)
    raise NotFoundError(f"there is no passage {ref}{_told(near, passage_ref)}", hint="memgpt archival list")


def messages_like(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The newest messages whose ids begin so, with their text, for completion."""
    terminal = terminal_of(ctx)
    with terminal.workspace.memory() as memory:
        newest = memory.store.messages.page(RecallFilters(roles=tuple(Role)), limit=_OFFERED)
        return _offered(incomplete, [(message_ref(m.id), m.text) for m in newest])


def passages_like(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The newest passages whose ids begin so, with their text, for completion."""
    terminal = terminal_of(ctx)
    with terminal.workspace.memory() as memory:
        newest = memory.store.passages.page(ArchivalFilters(), limit=_OFFERED)
        return _offered(incomplete, [(passage_ref(p.id), p.text) for p in newest])


def _offered(incomplete: str, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(ref, one_line(text, 40)) for ref, text in pairs if ref.startswith(incomplete)]


def _around(wanted: int) -> list[int]:
    return list(range(max(1, wanted - _AROUND), wanted + _AROUND + 1))


def _nearest(wanted: int, found: Sequence[Message] | Sequence[Passage]) -> list[int]:
    return sorted((item.id for item in found), key=lambda item: (abs(item - wanted), item))[:2]


def _told(near: Sequence[int], ref: Callable[[int], str]) -> str:
    return f"; the nearest: {', '.join(ref(item) for item in sorted(near))}" if near else "; there are none"
