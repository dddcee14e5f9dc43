"""The protocol that provides the agents of a batch. The caller of a batch implements it."""

from pathlib import Path
from typing import Protocol

from memgpt_cli.agent.session import Session
from memgpt_cli.batch.conversations import ScriptedConversation


class Agents(Protocol):
    """Opens agents. Implementations can be pickled, so that spawned processes have their own."""

    def seed(self, folder: Path, *, template: str | None) -> None:
        """Create in `folder` the initial record of new agents: an empty one, or a copy of `template`."""
        ...

    def fresh(self, folder: Path, conversation: ScriptedConversation, *, seed: Path, name: str | None) -> None:
        """Make an agent of the seed in `folder`, with the conversation's blocks and documents, whole or not at all.

        `name` is the agent's later name if it is kept. Raises LimitError, DocumentError, StorageError.
        """
        ...

    def private(self, folder: Path) -> Session:
        """Open the agent in `folder`: no lock, no Chroma."""
        ...

    def existing(self, name: str) -> Session:
        """Open an existing agent under its lock. Raises AgentBusyError, NotFoundError."""
        ...

    def set_up(self, session: Session, conversation: ScriptedConversation) -> None:
        """Add the conversation's blocks and documents to an existing agent."""
        ...

    def copy(self, name: str, folder: Path) -> None:
        """Copy the current record of an existing agent to `folder`."""
        ...

    def keep(self, folder: Path, name: str, *, mark: str) -> None:
        """Make the agent in `folder` a regular agent. Raises UsageError if the name exists."""
        ...

    def reclaim(self, folder: Path, name: str, *, mark: str) -> bool:
        """Move a kept agent with exactly this mark back to `folder`; False if there is none."""
        ...
