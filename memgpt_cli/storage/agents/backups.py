"""Backups of everything: each agent's record as it stood at one instant, and the program's own files, in one package.

Not in it: API keys, which projects are trusted, and what can be made again (the vector index). Nothing in a backup says
where things go: names of agents are checked, everything else has its place. So it can be restored anywhere.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from memgpt_cli.domain.archives import BackedUp, Restored
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import DocumentError, NotFoundError, StorageError, UsageError
from memgpt_cli.storage.agents.copies import snapshot
from memgpt_cli.storage.agents.folders import RECORD, AgentFolders
from memgpt_cli.storage.agents.packages import Package, new_package, open_package
from memgpt_cli.storage.database.record_check import fault_of

FORMAT: Final = "memgpt-backup"
VERSION: Final = 1

Files = Mapping[str, Path]
"""The program's own files by their names in a backup; a folder stands for the files in it."""


class Backups:
    """Makes and restores backups of these agents and files. `check_name` raises UsageError for what names no agent."""

    def __init__(self, agents: AgentFolders, files: Files, *, check_name: Callable[[str], str], program: str) -> None:
        self._agents = agents
        self._files = files
        self._check_name = check_name
        self._program = program

    def back_up(self, target: Path, *, at: datetime, names: Sequence[str] = (), overwrite: bool = False) -> BackedUp:
        """Write a backup of these agents, or of all, while they may be talking; then read it back and check it.

        A damaged record is left out and named in the result: a backup with it could not be restored as a whole.

        Raises NotFoundError, UsageError when the file exists, StorageError.
        """
        chosen = list(names) or self._agents.names()
        for name in names:
            self._agents.open(name).close()
        saved: list[str] = []
        damaged: dict[str, str] = {}
        with self._agents.workshop("backup") as folder, new_package(target, overwrite=overwrite) as package:
            for name in chosen:
                if fault := self._snapshot(name, folder / RECORD):
                    damaged[name] = fault
                else:
                    package.add_file(f"agents/{name}/{RECORD}", folder / RECORD)
                    saved.append(name)
                (folder / RECORD).unlink(missing_ok=True)
            for name, path in self._own_files() if not names else ():
                if path.suffix == ".db":
                    snapshot(path, folder / path.name)
                    package.add_file(name, folder / path.name)
                else:
                    package.add_file(name, path)
            about = {"format": FORMAT, "version": VERSION, "program": self._program, "made_at": to_text(at)}
            package.finish({**about, "agents": saved})
        with open_package(target, kind=FORMAT, version=VERSION) as written:
            written.check()
            files = tuple(name for name in written.members if not name.startswith("agents/"))
        return BackedUp(
            path=str(target), bytes=target.stat().st_size, agents=tuple(saved), files=files, damaged=damaged
        )

    def _snapshot(self, name: str, target: Path) -> str | None:
        """Copy an agent's record as it is now; what is wrong with the copy, None for a whole one."""
        try:
            self._agents.open(name).close()  # brings an older record up to date
            snapshot(self._agents.path(name) / RECORD, target)
        except (sqlite3.Error, StorageError) as error:
            return getattr(error, "message", str(error))
        return _fault_of_file(target)

    def restore(
        self,
        source: Path,
        *,
        at: datetime,
        names: Sequence[str] = (),
        replace: bool = False,
        dry_run: bool = False,
    ) -> Restored:
        """Restore these agents, or everything; all is checked before anything is changed.

        Files of the program that are there already stay, unless `replace`. Raises DocumentError for a damaged file,
        UsageError when an agent exists and is not to be replaced, AgentBusyError when it is in use.
        """
        with open_package(source, kind=FORMAT, version=VERSION) as package:
            agents = self._agents_in(package, names)
            there = [name for name in agents if self._agents.exists(name)]
            if there and not replace:
                raise UsageError(
                    f"there {'is an agent' if len(there) == 1 else 'are agents'} called {', '.join(there)} already",
                    hint="add --replace, or rename them first: memgpt agent rename",
                )
            with self._agents.workshop("restore") as folder:
                for number, name in enumerate(agents):
                    record = folder / f"{number}.db"
                    package.unpack(agents[name], record)
                    check_record(record)
                own = {} if names else self._targets(package)
                for name in own:
                    for _ in package.read(name):
                        pass
                new = [name for name, path in own.items() if replace or not path.exists()]
                if not dry_run:
                    self._settle(folder, list(agents), there, at=at)
                    for name in new:
                        own[name].parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                        package.unpack(name, own[name])
            return Restored(
                agents=tuple(agents),
                replaced=tuple(there),
                files=tuple(new),
                kept=tuple(name for name in own if name not in new),
                made_at=str(package.about.get("made_at", "")),
            )

    def _agents_in(self, package: Package, names: Sequence[str]) -> dict[str, str]:
        """The members that hold the wanted agents, by the agent's name."""
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

    def _settle(self, folder: Path, agents: Sequence[str], there: Sequence[str], *, at: datetime) -> None:
        locks = [self._agents.lock(name, purpose="memgpt restore", since=at).acquire() for name in there]
        try:
            for number, name in enumerate(agents):
                made = folder / f"{number}"
                made.mkdir(mode=0o700)
                (folder / f"{number}.db").rename(made / RECORD)
                if name in there:
                    self._agents.replace(name, made)
                else:
                    self._agents.adopt(made, name)
        finally:
            for lock in locks:
                lock.release()

    def _own_files(self) -> list[tuple[str, Path]]:
        found = []
        for name, path in self._files.items():
            if path.is_dir():
                found += [(f"{name}/{p.name}", p) for p in sorted(path.iterdir()) if p.is_file()]
            elif path.is_file():
                found.append((name, path))
        return found

    def _targets(self, package: Package) -> dict[str, Path]:
        """Where the program's own files go; what has no place here is no part of a backup."""
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
    """Raise DocumentError unless this is a whole record with our own tables and nothing beside them.

    One of an earlier version has the tables of that version; it is brought up to date when it is opened.
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
