"""A search query and its result: filters, hits, and the reason for each hit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from memgpt_cli.domain.kinds import MemoryItem
from memgpt_cli.domain.messages import SPOKEN, Role

Item = TypeVar("Item", bound=MemoryItem)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFilters:
    """Which messages are searched: `start` inclusive, `end` exclusive, both in UTC.

    `not_turn` excludes a turn: the running one, whose question contains all words of the query.
    """

    roles: tuple[Role, ...] = SPOKEN
    start: datetime | None = None
    end: datetime | None = None
    name: str | None = None
    in_context: bool | None = None
    not_turn: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivalFilters:
    """Which passages are searched: those that have all `tags` and come from `source`.

    A source that ends with `/` is a folder: everything below it.
    """

    tags: tuple[str, ...] = ()
    source: str | None = None
    start: datetime | None = None
    end: datetime | None = None


class LexicalHit(NamedTuple):
    """A candidate of the full-text index. `score` is BM25, positive; larger is better.

    `nearby` is the part of the score that comes from the item's neighbours, `words` are the query words in the item
    itself. `rarity` is the inverse document frequency of every word of the query, the same for all hits.
    """

    id: int
    score: float
    nearby: float = 0.0
    words: tuple[str, ...] = ()
    rarity: Mapping[str, float] = MappingProxyType({})


class CandidateMessage(NamedTuple):
    """The data of a message that is known before its text is read. `asks`: it has a question mark."""

    id: int
    role: str
    name: str | None
    asks: bool


class SessionPlace(NamedTuple):
    """Where a spoken message stands: a number that its session shares, and those that the index weighs with it.

    Of each neighbour its id and its length in words.
    """

    session: int
    neighbours: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The reason for a hit: each signal's share of the score, the matched words, its weight among the returned hits.

    `attention` is the softmax of the scores of the returned hits: a read weight, not a certainty.
    """

    signals: dict[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    attention: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit(Generic[Item]):
    """One search result."""

    item: Item
    score: float
    why: Why = field(default_factory=Why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """How far a search could use meaning: whether the query has a vector; how many of `total` items have none yet."""

    asked: bool = True
    pending: int = 0
    total: int = 0

    @property
    def percent(self) -> int:
        """The share of the items that have a vector, rounded down: 100 is all."""
        total = max(self.pending, self.total)
        return 100 * (total - self.pending) // total if total else 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult(Generic[Item]):
    """One page of hits, best first.

    `total` is the number of matching items if `ranked` is false (a query of filters only), and the number of fused
    candidates if it is true. `notes` are remarks about the hits for the reader. `meaning` is how far meaning could be
    used. `before` counts the hits of earlier pages if those are not full pages of `page_size`. `terms` are the terms
    searched for (stems, and pairs of characters in scripts without spaces) with their rarity; excerpts are chosen by
    them. `weak`: no hit is a good match, because none is near in meaning and none contains a rare word of the query.
    """

    hits: tuple[Hit[Item], ...]
    total: int
    ranked: bool
    page: int = 0
    page_size: int = 10
    notes: tuple[str, ...] = ()
    meaning: Meaning = Meaning()
    before: int | None = None
    terms: Mapping[str, float] = field(default_factory=dict)
    weak: bool = False

    @property
    def more(self) -> int:
        """Return how many hits follow this page."""
        before = self.page * self.page_size if self.before is None else self.before
        return max(0, self.total - before - len(self.hits))
