"""Where the person's words come from: a prompt with history and editing, or the lines of a pipe."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession


class Lines(Protocol):
    """Yields what the person says, one message at a time."""

    def read(self) -> str | None:
        """The next message; None at the end. Raises KeyboardInterrupt for Ctrl-C."""
        ...


class PipedLines:
    """One message a line, Windows line ends included, undecodable bytes replaced."""

    def read(self) -> str | None:
        """The next line without its end."""
        line = sys.stdin.buffer.readline()
        return line.decode("utf-8", "replace").rstrip("\r\n").removeprefix("\ufeff") if line else None


class PromptLines:
    """A prompt on a terminal. `first_key` is called once, when the person begins to type."""

    def __init__(self, *, history: Path, first_key: Callable[[], None]) -> None:
        self._history = history
        self._first_key: Callable[[], None] | None = first_key
        self._session: PromptSession[str] | None = None

    def read(self) -> str | None:
        """The next message; None for Ctrl-D."""
        try:
            return self._prompt().prompt("> ")
        except EOFError:
            return None

    def _prompt(self) -> "PromptSession[str]":
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import FileHistory

        if self._session is None:
            self._history.parent.mkdir(parents=True, exist_ok=True)
            self._session = PromptSession(history=FileHistory(str(self._history)))
            self._session.default_buffer.on_text_changed += lambda _: self._typing()
        return self._session

    def _typing(self) -> None:
        call, self._first_key = self._first_key, None
        if call is not None:
            call()
