"""Load documents and show the progress; used by `archival load` and the chat's `/load`."""

from collections import Counter
from typing import TYPE_CHECKING

from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.cli.terminal.progress import Bar, bar
from memgpt_cli.domain.documents import LoadOutcome, LoadProgress
from memgpt_cli.services.wording import counted

if TYPE_CHECKING:
    from memgpt_cli.services.loading import DocumentLoad, LoadReport


class _Watcher:
    """services.loading.LoadWatcher with a bar; names what is skipped as it comes."""

    def __init__(self, terminal: Terminal, shown: Bar) -> None:
        self._terminal = terminal
        self._bar = shown

    def loading(self, step: LoadProgress) -> None:
        """Show the bytes read and the passages stored."""
        self._show(step, f"{step.new:,} passages")
        if step.outcome is LoadOutcome.SKIPPED:
            name = " ".join(step.source.splitlines())
            self._terminal.notice(f"skipped {name}: {step.reason}", style=None)

    def embedding(self, stage: str, done: int, total: int, during: LoadProgress | None) -> None:
        """Show how far the vectors are."""
        what = "embedding" if stage == "embed" else "indexing"
        if during is None:
            self._bar.show(what, done, total, unit="passages")
        else:
            self._show(during, f"{what} {done:,} of {total:,}")

    def _show(self, step: LoadProgress, beside: str) -> None:
        self._bar.show(step.source, step.bytes, step.total_bytes, unit="bytes", beside=beside)


def run_load(terminal: Terminal, load: "DocumentLoad") -> "LoadReport":
    """Run a load. Interrupted by Ctrl-C or a failing embedder it says what was stored, and raises."""
    try:
        with bar(terminal) as shown:
            return load.run(_Watcher(terminal, shown))
    except BaseException:
        if new := load.report.passages[0]:
            terminal.notice(f"{counted(new, 'new passage')} stored so far; the same command continues")
        raise


def show_report(terminal: Terminal, report: "LoadReport") -> None:
    """Print the result of a load."""
    by = Counter(file.outcome for file in report.files)
    new, shared, removed = report.passages
    files = ", ".join(f"{by[o]} {o}" for o in LoadOutcome if by[o]) or "nothing"
    there = [f"{shared} there already"] if shared else []
    gone = [f"{removed} removed"] if removed else []
    passages = ", ".join([counted(new, "new passage"), *there, *gone])
    cost = "" if report.usd is None else f" for {report.usd:.4f} USD"
    embedded = f"; {report.tokens:,} tokens embedded{cost}" if report.tokens else ""
    terminal.say(f"files: {files}; {passages}; {report.seconds:.1f} s{embedded}")
