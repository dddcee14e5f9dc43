"""The stored record of one agent, as a group of stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from memgpt_cli.domain.agents import AgentConfig
    from memgpt_cli.domain.vectors import EmbedderIdentity
    from memgpt_cli.ports.conversation import EpochStore, LedgerStore, MessageStore, TombstoneStore, TurnStore
    from memgpt_cli.ports.facts import EntityStore, FactStore
    from memgpt_cli.ports.memory import (
        BlockStore,
        DocumentStore,
        JournalStore,
        KindStore,
        PassageStore,
        PictureStore,
        ReviewStore,
        UndoStore,
    )
    from memgpt_cli.ports.search import LexicalIndex


class Store(Protocol):
    """The record of one agent."""

    @property
    def messages(self) -> MessageStore:
        """Recall storage."""
        ...

    @property
    def blocks(self) -> BlockStore:
        """Core memory."""
        ...

    @property
    def passages(self) -> PassageStore:
        """Archival storage."""
        ...

    @property
    def pictures(self) -> PictureStore:
        """Pictures."""
        ...

    @property
    def reviews(self) -> ReviewStore:
        """Writes to core memory that wait for the person."""
        ...

    @property
    def documents(self) -> DocumentStore:
        """Documents loaded into archival storage."""
        ...

    @property
    def entities(self) -> EntityStore:
        """People, places and things."""
        ...

    @property
    def facts(self) -> FactStore:
        """Facts about entities."""
        ...

    @property
    def epochs(self) -> EpochStore:
        """Epochs."""
        ...

    @property
    def turns(self) -> TurnStore:
        """Turns and steps."""
        ...

    @property
    def journal(self) -> JournalStore:
        """The log of changes to memory."""
        ...

    @property
    def kinds(self) -> KindStore:
        """Items of any kind."""
        ...

    @property
    def undo(self) -> UndoStore:
        """Undo and redo."""
        ...

    @property
    def tombstones(self) -> TombstoneStore:
        """Messages removed from recall storage."""
        ...

    @property
    def ledger(self) -> LedgerStore:
        """The cost of turns."""
        ...

    @property
    def lexical(self) -> LexicalIndex:
        """The full-text index."""
        ...

    @property
    def embedder(self) -> EmbedderIdentity | None:
        """The embedder of the stored vectors; None before the first."""
        ...

    def check(self) -> None:
        """Check the whole record. Raises StorageError if anything is missing or damaged."""
        ...

    def config(self) -> AgentConfig:
        """Return the agent's own settings."""
        ...

    def set_config(self, config: AgentConfig) -> None:
        """Store the agent's own settings."""
        ...

    def note(self, key: str) -> str | None:
        """Return a small value stored with the agent's settings."""
        ...

    def set_note(self, key: str, value: str) -> None:
        """Store a small value with the agent's settings."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """One atomic, durable write (BEGIN IMMEDIATE, synchronous FULL); nested uses join the outer one."""
        ...

    def rehearsal(self) -> AbstractContextManager[None]:
        """A transaction that is always rolled back: for previews."""
        ...

    def changes(self) -> tuple[int, int]:
        """Return two numbers: one that changes if another connection writes, and one that changes if this one does."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """A part of a transaction that is rolled back by itself if it raises."""
        ...

    def close(self) -> None:
        """Close the database."""
        ...
