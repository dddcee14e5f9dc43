"""Vectors as opaque bytes: the core moves them, only adapters compute with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Self

Vector = NewType("Vector", bytes)
"""A unit vector: little-endian float32, 4 bytes a dimension."""


class Collection(StrEnum):
    """What a vector stands for. One Chroma collection for each."""

    MESSAGES = "messages"
    PASSAGES = "passages"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderIdentity:
    """Vectors are comparable only within one identity. `dimensions` is the length of each vector."""

    provider: str
    model: str
    dimensions: int

    def __str__(self) -> str:
        """`provider/model/dimensions`, the form that is stored."""
        return f"{self.provider}/{self.model}/{self.dimensions}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The identity that was stored as this text."""
        provider, _, rest = text.partition("/")
        model, _, dimensions = rest.rpartition("/")
        return cls(provider=provider, model=model, dimensions=int(dimensions))


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """A text that waits for its vector. A changed text gets a new `ticket`, so that a late vector is noticed."""

    id: int
    text: str
    ticket: int


@dataclass(frozen=True, slots=True)
class StoredVector:
    """One entry in the log of vectors: `seq` grows with every change; an empty `vector` says that the item is gone."""

    seq: int
    id: int
    vector: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    """How far the vectors of an agent are, by collection: stored, waiting for one, stored but not yet given to Chroma.

    `identity` is None before the first vector. `rebuilt` tells that Chroma's folder was found damaged since the start.
    """

    identity: EmbedderIdentity | None
    vectors: Mapping[Collection, int]
    waiting: Mapping[Collection, int]
    unindexed: Mapping[Collection, int]
    rebuilt: bool = False
