"""`memgpt eval`: measure the program."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memgpt_cli.cli.options import Command
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.cli.terminal.tables import table

if TYPE_CHECKING:
    from memgpt_cli.services.measuring import RetrievalReport

app = typer.Typer(help="Measure search on your own data.", no_args_is_help=True)


@app.callback()
def _room() -> None:
    """Measure search on your own data."""


@app.command("retrieval", cls=Command)
def retrieval(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Conversations and questions in LoCoMo's format.", metavar="FILE")],
) -> None:
    """Ask recall storage the questions of FILE, and count how many of the messages with the answers are found.

    Compares memgpt's ranking with plain full-text search, plain vectors, plain rank fusion and newest-first.

    Example:
        memgpt eval retrieval locomo10.json
    """
    terminal = terminal_of(ctx)
    from rich.progress import Progress

    from memgpt_cli.services.measuring import RetrievalTest, retrieval_shape

    test = RetrievalTest.of(file)
    with Progress(console=terminal.err, transient=True) as bar:
        task = bar.add_task("questions", total=test.questions)
        report = test.run(terminal.workspace, progress=lambda done: bar.advance(task, done))
    terminal.show(lambda: retrieval_shape(file, report), lambda: _table(terminal, report))


def _table(terminal: Terminal, report: "RetrievalReport") -> None:
    from memgpt_cli.services.measuring import ALL, METRICS

    terminal.say(
        f"{report.conversations} conversations, {report.messages} messages, {report.questions.get(ALL, 0)} questions; "
        f"embedder {report.embedder}, tokens by {report.counter}; percent"
    )
    for category in sorted(report.questions, key=lambda name: (name != ALL, name)):
        terminal.say(f"\n{category} ({report.questions[category]})", style="bold")
        table(
            terminal,
            ("ranking", *METRICS),
            (
                (pipeline, *(_percent(categories[category].get(metric)) for metric in METRICS))
                for pipeline, categories in report.scores.items()
            ),
        )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
