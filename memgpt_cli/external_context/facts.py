"""Facts as something to be asked: found by words, meaning and names, as they are now or as they were at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from typing import Final

from memgpt_cli.domain.facts import Fact, FactFilters, FactState
from memgpt_cli.domain.partial_dates import PartialDate
from memgpt_cli.domain.search import Meaning, Why
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.domain.vectors import Collection, Vector
from memgpt_cli.external_context.meaning import meaning_of, vector_of
from memgpt_cli.external_context.ranking import explain, rank
from memgpt_cli.facts.keeping import FactKeeper
from memgpt_cli.ports import Clock, Embedder, Store, VectorIndex
from memgpt_cli.text.asked_times import asked_time, asks_past
from memgpt_cli.text.terms import query_terms, text_terms

_CANDIDATES: Final = 60

NOW: Final = (FactState.CURRENT,)
TRUE_ONCE: Final = (FactState.CURRENT, FactState.SUPERSEDED)
"""The states of a fact that was true at some time."""

_NEAR: Final = 0.45
_HALF: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FactHit:
    """One fact that was found."""

    fact: Fact
    score: float
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class FactResult:
    """One page (0-based) of facts, best first, of `total`; how far meaning was used, and the time that was asked about."""

    hits: tuple[FactHit, ...]
    total: int
    page: int
    meaning: Meaning
    as_of: PartialDate | None = None
    page_size: int = 10

    @property
    def more(self) -> int:
        """How many hits are on later pages."""
        return 0 if not self.hits else max(0, self.total - self.page * self.page_size - len(self.hits))


@dataclass(frozen=True, slots=True, kw_only=True)
class FactQuestion:
    """A question to facts as read. `filters` say which facts can answer it; `now` leaves out what has ended."""

    filters: FactFilters
    now: bool


class FactStorage:
    """Searches the facts of one agent. `zone` is where its days are meant."""

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
        self.keeper = FactKeeper(store, zone)

    @property
    def today(self) -> date:
        """The present day of the person."""
        return self._clock.now().astimezone(self._zone).date()

    def embed_query(self, text: str) -> Vector | None:
        """The vector of a query. May talk to a network, so it is called outside of any transaction."""
        return vector_of(text, self._embedder) if text.strip() else None

    def read_question(
        self, query: str, filters: FactFilters | None = None, *, today: date | None = None
    ) -> FactQuestion:
        """Which facts can answer: those of the time that is asked about, by default the present.

        Filters that name states or a time are taken as they are.
        """
        filters = filters or FactFilters()
        if filters.states:
            return FactQuestion(filters=filters, now=False)
        moment = filters.as_of or asked_time(query, today or self.today)
        if moment is not None:
            return FactQuestion(filters=replace(filters, as_of=moment, states=TRUE_ONCE), now=False)
        if filters.known_at is not None:
            return FactQuestion(filters=replace(filters, states=NOW), now=False)
        if asks_past(query):
            return FactQuestion(filters=replace(filters, states=TRUE_ONCE), now=False)
        return FactQuestion(filters=replace(filters, states=NOW), now=True)

    def search(
        self,
        query: str,
        filters: FactFilters | None = None,
        *,
        limit: int = 10,
        page: int = 0,
        query_vector: Vector | None = None,
        today: date | None = None,
        relevant: bool = False,
    ) -> FactResult:
        """One page of facts, best first. `relevant` leaves out what shares too little with the query."""
        question = self.read_question(query, filters, today=today)
        lexical = self._store.facts.search(query, _CANDIDATES)
        nearest = [] if query_vector is None else self._index.search(Collection.FACTS, query_vector, _CANDIDATES)
        ids = list(dict.fromkeys([*(hit.id for hit in lexical), *(item for item, _ in nearest)]))
        known = {fact.id: fact for fact in self._store.facts.known(ids, question.filters)}
        if question.now:
            known = {n: fact for n, fact in known.items() if fact.is_current(today or self.today)}
        cosines = {item: cosine for item, cosine in nearest if item in known}
        shares = self._shares(query, known)
        ranked = rank(
            [hit for hit in lexical if hit.id in known],
            list(cosines.items()),
            settings=self._settings,
            priors={number: {"covers": shares[number]} for number in known},
        )
        if relevant:
            ranked = [r for r in ranked if cosines.get(r.id, 0.0) >= _NEAR or shares[r.id] >= _HALF]
        shown = ranked[page * limit : (page + 1) * limit]
        return FactResult(
            hits=tuple(
                FactHit(fact=known[candidate.id], score=candidate.score, why=why)
                for candidate, why in zip(shown, explain(shown), strict=True)
            ),
            total=len(ranked),
            page=page,
            page_size=limit,
            meaning=meaning_of(query_vector, self._index, Collection.FACTS, self._store.facts.count),
            as_of=question.filters.as_of,
        )

    def recent(self, filters: FactFilters, *, limit: int, page: int = 0) -> list[Fact]:
        """One page of facts, newest first."""
        return self._store.facts.page(filters, limit=limit, offset=page * limit)

    def _shares(self, query: str, facts: Mapping[int, Fact]) -> dict[int, float]:
        """Which share of the terms of the query each fact holds, with the other names of its entities."""
        wanted = query_terms(query)
        names = {e.id: " ".join((e.name, *e.aliases)) for e in self._store.entities.get(_entities(facts.values()))}
        shares = {}
        for number, fact in facts.items():
            held = set(text_terms(" ".join((fact.text, *(names.get(entity, "") for entity in fact.entities)))))
            shares[number] = sum(term in held for term in wanted) / max(1, len(wanted))
        return shares


def _entities(facts: Iterable[Fact]) -> list[int]:
    return list(dict.fromkeys(entity for fact in facts for entity in fact.entities))
