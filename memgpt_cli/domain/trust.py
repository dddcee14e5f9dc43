"""Whom a text comes from, what it was derived from, and how far it is trusted.

A text inherits the least trusted source that it goes back to: user > agent > tool, document, import.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Author(StrEnum):
    """Who changed memory. `TOOL` is a program that does so on behalf of the person; the command names it."""

    USER = "user"
    AGENT = "agent"
    DOCUMENT = "document"
    IMPORT = "import"
    TOOL = "tool"
    SYSTEM = "system"


UNTRUSTED: Final = frozenset({Author.TOOL, Author.DOCUMENT, Author.IMPORT})
"""Sources whose text is shown as a quotation, and may steer nothing."""

QUOTE: Final = "> "
"""Before each line of untrusted text that a model is shown."""

_RANK: Final = {Author.USER: 2, Author.SYSTEM: 2, Author.AGENT: 1, Author.TOOL: 0, Author.DOCUMENT: 0, Author.IMPORT: 0}


def least_trusted(sources: Iterable[Author], default: Author = Author.AGENT) -> Author:
    """The first of the least trusted sources; `default` where there are none."""
    return min(sources, key=_RANK.__getitem__, default=default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a stored text goes back to.

    `least` is the least trusted source among all that it was derived from. `derived_from` names the items it was
    derived from directly: messages (`m12`), passages (`p7`), summaries (`s3`, by epoch). `name` is what the person
    calls the source where nothing else keeps that: an attached file.
    """

    least: Author
    derived_from: tuple[str, ...] = ()
    name: str | None = None

    def to_text(self) -> str:
        """As JSON without what is empty."""
        values = {"least": self.least.value, "from": self.derived_from, "name": self.name}
        return json.dumps({key: value for key, value in values.items() if value}, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> "Origin":
        """The inverse of `to_text`. Raises ValueError for anything else."""
        try:
            values: dict[str, Any] = json.loads(text)
            found = cls(
                least=Author(values["least"]), derived_from=tuple(values.get("from", ())), name=values.get("name")
            )
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"not an origin: {text[:80]!r}") from error
        if not all(isinstance(item, str) for item in (*found.derived_from, found.name or "")):
            raise ValueError(f"not an origin: {text[:80]!r}")
        return found


def origin_of(text: str | None) -> Origin | None:
    """The stored form, or None where nothing is stored."""
    return None if text is None else Origin.from_text(text)
