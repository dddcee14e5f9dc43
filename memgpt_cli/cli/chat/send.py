"""`memgpt send`: one message, one answer, at a terminal or for scripts and pipes."""

import os
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from memgpt_cli.cli.chat.confirm import confirmation
from memgpt_cli.cli.chat.screen import PlainScreen
from memgpt_cli.cli.chat.turns import TurnResult, describe, in_full, watch
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Wait
from memgpt_cli.cli.terminal.texts import is_piped, piped_text
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.events import FunctionReturned, Happening, UserMessage
from memgpt_cli.domain.messages import check_length
from memgpt_cli.domain.times import parse
from memgpt_cli.errors import UsageError
from memgpt_cli.services import shapes

if TYPE_CHECKING:
    from memgpt_cli.cli.chat.screen import Screen
    from memgpt_cli.services.chatting import Session


def send(
    ctx: typer.Context,
    text: Annotated[
        str | None, typer.Argument(help="The message. Piped input is put before it; without it your editor opens.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="The speaker's name.", metavar="SPEAKER")] = None,
    created_at: Annotated[
        str | None, typer.Option("--created-at", help="The time of the message (ISO 8601).", metavar="TIME")
    ] = None,
    external_id: Annotated[
        str | None,
        typer.Option("--id", help="Your id for this message; a repeated id is not answered twice.", metavar="ID"),
    ] = None,
    wait: Wait = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show each function call with its result.")] = False,
) -> None:
    """Send one message and print the answer.

    Examples:
        memgpt send "My name is Ada"

        memgpt send --json --id 42 "Where do I live?"

        git log -5 | memgpt send "What did I do this week?"

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    message = UserMessage(
        text=_message(terminal, text),
        name=name,
        created_at=None if created_at is None else _time(terminal, created_at),
        external_id=external_id,
    )
    if not message.text.strip():
        raise UsageError("there is nothing to send", hint='memgpt send "Hello"')
    check_length(message.text)
    terminal.name_secrets(message.text)
    result = TurnResult()
    with workspace.sessions.open(purpose="memgpt send", wait=wait) as session:
        for line in session.notices:
            terminal.notice(line)
        session.agent.confirm_writes(confirmation(wanted=workspace.settings.memory.confirm))
        if terminal.json:
            try:
                watch(session.agent.handle(message), result, _notices(terminal, verbose=verbose))
            finally:
                if result.ended is not None:
                    terminal.print_json(shapes.turn(session.name, result.steps, result.ended))
            return
        screen = _screen(terminal, session, verbose=verbose)
        try:
            watch(session.agent.handle(message), result, screen.show)
        finally:
            if result.ended is not None or not isinstance(screen, PlainScreen):
                screen.close()  # half an answer stays on a screen, and does not go into a pipe


def _message(terminal: Terminal, text: str | None) -> str:
    """Return the piped input followed by the typed text; without either, a text from an editor."""
    if text == "-":
        return piped_text()
    piped = piped_text() if is_piped() else ""
    if text is not None:
        return f"{piped.rstrip()}\n\n{text}" if piped.strip() else text
    if not sys.stdin.isatty():
        return piped
    from memgpt_cli.cli.terminal.editor import edited

    with terminal.memory(create=True) as memory:
        place = memory.blocks.draft("message")
    with edited(
        terminal, place, "", otherwise='memgpt send "Hello"', again=lambda path: f"memgpt send - < {path}"
    ) as typed:
        return typed


def _notices(terminal: Terminal, *, verbose: bool) -> Callable[[Happening], None]:
    def show(happening: Happening) -> None:
        if isinstance(happening, FunctionReturned) and not _concerns_the_person(happening):
            if verbose:
                terminal.notice(in_full(happening))
        elif line := describe(happening):
            terminal.notice(f"({line})")

    return show


def _concerns_the_person(returned: FunctionReturned) -> bool:
    """Whether a write was refused, or needs the user's decision."""
    effects = returned.result.effects
    return effects.refusal is not None or bool(effects.held)


def _screen(terminal: Terminal, session: "Session", *, verbose: bool) -> "Screen":
    """On a terminal the answer grows as in a chat; into a pipe goes the text of the answer alone."""
    from memgpt_cli.cli.chat.screen import TerminalScreen

    if not sys.stdout.isatty() or os.environ.get("TERM") in {"dumb", "", None}:
        return PlainScreen(terminal, thoughts=False, verbose=verbose)
    from memgpt_cli.cli.chat.markdown import chat_console

    return TerminalScreen(
        chat_console(), thoughts=False, verbose=verbose, text_is_thought=session.agent.protocol is Protocol.PAPER
    )


def _time(terminal: Terminal, text: str) -> datetime:
    try:
        return parse(text, terminal.workspace.settings.zone)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a valid time", hint="write it as 2024-03-31T18:30") from error
