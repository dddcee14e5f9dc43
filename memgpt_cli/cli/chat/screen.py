"""What a turn looks like while it runs.

A model's text is shown as it comes, but whether it is the reply or a thought beside function calls shows only at the end
of the step. So on a terminal it stands in a region that is wiped when the step is on disk, and then printed as what it
was; elsewhere it is held back until then.
"""

from typing import TYPE_CHECKING, Final, Protocol

from memgpt_cli.cli.console import notice, plain
from memgpt_cli.cli.turns import describe
from memgpt_cli.domain.events import (
    FunctionReturned,
    Happening,
    ReplyDelta,
    StepCommitted,
    ThoughtText,
    TurnEnded,
)

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

_SPARE_LINES: Final = 4
"""Lines of the screen that the growing text leaves free, so that wiping it never has to reach above the screen."""


class Screen(Protocol):
    """Watches a turn."""

    def show(self, happening: Happening) -> None:
        """Show what happened."""
        ...

    def close(self) -> str:
        """The turn is over, in whatever way; returns the text of the model that was not settled."""
        ...


class PlainScreen:
    """For pipes and terminals that cannot move their cursor: replies on stdout, whole; all else on stderr."""

    def __init__(self, *, thoughts: bool, verbose: bool) -> None:
        self._thoughts = thoughts
        self._verbose = verbose
        self._text = ""

    def show(self, happening: Happening) -> None:
        """Show what happened."""
        match happening:
            case ReplyDelta(text=text):
                self._text += text
            case ThoughtText(text=text):
                if self._thoughts:
                    notice(f"(thinking: {text.strip()})")
            case StepCommitted():
                self._text = ""
            case TurnEnded(reply=reply):
                self._print(reply)
            case FunctionReturned() if not self._verbose:
                pass
            case _:
                if line := describe(happening):
                    notice(f"({line})")

    def close(self) -> str:
        """Print what came of an unfinished reply."""
        rest, self._text = self._text, ""
        if rest:
            self._print(rest)
        return rest

    def _print(self, reply: str) -> None:
        import sys

        sys.stdout.write(plain(reply) + "\n")
        sys.stdout.flush()


class TerminalScreen:
    """For a real terminal: replies grow as Markdown, memory work is one dim line each."""

    def __init__(self, console: "Console", *, thoughts: bool, verbose: bool) -> None:
        self._console = console
        self._thoughts = thoughts
        self._verbose = verbose
        self._text = ""
        self._printed = False
        self._live: Live | None = None

    def show(self, happening: Happening) -> None:
        """Show what happened."""
        match happening:
            case ReplyDelta(text=text):
                self._grow(text)
            case ThoughtText(text=text):
                self._wipe()
                self._text = ""
                self._thought(text)
            case StepCommitted(final=False):
                self._wipe()
                self._text = ""
            case StepCommitted():
                pass  # the reply itself comes with TurnEnded
            case TurnEnded(reply=reply):
                self._settle(reply)
            case _:
                line = describe(happening)
                if line:
                    self._wipe()
                    self._console.print(plain(f"· {line}"), style="dim")

    def close(self) -> str:
        """Leave what came of an unfinished reply on the screen."""
        rest = self._text
        self._wipe()
        if rest:
            self._settle(rest)
        return rest

    def _grow(self, text: str) -> None:
        self._text += text
        self._release()
        if self._live is None:
            from rich.live import Live

            self._live = Live(
                get_renderable=lambda: self._markdown(self._text),
                console=self._console,
                transient=True,
                refresh_per_second=10,
                vertical_overflow="ellipsis",
            )
            self._live.start()

    def _release(self) -> None:
        """Print the finished paragraphs of a text that outgrows the screen; so much text is a reply."""
        width, room = self._console.width, self._console.height - _SPARE_LINES
        if self._text.count("\n") + len(self._text) // width < room:
            return
        cut = self._text.rfind("\n\n")
        if cut <= 0 or self._text[:cut].count("```") % 2:
            return
        done, self._text = self._text[:cut], self._text[cut:].lstrip("\n")
        self._printed = True
        self._wipe()
        self._console.print(self._markdown(done))
        self._console.print()

    def _settle(self, reply: str) -> None:
        self._wipe()
        rest = self._text if self._printed else reply
        self._console.print(self._markdown(rest))
        self._console.print()
        self._text, self._printed = "", False

    def _thought(self, text: str) -> None:
        if self._printed:
            self._console.print("(the text above was a thought)", style="dim italic")
            self._printed = False
        elif self._thoughts:
            self._console.print(plain(text.strip()), style="dim italic")

    def _wipe(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    @staticmethod
    def _markdown(text: str) -> "RenderableType":
        from rich.markdown import Markdown

        return Markdown(plain(text), hyperlinks=False)
