"""The options of `memgpt batch` as types."""

from pathlib import Path
from typing import Annotated, Final

import typer

_RUNS: Final = "Run"
_LIMITS: Final = "Limits"

File = Annotated[
    str,
    typer.Argument(help="JSON Lines, or text with one message per line; - is standard input.", metavar="FILE|-"),
]
OutputFile = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write JSON Lines to this file instead of stdout.", metavar="FILE")
]
Check = Annotated[bool, typer.Option("--check", help="Only check the input and list its errors.")]
AsText = Annotated[bool, typer.Option("--text", help="Treat the input as text.")]
ByTurn = Annotated[bool, typer.Option("--turns", help="Write a line for each turn as it ends.")]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the new agents, named by the ids.")]
Template = Annotated[str | None, typer.Option("--template", help="New agents are copies of this one.", metavar="NAME")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", "-w", min=1, max=1024, help="Conversations run at the same time.", rich_help_panel=_LIMITS
    ),
]
CallsPerMinute = Annotated[
    float | None, typer.Option("--rpm", min=0.01, help="Model calls per minute.", rich_help_panel=_LIMITS)
]
TokensPerMinute = Annotated[
    float | None, typer.Option("--tpm", min=1, help="Tokens per minute.", rich_help_panel=_LIMITS)
]
MostUsd = Annotated[
    float | None, typer.Option("--max-usd", min=0, help="US dollars for the whole run.", rich_help_panel=_LIMITS)
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Run the failed conversations again.", rich_help_panel=_RUNS)
]
Restart = Annotated[bool, typer.Option("--restart", help="Start the run from the beginning.", rich_help_panel=_RUNS)]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first failure.", rich_help_panel=_RUNS)]
WaitForAgents = Annotated[bool, typer.Option("--wait", help="Wait for agents that are in use.", rich_help_panel=_RUNS)]
FixedTime = Annotated[
    str | None, typer.Option("--fixed-time", help="Use this time throughout, for identical output.", metavar="TIME")
]
AllowOutside = Annotated[
    bool, typer.Option("--allow-outside", help="Also load documents from outside the input's folder.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary.")]
