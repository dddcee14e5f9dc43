"""`memgpt archival load` and `reindex`: load documents, and rebuild their vectors."""

from typing import TYPE_CHECKING, Annotated

import typer

from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import NewTags, Wait
from memgpt_cli.cli.terminal.progress import bar
from memgpt_cli.domain.documents import LoadOutcome
from memgpt_cli.errors import APIKeyError, ModelError, StorageError, UsageError
from memgpt_cli.services.filters import new_tags
from memgpt_cli.services.wording import counted

if TYPE_CHECKING:
    from memgpt_cli.services.reindexing import Reindexed


def load(
    ctx: typer.Context,
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders, patterns; - is standard input.", metavar="PATH...|-")
    ],
    tag: NewTags = None,
    name: Annotated[
        str | None, typer.Option("--name", help="A name for standard input, such as page.html.", metavar="NAME")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Reload unchanged files and split them again.")] = False,
    wait: Wait = False,
) -> None:
    """Load documents: text, Markdown, HTML, PDF, DOCX, EPUB, tables, JSON, notebooks, source code.

    Unchanged files add nothing, so an interrupted load continues when you start it again. Unreadable files are listed
    and skipped; the exit code is then 1.

    Examples:

        memgpt archival load ~/notes report.pdf

        memgpt archival load "papers/*.pdf" --tag papers

        curl -s https://example.com | memgpt archival load - --name example.html
    """
    terminal = terminal_of(ctx)
    from memgpt_cli.cli.archival.loading import run_load, show_report
    from memgpt_cli.services.loading import LoadRequest, load_shape, open_load

    request = LoadRequest(paths=paths, tags=new_tags(tag), name=name, again=again)
    with open_load(terminal.workspace, request, wait=wait) as load:
        report = run_load(terminal, load)
    terminal.show(lambda: load_shape(report), lambda: show_report(terminal, report))
    if report.of(LoadOutcome.SKIPPED):
        raise typer.Exit(1)


def reindex(
    ctx: typer.Context,
    embedder: Annotated[
        str | None,
        typer.Option(
            "--embedder",
            help="Embed everything again with: static, multilingual, minilm, minilm/MODEL, openai/MODEL.",
            metavar="EMBEDDER",
        ),
    ] = None,
    save: Annotated[bool, typer.Option("--save", help="Also set it as the embedder in your settings.")] = False,
    wait: Wait = False,
) -> None:
    """Rebuild the vector index from the stored vectors, or with --embedder from the texts.

    It may be interrupted at any point; the same command continues. Vectors belong to one agent, the embedder setting
    applies to all agents: run the command for each agent.

    Examples:

        memgpt archival reindex

        memgpt archival reindex --embedder openai/text-embedding-3-small --save
    """
    terminal = terminal_of(ctx)
    if save and embedder is None:
        raise UsageError(
            "--save needs an embedder", hint="memgpt archival reindex --embedder openai/text-embedding-3-small --save"
        )
    from memgpt_cli.services import reindexing

    done = _reindex(terminal, embedder, wait=wait)
    if save and embedder is not None:
        reindexing.save_embedder(terminal.workspace, embedder)
        terminal.reload()
    commands = reindexing.commands_to_agree(terminal.workspace, embedder)
    terminal.show(
        lambda: reindexing.reindexed_shape(done, settings_agree=not commands), lambda: _show_vectors(terminal, done)
    )
    if commands:
        terminal.notice(
            "the settings name another embedder, which this agent now refuses; to make them agree:", style=None
        )
    for command in commands:
        terminal.notice(f"  {command}", style=None)
    if (identity := done.status.identity) is None:
        return
    for name, theirs in reindexing.agents_with_other_vectors(terminal.workspace, done):
        command = f"memgpt archival reindex --embedder {identity.provider}/{identity.model} -a {name}"
        terminal.notice(f"agent {name} has vectors of {theirs}: {command}")


def _reindex(terminal: Terminal, embedder: str | None, *, wait: bool) -> "Reindexed":
    from memgpt_cli.services.reindexing import reindex as build

    try:
        with bar(terminal) as shown:
            return build(
                terminal.workspace,
                embedder,
                wait=wait,
                progress=lambda stage, at, total: shown.show(
                    "embedding" if stage == "embed" else "indexing", at, total, unit="passages"
                ),
            )
    except (ModelError, APIKeyError, StorageError, KeyboardInterrupt):
        terminal.notice("finished work is kept; the same command continues")
        raise


def _show_vectors(terminal: Terminal, done: "Reindexed") -> None:
    status = done.status
    if status.identity is None:
        terminal.say("there are no vectors, and none are missing")
    else:
        vectors = counted(sum(status.vectors.values()), "vector")
        terminal.say(f"{vectors} of {status.identity}, {done.made} of them made now")
