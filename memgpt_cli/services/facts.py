"""Facts and entities: stored, searched, corrected, retracted and merged, with their history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.facts import (
    Entity,
    EntityKind,
    Fact,
    FactFilters,
    FactKind,
    FactState,
    entity_ref,
    fact_ref,
    name_key,
)
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.domain.partial_dates import PartialDate, Validity
from memgpt_cli.domain.times import span, to_text
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.facts.keeping import KeptFact, Statement, on_one_line
from memgpt_cli.services import ids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime, tzinfo

    from memgpt_cli.bootstrap import Memory
    from memgpt_cli.domain.facts import FactVersion
    from memgpt_cli.domain.search import SearchResult
    from memgpt_cli.facts.keeping import FactKeeper
    from memgpt_cli.ports import Clock
    from memgpt_cli.services.callers import Caller

__all__ = [
    "FactChanges",
    "FactService",
    "KeptFact",
    "Statement",
    "date_of",
    "entity_shape",
    "fact_shape",
    "validity",
]

STANDING = (FactState.CURRENT, FactState.UNCERTAIN)
"""The states of facts that are listed unless others are asked for."""

_ENDED = (FactState.SUPERSEDED, FactState.RETRACTED)

_LONGEST = 1_000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChanges:
    """What `FactService.edit` changes; None leaves a field as it is, an empty text removes a date."""

    predicate: str | None = None
    object: str | None = None
    start: str | None = None
    until: str | None = None
    kind: FactKind | None = None
    checked: bool = False


class FactService:
    """The facts of one agent."""

    def __init__(self, memory: Memory, caller: Caller, clock: Clock, zone: tzinfo) -> None:
        self._memory = memory
        self._store = memory.store
        self._caller = caller
        self._clock = clock
        self._zone = zone

    # Reading

    def filters(
        self,
        *,
        states: Sequence[FactState] = (),
        kinds: Sequence[FactKind] = (),
        entity: str | None = None,
        as_of: str | None = None,
        known_at: str | None = None,
        to_check: bool = False,
    ) -> FactFilters:
        """Filters of texts. Raises UsageError for an invalid date, NotFoundError for an unknown entity."""
        return FactFilters(
            states=tuple(states),
            kinds=tuple(kinds),
            entity=None if entity is None else self.entity(entity).id,
            as_of=date_of("--as-of", as_of),
            known_at=self._moment("--known-at", known_at),
            to_check=to_check,
        )

    def recent(self, filters: FactFilters, *, limit: int = 50, page: int = 0) -> tuple[list[Fact], bool]:
        """One page (0-based), newest first, and whether there are older ones."""
        found = self._store.facts.page(filters, limit=limit + 1, offset=page * limit)
        return found[:limit], len(found) > limit

    def search(
        self, query: str, filters: FactFilters | None = None, *, limit: int = 10, page: int = 0
    ) -> SearchResult[Fact]:
        """Facts that answer a question, best first: present ones, or those of the time that is asked about."""
        if not query.strip():
            raise UsageError("there is nothing to search for", hint='memgpt facts search "where do I live"')
        vector = self._memory.facts.embed_query(query)
        return self._memory.facts.search(query, filters, limit=limit, page=page, query_vector=vector)

    def get(self, ref: str) -> Fact:
        """The fact of an id such as `f7`. Raises UsageError, and NotFoundError with the nearest ids."""
        number = ids.number(ref, letter=Kind.FACT.prefix)
        found = self._store.facts.get([number])
        if found:
            return found[0]
        if self._store.facts.history(number):
            raise NotFoundError(f"{fact_ref(number)} was undone", hint="memgpt redo, or memgpt facts list --all")
        raise ids.unknown(self._store, Kind.FACT, number)

    def history(self, ref: str) -> list[FactVersion]:
        """Every version of a fact, oldest first. Raises UsageError, NotFoundError."""
        found = self._store.facts.history(ids.number(ref, letter=Kind.FACT.prefix))
        return found or self._store.facts.history(self.get(ref).id)

    def chain(self, fact: Fact) -> tuple[list[Fact], list[Fact]]:
        """What a fact replaced, newest first, and what replaced it, in order."""
        about = self._store.facts.of_entity(fact.subject_id)
        by_id = {other.id: other for other in about}
        before, after = list[Fact](), list[Fact]()
        place = fact
        while place.supersedes in by_id and len(before) < len(about):
            place = by_id[place.supersedes]
            before.append(place)
        place = fact
        while newer := next((f for f in about if f.supersedes == place.id), None):
            after.append(newer)
            place = newer
        return before, after

    # Writing

    def add(self, statement: Statement, *, said_at: datetime | None = None) -> KeptFact:
        """Store a statement as one operation; what it replaces is closed. Raises UsageError for an empty one."""
        _check(statement)
        now = self._clock.now()
        with self._store.transaction():
            return self._keeper.keep(
                statement, said_at=said_at or now, at=now, provenance=self._caller.did("facts add")
            )

    def import_all(self, statements: Sequence[tuple[Statement, datetime | None]]) -> list[KeptFact]:
        """Store statements of a file as one operation. Raises UsageError for one that is empty, and stores none.

        A superseded or retracted one that is known with the same validity is not stored again.
        """
        for statement, _ in statements:
            _check(statement)
        now, by = self._clock.now(), Provenance(author=Author.IMPORT, command="facts import")
        ended = {_content(f): f for f in self.all(FactFilters(states=_ENDED))[0]}
        kept = list[KeptFact]()
        with self._store.transaction(), self._store.journal.operation(by):
            for statement, at in statements:
                known = ended.get(_content(statement)) if statement.state in _ENDED else None
                kept.append(
                    self._keeper.keep(statement, said_at=at or now, at=now, provenance=by)
                    if known is None
                    else KeptFact(fact=known, new=False)
                )
        return kept

    def edit(self, ref: str, changes: FactChanges) -> Fact:
        """Correct a fact; the state before stays in its history. Raises UsageError, NotFoundError."""
        fact = self.get(ref)
        start = fact.valid.start if changes.start is None else date_of("--from", changes.start or None)
        until = fact.valid.until if changes.until is None else date_of("--until", changes.until or None)
        wanted = replace(
            fact,
            predicate=fact.predicate if changes.predicate is None else on_one_line(changes.predicate),
            object=fact.object if changes.object is None else on_one_line(changes.object),
            sentence="" if changes.object is not None else fact.sentence,
            fact_kind=changes.kind or fact.fact_kind,
            valid=validity("", start, until),
            check="" if changes.checked else fact.check,
            state=FactState.CURRENT if changes.checked and fact.state is FactState.UNCERTAIN else fact.state,
        )
        if not wanted.sentence and not (wanted.object and wanted.predicate):
            raise UsageError("a fact cannot be empty", hint=f"memgpt facts retract {fact.ref}")
        return fact if wanted == fact else self._revise(wanted, "facts edit")

    def retract(self, refs: Sequence[str]) -> list[Fact]:
        """Mark facts as never true; they and their history stay. Returns those that were not retracted before.

        Raises UsageError, NotFoundError.
        """
        facts = {fact.id: fact for fact in map(self.get, refs)}.values()
        by = self._caller.did("facts retract")
        with self._store.transaction(), self._store.journal.operation(by):
            return [
                self._store.facts.revise(
                    replace(fact, state=FactState.RETRACTED, check=""), at=self._clock.now(), provenance=by
                )
                for fact in facts
                if fact.state is not FactState.RETRACTED
            ]

    def merge(self, kept: str, duplicates: Sequence[str]) -> Fact:
        """Give one fact the sources of its duplicates, which are retracted. Raises UsageError, NotFoundError."""
        target = self.get(kept)
        others = [self.get(ref) for ref in duplicates]
        if not others or any(other.id == target.id for other in others):
            raise UsageError("name the fact to keep and at least one other", hint=f"memgpt facts merge {target.ref} f2")
        if strange := next((other for other in others if other.subject_id != target.subject_id), None):
            raise UsageError(
                f"{strange.ref} is about {strange.subject}, {target.ref} about {target.subject}",
                hint=f"memgpt entities merge {entity_ref(target.subject_id)} {entity_ref(strange.subject_id)}",
            )
        if other := next((fact for fact in others if not _agree(fact, target)), None):
            raise UsageError(
                f"{other.ref} has another value ({other.object}) than {target.ref} ({target.object})",
                hint=f"memgpt facts edit {other.ref} --object VALUE, or memgpt facts retract {other.ref}",
            )
        by, now = self._caller.did("facts merge"), self._clock.now()
        sources = [source for fact in (target, *others) for source in fact.sources]
        merged = replace(target, sources=tuple(dict.fromkeys(sources)))
        with self._store.transaction(), self._store.journal.operation(by):
            for other in others:
                note = f"merged into {target.ref}"
                retracted = replace(other, state=FactState.RETRACTED, check=note)
                self._store.facts.revise(retracted, at=now, provenance=by)
            return self._store.facts.revise(merged, at=now, provenance=by)

    # Entities

    def entity(self, typed: str) -> Entity:
        """The entity of a name, an alias or an id. Raises NotFoundError with the nearest name."""
        found = self._store.entities.named(typed) if name_key(typed) else None
        if found is None and typed[:1].lower() == Kind.ENTITY.prefix and typed[1:].isdecimal():
            known = {entity.id: entity for entity in self._store.entities.all()}
            found = known.get(int(typed[1:]))
        if found is None:
            names = [name for entity in self._store.entities.all() for name in (entity.name, *entity.aliases)]
            raise NotFoundError(f"no fact is about {typed!r}{did_you_mean(typed, names)}", hint="memgpt entities list")
        return found

    def about(self, entity: Entity) -> list[Fact]:
        """All facts about an entity, oldest first."""
        return self._store.facts.of_entity(entity.id)

    @property
    def today(self) -> date:
        """The present day of the person."""
        return self._clock.now().astimezone(self._zone).date()

    def all(self, filters: FactFilters) -> tuple[list[Fact], dict[int, Entity]]:
        """All facts that pass, oldest first, with their entities."""
        facts = self._store.facts.page(filters, limit=self._store.facts.count())[::-1]
        ids = list({number for fact in facts for number in fact.entities})
        return facts, {entity.id: entity for entity in self._store.entities.get(ids)}

    def entities(self) -> list[tuple[Entity, int]]:
        """All entities, with how many facts are about each, most first."""
        counted = [(entity, len(self._store.facts.of_entity(entity.id))) for entity in self._store.entities.all()]
        return sorted(counted, key=lambda pair: (-pair[1], pair[0].id))

    def rename_entity(self, typed: str, name: str, *, kind: EntityKind | None = None, alias: bool = True) -> Entity:
        """Give an entity another name; the old one stays as an alias unless `alias` is false. Raises UsageError."""
        entity = self.entity(typed)
        new = on_one_line(name)
        if not name_key(new) or len(new) > _LONGEST_NAME:
            raise UsageError(f"{name!r} cannot be a name", hint='memgpt entities rename "Ana" "Ana Sousa"')
        former = (entity.name,) if alias else ()
        aliases = [a for a in dict.fromkeys((*entity.aliases, *former)) if name_key(a) != name_key(new)]
        renamed = replace(entity, name=new, aliases=tuple(aliases), kind=kind or entity.kind)
        by = self._caller.did("entities rename")
        with self._store.transaction(), self._store.journal.operation(by):
            self._store.entities.revise(renamed, at=self._clock.now(), provenance=by)
            self._store.facts.rewrite(entity.id)
        return renamed

    def merge_entities(self, kept: str, duplicate: str) -> tuple[Entity, int]:
        """Make two entities one: facts about the second become facts about the first. Returns how many moved."""
        target, other = self.entity(kept), self.entity(duplicate)
        if target.id == other.id:
            raise UsageError(f"{kept!r} and {duplicate!r} are the same entity", hint="memgpt entities list")
        names = [
            name for name in (*target.aliases, other.name, *other.aliases) if name_key(name) != name_key(target.name)
        ]
        by, now = self._caller.did("entities merge"), self._clock.now()
        facts = self._store.facts.of_entity(other.id)
        with self._store.transaction(), self._store.journal.operation(by):
            self._store.entities.delete(other.id, at=now, provenance=by)
            kind = other.kind if target.kind is EntityKind.UNKNOWN else target.kind
            merged = replace(target, aliases=tuple(dict.fromkeys(names)), kind=kind)
            self._store.entities.revise(merged, at=now, provenance=by)
            for fact in facts:
                self._store.facts.revise(_moved(fact, other.id, target.id), at=now, provenance=by)
        return merged, len(facts)

    @property
    def _keeper(self) -> FactKeeper:
        from memgpt_cli.facts.keeping import FactKeeper

        return FactKeeper(self._store, self._zone)

    def _revise(self, fact: Fact, command: str) -> Fact:
        with self._store.transaction():
            return self._store.facts.revise(fact, at=self._clock.now(), provenance=self._caller.did(command))

    def _moment(self, option: str, text: str | None) -> datetime | None:
        """The end of a day, or a moment."""
        if text is None:
            return None
        try:
            return span(text, self._zone)[1]
        except (ValueError, OverflowError) as error:
            raise UsageError(f"{option} {text!r} is not a valid date", hint=f"{option} 2024-03-31") from error


def date_of(option: str, text: str | None) -> PartialDate | None:
    """A date of known precision. Raises UsageError."""
    if text is None:
        return None
    try:
        return PartialDate.parse(text)
    except ValueError as error:
        raise UsageError(
            f"{option}: {error}", hint=f"{option} 2024, {option} 2024-03 or {option} 2024-03-31"
        ) from error


def validity(what: str, start: PartialDate | None, until: PartialDate | None) -> Validity:
    """A validity whose end is not before its start. Raises UsageError."""
    if start and until and until.last < start.first:
        raise UsageError(f"{what}the end {until} is before the start {start}", hint="swap them")
    return Validity(start, until)


def fact_shape(fact: Fact) -> dict[str, Any]:
    """A fact as JSON (docs/schemas/fact.schema.json)."""
    return {
        "id": fact.ref,
        "text": fact.text,
        "subject": fact.subject,
        **{key: value for key, value in fact.to_values().items() if key not in {"subject_id", "object_id", "about"}},
        "entities": [entity_ref(entity) for entity in fact.entities],
        "supersedes": None if fact.supersedes is None else fact_ref(fact.supersedes),
        "sources": [{"ref": source.ref, "quote": source.quote} for source in fact.sources],
        "said_at": to_text(fact.said_at),
        "recorded_at": to_text(fact.recorded_at),
        "author": fact.provenance.author.value,
    }


def entity_shape(entity: Entity, facts: int) -> dict[str, Any]:
    """An entity as JSON, with how many facts are about it."""
    return {"id": entity_ref(entity.id), **entity.to_values(), "facts": facts}


def _check(statement: Statement) -> None:
    """Raise UsageError for a statement that says nothing or too much."""
    example = "memgpt facts add Ana home Lisbon --from 2023-02"
    texts = (statement.subject, statement.predicate, statement.object, statement.sentence)
    says_something = statement.sentence.strip() or (name_key(statement.predicate) and statement.object.strip())
    if not name_key(statement.subject) or not says_something:
        raise UsageError("a fact needs a subject, a predicate and an object", hint=example)
    if any(len(text) > _LONGEST for text in texts) or len(statement.subject) > _LONGEST_NAME:
        raise UsageError(
            f"a part of a fact is longer than {_LONGEST:,} characters", hint="memgpt archival add keeps texts"
        )


def _content(fact: Fact | Statement) -> tuple[object, ...]:
    """What a fact says, and of which time."""
    return (name_key(fact.subject), name_key(fact.predicate), name_key(fact.object or fact.sentence), fact.valid)


def _agree(one: Fact, other: Fact) -> bool:
    """Whether two facts can be duplicates: one value has all words of the other. Sentences may differ in wording."""
    first, second = (set(name_key(fact.object).split()) for fact in (one, other))
    return first <= second or second <= first


def _moved(fact: Fact, old: int, new: int) -> Fact:
    """A fact about another entity."""
    subject = new if fact.subject_id == old else fact.subject_id
    target = new if fact.object_id == old else fact.object_id
    about = tuple(dict.fromkeys(new if entity == old else entity for entity in fact.about))
    return replace(fact, subject_id=subject, object_id=None if target == subject else target, about=about)
