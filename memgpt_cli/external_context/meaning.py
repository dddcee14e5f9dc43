"""Search by meaning, for recall and archival storage: the query's vector, and a note if there is none.

`ranking` decides which words are embedded and how much similarity weighs.
"""

from collections.abc import Callable
from typing import Final

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.search import Item, Meaning, SearchResult
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import APIKeyError, ModelError
from memgpt_cli.ports import Embedder, VectorIndex

FILTERED: Final = 10
"""With filters, this many times more candidates by meaning are requested, because most of them do not pass."""


def vector_of(text: str, embedder: Embedder) -> Vector | None:
    """Return the vector of a query; None if the embedder cannot be reached."""
    try:
        return embedder.embed([text])[0]
    except (ModelError, APIKeyError):
        return None


def meaning_of(vector: Vector | None, index: VectorIndex, collection: Collection, total: Callable[[], int]) -> Meaning:
    """Return how far a search with this vector could use meaning; `total` counts the items, if needed."""
    if vector is None:
        return Meaning(asked=False)
    pending = index.pending(collection)
    return Meaning(pending=pending, total=total()) if pending else Meaning()


def notes_for_people(found: SearchResult[Item], *, what: str) -> tuple[str, ...]:
    """Return the notes of a result with a note on how far meaning could be used; models do not see the latter."""
    if not found.meaning.asked:
        told = "searched by words only: the query has no vector, since the embedder did not answer"
    elif found.meaning.pending:
        told = (
            f"{found.meaning.percent}% of the {what} are indexed by meaning so far, the others are found by words only"
        )
    else:
        return found.notes
    return (*found.notes, told)
