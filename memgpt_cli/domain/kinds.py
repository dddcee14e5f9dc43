"""The kinds of memory, and how their items are named to people and models.

Storage describes each kind by a `storage.kinds.kind.KindOfMemory`: its tables, its undo, how it is forgotten.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol, Self

from memgpt_cli.domain.trust import Author


class Kind(StrEnum):
    """A kind of memory; its value is its name in the record.

    `prefix` begins the ids of its items (`m12`); items of a kind without one have a label or belong to another item.
    `place` is what people call the storage, and the command group. `quoted` tells whether the history of changes shows
    what its items say. It does not for messages: an import adds thousands, and each can be read by its id.
    """

    prefix: str
    place: str
    quoted: bool

    def __new__(cls, name: str, prefix: str = "", place: str = "", quoted: bool = False) -> Self:  # noqa: FBT001, FBT002
        """A member from one line of the table below."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.prefix = prefix
        member.place = place
        member.quoted = quoted
        return member

    MESSAGE = "message", "m", "recall", False
    PASSAGE = "passage", "p", "archival", True
    PICTURE = "picture", "", "recall", False
    BLOCK = "block", "", "memory", True
    ENTITY = "entity", "e", "entities", True
    FACT = "fact", "f", "facts", True
    REVIEW = "review", "r", "review", True

    @property
    def plural(self) -> str:
        """`messages`."""
        return f"{self.value.removesuffix('y')}ies" if self.value.endswith("y") else f"{self.value}s"

    def ref(self, number: int) -> str:
        """How an item is named to people and models: `m12`."""
        return f"{self.prefix}{number}"

    @classmethod
    def with_prefix(cls, letter: str) -> "Kind | None":
        """The kind whose ids begin so, in any case."""
        return next((kind for kind in cls if kind.prefix and kind.prefix == letter.lower()), None)


PREFIXES: Final = "".join(kind.prefix for kind in Kind)
"""The letters with which ids begin."""


class Collection(StrEnum):
    """The kinds whose items have vectors, by the name of their table. One Chroma collection for each."""

    MESSAGES = "messages"
    PASSAGES = "passages"
    FACTS = "facts"


class MemoryItem(Protocol):
    """What search, its results and the terminal need of an item: a message, a passage."""

    kind: ClassVar[Kind]

    @property
    def id(self) -> int:
        """Its number, unique within the kind."""
        ...

    @property
    def ref(self) -> str:
        """`m12`."""
        ...

    @property
    def text(self) -> str:
        """What it says."""
        ...

    @property
    def created_at(self) -> datetime:
        """When it was said or stored."""
        ...

    @property
    def origin(self) -> str:
        """Who said it, or where it comes from, in one line for people; may be empty."""
        ...

    @property
    def least(self) -> Author:
        """The least trusted source that it goes back to."""
        ...

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags."""
        ...

    @property
    def searchable(self) -> str:
        """All that it is found by."""
        ...
