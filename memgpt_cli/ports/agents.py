"""Interfaces to the agents of this machine: the set of them, their locks, permanent deletion, and backups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from memgpt_cli.domain.agent_summary import AgentSummary
    from memgpt_cli.domain.agents import AgentConfig
    from memgpt_cli.domain.archives import BackedUp, Restored
    from memgpt_cli.domain.blocks import Block, Provenance
    from memgpt_cli.domain.forgetting import Checked, Plan, Progress, Wanted
    from memgpt_cli.ports.record import Store


class AgentLock(Protocol):
    """The exclusive right to talk to one agent. The system releases it when the process ends."""

    def acquire(self, *, wait: bool | None = None) -> Self:
        """Acquire the lock. With `wait`, wait for it; otherwise raise AgentBusyError that names the holder.

        None means that the command needs the agent to itself and cannot wait.
        """
        ...

    def release(self) -> None:
        """Release the lock."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class AgentSet(Protocol):
    """The agents of one place. The caller checks that names are valid."""

    def names(self) -> list[str]:
        """Return the names of all agents, sorted."""
        ...

    def without_record(self) -> list[str]:
        """Return the names of agents whose record is missing, sorted."""
        ...

    def path(self, name: str) -> Path:
        """Return the agent's folder, whether it exists or not."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is an agent of this name."""
        ...

    def create(
        self, config: AgentConfig, blocks: Sequence[Block], *, provenance: Provenance, may_exist: bool = False
    ) -> None:
        """Create an agent completely or not at all. Raises UsageError if it exists, unless `may_exist`."""
        ...

    def adopt(self, folder: Path, name: str) -> None:
        """Make an agent of a folder with a closed record, completely or not at all. Raises UsageError if it exists."""
        ...

    def clone(
        self,
        source: str,
        name: str,
        *,
        at: datetime,
        with_messages: bool = True,
        settle: Callable[[Store], None] = lambda _: None,
    ) -> None:
        """Create a copy of an agent, even while it is in use; `settle` changes the settings of the copy.

        Raises NotFoundError, and UsageError if the new name is taken.
        """
        ...

    def rename(self, name: str, new: str) -> None:
        """Rename an agent whose lock the caller holds. Raises UsageError if the new name is taken."""
        ...

    def delete(self, name: str) -> None:
        """Delete an agent whose lock the caller holds."""
        ...

    def open(self, name: str) -> Store:
        """Open the agent's record. Raises NotFoundError that names the most similar agents."""
        ...

    def opened(self, name: str) -> AbstractContextManager[Store]:
        """Open the agent's record and close it afterwards. Raises StorageError for a damaged one."""
        ...

    def summary(self, name: str) -> AgentSummary:
        """Return the data that start-up needs, without opening the record. Raises the errors of `open`."""
        ...

    def config(self, name: str) -> AgentConfig | None:
        """Return the agent's settings; None if its record cannot be read."""
        ...

    def lock(self, name: str, *, purpose: str, since: datetime) -> AgentLock:
        """Return the agent's lock, not acquired yet. `purpose` and `since` are shown to those who want it meanwhile."""
        ...

    def size(self, name: str) -> int:
        """Return the agent's size on disk in bytes."""
        ...


class PermanentDeletion(Protocol):
    """Permanent deletion from one agent. The caller holds the agent's lock, except for `plan`."""

    @property
    def pending(self) -> bool:
        """Whether an earlier deletion was interrupted and must be finished."""
        ...

    def sources(self) -> list[str]:
        """Return the sources of all passages, deleted ones too, of documents, and of attached files."""
        ...

    def tags(self) -> list[str]:
        """Return the tags of all passages, deleted ones too."""
        ...

    def replicas(self) -> list[Path]:
        """Return the folders in which another program keeps copies of the record."""
        ...

    def plan(self, wanted: Wanted) -> Plan:
        """Return what would be deleted. Nothing is written."""
        ...

    def carry_out(self, wanted: Wanted, *, at: datetime, progress: Progress) -> tuple[Plan, Checked]:
        """Delete it, then search for it everywhere. After an interruption, the same call finishes the deletion.

        Raises StorageError if another process is reading the record, so that its file cannot be rewritten.
        """
        ...

    def finish(self) -> None:
        """Finish an interrupted deletion, if there is one."""
        ...


class BackupStore(Protocol):
    """Backups of agents and of the program's own files, except API keys."""

    def back_up(self, target: Path, *, at: datetime, names: Sequence[str] = (), overwrite: bool = False) -> BackedUp:
        """Write a backup of these agents, or of everything, even while they are in use; then verify it.

        A damaged record is left out and reported. Raises NotFoundError, UsageError if the file exists, StorageError.
        """
        ...

    def restore(
        self,
        source: Path,
        *,
        at: datetime,
        names: Sequence[str] = (),
        replace: bool = False,
        dry_run: bool = False,
    ) -> Restored:
        """Restore these agents, or everything. Everything is checked before anything is changed.

        Existing files of the program are kept unless `replace`. Raises DocumentError for a damaged file, UsageError if
        an agent exists and may not be replaced, AgentBusyError if it is in use.
        """
        ...
