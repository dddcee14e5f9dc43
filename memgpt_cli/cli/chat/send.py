"""`memgpt send`: one message, one answer, for scripts and pipes."""

import sys
from datetime import datetime
from typing import Annotated

import typer

from memgpt_cli.cli.chat.confirm import confirmation
from memgpt_cli.cli.chat.turns import TurnResult, describe, in_full, watch
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Wait
from memgpt_cli.cli.terminal.texts import read_stdin
from memgpt_cli.domain.events import FunctionReturned, Happening, UserMessage
from memgpt_cli.domain.times import parse
from memgpt_cli.errors import MemGPTError, UsageError
from memgpt_cli.services import shapes


def send(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="The message; - reads standard input.")],
    name: Annotated[str | None, typer.Option("--name", help="Who says it.", metavar="SPEAKER")] = None,
    created_at: Annotated[
        str | None, typer.Option("--created-at", help="The time of the message (ISO 8601).", metavar="TIME")
    ] = None,
    external_id: Annotated[
        str | None,
        typer.Option("--id", help="Your id for this message; sending it again does not answer twice.", metavar="ID"),
    ] = None,
    wait: Wait = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show each function call with its result.")] = False,
) -> None:
    """Send one message and print the answer.

    Examples:
        memgpt send "My name is Ada"

        memgpt send --json --id 42 "Where do I live?"

        git log -5 | memgpt send -

    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    message = UserMessage(
        text=read_stdin() if text == "-" else text,
        name=name,
        created_at=None if created_at is None else _time(terminal, created_at),
        external_id=external_id,
    )
    if not message.text.strip():
        raise UsageError("there is nothing to send", hint='memgpt send "Hello"')

    def show(happening: Happening) -> None:
        if isinstance(happening, FunctionReturned) and not _concerns_the_person(happening):
            if verbose:
                terminal.notice(in_full(happening))
        elif line := describe(happening):
            terminal.notice(f"({line})")

    result = TurnResult()
    with workspace.sessions.open(purpose="memgpt send", wait=wait) as session:
        for line in session.notices:
            terminal.notice(line)
        session.agent.confirm_writes(confirmation(wanted=workspace.settings.memory.confirm))
        try:
            watch(session.agent.handle(message), result, show)
        except MemGPTError:
            _print(terminal, session.name, result)
            raise
        _print(terminal, session.name, result)


def _concerns_the_person(returned: FunctionReturned) -> bool:
    """Whether a write was refused, or waits for them."""
    effects = returned.result.effects
    return effects.refusal is not None or bool(effects.held)


def _print(terminal: Terminal, agent: str, result: TurnResult) -> None:
    if result.ended is None:
        return
    if terminal.json:
        terminal.print_json(shapes.turn(agent, result.steps, result.ended))
    elif sys.stdout.isatty():
        terminal.say(result.ended.reply)
    else:
        sys.stdout.write(plain(result.ended.reply) + "\n")


def _time(terminal: Terminal, text: str) -> datetime:
    try:
        return parse(text, terminal.workspace.settings.zone)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a valid time", hint="write it as 2024-03-31T18:30") from error
