"""The record of one agent, with its rooms."""

from contextlib import AbstractContextManager
from typing import Protocol

from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.ports.conversation import EpochStore, LedgerStore, MessageStore, TombstoneStore, TurnStore
from memgpt_cli.ports.memory import (
    BlockStore,
    DocumentStore,
    JournalStore,
    KindStore,
    PassageStore,
    PictureStore,
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
        """What people showed."""
        ...

    @property
    def documents(self) -> DocumentStore:
        """What was loaded into archival storage."""
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
        """What was changed in memory."""
        ...

    @property
    def kinds(self) -> KindStore:
        """Items of any kind."""
        ...

    @property
    def undo(self) -> UndoStore:
        """Taking it back."""
        ...

    @property
    def tombstones(self) -> TombstoneStore:
        """What was taken out of recall storage."""
        ...

    @property
    def ledger(self) -> LedgerStore:
        """What turns have cost."""
        ...

    @property
    def lexical(self) -> LexicalIndex:
        """The full-text index."""
        ...

    def config(self) -> AgentConfig:
        """What the agent says of itself."""
        ...

    def set_config(self, config: AgentConfig) -> None:
        """Change it."""
        ...

    def note(self, key: str) -> str | None:
        """A small fact about the agent, kept beside its configuration."""
        ...

    def set_note(self, key: str, value: str) -> None:
        """Keep a small fact about the agent."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """One atomic, durable write (BEGIN IMMEDIATE, synchronous FULL); nested uses join the outer one."""
        ...

    def rehearsal(self) -> AbstractContextManager[None]:
        """A transaction that is always taken back: for showing what would happen."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Inside a transaction: what happens within is taken back alone when it raises."""
        ...

    def close(self) -> None:
        """Close the database."""
        ...
