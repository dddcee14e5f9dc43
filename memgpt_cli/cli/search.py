"""`memgpt search`: one question to all that an agent, or every agent, knows: core memory, recall, archival storage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from memgpt_cli.bootstrap import Memory
from memgpt_cli.cli.shapes import why
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.filters import Limit, Since, Until, archival_filters, recall_filters
from memgpt_cli.cli.terminal.hits import ONLY_WEAK, show_hit
from memgpt_cli.domain.messages import SPOKEN, Message, message_ref
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.search import ArchivalFilters, Hit, RecallFilters, SearchResult
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import StorageError, UsageError
from memgpt_cli.external_context.display import holds, identifiers, page_for_people
from memgpt_cli.external_context.excerpts import excerpt_for_people
from memgpt_cli.external_context.meaning import notes_for_people
from memgpt_cli.main_context.core_search import FoundLine, find_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One hit, and the agent that knows it."""

    agent: str
    score: float
    line: FoundLine | None = None
    hit: Hit[Any] | None = None
    terms: Mapping[str, float] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What it says, with where it comes from."""
        if self.hit is not None:
            return str(self.hit.item.searchable)
        return self.line.text if self.line is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What one agent knows, and whether all of it matches only weakly."""

    agent: str
    found: Sequence[_Found]
    weak: bool
    notes: Sequence[str]


def search(
    ctx: typer.Context,
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
    terminal = terminal_of(ctx)
    if not query.strip():
        raise UsageError("there is nothing to search for", hint='memgpt search "where is the spare key"')
    workspace = terminal.workspace
    names = workspace.agents.names() if all_agents else [workspace.agent_name]
    answers: list[_Answer] = []
    notes: list[str] = []
    for name in names:
        try:
            with workspace.memory(name) as memory:
                answers.append(_ask(terminal, memory, query, limit, since, until))
        except StorageError as error:
            if not all_agents:
                raise
            notes.append(f"{name}: {error.message}")
    notes += [f"{answer.agent}: {note}" if all_agents else note for answer in answers for note in answer.notes]
    found = _only_exact(query, [found for answer in answers for found in answer.found])
    best = sorted(found, key=lambda hit: -hit.score)[:limit]
    weak = bool(best) and all(answer.weak for answer in answers if answer.found)
    if terminal.json:
        terminal.print_json(
            {"query": query, "agents": names, "hits": [_shape(h) for h in best], "weak": weak, "notes": notes}
        )
        return
    for hit in best:
        _show(terminal, hit, named=all_agents, explain=explain)
    _say_of_all(terminal, found=len(found), shown=len(best), limit=limit, weak=weak, notes=notes)


def _say_of_all(terminal: Terminal, *, found: int, shown: int, limit: int, weak: bool, notes: Sequence[str]) -> None:
    """What a search has to say besides its hits."""
    if not shown:
        terminal.notice("nothing was found")
    if weak:
        terminal.notice(ONLY_WEAK)
    if found > shown:
        terminal.notice(f"{found - shown} more: --limit {2 * limit}")
    for note in notes:
        terminal.notice(f"note: {note}")


def _only_exact(query: str, found: Sequence[_Found]) -> Sequence[_Found]:
    """With one exact identifier in the query only what holds it, wherever it is stored."""
    wanted = identifiers(query)
    held = [hit for hit in found if holds(hit.text, wanted[0])] if len(wanted) == 1 else []
    return held or found


def _ask(terminal: Terminal, memory: Memory, query: str, limit: int, since: str | None, until: str | None) -> _Answer:
    found = []
    if since is None and until is None:
        found += [
            _Found(agent=memory.name, score=line.score, line=line)
            for line in find_lines(memory.store.blocks.all(), query)[:limit]
        ]
    in_core = bool(found)
    recall = _recall(memory, query, limit, recall_filters(terminal, SPOKEN, since=since, until=until))
    archival = _archival(memory, query, limit, archival_filters(terminal, since=since, until=until))
    for result in (recall, archival):
        found += [_Found(agent=memory.name, score=hit.score, hit=hit, terms=result.terms) for hit in result.hits]
    return _Answer(
        agent=memory.name,
        found=found,
        weak=not in_core and all(result.weak for result in (recall, archival) if result.hits),
        notes=tuple(
            dict.fromkeys((*notes_for_people(recall, what="messages"), *notes_for_people(archival, what="passages")))
        ),
    )


def _recall(memory: Memory, query: str, limit: int, filters: RecallFilters) -> SearchResult[Message]:
    vector = memory.recall.embed_query(query)
    return page_for_people(
        lambda page, size: memory.recall.search(query, filters, page=page, page_size=size, query_vector=vector),
        query,
        0,
        limit,
    )


def _archival(memory: Memory, query: str, limit: int, filters: ArchivalFilters) -> SearchResult[Passage]:
    vector = memory.archival.embed_query(query)
    return page_for_people(
        lambda page, size: memory.archival.search(query, filters, page=page, page_size=size, query_vector=vector),
        query,
        0,
        limit,
    )


def _show(terminal: Terminal, found: _Found, *, named: bool, explain: bool) -> None:
    place = f"{found.agent}: " if named else ""
    if found.hit is not None:
        storage = "recall" if isinstance(found.hit.item, Message) else "archival"
        zone = terminal.workspace.settings.zone
        show_hit(
            terminal,
            found.hit,
            zone,
            terms=found.terms,
            ranked=True,
            explain=explain,
            place=f"{place}{storage}",
            agent=found.agent if named else None,
        )
    elif found.line is not None:
        terminal.say(
            f"{place}core memory  {found.line.label}, line {found.line.number}  score {found.score:.2f}", style="bold"
        )
        terminal.say(f"  {found.line.text}")


def _shape(found: _Found) -> dict[str, Any]:
    shape: dict[str, Any] = {"agent": found.agent, "score": round(found.score, 4)}
    if found.line is not None:
        line = found.line
        where = {"where": "core", "id": line.label, "line": line.number, "text": line.text, "excerpt": line.text}
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
        "excerpt": excerpt_for_people(item, found.terms).text,
        "created_at": to_text(item.created_at),
        "name": (item.name or item.role.value) if is_message else None,
        "source": None if is_message else item.source,
        "why": why(found.hit.why),
    }
