"""Read any document: `read_document` for a path, `FileReader` as the port for loading."""

import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from typing_extensions import override

from memgpt_cli.documents import formats
from memgpt_cli.documents.archives import read_archive
from memgpt_cli.documents.data import read_json, read_json_lines, read_notebook, read_table
from memgpt_cli.documents.encodings import decode
from memgpt_cli.documents.finding import find, source_name
from memgpt_cli.documents.html import decode_html, to_markdown
from memgpt_cli.documents.pdf import read_pdf
from memgpt_cli.domain.documents import Document, FoundFile, Part, SkippedFile, TextKind
from memgpt_cli.errors import DocumentError
from memgpt_cli.ports import DocumentReader

MAX_BYTES: Final = 100 * 1024 * 1024
"""Maximum size of a file in bytes; reading needs a few times this much memory at most."""


def read_document(path: str | Path) -> Document:
    """Read one file. Raises DocumentError with the reason if it cannot be read or contains no text."""
    path = Path(path)
    reader = FileReader()
    return reader.read(reader.content(FoundFile(source=source_name(path), path=path)), name=path.name)


class FileReader(DocumentReader):
    """Reads documents from the file system.

    `max_bytes` limits a file; `stdin` is read for `-`.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES, stdin: BinaryIO | None = None) -> None:
        self._max_bytes = max_bytes
        self._stdin = stdin

    @override
    def find(self, paths: Sequence[str]) -> Iterator[FoundFile | SkippedFile]:
        return find(paths)

    @override
    def content(self, file: FoundFile) -> bytes:
        """Return the bytes of a file.

        Raises DocumentError if it cannot be opened, is too large, or is clearly not text.
        """
        if file.path is None:
            return self._bounded(self._stdin or sys.stdin.buffer)
        try:
            # Non-blocking: a pipe without a writer would block the load.
            descriptor = os.open(file.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
            with open(descriptor, "rb") as stream:  # noqa: PTH123 - opens a descriptor
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise DocumentError("not a regular file")
                if status.st_size > self._max_bytes:
                    raise self._too_large(status.st_size)
                return self._bounded(stream)
        except OSError as error:
            raise DocumentError(error.strerror or str(error)) from error

    @override
    def read(self, content: bytes, *, name: str) -> Document:
        if not content:
            raise DocumentError("empty")
        document = _read(content, name)
        parts = tuple(part for part in map(_storable, document.parts) if part.text.strip())
        if not parts:
            raise DocumentError("no text in it")
        return Document(parts=parts, title=_storable_text(document.title), kind=document.kind)

    def _bounded(self, stream: BinaryIO) -> bytes:
        head = stream.read(formats.HEAD)
        formats.refuse(head)
        rest = stream.read(self._max_bytes - len(head) + 1)
        if len(head) + len(rest) > self._max_bytes:
            raise self._too_large(len(head) + len(rest))
        return head + rest

    def _too_large(self, size: int) -> DocumentError:
        return DocumentError(
            f"{size / 2**20:,.0f} MB or more, over the limit of {self._max_bytes / 2**20:,.0f} MB",
            hint="split the file",
        )


def _read(data: bytes, name: str) -> Document:
    formats.refuse(data[: formats.HEAD])
    called, found = formats.by_name(name), formats.by_content(data)
    if found in ("pdf", "archive"):
        return read_pdf(data, name) if found == "pdf" else read_archive(data, name)
    if called in ("pdf", "docx", "epub"):
        raise DocumentError(f"not a valid .{called} file")
    if called == "html" or (called == "text" and found == "html"):
        return _read_html(decode_html(data), name)
    text = decode(data)
    formats.refuse_unwritten(text, name)
    if (read_as := _READERS.get(called)) is not None:
        return read_as(text, name)
    kind: TextKind = "code" if called == "code" else "markdown" if called == "markdown" else "text"
    return Document(parts=(Part(text=text, kind=kind),), title=name, kind=called)


_READERS: Final[dict[str, Callable[[str, str], Document]]] = {
    "csv": read_table,
    "tsv": partial(read_table, delimiter="\t"),
    "json": read_json,
    "jsonl": read_json_lines,
    "ipynb": read_notebook,
}


def _read_html(html: str, name: str) -> Document:
    text, title = to_markdown(html, xhtml=html[:200].lstrip().startswith("<?xml"))
    return Document(parts=(Part(text=text, kind="markdown", unit=None),), title=title or name, kind="html")


def _storable(part: Part) -> Part:
    return Part(text=_storable_text(part.text), kind=part.kind, place=part.place, unit=part.unit)


def _storable_text(text: str) -> str:
    """Remove characters that no database accepts: lone surrogates, which JSON escapes can spell, and NULs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text.replace("\x00", "")
