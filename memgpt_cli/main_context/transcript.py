"""Render evicted messages for the summariser: one line for each message, call and result."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from memgpt_cli.domain.chat import arguments_object
from memgpt_cli.domain.messages import FunctionCall, Message, Role
from memgpt_cli.domain.times import for_people
from memgpt_cli.domain.trust import QUOTE
from memgpt_cli.main_context.rendering import escape

RESULT_CHARACTERS: Final = 1_200
"""Maximum characters of a function result: about five lines of a search, or a short block."""

ARGUMENT_CHARACTERS: Final = 600
"""Maximum characters of a call's arguments."""


def transcript(messages: Sequence[Message], zone: tzinfo) -> list[str]:
    """Return one line for each message, call and result. The program's events are left out."""
    return [line for message in messages for line in _lines(message, zone)]


def spoken_lines(lines: Sequence[str]) -> list[str]:
    """Return the user's and the assistant's lines without their times."""
    return [line.split("] ", 1)[-1] for line in lines if line.startswith("[")]


def call_text(call: FunctionCall) -> str:
    """Return `name(arguments)`, with long arguments cut."""
    return f"{escape(call.name)}({_cut(escape(call.arguments), ARGUMENT_CHARACTERS)})"


def _lines(message: Message, zone: tzinfo) -> Iterator[str]:
    if message.role is Role.SYSTEM:
        return
    text = " ".join(escape(message.stub or message.text).split())
    if message.role is Role.TOOL:
        verb = "answered" if message.ok else "failed"
        yield f"({message.name} {verb}: {_cut(text, RESULT_CHARACTERS)})"
        return
    head = f"[{for_people(message.created_at, zone)}] "
    if text:
        mark = QUOTE if message.untrusted and message.role is Role.USER else ""
        yield f"{head}{escape(message.name or message.role)}: {mark}{text}"
    for call in message.calls:
        sent = (arguments_object(call.arguments) or {}).get("message") if call.name == "send_message" else None
        if isinstance(sent, str):
            yield f"{head}{message.role}: {' '.join(escape(sent).split())}"
        else:
            yield f"(called {' '.join(call_text(call).split())})"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} more characters)"
