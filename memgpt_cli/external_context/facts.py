"""Facts as something to be asked: found by words, meaning and names, as they are now or as they were at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Final

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.facts import PERSON, Fact, FactFilters, FactSource, FactState, name_key
from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.search import Hit, SearchResult
from memgpt_cli.domain.settings import SearchSettings
from memgpt_cli.domain.trust import Author
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.external_context.meaning import meaning_of, vector_of
from memgpt_cli.external_context.ranking import explain, rank
from memgpt_cli.facts.keeping import FactKeeper, KeptFact, Statement
from memgpt_cli.facts.whose_word import is_pasted
from memgpt_cli.ports import Clock, Embedder, Store, VectorIndex
from memgpt_cli.text.asked_times import asked_time, asks_past, without_time
from memgpt_cli.text.asking import of_oneself
from memgpt_cli.text.predicates import same_predicate, with_predicates
from memgpt_cli.text.terms import query_terms, text_terms
from memgpt_cli.text.words import words

_CANDIDATES: Final = 60

NOW: Final = (FactState.CURRENT,)
TRUE_ONCE: Final = (FactState.CURRENT, FactState.SUPERSEDED)
"""The states of a fact that was true at some time."""

_NEAR: Final = 0.45
_HALF: Final = 0.5
"""A fact is relevant with this cosine, or with this share of the terms of a query (docs/facts.md)."""

_SAME_PREDICATE: Final = 0.75

_OWN: Final = 0.3
"""The weight of being about the person, in a question about oneself."""


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

    @property
    def empty(self) -> bool:
        """Whether there are no facts."""
        return not self._store.facts.count()

    def exists(self, fact_id: int) -> bool:
        """Whether there is a fact of this id."""
        return bool(self._store.facts.get([fact_id]))

    def record(
        self, statement: Statement, *, provenance: Provenance, turn: int | None, at: datetime | None
    ) -> KeptFact:
        """Store what the agent states; joins the caller's transaction.

        If the person said the value in this turn, it is the person's word and rests on that message. Otherwise it is
        uncertain, since it may come from a document or from nowhere.
        """
        now = self._clock.now()
        source = self._told_in(statement.object, turn)
        if source is None:
            statement = replace(statement, state=FactState.UNCERTAIN, check="not in the person's words of that turn")
        else:
            provenance = replace(provenance, author=Author.USER)
            statement = replace(statement, sources=(FactSource(ref=source.ref),))
        return self.keeper.keep(statement, said_at=at or now, at=now, provenance=provenance)

    def _told_in(self, value: str, turn: int | None) -> Message | None:
        """The person's message of a turn that holds every word of a value."""
        wanted = set(words(value))
        said = self._store.messages.of_turn(turn) if turn is not None and wanted else []
        own = (m for m in said if m.role is Role.USER and not m.untrusted and not is_pasted(m.text, value))
        return next((message for message in own if wanted <= set(words(message.text))), None)

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
    ) -> SearchResult[Fact]:
        """One page of facts, best first. `relevant` leaves out what shares too little with the query."""
        question = self.read_question(query, filters, today=today)
        is_timed = question.filters.as_of is not None
        terms = query_terms(without_time(query, today or self.today) if is_timed else query)
        lexical = self._store.facts.search(" ".join([query, *with_predicates(terms)]), _CANDIDATES)
        nearest = [] if query_vector is None else self._index.search(Collection.FACTS, query_vector, _CANDIDATES)
        ids = list(dict.fromkeys([*(hit.id for hit in lexical), *(item for item, _ in nearest)]))
        known = {fact.id: fact for fact in self._store.facts.known(ids, question.filters)}
        if question.now:
            known = {n: fact for n, fact in known.items() if fact.is_current(today or self.today)}
        cosines = {item: cosine for item, cosine in nearest if item in known}
        shares = self._shares(terms, known)
        own = {n: _OWN for n, fact in known.items() if name_key(fact.subject) == PERSON} if of_oneself(query) else {}
        ranked = rank(
            [hit for hit in lexical if hit.id in known],
            list(cosines.items()),
            settings=self._settings,
            upto=len(known),
            priors={"covers": shares, "own": own},
        ).first
        if relevant:
            ranked = [r for r in ranked if cosines.get(r.id, 0.0) >= _NEAR or shares[r.id] >= _HALF]
        shown = ranked[page * limit : (page + 1) * limit]
        return SearchResult(
            hits=tuple(
                Hit(item=known[candidate.id], score=candidate.score, why=why)
                for candidate, why in zip(shown, explain(shown), strict=True)
            ),
            total=len(ranked),
            ranked=True,
            page=page,
            page_size=limit,
            meaning=meaning_of(query_vector, self._index, Collection.FACTS, self._store.facts.count),
            terms=dict.fromkeys(terms, 1.0),
        )

    def recent(self, filters: FactFilters, *, limit: int, page: int = 0) -> list[Fact]:
        """One page of facts, newest first."""
        return self._store.facts.page(filters, limit=limit, offset=page * limit)

    def _shares(self, wanted: Sequence[str], facts: Mapping[int, Fact]) -> dict[int, float]:
        """Which share of the terms of the query each fact holds, with the other names of its entities."""
        names = {e.id: " ".join((e.name, *e.aliases)) for e in self._store.entities.get(_entities(facts.values()))}
        shares = {}
        for number, fact in facts.items():
            held = set(text_terms(" ".join((fact.text, *(names.get(entity, "") for entity in fact.entities)))))
            shares[number] = sum(_held(term, held) for term in wanted) / max(1, len(wanted))
        return shares


def _entities(facts: Iterable[Fact]) -> list[int]:
    return list(dict.fromkeys(entity for fact in facts for entity in fact.entities))


def _held(term: str, held: set[str]) -> float:
    """How well a term is held: as it is, or by a word that asks for the same thing."""
    if term in held:
        return 1.0
    return 0.0 if same_predicate(term).isdisjoint(held) else _SAME_PREDICATE
