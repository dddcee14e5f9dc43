"""`memgpt search`: search core memory, recall and archival storage of one agent or of all agents."""

from typing import Annotated

import typer

from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Limit, Since, Until
from memgpt_cli.cli.terminal.hits import ONLY_WEAK, show_hit
from memgpt_cli.services.searching import MemoryHit, MemoryHits, hits_shape, search_agents


def search(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="A question or words.")],
    all_agents: Annotated[bool, typer.Option("--all-agents", help="Search all agents of this machine.")] = False,
    limit: Limit = 10,
    since: Since = None,
    until: Until = None,
    explain: Annotated[bool, typer.Option("--explain", help="Explain the score of each hit.")] = False,
) -> None:
    """Search everything an agent remembers, best matches first, with the place of each hit.

    Examples:

        memgpt search "where is the spare key"

        memgpt search Lisbon --all-agents
    """
    terminal = terminal_of(ctx)
    if all_agents:
        found = search_agents(terminal.workspace, query, limit=limit, since=since, until=until)
    else:
        with terminal.memory() as memory:
            found = memory.search.everything(query, limit=limit, since=since, until=until)

    def text() -> None:
        for hit in found.hits:
            _show(terminal, hit, named=all_agents, explain=explain)
        _tell(terminal, found, limit)

    terminal.show(lambda: hits_shape(found), text)


def _tell(terminal: Terminal, found: MemoryHits, limit: int) -> None:
    """Print the notes of a search."""
    if not found.hits:
        terminal.notice("nothing was found")
    if found.weak:
        terminal.notice(ONLY_WEAK)
    if found.more:
        terminal.notice(f"{found.more} more: --limit {2 * limit}")
    for note in found.notes:
        terminal.notice(f"note: {note}")


def _show(terminal: Terminal, found: MemoryHit, *, named: bool, explain: bool) -> None:
    agent = f"{found.agent}: " if named else ""
    if found.hit is not None:
        show_hit(
            terminal,
            found.hit,
            terms=found.terms,
            ranked=True,
            explain=explain,
            place=f"{agent}{found.storage}",
            agent=found.agent if named else None,
        )
    elif found.line is not None:
        place = f"{agent}core memory  {found.line.label}, line {found.line.number}"
        terminal.say(f"{place}  score {found.line.score:.2f}", style="bold")
        terminal.say(f"  {found.line.text}")
