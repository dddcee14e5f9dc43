"""A question to memory and its answer: filters, hits, and why each hit is one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from memgpt_cli.domain.messages import SPOKEN, Message, Role
from memgpt_cli.domain.passages import Passage

Item = TypeVar("Item", Message, Passage)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFilters:
    """Which messages come into question: `start` inclusive, `end` exclusive, both in UTC.

    `not_turn` leaves out a turn: the one that is asking, whose question holds all of its own words.
    """

    roles: tuple[Role, ...] = SPOKEN
    start: datetime | None = None
    end: datetime | None = None
    name: str | None = None
    in_context: bool | None = None
    not_turn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivalFilters:
    """Which passages come into question: those that carry all `tags` and come from `source`.

    A source that ends with `/` is a folder: everything below it.
    """

    tags: tuple[str, ...] = ()
    source: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class LexicalHit(NamedTuple):
    """A candidate of the full-text index. `score` is BM25, positive; larger is better.

    `nearby` is the part of it that is owed to what stands next to the item, `words` those of the query found in
    the item itself. `rarity` is the inverse document frequency of every word of the query, the same for all hits.
    """

    id: int
    score: float
    nearby: float = 0.0
    words: tuple[str, ...] = ()
    rarity: Mapping[str, float] = MappingProxyType({})


class Candidate(NamedTuple):
    """What is known of a message before its text is read. `asks` says that it has a question mark."""

    id: int
    role: str
    name: str | None
    asks: bool


class Standing(NamedTuple):
    """Where a spoken message stands: a number that its session shares, and those that the index weighs with it.

    Of each neighbour its id and its length in words.
    """

    session: int
    neighbours: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What made a hit: each signal's share of the score, the words that matched, the weight among the hits returned.

    `attention` is the softmax of the scores of the returned hits: a read weight, not a certainty.
    """

    signals: dict[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    attention: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Generic[Item]):
    """One answer."""

    item: Item
    score: float
    why: Why = field(default_factory=Why)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult(Generic[Item]):
    """One page of answers, best first.

    `total` is the number of matching items when `ranked` is false (a query of filters only), and the number of fused
    candidates when it is true. `notes` says in plain words what was left out, if anything. `before` counts the hits of
    earlier pages where those are not full ones of `page_size`. `terms` are what was looked for (stems, and pairs of
    characters in scripts without spaces) with their rarity: what excerpts are chosen by. `weak` says that no hit is a
    good match: none is near in meaning and none holds a rare word of the query.
    """

    hits: tuple[Hit[Item], ...]
    total: int
    ranked: bool
    page: int = 0
    page_size: int = 10
    notes: tuple[str, ...] = ()
    before: int | None = None
    terms: Mapping[str, float] = field(default_factory=dict)
    weak: bool = False

    @property
    def more(self) -> int:
        """How many are left after this page."""
        before = self.page * self.page_size if self.before is None else self.before
        return max(0, self.total - before - len(self.hits))
