"""The interface of slash commands, and how a line selects one. table.py lists them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from memgpt_cli.cli.chat.status import Status
    from memgpt_cli.cli.terminal.context import Terminal
    from memgpt_cli.services.chatting import Session
    from memgpt_cli.services.workspaces import Workspace
from memgpt_cli.domain.events import Event
from memgpt_cli.domain.names import nearest
from memgpt_cli.services.wording import one_line

_FORM: Final = re.compile(r"/([a-z?]+)(?:\s+(.*))?", re.DOTALL)
"""Neither a path such as /usr/bin nor a single slash matches."""


_ALIASES: Final = {"quit": "exit", "bye": "exit", "?": "help", "h": "help"}


class Chat(Protocol):
    """The running chat for a command. `over` ends it after the command; `began` is its start."""

    terminal: "Terminal"
    workspace: "Workspace"
    status: "Status"
    over: bool
    began: "datetime"

    @property
    def session(self) -> "Session":
        """Return the open agent."""
        ...

    def answer(self, event: "Event") -> None:
        """Run one turn and show it."""
        ...

    def switch_agent(self, name: str) -> None:
        """Continue with another agent; asks before its history goes to another server."""
        ...

    def reopen(self, *, model: str | None = None, base_url: str | None = None) -> None:
        """Continue with another model."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashCommand:
    """`argument` is shown in the help, `takes` is what is completed: `AGENT`, `LABEL`, `MODEL`, `PATH` or nothing."""

    name: str
    text: str
    run: Callable[[Chat, str], None]
    argument: str = ""
    takes: str = ""


def find(text: str, commands: Mapping[str, SlashCommand]) -> tuple[SlashCommand, str] | None:
    """Return the command in a line and its argument; None if the line is a message.

    Raises UsageError for an unknown name, an ambiguous prefix, and words after a command without an argument.
    """
    match = _FORM.fullmatch(text.rstrip())
    if match is None:
        return None
    command, argument = named(match[1], commands), (match[2] or "").strip()
    if argument and not command.argument:
        raise UsageError(
            f"/{command.name} takes nothing after it, not {one_line(argument)!r}",
            hint=f"/{command.name} alone; to say something that begins with a slash, put a space before it",
        )
    return command, argument


def named(name: str, commands: Mapping[str, SlashCommand]) -> SlashCommand:
    """Return the command with this name or prefix. Raises UsageError."""
    name = _ALIASES.get(name, name)
    if name in commands:
        return commands[name]
    begun = [known for known in commands if known.startswith(name)]
    if len(begun) == 1:
        return commands[begun[0]]
    if begun:
        raise UsageError(f"/{name} could be {_listed(begun)}", hint="type a letter or two more")
    near = nearest(name, commands)
    meant = f"; did you mean {_listed(near)}?" if near else ""
    raise UsageError(
        f"there is no command /{name}{meant}",
        hint="/help lists them; to say something that begins with a slash, put a space before it",
    )


def _listed(names: list[str]) -> str:
    return " or ".join(f"/{name}" for name in names)
