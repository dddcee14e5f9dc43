"""The user's editor: `$VISUAL`, `$EDITOR`, or the system's; and a file for the edited text."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.errors import MemGPTError, UsageError


def open_editor(path: Path) -> None:
    """Open a file and wait until the editor is closed. Raises UsageError without a terminal or an editor."""
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to edit at", hint=f"edit the file itself: {path}")
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    found = chosen or next(filter(shutil.which, ("sensible-editor", "nano", "vi", "notepad")), None)
    if not found:
        raise UsageError("there is no editor", hint="export EDITOR=nano")
    try:
        command = [*shlex.split(found, posix=os.name != "nt"), str(path)]
        status = subprocess.run(command, check=False).returncode  # noqa: S603 - the user's own command
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"the editor {found!r} cannot be started: {reason}", hint="export EDITOR=nano") from error
    if status:
        raise UsageError(f"the editor {found!r} {_ended(status)}", hint="the change was discarded")


@contextmanager
def edited(
    terminal: Terminal, place: Path, text: str, *, otherwise: str, again: Callable[[Path], str]
) -> Iterator[str]:
    """Yield the text that the user saves in their editor, without trailing line ends.

    The file is `place`, or one beside it if an earlier text is still there. It is deleted at the end, unless the editor
    fails after something was written, or the code inside raises: then the error names the file, and its hint is `again`
    of it. `otherwise` is the hint if there is nothing to keep.
    """
    path = _new_file(terminal, place, text + "\n")
    keep = False
    try:
        open_editor(path)
        yield _written(path).rstrip("\n")
    except MemGPTError as error:
        keep = _differs(path, text)
        kept = f"; your text is kept in {path}" if keep else ""
        raise type(error)(error.message + kept, hint=again(path) if keep else otherwise) from error
    except KeyboardInterrupt:
        keep = _differs(path, text)
        if keep:
            terminal.notice(f"your text is kept in {path}")
        raise
    finally:
        if not keep and path.is_file():
            path.unlink()


def _ended(status: int) -> str:
    if status > 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _new_file(terminal: Terminal, place: Path, text: str) -> Path:
    """Create a file for this call only: two terminals may edit the same text, and an earlier text must be kept."""
    number = 1
    while True:
        path = place if number == 1 else place.with_stem(f"{place.stem}-{number}")
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1
            continue
        with os.fdopen(file, "w", encoding="utf-8", errors="surrogatepass", newline="") as opened:
            opened.write(text)
        if number > 1:
            terminal.notice(f"an earlier text lies in {place}; it is left as it is")
        return path


def _written(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("what the editor wrote is not UTF-8", hint="save it as UTF-8") from error
    except OSError as error:
        raise UsageError(f"the editor left no file: {error.strerror}", hint="the change was discarded") from error


def _differs(path: Path, text: str) -> bool:
    try:
        return path.read_bytes().strip() not in {text.encode("utf-8", "surrogatepass").strip(), b""}
    except OSError:
        return False
