"""Read conversation files: JSON lines, and exports of ChatGPT and Claude, zipped or not.

The format is detected from the content, not from the name. Reading is lazy: only one conversation or line is in memory.
"""

import codecs
import io
import json
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import tzinfo
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any, Final, Self

from memgpt_cli.documents.chat_exports import from_chatgpt, from_claude
from memgpt_cli.documents.message_fields import Read, read_content, read_role, read_time_of, read_word
from memgpt_cli.domain.conversations import SaidElsewhere, Unreadable
from memgpt_cli.errors import DocumentError

_BLOCK: Final = 1 << 20
_LARGEST: Final = 1_000_000_000
"""Maximum bytes of one conversation or line: reading it needs three to six times as much memory."""

_BETWEEN: Final = " \t\r\n,"
_HINT: Final = "JSON lines with role and content, or the export of ChatGPT or Claude, zipped or not"


class ConversationFile(Iterator[Read]):
    """Yields the messages of a file in order; the path `-` is standard input.

    `done` of `total` bytes have been read, of an archive those of the conversations in it. A time without a zone is in
    `zone`. Raises DocumentError at the first message if the format is unknown.
    """

    def __init__(self, path: Path, zone: tzinfo) -> None:
        self.total = 0
        self._path = path
        self._name = "standard input" if str(path) == "-" else str(path)
        self._zone = zone
        self._file: IO[bytes] | None = None
        self._before = 0
        self._reads = self._all()

    @property
    def done(self) -> int:
        """Bytes read so far."""
        return self._before + (self._file.tell() if self._file else 0)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Read:
        return next(self._reads)

    def _all(self) -> Iterator[Read]:
        try:
            with ExitStack() as stack:
                file = stack.enter_context(_opened(self._path))
                if file.read(4) == b"PK\x03\x04":
                    yield from self._archived(stack.enter_context(zipfile.ZipFile(file)))
                else:
                    self.total = file.seek(0, io.SEEK_END)
                    yield from self._one(file, self.total)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, zlib.error) as error:
            raise DocumentError(f"the archive is damaged: {error}", hint="download the export again") from error
        except OSError as error:
            raise DocumentError(f"{self._name} cannot be read: {error.strerror}", hint="name another file") from error

    def _archived(self, archive: zipfile.ZipFile) -> Iterator[Read]:
        """Yield the conversations of an export, which may be split into several files."""
        members = sorted(
            (info for info in archive.infolist() if _holds_conversations(info.filename)), key=lambda info: info.filename
        )
        if not members:
            raise DocumentError("the archive holds no conversations.json", hint=_HINT)
        self.total = sum(info.file_size for info in members)
        for info in members:
            with archive.open(info) as file:
                yield from self._one(file, info.file_size)

    def _one(self, file: IO[bytes], size: int) -> Iterator[Read]:
        self._file = file
        first, blank = _start(file)
        if first == b"[":
            yield from self._array(file)
        elif first == b"{":
            yield from self._lines(file, blank)
        elif not first:
            raise DocumentError(f"{self._name} is empty", hint=_HINT)
        else:
            raise DocumentError(f"{self._name} holds no conversation that memgpt can read", hint=_HINT)
        self._file, self._before = None, self._before + size

    def _array(self, file: IO[bytes]) -> Iterator[Read]:
        number = 1
        try:
            for number, value in enumerate(_elements(file), 1):
                yield from _conversation(value, f"conversation {number}", self._zone)
                number += 1  # noqa: PLW2901 - the line number for the next error
        except (ValueError, RecursionError) as error:
            place = f"conversation {number}"
            yield Unreadable(place, f"neither it nor what follows can be read: {_reason(error)}")

    def _lines(self, file: IO[bytes], blank: int) -> Iterator[Read]:
        line = file.readline(_LARGEST)
        if line.strip() == b"{":  # one object over several lines
            line += file.read(_LARGEST)
        number = 1 + blank
        while line:
            if line.strip():
                yield from _line(line, f"line {number}", self._zone)
            line = file.readline(_LARGEST)
            number += 1


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open the file; a pipe or standard input, which cannot be read twice, is copied to a temporary file."""
    with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as file:
        if str(path) != "-" and file.seekable():
            yield file
            return
        with tempfile.SpooledTemporaryFile(max_size=64 * _BLOCK) as kept:
            copyfileobj(file, kept)
            kept.seek(0)
            yield kept


def _holds_conversations(name: str) -> bool:
    last = name.rpartition("/")[2]
    return last.startswith("conversations") and last.endswith(".json")


def _start(file: IO[bytes]) -> tuple[bytes, int]:
    """Return the first significant character and the number of line ends before it; the file is left there."""
    file.seek(0)
    skipped = file.read(3)
    if skipped != codecs.BOM_UTF8:
        file.seek(0)
    blank = 0
    while (character := file.read(1)) and character in b" \t\r\n":
        blank += character == b"\n"
    file.seek(-len(character), io.SEEK_CUR)
    return character, blank


def _elements(file: IO[bytes]) -> Iterator[object]:
    """Yield the elements of a JSON array lazily. Raises ValueError if it is not an array."""
    decoder = json.JSONDecoder()
    decode = codecs.getincrementaldecoder("utf-8")().decode
    text, at, more = decode(file.read(_BLOCK)), 1, True
    while True:
        while at < len(text) and text[at] in _BETWEEN:
            at += 1
        if text[at : at + 1] == "]":
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            if not more or len(text) - at > _LARGEST:
                raise
            block = file.read(max(_BLOCK, len(text) - at))
            more = bool(block)
            text, at = text[at:] + decode(block, final=not more), 0
        else:
            yield value


def _line(line: bytes, place: str, zone: tzinfo) -> Iterator[Read]:
    try:
        value = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        yield Unreadable(place, f"not valid JSON: {_reason(error)}")
    else:
        yield from _conversation(value, place, zone)


def _conversation(value: object, place: str, zone: tzinfo) -> Iterator[Read]:
    """Read a conversation of an export, or a single message."""
    if not isinstance(value, dict):
        yield Unreadable(place, "not a JSON object")
    elif isinstance(value.get("mapping"), dict):
        yield from from_chatgpt(value, place)
    elif isinstance(value.get("chat_messages"), list):
        yield from from_claude(value, place, zone)
    elif "role" in value or "content" in value:
        yield _message(value, place, zone)
    else:
        yield Unreadable(place, "it is neither a message with role and content nor a conversation of ChatGPT or Claude")


def _message(value: Mapping[str, Any], place: str, zone: tzinfo) -> Read:
    try:
        return SaidElsewhere(
            role=read_role(value.get("role")),
            text=read_content(value.get("content")),
            created_at=read_time_of(value, zone),
            name=read_word(value, "name"),
            session=read_word(value, "session"),
            key=read_word(value, "id"),
        )
    except ValueError as error:
        return Unreadable(place, str(error))


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)
