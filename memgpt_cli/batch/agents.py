"""Where conversations get their agents from, as a protocol: whoever starts a batch brings one along."""

from pathlib import Path
from typing import Protocol

from memgpt_cli.agent.session import Session
from memgpt_cli.batch.conversations import ScriptedConversation


class Agents(Protocol):
    """Opens agents. Implementations can be pickled, so that spawned processes have one of their own."""

    def seed(self, folder: Path, *, template: str | None) -> None:
        """Put into `folder` the record that fresh agents begin with: a new one, or a copy of `template`."""
        ...

    def fresh(self, folder: Path, conversation: ScriptedConversation, *, seed: Path, name: str | None) -> None:
        """Make an agent of the seed in `folder`, with the conversation's blocks and documents, whole or not at all.

        `name` is what it will be called if it is kept. Raises LimitError, DocumentError, StorageError.
        """
        ...

    def private(self, folder: Path) -> Session:
        """Open the agent in `folder`: no lock, no Chroma."""
        ...

    def existing(self, name: str) -> Session:
        """Open an agent of this machine under its lock. Raises AgentBusyError, NotFoundError."""
        ...

    def set_up(self, session: Session, conversation: ScriptedConversation) -> None:
        """Give an existing agent the conversation's blocks and documents."""
        ...

    def copy(self, name: str, folder: Path) -> None:
        """Copy the record of an existing agent, as it stands, into `folder`."""
        ...

    def keep(self, folder: Path, name: str, *, mark: str) -> None:
        """Make the agent in `folder` an agent of this machine. Raises UsageError when there is one of this name."""
        ...

    def reclaim(self, folder: Path, name: str, *, mark: str) -> bool:
        """Take back into `folder` an agent that was kept under this very mark; False when there is none."""
        ...
