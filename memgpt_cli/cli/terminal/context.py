"""The context of a command: its flags, the workspace, streams and output format.

`app.run` creates one object per command, and typer passes it on as `ctx.obj`.
"""

from __future__ import annotations

import os
import shlex
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

import typer

from memgpt_cli.cli.terminal.console import json_text, new_console, plain
from memgpt_cli.errors import UsageError
from memgpt_cli.services.secrets import kinds_of, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from datetime import tzinfo

    from rich.console import Console

    from memgpt_cli.services.memory import AgentMemory
    from memgpt_cli.services.workspaces import Workspace


class Terminal:
    """The terminal of a command. Data goes to `out` (stdout), everything else to `err` (stderr).

    `json` selects JSON, `debug` tracebacks. `owns_process`: this process runs one command only.
    """

    def __init__(self, *, owns_process: bool = False, arguments: Sequence[str] = ()) -> None:
        self.agent: str | None = None
        self.model: str | None = None
        self.base_url: str | None = None
        self.window: int | None = None
        self.json = False
        self.debug = False
        self.owns_process = owns_process
        self._arguments = tuple(arguments)

    def command_for_page(self, page: int) -> str:
        """The command that shows another page (0-based) of what was asked for; the option alone inside a chat."""
        if not self._arguments or self._arguments[0] == "chat":
            return f"--page {page}"
        return shlex.join(["memgpt", *_without_page(self._arguments), "--page", str(page)])

    def set_flag(self, name: str, value: Any) -> None:
        """Set one common option; the last value counts."""
        setattr(self, name, value)
        self.reload()

    def reload(self) -> None:
        """Read the settings again on the next use of the workspace."""
        vars(self).pop("workspace", None)

    def with_flags(self, agent: str, model: str | None, base_url: str | None, window: int | None) -> Terminal:
        """Return the same terminal with other flags. None leaves a setting to the agent and the settings."""
        other = Terminal(owns_process=self.owns_process, arguments=self._arguments)
        other.agent, other.model, other.base_url, other.window = agent, model, base_url, window
        other.json, other.debug = self.json, self.debug
        return other

    @cached_property
    def workspace(self) -> Workspace:
        """Return the workspace for the flags."""
        from memgpt_cli.services.workspaces import Flags, Workspace

        flags = Flags(agent=self.agent, model=self.model, base_url=self.base_url, window=self.window)
        return Workspace(flags, tell=self.notice)

    def memory(self, *, create: bool = False) -> AbstractContextManager[AgentMemory]:
        """Open the selected agent's memory for the user; `create` creates the default agent.

        Raises NotFoundError, StorageError.
        """
        from memgpt_cli.services.memory import open_memory

        return open_memory(self.workspace, create=create)

    @property
    def zone(self) -> tzinfo:
        """Return the time zone for displayed and typed times."""
        return self.workspace.settings.zone

    @cached_property
    def out(self) -> Console:
        """Standard output, for data."""
        return new_console(stderr=False)

    @cached_property
    def err(self) -> Console:
        """Standard error, for notices and progress."""
        return new_console(stderr=True)

    @property
    def is_interactive(self) -> bool:
        """Whether input and output are a terminal."""
        return sys.stdin.isatty() and sys.stdout.isatty()

    def say(self, text: str, *, style: str | None = None) -> None:
        """Print data for a person: keys in it are masked. JSON has them in full."""
        self.out.print(plain(masked(text)), style=style)

    def notice(self, text: str, *, style: str | None = "dim") -> None:
        """Print something that is not data, on stderr."""
        self.err.print(plain(masked(text)), style=style)

    def name_secrets(self, *texts: str) -> None:
        """Say which kinds of keys stand in what was just written."""
        if kinds := kinds_of(texts):
            self.notice(
                f"this looks like a key: {', '.join(kinds)}. It is stored as it is and a model may see it. Delete it"
                " everywhere: memgpt forget -"
            )

    def print_json(self, value: Any) -> None:
        """Print one JSON document."""
        sys.stdout.write(json_text(value, indent=2) + "\n")

    def show(self, document: Any, text: str | Callable[[], None]) -> None:
        """Print a result: a JSON document with --json, else a text. A function can create either of them."""
        if self.json:
            self.print_json(document() if callable(document) else document)
        elif isinstance(text, str):
            self.say(text)
        else:
            text()

    def confirm(self, question: str, *, yes: bool) -> bool:
        """Ask before something is destroyed. `--yes` answers it; without it and a terminal it raises UsageError."""
        if yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError("this needs a confirmation, and there is no terminal to ask at", hint="add --yes")
        self.err.print(plain(question) + " [y/N] ", end="")
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def end_process(self, code: int) -> None:
        """End the process immediately if it runs this command only. All data must be written already."""
        if self.owns_process:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def _without_page(arguments: Sequence[str]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in arguments:
        if not skip and word != "--page" and not word.startswith("--page="):
            kept.append(word)
        skip = word == "--page"
    return kept


def terminal_of(context: typer.Context) -> Terminal:
    """Return the terminal of a command."""
    found: Terminal = context.obj
    return found
