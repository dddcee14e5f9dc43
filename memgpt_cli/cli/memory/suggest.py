"""`memgpt memory suggest`: find standing wishes in messages and add them to a block."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from memgpt_cli.cli.memory.history import labels
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Yes
from memgpt_cli.cli.terminal.progress import bar
from memgpt_cli.domain.messages import message_ref
from memgpt_cli.domain.times import for_people, to_text
from memgpt_cli.errors import UsageError
from memgpt_cli.services.standing_wishes import BLOCK, Suggestion
from memgpt_cli.services.wording import counted

_PART: Final = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


def suggest(
    ctx: typer.Context,
    block: Annotated[
        str, typer.Option("--block", help="The block that the lines are added to.", autocompletion=labels)
    ] = BLOCK,
    select: Annotated[
        str | None, typer.Option("--select", help="Add only these, by their numbers: 1,3-5.", metavar="NUMBERS")
    ] = None,
    yes: Yes = False,
) -> None:
    """Find standing wishes ("always ... when I ask about ...") in messages, and add them to a block.

    Each is shown with its message before anything is written. On a terminal the command asks which to add; otherwise
    --yes adds all of them and --select some. All added lines are one operation: memgpt undo removes them.

    Examples:

        memgpt memory suggest

        memgpt memory suggest --select 1,3-5
    """
    terminal = terminal_of(ctx)
    with terminal.memory() as memory:
        label = memory.blocks.get(block).label
        with bar(terminal) as shown:
            found = memory.wishes.find(progress=lambda done, of: shown.show("reading", done, of, unit="messages"))
        chosen = _chosen(found, select) if select is not None else found if yes else []
        if not terminal.json:
            _show(terminal, found)
            if found and select is None and not yes:
                chosen = _ask(terminal, found, label)
        written = memory.wishes.write(label, chosen) if chosen else None
    if terminal.json:
        terminal.print_json(_shape(label, found, chosen))
    elif written is not None:
        terminal.say(
            f"added {counted(len(chosen), 'line')} to {label} ({len(written.value)}/{written.limit} characters)"
        )
        terminal.notice("memgpt undo removes them")


def _show(terminal: Terminal, found: Sequence[Suggestion]) -> None:
    if not found:
        terminal.notice("no standing wishes were found that are not in a block already")
    zone = terminal.workspace.settings.zone
    for number, one in enumerate(found, 1):
        said = one.message
        name = f"{said.name}, " if said.name else ""
        terminal.say(f"{number}  {one.text}")
        terminal.say(f"   {name}{message_ref(said.id)}, {for_people(said.created_at, zone)}", style="dim")


def _ask(terminal: Terminal, found: list[Suggestion], label: str) -> list[Suggestion]:
    """Return the selected ones; none without a terminal."""
    if not sys.stdin.isatty():
        terminal.notice("nothing was written; --yes adds all of them, --select 1,3 some")
        return []
    while True:
        question = f"add to {label}? [y]es all, [N]o, or numbers such as 1,3-5: "
        terminal.err.print(plain(question), end="")
        answer = sys.stdin.readline().strip().lower()
        if answer in {"", "n", "no"}:
            terminal.notice("nothing was written")
            return []
        if answer in {"y", "yes"}:
            return found
        try:
            return _chosen(found, answer)
        except UsageError as error:
            terminal.notice(error.message)


def _chosen(found: Sequence[Suggestion], typed: str) -> list[Suggestion]:
    """The selected ones, in their order. Raises UsageError for what selects none of them."""
    numbers: set[int] = set()
    for part in typed.replace(",", " ").split():
        match = _PART.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not 1 <= first <= last <= len(found):
            there = f"there are {len(found)}" if found else "there are no suggestions"
            raise UsageError(f"{part!r} does not select a suggestion; {there}", hint="memgpt memory suggest")
        numbers |= set(range(first, last + 1))
    if not numbers:
        raise UsageError("no numbers are given", hint="memgpt memory suggest --select 1,3-5")
    return [one for number, one in enumerate(found, 1) if number in numbers]


def _shape(label: str, found: Sequence[Suggestion], chosen: Sequence[Suggestion]) -> dict[str, Any]:
    suggestions = [
        {
            "number": number,
            "text": one.text,
            "line": one.line,
            "message": message_ref(one.message.id),
            "name": one.message.name,
            "said_at": to_text(one.message.created_at),
            "written": one in chosen,
        }
        for number, one in enumerate(found, 1)
    ]
    return {"block": label, "written": len(chosen), "suggestions": suggestions}
