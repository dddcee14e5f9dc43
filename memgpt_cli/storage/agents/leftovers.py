"""What crashes left beside agents and settings, and what removes or mends it.

Every start finishes or rolls back the operations that have markers (`files.replacing`). Here is what is left to be
named: files whose marker is lost, and what earlier versions left, which had no markers.
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from memgpt_cli.files.durable import remove, rename_new
from memgpt_cli.files.replacing import PENDING, PREFIX
from memgpt_cli.storage.agents.folders import RECORD, AgentFolders

_EARLIER: Final = re.compile(r"\.(new|gone)-(\d+)-(.+)", re.DOTALL)
"""Folders of earlier versions: an agent half made, or half deleted; the number is the process."""
_EARLIER_FILE: Final = re.compile(r"\..+\.(\d+)\.(?:new|part)|.+\.part", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Something that a crash left. `restores` is the agent that repairing it brings back."""

    path: Path
    what: str
    restores: str | None = None


class Leftovers:
    """Finds and mends what crashes left: beside the agents, and in `folders` of other files of the program."""

    def __init__(self, agents: AgentFolders, root: Path, folders: Sequence[Path]) -> None:
        self._agents = agents
        self._root = root
        self._folders = folders

    def find(self) -> list[Leftover]:
        """Return the current leftovers, without files of running processes."""
        found = [*self._unmarked(), *self._earlier()]
        for folder in (*self._folders, *(self._root / name for name in self._agents.names())):
            found += [Leftover(path=path, what="a file half written") for path in _half_written(folder)]
        return found

    def unfinished(self) -> list[str]:
        """Return the purposes of operations that other processes are carrying out, or that cannot be finished."""
        return self._agents.replacements.unfinished()

    def repair(self) -> list[Leftover]:
        """Remove or mend it all; returns what it was. Raises OSError."""
        found = self.find()
        for leftover in found:
            if leftover.restores is not None and not self._agents.exists(leftover.restores):
                rename_new(leftover.path, self._agents.path(leftover.restores))
            else:
                remove(leftover.path)
        return found

    def _unmarked(self) -> Iterator[Leftover]:
        for folder in (self._root, *self._folders):
            marked = [entry.name.partition(".")[0] for entry in _entries(folder / PENDING)]
            for path in _entries(folder):
                identity = path.name.removeprefix(PREFIX).partition("-")[0]
                if path.name.startswith(PREFIX) and identity not in marked:
                    yield Leftover(path=path, what="left by an operation whose marker is gone")

    def _earlier(self) -> Iterator[Leftover]:
        matches = [(path, match) for path in _entries(self._root) if (match := _EARLIER.fullmatch(path.name))]
        restoring = {match[2] for _, match in matches if match[1] == "new" and match[3] == "restore"}
        for path, match in sorted(matches, key=lambda pair: pair[1][1] == "new"):
            kind, process, name = match.groups()
            if _is_running(process):
                continue
            if kind == "new":
                yield Leftover(path=path, what="an agent half made by an earlier version")
            elif process in restoring and not self._agents.exists(name) and (path / RECORD).is_file():
                yield Leftover(path=path, what=f"agent {name}, whose restore was interrupted", restores=name)
            else:
                yield Leftover(path=path, what=f"agent {name}, half deleted by an earlier version")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _half_written(folder: Path) -> Iterator[Path]:
    for path in _entries(folder):
        match = _EARLIER_FILE.fullmatch(path.name)
        if match and path.is_file() and not (match[1] and _is_running(match[1])):
            yield path


def _is_running(process: str) -> bool:
    if sys.platform == "win32":
        return True
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
