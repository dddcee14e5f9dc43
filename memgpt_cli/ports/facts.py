"""Facts and entities as the record keeps them: nothing is overwritten, every version stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from memgpt_cli.domain.blocks import Provenance
    from memgpt_cli.domain.facts import Entity, EntityVersion, Fact, FactFilters, FactVersion
    from memgpt_cli.domain.search import LexicalHit


class EntityStore(Protocol):
    """People, places and things, found by their names and aliases. Writes join the caller's transaction."""

    def add(self, entity: Entity, *, at: datetime, provenance: Provenance) -> Entity:
        """Store a new one. Raises UsageError if another entity has one of its names."""
        ...

    def revise(self, entity: Entity, *, at: datetime, provenance: Provenance) -> Entity:
        """Store another name, kind or aliases. Raises UsageError if another entity has one of its names."""
        ...

    def delete(self, entity_id: int, *, at: datetime, provenance: Provenance) -> None:
        """Delete it; its history stays."""
        ...

    def get(self, ids: Sequence[int]) -> list[Entity]:
        """Return the entities with these ids, including deleted ones, in the given order."""
        ...

    def named(self, name: str) -> Entity | None:
        """The entity with this name or alias."""
        ...

    def all(self) -> list[Entity]:
        """Return all that are not deleted, in the order of their creation."""
        ...

    def history(self, entity_id: int) -> list[EntityVersion]:
        """Every version, oldest first."""
        ...


class FactStore(Protocol):
    """Facts as rows. Writes join the caller's transaction."""

    def add(self, fact: Fact) -> Fact:
        """Store a new one; its entities must exist."""
        ...

    def revise(self, fact: Fact, *, at: datetime, provenance: Provenance) -> Fact:
        """Store another state of it; the previous one stays in its history."""
        ...

    def rewrite(self, entity_id: int) -> None:
        """Rewrite the texts of the facts about an entity that got another name."""
        ...

    def get(self, ids: Sequence[int]) -> list[Fact]:
        """Return the facts with these ids, in the given order."""
        ...

    def rivals(self, fact: Fact) -> list[Fact]:
        """Current and uncertain facts about the same subject whose predicate or sentence has a word of this one's.

        All whose predicate or sentence is the same are among them, up to some hundreds; of others the newest.
        """
        ...

    def of_entity(self, entity_id: int) -> list[Fact]:
        """All facts about an entity, in any place, oldest first."""
        ...

    def page(self, filters: FactFilters, *, limit: int, offset: int = 0) -> list[Fact]:
        """Return a page, newest first, as known at `filters.known_at`."""
        ...

    def known(self, ids: Sequence[int], filters: FactFilters) -> list[Fact]:
        """Return those of these facts that pass, as known at `filters.known_at`, in the given order."""
        ...

    def count(self, filters: FactFilters | None = None) -> int:
        """Count the facts that pass; None counts all."""
        ...

    def search(self, query: str, limit: int) -> list[LexicalHit]:
        """Return the best by words, best first, in any state."""
        ...

    def history(self, fact_id: int) -> list[FactVersion]:
        """Every version, oldest first."""
        ...
