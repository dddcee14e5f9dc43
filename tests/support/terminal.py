"""A real pseudo-terminal with a program in it and a screen: tests type what a person types and read what they read.

No fixed pauses: every wait is for something to appear, up to a generous bound.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pexpect
import pyte

PATIENCE_S = 30.0
"""How long something may take to appear on a busy machine."""

PASTE = ("\x1b[200~", "\x1b[201~")
UP, LEFT, ESCAPE, CTRL_C, CTRL_D, CTRL_R, TAB = "\x1b[A", "\x1b[D", "\x1b", "\x03", "\x04", "\x12", "\t"


def environment_of(home: Path) -> dict[str, str]:
    """The environment of a program that has this home and this checkout, and no settings of the person who tests."""
    strange = ("MEMGPT_", "OPENAI_", "NO_COLOR", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    root = str(Path(__file__).resolve().parents[2])
    return {
        **kept,
        "PYTHONPATH": root,
        "MEMGPT_HOME": str(home),
        "MEMGPT_DISPLAY_TIMEZONE": "UTC",
        "MEMGPT_MODEL_FIND_LOCAL": "false",
    }


class _Screen(pyte.HistoryScreen):
    """Answers what a program asks of its terminal (the cursor's position, above all), as real terminals do."""

    answer: Callable[[str], object] = staticmethod(lambda _: None)

    def write_process_input(self, data: str) -> None:
        self.answer(data)

    def select_graphic_rendition(self, *attrs: int, **options: bool) -> None:
        """pyte knows no dim text: it is stored as blinking, which nothing here does."""
        super().select_graphic_rendition(*(5 if attr == 2 else attr for attr in attrs), **options)


class Terminal:
    """`memgpt ARGUMENTS` in a terminal of `columns` by `lines`, with a home of its own and nothing else in the way."""

    def __init__(
        self, home: Path, *arguments: str, columns: int = 80, lines: int = 24, env: dict[str, str] | None = None
    ) -> None:
        environment = {**environment_of(home), "TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})}
        self.screen = _Screen(columns, lines, history=5_000, ratio=0.5)
        self._stream = pyte.ByteStream(self.screen)
        self.output = b""
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "memgpt_cli", *arguments],
            env=environment,
            dimensions=(lines, columns),
            timeout=PATIENCE_S,
            cwd=str(home.parent),
        )
        self._child.delaybeforesend = None
        self.screen.answer = self._child.send

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.close(force=True)

    def type(self, *keys: str) -> None:
        """Type these keys one after the other."""
        for key in keys:
            self._child.send(key)

    def say(self, text: str) -> None:
        """Type a line, see it, and send it."""
        self.type(text)
        end = text[-5:]
        self.wait_until(lambda _: self._line().endswith(end), f"{text!r} at the cursor")
        self.type("\r")
        self.wait_until(lambda _: not self._line().endswith(end), f"{text!r} to be taken")

    def paste(self, text: str) -> None:
        """Paste as terminals do that know bracketed paste."""
        self.type(PASTE[0] + text.replace("\n", "\r") + PASTE[1])

    def resize(self, columns: int, lines: int) -> None:
        """Change the window's size, as dragging its corner does."""
        self.screen.resize(lines, columns)
        self._child.setwinsize(lines, columns)

    def wait_for(self, *texts: str, gone: Sequence[str] = ()) -> str:
        """Read until the screen shows all of `texts` and none of `gone`, line ends aside; returns the screen."""
        return self.wait_until(
            lambda seen: (
                all(_flat(text) in _flat(seen) for text in texts)
                and not any(_flat(text) in _flat(seen) for text in gone)
            ),
            f"{texts} without {gone}" if gone else f"{texts}",
        )

    def prompt(self) -> str:
        """Wait for an empty prompt with its bottom line, after whatever is going on; returns the screen."""
        return self.wait_until(lambda _: self._at_prompt(), "an empty prompt")

    def bare_prompt(self) -> str:
        """Wait for an empty prompt on a terminal that has no bottom line; returns the screen."""
        return self.wait_until(lambda _: self._line() == ">", "an empty bare prompt")

    def wait_until(self, holds: Callable[[str], bool], what: str) -> str:
        """Read until the screen is as wanted; returns it."""
        end = time.monotonic() + PATIENCE_S
        while not holds(self.text):
            if time.monotonic() > end or not self._read():
                msg = f"waited for {what}, but the screen is:\n{self.text}\n--- above it:\n{self.above[-1500:]}"
                raise AssertionError(msg)
        return self.text

    def exit_code(self) -> int:
        """Read to the end; the program's exit code."""
        end = time.monotonic() + PATIENCE_S
        while self._read():
            assert time.monotonic() < end, f"it does not end:\n{self.text}"
        self._child.close()
        return int(self._child.exitstatus if self._child.exitstatus is not None else -self._child.signalstatus)

    def kill(self) -> None:
        """`kill -9`."""
        import signal

        self._child.kill(signal.SIGKILL)
        self._child.wait()

    @property
    def text(self) -> str:
        """What the screen shows, without trailing blanks."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    @property
    def above(self) -> str:
        """What has scrolled off the top."""
        rows = ("".join(row[x].data for x in range(self.screen.columns)) for row in self.screen.history.top)
        return "\n".join(row.rstrip() for row in rows)

    @property
    def everything(self) -> str:
        """All that can be read by scrolling back."""
        return f"{self.above}\n{self.text}"

    def style_of(self, text: str) -> pyte.screens.Char:
        """How the first character of a text on the screen looks."""
        for y, line in enumerate(self.screen.display):
            if (x := line.find(text)) >= 0:
                return self.screen.buffer[y][x]
        msg = f"{text!r} is not on the screen:\n{self.text}"
        raise AssertionError(msg)

    def _at_prompt(self) -> bool:
        cursor = self.screen.cursor
        line = self.screen.display[cursor.y].rstrip()
        return line == ">" and cursor.x == 2 and " · " in self.text.rpartition("\n")[2]

    def _line(self) -> str:
        return self.screen.display[self.screen.cursor.y].rstrip()

    def _read(self) -> bool:
        """Take in what has come; False when the program has ended."""
        try:
            data = self._child.read_nonblocking(65536, timeout=0.2)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.output += data
        self._stream.feed(data)
        return True


def _flat(text: str) -> str:
    return " ".join(text.split())
