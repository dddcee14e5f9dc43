"""The child process of `LimitedReader`: `python -m memgpt_cli.documents.worker BYTES-OF-MEMORY`.

It reads frames from standard input, a name and a file, until the input ends, and answers each pair with one frame of
JSON. A frame is a length of eight bytes, and so many bytes.
"""

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any, BinaryIO, Final

from memgpt_cli.documents.reading import FileReader
from memgpt_cli.errors import DocumentError

_LENGTH: Final = 8


def limit_memory(size: int) -> None:
    """Bound the address space to `size` bytes, where the platform can."""
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def answer(content: bytes, name: str) -> dict[str, Any]:
    """What the text of a file is, or why it cannot be read."""
    try:
        document = FileReader().read(content, name=name)
    except DocumentError as error:
        return {"error": error.message, "hint": error.hint}
    except MemoryError:
        return {"error": "reading it needs too much memory", "hint": "split the file, or convert it to plain text"}
    parts = [[part.text, part.kind, part.place, part.unit] for part in document.parts]
    return {"parts": parts, "title": document.title, "kind": document.kind}


def _frame(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH)
    return source.read(int.from_bytes(head)) if len(head) == _LENGTH else None


def main() -> None:
    """Answer until the input ends. What a library prints goes nowhere."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this process
    limit_memory(int(sys.argv[1]))
    source = sys.stdin.buffer
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while (name := _frame(source)) is not None and (content := _frame(source)) is not None:
        data = json.dumps(answer(content, name.decode())).encode()
        target.write(len(data).to_bytes(_LENGTH) + data)
        target.flush()


if __name__ == "__main__":
    main()
