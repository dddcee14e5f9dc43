"""Filters as SQL conditions over `messages` and `passages`."""

from datetime import datetime
from typing import Final

from memgpt_cli.domain.messages import SPOKEN, Role
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.domain.times import to_text

SPOKEN_SQL: Final = ", ".join(f"'{role}'" for role in SPOKEN)
"""The roles of the conversation, for an IN."""


def recall_where(filters: RecallFilters) -> tuple[str, list[object]]:
    """Return a condition on `messages` and its values. Messages without text pass only if every role is requested."""
    clauses = ["1"]
    values: list[object] = []
    if set(filters.roles) != set(Role):
        clauses.append(f"role IN ({', '.join('?' * len(filters.roles))})")
        values += filters.roles
        clauses.append("text != ''")  # an assistant message with calls only has no text
    _within(filters.start, filters.end, clauses, values)
    if filters.name is not None:
        clauses.append("name = ? COLLATE NOCASE")
        values.append(filters.name)
    if filters.in_context is not None:
        clauses.append("evicted_by IS NULL" if filters.in_context else "evicted_by IS NOT NULL")
    if filters.not_turn is not None:
        clauses.append("(turn IS NULL OR turn != ?)")
        values.append(filters.not_turn)
    return " AND ".join(clauses), values


# A passage of several documents has the first as its source and is linked to all.
_FROM_SOURCE = (
    "(source = ? OR id IN (SELECT passage FROM document_passages JOIN documents ON documents.id = document"
    " WHERE documents.source = ?))"
)
_FROM_FOLDER = (
    "(substr(source, 1, ?) = ? OR id IN (SELECT passage FROM document_passages"
    " JOIN documents ON documents.id = document WHERE substr(documents.source, 1, ?) = ?))"
)


def archival_where(filters: ArchivalFilters) -> tuple[str, list[object]]:
    """Return a condition on the existing rows of `passages` and its values."""
    clauses = ["deleted_at IS NULL"]
    values: list[object] = []
    for tag in filters.tags:
        clauses.append("EXISTS (SELECT 1 FROM json_each(tags) WHERE json_each.value = ?)")
        values.append(tag)
    if filters.source is not None and filters.source.endswith("/"):
        clauses.append(_FROM_FOLDER)
        values += [len(filters.source), filters.source] * 2
    elif filters.source is not None:
        clauses.append(_FROM_SOURCE)
        values += [filters.source, filters.source]
    _within(filters.start, filters.end, clauses, values)
    return " AND ".join(clauses), values


def _within(start: datetime | None, end: datetime | None, clauses: list[str], values: list[object]) -> None:
    """Add the conditions of a time range: `start` inclusive, `end` exclusive."""
    for bound, condition in ((start, "created_at >= ?"), (end, "created_at < ?")):
        if bound is not None:
            clauses.append(condition)
            values.append(to_text(bound))
