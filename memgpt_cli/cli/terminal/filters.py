"""Options of several commands: dates, roles, speakers, tags, sources and pages as filters, and flags."""

from typing import Annotated, Final

import typer

from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.domain.messages import Role


def _sources(ctx: typer.Context, incomplete: str) -> list[str]:
    with terminal_of(ctx).memory() as memory:
        return memory.passages.sources_like(incomplete)


def message_ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the newest messages whose ids have this prefix, with their text, for completion."""
    with terminal_of(ctx).memory() as memory:
        return [(ref, text) for ref, text in memory.messages.newest_refs(_OFFERED) if ref.startswith(incomplete)]


def passage_ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the newest passages whose ids have this prefix, with their text, for completion."""
    with terminal_of(ctx).memory() as memory:
        return [(ref, text) for ref, text in memory.passages.newest_refs(_OFFERED) if ref.startswith(incomplete)]


_OFFERED: Final = 50
"""Number of ids for completion."""


LARGEST: Final = 1_000_000_000
"""The maximum page number and page size: their product must fit into 64 bits."""

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=LARGEST, help="Maximum number shown.")]
Page = Annotated[int, typer.Option("--page", min=0, max=LARGEST, help="The page to show (0-based).")]
Since = Annotated[
    str | None, typer.Option("--since", help="From this date (2024, 2024-03, 2024-03-31).", metavar="DATE")
]
Until = Annotated[str | None, typer.Option("--until", help="Until the end of this date.", metavar="DATE")]
RoleOption = Annotated[
    list[Role] | None,
    typer.Option("--role", help="Filter by role: user, assistant, tool or system (repeatable).", metavar="ROLE"),
]
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
Derived = Annotated[
    bool, typer.Option("--derived", help="Permanently, with everything derived from it; checked as memgpt forget does.")
]
