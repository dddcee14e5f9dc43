"""Search hits on a terminal, of whatever kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memgpt_cli.cli.console import notice, say
from memgpt_cli.domain.messages import Message, message_ref
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.times import for_people

if TYPE_CHECKING:
    from datetime import tzinfo

    from memgpt_cli.domain.search import Hit, SearchResult, Why


def heading(item: Message | Passage, zone: tzinfo) -> str:
    """`m12  2023-05-08 13:56  Caroline`, or `p7  2023-05-08 13:56  notes.md > Travel  #tag`."""
    time = for_people(item.created_at, zone)
    if isinstance(item, Message):
        return f"{message_ref(item.id)}  {time}  {item.name or item.role.value}"
    origin = " > ".join(part for part in (item.source, item.location) if part)
    tags = " ".join(f"#{tag}" for tag in item.tags)
    return "  ".join(part for part in (passage_ref(item.id), time, origin, tags) if part)


def show_hits(found: SearchResult[Any], zone: tzinfo, *, explain: bool, what: str) -> None:
    """A page of hits, what is left, and what the search has to say of itself."""
    for hit in found.hits:
        show_hit(hit, zone, ranked=found.ranked, explain=explain)
    if not found.hits:
        notice("nothing was found")
    if found.weak:
        notice("only weak matches: no rare word of the query and nothing near in meaning")
    if found.more:
        notice(f"{found.more} more {'candidates' if found.ranked else what}: --page {found.page + 1}")
    for line in found.notes:
        notice(f"note: {line}")


def show_hit(hit: Hit[Any], zone: tzinfo, *, ranked: bool, explain: bool, place: str = "") -> None:
    """One hit; `place` says where it lives when that is not plain."""
    score = f"  score {hit.score:.2f}" if ranked else ""
    say("  ".join(part for part in (place, heading(hit.item, zone)) if part) + score, style="bold")
    say("  " + hit.item.text.replace("\n", "\n  "))
    if explain:
        say(f"  {_reasons(hit.why)}", style="dim")


def _reasons(why: Why) -> str:
    signals = ", ".join(f"{name} {value:.2f}" for name, value in why.signals.items() if value)
    return f"why: {signals or '-'}; words: {', '.join(why.words) or '-'}; attention {why.attention:.0%}"
