"""Vectors as opaque bytes: the core passes them on, only adapters compute with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType, Self

from memgpt_cli.domain.kinds import Collection

Vector = NewType("Vector", bytes)
"""A unit vector: little-endian float32, 4 bytes per dimension."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderIdentity:
    """Vectors are comparable only within one identity. `dimensions` is the length of each vector."""

    provider: str
    model: str
    dimensions: int

    @property
    def knows_unspaced_scripts(self) -> bool:
        """Whether cosines of texts in scripts without spaces tell what they are about; the built-in table's do not."""
        return self.provider != "static"

    def __str__(self) -> str:
        """Return `provider/model/dimensions`, the stored form."""
        return f"{self.provider}/{self.model}/{self.dimensions}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the stored form."""
        provider, _, rest = text.partition("/")
        model, _, dimensions = rest.rpartition("/")
        return cls(provider=provider, model=model, dimensions=int(dimensions))


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """A text without a vector. A changed text gets a new `ticket`, so that a late vector is detected."""

    id: int
    text: str
    ticket: int


@dataclass(frozen=True, slots=True)
class StoredVector:
    """One entry in the log of vectors: `seq` grows with every change; an empty `vector` means a removed item."""

    seq: int
    id: int
    vector: Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    """State of an agent's vectors by collection: stored, waiting for a vector, stored but not yet in Chroma.

    `identity` is None before the first vector. `rebuilt`: Chroma's folder was found damaged since start-up.
    """

    identity: EmbedderIdentity | None
    vectors: Mapping[Collection, int]
    waiting: Mapping[Collection, int]
    unindexed: Mapping[Collection, int]
    rebuilt: bool = False
