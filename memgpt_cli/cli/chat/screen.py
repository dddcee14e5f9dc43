"""Display of a running turn.

A model's text is shown as it arrives, but only the end of the step shows whether it is the reply or a thought. On a
terminal it is in a region that is erased when the step is committed and then printed accordingly; otherwise it is held
back until then.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Protocol

from memgpt_cli.cli.chat.turns import describe, in_full
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.domain.events import (
    Evicting,
    FunctionReturned,
    Happening,
    ReplyDelta,
    StepCommitted,
    ThoughtText,
    TurnEnded,
    Waiting,
)

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.live import Live
    from rich.segment import Segment

SPARE_LINES: Final = 4
"""Lines of the screen that growing text leaves free, so that erasing it never reaches above the screen."""

PATIENCE_S: Final = 3.0
"""Seconds after which the waiting line shows the elapsed time."""


class Screen(Protocol):
    """Displays one turn."""

    def show(self, happening: Happening) -> None:
        """Show what happened."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """While the user answers a question."""
        ...

    def close(self) -> None:
        """The turn is over; the text of an unfinished reply stays on the screen."""
        ...


class PlainScreen:
    """For pipes and simple terminals: complete replies on stdout, everything else on stderr."""

    def __init__(self, terminal: Terminal, *, thoughts: bool, verbose: bool) -> None:
        self._terminal = terminal
        self._thoughts = thoughts
        self._verbose = verbose
        self._text = ""

    def show(self, happening: Happening) -> None:
        """Show what happened."""
        match happening:
            case ReplyDelta(text=text):
                self._text += text
            case ThoughtText(text=text):
                self._text = ""
                if self._thoughts:
                    self._terminal.notice(f"(thinking: {text.strip()})")
            case StepCommitted(final=False):
                self._text = ""
            case TurnEnded(reply=reply):
                self._text = ""
                _write(reply)
            case FunctionReturned() if self._verbose:
                self._terminal.notice(in_full(happening))
            case _:
                if line := describe(happening):
                    self._terminal.notice(f"({line})")

    def paused(self) -> AbstractContextManager[None]:
        """Do nothing."""
        return nullcontext()

    def close(self) -> None:
        """Print the text of an unfinished reply."""
        rest, self._text = self._text, ""
        if rest:
            _write(rest)


def _write(reply: str) -> None:
    sys.stdout.write(plain(reply) + "\n")
    sys.stdout.flush()


class TerminalScreen:
    """For a real terminal: replies grow as Markdown, memory operations are dim lines.

    `text_is_thought`: plain text is never the reply (the `paper` protocol).
    """

    def __init__(self, console: "Console", *, thoughts: bool, verbose: bool, text_is_thought: bool) -> None:
        self._console = console
        self._thoughts = thoughts
        self._verbose = verbose
        self._text_is_thought = text_is_thought
        self._text = ""
        self._overflowed = False
        self._doing = "thinking"
        self._since = time.monotonic()
        self._live: Live | None = self._start()

    def _start(self) -> "Live":
        from rich.live import Live

        live = Live(
            get_renderable=self._region,
            console=self._console,
            transient=True,
            refresh_per_second=8,
            vertical_overflow="crop",
        )
        live.start()
        return live

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Remove the growing region while the user answers a question."""
        if self._live is not None:
            self._live.stop()
        yield
        self._live = self._start()

    def show(self, happening: Happening) -> None:
        """Show what happened."""
        match happening:
            case ReplyDelta(text=text):
                self._text += text
                if "\n" in text:
                    self._release()
            case ThoughtText(text=text):
                self._thought(text)
            case StepCommitted(final=False):
                self._text = ""
            case TurnEnded(reply=reply):
                self._settle(reply)
            case Waiting(text=text):
                self._doing, self._since = text or "thinking", time.monotonic()
            case Evicting(messages=count):
                self._doing = f"making room: summarising {count} messages"
            case FunctionReturned() if self._verbose:
                self._work(in_full(happening))
            case _:
                if line := describe(happening):
                    self._work(line)

    def close(self) -> None:
        """Leave the text of an unfinished reply on the screen."""
        if self._live is None:
            return
        if self._text:
            self._settle(self._text)
        self._live.stop()
        self._live = None

    def _region(self) -> "RenderableType":
        from rich.text import Text

        from memgpt_cli.cli.chat.markdown import Prose

        if self._text and not self._text_is_thought:
            return _Tail(Prose(self._text), lines=self._room())
        waited = time.monotonic() - self._since
        line = f"{self._doing}…" if waited < PATIENCE_S else f"{self._doing}… {waited:.0f} s (Ctrl-C stops)"
        if self._text and self._thoughts:
            line = plain(self._text)
        return _Tail(Text(line, style="dim italic"), lines=self._room())

    def _room(self) -> int:
        return max(4, self._console.height - SPARE_LINES)

    def _release(self) -> None:
        """Print the finished paragraphs of a text that is taller than the screen; so long a text is a reply."""
        from memgpt_cli.cli.chat.parting import parted

        width, room = self._console.width, self._room()
        if self._text_is_thought or self._text.count("\n") + len(self._text) // width < room:
            return
        parts = parted(self._text)
        self._text = parts.rest
        if parts.done:
            self._overflowed = True
            self._print(parts.done, apart=not parts.within)

    def _settle(self, reply: str) -> None:
        rest = self._text if self._overflowed else reply
        self._text, self._overflowed = "", False
        self._print(rest)

    def _print(self, text: str, *, apart: bool = True) -> None:
        from memgpt_cli.cli.chat.markdown import Prose

        if text.strip():
            self._console.print(Prose(text))
            if apart:
                self._console.print()

    def _thought(self, text: str) -> None:
        self._text = ""
        if self._overflowed:
            self._overflowed = False
            self._console.print("(the text above was reasoning)", style="dim italic")
        elif self._thoughts:
            self._console.print(plain(text.strip()), style="dim italic")

    def _work(self, text: str) -> None:
        self._doing = "thinking"
        head, *changes = plain(text).split("\n")
        self._console.print(f"· {head}", style="dim")
        for line in changes:
            style = {"+": "green", "-": "red"}.get(line.strip()[:1], "dim")
            self._console.print(f"  {line}", style=style)


class _Tail:
    """The newest lines of a text that is too tall for the screen."""

    def __init__(self, text: "RenderableType", *, lines: int) -> None:
        self._text = text
        self._lines = lines

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        lines = console.render_lines(self._text, options, pad=False)
        for line in lines[-self._lines :]:
            yield from line
            yield _line_end()


def _line_end() -> "Segment":
    from rich.segment import Segment

    return Segment.line()
