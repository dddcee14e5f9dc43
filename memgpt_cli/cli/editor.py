"""The person's editor: `$VISUAL`, `$EDITOR`, or what the system has."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from memgpt_cli.errors import UsageError


def open_editor(path: Path) -> None:
    """Open a file and wait until the editor is closed. Raises UsageError when there is no terminal or no editor."""
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to edit at", hint=f"edit the file itself: {path}")
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    found = chosen or next(filter(shutil.which, ("sensible-editor", "nano", "vi", "notepad")), None)
    if not found:
        raise UsageError("there is no editor", hint="export EDITOR=nano")
    command = [*shlex.split(found, posix=os.name != "nt"), str(path)]
    try:
        status = subprocess.run(command, check=False).returncode  # noqa: S603 - the person's own command
    except OSError as error:
        raise UsageError(
            f"the editor {found!r} cannot be started: {error.strerror}", hint="export EDITOR=nano"
        ) from error
    if status:
        raise UsageError(f"the editor {found!r} ended with status {status}", hint="nothing was taken over")
