"""Finding by words."""

from collections.abc import Sequence
from typing import Protocol

from memgpt_cli.domain.search import ArchivalFilters, LexicalHit, RecallFilters, Standing


class LexicalIndex(Protocol):
    """Full-text candidates. Query text is data: no part of it reaches the engine's own syntax."""

    def search_messages(
        self, query: str, filters: RecallFilters, limit: int, *, context: float = 0.3
    ) -> list[LexicalHit]:
        """The best messages, best first. A word near by counts `context` times what one in the message itself does."""
        ...

    def search_passages(
        self, query: str, filters: ArchivalFilters, limit: int, *, context: float = 0.3
    ) -> list[LexicalHit]:
        """The best passages, best first; `context` weighs the words of source, location and tags."""
        ...

    def spoken(self) -> int:
        """How many messages `RecallFilters()` lets pass; quicker than counting them."""
        ...

    def standing(self, ids: Sequence[int]) -> dict[int, Standing]:
        """Where these messages stand in their sessions; only spoken messages do."""
        ...

    def refresh(self) -> bool:
        """Do what keeps searches quick, off the user's path, if there is anything to do; from any thread."""
        ...
