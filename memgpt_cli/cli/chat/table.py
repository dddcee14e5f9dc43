"""The slash commands that there are, and the keys.

What they show and change comes from the same code as the subcommands; here is only the way there.
"""

from typing import Final

from memgpt_cli.cli.chat import actions
from memgpt_cli.cli.chat.commands import Chat, SlashCommand

KEYS: Final = (
    ("Alt-Enter", 'a new line; or begin and end with """'),
    ("Ctrl-R", "search what was typed before; the arrow up brings it back"),
    ("Ctrl-X Ctrl-E", "write in your editor"),
    ("Ctrl-C", "stop the reply and keep what came; twice leaves"),
    ("Ctrl-D", "leave"),
)


def show_help(chat: Chat, __: str) -> None:
    """The commands and the keys."""
    heads = {f"/{command.name} {command.argument}": command.text for command in COMMANDS.values()}
    width = max(map(len, heads)) + 2
    for head, text in heads.items():
        chat.terminal.say(f"{head:<{width}}{text}")
    chat.terminal.say("")
    for key, text in KEYS:
        chat.terminal.say(f"{key:<{width}}{text}")


_ALL: Final = (
    SlashCommand(name="help", text="these commands and the keys", run=show_help),
    SlashCommand(name="memory", argument="[LABEL]", takes="LABEL", text="what is always in view", run=actions.memory),
    SlashCommand(
        name="edit", argument="LABEL", takes="LABEL", text="correct a part of it in your editor", run=actions.edit
    ),
    SlashCommand(name="recall", argument="[QUERY]", text="search every message ever", run=actions.recall),
    SlashCommand(name="archival", argument="[QUERY]", text="search notes and documents", run=actions.archival),
    SlashCommand(
        name="attach", argument="FILE", takes="PATH", text="say what a file says, or show a picture", run=actions.attach
    ),
    SlashCommand(
        name="load", argument="PATH", takes="PATH", text="put files and folders into archival storage", run=actions.load
    ),
    SlashCommand(
        name="review",
        argument="[accept|reject ID]",
        text="writes to core memory that wait for you",
        run=actions.review,
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
    SlashCommand(
        name="export", argument="[FILE]", takes="PATH", text="write the whole agent into a file", run=actions.export
    ),
    SlashCommand(
        name="save", argument="[FILE]", takes="PATH", text="write this conversation as Markdown", run=actions.save
    ),
    SlashCommand(name="exit", text="leave (Ctrl-D does too)", run=actions.leave),
)

COMMANDS: Final = {command.name: command for command in _ALL}
