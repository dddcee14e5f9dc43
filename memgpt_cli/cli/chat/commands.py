"""The slash commands: their names, how a line finds one, and what each does.

What they show and change comes from the same code as the subcommands; here is only the way there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memgpt_cli.cli.chat import actions
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from memgpt_cli.cli.chat.conversation import Conversation

_FORM: Final = re.compile(r"/([a-z?]+)(?:\s+(.*))?", re.DOTALL)
"""A path such as /usr/bin is no command, nor is a lone slash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """`argument` is shown in the help, `takes` says what is completed: `AGENT`, `LABEL`, `MODEL`, `PATH` or nothing."""

    name: str
    text: str
    run: Callable[["Conversation", str], None]
    argument: str = ""
    takes: str = ""


def find(text: str) -> tuple[SlashCommand, str] | None:
    """The command that a line asks for and its argument; None when the line is a message.

    Raises UsageError for a name that is no command's, and for a beginning that several share.
    """
    match = _FORM.fullmatch(text.rstrip())
    if match is None:
        return None
    return _named(_ALIASES.get(match[1], match[1])), (match[2] or "").strip()


def _named(name: str) -> SlashCommand:
    if name in COMMANDS:
        return COMMANDS[name]
    begun = [known for known in COMMANDS if known.startswith(name)]
    if len(begun) == 1:
        return COMMANDS[begun[0]]
    if begun:
        raise UsageError(f"/{name} could be {_listed(begun)}", hint="type a letter or two more")
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=3, cutoff=0.5)
    meant = f"; did you mean {_listed(near)}?" if near else ""
    raise UsageError(
        f"there is no command /{name}{meant}",
        hint="/help lists them; to say something that begins with a slash, put a space before it",
    )


def _listed(names: list[str]) -> str:
    return " or ".join(f"/{name}" for name in names)


_ALL: Final = (
    SlashCommand(name="help", text="these commands and the keys", run=actions.show_help),
    SlashCommand(name="memory", argument="[LABEL]", takes="LABEL", text="what is always in view", run=actions.memory),
    SlashCommand(
        name="edit", argument="LABEL", takes="LABEL", text="correct a part of it in your editor", run=actions.edit
    ),
    SlashCommand(name="recall", argument="[QUERY]", text="search every message ever", run=actions.recall),
    SlashCommand(name="archival", argument="[QUERY]", text="search notes and documents", run=actions.archival),
    SlashCommand(name="attach", argument="FILE", takes="PATH", text="say what a file says", run=actions.attach),
    SlashCommand(
        name="load", argument="PATH", takes="PATH", text="put files and folders into archival storage", run=actions.load
    ),
    SlashCommand(name="context", text="what the model sees now, in tokens", run=actions.context),
    SlashCommand(name="why", text="what the last answer came from", run=actions.why),
    SlashCommand(name="undo", text="take the last turn back, with what it did to memory", run=actions.undo),
    SlashCommand(name="retry", text="ask again, in place of the last answer", run=actions.retry),
    SlashCommand(name="rethink", argument="ADVICE", text="ask again, with a word of advice", run=actions.rethink),
    SlashCommand(
        name="model", argument="[NAME [URL]]", takes="MODEL", text="who answers from here on", run=actions.model
    ),
    SlashCommand(name="agent", argument="[NAME]", takes="AGENT", text="talk to another agent", run=actions.agent),
    SlashCommand(name="new", text="begin a new conversation; memory stays", run=actions.new),
    SlashCommand(name="save", argument="[FILE]", takes="PATH", text="write this conversation", run=actions.save),
    SlashCommand(name="exit", text="leave (Ctrl-D does too)", run=actions.leave),
)

COMMANDS: Final = {command.name: command for command in _ALL}
_ALIASES: Final = {"quit": "exit", "bye": "exit", "?": "help", "h": "help"}
