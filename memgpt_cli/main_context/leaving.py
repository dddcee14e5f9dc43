"""Describe the messages that leave the window, in the words that the model has seen."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.main_context.eviction import Choice, is_pinned
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.main_context.transcript import call_text
from memgpt_cli.main_context.window import Window

_BEGINNING: Final = 60
"""Characters that identify a message for the model."""

_NAMED: Final = 5
"""Messages that a memory-pressure alert names."""

QUESTION_CHARACTERS: Final = 1_000
"""Maximum characters of the running question that the summariser sees."""


def beginning(window: Window, message: Message) -> str:
    """Return the beginning of a message in the prompt, on one line."""
    shown = window.message(message)
    text = shown.content or "".join(call_text(call) for call in shown.calls[:1])
    short = " ".join(text.split())[:_BEGINNING]
    return escape(short)


def what_leaves(window: Window, queue: Sequence[Message], choice: Choice, *, summary: bool) -> str:
    """Describe the leaving messages in two sentences; `summary`: there is a summary of earlier messages."""
    gone = {m.id for m in choice.victims}
    runs = [list(run) for leaves, run in groupby(queue, key=lambda m: m.id in gone) if leaves]
    named = ", and ".join(_run(window, run) for run in runs)
    what = "The summary of earlier messages and these messages leave" if summary else "These messages leave"
    return f"{what} it now: {named}. Everything else stays."


def _run(window: Window, run: Sequence[Message]) -> str:
    first, last = (f'"{beginning(window, m)}"' for m in (run[0], run[-1]))
    return f"from the one that begins with {first} to the one that begins with {last}" if len(run) > 1 else first


def unstored(messages: Sequence[Message]) -> list[Message]:
    """Return the user and assistant messages of those turns that wrote nothing to memory."""
    stored = {m.turn for m in messages if m.role is Role.TOOL and m.ok and not _only_reads(m.name or "")}
    return [m for m in messages if m.role is Role.USER and m.turn not in stored]


def _only_reads(function: str) -> bool:
    return function.endswith("_search") or function == "send_message"


def pressure_text(window: Window, said: Sequence[Message]) -> str:
    """Return the alert before an eviction; `said` are the leaving messages that are not in memory."""
    named = ", ".join(f'"{beginning(window, m)}"' for m in said[:_NAMED])
    more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    return (
        "Memory pressure: the window is filling up. These messages leave it soon, and nothing from their turns was"
        f" stored: {named}{more}. If something in them matters for later, store it now in core memory or archival"
        " storage."
    )


def running_question(choice: Choice, turn: int) -> str:
    """Return the user's text in the running turn, on one line, if messages of that turn leave; otherwise empty."""
    if all(m.turn != turn for m in choice.victims):
        return ""
    return said_in(choice.kept, turn)


def said_in(messages: Sequence[Message], turn: int) -> str:
    """Return the user's text in a turn, on one line."""
    said = " ".join(" ".join((m.stub or m.text).split()) for m in messages if m.turn == turn and is_pinned(m))
    return escape(said[:QUESTION_CHARACTERS])
