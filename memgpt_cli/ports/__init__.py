"""The core's interfaces to the outside, as Protocols. Adapters implement them; `bootstrap` selects the adapters.

All writes run inside `Store.transaction()`; network calls must not.
"""

from memgpt_cli.ports.agents import AgentLock, AgentSet, BackupStore, PermanentDeletion
from memgpt_cli.ports.conversation import EpochStore, LedgerStore, MessageStore, TombstoneStore, TurnStore
from memgpt_cli.ports.facts import EntityStore, FactStore
from memgpt_cli.ports.machine import (
    Calibration,
    Clock,
    DocumentReader,
    EndpointMemory,
    PromptSource,
    Spending,
    StateStore,
)
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
from memgpt_cli.ports.models import ChatModel, Embedder, TokenCounter
from memgpt_cli.ports.record import Store
from memgpt_cli.ports.search import LexicalIndex
from memgpt_cli.ports.vectors import Progress, VectorIndex

__all__ = [
    "AgentLock",
    "AgentSet",
    "BackupStore",
    "BlockStore",
    "Calibration",
    "ChatModel",
    "Clock",
    "DocumentReader",
    "DocumentStore",
    "Embedder",
    "EndpointMemory",
    "EntityStore",
    "EpochStore",
    "FactStore",
    "JournalStore",
    "KindStore",
    "LedgerStore",
    "LexicalIndex",
    "MessageStore",
    "PassageStore",
    "PermanentDeletion",
    "PictureStore",
    "Progress",
    "PromptSource",
    "ReviewStore",
    "Spending",
    "StateStore",
    "Store",
    "TokenCounter",
    "TombstoneStore",
    "TurnStore",
    "UndoStore",
    "VectorIndex",
]
