"""`memgpt recall import|export`: conversations from other programs, and recall storage as JSON lines."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from memgpt_cli.bootstrap import Memory, Workspace
from memgpt_cli.cli.archival.loading import check_budget
from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import DryRun, Overwrite, RoleOption, Since, Speaker, Until
from memgpt_cli.cli.terminal.progress import bar
from memgpt_cli.domain.conversations import ImportProgress, Unreadable
from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.messages import SPOKEN
from memgpt_cli.domain.times import for_people, to_text
from memgpt_cli.errors import AgentBusyError, MemGPTError
from memgpt_cli.services.wording import counted

_FAULTS_SHOWN = 10

_NO_VECTORS = (
    "words alone find what has no vector yet; the same command without --no-vectors makes them, and so does a chat"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Embedded:
    """What the vectors came to. `usd` is None where the price is not known."""

    vectors: int = 0
    tokens: int = 0
    usd: float | None = 0.0


def import_file(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON lines, or an export of ChatGPT or Claude, zipped or not; - is standard input.", metavar="FILE|-"
        ),
    ],
    dry_run: DryRun = False,
    vectors: Annotated[
        bool, typer.Option("--vectors/--no-vectors", help="Also make the vectors, after the texts.")
    ] = True,
) -> None:
    """Import conversations into recall storage. What is there already is not stored again, so a stop costs nothing.

    JSON lines have role and content, and maybe name, created_at, session, id. Of ChatGPT and Claude take the export
    file as it comes. All of it is one operation: memgpt undo takes it back. What cannot be read is named, and the exit
    code is 1.

    Examples:

        memgpt recall import conversations.json --dry-run

        memgpt recall import history.jsonl
    """
    terminal = terminal_of(ctx)
    workspace = terminal.workspace
    workspace.new_agents.ensure(workspace.agent_name)
    faults: list[Unreadable] = []
    with workspace.memory() as memory:
        done = _import(terminal, workspace, memory, file, faults, dry_run=dry_run)
        waiting = memory.index.pending(Collection.MESSAGES)
    if not terminal.json:
        _tell(terminal, workspace, done, faults, dry_run=dry_run)
    embedded = _Embedded()
    if waiting and not dry_run:
        if vectors:
            embedded = _embed(terminal, workspace)
        else:
            terminal.notice(_NO_VECTORS)
    if terminal.json:
        terminal.print_json(_shape(done, faults, embedded, dry_run=dry_run))
    if faults:
        raise typer.Exit(1)


def _import(
    terminal: Terminal, workspace: Workspace, memory: Memory, file: Path, faults: list[Unreadable], *, dry_run: bool
) -> ImportProgress:
    """Bring in what can be read, and gather what cannot."""
    from memgpt_cli.external_context.importing import Importer

    source, done = workspace.conversations(file), ImportProgress()
    steps = Importer(memory.store, workspace.clock).run(source, dry_run=dry_run, source=str(file.absolute()))
    try:
        with bar(terminal) as shown:
            for done, unreadable in steps:
                faults += unreadable
                what = "reading" if dry_run else "importing"
                shown.show(what, source.done, source.total, unit="bytes", beside=f"{done.read:,} messages")
    except BaseException:
        if done.new and not dry_run:
            terminal.notice(f"{counted(done.new, 'message')} imported so far; the same command goes on from there")
        raise
    if done.new and not dry_run:
        memory.store.lexical.refresh()
    return done


def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write; - is standard output.", metavar="FILE|-")],
    role: RoleOption = None,
    name: Speaker = None,
    since: Since = None,
    until: Until = None,
    overwrite: Overwrite = False,
) -> None:
    """Write messages as JSON lines, oldest first: what was said, or with --role other messages too.

    Importing it into the same agent adds nothing; into another, it brings the messages there.

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


def _embed(terminal: Terminal, workspace: Workspace) -> _Embedded:
    """The vectors, as a step of their own; without the agent's lock they are left to whoever holds it."""
    bill = workspace.embedders.bill(workspace.embedders.name()[1])
    before = bill.tokens
    try:
        with workspace.held_memory(purpose="memgpt recall import") as memory, bar(terminal) as shown:
            memory.check_embedder()

            def step(stage: str, done: int, total: int) -> None:
                shown.show("embedding" if stage == "embed" else "indexing", done, total, unit="messages")
                check_budget(workspace)

            made = memory.index.settle(progress=step)
    except AgentBusyError:
        terminal.notice(
            "the agent is in use and makes the vectors itself; until then search finds these messages by words only"
        )
        return _Embedded()
    except (KeyboardInterrupt, MemGPTError):
        terminal.notice(f"stopped; {_NO_VECTORS}")
        raise
    tokens = bill.tokens - before
    done = _Embedded(vectors=made, tokens=tokens, usd=bill.price(tokens))
    cost = (
        "" if not tokens else f"; {tokens:,} tokens embedded" + ("" if done.usd is None else f" for {done.usd:.4f} USD")
    )
    terminal.notice(f"made {counted(made, 'vector')}{cost}")
    return done


@contextmanager
def _written(terminal: Terminal, path: Path, *, overwrite: bool) -> Iterator[IO[str]]:
    if str(path) == "-":
        yield sys.stdout
    else:
        with terminal.workspace.new_text_file(path, overwrite=overwrite) as target:
            yield target


def _tell(
    terminal: Terminal, workspace: Workspace, done: ImportProgress, faults: list[Unreadable], *, dry_run: bool
) -> None:
    for fault in faults[:_FAULTS_SHOWN]:
        terminal.notice(plain(f"{fault.place}: {fault.reason}"), style="red")
    if len(faults) > _FAULTS_SHOWN:
        terminal.notice(f"and {len(faults) - _FAULTS_SHOWN} more that cannot be read; --json lists all")
    verb = "would import" if dry_run else "imported"
    parts = [f"{verb} {counted(done.new, 'message')}"]
    if done.sessions:
        parts.append(f"of {counted(done.sessions, 'conversation')}")
    if done.first and done.last:
        zone = workspace.settings.zone
        parts.append(f"from {for_people(done.first, zone)} to {for_people(done.last, zone)}")
    terminal.say(" ".join(parts) + (f"; {done.known} are there already" if done.known else ""))
    if done.speakers:
        terminal.notice(f"speakers: {', '.join(done.speakers[:20])}")
    if done.new and not dry_run:
        terminal.notice("memgpt undo undoes the import")
    if done.wishes and not dry_run:
        terminal.notice(
            'some messages read like standing wishes ("always ..."); to add them to core memory: memgpt memory suggest'
        )


def _shape(done: ImportProgress, faults: list[Unreadable], embedded: _Embedded, *, dry_run: bool) -> dict[str, Any]:
    return {
        "imported": not dry_run,
        "new": done.new,
        "known": done.known,
        "faulty": [{"place": fault.place, "reason": fault.reason} for fault in faults],
        "sessions": done.sessions,
        "speakers": list(done.speakers),
        "first": to_text(done.first) if done.first else None,
        "last": to_text(done.last) if done.last else None,
        "standing_wishes": done.wishes,
        "embedded": embedded.vectors,
        "embedding_tokens": embedded.tokens,
        "cost_usd": None if embedded.usd is None else round(embedded.usd, 8),
    }
