"""Backups: a consistent copy of each agent's record and the program's own files, in one package.

A backup does not contain API keys, trust in projects, or the vector index, which can be rebuilt. It contains no paths:
agents' names are checked, and every other file has a fixed place. So it can be restored on any machine.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from typing_extensions import override

from memgpt_cli.domain.archives import BackedUp, Restored
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import DocumentError, NotFoundError, StorageError, UsageError
from memgpt_cli.files.durable import unwritable
from memgpt_cli.files.replacing import Step, StepKind
from memgpt_cli.ports import BackupStore
from memgpt_cli.storage.agents.copies import snapshot
from memgpt_cli.storage.agents.folders import RECORD, AgentFolders
from memgpt_cli.storage.agents.packages import Package, PackageWriter, new_package, open_package
from memgpt_cli.storage.database.record_check import fault_of

FORMAT: Final = "memgpt-backup"
VERSION: Final = 1

Files = Mapping[str, Path]
"""The program's own files by their names in a backup; a folder means the files in it."""


class Backups(BackupStore):
    """Makes and restores backups of these agents and files. `check_name` raises UsageError for what names no agent."""

    def __init__(self, agents: AgentFolders, files: Files, *, check_name: Callable[[str], str], program: str) -> None:
        self._agents = agents
        self._files = files
        self._check_name = check_name
        self._program = program

    @override
    def back_up(self, target: Path, *, at: datetime, names: Sequence[str] = (), overwrite: bool = False) -> BackedUp:
        chosen = list(names) or self._agents.names()
        for name in names:
            self._agents.open(name).close()
        if target.exists() and not overwrite:
            raise UsageError(f"{target} exists already", hint="choose another name, or add --overwrite")
        about = {"format": FORMAT, "version": VERSION, "program": self._program, "made_at": to_text(at)}
        try:
            with self._agents.replacements.begin("backup", [Step(kind=StepKind.FILE, target=target)]) as running:
                with new_package(running.new()) as package:
                    saved, damaged = self._add_agents(package, chosen, running.scratch)
                    if not names:
                        self._add_own_files(package, running.scratch)
                    package.finish({**about, "agents": saved})
                with open_package(running.new(), kind=FORMAT, version=VERSION) as written:
                    written.check()
                    files = tuple(name for name in written.members if not name.startswith("agents/"))
                running.commit()
        except OSError as error:
            raise unwritable(target, error) from error
        return BackedUp(
            path=str(target), bytes=target.stat().st_size, agents=tuple(saved), files=files, damaged=damaged
        )

    def _add_agents(
        self, package: PackageWriter, names: Sequence[str], scratch: Path
    ) -> tuple[list[str], dict[str, str]]:
        saved: list[str] = []
        damaged: dict[str, str] = {}
        for name in names:
            if fault := self._snapshot(name, scratch / RECORD):
                damaged[name] = fault
            else:
                package.add_file(f"agents/{name}/{RECORD}", scratch / RECORD)
                saved.append(name)
            (scratch / RECORD).unlink(missing_ok=True)
        return saved, damaged

    def _add_own_files(self, package: PackageWriter, scratch: Path) -> None:
        for name, path in self._own_files():
            if path.suffix == ".db":
                snapshot(path, scratch / path.name)
                package.add_file(name, scratch / path.name)
            else:
                package.add_file(name, path)

    def _snapshot(self, name: str, target: Path) -> str | None:
        """Copy an agent's current record; returns the error in the copy, None if it is intact."""
        try:
            self._agents.open(name).close()  # migrates an older record
            snapshot(self._agents.path(name) / RECORD, target)
        except (sqlite3.Error, StorageError) as error:
            return getattr(error, "message", str(error))
        return _fault_of_file(target)

    @override
    def restore(
        self,
        source: Path,
        *,
        at: datetime,
        names: Sequence[str] = (),
        replace: bool = False,
        dry_run: bool = False,
    ) -> Restored:
        with open_package(source, kind=FORMAT, version=VERSION) as package:
            agents = self._agents_in(package, names)
            there = [name for name in agents if self._agents.exists(name)]
            if there and not replace and not dry_run:
                raise UsageError(
                    f"there {'is an agent' if len(there) == 1 else 'are agents'} called {', '.join(there)} already",
                    hint="add --replace, or rename them first: memgpt agent rename",
                )
            own = {} if names else self._targets(package)
            new = {name: path for name, path in own.items() if replace or not path.exists()}
            with self._locked(there if not dry_run else [], at=at):
                self._put_in_place(package, agents, there, new, dry_run=dry_run)
            return Restored(
                agents=tuple(agents),
                replaced=tuple(there),
                files=tuple(new),
                kept=tuple(name for name in own if name not in new),
                made_at=str(package.about.get("made_at", "")),
            )

    def _put_in_place(
        self,
        package: Package,
        agents: Mapping[str, str],
        there: Sequence[str],
        files: Mapping[str, Path],
        *,
        dry_run: bool,
    ) -> None:
        """Unpack everything beside its targets, check it, and put it in place as one operation."""
        steps = [
            Step(kind=StepKind.FOLDER if name in there else StepKind.CREATE, target=self._agents.path(name))
            for name in agents
        ]
        steps += [
            Step(kind=StepKind.DATABASE if path.suffix == ".db" else StepKind.FILE, target=path.resolve())
            for path in files.values()
        ]
        try:
            with self._agents.replacements.begin("restore", steps) as running:
                for number, member in enumerate(agents.values()):
                    running.new(number).mkdir(mode=0o700, parents=True)
                    package.unpack(member, running.new(number) / RECORD)
                    check_record(running.new(number) / RECORD)
                for number, (name, path) in enumerate(files.items(), start=len(agents)):
                    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    package.unpack(name, running.new(number))
                if not dry_run:
                    running.commit()
        except FileExistsError as error:
            raise UsageError(f"{error}", hint="start the same command again") from error
        except OSError as error:
            raise StorageError(
                f"the backup cannot be put in place: {error}",
                hint="check the disk and the permissions; the next command finishes what was begun",
            ) from error

    def _agents_in(self, package: Package, names: Sequence[str]) -> dict[str, str]:
        """Return the members with the selected agents, by the agent's name."""
        found = {}
        for member in package.members:
            parts = member.split("/")
            if parts[0] == "agents" and len(parts) == 3 and parts[2] == RECORD:  # noqa: PLR2004 - agents/NAME/agent.db
                found[self._check_name(parts[1])] = member
        missing = [name for name in names if name not in found]
        if missing:
            raise NotFoundError(
                f"the backup holds no agent {missing[0]!r}; it holds: {', '.join(found) or 'none'}",
                hint="memgpt restore FILE",
            )
        return {name: found[name] for name in (names or found)}

    @contextmanager
    def _locked(self, names: Sequence[str], *, at: datetime) -> Iterator[None]:
        with ExitStack() as locks:
            for name in names:
                locks.enter_context(self._agents.lock(name, purpose="memgpt restore", since=at).acquire())
            yield

    def _own_files(self) -> list[tuple[str, Path]]:
        found = []
        for name, path in self._files.items():
            if path.is_dir():
                found += [(f"{name}/{p.name}", p) for p in sorted(path.iterdir()) if p.is_file()]
            elif path.is_file():
                found.append((name, path))
        return found

    def _targets(self, package: Package) -> dict[str, Path]:
        """Return the destinations of the program's own files; unknown files are not part of a backup."""
        targets = {}
        for member in package.members:
            folder, _, last = member.rpartition("/")
            if member in self._files:
                targets[member] = self._files[member]
            elif folder in self._files and last.endswith(".md"):
                targets[member] = self._files[folder] / last
            elif not member.startswith("agents/"):
                raise DocumentError(
                    f"the backup holds {member!r}, which memgpt does not know", hint="it was not restored"
                )
        return targets


def check_record(path: Path) -> None:
    """Raise DocumentError unless this is an intact record with exactly our tables.

    An earlier version has the tables of that version; it is migrated when it is opened.
    """
    if fault := _fault_of_file(path):
        raise _unfit(fault)


def _fault_of_file(path: Path) -> str | None:
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            return fault_of(connection)
    except sqlite3.Error as error:
        return str(error)


def _unfit(why: str) -> DocumentError:
    return DocumentError(f"the backup holds a record that cannot be used: {why}", hint="nothing was restored")
