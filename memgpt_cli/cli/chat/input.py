"""The user's input: a prompt with history and editing, a bare prompt, or the lines of a pipe."""

import sys
from collections.abc import Callable
from typing import Final, Protocol

QUOTES: Final = '"""'
"""Opens and closes a message with several lines."""


class InputLines(Protocol):
    """Yields the user's messages, one at a time."""

    def read(self) -> str | None:
        """Return the next message; None at the end. Raises KeyboardInterrupt for Ctrl-C."""
        ...

    def begin_with(self, text: str) -> None:
        """Let the next message begin with this text, if it can be edited."""
        ...

    def ask(self, question: str, *, default: str = "") -> str:
        """Return one line as the answer to a question; empty if no one can answer."""
        ...


class PipedLines:
    """One message per line, also with Windows line ends; invalid UTF-8 is replaced. Questions get no answer."""

    def read(self) -> str | None:
        """The next line without its end."""
        line = sys.stdin.buffer.readline()
        return line.decode("utf-8", "replace").rstrip("\r\n").removeprefix("\ufeff") if line else None

    def begin_with(self, text: str) -> None:
        """Do nothing."""

    def ask(self, question: str, *, default: str = "") -> str:  # noqa: ARG002
        """Return nothing."""
        return ""


class BareLines:
    """A prompt on a terminal that can only print (`TERM=dumb`). `first_key` is called once."""

    def __init__(self, *, first_key: Callable[[], None]) -> None:
        self._first_key: Callable[[], None] | None = first_key

    def read(self) -> str | None:
        """The next message, several lines between triple quotes."""
        call, self._first_key = self._first_key, None
        if call is not None:
            call()
        text = self._line("> ")
        while text is not None and is_open(text):
            more = self._line("… ")
            text = text + QUOTES if more is None else f"{text}\n{more}"
        return None if text is None else unquoted(text)

    def begin_with(self, text: str) -> None:
        """Do nothing."""

    def ask(self, question: str, *, default: str = "") -> str:
        """Return one line; an empty one is the default, which is shown. Empty for Ctrl-D."""
        from memgpt_cli.cli.chat.confirm import ask_on_terminal

        return ask_on_terminal(question, default=default)

    @staticmethod
    def _line(prompt: str) -> str | None:
        sys.stdout.write(prompt)
        sys.stdout.flush()
        line = sys.stdin.readline()
        return line.rstrip("\r\n") if line else None


def is_open(text: str) -> bool:
    """Whether a message began with triple quotes that have not been closed."""
    stripped = text.strip()
    return stripped.startswith(QUOTES) and not (len(stripped) >= 2 * len(QUOTES) and stripped.endswith(QUOTES))


def unquoted(text: str) -> str:
    """Return the message without its triple quotes, with plain line ends."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    stripped = text.strip()
    if stripped.startswith(QUOTES) and not is_open(text):
        return stripped[len(QUOTES) : -len(QUOTES)].strip("\n")
    return text
