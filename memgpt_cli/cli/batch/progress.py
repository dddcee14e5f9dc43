"""Progress of a batch on stderr: a bar for a terminal, occasional lines for a log file, the final table."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Self

from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.services.batch_runs import RunProgress, RunSummary

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LOG_EVERY_S: Final = 30.0
"""Seconds between two lines in a log file."""
_DRAW_EVERY_S: Final = 0.1
_MOST_ERRORS: Final = 5


class Reporter:
    """Shows progress; `with` begins and ends it. Called by one thread at a time."""

    def __init__(
        self, terminal: Terminal, *, turns_total: int, quiet: bool, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._terminal = terminal
        self._turns_total = turns_total
        self._quiet = quiet
        self._now = now
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._started = self._last = now()
        self._turns_before: int | None = None

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (
                TextColumn("{task.percentage:>3.0f}%"),
                BarColumn(bar_width=24),
                TextColumn("{task.description}"),
            )
            self._bar = Progress(*columns, console=self._terminal.err, transient=True)
            self._task = self._bar.add_task("", total=max(1, self._turns_total))
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, told: RunProgress) -> None:
        """Show the progress, at most a few times a second."""
        if self._quiet:
            return
        if self._turns_before is None:
            self._turns_before = told.turns
        pause = LOG_EVERY_S if self._bar is None else _DRAW_EVERY_S
        now = self._now()
        if now - self._last < pause and told.ended < told.total:
            return
        self._last = now
        line = self.line(told)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=told.turns, description=line)
        elif told.ended < told.total:
            self._terminal.notice(line)

    def line(self, told: RunProgress) -> str:
        """Return the state of the run, its rate, its cost, and the remaining time."""
        elapsed = max(1e-9, self._now() - self._started)
        rate = (told.turns - (self._turns_before or 0)) / elapsed
        parts = [f"{told.ended:,}/{told.total:,} conversations", f"{told.turns:,} turns", f"{rate:.1f} turns/s"]
        if told.paused_s >= 1.0:
            parts.append(f"the server asks to wait {_duration(told.paused_s)}")
        if told.failed:
            parts.append(f"{told.failed:,} failed")
        if told.cost_usd:
            parts.append(f"{told.cost_usd:.4f} USD")
        if rate > 0 and told.turns < self._turns_total:
            parts.append(f"{_duration((self._turns_total - told.turns) / rate)} left")
        return ", ".join(parts)


def show_summary(terminal: Terminal, summary: RunSummary) -> None:
    """Print the final table."""
    from rich.box import SIMPLE
    from rich.table import Table

    grid = Table(box=SIMPLE, show_header=False, pad_edge=False)
    grid.add_column()
    grid.add_column(justify="right")
    for name, value in _rows(summary):
        grid.add_row(name, value)
    terminal.err.print(grid)
    for message, count in summary.errors[:_MOST_ERRORS]:
        terminal.notice(f"{count} failed: {message}", style=None)
    if len(summary.errors) > _MOST_ERRORS:
        terminal.notice(f"and {len(summary.errors) - _MOST_ERRORS} other errors", style=None)


def _rows(summary: RunSummary) -> list[tuple[str, str]]:
    cost = summary.spent.cost_usd
    rows = [
        ("conversations", f"{summary.conversations:,} of {summary.total:,}"),
        ("failed", f"{summary.failed:,}"),
        ("turns", f"{summary.turns:,}"),
        ("expectations", f"{summary.expectations_met:,} met, {summary.expectations_unmet:,} not"),
        ("prompt tokens", f"{summary.spent.prompt_tokens:,} ({summary.spent.cached_tokens:,} cached)"),
        ("completion tokens", f"{summary.spent.completion_tokens:,}"),
        ("cost", "unknown" if cost is None else f"{cost:.4f} USD"),
        ("seconds a turn, p50 / p95", _pair(summary.p50_s, summary.p95_s)),
        ("of it memgpt", _pair(summary.our_p50_s, summary.our_p95_s)),
        ("elapsed", _duration(summary.elapsed_s)),
    ]
    if summary.rate_limits:
        rows.append(("slowed down by the server", f"{summary.rate_limits:,} times"))
    return [(plain(name), plain(value)) for name, value in rows]


def _pair(first: float | None, second: float | None) -> str:
    return "-" if first is None or second is None else f"{first:.3f} / {second:.3f}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
