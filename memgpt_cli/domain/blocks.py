"""Core memory blocks: labelled texts inside main context, with limits and all their versions."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from memgpt_cli.domain.trust import Author, Origin

__all__ = ["Author", "Block", "BlockVersion", "Origin", "Provenance", "is_label"]

_LABEL: Final = re.compile(r"[^\W_][\w.-]{0,39}")


def is_label(text: str) -> bool:
    """Whether this is a valid label: letters, digits, - _ and ., at most 40; the first is a letter or a digit."""
    return _LABEL.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The current state of a block.

    `limit` counts characters of `value`; `version` starts at 1 and grows by one a change.
    """

    label: str
    value: str = ""
    description: str = ""
    limit: int = 2000
    read_only: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a change came from: its author, the message that caused it, or the command that a person typed.

    For a tool `command` is its name, such as `mcp:claude`. `origin` says what a text was derived from, where it is not
    the author's own.
    """

    author: Author
    message_id: int | None = None
    command: str | None = None
    origin: Origin | None = None

    @property
    def least(self) -> Author:
        """The least trusted source that this goes back to."""
        return self.author if self.origin is None else self.origin.least


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockVersion:
    """One version of a block; `deleted` marks the tombstone that `memory delete` leaves."""

    block: Block
    at: datetime
    provenance: Provenance
    deleted: bool = False

    @property
    def settings(self) -> tuple[str, ...]:
        """All of it but the text, as lines for people."""
        described = (f"(description: {self.block.description})",) if self.block.description else ()
        read_only = ("(read-only)",) if self.block.read_only else ()
        return (f"(limit {self.block.limit} characters)", *described, *read_only)
