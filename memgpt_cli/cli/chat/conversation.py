"""The chat's loop: read, answer, show, until the person leaves."""

import os
import threading
import time
from dataclasses import dataclass
from typing import Final

from memgpt_cli.agent.session import Session
from memgpt_cli.bootstrap import Workspace
from memgpt_cli.cli.chat import commands
from memgpt_cli.cli.chat.input import Lines, PipedLines, PromptLines
from memgpt_cli.cli.chat.screen import PlainScreen, Screen, TerminalScreen
from memgpt_cli.cli.console import is_interactive, notice
from memgpt_cli.cli.turns import TurnResult, watch
from memgpt_cli.domain.events import Event, Resume, UserMessage
from memgpt_cli.errors import ExitCode, MemGPTError

LEAVE_WITHIN_S: Final = 2.0
"""A second Ctrl-C within this time leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What was asked for on the command line."""

    thoughts: bool = True
    verbose: bool = False
    wait: bool = False


class Conversation:
    """One run of `memgpt chat`."""

    def __init__(self, workspace: Workspace, preferences: Preferences) -> None:
        self.workspace = workspace
        self.preferences = preferences
        self.interactive = is_interactive()
        self._interrupted_at = float("-inf")
        self._lines = self._open_lines()

    def run(self) -> int:
        """Talk until the end; returns the exit code."""
        with self.workspace.open_session(purpose="memgpt chat", wait=self.preferences.wait) as session:
            for line in session.notices:
                notice(line)
            if session.store.turns.open_turns():
                notice("(your last message was not answered; going on with it)")
                self.answer(session, Resume())
            try:
                return self._talk(session)
            except KeyboardInterrupt:
                return ExitCode.INTERRUPTED

    def answer(self, session: Session, event: Event) -> None:
        """Run one turn and show it. On a terminal an error is told and the talk goes on; a pipe ends with it."""
        screen = self._open_screen()
        try:
            watch(session.agent.handle(event), TurnResult(), screen.show)
        except KeyboardInterrupt:
            if self._again():
                raise
            screen.close()
            notice("(stopped; what came is kept)")
        except MemGPTError as error:
            if not self.interactive:
                raise
            screen.close()
            _tell(error)
            if session.store.turns.open_turns():
                notice("your message is kept; /retry sends it again")
        finally:
            screen.close()
            session.worker.wake()

    def _talk(self, session: Session) -> int:
        while True:
            try:
                text = self._lines.read()
            except KeyboardInterrupt:
                if not self.interactive or self._again():
                    raise
                notice("(Ctrl-C again leaves, and so does Ctrl-D)")
                continue
            if text is None:
                return ExitCode.OK
            if text.strip() and self._take(session, text):
                return ExitCode.OK

    def _take(self, session: Session, text: str) -> bool:
        """Answer a message or run a slash command; True when the talk is over."""
        try:
            command = commands.find(text)
            if command is not None:
                return command(self, session)
        except MemGPTError as error:
            _tell(error)
            return False
        self.answer(session, UserMessage(text=text))
        return False

    def _again(self) -> bool:
        """Note a Ctrl-C; whether it is the second in a short time."""
        before, self._interrupted_at = self._interrupted_at, time.monotonic()
        return self._interrupted_at - before < LEAVE_WITHIN_S

    def _open_lines(self) -> Lines:
        if not self.interactive:
            return PipedLines()
        return PromptLines(history=self.workspace.paths.history, first_key=_warm_up)

    def _open_screen(self) -> Screen:
        preferences = self.preferences
        if not self.interactive or os.environ.get("TERM") == "dumb":
            return PlainScreen(thoughts=preferences.thoughts, verbose=preferences.verbose)
        from rich.console import Console

        console = Console(highlight=False, markup=False, emoji=False)
        return TerminalScreen(console, thoughts=preferences.thoughts, verbose=preferences.verbose)


def _warm_up() -> None:
    """Load what the first answer needs while the person types."""

    def load() -> None:
        import rich.live
        import rich.markdown  # noqa: F401 - the import is the work

    threading.Thread(target=load, name="warm-up", daemon=True).start()


def _tell(error: MemGPTError) -> None:
    notice(f"error: {error.message}" + (f"\n\nhint: {error.hint}" if error.hint else ""), style=None)
