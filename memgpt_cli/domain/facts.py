"""Facts: statements with a period of validity, their sources and a state, about entities that form a graph."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.partial_dates import PartialDate, Validity

PERSON: Final = "user"
"""The name of the entity that stands for the person who talks with the agent."""

_PERSON_WORDS: Final = frozenset({PERSON, "the user", "i", "me", "myself", "我", "本人", "用户", "the person"})
_SPACE_OR_MARKS: Final = re.compile(r"[\s\"'“”‘’.,;:!?。，；：！？]+")


_SOURCES_SHOWN: Final = 3


class FactKind(StrEnum):
    """What a fact is about."""

    ATTRIBUTE = "attribute"
    RELATION = "relation"
    EVENT = "event"
    PREFERENCE = "preference"
    HABIT = "habit"
    HOW_TO = "how-to"


class FactState(StrEnum):
    """Whether a fact may be presented as true."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    RETRACTED = "retracted"
    UNCERTAIN = "uncertain"


class EntityKind(StrEnum):
    """What an entity is."""

    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    THING = "thing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A person, a place or a thing. `name` is shown; `aliases` find it too. `id` is 0 until stored."""

    name: str
    id: int = 0
    kind: EntityKind = EntityKind.UNKNOWN
    aliases: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The forms under which it is found."""
        return tuple(dict.fromkeys(name_key(name) for name in (self.name, *self.aliases)))

    def to_values(self) -> dict[str, Any]:
        """Everything but the id, for JSON."""
        return {"name": self.name, "kind": self.kind.value, "aliases": list(self.aliases)}

    @classmethod
    def from_values(cls, entity_id: int, values: Mapping[str, Any]) -> "Entity":
        """The inverse of `to_values`. Raises ValueError and KeyError for values that no entity has."""
        name, aliases = values["name"], tuple(values["aliases"])
        if not all(isinstance(text, str) and name_key(text) for text in (name, *aliases)):
            msg = "the name of an entity is empty or not a text"
            raise ValueError(msg)
        return cls(id=entity_id, name=name, kind=EntityKind(values["kind"]), aliases=aliases)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityVersion:
    """One state in the history of an entity."""

    entity: Entity
    version: int
    at: datetime
    provenance: Provenance
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FactSource:
    """What a fact rests on: a message or a passage (`m12`, `p7`), and the words in it."""

    ref: str
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One statement.

    `subject` is an entity. `object` is a text; `object_id` is the entity that the text names, if it names one; `about`
    are further entities. `sentence` says it in one sentence, empty where subject, predicate and object do.

    `one_valued`: there is one such value at a time, and a new one closes the old one. `said_at` is when it was
    said, `recorded_at` when it was stored. `says` names who claims it, if not the author. `supersedes` is the fact that
    it replaced. `check` is why a person should look at it; empty when there is no reason.
    """

    subject_id: int
    predicate: str
    object: str
    said_at: datetime
    recorded_at: datetime
    provenance: Provenance
    id: int = 0
    subject: str = ""
    object_id: int | None = None
    about: tuple[int, ...] = ()
    sentence: str = ""
    fact_kind: FactKind = FactKind.ATTRIBUTE
    one_valued: bool = False
    valid: Validity = field(default_factory=Validity)
    state: FactState = FactState.CURRENT
    says: str = ""
    sources: tuple[FactSource, ...] = ()
    supersedes: int | None = None
    check: str = ""
    kind: ClassVar[Kind] = Kind.FACT
    tags: ClassVar[tuple[str, ...]] = ()

    @property
    def ref(self) -> str:
        """How it is named to people and models: `f7`."""
        return fact_ref(self.id)

    @property
    def created_at(self) -> datetime:
        """When it was said."""
        return self.said_at

    @property
    def least(self) -> Author:
        """The least trusted source that it goes back to."""
        return self.provenance.least

    @property
    def origin(self) -> str:
        """Its validity, its state unless it is current, and its sources, in one line."""
        state = "" if self.state is FactState.CURRENT else self.state.value
        sources = ", ".join(source.ref for source in self.sources[:_SOURCES_SHOWN])
        return "; ".join(part for part in (str(self.valid), state, sources and f"from {sources}") if part)

    @property
    def searchable(self) -> str:
        """Its text and its quotes."""
        return " ".join((self.text, *(source.quote for source in self.sources)))

    @property
    def text(self) -> str:
        """The statement in one line."""
        if self.sentence:
            return self.sentence
        return (
            f"{self.subject}, {self.predicate}: {self.object}" if self.predicate else f"{self.subject}: {self.object}"
        )

    @property
    def entities(self) -> tuple[int, ...]:
        """Every entity that it is about, its subject first."""
        others = (self.object_id,) if self.object_id else ()
        return tuple(dict.fromkeys((self.subject_id, *others, *self.about)))

    def holds_on(self, asked: PartialDate) -> bool:
        """Whether it may have been true then. An event stays true after it happened."""
        known_since = self.said_at.date()
        if self.fact_kind is FactKind.EVENT:
            return (self.valid.start.first if self.valid.start else known_since) <= asked.last
        return self.valid.covers(asked, known_since=known_since)

    def is_current(self, today: date) -> bool:
        """Whether it can be presented as true today."""
        ended = self.valid.last is not None and self.valid.last < today and self.fact_kind is not FactKind.EVENT
        return self.state is FactState.CURRENT and not ended

    def to_values(self) -> dict[str, Any]:
        """Everything but the id, for JSON."""
        return {
            "subject_id": self.subject_id, "predicate": self.predicate, "object": self.object,
            "object_id": self.object_id, "about": list(self.about), "sentence": self.sentence,
            "kind": self.fact_kind.value, "one_valued": self.one_valued,
            "valid_from": str(self.valid.start) if self.valid.start else None,
            "valid_until": str(self.valid.until) if self.valid.until else None,
            "state": self.state.value, "says": self.says,
            "sources": [[source.ref, source.quote] for source in self.sources],
            "supersedes": self.supersedes, "check": self.check,
        }  # fmt: skip

    def with_values(self, values: Mapping[str, Any]) -> "Fact":
        """The fact that `to_values` described. Raises ValueError, KeyError, TypeError for values that no fact has."""
        texts = [values[name] for name in ("predicate", "object", "sentence", "says", "check")]
        numbers = [values["subject_id"], *values["about"], values["object_id"] or 0, values["supersedes"] or 0]
        if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
            msg = "a fact holds a value of another type than its field"
            raise ValueError(msg)
        return replace(
            self,
            **{name: values[name] for name in ("subject_id", "object_id", "supersedes")},
            **dict(zip(("predicate", "object", "sentence", "says", "check"), texts, strict=True)),
            about=tuple(values["about"]),
            fact_kind=FactKind(values["kind"]),
            one_valued=bool(values["one_valued"]),
            valid=_validity(values),
            state=FactState(values["state"]),
            sources=tuple(FactSource(ref=str(ref), quote=str(quote)) for ref, quote in values["sources"]),
        )


def _validity(values: Mapping[str, Any]) -> Validity:
    """The validity in the values of a fact. Raises ValueError for an invalid date."""
    start, until = (values[key] and PartialDate.parse(values[key]) for key in ("valid_from", "valid_until"))
    return Validity(start or None, until or None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactVersion:
    """One state in the history of a fact; `deleted` marks that it was taken back."""

    fact: Fact
    version: int
    at: datetime
    provenance: Provenance
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FactFilters:
    """Which facts come into question. `as_of`: true then; `known_at`: as the record knew them then.

    `entity` is an id; facts about it in any place pass. `states` and `kinds` empty: all of them. `to_check`: only those
    that a person should look at.
    """

    states: tuple[FactState, ...] = ()
    kinds: tuple[FactKind, ...] = ()
    entity: int | None = None
    as_of: PartialDate | None = None
    known_at: datetime | None = None
    to_check: bool = False

    def passes(self, fact: Fact) -> bool:
        """Whether a fact, as it was known, comes into question."""
        if (self.states and fact.state not in self.states) or (self.kinds and fact.fact_kind not in self.kinds):
            return False
        if self.entity is not None and self.entity not in fact.entities:
            return False
        return (self.as_of is None or fact.holds_on(self.as_of)) and (not self.to_check or bool(fact.check))


def fact_ref(fact_id: int) -> str:
    """How a fact is named to people and models: `f7`."""
    return Kind.FACT.ref(fact_id)


def entity_ref(entity_id: int) -> str:
    """How an entity is named to people: `e3`."""
    return Kind.ENTITY.ref(entity_id)


def name_key(name: str) -> str:
    """The form in which names, predicates and values are compared: case, width, spaces and marks do not count."""
    key = _SPACE_OR_MARKS.sub(" ", unicodedata.normalize("NFKC", name).casefold()).strip()
    return PERSON if key in _PERSON_WORDS else key


_RANKS: Final = {Author.USER: 3, Author.AGENT: 2, Author.SYSTEM: 2, Author.IMPORT: 1, Author.DOCUMENT: 0}


def trust_rank(author: Author) -> int:
    """How far the word of an author counts; a lower rank never replaces a value of a higher one."""
    return _RANKS.get(author, 0)
