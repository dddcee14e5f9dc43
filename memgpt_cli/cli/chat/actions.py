"""What the slash commands do. They call the same functions as the subcommands of the same name.

Imports are inside the functions: a chat that is only begun pays for none of them.
"""

from typing import TYPE_CHECKING

from memgpt_cli.cli.chat.commands import Chat
from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from memgpt_cli.domain.history import UndoneTurn
    from memgpt_cli.services.loading import LoadRequest


def memory(chat: Chat, argument: str) -> None:
    """Show core memory."""
    from memgpt_cli.cli.chat.arguments import MEMORY, read_arguments
    from memgpt_cli.cli.memory.commands import show_blocks

    given = read_arguments("memory", argument, MEMORY)
    show_blocks(given.terminal(chat.terminal), given.text or None, **given.values)


def edit(chat: Chat, label: str) -> None:
    """Edit a block in the user's editor."""
    if not label:
        raise UsageError("which block?", hint="/edit human; /memory shows them all")
    from memgpt_cli.cli.chat.keyboard import with_echo
    from memgpt_cli.cli.memory.commands import edit_block

    with with_echo():
        edit_block(chat.terminal, label)


def recall(chat: Chat, argument: str) -> None:
    """Search all messages; without a query, list the newest."""
    from memgpt_cli.cli.chat.arguments import RECALL, read_arguments
    from memgpt_cli.cli.recall.commands import list_newest, search_messages

    given = read_arguments("recall", argument, RECALL)
    terminal = given.terminal(chat.terminal)
    if given.text:
        search_messages(terminal, given.text, **given.values)
    else:
        given.values.pop("explain", None)
        list_newest(terminal, **{"limit": 10, **given.values})


def archival(chat: Chat, argument: str) -> None:
    """Search passages; without a query, list the newest."""
    from memgpt_cli.cli.archival.commands import search_passages
    from memgpt_cli.cli.chat.arguments import ARCHIVAL, read_arguments

    given = read_arguments("archival", argument, ARCHIVAL)
    search_passages(given.terminal(chat.terminal), given.text, **given.values)


def facts(chat: Chat, query: str) -> None:
    """Search facts; without a query, list the newest."""
    from memgpt_cli.cli.facts.showing import show_facts
    from memgpt_cli.services.facts import STANDING

    with chat.terminal.memory() as memory:
        if query:
            found = [hit.item for hit in memory.facts.search(query).hits]
        else:
            found, _ = memory.facts.recent(memory.facts.filters(states=STANDING), limit=20)
    show_facts(chat.terminal, found)
    if not found:
        chat.terminal.notice("nothing was found" if query else "there are no facts")


def graph(chat: Chat, name: str) -> None:
    """Show what facts connect, around an entity or as a whole."""
    from memgpt_cli.cli.facts.graph import show_graph

    show_graph(chat.terminal, [name] if name else [])


def review(chat: Chat, argument: str) -> None:
    """List pending writes, or decide about one."""
    from memgpt_cli.cli import review as commands
    from memgpt_cli.cli.chat.arguments import REVIEW, read_arguments

    given = read_arguments("review", argument, REVIEW)
    terminal, every = given.terminal(chat.terminal), given.values.get("every", False)
    match given.text.split():
        case []:
            commands.list_writes(terminal)
        case ["show", ref]:
            commands.show_write(terminal, ref)
        case ["accept", *refs]:
            commands.accept_writes(terminal, refs, every=every)
        case ["reject", *refs]:
            commands.reject_writes(terminal, refs, every=every)
        case _:
            raise UsageError(
                f"/review has no option {given.text}", hint="/review, /review accept r3, /review reject r3"
            )


def attach(chat: Chat, path: str) -> None:
    """Send a file as a message; a long one is paged to archival storage, a picture is described."""
    from memgpt_cli.cli.chat.attachment import read_attachment

    if not path:
        raise UsageError("which file?", hint="/attach FILE [WORDS]")
    chat.answer(read_attachment(chat.session, chat.workspace, path))


def load(chat: Chat, argument: str) -> None:
    """Load documents into archival storage; this chat already holds the agent's lock."""
    from memgpt_cli.cli.archival.loading import run_load, show_report
    from memgpt_cli.services.loading import load_in_session

    session = chat.session
    report = run_load(chat.terminal, load_in_session(chat.workspace, session, _load_request(argument)))
    session.agent.queue_manager.reload()
    chat.status.look(session)
    show_report(chat.terminal, report)


def _load_request(line: str) -> "LoadRequest":
    """Paths, quoted or not, and options; the path of an existing file needs no quotes for its spaces."""
    from pathlib import Path

    from memgpt_cli.cli.chat.arguments import LOAD, read_arguments, split_words
    from memgpt_cli.services.loading import LoadRequest

    if line and Path(line).expanduser().exists():
        return LoadRequest(paths=[line])
    given = read_arguments("load", line, LOAD)
    if not given.text:
        raise UsageError("which files?", hint="/load FILE or FOLDER; --tag TAG labels its passages")
    paths = [given.text] if Path(given.text).expanduser().exists() else split_words(given.text)
    return LoadRequest(paths=paths, tags=given.values.get("tag", ()), again=given.values.get("again", False))


def context(chat: Chat, argument: str) -> None:
    """The window as it stands."""
    from memgpt_cli.cli.chat.arguments import CONTEXT, read_arguments
    from memgpt_cli.cli.context import show_context

    given = read_arguments("context", argument, CONTEXT)
    if given.text:
        raise UsageError(f"/context takes options only, not {given.text!r}", hint="/context --history")
    show_context(given.terminal(chat.terminal), **given.values)


def why(chat: Chat, _: str) -> None:
    """Explain the last answer."""
    from memgpt_cli.cli.chat.why import show_explanation
    from memgpt_cli.services.chatting import explain

    show_explanation(chat.terminal, explain(chat.session))


def undo(chat: Chat, _: str) -> None:
    """Undo the last turn with all its changes to memory."""
    from memgpt_cli.cli.memory.undo import tell_turn

    taken = _take_back(chat)
    with chat.terminal.memory() as memory:
        tell_turn(chat.terminal, taken, memory)


def retry(chat: Chat, _: str) -> None:
    """Ask again: for a missing answer, or for another one."""
    from memgpt_cli.domain.events import Resume
    from memgpt_cli.services.chatting import is_unanswered

    if is_unanswered(chat.session):
        chat.answer(Resume())
    else:
        _ask_again(chat)


def rethink(chat: Chat, advice: str) -> None:
    """Ask again, with advice for the model."""
    if not advice:
        raise UsageError("advice is missing", hint="/rethink look further back than last year")
    _ask_again(chat, advice)


def _ask_again(chat: Chat, advice: str = "") -> None:
    from memgpt_cli.services.chatting import has_turn, question_of

    if not has_turn(chat.session):
        raise UsageError("there is no message to answer again", hint="type a message")
    question = question_of(chat.session, _take_back(chat), advice=advice)
    chat.terminal.notice("(undid the last answer and what it did to memory; asking again)")
    chat.answer(question)


def _take_back(chat: Chat) -> "UndoneTurn":
    from memgpt_cli.services.chatting import undo_turn

    taken = undo_turn(chat.session, chat.workspace.clock)
    chat.status.look(chat.session)
    return taken


def model(chat: Chat, argument: str) -> None:
    """Show which model answers, or switch to another one."""
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
    """List the agents, or switch to another one."""
    if not name:
        for known in chat.workspace.agents.names():
            chat.terminal.say(f"{'*' if known == chat.status.agent else ' '} {known}")
        return
    chat.switch_agent(name)


def new(chat: Chat, _: str) -> None:
    """Empty the queue: messages stay in recall storage, core memory stays in view."""
    moved = chat.session.agent.start_afresh()
    chat.status.look(chat.session)
    chat.terminal.notice(f"a new conversation; {moved} messages moved to recall storage, memory stays")


def export(chat: Chat, argument: str) -> None:
    """Export the whole agent to a file for `memgpt agent import`."""
    from pathlib import Path

    from memgpt_cli.cli.agents.commands import export_agent
    from memgpt_cli.cli.chat.arguments import EXPORT, read_arguments

    given = read_arguments("export", argument, EXPORT)
    terminal = given.terminal(chat.terminal)
    agent = terminal.workspace.agent_name
    export_agent(terminal, agent, Path(given.text or f"{agent}.memgpt"), **given.values)


def save(chat: Chat, path: str) -> None:
    """Save the conversation as a Markdown file; without a file, say where it is stored."""
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
    """Quit."""
    chat.over = True
