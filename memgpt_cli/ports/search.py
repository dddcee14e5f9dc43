"""The interface to the full-text index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memgpt_cli.domain.search import ArchivalFilters, LexicalHit, RecallFilters, SessionPlace


class LexicalIndex(Protocol):
    """Full-text candidates. Query text is data: no part of it is parsed as the engine's syntax."""

    def search_messages(
        self, query: str, filters: RecallFilters, limit: int, *, context: float = 0.3
    ) -> list[LexicalHit]:
        """Return the best messages, best first.

        A word in a neighbouring message counts `context` times one in the message.
        """
        ...

    def search_passages(
        self, query: str, filters: ArchivalFilters, limit: int, *, context: float = 0.3
    ) -> list[LexicalHit]:
        """Return the best passages, best first; `context` weighs the words of source, location and tags."""
        ...

    def count_spoken_messages(self) -> int:
        """Return the number of messages that `RecallFilters()` selects; faster than counting them."""
        ...

    def session_places(self, ids: Sequence[int]) -> dict[int, SessionPlace]:
        """Where these messages stand in their sessions; only spoken messages do."""
        ...

    def refresh(self) -> bool:
        """Do pending work that keeps searches fast, in the background. Returns whether there was any. Thread-safe."""
        ...
