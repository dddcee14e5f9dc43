"""The slash commands and the keys."""

from textwrap import wrap
from typing import Final

from memgpt_cli.cli.chat import actions
from memgpt_cli.cli.chat.commands import Chat, SlashCommand

KEYS: Final = (
    ("Alt-Enter", 'a new line; or begin and end with """'),
    ("Ctrl-R", "search the input history; arrow up for earlier input"),
    ("Ctrl-X Ctrl-E", "write in your editor"),
    ("Ctrl-C", "stop the reply and keep the text; twice quits"),
    ("Ctrl-D", "leave"),
)

_NARROW: Final = 24
"""Characters below which a column is too narrow for a text."""


def show_help(chat: Chat, __: str) -> None:
    """The commands and the keys."""
    heads = {f"/{command.name} {command.argument}": command.text for command in COMMANDS.values()}
    width = max(map(len, heads)) + 2
    for head, text in (*heads.items(), ("", ""), *KEYS):
        chat.terminal.say(entry(head, text, column=width, width=chat.terminal.out.width))


def entry(head: str, text: str, *, column: int, width: int) -> str:
    """Return a line of the help, wrapped to `width` characters and indented to `column`; below `head` if narrow."""
    if width - column < _NARROW:
        return "\n".join([head, *wrap(text, max(width, _NARROW), initial_indent="  ", subsequent_indent="  ")])
    lines = wrap(text, width - column) or [""]
    return f"{head:<{column}}" + f"\n{'':<{column}}".join(lines)


_ALL: Final = (
    SlashCommand(name="help", text="these commands and the keys", run=show_help),
    SlashCommand(name="memory", argument="[LABEL]", takes="LABEL", text="show core memory", run=actions.memory),
    SlashCommand(name="edit", argument="LABEL", takes="LABEL", text="edit a block in your editor", run=actions.edit),
    SlashCommand(name="recall", argument="[QUERY]", text="search all messages", run=actions.recall),
    SlashCommand(name="archival", argument="[QUERY]", text="search notes and documents", run=actions.archival),
    SlashCommand(name="facts", argument="[QUERY]", text="search facts, or list the newest", run=actions.facts),
    SlashCommand(name="graph", argument="[ENTITY]", text="show what facts connect", run=actions.graph),
    SlashCommand(
        name="attach", argument="FILE", takes="PATH", text="send a file's text, or a picture", run=actions.attach
    ),
    SlashCommand(
        name="load",
        argument="PATH",
        takes="PATH",
        text="load files and folders into archival storage",
        run=actions.load,
    ),
    SlashCommand(
        name="review",
        argument="[accept|reject ID]",
        text="decide about pending writes to core memory",
        run=actions.review,
    ),
    SlashCommand(name="context", argument="[OPTIONS]", text="what the model sees now, in tokens", run=actions.context),
    SlashCommand(name="why", text="explain the last answer", run=actions.why),
    SlashCommand(name="undo", text="undo the last turn with its changes to memory", run=actions.undo),
    SlashCommand(name="retry", text="ask again, replacing the last answer", run=actions.retry),
    SlashCommand(name="rethink", argument="ADVICE", text="ask again, with advice", run=actions.rethink),
    SlashCommand(
        name="model", argument="[NAME [URL]]", takes="MODEL", text="show or switch the model", run=actions.model
    ),
    SlashCommand(name="agent", argument="[NAME]", takes="AGENT", text="switch to another agent", run=actions.agent),
    SlashCommand(name="new", text="begin a new conversation; memory stays", run=actions.new),
    SlashCommand(
        name="export", argument="[FILE]", takes="PATH", text="export the whole agent to a file", run=actions.export
    ),
    SlashCommand(
        name="save", argument="[FILE]", takes="PATH", text="save this conversation as Markdown", run=actions.save
    ),
    SlashCommand(name="exit", text="quit (also Ctrl-D)", run=actions.leave),
)

COMMANDS: Final = {command.name: command for command in _ALL}
