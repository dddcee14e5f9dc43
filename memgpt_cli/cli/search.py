"""`memgpt search`: one question to all that an agent, or every agent, knows: core memory, recall, archival storage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from memgpt_cli.bootstrap import Memory
from memgpt_cli.cli.console import notice, print_json, say
from memgpt_cli.cli.filters import Limit, Since, Until, archival_filters, recall_filters
from memgpt_cli.cli.hits import show_hit
from memgpt_cli.cli.options import current
from memgpt_cli.cli.shapes import why
from memgpt_cli.domain.messages import SPOKEN, Message, message_ref
from memgpt_cli.domain.passages import passage_ref
from memgpt_cli.domain.search import Hit
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import StorageError, UsageError
from memgpt_cli.main_context.core_search import FoundLine, find_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One hit, and the agent that knows it."""

    agent: str
    score: float
    line: FoundLine | None = None
    hit: Hit[Any] | None = None


def search(
    query: Annotated[str, typer.Argument(help="A question or words.")],
    all_agents: Annotated[bool, typer.Option("--all-agents", help="Ask every agent of this machine.")] = False,
    limit: Limit = 10,
    since: Since = None,
    until: Until = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show what made each hit.")] = False,
) -> None:
    """Search everything an agent remembers, best matches first, with the place of each hit.

    Examples:

        memgpt search "where is the spare key"

        memgpt search Lisbon --all-agents
    """
    if not query.strip():
        raise UsageError("there is nothing to search for", hint='memgpt search "where is the spare key"')
    workspace = current.workspace()
    names = workspace.agents.names() if all_agents else [workspace.agent_name]
    found: list[_Found] = []
    notes: list[str] = []
    for name in names:
        try:
            with workspace.memory(name) as memory:
                hits, said = _ask(memory, query, limit, since, until)
                found += hits
                notes += [f"{name}: {note}" if all_agents else note for note in said]
        except StorageError as error:
            if not all_agents:
                raise
            notes.append(f"{name}: {error.message}")
    best = sorted(found, key=lambda hit: -hit.score)[:limit]
    if current.json:
        print_json({"query": query, "agents": names, "hits": [_shape(hit) for hit in best], "notes": notes})
        return
    for hit in best:
        _show(hit, named=all_agents, explain=explain)
    if not best:
        notice("nothing was found")
    if len(found) > len(best):
        notice(f"{len(found) - len(best)} more: --limit {2 * limit}")
    for note in notes:
        notice(f"note: {note}")


def _ask(
    memory: Memory, query: str, limit: int, since: str | None, until: str | None
) -> tuple[list[_Found], Sequence[str]]:
    found = []
    if since is None and until is None:
        found += [
            _Found(agent=memory.name, score=line.score, line=line)
            for line in find_lines(memory.store.blocks.all(), query)[:limit]
        ]
    recall = memory.recall.search(
        query,
        recall_filters(SPOKEN, since=since, until=until),
        page_size=limit,
        query_vector=memory.recall.embed_query(query),
    )
    archival = memory.archival.search(
        query,
        archival_filters(since=since, until=until),
        page_size=limit,
        query_vector=memory.archival.embed_query(query),
    )
    found += [_Found(agent=memory.name, score=hit.score, hit=hit) for hit in recall.hits]
    found += [_Found(agent=memory.name, score=hit.score, hit=hit) for hit in archival.hits]
    return found, tuple(dict.fromkeys((*recall.notes, *archival.notes)))


def _show(found: _Found, *, named: bool, explain: bool) -> None:
    place = f"{found.agent}: " if named else ""
    if found.hit is not None:
        storage = "recall" if isinstance(found.hit.item, Message) else "archival"
        zone = current.workspace().settings.zone
        show_hit(found.hit, zone, ranked=True, explain=explain, place=f"{place}{storage}")
    elif found.line is not None:
        say(f"{place}core memory  {found.line.label}, line {found.line.number}  score {found.score:.2f}", style="bold")
        say(f"  {found.line.text}")


def _shape(found: _Found) -> dict[str, Any]:
    shape: dict[str, Any] = {"agent": found.agent, "score": round(found.score, 4)}
    if found.line is not None:
        line = found.line
        where = {"where": "core", "id": line.label, "line": line.number, "text": line.text}
        return {**shape, **where, "created_at": None, "name": None, "source": None, "why": None}
    if found.hit is None:
        return shape
    item = found.hit.item
    is_message = isinstance(item, Message)
    return {
        **shape,
        "where": "recall" if is_message else "archival",
        "id": message_ref(item.id) if is_message else passage_ref(item.id),
        "line": None,
        "text": item.text,
        "created_at": to_text(item.created_at),
        "name": (item.name or item.role.value) if is_message else None,
        "source": None if is_message else item.source,
        "why": why(found.hit.why),
    }
