"""Print search hits of any kind."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.domain.times import for_people

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from memgpt_cli.domain.kinds import MemoryItem
    from memgpt_cli.domain.search import Hit, SearchResult, Why

ONLY_WEAK: Final = "only weak matches: no rare word of the query and nothing near in meaning"


def heading(item: MemoryItem, zone: tzinfo) -> str:
    """`m12  2023-05-08 13:56  Caroline`, or `p7  2023-05-08 13:56  notes.md > Travel  #tag`."""
    tags = " ".join(f"#{tag}" for tag in item.tags)
    return "  ".join(part for part in (item.ref, for_people(item.created_at, zone), item.origin, tags) if part)


def show_hits(terminal: Terminal, found: SearchResult[Any], *, explain: bool, what: str) -> None:
    """Print a page of hits, the number of others, and the notes of the search."""
    from memgpt_cli.services.searching import notes_for_people

    for hit in found.hits:
        show_hit(terminal, hit, terms=found.terms, ranked=found.ranked, explain=explain)
    if not found.hits:
        terminal.notice("nothing was found")
    if found.weak:
        terminal.notice(ONLY_WEAK)
    if found.more:
        terminal.notice(
            f"{found.more} more {'candidates' if found.ranked else what}: {terminal.command_for_page(found.page + 1)}"
        )
    for line in notes_for_people(found, what=what):
        terminal.notice(f"note: {line}")


def show_hit(
    terminal: Terminal,
    hit: Hit[Any],
    *,
    terms: Mapping[str, float],
    ranked: bool,
    explain: bool,
    place: str = "",
    agent: str | None = None,
) -> None:
    """Print one hit; of a long text, the part with most of `terms`.

    `place` is its storage if that is not clear, `agent` its agent if the command that shows the whole text must name
    it.
    """
    from memgpt_cli.services.searching import excerpt_for_people

    score = f"  score {hit.score:.2f}" if ranked else ""
    terminal.say("  ".join(part for part in (place, heading(hit.item, terminal.zone)) if part) + score, style="bold")
    part = excerpt_for_people(hit.item, terms)
    terminal.say("  " + part.text.replace("\n", "\n  "))
    if part.cut:
        terminal.say(f"  (about {part.tokens} tokens; whole: {_show_command(hit.item, agent)})", style="dim")
    if explain:
        terminal.say(f"  {_reasons(hit.why)}", style="dim")


def _show_command(item: MemoryItem, agent: str | None) -> str:
    command = f"memgpt {item.kind.place} show {item.ref}"
    return command if agent is None else f"{command} --agent {shlex.quote(agent)}"


def _reasons(why: Why) -> str:
    signals = ", ".join(f"{name} {value:.2f}" for name, value in why.signals.items() if value)
    return f"why: {signals or '-'}; words: {', '.join(why.words) or '-'}; attention {why.attention:.0%}"
