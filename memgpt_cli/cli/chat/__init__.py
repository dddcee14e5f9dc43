"""`memgpt chat`: a conversation in the terminal, or one message per line from a pipe."""

from typing import Annotated

import typer

from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.filters import Wait
from memgpt_cli.errors import UsageError


def chat(
    ctx: typer.Context,
    message: Annotated[str | None, typer.Argument(help="The first message.")] = None,
    thoughts: Annotated[bool, typer.Option("--thoughts/--no-thoughts", help="Show the model's reasoning.")] = True,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show each function call with its result.")] = False,
    wait: Wait = False,
) -> None:
    """Talk with an agent that remembers.

    Examples:
        memgpt chat

        memgpt chat "What did we decide about the garden?"

        memgpt chat --agent research --model gpt-4.1

        memgpt chat --model llama3.1 --base-url http://localhost:11434/v1

        memgpt chat < questions.txt     (one message a line, answers on standard output)

    """
    terminal = terminal_of(ctx)
    from memgpt_cli.cli.chat.conversation import Conversation, Preferences

    if terminal.json:
        raise UsageError("chat has no JSON output", hint='memgpt send --json "Hello"')
    preferences = Preferences(thoughts=thoughts, verbose=verbose, wait=wait)
    raise typer.Exit(Conversation(terminal, preferences).run(message))
