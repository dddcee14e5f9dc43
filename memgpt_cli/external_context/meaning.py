"""Searching by meaning, as recall and archival storage both do it: the query's vector, and what is said without one.

Not here: which words of a query are embedded, where vectors are kept, and what nearness weighs (`ranking`).
"""

from collections.abc import Callable
from typing import Final

from memgpt_cli.domain.search import Item, Meaning, SearchResult
from memgpt_cli.domain.vectors import Collection, Vector
from memgpt_cli.errors import APIKeyError, ModelError
from memgpt_cli.ports import Embedder, VectorIndex

FILTERED: Final = 10
"""With filters this many times more candidates by meaning are asked for, as most of them will not pass."""


def vector_of(text: str, embedder: Embedder) -> Vector | None:
    """The vector of a query; None when the embedder cannot be reached."""
    try:
        return embedder.embed([text])[0]
    except (ModelError, APIKeyError):
        return None


def meaning_of(vector: Vector | None, index: VectorIndex, collection: Collection, total: Callable[[], int]) -> Meaning:
    """How far a search with this vector could use meaning; `total` counts the items, where it matters."""
    if vector is None:
        return Meaning(asked=False)
    pending = index.pending(collection)
    return Meaning(pending=pending, total=total()) if pending else Meaning()


def notes_for_people(found: SearchResult[Item], *, what: str) -> tuple[str, ...]:
    """The notes of a result, and how far meaning could be used, which a model is not told in these words."""
    if not found.meaning.asked:
        told = "searched by words only: the query has no vector, since the embedder did not answer"
    elif found.meaning.pending:
        told = (
            f"{found.meaning.percent}% of the {what} are indexed by meaning so far, the others are found by words only"
        )
    else:
        return found.notes
    return (*found.notes, told)
