"""The journal of a run: a folder with everything that is needed to continue the run after a kill.

`journal.jsonl` begins with the run's header and has a line for each event, in order. A partial line after a kill is
removed at the next start, with everything after it. Finished conversations are read back from it on demand, so that
only their positions are in memory.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from memgpt_cli.batch.records import (
    ConversationRecord,
    Spent,
    TurnRecord,
    conversation_from_json,
    to_json,
    turn_from_json,
)
from memgpt_cli.errors import AgentBusyError, StorageError

VERSION: Final = 2
FILE: Final = "journal.jsonl"
SEED: Final = "seed"
WORK: Final = "work"
LOCK: Final = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """The identity of a run. `token` is unique; `arguments` are those that define the run."""

    token: str
    sha256: str
    arguments: Mapping[str, Any]
    conversations: int
    started_at: str


class RunJournal:
    """The journal in `folder`, held by this process alone. Methods may be called from any thread, one at a time.

    `durable`: each finished conversation is synced to disk.
    """

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self._durable = durable
        self._file: BinaryIO | None = None
        self._ends: dict[int, tuple[int, int]] = {}
        self._turns: dict[int, list[TurnRecord]] = {}
        self.header: RunHeader | None = None
        self.complete = False
        self.retrying = False
        """Whether a retry of failed conversations has begun and is not complete."""
        self.lost = Spent()
        """Spending on turns that were run again."""
        self._lock: Any = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.header is None:  # nothing was begun
            self.remove()
        self.close()

    def open(self) -> None:
        """Lock the folder and read its content. Raises AgentBusyError if another process runs the same run."""
        from filelock import FileLock, Timeout

        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = FileLock(self.folder / LOCK, thread_local=False)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise AgentBusyError(
                "another process is running the same run", hint="wait for it, or write to another file with -o"
            ) from error
        except OSError as error:
            raise StorageError(
                f"{self.folder} cannot be used: {error.strerror or error}", hint="check the disk"
            ) from error
        try:
            self._file = (self.folder / FILE).open("a+b")
            self._read()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release the folder."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def begin(self, header: RunHeader) -> None:
        """Begin a new run; the folder's former content is discarded."""
        for name in (WORK, SEED):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self._open_file.truncate(0)
        self._ends.clear()
        self._turns.clear()
        self.complete = self.retrying = False
        self.lost = Spent()
        self.header = header
        self._write({"journal": VERSION, **to_json(header)}, flush_to_disk=True)

    def begin_again(self, index: int, *, lost: Spent) -> None:
        """A finished conversation is run again; `lost` was spent on discarded turns."""
        self._ends.pop(index, None)
        self._turns.pop(index, None)
        self.complete = False
        self.lost += lost
        self._write({"again": index, "lost": to_json(lost)})

    def retry_began(self) -> None:
        """All failed conversations run again. A start that finds this row continues the retry."""
        self.retrying = True
        self._write({"retry": True}, flush_to_disk=True)

    def turn_ended(self, index: int, record: TurnRecord) -> None:
        """Record a turn of an unfinished conversation, so that the next process does not run it again."""
        self._turns.setdefault(index, []).append(record)
        self._write({"index": index, "turn": to_json(record)})

    def conversation_ended(self, record: ConversationRecord) -> None:
        """Record a finished conversation."""
        self._turns.pop(record.index, None)
        self._ends[record.index] = self._write({"end": to_json(record)}, flush_to_disk=self._durable)

    def run_completed(self) -> None:
        """Every conversation is finished and the output is written."""
        self.complete, self.retrying = True, False
        self._write({"complete": True}, flush_to_disk=True)

    def has_ended(self, index: int) -> bool:
        """Whether a conversation is finished."""
        return index in self._ends

    @property
    def ended(self) -> frozenset[int]:
        """Return the finished conversations."""
        return frozenset(self._ends)

    def turns(self, index: int) -> tuple[TurnRecord, ...]:
        """Return the finished turns of an unfinished conversation."""
        return tuple(self._turns.get(index, ()))

    def record(self, index: int) -> ConversationRecord:
        """Return a finished conversation."""
        offset, length = self._ends[index]
        with (self.folder / FILE).open("rb") as file:
            file.seek(offset)
            return conversation_from_json(json.loads(file.read(length))["end"])

    def records(self) -> Iterator[ConversationRecord]:
        """Yield the finished conversations, in the order in which they finished."""
        for index in sorted(self._ends, key=lambda index: self._ends[index]):
            yield self.record(index)

    def remove(self) -> None:
        """Release the folder and delete it. The journal is deleted last: without it the run does not exist."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
        for name in (FILE, LOCK):
            with suppress(OSError):
                (self.folder / name).unlink()
        self.close()
        with suppress(OSError):  # another process has begun the same run again
            self.folder.rmdir()

    @property
    def _open_file(self) -> BinaryIO:
        if self._file is None:
            msg = "the journal is closed"
            raise ValueError(msg)
        return self._file

    def _write(self, value: Mapping[str, Any], *, flush_to_disk: bool = False) -> tuple[int, int]:
        data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        file = self._open_file
        try:
            place = file.seek(0, os.SEEK_END)
            file.write(data)
            file.flush()
            if flush_to_disk:
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(
                f"the journal cannot be written: {error.strerror or error}",
                hint="free disk space and start the same command again",
            ) from error
        return place, len(data)

    def _read(self) -> None:
        file = self._open_file
        place = file.seek(0)
        for line in file:
            if not self._take(line, place):
                break
            place += len(line)
        file.truncate(place)

    def _take(self, line: bytes, place: int) -> bool:
        """Parse one line; False if it is incomplete."""
        if not line.endswith(b"\n"):
            return False
        try:
            value = json.loads(line)
        except ValueError:
            return False
        if self.header is None:
            if value.pop("journal", None) != VERSION:
                return False
            self.header = RunHeader(**value)
        elif "end" in value:
            self._ends[value["end"]["index"]] = (place, len(line))
            self._turns.pop(value["end"]["index"], None)
            self.complete = False
        elif "turn" in value:
            self._turns.setdefault(value["index"], []).append(turn_from_json(value["turn"]))
        elif "again" in value:
            self._ends.pop(value["again"], None)
            self._turns.pop(value["again"], None)
            self.complete = False
            self.lost += Spent(**value["lost"])
        elif "retry" in value:
            self.retrying = True
        elif "complete" in value:
            self.complete, self.retrying = True, False
        return True
