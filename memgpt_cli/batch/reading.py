"""Read the input: JSON Lines, or a text with one message per line. Everything is checked before anything runs.

Only the positions of conversations in the file are kept in memory. Input that cannot be read twice, such as standard
input, is copied to an unnamed temporary file, which disappears even after a kill.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from glob import iglob
from io import BufferedReader
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, Final, Literal, Self, cast
from zlib import crc32

from memgpt_cli.batch.checking import Checker
from memgpt_cli.batch.conversations import ConversationId, Fault, ScriptedConversation, ScriptedMessage
from memgpt_cli.errors import UsageError

Format = Literal["auto", "jsonl", "text"]

MOST_FAULTS: Final = 1_000
"""Maximum number of reported errors; a file with more has another format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The position of a conversation in the input, and the data that planning needs."""

    index: int
    id: ConversationId
    line: int
    offset: int
    length: int
    crc: int
    agent: str | None
    messages: int
    asks: int

    @property
    def turns(self) -> int:
        """Return the number of turns, questions included."""
        return self.messages + self.asks


class InputFile:
    """An open input; replacing the file meanwhile has no effect. Thread-safe."""

    def __init__(self, file: BinaryIO | BufferedReader) -> None:
        self._file = file
        self._reading = threading.Lock()

    @classmethod
    def of_file(cls, path: Path, *, spare: Path) -> Self:
        """Open the file, or a copy in the folder `spare` if it is a pipe. Raises OSError."""
        file: BufferedReader = path.open("rb")
        if file.seekable():
            return cls(file)
        with file:
            return cls.of_stream(file, spare=spare)

    @classmethod
    def of_stream(cls, stream: BufferedReader, *, spare: Path) -> Self:
        """Copy a stream to the folder `spare`. Raises OSError."""
        spare.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = cast("BinaryIO", TemporaryFile(dir=spare))  # noqa: SIM115 - it is closed with the source
        try:
            while piece := stream.read1(1 << 20):  # `read` would ask a terminal once more after its end
                kept.write(piece)
            kept.flush()
        except BaseException:
            kept.close()
            raise
        return cls(kept)

    def lines(self) -> Iterator[bytes]:
        """Yield all lines."""
        self._file.seek(0)
        for line in self._file:  # noqa: UP028 - `yield from` would close the file with the generator
            yield line

    def read(self, offset: int, length: int) -> bytes:
        """Return a part of the input."""
        with self._reading:
            self._file.seek(offset)
            return self._file.read(length)

    def close(self) -> None:
        """Close the input."""
        self._file.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchInput:
    """A checked input: its SHA-256, its conversations, its errors.

    `name` is its name for people; relative documents are in `folder`.
    """

    source: InputFile
    name: str
    folder: Path
    sha256: str
    is_text: bool
    zone: tzinfo
    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]

    @property
    def messages(self) -> int:
        """Return the number of messages of all conversations."""
        return sum(entry.messages for entry in self.entries)

    @property
    def asks(self) -> int:
        """Return the number of questions of all conversations."""
        return sum(entry.asks for entry in self.entries)

    def conversation(self, entry: Entry) -> ScriptedConversation:
        """Read one conversation. Raises UsageError if the file has changed."""
        raw = self.source.read(entry.offset, entry.length)
        if crc32(raw) != entry.crc:
            raise UsageError(f"{self.name} was changed while it was being read", hint="start the same command again")
        if self.is_text:
            return _text_conversation(raw.decode("utf-8-sig"), entry.id)
        made = Checker(self.zone).conversation(json.loads(raw), index=entry.index, line=entry.line)
        assert made is not None  # noqa: S101 - it had no errors when it was checked
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.source.close()


def read_input(
    source: InputFile, *, name: str, folder: Path, zone: tzinfo, kind: Format = "auto", allow_outside: bool = False
) -> BatchInput:
    """Check the whole input. Errors are returned, not raised. Raises OSError.

    Documents must be in `folder` unless `allow_outside`: an input from another person must not read arbitrary files.
    """
    is_text = kind == "text" or (kind == "auto" and _looks_like_text(source, name))
    scan = _Scan(zone, folder, allow_outside, Path(name).stem or "conversation")
    digest = hashlib.sha256()
    offset = 0
    for number, raw in enumerate(source.lines(), 1):
        digest.update(raw)
        scan.take(raw, number, offset, is_text=is_text)
        offset += len(raw)
    entries = scan.text_entry(offset) if is_text else tuple(scan.entries)
    if not entries and not scan.faults:
        scan.fault(1, "", "there is no conversation in it")
    return BatchInput(
        source=source,
        name=name,
        folder=folder,
        sha256=digest.hexdigest(),
        is_text=is_text,
        zone=zone,
        entries=entries,
        faults=tuple(scan.faults),
    )


class _Scan:
    """The results of one pass over the lines."""

    def __init__(self, zone: tzinfo, folder: Path, allow_outside: bool, stem: str) -> None:  # noqa: FBT001
        self.entries: list[Entry] = []
        self.faults: list[Fault] = []
        self._zone = zone
        self._folder = folder
        self._allow_outside = allow_outside
        self._stem = stem
        self._lines: dict[str, int] = {}
        self._spoken = 0
        self._crc = 0

    def fault(self, line: int, field: str, message: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(line=line, field=field, message=message))

    def take(self, raw: bytes, line: int, offset: int, *, is_text: bool) -> None:
        try:
            text = raw.decode("utf-8-sig" if offset == 0 else "utf-8")
        except UnicodeDecodeError as error:
            self.fault(line, "", f"it is not UTF-8 (byte {error.start + 1} of the line)")
            return
        if is_text:
            self._crc = crc32(raw, self._crc)
        if not text.strip():
            return
        if is_text:
            self._spoken += 1
            return
        twice: list[str] = []
        try:
            value = json.loads(text, object_pairs_hook=lambda pairs: _once(pairs, twice))
        except json.JSONDecodeError as error:
            self.fault(line, "", f"not valid JSON:  {error.msg} (column {error.colno})")
        except ValueError as error:  # a number with too many digits
            self.fault(line, "", f"not valid JSON:  {error}")
        except RecursionError:
            self.fault(line, "", "it is nested too deeply")
        else:
            for field in twice:
                self.fault(line, field, "it is given twice")
            self._conversation(value, line, offset, raw)

    def text_entry(self, length: int) -> tuple[Entry, ...]:
        """Return a text as one conversation."""
        if not self._spoken or self.faults:
            return ()
        return (
            Entry(
                index=0,
                id=self._stem,
                line=1,
                offset=0,
                length=length,
                crc=self._crc,
                agent=None,
                messages=self._spoken,
                asks=0,
            ),
        )

    def _conversation(self, value: object, line: int, offset: int, raw: bytes) -> None:
        checker = Checker(self._zone)
        made = checker.conversation(value, index=len(self.entries), line=line)
        for field, message in checker.faults:
            self.fault(line, field, message)
        if isinstance(value, dict):
            self._among_others(value, line)
        if made is None:
            return
        bom = 3 if offset == 0 and raw.startswith(b"\xef\xbb\xbf") else 0
        self.entries.append(
            Entry(
                index=made.index,
                id=made.id,
                line=line,
                offset=offset + bom,
                length=len(raw) - bom,
                crc=crc32(raw[bom:]),
                agent=made.agent,
                messages=len(made.messages),
                asks=len(made.asks),
            )
        )

    def _among_others(self, value: Mapping[str, object], line: int) -> None:
        """Check the rules across conversations and for files, also for a conversation with other errors."""
        identity, documents = value.get("id"), value.get("documents")
        if isinstance(identity, str | int):
            before = self._lines.setdefault(str(identity), line)
            if before != line:
                self.fault(line, "id", f"{identity!r} is the id of line {before} too")
        for number, document in enumerate(documents if isinstance(documents, list) else []):
            if isinstance(document, str) and document.strip():
                self._document(document, line, f"documents[{number}]")

    def _document(self, document: str, line: int, field: str) -> None:
        paths = self._matches(document)
        first = next(paths, None)
        if first is None:
            self.fault(line, field, f"there is no file {document}")
            return
        folder = self._folder.resolve()
        if not self._allow_outside and not all(p.resolve().is_relative_to(folder) for p in chain([first], paths)):
            self.fault(line, field, f"{document} is outside the input's folder; --allow-outside permits it")

    def _matches(self, document: str) -> Iterator[Path]:
        """Yield the files that a document names: itself, or the matches of a pattern."""
        try:
            if (self._folder / document).exists():
                yield self._folder / document
                return
        except (OSError, ValueError):
            return
        if any(character in document for character in "*?["):
            yield from map(Path, iglob(str(self._folder / document), recursive=True))  # noqa: PTH207 - also absolute


def _once(pairs: list[tuple[str, object]], twice: list[str]) -> dict[str, object]:
    made: dict[str, object] = {}
    for key, value in pairs:
        if key in made:
            twice.append(key)
        made[key] = value
    return made


def _looks_like_text(source: InputFile, name: str) -> bool:
    """Whether it is plain text: by its name, else by its first non-blank character."""
    suffix = Path(name).suffix.lower()
    if suffix in (".jsonl", ".ndjson", ".json"):
        return False
    first = next((raw.strip() for raw in source.lines() if raw.strip(b"\xef\xbb\xbf \t\r\n")), b"{")
    return not first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"["))


def _text_conversation(text: str, identity: ConversationId) -> ScriptedConversation:
    said = tuple(ScriptedMessage(content=line.strip()) for line in text.split("\n") if line.strip())
    return ScriptedConversation(index=0, id=identity, line=1, messages=said)
