"""What the slash commands do. What a subcommand can do is done by running the subcommand.

Imports are inside the functions: a chat that is only begun pays for none of them.
"""

from typing import TYPE_CHECKING

from memgpt_cli.cli.chat.commands import Chat
from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from memgpt_cli.domain.history import UndoneTurn


def subcommand(terminal: Terminal, *words: str, argument: str = "") -> None:
    """Run `memgpt WORDS ARGUMENT` in this process, for this agent.

    The argument is one text, spaces and all, up to the first word that begins with `--`; from there on it is options.
    """
    from copy import copy

    import typer

    from memgpt_cli.cli.app import app

    text, dashes, options = argument.partition("--") if argument.startswith("--") else argument.partition(" --")
    given = [*words, *([text.strip()] if text.strip() else []), *(f"--{options}".split() if dashes else [])]
    try:
        app(given, standalone_mode=False, prog_name="memgpt", obj=copy(terminal))
    except typer.exceptions.TyperException as error:
        raise UsageError(error.format_message(), hint=f"memgpt {' '.join(words)} --help") from error


def memory(chat: Chat, label: str) -> None:
    """Core memory."""
    subcommand(chat.terminal, "memory", "show", argument=label)


def edit(chat: Chat, label: str) -> None:
    """A block in the person's editor."""
    if not label:
        raise UsageError("which block?", hint="/edit human; /memory shows them all")
    from memgpt_cli.cli.chat.keyboard import with_echo

    with with_echo():
        subcommand(chat.terminal, "memory", "edit", argument=label)


def recall(chat: Chat, query: str) -> None:
    """Every message ever; the newest when nothing is asked."""
    if query:
        subcommand(chat.terminal, "recall", "search", argument=query)
    else:
        subcommand(chat.terminal, "recall", "list", "--limit", "10")


def archival(chat: Chat, query: str) -> None:
    """Passages; the newest when nothing is asked."""
    if query:
        subcommand(chat.terminal, "archival", "search", argument=query)
    else:
        subcommand(chat.terminal, "archival", "search", "", "--limit", "10")


def review(chat: Chat, argument: str) -> None:
    """What waits for the person, or a decision about it."""
    words = argument.split()
    if not words:
        subcommand(chat.terminal, "review", "list")
    elif words[0] in {"accept", "reject", "show"}:
        subcommand(chat.terminal, "review", *words)
    else:
        raise UsageError(f"/review cannot {words[0]}", hint="/review, /review accept r3, /review reject r3")


def attach(chat: Chat, path: str) -> None:
    """A file as a message; a long one is paged to archival storage as any long message is, a picture is looked at."""
    from memgpt_cli.cli.chat.attachment import read_attachment

    if not path:
        raise UsageError("which file?", hint="/attach FILE [WORDS]")
    chat.answer(read_attachment(chat.session, chat.workspace.reader, path))


def load(chat: Chat, argument: str) -> None:
    """Documents into archival storage; this chat holds the agent's lock already."""
    from memgpt_cli.cli.archival.loading import load_documents, read_wanted

    session = chat.session
    report = load_documents(chat.terminal, chat.workspace, session.store, session.index, read_wanted(argument))
    session.agent.queue_manager.reload()
    chat.status.look(session)
    report.tell(chat.terminal)


def context(chat: Chat, options: str) -> None:
    """The window as it stands."""
    subcommand(chat.terminal, "context", argument=options)


def why(chat: Chat, _: str) -> None:
    """What the last answer came from."""
    from memgpt_cli.cli.chat.why import explain

    explain(chat.terminal, chat.session, chat.workspace.settings.zone)


def undo(chat: Chat, _: str) -> None:
    """Take the last turn back with everything it did to memory."""
    from memgpt_cli.cli.memory.undo import tell_turn

    taken = _take_back(chat)
    with chat.terminal.memory() as memory:
        tell_turn(chat.terminal, taken, memory)


def retry(chat: Chat, _: str) -> None:
    """Ask again: for an answer that did not come, or for another one in its place."""
    from memgpt_cli.domain.events import Resume

    if chat.session.store.turns.open_turns():
        chat.answer(Resume())
    else:
        _ask_again(chat)


def rethink(chat: Chat, advice: str) -> None:
    """Ask again, with what the model should mind beside the message."""
    if not advice:
        raise UsageError("advice is missing", hint="/rethink look further back than last year")
    _ask_again(chat, advice)


def _ask_again(chat: Chat, advice: str = "") -> None:
    from memgpt_cli.domain.events import Attachment, UserMessage
    from memgpt_cli.domain.messages import Role

    said = [message for message in _take_back(chat).messages if message.role is Role.USER]
    if not said:
        raise UsageError("the last turn has no message of yours", hint="type a message")
    attachments = tuple(
        Attachment(name=message.lineage.name or "attachment", text=message.text)
        for message in said
        if message.untrusted and message.lineage is not None
    )
    text = "\n\n".join(message.text for message in said if message.text and not message.untrusted)
    shown = next((found for message in said if (found := chat.session.store.pictures.of_message(message.id))), None)
    chat.terminal.notice("(undid the last answer and what it did to memory; asking again)")
    picture = shown.picture if shown else None
    chat.answer(UserMessage(text=text, name=said[-1].name, picture=picture, advice=advice, attachments=attachments))


def _take_back(chat: Chat) -> "UndoneTurn":
    from memgpt_cli.services.changes import undo_last_turn

    session = chat.session
    taken = undo_last_turn(session.store, at=chat.workspace.clock.now())
    session.agent.queue_manager.reload()
    chat.status.look(session)
    return taken


def model(chat: Chat, argument: str) -> None:
    """Which model answers, or another one from here on."""
    import shlex

    name, _, url = argument.partition(" ")
    url = url.strip()
    if not name:
        chat.terminal.say(chat.status.model)
        return
    chat.reopen(model=name, base_url=url or None)
    words = ["memgpt", "agent", "set", chat.status.agent, "--model", name, *(["--base-url", url] if url else [])]
    chat.terminal.notice(f"{chat.status.model} answers from here on, in this chat; to keep it: {shlex.join(words)}")


def agent(chat: Chat, name: str) -> None:
    """The agents there are, or another one."""
    if not name:
        for known in chat.workspace.agents.names():
            chat.terminal.say(f"{'*' if known == chat.status.agent else ' '} {known}")
        return
    chat.switch_agent(name)


def new(chat: Chat, _: str) -> None:
    """An empty queue: what was said stays in recall storage, core memory stays in view."""
    moved = chat.session.agent.start_afresh()
    chat.status.look(chat.session)
    chat.terminal.notice(f"a new conversation; {moved} messages moved to recall storage, memory stays")


def export(chat: Chat, path: str) -> None:
    """The agent with everything it remembers, in one file that `memgpt agent import` takes."""
    usual = f"{chat.status.agent}.memgpt"
    subcommand(chat.terminal, "agent", "export", argument=f"{usual} {path}" if path.startswith("--") else path or usual)


def save(chat: Chat, path: str) -> None:
    """The conversation as a Markdown file; without a file only where everything is kept."""
    from memgpt_cli.cli.chat.transcript import write_transcript

    if not path:
        folder = chat.workspace.agents.path(chat.status.agent)
        chat.terminal.say(
            f"everything is saved as it is said, in {folder}; /save FILE writes this conversation as Markdown"
        )
        return
    written = write_transcript(chat.session, path, since=chat.began, zone=chat.workspace.settings.zone)
    chat.terminal.say(f"{written} messages written to {path}")


def leave(chat: Chat, _: str) -> None:
    """The end."""
    chat.over = True
