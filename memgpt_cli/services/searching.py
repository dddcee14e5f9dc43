"""Search one storage with filters, or the whole memory of one or all agents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.messages import SPOKEN, Message
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import StorageError, UsageError
from memgpt_cli.external_context.display import holds, identifiers, page_for_people
from memgpt_cli.external_context.excerpts import excerpt_for_people
from memgpt_cli.external_context.meaning import notes_for_people
from memgpt_cli.main_context.core_search import FoundLine, find_lines
from memgpt_cli.services.filters import dates
from memgpt_cli.services.shapes import why

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from memgpt_cli.bootstrap import Memory, Workspace
    from memgpt_cli.domain.facts import Fact
    from memgpt_cli.domain.passages import Passage
    from memgpt_cli.domain.search import Hit, SearchResult

    Between = tuple[datetime | None, datetime | None]


__all__ = [
    "MemoryHit",
    "MemoryHits",
    "SearchService",
    "excerpt_for_people",
    "hits_shape",
    "notes_for_people",
    "search_agents",
]


_FACTS: Final = 5
"""The most facts before the other hits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryHit:
    """A hit and its agent: a line of core memory, or a message or passage.

    `terms` are the search terms, with their rarity.
    """

    agent: str
    score: float
    line: FoundLine | None = None
    hit: Hit[Any] | None = None
    terms: Mapping[str, float] = field(default_factory=dict)

    @property
    def storage(self) -> str:
        """`facts`, `core`, `recall` or `archival`."""
        return "core" if self.hit is None else str(self.hit.item.kind.place)

    @property
    def excerpt(self) -> str:
        """Return the shown text: the line, or the best part of a long text."""
        if self.hit is None:
            return self.line.text if self.line is not None else ""
        return excerpt_for_people(self.hit.item, self.terms).text


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryHits:
    """The result of a search of everything: the best hits, best first, and how many more there are.

    `weak`: no hit is a good match. `notes` says what was left out.
    """

    query: str
    agents: tuple[str, ...]
    hits: tuple[MemoryHit, ...]
    more: int = 0
    weak: bool = False
    notes: tuple[str, ...] = ()


class SearchService:
    """Searches the memory of one agent."""

    def __init__(self, memory: Memory, zone: tzinfo) -> None:
        self._memory = memory
        self._zone = zone

    def messages(
        self, query: str, filters: RecallFilters | None = None, *, page: int = 0, limit: int = 10
    ) -> SearchResult[Message]:
        """A page of messages, best first; newest first for an empty query."""
        recall, filters = self._memory.recall, filters or RecallFilters()
        vector = recall.embed_query(query)
        return page_for_people(
            lambda page, size: recall.search(query, filters, page=page, page_size=size, query_vector=vector),
            query,
            page,
            limit,
        )

    def passages(
        self, query: str, filters: ArchivalFilters | None = None, *, page: int = 0, limit: int = 10
    ) -> SearchResult[Passage]:
        """A page of passages, best first; newest first for an empty query."""
        archival, filters = self._memory.archival, filters or ArchivalFilters()
        vector = archival.embed_query(query)
        return page_for_people(
            lambda page, size: archival.search(query, filters, page=page, page_size=size, query_vector=vector),
            query,
            page,
            limit,
        )

    def facts(self, query: str, *, limit: int = 5) -> SearchResult[Fact]:
        """The facts that answer a query: present ones, or those of the time that it asks about; none if none fits."""
        facts = self._memory.facts
        return facts.search(query, limit=limit, query_vector=facts.embed_query(query), relevant=True)

    def everything(
        self, query: str, *, limit: int = 10, since: str | None = None, until: str | None = None
    ) -> MemoryHits:
        """Search facts, core memory, recall and archival storage: facts first, then best first.

        With dates, facts and core memory are left out.

        Raises UsageError for an empty query or an invalid date.
        """
        _check(query)
        found = _found(self._memory, self._zone, query, limit, dates(since, until, self._zone))
        return _merged(query, [self._memory.name], [found], limit)


def search_agents(
    workspace: Workspace, query: str, *, limit: int = 10, since: str | None = None, until: str | None = None
) -> MemoryHits:
    """Search the memory of all agents on this machine; a damaged record is reported and skipped.

    Raises UsageError for an empty query or an invalid date.
    """
    _check(query)
    names, zone = workspace.agents.names(), workspace.settings.zone
    found, notes, between = [], list[str](), dates(since, until, zone)
    for name in names:
        try:
            with workspace.memory(name) as memory:
                one = _found(memory, zone, query, limit, between)
        except StorageError as error:
            notes.append(f"{name}: {error.message}")
        else:
            found.append(one)
            notes += [f"{name}: {note}" for note in one.notes]
    return _merged(query, names, found, limit, notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The hits of one agent, and whether all of them match only weakly."""

    hits: tuple[MemoryHit, ...]
    weak: bool
    notes: tuple[str, ...]


def _found(memory: Memory, zone: tzinfo, query: str, limit: int, between: Between) -> _Found:
    search, (start, end) = SearchService(memory, zone), between
    lines = [] if start or end else find_lines(memory.store.blocks.all(), query)[:limit]
    hits = [MemoryHit(agent=memory.name, score=line.score, line=line) for line in lines]
    results: list[SearchResult[Any]] = [
        search.messages(query, RecallFilters(roles=SPOKEN, start=start, end=end), limit=limit),
        search.passages(query, ArchivalFilters(start=start, end=end), limit=limit),
    ]
    known = [] if start or end or not memory.store.facts.count() else [search.facts(query, limit=min(limit, _FACTS))]
    for result in (*known, *results):
        hits += [MemoryHit(agent=memory.name, score=hit.score, hit=hit, terms=result.terms) for hit in result.hits]
    return _Found(
        hits=tuple(hits),
        weak=not lines
        and not any(result.hits for result in known)
        and all(result.weak for result in results if result.hits),
        notes=tuple(
            dict.fromkeys(
                note
                for result, what in zip(results, ("messages", "passages"), strict=True)
                for note in notes_for_people(result, what=what)
            )
        ),
    )


def _check(query: str) -> None:
    if not query.strip():
        raise UsageError("there is nothing to search for", hint='memgpt search "where is the spare key"')


def _merged(
    query: str, agents: Sequence[str], found: Sequence[_Found], limit: int, notes: Sequence[str] | None = None
) -> MemoryHits:
    hits = _only_exact(query, [hit for one in found for hit in one.hits])
    best = sorted(hits, key=lambda hit: (hit.storage != Kind.FACT.place, -hit.score))[:limit]
    return MemoryHits(
        query=query,
        agents=tuple(agents),
        hits=tuple(best),
        more=len(hits) - len(best),
        weak=bool(best) and all(one.weak for one in found if one.hits),
        notes=tuple(notes) if notes is not None else tuple(note for one in found for note in one.notes),
    )


def _only_exact(query: str, hits: Sequence[MemoryHit]) -> Sequence[MemoryHit]:
    """Return only hits that contain the query's one exact identifier, in any storage."""
    wanted = identifiers(query)
    if len(wanted) != 1:
        return hits

    def text(hit: MemoryHit) -> str:
        return hit.hit.item.searchable if hit.hit is not None else hit.line.text if hit.line is not None else ""

    return [hit for hit in hits if holds(text(hit), wanted[0])] or hits


def hits_shape(found: MemoryHits) -> dict[str, Any]:
    """The answer as JSON (docs/schemas/search.schema.json)."""
    return {
        "query": found.query,
        "agents": list(found.agents),
        "hits": [_hit_shape(hit) for hit in found.hits],
        "weak": found.weak,
        "notes": list(found.notes),
    }


def _hit_shape(found: MemoryHit) -> dict[str, Any]:
    shape: dict[str, Any] = {"agent": found.agent, "score": round(found.score, 4), "where": found.storage}
    if found.line is not None:
        line = found.line
        where = {"id": line.label, "line": line.number, "text": line.text, "excerpt": line.text}
        return {**shape, **where, "created_at": None, "name": None, "source": None, "why": None}
    assert found.hit is not None  # noqa: S101 - a hit has a line or an item
    item = found.hit.item
    is_message = item.kind is Kind.MESSAGE
    return {
        **shape,
        "id": item.ref,
        "line": None,
        "text": item.text,
        "excerpt": found.excerpt,
        "created_at": to_text(item.created_at),
        "name": item.origin if is_message else None,
        "source": item.origin if item.kind is Kind.FACT else getattr(item, "source", None),
        "why": why(found.hit.why),
    }
