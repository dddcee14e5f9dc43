"""Read documents in a child process with limits on memory, time and output. A limit is an error of that document.

One child reads many documents: the first one starts it, and one that breaks a limit ends it. Plain text is decoded in
this process, in linear time.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from threading import Event, Lock, Timer
from typing import BinaryIO, Final
from weakref import finalize

from typing_extensions import override

from memgpt_cli.documents import formats
from memgpt_cli.documents.reading import FileReader
from memgpt_cli.domain.documents import Document, Part
from memgpt_cli.errors import DocumentError

MEMORY: Final = 2 * 1024**3
"""Bytes of address space of the child, where the platform has such a limit."""
SECONDS: Final = 30.0
"""For one document, and one second more for each `_MEGABYTE` of it."""
OUTPUT: Final = 512 * 1024**2
"""Bytes that the child may answer for one document."""
WRITTEN_HERE: Final = 4 * 1024**2
"""Plain text up to so many bytes needs no child."""

_PLAIN: Final = frozenset(("text", "markdown", "code"))
_LENGTH: Final = 8
_MEGABYTE: Final = 1_000_000


class LimitedReader(FileReader):
    """A `FileReader` whose formats are parsed in a child process. Threads may share it."""

    def __init__(
        self,
        *,
        memory: int = MEMORY,
        seconds: float = SECONDS,
        output: int = OUTPUT,
        stdin: BinaryIO | None = None,
    ) -> None:
        super().__init__(stdin=stdin)
        self._memory = memory
        self._seconds = seconds
        self._output = output
        self._lock = Lock()
        self._child: _Child | None = None

    @override
    def read(self, content: bytes, *, name: str) -> Document:
        """Extract the text. Raises DocumentError, also for a document that breaks a limit."""
        plain = formats.by_name(name) in _PLAIN and formats.by_content(content) not in {"pdf", "archive", "html"}
        if plain and len(content) <= WRITTEN_HERE:
            return super().read(content, name=name)
        with self._lock:
            return _document(self._answer(content, name))

    def _answer(self, content: bytes, name: str) -> bytes:
        if self._child is None or not self._child.is_usable:
            self._child = _Child(self._memory)
        try:
            seconds = self._seconds + len(content) // _MEGABYTE
            return self._child.read(content, name, seconds=seconds, output=self._output)
        except BaseException:
            self._child.end()
            self._child = None
            raise


class _Child:
    """A process that reads documents. It ends when this object does."""

    def __init__(self, memory: int) -> None:
        command = [sys.executable, "-P", "-m", "memgpt_cli.documents.worker", str(memory)]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise DocumentError(f"its reader cannot be started: {error.strerror or error}") from error
        self._made_in = os.getpid()
        self.end = finalize(self, _end, self._process, self._made_in)

    @property
    def is_usable(self) -> bool:
        """Whether it runs, and belongs to this process."""
        return self._made_in == os.getpid() and self._process.poll() is None

    def read(self, content: bytes, name: str, *, seconds: float, output: int) -> bytes:
        """Return its answer to a document. Raises DocumentError if it breaks a limit."""
        late = Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        timer = Timer(seconds, stop)
        timer.start()
        try:
            answer = self._exchange(content, name, output)
        finally:
            timer.cancel()
        if answer is None:
            too_late = f"reading it took more than {seconds:g} s"
            why = too_late if late.is_set() else "its reader ended: too much memory, or damaged"
            raise DocumentError(why, hint="split the file, or convert it to plain text")
        return answer

    def _exchange(self, content: bytes, name: str, output: int) -> bytes | None:
        to_child, from_child = self._process.stdin, self._process.stdout
        assert to_child is not None  # noqa: S101 - both are pipes
        assert from_child is not None  # noqa: S101
        try:
            for frame in (name.encode("utf-8", "replace"), content):
                to_child.write(len(frame).to_bytes(_LENGTH) + frame)
            to_child.flush()
        except OSError:
            return None
        head = from_child.read(_LENGTH)
        if len(head) < _LENGTH:
            return None
        length = int.from_bytes(head)
        if length > output:
            raise DocumentError(f"more than {output:,} bytes of text", hint="split the file")
        answer = from_child.read(length)
        return answer if len(answer) == length else None


def _end(process: "subprocess.Popen[bytes]", made_in: int) -> None:
    """End a child of this process, and close its pipes."""
    if made_in == os.getpid():
        process.kill()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):
            if pipe is not None:
                pipe.close()
    if made_in == os.getpid():
        process.wait()


def _document(answer: bytes) -> Document:
    values = json.loads(answer)
    if "error" in values:
        raise DocumentError(values["error"], hint=values["hint"])
    parts = tuple(Part(text=text, kind=kind, place=place, unit=unit) for text, kind, place, unit in values["parts"])
    return Document(parts=parts, title=values["title"], kind=values["kind"])
