"""Agents as folders: `<agents>/<name>/` with the record, the vectors and the lock."""

from __future__ import annotations

import json
import os
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from typing_extensions import override

from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.domain.times import for_people, from_text, to_text
from memgpt_cli.errors import AgentBusyError, NotFoundError, StorageError, UsageError
from memgpt_cli.files.durable import rename_new
from memgpt_cli.files.replacing import PENDING, Interrupted, Replacements, Step, StepKind
from memgpt_cli.ports import AgentLock, AgentSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime, timedelta, tzinfo
    from pathlib import Path
    from types import TracebackType

    from memgpt_cli.domain.agent_summary import AgentSummary
    from memgpt_cli.domain.agents import AgentConfig
    from memgpt_cli.domain.blocks import Block, Provenance
    from memgpt_cli.storage.store import SQLiteStore

RECORD: Final = "agent.db"
VECTORS: Final = "vectors"
HOLDER: Final = "holder.json"
_RENAME: Final = "agent rename"
_TOGETHER: Final = "wait with --wait, or talk to another with -a NAME; its memory can be read and edited meanwhile"
_ALONE: Final = "this needs the agent to itself: end the other command (a chat with Ctrl-D), then run this one again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The holder of an agent's lock, as far as it is known; `since` is a stored time."""

    process: int
    purpose: str
    since: str


class FolderLock(AgentLock):
    """The exclusive right to talk to one agent. Released by the system when the process dies.

    `zone` is the user's zone, for the time since when another process holds it.
    """

    def __init__(self, folder: Path, *, purpose: str, since: datetime, zone: tzinfo) -> None:
        from filelock import FileLock

        self._folder = folder
        self._lock = FileLock(folder / "lock")
        self._holder = folder / HOLDER
        self._purpose = purpose
        self._since = since
        self._zone = zone
        self._name = folder.name

    @override
    def acquire(self, *, wait: bool | None = None) -> Self:
        from filelock import Timeout

        mine = {"process": os.getpid(), "purpose": self._purpose, "since": to_text(self._since)}
        try:
            self._lock.acquire(timeout=-1 if wait else 0)
            if wait and recover_agents(self._folder.parent):  # its last holder was killed; the folder may be another
                self._lock.release()
                self._lock.acquire()
            self._holder.write_text(json.dumps(mine), encoding="utf-8")
        except Timeout as error:
            raise AgentBusyError(
                f"agent {self._name!r} is in use{self._who()}",
                hint=_ALONE if wait is None else _TOGETHER,
            ) from error
        except OSError as error:
            self._lock.release()
            raise StorageError(
                f"agent {self._name!r} cannot be held: {error}", hint="check the permissions and the disk"
            ) from error
        return self

    @override
    def release(self) -> None:
        self._holder.unlink(missing_ok=True)
        self._lock.release()

    @override
    def __enter__(self) -> Self:
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _who(self) -> str:
        try:
            holder = Holder(**json.loads(self._holder.read_text(encoding="utf-8")))
            since = for_people(from_text(holder.since), self._zone)
        except (OSError, ValueError, TypeError):
            return ""
        return f" by `{holder.purpose}` (process {holder.process}, since {since})"


class AgentFolders(AgentSet):
    """All agents below one folder. Names are checked by the caller; they are folder names.

    `zone` is the user's zone.
    """

    def __init__(self, root: Path, *, session_gap: timedelta, zone: tzinfo) -> None:
        self._root = root
        self.replacements = Replacements(root / PENDING)
        self._gap = session_gap
        self._zone = zone

    @override
    def names(self) -> list[str]:
        if not self._root.is_dir():
            return []
        return sorted(p.name for p in self._root.iterdir() if (p / RECORD).is_file() and not p.name.startswith("."))

    @override
    def without_record(self) -> list[str]:
        if not self._root.is_dir():
            return []
        folders = (p for p in self._root.iterdir() if p.is_dir() and not p.name.startswith("."))
        return sorted(p.name for p in folders if not (p / RECORD).is_file())

    @override
    def path(self, name: str) -> Path:
        return self._root / name

    @override
    def exists(self, name: str) -> bool:
        return (self.path(name) / RECORD).is_file()

    @override
    def create(
        self, config: AgentConfig, blocks: Sequence[Block], *, provenance: Provenance, may_exist: bool = False
    ) -> None:
        from memgpt_cli.storage.store import SQLiteStore

        if may_exist and self.exists(config.name):
            return
        try:
            with (
                self.new_agent(config.name, purpose="agent create") as folder,
                closing(SQLiteStore(folder / RECORD, session_gap=self._gap)) as store,
                store.transaction(),
            ):
                store.set_config(config)
                for block in blocks:
                    store.blocks.put(block, at=config.created_at, provenance=provenance)
        except UsageError:
            if not may_exist:  # another process was quicker
                raise

    @contextmanager
    def new_agent(self, name: str, *, purpose: str) -> Iterator[Path]:
        """An empty folder for a record; when the block ends, it is the agent of this name, whole or not at all.

        Raises UsageError when there is one of this name, StorageError.
        """
        try:
            with self.replacements.begin(purpose, [Step(kind=StepKind.CREATE, target=self.path(name))]) as running:
                folder = running.new()
                folder.mkdir(mode=0o700)
                yield folder
                running.commit()
        except FileExistsError as error:
            raise self._taken(name) from error
        except OSError as error:
            raise StorageError(
                f"the agent's folder cannot be made: {error}", hint="check the disk and the permissions of MEMGPT_HOME"
            ) from error

    def _taken(self, name: str) -> UsageError | StorageError:
        if self.exists(name):
            return UsageError(f"there is an agent {name!r} already", hint=f"memgpt agent show {name}")
        return StorageError(
            f"the folder of agent {name!r} is there, but its record is not",
            hint=f"memgpt restore brings back a backup; memgpt agent delete {name} removes the folder",
        )

    @override
    def adopt(self, folder: Path, name: str) -> None:
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            rename_new(folder, self.path(name))
        except FileExistsError as error:
            raise self._taken(name) from error
        except OSError as error:
            raise StorageError(f"agent {name!r} cannot be kept: {error}", hint="check the disk") from error

    @override
    def clone(
        self,
        source: str,
        name: str,
        *,
        at: datetime,
        with_messages: bool = True,
        settle: Callable[[SQLiteStore], None] = lambda _: None,
    ) -> None:
        from memgpt_cli.storage.agents.copies import set_name, snapshot, without_messages
        from memgpt_cli.storage.store import SQLiteStore

        if self.exists(name):
            raise self._taken(name)
        self.open(source).close()
        with self.new_agent(name, purpose="agent clone") as folder:
            record = folder / RECORD
            snapshot(self.path(source) / RECORD, record)
            set_name(record, name, at=at)
            with closing(SQLiteStore(record)) as store:
                settle(store)
            if not with_messages:
                without_messages(record)

    @override
    def rename(self, name: str, new: str) -> None:
        from memgpt_cli.storage.agents.copies import set_name

        step = Step(kind=StepKind.MOVE, source=self.path(name), target=self.path(new))
        try:
            with self.replacements.begin(_RENAME, [step]) as running:
                running.commit()
                set_name(self.path(new) / RECORD, new)
        except FileExistsError as error:
            raise self._taken(new) from error
        except OSError as error:
            raise StorageError(f"agent {name!r} cannot be renamed: {error}", hint="check the permissions") from error
        (self.path(new) / HOLDER).unlink(missing_ok=True)

    @override
    def open(self, name: str) -> SQLiteStore:
        from memgpt_cli.storage.store import SQLiteStore

        if not self.exists(name):
            raise NotFoundError(
                f"there is no agent {name!r}{did_you_mean(name, self.names())}", hint="memgpt agent list"
            )
        return SQLiteStore(self.path(name) / RECORD, session_gap=self._gap)

    @override
    @contextmanager
    def opened(self, name: str) -> Iterator[SQLiteStore]:
        from memgpt_cli.storage.database.connection import damage_named

        with damage_named(name), closing(self.open(name)) as store:
            yield store

    @override
    def summary(self, name: str) -> AgentSummary:
        from memgpt_cli.storage.agents.summary import read_summary

        seen = read_summary(self.path(name) / RECORD) if self.exists(name) else None
        if seen is None:
            self.open(name).close()  # brings an older record up to date, or says what is wrong with it
            seen = read_summary(self.path(name) / RECORD)
        if seen is None:
            raise StorageError(
                f"the record of {name!r} says nothing of its agent", hint="restore a backup with `memgpt restore`"
            )
        return seen

    @override
    def config(self, name: str) -> AgentConfig | None:
        from memgpt_cli.storage.agents.summary import read_summary

        seen = read_summary(self.path(name) / RECORD)
        return None if seen is None else seen.config

    @override
    def lock(self, name: str, *, purpose: str, since: datetime) -> FolderLock:
        return FolderLock(self.path(name), purpose=purpose, since=since, zone=self._zone)

    @override
    def size(self, name: str) -> int:
        return sum(p.stat().st_size for p in self.path(name).rglob("*") if p.is_file())

    @override
    def delete(self, name: str) -> None:
        try:
            self.replacements.remove(self.path(name), purpose="agent delete")
        except OSError as error:
            raise StorageError(f"agent {name!r} cannot be deleted: {error}", hint="check the permissions") from error


def recover_agents(root: Path) -> list[Interrupted]:
    """Finish or roll back what processes that are gone left of operations on agents; every start calls it."""
    found = Replacements(root / PENDING).recover()
    for ended in found:
        if ended.purpose == _RENAME and ended.finished:
            from memgpt_cli.storage.agents.copies import set_name

            set_name(ended.targets[0] / RECORD, ended.targets[0].name)
    return found
