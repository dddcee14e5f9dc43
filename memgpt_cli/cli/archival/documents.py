"""`memgpt archival load` and `reindex`: documents into archival storage, and the vectors that find them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import NewTags, Wait
from memgpt_cli.cli.terminal.progress import Bar, bar
from memgpt_cli.domain.documents import LoadOutcome
from memgpt_cli.errors import MemGPTError, UsageError
from memgpt_cli.services.filters import new_tags
from memgpt_cli.services.wording import counted

if TYPE_CHECKING:
    from memgpt_cli.domain.vectors import EmbedderIdentity, IndexStatus
    from memgpt_cli.services.workspaces import Workspace


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

    What has not changed adds nothing, so a load that was cut off goes on when it is started again. Files that cannot be
    read are named and skipped, and the exit code is then 1.

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
    save: Annotated[bool, typer.Option("--save", help="Set it as the embedder in your settings, too.")] = False,
    wait: Wait = False,
) -> None:
    """Build the vector index anew from the stored vectors, or with --embedder from the texts.

    It may be stopped at any point; the same command goes on. Vectors belong to an agent, the embedder in the settings
    to all of them: each agent is changed over by its own command.

    Examples:

        memgpt archival reindex

        memgpt archival reindex --embedder openai/text-embedding-3-small --save
    """
    terminal = terminal_of(ctx)
    if save and embedder is None:
        raise UsageError(
            "--save needs an embedder", hint="memgpt archival reindex --embedder openai/text-embedding-3-small --save"
        )
    workspace = terminal.workspace
    chosen = workspace.embedders.name(embedder)
    new = None if embedder is None else workspace.embedders.called(*chosen)
    bill = workspace.embedders.bill(chosen[1])
    with workspace.held_memory(purpose="memgpt archival reindex", wait=wait) as memory:
        if new is None:
            memory.check_embedder()
        try:
            with bar(terminal) as shown:
                done = memory.index.reindex(new, progress=_progress_on(shown))
        except (MemGPTError, KeyboardInterrupt):
            terminal.notice("what was done is kept; the same command continues")
            raise
        status = memory.index.status()
    if save:
        _save(workspace, chosen)
        terminal.reload()
        workspace = terminal.workspace
    agrees = workspace.embedders.name() == chosen
    if terminal.json:
        money = {"embedding_tokens": bill.tokens, "cost_usd": bill.price(bill.tokens)}
        terminal.print_json({"agent": memory.name, **_shape(status, done), **money, "settings_agree": agrees})
    elif status.identity is None:
        terminal.say("there are no vectors, and none are missing")
    else:
        terminal.say(f"{counted(sum(status.vectors.values()), 'vector')} of {status.identity}, {done} of them made now")
    if not agrees:
        _advise(terminal, workspace, chosen)
    _name_others(terminal, workspace, memory.name, status.identity)


def _progress_on(shown: Bar) -> Callable[[str, int, int], None]:
    def show(stage: str, at: int, total: int) -> None:
        shown.show("embedding" if stage == "embed" else "indexing", at, total, unit="passages")

    return show


def _shape(status: "IndexStatus", done: int) -> dict[str, Any]:
    return {
        "embedder": None if status.identity is None else str(status.identity),
        "embedded": done,
        "vectors": {str(collection): count for collection, count in status.vectors.items()},
    }


def _save(workspace: "Workspace", chosen: tuple[str, str]) -> None:
    provider, model = chosen
    file = workspace.settings_file
    file.set("embedder.provider", provider)
    if provider in {"static", "multilingual"}:
        file.unset("embedder.model")
    else:
        file.set("embedder.model", model)


def _advise(terminal: Terminal, workspace: "Workspace", chosen: tuple[str, str]) -> None:
    """The settings still name another embedder, which the next start would refuse."""
    provider, model = chosen
    wanted = {"embedder.provider": provider, **({} if provider == "static" else {"embedder.model": model})}
    terminal.notice("the settings name another embedder, which this agent now refuses; to make them agree:", style=None)
    for key, value in wanted.items():
        setting = workspace.configuration[key]
        if setting.value == value:
            continue
        if setting.source.value == "environment":
            terminal.notice(f"  export {setting.where}={value}", style=None)
        else:
            terminal.notice(f"  memgpt config set {key} {value}", style=None)


def _name_others(terminal: Terminal, workspace: "Workspace", name: str, identity: "EmbedderIdentity | None") -> None:
    """Agents whose vectors are of another embedder than this one's now."""
    for other in workspace.agents.names():
        theirs = workspace.agents.summary(other).embedder
        if other != name and None not in (theirs, identity) and theirs != identity and identity is not None:
            terminal.notice(
                f"agent {other} has vectors of {theirs}:"
                f" memgpt archival reindex --embedder {identity.provider}/{identity.model} -a {other}"
            )
