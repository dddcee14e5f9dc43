"""Progress on stderr: a bar with rate and remaining time on a terminal, nothing elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from memgpt_cli.cli.terminal.console import plain
from memgpt_cli.cli.terminal.context import Terminal

if TYPE_CHECKING:
    from rich.progress import Progress, Task

_MEGABYTE = 1_000_000


class Bar:
    """One bar for the current work; without a terminal it shows nothing."""

    def __init__(self, progress: "Progress | None" = None) -> None:
        self._progress = progress
        self._task: Any = None
        self._unit = ""

    def show(self, what: str, done: int, total: int, *, unit: str = "", beside: str = "") -> None:
        """Show `done` of `total` (0: unknown) in `unit` (`bytes`, `passages`); another unit begins a new bar."""
        if self._progress is None:
            return
        width = max(16, self._progress.console.width - 62)
        label = plain(what).replace("\n", " ")
        label = label if len(label) <= width else f"…{label[1 - width :]}"
        state: dict[str, Any] = {"description": label, "completed": done, "total": total or None, "beside": beside}
        if self._task is not None and unit == self._unit:
            self._progress.update(self._task, **state)
            return
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task, self._unit = self._progress.add_task(unit=unit, **state), unit
        self._progress.refresh()  # the next step may block other threads, as Chroma does


@contextmanager
def bar(terminal: Terminal) -> Iterator[Bar]:
    """A bar for the duration of the block; other output to stderr appears above it."""
    if not terminal.err.is_terminal:
        yield Bar()
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=16),
        TextColumn("{task.percentage:>3.0f}%"),
        _rate_column(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[beside]}", markup=False),
    )
    with Progress(*columns, console=terminal.err, transient=True) as progress:
        yield Bar(progress)


def _rate_column() -> Any:
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: "Task") -> Text:
            return Text(_rate(task.speed, str(task.fields.get("unit", ""))))

    return Rate()


def _rate(speed: float | None, unit: str) -> str:
    if not speed:
        return ""
    return f"{speed / _MEGABYTE:.1f} MB/s" if unit == "bytes" else f"{speed:,.0f} {unit}/s"
