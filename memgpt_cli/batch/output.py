"""The output: JSON Lines as conversations finish, in the order of the input when the run is complete.

A file is rewritten from the journal at every start, so it contains no partial or duplicate lines. It grows during the
run and is replaced atomically by the same lines in the order of the input at the end. Standard output cannot be sorted
afterwards, so each conversation waits for the previous ones.
"""

import json
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from memgpt_cli.batch.conversations import ConversationId
from memgpt_cli.batch.journal import RunJournal
from memgpt_cli.batch.records import ConversationRecord, TurnRecord, to_json
from memgpt_cli.errors import StorageError

_LONGEST_NAME: Final = 200
_ESCAPED: Final = re.compile(r"[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that JSON does not escape but that end a line for some readers or control a terminal."""


def conversation_line(record: ConversationRecord) -> dict[str, Any]:
    """A conversation that contains its turns."""
    return {
        "index": record.index,
        "id": record.id,
        "agent": record.agent,
        "ok": record.ok,
        "error": to_json(record.error),
        "expect": to_json(record.expect),
        "usage": to_json(record.usage),
        "turns": [{**to_json(turn), "ok": turn.ok} for turn in record.turns],
    }


def turn_line(index: int, identity: ConversationId, turn: TurnRecord) -> dict[str, Any]:
    """A single turn."""
    return {"index": index, "id": identity, **to_json(turn), "ok": turn.ok}


def closing_line(record: ConversationRecord) -> dict[str, Any]:
    """The line after the turns of a conversation, if turns have lines of their own."""
    return {"kind": "conversation", **{k: v for k, v in conversation_line(record).items() if k != "turns"}}


def lines_of(record: ConversationRecord, *, by_turn: bool) -> list[dict[str, Any]]:
    """All lines of a finished conversation."""
    if not by_turn:
        return [conversation_line(record)]
    return [*(turn_line(record.index, record.id, turn) for turn in record.turns), closing_line(record)]


def encoded(line: dict[str, Any]) -> bytes:
    """Encode a line: a single line for every reader, and harmless for a terminal."""
    text = _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(line, ensure_ascii=False))
    return text.encode("utf-8", "replace") + b"\n"


def opened_private(path: Path, flags: int) -> BinaryIO:
    """Open a file for writing; a new file is readable by its owner only, because it contains conversations."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | flags, 0o600), "wb")


def unwritable(what: Path | str, error: OSError) -> StorageError:
    """Return the error for output that cannot be written."""
    return StorageError(
        f"{what} cannot be written: {error.strerror or error}",
        hint="nothing is lost: fix this and start the same command again",
    )


class Output(Protocol):
    """Destination of the lines. Called by one thread at a time."""

    def turn_ended(self, index: int, identity: ConversationId, turn: TurnRecord) -> None:
        """A turn is finished, new or known."""
        ...

    def conversation_ended(self, record: ConversationRecord) -> None:
        """A conversation is finished and in the journal."""
        ...

    def complete(self) -> None:
        """The run is complete."""
        ...

    def close(self) -> None:
        """The run is over."""
        ...


class FileOutput:
    """A file that others may read while it grows. A symbolic link is kept; its target is written."""

    def __init__(self, path: Path, journal: RunJournal, *, by_turn: bool) -> None:
        self._path = path.resolve()
        self._journal = journal
        self._by_turn = by_turn
        self._write_whole(sorted(journal.ended))
        self._file: BinaryIO = self._opened()

    def turn_ended(self, index: int, identity: ConversationId, turn: TurnRecord) -> None:
        """Append it."""
        if self._by_turn:
            self._append([turn_line(index, identity, turn)])

    def conversation_ended(self, record: ConversationRecord) -> None:
        """Append it; its turns are already written if they have lines of their own."""
        self._append([closing_line(record)] if self._by_turn else [conversation_line(record)])

    def complete(self) -> None:
        """Sort all lines into the order of the input."""
        self._file.close()
        self._write_whole(sorted(self._journal.ended))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, lines: Sequence[dict[str, Any]]) -> None:
        try:
            self._file.write(b"".join(encoded(line) for line in lines))
            self._file.flush()
        except OSError as error:
            raise unwritable(self._path, error) from error

    def _write_whole(self, indices: Sequence[int]) -> None:
        # Named after the run, so that the next start replaces a partial file of a killed one.
        beside = self._path.with_name(f".{self._path.name[:_LONGEST_NAME]}.{self._journal.folder.name[:8]}")
        try:
            with opened_private(beside, os.O_TRUNC) as file:
                if self._path.exists():
                    shutil.copymode(self._path, beside)
                for line in self._all_lines(indices):
                    file.write(encoded(line))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise unwritable(self._path, error) from error

    def _all_lines(self, indices: Sequence[int]) -> Iterator[dict[str, Any]]:
        for index in indices:
            yield from lines_of(self._journal.record(index), by_turn=self._by_turn)

    def _opened(self) -> BinaryIO:
        try:
            return opened_private(self._path, os.O_APPEND)
        except OSError as error:
            raise unwritable(self._path, error) from error


class StreamOutput:
    """Standard output, or another file that cannot be replaced, in the order of the input.

    `owned` is closed at the end.
    """

    def __init__(self, stream: BinaryIO, journal: RunJournal, *, by_turn: bool, owned: bool = False) -> None:
        self._owned = owned
        self._stream = stream
        self._journal = journal
        self._by_turn = by_turn
        self._next = 0
        self._shown = 0
        self._turns: dict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
        self._go_on()

    def turn_ended(self, index: int, identity: ConversationId, turn: TurnRecord) -> None:
        """Write it if its conversation is next, else keep it."""
        if self._by_turn:
            self._turns[index][turn.turn] = turn_line(index, identity, turn)
            self._go_on()

    def conversation_ended(self, record: ConversationRecord) -> None:
        """Write everything that is next now."""
        self._turns.pop(record.index, None)
        self._go_on()

    def complete(self) -> None:
        """Everything is written."""

    def close(self) -> None:
        """Write the lines that wait for an unfinished conversation."""
        for index in sorted(i for i in self._journal.ended if i >= self._next):
            self._write(lines_of(self._journal.record(index), by_turn=self._by_turn))
            self._next = index + 1
        if self._owned:
            self._stream.close()

    def _go_on(self) -> None:
        while self._journal.has_ended(self._next):
            lines = lines_of(self._journal.record(self._next), by_turn=self._by_turn)
            self._write(lines[self._shown :])
            self._next, self._shown = self._next + 1, 0
        waiting = self._turns.get(self._next, {})
        while self._shown in waiting:
            self._write([waiting[self._shown]])
            self._shown += 1

    def _write(self, lines: Sequence[dict[str, Any]]) -> None:
        try:
            for line in lines:
                self._stream.write(encoded(line))
            if lines:
                self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise unwritable("the output", error) from error
