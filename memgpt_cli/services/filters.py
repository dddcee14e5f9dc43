"""Filters as people type them: dates, tags and sources as text, checked and parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.domain.times import span
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services.sources import source_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from memgpt_cli.bootstrap import Memory
    from memgpt_cli.domain.messages import Role


def recall_filters(
    roles: tuple[Role, ...],
    *,
    zone: tzinfo,
    name: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> RecallFilters:
    """Filters on messages. Raises UsageError for an invalid date."""
    start, end = dates(since, until, zone)
    return RecallFilters(roles=roles, name=name, start=start, end=end)


def archival_filters(
    memory: Memory,
    *,
    zone: tzinfo,
    tags: Sequence[str] = (),
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> ArchivalFilters:
    """Filters on passages. Raises UsageError for an invalid date, NotFoundError for an unknown tag or source."""
    start, end = dates(since, until, zone)
    check_tags(memory, tags)
    named = None if source is None else source_named(memory, source)
    return ArchivalFilters(tags=tuple(tags), source=named, start=start, end=end)


def check_tags(memory: Memory, tags: Sequence[str]) -> None:
    """Raise NotFoundError for a tag that no passage ever had, with the nearest one."""
    for tag in tags:
        if memory.store.passages.page(ArchivalFilters(tags=(tag,)), limit=1):
            continue
        known = memory.forgetting.tags()
        if tag not in known:
            raise NotFoundError(
                f"no passage has the tag {tag!r}{did_you_mean(tag, known)}", hint="memgpt archival list"
            )


def new_tags(typed: Sequence[str] | None) -> tuple[str, ...]:
    """Return tags for passages, each once. Raises UsageError for an empty one."""
    found = tuple(dict.fromkeys(tag.strip() for tag in typed or ()))
    if "" in found:
        raise UsageError("a tag cannot be empty", hint="--tag garden; omit --tag for none")
    return found


def dates(since: str | None, until: str | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Parse both days, inclusive, into [start, end) in UTC. Raises UsageError."""
    start = None if since is None else _span("--since", since, zone)[0]
    end = None if until is None else _span("--until", until, zone)[1]
    if start is not None and end is not None and end <= start:
        raise UsageError(f"--until {until} is before --since {since}", hint="swap them")
    return start, end


def _span(option: str, text: str, zone: tzinfo) -> tuple[datetime, datetime]:
    try:
        return span(text, zone)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text!r} is not a valid date", hint=f"{option} 2024-03-31") from error
