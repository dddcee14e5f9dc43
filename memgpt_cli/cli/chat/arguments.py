"""The arguments of a slash command: a text, and options that are split as a shell splits them.

The text before the first option is taken as typed, so that an apostrophe needs no quotes.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.errors import UsageError

_OPTION: Final = re.compile(r"(?:^|(?<=\s))(?:--[a-z]|-[a-z](?=\s|=|$))")
_QUOTED: Final = re.compile(r"""(["'])([^"']*)\1""")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlashOption:
    """One option: its value's name in `values`, how its text is read, and whether it may be repeated or has no value.

    `read` raises ValueError for an invalid text; `expects` says what a valid one is.
    """

    value: str
    read: Callable[[str], Any] = str
    expects: str = "a text"
    repeatable: bool = False
    flag: bool = False


SlashOptions = Mapping[str, SlashOption]


def _count(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if (number := int(text)) < least:
            raise ValueError(text)
        return number

    return read


_SHARED: Final[SlashOptions] = {"--json": SlashOption(value="json", flag=True), "--agent": SlashOption(value="agent")}
_PAGES: Final[SlashOptions] = {
    "--limit": SlashOption(value="limit", read=_count(1), expects="a number from 1"),
    "-n": SlashOption(value="limit", read=_count(1), expects="a number from 1"),
    "--page": SlashOption(value="page", read=_count(0), expects="a number from 0"),
    "--since": SlashOption(value="since"),
    "--until": SlashOption(value="until"),
    "--explain": SlashOption(value="explain", flag=True),
}
_TAGS: Final[SlashOptions] = {
    "--tag": SlashOption(value="tag", repeatable=True),
    "-t": SlashOption(value="tag", repeatable=True),
}

RECALL: Final[SlashOptions] = {
    **_SHARED,
    **_PAGES,
    "--role": SlashOption(value="role", read=Role, expects=", ".join(Role), repeatable=True),
    "--name": SlashOption(value="name"),
}
ARCHIVAL: Final[SlashOptions] = {**_SHARED, **_PAGES, **_TAGS, "--source": SlashOption(value="source")}
MEMORY: Final[SlashOptions] = {
    **_SHARED,
    "--version": SlashOption(value="version", read=_count(1), expects="a number from 1"),
}
CONTEXT: Final[SlashOptions] = {
    **_SHARED,
    "--prompt": SlashOption(value="prompt", flag=True),
    "--with": SlashOption(value="with_text"),
    "--history": SlashOption(value="history", flag=True),
    "--limit": SlashOption(value="limit", read=_count(1), expects="a number from 1"),
    "-n": SlashOption(value="limit", read=_count(1), expects="a number from 1"),
}
EXPORT: Final[SlashOptions] = {**_SHARED, "--overwrite": SlashOption(value="overwrite", flag=True)}
REVIEW: Final[SlashOptions] = {**_SHARED, "--all": SlashOption(value="every", flag=True)}
LOAD: Final[SlashOptions] = {**_TAGS, "--again": SlashOption(value="again", flag=True)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandArguments:
    """The typed arguments of a command: its text and the values of its options."""

    text: str
    values: dict[str, Any]

    def terminal(self, terminal: Terminal) -> Terminal:
        """The terminal with the options that every command takes, which are taken out of `values`."""
        chosen = copy(terminal)
        if agent := self.values.pop("agent", None):
            chosen = terminal.with_flags(agent, terminal.model, terminal.base_url, terminal.window)
        chosen.json = self.values.pop("json", False)
        return chosen


def read_arguments(command: str, line: str, options: SlashOptions) -> CommandArguments:
    """The text and the options of a line. Raises UsageError for an unknown option, a bad value or an open quote."""
    start = next((m.start() for m in _OPTION.finditer(line) if _is_option(line[m.start() :], options)), len(line))
    text, words = line[:start].strip(), split_words(line[start:])
    if match := _QUOTED.fullmatch(text):
        text = match[2]
    values: dict[str, Any] = {}
    rest: list[str] = []
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            rest.append(word)
            continue
        name, equals, value = word.partition("=")
        option = _known(command, name, options)
        if option.flag:
            values[option.value] = True
            continue
        if not equals and not words:
            raise UsageError(f"{name} needs a value", hint=f"/{command} ... {name} VALUE")
        read = _value(name, value if equals else words.pop(0), option)
        values[option.value] = [*values.get(option.value, []), read] if option.repeatable else read
    return CommandArguments(text=" ".join(filter(None, [text, *rest])), values=values)


def split_words(line: str) -> list[str]:
    """The words of a line as a shell splits it. Raises UsageError for a quotation mark that is not closed."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(
            f"a quotation mark is not closed: {line.strip()}", hint='close it, as in --name "Ana B", or leave it out'
        ) from error


def _is_option(rest: str, options: SlashOptions) -> bool:
    """Whether an option begins here: any long one, or a short one that the command has."""
    return rest.startswith("--") or rest[:2] in options


def _known(command: str, name: str, options: SlashOptions) -> SlashOption:
    if name in options:
        return options[name]
    known: Sequence[str] = [option for option in options if option.startswith("--")]
    raise UsageError(
        f"/{command} has no option {name}{did_you_mean(name, known)}", hint=f"its options: {', '.join(known)}"
    )


def _value(name: str, text: str, option: SlashOption) -> Any:
    try:
        return option.read(text)
    except ValueError as error:
        raise UsageError(f"{name} {text!r} is not valid", hint=f"{name} takes {option.expects}") from error
