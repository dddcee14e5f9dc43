"""Options that several commands take: dates, roles, speakers, tags, sources and pages as filters, and flags."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.domain.search import ArchivalFilters, RecallFilters
from memgpt_cli.domain.times import span
from memgpt_cli.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memgpt_cli.bootstrap import Memory


def _sources(ctx: typer.Context, incomplete: str) -> list[str]:
    from memgpt_cli.cli.archival.sources import sources_like

    return sources_like(ctx, incomplete)


LARGEST: Final = 1_000_000_000
"""A page and how long it may be: their product must fit into 64 bits."""

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=LARGEST, help="Maximum number shown.")]
Page = Annotated[int, typer.Option("--page", min=0, max=LARGEST, help="The page to show (0-based).")]
Since = Annotated[
    str | None, typer.Option("--since", help="From this date (2024, 2024-03, 2024-03-31).", metavar="DATE")
]
Until = Annotated[str | None, typer.Option("--until", help="Until the end of this date.", metavar="DATE")]
RoleOption = Annotated[list[Role] | None, typer.Option("--role", help="Filter by role (repeatable).")]
Speaker = Annotated[str | None, typer.Option("--name", help="Filter by speaker.", metavar="SPEAKER")]
Tags = Annotated[list[str] | None, typer.Option("--tag", "-t", help="Filter by tag (repeatable).", metavar="TAG")]
Source = Annotated[
    str | None,
    typer.Option(
        "--source",
        help="Filter by source: a path, the end of its name, or a folder.",
        metavar="NAME",
        autocompletion=_sources,
    ),
]
NewTags = Annotated[
    list[str] | None, typer.Option("--tag", "-t", help="A tag for what is stored (repeatable).", metavar="TAG")
]
Only = Annotated[list[str] | None, typer.Option("--only", help="Only this agent (repeatable).", metavar="NAME")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait while another process uses the agent.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done and change nothing.")]


def recall_filters(
    terminal: Terminal,
    roles: tuple[Role, ...],
    *,
    name: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> RecallFilters:
    """Filters on messages. Raises UsageError for an invalid date."""
    start, end = dates(terminal, since, until)
    return RecallFilters(roles=roles, name=name, start=start, end=end)


def archival_filters(
    terminal: Terminal,
    memory: "Memory | None" = None,
    *,
    tags: list[str] | None = None,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> ArchivalFilters:
    """Filters on passages; `memory` holds the tags and the source.

    Raises UsageError for an invalid date, NotFoundError for an unknown tag or source.
    """
    from memgpt_cli.cli.archival.sources import source_named

    start, end = dates(terminal, since, until)
    if memory is not None:
        check_tags(memory, tags or ())
    named = source if source is None or memory is None else source_named(memory, source)
    return ArchivalFilters(tags=tuple(tags or ()), source=named, start=start, end=end)


def check_tags(memory: "Memory", tags: "Sequence[str]") -> None:
    """Raise NotFoundError for a tag that no passage ever had, with the nearest one."""
    for tag in tags:
        if memory.store.passages.page(ArchivalFilters(tags=(tag,)), limit=1):
            continue
        known = memory.forgetting.tags()
        if tag not in known:
            raise NotFoundError(
                f"no passage has the tag {tag!r}{did_you_mean(tag, known)}", hint="memgpt archival list"
            )


def labels(typed: list[str] | None) -> tuple[str, ...]:
    """Tags to put on passages, each once. Raises UsageError for an empty one."""
    found = tuple(dict.fromkeys(tag.strip() for tag in typed or ()))
    if "" in found:
        raise UsageError("a tag cannot be empty", hint="--tag garden; omit --tag for none")
    return found


def dates(terminal: Terminal, since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Both days inclusive, as [start, end) in UTC. Raises UsageError."""
    start = None if since is None else _span(terminal, "--since", since)[0]
    end = None if until is None else _span(terminal, "--until", until)[1]
    if start is not None and end is not None and end <= start:
        raise UsageError(f"--until {until} lies before --since {since}", hint="swap them")
    return start, end


def _span(terminal: Terminal, option: str, text: str) -> tuple[datetime, datetime]:
    try:
        return span(text, terminal.workspace.settings.zone)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text!r} is not a valid date", hint=f"{option} 2024-03-31") from error
