"""Searching by meaning, as recall and archival storage both do it: the query's vector, and what is said without one.

Not here: which words of a query are embedded, where vectors are kept, and what nearness weighs (`ranking`).
"""

from dataclasses import replace
from typing import Final

from memgpt_cli.domain.search import Item, SearchResult
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import APIKeyError, ModelError
from memgpt_cli.ports import Embedder

WORDS_ONLY: Final = "searched by words only: the query has no vector, since the embedder did not answer"

_PENDING: Final = "the others are found by words only"

FILTERED: Final = 10
"""With filters this many times more candidates by meaning are asked for, as most of them will not pass."""


def vector_of(text: str, embedder: Embedder) -> Vector | None:
    """The vector of a query; None when the embedder cannot be reached."""
    try:
        return embedder.embed([text])[0]
    except (ModelError, APIKeyError):
        return None


def without_progress(found: SearchResult[Item]) -> SearchResult[Item]:
    """The result without notes on how far indexing is, which tell a model nothing that it can use."""
    return replace(found, notes=tuple(note for note in found.notes if not note.endswith(_PENDING)))


def indexed_so_far(pending: int, total: int, *, what: str) -> str:
    """What to say while `pending` of these items cannot be found by meaning yet."""
    total = max(pending, total)
    share = 100 * (total - pending) // total  # rounded down: 100% would be all
    return f"{share}% of the {what} are indexed by meaning so far, {_PENDING}"
