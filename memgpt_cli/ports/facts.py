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
        """Store a new one. Raises UsageError when a name of it is another's."""
        ...

    def revise(self, entity: Entity, *, at: datetime, provenance: Provenance) -> Entity:
        """Store another name, kind or aliases. Raises UsageError when a name of it is another's."""
        ...

    def delete(self, entity_id: int, *, at: datetime, provenance: Provenance) -> None:
        """Delete it; its history stays."""
        ...

    def get(self, ids: Sequence[int]) -> list[Entity]:
        """The entities with these ids, deleted ones too, in the order asked for."""
        ...

    def named(self, name: str) -> Entity | None:
        """The entity with this name or alias."""
        ...

    def all(self) -> list[Entity]:
        """All that are not deleted, in the order of their creation."""
        ...

    def history(self, entity_id: int) -> list[EntityVersion]:
        """Every version, oldest first."""
        ...


class FactStore(Protocol):
    """Facts as rows. Writes join the caller's transaction."""

    def add(self, fact: Fact) -> Fact:
        """Store a new one, whose entities exist."""
        ...

    def revise(self, fact: Fact, *, at: datetime, provenance: Provenance) -> Fact:
        """Store another state of it; the one before stays in its history."""
        ...

    def rewrite(self, entity_id: int) -> None:
        """Rewrite the texts of the facts about an entity that got another name."""
        ...

    def get(self, ids: Sequence[int]) -> list[Fact]:
        """The facts with these ids, in the order asked for."""
        ...

    def of_entity(self, entity_id: int) -> list[Fact]:
        """All facts about an entity, in any place, oldest first."""
        ...

    def page(self, filters: FactFilters, *, limit: int, offset: int = 0) -> list[Fact]:
        """Newest first, as they were known at `filters.known_at`."""
        ...

    def known(self, ids: Sequence[int], filters: FactFilters) -> list[Fact]:
        """Those of these facts that pass, as they were known at `filters.known_at`, in the order asked for."""
        ...

    def count(self, filters: FactFilters | None = None) -> int:
        """How many pass; None counts all."""
        ...

    def search(self, query: str, limit: int) -> list[LexicalHit]:
        """The best by words, best first, in any state."""
        ...

    def history(self, fact_id: int) -> list[FactVersion]:
        """Every version, oldest first."""
        ...
