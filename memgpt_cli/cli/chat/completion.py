"""Completion of slash commands and their arguments: agents, labels, models, paths."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from memgpt_cli.cli.chat.commands import named
from memgpt_cli.cli.chat.table import COMMANDS
from memgpt_cli.errors import UsageError

PATHS: Final = "PATH"


class SlashCompleter(Completer):
    """`choices` returns the possible arguments of a kind: `AGENT`, `LABEL`, `MODEL`."""

    def __init__(self, choices: Callable[[str], Iterable[str]]) -> None:
        self._choices = choices
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Complete only a line that begins with a slash and has the cursor at its end."""
        text = document.text
        if not text.startswith("/") or "\n" in text or document.text_after_cursor:
            return
        name, space, argument = text[1:].partition(" ")
        if not space:
            yield from self._names(name)
            return
        try:
            command = named(name, COMMANDS)
        except UsageError:
            return
        if command.takes == PATHS:
            typed = Document(argument, len(argument))
            yield from self._paths.get_completions(typed, complete_event)
            return
        for choice in self._choices(command.takes):
            if choice.startswith(argument):
                yield Completion(choice, start_position=-len(argument))

    @staticmethod
    def _names(typed: str) -> Iterable[Completion]:
        for command in COMMANDS.values():
            if command.name.startswith(typed):
                shown: Any = f"/{command.name}" + (f" {command.argument}" if command.argument else "")
                ready = command.name + (" " if command.takes else "")
                yield Completion(ready, start_position=-len(typed), display=shown, display_meta=command.text)
