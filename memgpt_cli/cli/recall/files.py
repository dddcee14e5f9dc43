"""`memgpt recall import|export`: conversations from other programs, and recall storage as JSON lines."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import DryRun, Overwrite, RoleOption, Since, Speaker, Until
from memgpt_cli.cli.terminal.progress import bar
from memgpt_cli.domain.conversations import ImportProgress, Unreadable
from memgpt_cli.domain.messages import SPOKEN
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import AgentBusyError, MemGPTError
from memgpt_cli.services.importing import ConversationImport, MadeVectors, import_shape, make_vectors, open_import
from memgpt_cli.services.wording import counted

_FAULTS_SHOWN = 10

_NO_VECTORS = "messages without vectors are found by words only; the same command without --no-vectors makes them"


def import_file(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON lines, or an export of ChatGPT or Claude, zipped or not; - is standard input.", metavar="FILE|-"
        ),
    ],
    dry_run: DryRun = False,
    vectors: Annotated[bool, typer.Option("--vectors/--no-vectors", help="Also make vectors after the texts.")] = True,
) -> None:
    """Import conversations into recall storage. Known messages are skipped, so an interrupted import can be repeated.

    JSON lines have role and content, and optionally name, created_at, session, id. Export files of ChatGPT and Claude
    are read as downloaded. The import is one operation for memgpt undo. Unreadable parts are listed, and the exit code
    is 1.

    Examples:

        memgpt recall import conversations.json --dry-run

        memgpt recall import history.jsonl
    """
    terminal = terminal_of(ctx)
    with open_import(terminal.workspace, file, dry_run=dry_run) as load:
        done = _import(terminal, load, dry_run=dry_run)
        waiting = load.waiting
    if not terminal.json:
        _tell(terminal, done, load.faults, dry_run=dry_run)
    made = MadeVectors()
    if waiting and not dry_run:
        if vectors:
            made = _make_vectors(terminal)
        else:
            terminal.notice(_NO_VECTORS)
    if terminal.json:
        terminal.print_json(import_shape(done, load.faults, made, dry_run=dry_run))
    if load.faults:
        raise typer.Exit(1)


def _import(terminal: Terminal, load: ConversationImport, *, dry_run: bool) -> ImportProgress:
    """Run an import. Interrupted it says what was stored, and raises."""
    what = "reading" if dry_run else "importing"
    try:
        with bar(terminal) as shown:
            return load.run(
                lambda done, total, progress: shown.show(
                    what, done, total, unit="bytes", beside=f"{progress.read:,} messages"
                )
            )
    except BaseException:
        if load.progress.new and not dry_run:
            stored = counted(load.progress.new, "message")
            terminal.notice(f"{stored} imported so far; the same command continues")
        raise


def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write; - is standard output.", metavar="FILE|-")],
    role: RoleOption = None,
    name: Speaker = None,
    since: Since = None,
    until: Until = None,
    overwrite: Overwrite = False,
) -> None:
    """Write messages as JSON lines, oldest first: user and assistant messages, or with --role others too.

    Importing the file into the same agent adds nothing; another agent gets its messages.

    Examples:

        memgpt recall export history.jsonl

        memgpt recall export - --since 2024-03-01 | jq .content
    """
    terminal = terminal_of(ctx)
    count = 0
    with terminal.memory() as memory, _written(terminal, file, overwrite=overwrite) as target:
        filters = memory.messages.filters(role or SPOKEN, name=name, since=since, until=until)
        for line in memory.messages.export(filters):
            target.write(line + "\n")
            count += 1
    if terminal.json and str(file) != "-":
        terminal.print_json({"file": str(file), "messages": count})
    elif str(file) != "-":
        terminal.say(f"wrote {counted(count, 'message')} to {file}")


def _make_vectors(terminal: Terminal) -> MadeVectors:
    """Make vectors in a separate step; without the agent's lock, they are left to the process that holds it."""
    try:
        with bar(terminal) as shown:
            made = make_vectors(
                terminal.workspace,
                progress=lambda stage, done, total: shown.show(
                    "embedding" if stage == "embed" else "indexing", done, total, unit="messages"
                ),
            )
    except AgentBusyError:
        terminal.notice(
            "the agent is in use and makes the vectors itself; until then search finds these messages by words only"
        )
        return MadeVectors()
    except (KeyboardInterrupt, MemGPTError):
        terminal.notice(f"stopped; {_NO_VECTORS}")
        raise
    price = "" if made.usd is None else f" for {made.usd:.4f} USD"
    cost = f"; {made.tokens:,} tokens embedded{price}" if made.tokens else ""
    terminal.notice(f"made {counted(made.vectors, 'vector')}{cost}")
    return made


@contextmanager
def _written(terminal: Terminal, path: Path, *, overwrite: bool) -> Iterator[IO[str]]:
    if str(path) == "-":
        yield sys.stdout
    else:
        with terminal.workspace.new_text_file(path, overwrite=overwrite) as target:
            yield target


def _tell(terminal: Terminal, done: ImportProgress, faults: list[Unreadable], *, dry_run: bool) -> None:
    for fault in faults[:_FAULTS_SHOWN]:
        terminal.notice(plain(f"{fault.place}: {fault.reason}"), style="red")
    if len(faults) > _FAULTS_SHOWN:
        terminal.notice(f"and {len(faults) - _FAULTS_SHOWN} more that cannot be read; --json lists all")
    verb = "would import" if dry_run else "imported"
    parts = [f"{verb} {counted(done.new, 'message')}"]
    if done.new and done.sessions:
        parts.append(f"of {counted(done.sessions, 'conversation')}")
    if done.new and done.first and done.last:
        parts.append(f"from {for_people(done.first, terminal.zone)} to {for_people(done.last, terminal.zone)}")
    known = f"; {done.known} {'is' if done.known == 1 else 'are'} already stored" if done.known else ""
    terminal.say(" ".join(parts) + known)
    if done.speakers:
        terminal.notice(f"speakers: {', '.join(done.speakers[:20])}")
    if done.new and not dry_run:
        terminal.notice("memgpt undo undoes the import")
    if done.wishes and not dry_run:
        terminal.notice(
            'some messages read like standing wishes ("always ..."); to add them to core memory: memgpt memory suggest'
        )
