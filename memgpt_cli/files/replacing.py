"""The one way of replacing files and folders: write beside, fsync, rename. A marker lets the next start clean up.

A marker names the targets of an operation; what it makes beside them has names of one pattern. While the operation
prepares, its marker is `ID.json`: a crash leaves the old state, and the next start removes what was made. An operation
of several renames is committed by renaming its marker to `ID.commit`: from then on the next start finishes it. A living
process holds `ID.lock`, so only markers of processes that are gone are touched.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from memgpt_cli.files.durable import remove, rename_new, sync_folder, sync_tree

if TYPE_CHECKING:
    from filelock import BaseFileLock

PENDING: Final = ".pending"
"""The folder of the markers, beside what they are about."""

PREFIX: Final = ".memgpt-"
"""How the names of unfinished and of replaced files begin."""

_PREPARED: Final = "json"
_COMMITTED: Final = "commit"
_BUSY_WAITS: Final = 60
"""Quarter seconds to wait for a database that another process writes to."""


class StepKind(StrEnum):
    """How a target is replaced."""

    FILE = "file"
    """A file, existing or not: one rename."""
    CREATE = "create"
    """A folder that must not exist yet: one rename."""
    FOLDER = "folder"
    """An existing folder: it is renamed away, the new one takes its name, the old one is removed."""
    REMOVE = "remove"
    """A file or folder that is removed: one rename, then it is removed under its new name."""
    MOVE = "move"
    """A folder that gets another name: one rename. It is followed by something that the next start repeats."""
    DATABASE = "database"
    """A SQLite file that other processes may have open: SQLite copies the new content in one transaction."""


_ONE_RENAME: Final = frozenset({StepKind.FILE, StepKind.CREATE, StepKind.REMOVE, StepKind.MOVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One target of an operation; `source` is what a MOVE renames."""

    kind: StepKind
    target: Path
    source: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted:
    """An operation that a crash interrupted: finished now, or rolled back. `problem` says why it still waits."""

    purpose: str
    targets: tuple[Path, ...]
    finished: bool
    problem: str | None = None

    def __str__(self) -> str:
        names = ", ".join(str(target) for target in self.targets) or "-"
        if self.problem is not None:
            return f"an interrupted {self.purpose} ({names}) still waits: {self.problem}"
        return f"an interrupted {self.purpose} was {'finished' if self.finished else 'rolled back'}: {names}"


class Replacement:
    """A running operation. `new` gives the places to write to; `commit` puts everything in place."""

    def __init__(self, folder: Path, identity: str, steps: Sequence[Step]) -> None:
        self._folder = folder
        self._identity = identity
        self._steps = tuple(steps)
        self.is_committed = False

    def new(self, number: int = 0) -> Path:
        """Where the new content of a step is written: beside its target, so that a rename suffices."""
        return _beside(self._steps[number].target, self._identity, number, "new")

    @property
    def scratch(self) -> Path:
        """A folder for what is needed on the way; it is removed at the end."""
        folder = self._folder / self._identity
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def commit(self) -> None:
        """Put everything in place. Raises FileExistsError for a CREATE or MOVE to a name that is taken, OSError.

        After an error nothing has changed, or the operation is committed and the next start finishes it.
        """
        for number, step in enumerate(self._steps):
            if step.kind in {StepKind.CREATE, StepKind.MOVE} and step.target.exists():
                raise FileExistsError(f"{step.target} exists already")
            if step.kind not in {StepKind.REMOVE, StepKind.MOVE}:
                sync_tree(self.new(number))
        if len(self._steps) == 1 and self._steps[0].kind in _ONE_RENAME:
            _apply_one(self._steps[0], self._identity)
        else:
            self._commit_marker()
            for number, step in enumerate(self._steps):
                _apply(step, self._identity, number)
        self.is_committed = True

    def clean_up(self) -> None:
        """Remove what is left beside the targets, and the marker last."""
        if self._is_committed_marker() and not self.is_committed:
            return  # the next start finishes it
        _remove_leftovers(self._folder, self._identity, self._steps)

    def _commit_marker(self) -> None:
        marker = self._folder / self._identity
        marker.with_suffix(f".{_PREPARED}").rename(marker.with_suffix(f".{_COMMITTED}"))
        sync_folder(self._folder)

    def _is_committed_marker(self) -> bool:
        return (self._folder / f"{self._identity}.{_COMMITTED}").exists()


class Replacements:
    """Operations whose markers are in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def begin(self, purpose: str, steps: Sequence[Step]) -> Iterator[Replacement]:
        """An operation on these targets; without `commit` nothing of it stays. Raises OSError.

        A file can be replaced without a marker where the marker cannot be written (a read-only home).
        """
        identity = os.urandom(8).hex()
        only_files = all(step.kind is StepKind.FILE for step in steps)
        with _held(self.folder, identity, optional=only_files) as is_marked:
            if is_marked:
                self._write_marker(identity, purpose, steps)
            running = Replacement(self.folder, identity, steps)
            try:
                yield running
            finally:
                running.clean_up()

    @contextmanager
    def new_file(self, path: Path, *, purpose: str, mode: int = 0o600) -> Iterator[BinaryIO]:
        """Write a file that appears under its name when it is whole. Raises OSError."""
        with self.begin(purpose, [Step(kind=StepKind.FILE, target=path)]) as running:
            handle = os.open(running.new(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "wb") as file:
                yield file
            running.commit()

    def remove(self, target: Path, *, purpose: str) -> None:
        """Remove a file or a folder: it is there whole, or it is gone. Raises OSError."""
        with self.begin(purpose, [Step(kind=StepKind.REMOVE, target=target)]) as running:
            running.commit()

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Let one process at a time do this; the others wait. Raises OSError."""
        import hashlib

        with _held(self.folder, hashlib.sha256(what.encode("utf-8")).hexdigest()[:16]):
            yield

    def recover(self) -> list[Interrupted]:
        """Finish or roll back what processes that are gone left; never raises."""
        found = []
        for identity in self._identities():
            with suppress(OSError), _held(self.folder, identity, wait=False):
                if (ended := self._recover(identity)) is not None:
                    found.append(ended)
        with suppress(OSError):  # there is none, or an operation is running
            self.folder.rmdir()
        return found

    def unfinished(self) -> list[str]:
        """The purposes of operations that other processes are carrying out now, or that cannot be finished."""
        return [str(self._marker(identity).get("purpose", "operation")) for identity in self._identities()]

    def _identities(self) -> list[str]:
        try:
            with os.scandir(self.folder) as entries:
                return sorted({entry.name.partition(".")[0] for entry in entries})
        except OSError:
            return []

    def _recover(self, identity: str) -> Interrupted | None:
        marker = self._marker(identity)
        steps, purpose = self._steps(marker), str(marker.get("purpose", "operation"))
        targets = tuple(step.target for step in steps)
        committed = self.folder / f"{identity}.{_COMMITTED}"
        try:
            finished = committed.exists() or any(_was_renamed(step, identity) for step in steps)
            if committed.exists():
                for number, step in enumerate(steps):
                    _apply(step, identity, number)
            _remove_leftovers(self.folder, identity, steps)
        except (OSError, sqlite3.Error) as error:
            return Interrupted(purpose=purpose, targets=targets, finished=False, problem=str(error))
        return Interrupted(purpose=purpose, targets=targets, finished=finished) if steps else None

    def _marker(self, identity: str) -> dict[str, object]:
        for suffix in (_PREPARED, _COMMITTED):
            with suppress(OSError, ValueError):
                found = json.loads((self.folder / f"{identity}.{suffix}").read_text(encoding="utf-8"))
                return found if isinstance(found, dict) else {}
        return {}  # it was not written to its end, so nothing had been made yet

    def _write_marker(self, identity: str, purpose: str, steps: Sequence[Step]) -> None:
        rows = [
            {"kind": s.kind, "target": self._stored(s.target), "source": s.source and self._stored(s.source)}
            for s in steps
        ]
        marker = self.folder / f"{identity}.{_PREPARED}"
        with marker.open("x", encoding="utf-8") as file:
            file.write(json.dumps({"purpose": purpose, "process": os.getpid(), "steps": rows}))
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)

    def _stored(self, path: Path) -> str:
        """Relative where it can be: a home that is moved elsewhere keeps its markers."""
        path = path.absolute()
        home = self.folder.absolute().parent.parent.parent
        return os.path.relpath(path, self.folder.absolute()) if path.is_relative_to(home) else str(path)

    def _steps(self, marker: dict[str, object]) -> list[Step]:
        rows = marker.get("steps")
        try:
            return [
                Step(
                    kind=StepKind(row["kind"]),
                    target=self._resolved(row["target"]),
                    source=self._resolved(row["source"]) if row["source"] else None,
                )
                for row in (rows if isinstance(rows, list) else [])
            ]
        except (KeyError, TypeError, ValueError):
            return []

    def _resolved(self, stored: str) -> Path:
        return Path(os.path.normpath(self.folder.absolute() / stored))


def _beside(target: Path, identity: str, number: int, suffix: str) -> Path:
    return target.with_name(f"{PREFIX}{identity}-{number}.{suffix}")


def _apply_one(step: Step, identity: str) -> None:
    """The single rename of an operation: before it is the old state, after it the new one."""
    new = _beside(step.target, identity, 0, "new")
    if step.kind is StepKind.REMOVE:
        step.target.rename(_beside(step.target, identity, 0, "old"))
    elif step.kind is StepKind.FILE:
        new.replace(step.target)
    else:
        rename_new(new if step.source is None else step.source, step.target)
    sync_folder(step.target.parent)


def _was_renamed(step: Step, identity: str) -> bool:
    """Whether the single rename of an operation without a commit marker had been made."""
    if step.kind is StepKind.REMOVE:
        return _beside(step.target, identity, 0, "old").exists()
    if step.kind is StepKind.MOVE:
        return step.source is not None and not step.source.exists() and step.target.exists()
    return False  # its cleaning up was all that was left, or nothing had been put in place


def _apply(step: Step, identity: str, number: int) -> None:
    """Put one target of a committed operation in place; repeated after a crash it does what is left."""
    new, old = (_beside(step.target, identity, number, suffix) for suffix in ("new", "old"))
    if not new.exists():
        return
    if step.kind is StepKind.DATABASE:
        _copy_database(new, step.target)
    elif step.kind is StepKind.FILE:
        new.replace(step.target)
    else:
        if step.kind is StepKind.FOLDER and step.target.exists() and not old.exists():
            step.target.rename(old)
            sync_folder(step.target.parent)
        rename_new(new, step.target)
    sync_folder(step.target.parent)


def _copy_database(source: Path, target: Path) -> None:
    """Let SQLite replace the content of a database in one transaction; a file that it cannot read is replaced."""

    def wait(_status: int, _remaining: int, _total: int) -> None:
        if next(waits) > _BUSY_WAITS:
            raise OSError(f"{target} is in use")

    waits = count()
    try:
        with closing(sqlite3.connect(source)) as new, closing(sqlite3.connect(target)) as old:
            new.backup(old, pages=-1, progress=wait)
    except sqlite3.DatabaseError:
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        source.replace(target)
        return
    with target.open("r+b") as file:
        os.fsync(file.fileno())
    source.unlink()


def _remove_leftovers(folder: Path, identity: str, steps: Sequence[Step]) -> None:
    for number, step in enumerate(steps):
        for suffix in ("new", "old"):
            path = _beside(step.target, identity, number, suffix)
            remove(path)
            for more in ("-wal", "-shm", "-journal"):
                remove(path.with_name(path.name + more))
    remove(folder / identity)
    for suffix in (_PREPARED, _COMMITTED):
        remove(folder / f"{identity}.{suffix}")


@contextmanager
def _held(folder: Path, identity: str, *, wait: bool = True, optional: bool = False) -> Iterator[bool]:
    """Hold an operation's lock; False without one, where it is optional and cannot be made. Raises OSError."""
    path = folder / f"{identity}.lock"
    try:
        lock = _acquired(path, wait=wait)
    except OSError:
        if not optional:
            raise
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):  # Windows keeps what is open
            path.unlink(missing_ok=True)
        lock.release()
        with suppress(OSError):  # another operation is running
            folder.rmdir()


def _acquired(path: Path, *, wait: bool) -> "BaseFileLock":
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    while True:
        if wait:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout as error:
            raise BlockingIOError(f"{path} is held") from error
        except FileNotFoundError:  # the last operation that ended has removed the folder
            if not wait:
                raise
        else:
            return lock
