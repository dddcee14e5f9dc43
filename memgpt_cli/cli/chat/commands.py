"""The slash commands of the chat; what they show comes from the same code as the subcommands."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from memgpt_cli.agent.session import Session
from memgpt_cli.cli import context, shapes
from memgpt_cli.cli.console import say
from memgpt_cli.domain.events import Resume
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from memgpt_cli.cli.chat.conversation import Conversation

Command = Callable[["Conversation", Session], bool]

_FORM: Final = re.compile(r"/([a-z]+)(?:\s+(.*))?", re.DOTALL)
"""A path such as /usr/bin is no command, nor is a lone slash."""


def find(text: str) -> Command | None:
    """The command that a line asks for; None when it is a message. Raises UsageError for an unknown one."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        return None
    name, argument = match[1], (match[2] or "").strip()
    run = _COMMANDS.get(name)
    if run is None:
        raise UsageError(f"there is no /{name}", hint="/help lists the commands")
    return lambda conversation, session: run(conversation, session, argument)


def _help(_: "Conversation", __: Session, ___: str) -> bool:
    say("/memory [LABEL]  what the agent keeps in core memory\n/context         what the model sees now, in tokens")
    say("/retry           ask again for an answer that failed\n/exit            leave (Ctrl-D does too)")
    return False


def _memory(_: "Conversation", session: Session, label: str) -> bool:
    blocks = [session.core_memory.block(label)] if label else session.store.blocks.all()
    for block in blocks:
        say(f"{block.label} ({len(block.value)}/{block.limit} characters)", style="bold")
        say(block.value or "(empty)")
        say("")
    return False


def _context(_: "Conversation", session: Session, __: str) -> bool:
    context.draw(session.look(None, shapes.context))
    return False


def _retry(conversation: "Conversation", session: Session, _: str) -> bool:
    if not session.store.turns.open_turns():
        raise UsageError("there is no unanswered message", hint="just say something")
    conversation.answer(session, Resume())
    return False


def _exit(_: "Conversation", __: Session, ___: str) -> bool:
    return True


_COMMANDS: Final[dict[str, Callable[["Conversation", Session, str], bool]]] = {
    "help": _help,
    "memory": _memory,
    "context": _context,
    "retry": _retry,
    "exit": _exit,
}
