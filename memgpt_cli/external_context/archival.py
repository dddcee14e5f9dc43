"""Archival storage: passages found by words, meaning, tag and source.

Document readers are elsewhere; loaded documents arrive here as passages.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.passages import Inserted, Passage
from memgpt_cli.domain.search import ArchivalFilters, Hit, LexicalHit, SearchResult
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.external_context.meaning import FILTERED, meaning_of, vector_of
from memgpt_cli.external_context.questions import nearness, read_question
from memgpt_cli.external_context.ranking import Ranking, is_weak, page_of, rank, terms_of
from memgpt_cli.ports import Clock, Embedder, Store, VectorIndex
from memgpt_cli.text.stems import base
from memgpt_cli.text.words import query_words

ALIKE: Final = 0.6
"""The share of common stems (Jaccard, without stop words) from which passages count as near-duplicates.

Of 13 self-written rewordings 12 reach it, of 13 different statements of the same form none
(tests/external_context/test_near_duplicates.py); over all words it was 5 and 2.
"""

_COMPARED: Final = 5


class ArchivalStorage:
    """Searches and extends the passages of one agent. Dates in a question are in `zone`."""

    def __init__(
        self,
        store: Store,
        index: VectorIndex,
        embedder: Embedder,
        *,
        settings: SearchSettings,
        zone: tzinfo,
        clock: Clock,
    ) -> None:
        self._store = store
        self._index = index
        self._embedder = embedder
        self._settings = settings
        self._zone = zone
        self._clock = clock

    def insert(
        self,
        text: str,
        *,
        provenance: Provenance,
        tags: Sequence[str] = (),
        source: str | None = None,
        location: str | None = None,
        at: datetime | None = None,
    ) -> Inserted:
        """Store a passage once; joins the caller's transaction. Its vector is made later, in the background.

        `at` is when it was said; None is now.
        """
        similar = self._similar(text)
        passage = Passage(
            text=text,
            created_at=at or self._clock.now(),
            tags=tuple(dict.fromkeys(tags)),
            source=source,
            location=location,
            provenance=provenance,
        )
        with self._store.transaction():
            stored, new = self._store.passages.add(passage)
        return Inserted(passage=stored, new=new, similar=tuple(p for p in similar if p.id != stored.id) if new else ())

    def insert_all(
        self, texts: Sequence[str], *, provenance: Provenance, tags: Sequence[str] = (), source: str | None = None
    ) -> list[Inserted]:
        """Store passages in one transaction, so that one undo removes all of them."""
        with self._store.transaction(), self._store.journal.operation(provenance):
            return [self.insert(text, provenance=provenance, tags=tags, source=source) for text in texts]

    def passage(self, passage_id: int) -> Passage | None:
        """Return one existing passage."""
        return next(iter(self._store.passages.get([passage_id])), None)

    def revise(self, passage: Passage, provenance: Provenance) -> None:
        """Store the new text of a passage. Raises UsageError if another passage has exactly this text."""
        with self._store.transaction():
            self._store.passages.revise(passage, at=self._clock.now(), provenance=provenance)

    def delete(self, passage: Passage, provenance: Provenance) -> None:
        """Delete a passage, leaving a tombstone."""
        with self._store.transaction():
            self._store.passages.delete([passage.id], at=self._clock.now(), provenance=provenance)

    def embed_query(self, text: str) -> Vector | None:
        """Return the query's vector; None if there is nothing to embed or the embedder cannot be reached.

        It may use the network, so call it outside of any transaction.
        """
        return vector_of(text, self._embedder) if text.strip() else None

    def search(
        self,
        query: str,
        filters: ArchivalFilters | None = None,
        *,
        page: int = 0,
        page_size: int | None = None,
        query_vector: Vector | None = None,
    ) -> SearchResult[Passage]:
        """Return one page of hits: ranked for a query, newest first for filters alone. Read-only.

        Without `query_vector` a query is answered by words only, and the result says so.
        """
        filters = filters or ArchivalFilters()
        size = page_size or self._settings.page_size
        if not query.strip():
            return self._newest(filters, page, size)
        lexical = self._store.lexical.search_passages(
            query, filters, self._settings.candidates, context=self._settings.context_weight
        )
        nearest = self._nearest(query_vector, filters)
        ranking, passages = self._ranked(query, lexical, nearest, filters, upto=(page + 1) * size)
        known = ranking.total > len(passages)  # all pass the filters, and only the best were read
        return page_of(
            ranking,
            passages,
            page=page,
            page_size=size,
            meaning=meaning_of(query_vector, self._index, Collection.PASSAGES, self._store.passages.count),
            terms=terms_of(query, lexical),
            weak=is_weak(
                query,
                [hit for hit in lexical if known or hit.id in passages],
                [(item, cosine) for item, cosine in nearest if known or item in passages],
                embedder=self._embedder,
                items=self._store.passages.count,
            ),
        )

    def _ranked(
        self,
        query: str,
        lexical: Sequence[LexicalHit],
        nearest: Sequence[tuple[int, float]],
        filters: ArchivalFilters,
        *,
        upto: int,
    ) -> tuple[Ranking, dict[int, Passage]]:
        """The candidates in order, and the passages of at least the first `upto` of them.

        Rows are read only for those if their content does not affect the order: reading rows is a third of a search's
        cost.
        """
        dates = read_question(query, participants=(), zone=self._zone).dates
        if filters == ArchivalFilters() and not dates:
            ranking = rank(lexical, nearest, settings=self._settings, upto=upto)
            passages = {p.id: p for p in self._store.passages.get([candidate.id for candidate in ranking.first])}
            if len(passages) == len(ranking.first):
                return ranking, passages
        ids = list(dict.fromkeys([*(hit.id for hit in lexical), *(item for item, _ in nearest)]))
        passages = {passage.id: passage for passage in self._store.passages.get(ids, filters)}
        near = {
            item: self._settings.date_weight * nearness(passage.created_at, dates, self._zone)
            for item, passage in passages.items()
            if dates and passage.source is None  # the load date of a document is unrelated to its content
        }
        ranking = rank(
            [hit for hit in lexical if hit.id in passages],
            [(item, cosine) for item, cosine in nearest if item in passages][: self._settings.candidates],
            settings=self._settings,
            upto=upto,
            priors={"date": near},
        )
        return ranking, passages

    def _newest(self, filters: ArchivalFilters, page: int, size: int) -> SearchResult[Passage]:
        found = self._store.passages.page(filters, limit=size, offset=page * size)
        return SearchResult(
            hits=tuple(Hit(item=passage, score=0.0) for passage in found),
            total=self._store.passages.count(filters),
            ranked=False,
            page=page,
            page_size=size,
        )

    def _nearest(self, vector: Vector | None, filters: ArchivalFilters) -> list[tuple[int, float]]:
        if vector is None:
            return []
        limit = self._settings.candidates * (1 if filters == ArchivalFilters() else FILTERED)
        return self._index.search(Collection.PASSAGES, vector, limit)

    def _similar(self, text: str) -> list[Passage]:
        """Return existing passages that share most of their words with `text`, most similar first."""
        stems = _stems(text)
        if not stems:
            return []
        found = self._store.lexical.search_passages(text[:8_000], ArchivalFilters(), _COMPARED)
        near = [(_shared(stems, _stems(p.text)), p) for p in self._store.passages.get([hit.id for hit in found])]
        return [p for share, p in sorted(near, key=lambda pair: -pair[0]) if share >= ALIKE]


def alike(one: str, other: str) -> float:
    """Return the share of their stems that two texts have in common."""
    return _shared(_stems(one), _stems(other))


def _stems(text: str) -> dict[str, None]:
    """Return the distinct stems of a text, without stop words."""
    return dict.fromkeys(base(word) for word in query_words(text[:8_000]))


def _shared(one: dict[str, None], other: dict[str, None]) -> float:
    return len(one.keys() & other.keys()) / max(1, len(one.keys() | other.keys()))
