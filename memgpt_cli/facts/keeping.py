"""Storing a statement: its entities are found or made, what it replaces is closed, what it contradicts is marked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from typing import Final

from memgpt_cli.domain.blocks import Provenance
from memgpt_cli.domain.facts import (
    PERSON,
    Entity,
    EntityKind,
    Fact,
    FactKind,
    FactSource,
    FactState,
    fact_ref,
    name_key,
)
from memgpt_cli.domain.partial_dates import PartialDate, Validity
from memgpt_cli.facts.predicates import has_one_value
from memgpt_cli.facts.supersession import Similarity, Verdict, judge
from memgpt_cli.ports import Store

_MOST_SOURCES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement to store, with names instead of ids. `one_valued` None: as the predicate says.

    `replaces` is the id of the fact that it explicitly replaces.
    """

    subject: str
    predicate: str = ""
    object: str = ""
    sentence: str = ""
    about: tuple[str, ...] = ()
    kind: FactKind = FactKind.ATTRIBUTE
    one_valued: bool | None = None
    valid: Validity = field(default_factory=Validity)
    says: str = ""
    sources: tuple[FactSource, ...] = ()
    state: FactState = FactState.CURRENT
    check: str = ""
    replaces: int | None = None
    denies: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFact:
    """What became of a statement: the fact, whether it is new, and what it did to others."""

    fact: Fact
    new: bool
    closed: tuple[Fact, ...] = ()
    doubted: tuple[Fact, ...] = ()
    to_check: tuple[Fact, ...] = ()


class FactKeeper:
    """Writes facts of one agent. `zone` is where a day of a message is meant."""

    def __init__(self, store: Store, zone: tzinfo, *, similarity: Similarity | None = None) -> None:
        self._store = store
        self._zone = zone
        self._similarity = similarity

    def keep(self, statement: Statement, *, said_at: datetime, at: datetime, provenance: Provenance) -> KeptFact:
        """Store a statement and weigh it against what is known; joins the caller's transaction.

        A statement that is superseded or retracted already changes no other.
        """
        statement = replace(
            statement,
            subject=on_one_line(statement.subject),
            predicate=on_one_line(statement.predicate),
            object=on_one_line(statement.object),
        )
        with self._store.journal.operation(provenance):
            new = self._fact(statement, said_at, at, provenance)
            if new.state in {FactState.SUPERSEDED, FactState.RETRACTED}:
                return KeptFact(fact=self._store.facts.add(new), new=True)
            known = self._store.facts.rivals(new)
            if statement.replaces is not None:
                known += [f for f in self._store.facts.get([statement.replaces]) if f.id not in {k.id for k in known}]
            verdict = judge(
                new, known, replaces=statement.replaces, denies=statement.denies, similarity=self._similarity
            )
            by_id = {fact.id: fact for fact in known}
            if verdict.restates is not None:
                return self._restate(by_id[verdict.restates], new, at, provenance)
            return self._add(new, verdict, by_id, at, provenance)

    def entity(
        self, name: str, *, at: datetime, provenance: Provenance, kind: EntityKind = EntityKind.UNKNOWN
    ) -> Entity:
        """The entity of this name, made where there is none."""
        found = self._store.entities.named(name)
        if found is not None:
            return found
        is_user = name_key(name) == PERSON
        entity = Entity(name=PERSON if is_user else name.strip(), kind=EntityKind.PERSON if is_user else kind)
        return self._store.entities.add(entity, at=at, provenance=provenance)

    def supersede(self, old: Fact, *, by: Fact, at: datetime, provenance: Provenance) -> Fact:
        """Close a fact where the one that replaces it begins; what rests on the same words is to be checked."""
        end = by.valid.start or PartialDate.of(by.said_at.astimezone(self._zone).date())
        if old.valid.start and end.last < old.valid.start.first:
            end = old.valid.start
        closed = replace(old, state=FactState.SUPERSEDED, valid=Validity(old.valid.start, end), check="")
        self._store.facts.revise(closed, at=at, provenance=provenance)
        evidence = set(old.sources)
        for fact in () if not evidence else self._store.facts.of_entity(old.subject_id):
            if fact.state is FactState.CURRENT and fact.id not in {old.id, by.id} and evidence & set(fact.sources):
                why = f"rests on the same words as {fact_ref(old.id)}, which {fact_ref(by.id)} replaced"
                self._mark(fact, why, at, provenance)
        return closed

    def _fact(self, statement: Statement, said_at: datetime, at: datetime, provenance: Provenance) -> Fact:
        subject = self.entity(statement.subject, at=at, provenance=provenance)
        about = [self.entity(name, at=at, provenance=provenance).id for name in statement.about]
        target = self._store.entities.named(statement.object) if statement.object else None
        if target is None and statement.kind is FactKind.RELATION and statement.object:
            target = self.entity(statement.object, at=at, provenance=provenance)
        one_valued = has_one_value(statement.predicate, statement.kind)
        return Fact(
            subject_id=subject.id,
            subject=subject.name,
            predicate=statement.predicate,
            object=statement.object,
            object_id=target.id if target and target.id != subject.id else None,
            about=tuple(dict.fromkeys(number for number in about if number != subject.id)),
            sentence=statement.sentence,
            fact_kind=statement.kind,
            one_valued=one_valued if statement.one_valued is None else statement.one_valued,
            valid=statement.valid,
            state=statement.state,
            says=statement.says,
            sources=statement.sources,
            check=statement.check,
            said_at=said_at,
            recorded_at=at,
            provenance=provenance,
        )

    def _restate(self, known: Fact, new: Fact, at: datetime, provenance: Provenance) -> KeptFact:
        """Add the source of a statement that says again what is known; a certain word makes it certain."""
        sources = tuple(dict.fromkeys((*known.sources, *new.sources)))[:_MOST_SOURCES]
        is_confirmed = known.state is FactState.UNCERTAIN and new.state is FactState.CURRENT
        revised = replace(
            known,
            sources=sources,
            valid=Validity(known.valid.start or new.valid.start, known.valid.until or new.valid.until),
            state=FactState.CURRENT if is_confirmed else known.state,
            check="" if is_confirmed else known.check,
        )
        if revised != known:
            revised = self._store.facts.revise(revised, at=at, provenance=provenance)
        return KeptFact(fact=revised, new=False)

    def _add(
        self, new: Fact, verdict: Verdict, known: dict[int, Fact], at: datetime, provenance: Provenance
    ) -> KeptFact:
        against = (*verdict.doubts, *verdict.outranked_by)
        reasons = [new.check] if new.check else []
        if against:
            reasons.append(f"contradicts {_refs(against)}")
        elif verdict.checks:
            reasons.append(f"may replace {_refs(verdict.checks)}")
        stored = self._store.facts.add(
            replace(
                new,
                state=FactState.UNCERTAIN if against else new.state,
                supersedes=verdict.closes[0] if verdict.closes else None,
                check="; ".join(reasons),
            )
        )
        ref = fact_ref(stored.id)
        closed = [self.supersede(known[n], by=stored, at=at, provenance=provenance) for n in verdict.closes]
        doubted = [
            self._mark(replace(known[n], state=FactState.UNCERTAIN), f"contradicted by {ref}", at, provenance)
            for n in verdict.doubts
        ]
        checks = [self._mark(known[n], f"may be outdated by {ref}", at, provenance) for n in verdict.checks]
        checks += [self._mark(known[n], f"contradicted by {ref}", at, provenance) for n in verdict.outranked_by]
        return KeptFact(fact=stored, new=True, closed=tuple(closed), doubted=tuple(doubted), to_check=tuple(checks))

    def _mark(self, fact: Fact, why: str, at: datetime, provenance: Provenance) -> Fact:
        return self._store.facts.revise(replace(fact, check=why), at=at, provenance=provenance)


def on_one_line(text: str) -> str:
    """A part of a fact with one space for each line break, tab or run of spaces."""
    return " ".join(text.split())


def _refs(ids: Sequence[int]) -> str:
    return ", ".join(fact_ref(number) for number in ids)
