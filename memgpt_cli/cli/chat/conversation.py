"""The chat's loop: read, answer, show, until the user quits.

An agent is only reserved until the first message, so that the prompt appears immediately; slow parts are loaded while
the user types.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memgpt_cli.cli.chat.commands import find
from memgpt_cli.cli.chat.input import BareLines, PipedLines
from memgpt_cli.cli.chat.status import Status
from memgpt_cli.cli.chat.switching import keeps_model, offer_agent
from memgpt_cli.cli.chat.table import COMMANDS
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.errors import ExitCode, MemGPTError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from memgpt_cli.cli.chat.input import InputLines
    from memgpt_cli.cli.chat.screen import Screen
    from memgpt_cli.cli.terminal.context import Terminal
    from memgpt_cli.domain.events import Event
    from memgpt_cli.services.chatting import Reservation, Session
    from memgpt_cli.services.local_servers import Offer
    from memgpt_cli.services.workspaces import Workspace

PURPOSE: Final = "memgpt chat"
LEAVE_WITHIN_S: Final = 2.0
"""A second Ctrl-C within this time quits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """The chat's command-line options."""

    thoughts: bool = True
    verbose: bool = False
    wait: bool = False


class Conversation:
    """One run of `memgpt chat`. `over` ends it after the command that sets it; `began` is its start."""

    def __init__(self, terminal: Terminal, preferences: Preferences) -> None:
        self.terminal = terminal
        self.workspace: Workspace = self.terminal.workspace
        self.preferences = preferences
        self.interactive = self.terminal.is_interactive
        self.cursor = self.interactive and os.environ.get("TERM") not in {"dumb", "", None}
        self.over = False
        self.began = self.workspace.clock.now()
        self._interrupted_at = float("-inf")
        self._session: Session | None = None
        self._screen: Screen | None = None
        if self.interactive:
            offer_agent(self.workspace, self.workspace.agent_name)
        self._reservation = self._reserve()
        self.status = Status.of(self._reservation)
        self._lines = self._open_lines()

    @property
    def session(self) -> Session:
        """Return the open agent, opening it if it is only reserved. Raises the errors of opening."""
        if self._session is None:
            self._session = self._reservation.open()
            self.status.look(self._session)
            if self.interactive and self.workspace.settings.memory.confirm:
                from memgpt_cli.cli.chat.confirm import Confirmation

                self._session.agent.confirm_writes(Confirmation(self.ask))
        return self._session

    def _opened(self) -> Session:
        """Return the session. Opening it may ask the server for its window, so a terminal shows what it connects to."""
        host = self._reservation.host
        if self._session is not None or host is None or not self.cursor:
            return self.session
        from memgpt_cli.cli.chat.markdown import chat_console

        with chat_console().status(plain(f"connecting to {host}…"), spinner_style="dim"):
            return self.session

    def run(self, first: str | None = None) -> int:
        """Talk until the end, beginning with `first` if it is given; returns the exit code."""
        try:
            with self._quiet_keyboard():
                self._greet()
                if self._reservation.summary.unanswered:
                    self._go_on()
                if first is not None and first.strip():
                    self._respond(first)
                return self._talk()
        except KeyboardInterrupt:
            return ExitCode.INTERRUPTED
        finally:
            self._close()

    def answer(self, event: Event) -> None:
        """Run one turn and show it. On a terminal an error is shown and the chat continues; a pipe ends with it."""
        from memgpt_cli.cli.chat.turns import TurnResult, watch

        session = self._opened()
        from memgpt_cli.services.chatting import interrupt

        result = TurnResult()
        self._screen = screen = self._open_screen()
        try:
            watch(session.agent.handle(event), result, screen.show)
        except KeyboardInterrupt:
            twice = self._again()
            interrupt(session)
            if twice:
                raise
            screen.close()
            self.terminal.notice("(stopped; the text so far is kept)" if result.has_text else "(stopped)")
        except MemGPTError as error:
            screen.close()
            if not self.interactive:
                raise
            self._tell(error)
        finally:
            self._screen = None
            screen.close()
        self.status.count([step.record for step in result.steps])
        self.status.look(session)
        session.worker.wake()

    def ask(self, question: str, *, default: str = "") -> str:
        """Ask for one line; empty if no one can answer."""
        with nullcontext() if self._screen is None else self._screen.paused():
            return self._lines.ask(question, default=default)

    def switch_agent(self, name: str) -> None:
        """Continue with another agent, with this chat's model, unless that would silently move its history.

        If it would go to another server, the user is asked. Raises UsageError if no one can answer.
        """
        if self.interactive:
            offer_agent(self.workspace, name, self.ask)
        keeps = keeps_model(self.workspace, name, self.ask if self.interactive else None)
        self.reopen(agent=name, own_model=not keeps)

    def reopen(
        self,
        *,
        agent: str | None = None,
        model: str | None = None,
        base_url: str | None = None,
        own_model: bool = False,
    ) -> None:
        """Continue with another agent or model; with `own_model` the command line's model is dropped.

        On an error everything stays as it was, and the error is raised.
        """
        before = self.terminal
        self._close()
        if not model:
            model, base_url = (None, None) if own_model else (before.model, before.base_url)
        window = None if own_model else before.window
        try:
            self._take(before.with_flags(agent or self.status.agent, model, base_url, window))
        except MemGPTError:
            self._take(before)
            raise
        for line in self._reservation.notices:
            self.terminal.notice(line)
        if self._reservation.summary.unanswered:
            self._go_on()

    def choices(self, kind: str) -> Iterable[str]:
        """Return the possible completions."""
        if kind == "AGENT":
            return self.workspace.agents.names()
        if kind == "LABEL":
            return self._labels()
        if kind == "MODEL":
            profiles = sorted(self.workspace.configuration.profiles)
            return [*profiles, *(model.name for model, _ in self.workspace.models.known())]
        return []

    def _labels(self) -> list[str]:
        try:
            with self.terminal.memory() as memory:
                return [block.label for block in memory.blocks.all()]
        except MemGPTError:
            return []

    def _take(self, terminal: Terminal) -> None:
        terminal.reload()
        self.terminal, self.workspace = terminal, terminal.workspace
        self._reservation = self._reserve()
        self.status.hold(self._reservation)

    def _reserve(self) -> Reservation:
        return self.workspace.sessions.reserve(purpose=PURPOSE, wait=self.preferences.wait)

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
        else:
            self._reservation.release()

    def _greet(self) -> None:
        from memgpt_cli.cli.chat.welcome import welcome

        if self.cursor:
            if found := welcome(self.terminal, self.workspace, self._reservation):
                self._offer(found)
            return
        for line in self._reservation.notices:
            self.terminal.notice(line)

    def _offer(self, found: list[Offer]) -> None:
        """Let one key choose a model of this machine; other input is kept for the prompt."""
        from memgpt_cli.cli.chat.first_run import choose
        from memgpt_cli.cli.chat.keyboard import read_key
        from memgpt_cli.cli.chat.welcome import first_words

        chosen, typed = choose(self.terminal, self.workspace, found, read_key)
        if chosen:
            self.reopen()
        first_words()
        self._lines.begin_with(typed)

    def _go_on(self) -> None:
        from memgpt_cli.domain.events import Resume

        self.terminal.notice("(the last message was not answered; continuing with it)")
        self.answer(Resume())

    def _talk(self) -> int:
        while not self.over:
            try:
                text = self._lines.read()
            except KeyboardInterrupt:
                if not self.interactive or self._again():
                    raise
                self.terminal.notice("(Ctrl-C again or Ctrl-D quits)")
                continue
            if text is None:
                break
            self._interrupted_at = float("-inf")  # a user who has typed since does not want to quit
            if text.strip():
                self._respond(text)
        return ExitCode.OK

    def _respond(self, text: str) -> None:
        """Answer a message, or run a slash command."""
        try:
            found = find(text, COMMANDS)
            if found is None:
                from memgpt_cli.domain.events import UserMessage

                self.terminal.name_secrets(text)
                self.answer(UserMessage(text=text))
            else:
                command, argument = found
                command.run(self, argument)
        except MemGPTError as error:
            if not self.interactive:
                raise
            self._tell(error)
        except KeyboardInterrupt:
            if not self.interactive or self._again():
                raise
            self.terminal.notice("(stopped)")

    def _tell(self, error: MemGPTError) -> None:
        self.terminal.notice(f"error: {error.message}" + (f"\n\nhint: {error.hint}" if error.hint else ""), style=None)
        from memgpt_cli.services.chatting import is_unanswered

        if self._session is not None and is_unanswered(self._session):
            self.terminal.notice("(your message is kept; /retry asks again)")

    def _again(self) -> bool:
        """Record a Ctrl-C; returns whether it is the second in a short time."""
        before, self._interrupted_at = self._interrupted_at, time.monotonic()
        return self._interrupted_at - before < LEAVE_WITHIN_S

    def _warm_up(self) -> None:
        """Load what the first answer needs, on another thread. Errors are ignored here; the first turn reports them."""

        def load() -> None:
            try:
                self._reservation.warm_up()
                import rich.live  # noqa: F401 - the imports are the work

                import memgpt_cli.cli.chat.markdown
                import memgpt_cli.cli.chat.turns  # noqa: F401
            except Exception:  # noqa: BLE001 - see above
                return

        threading.Thread(target=load, name="warm-up", daemon=True).start()

    def _quiet_keyboard(self) -> AbstractContextManager[None]:
        if not self.cursor:
            return nullcontext()
        from memgpt_cli.cli.chat.keyboard import without_echo

        return without_echo()

    def _open_lines(self) -> InputLines:
        if not self.interactive:
            return PipedLines()
        if not self.cursor:
            return BareLines(first_key=self._warm_up)
        import shutil

        from memgpt_cli.cli.chat.completion import SlashCompleter
        from memgpt_cli.cli.chat.prompt import PromptLines

        return PromptLines(
            history=self.workspace.paths.history,
            completer=SlashCompleter(self.choices),
            toolbar=lambda: self.status.line(shutil.get_terminal_size().columns),
            first_key=self._warm_up,
        )

    def _open_screen(self) -> Screen:
        from memgpt_cli.cli.chat.screen import PlainScreen, TerminalScreen

        preferences = self.preferences
        if not self.cursor:
            return PlainScreen(self.terminal, thoughts=preferences.thoughts, verbose=preferences.verbose)
        from memgpt_cli.cli.chat.markdown import chat_console
        from memgpt_cli.domain.agents import Protocol

        return TerminalScreen(
            chat_console(),
            thoughts=preferences.thoughts,
            verbose=preferences.verbose,
            text_is_thought=self.session.agent.protocol is Protocol.PAPER,
        )
