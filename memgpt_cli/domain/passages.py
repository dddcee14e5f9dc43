"""Passages of archival storage: texts with tags and an origin."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.trust import UNTRUSTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One passage. `id` is 0 until stored; `source` names a document, `location` a heading path, page or line range."""

    text: str
    created_at: datetime
    id: int = 0
    tags: tuple[str, ...] = ()
    source: str | None = None
    location: str | None = None
    provenance: Provenance = field(default_factory=lambda: Provenance(author=Author.USER))
    kind: ClassVar[Kind] = Kind.PASSAGE

    @property
    def ref(self) -> str:
        """How it is named to people and models: `p7`."""
        return passage_ref(self.id)

    @property
    def origin(self) -> str:
        """`notes.md > Travel`."""
        return " > ".join(part for part in (self.source, self.location) if part)

    @property
    def searchable(self) -> str:
        """Its text, source, location and tags."""
        return " ".join([self.text, self.source or "", self.location or "", *self.tags])

    @property
    def least(self) -> Author:
        """The least trusted source that it goes back to."""
        return self.provenance.least

    @property
    def untrusted(self) -> bool:
        """Whether it goes back to a document, an import or a tool, and is shown as a quotation."""
        return self.least in UNTRUSTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Inserted:
    """The result of an insertion: the stored passage, whether it is new, and existing near-duplicates."""

    passage: Passage
    new: bool
    similar: tuple[Passage, ...] = ()


def passage_ref(passage_id: int) -> str:
    """Return the id of a passage as people and models see it: `p7`."""
    return Kind.PASSAGE.ref(passage_id)
