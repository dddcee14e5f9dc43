"""Passages of archival storage: texts with tags and an origin."""

from dataclasses import dataclass, field
from datetime import datetime

from memgpt_cli.domain.blocks import Author, Provenance


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


def passage_ref(passage_id: int) -> str:
    """Return the id of a passage as people and models see it: `p7`."""
    return f"p{passage_id}"
