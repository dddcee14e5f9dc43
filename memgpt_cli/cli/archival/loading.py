"""Loading documents with somebody watching; shared by `archival load` and the chat's `/load`."""

import os
import re
import shlex
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.agent.notices import tell_loaded
from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.cli.terminal.progress import Bar, bar
from memgpt_cli.domain.documents import LoadOutcome, LoadProgress
from memgpt_cli.errors import BudgetError, UsageError
from memgpt_cli.services.wording import counted

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.ports import Store, VectorIndex

EMBED_AT: Final = 512
"""New passages after which their vectors are made, so that a kill loses no more than that work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """What is to be loaded, as it was typed."""

    paths: Sequence[str]
    tags: Sequence[str] = ()
    name: str | None = None
    again: bool = False


@dataclass(slots=True, kw_only=True)
class Report:
    """What a load came to: each file's end, and the tally of all. `usd` is None where the price is not known."""

    files: list[LoadProgress] = field(default_factory=list)
    last: LoadProgress | None = None
    seconds: float = 0.0
    tokens: int = 0
    usd: float | None = None

    def of(self, outcome: LoadOutcome) -> list[LoadProgress]:
        """The files that came to this."""
        return [file for file in self.files if file.outcome is outcome]

    @property
    def passages(self) -> tuple[int, int, int]:
        """Stored now, there already, removed."""
        return (0, 0, 0) if self.last is None else (self.last.new, self.last.shared, self.last.removed)

    def shape(self, agent: str) -> dict[str, Any]:
        """As JSON."""
        new, shared, removed = self.passages
        return {
            "agent": agent,
            "files": [{"source": f.source, "outcome": str(f.outcome), "reason": f.reason or None} for f in self.files],
            **{str(outcome): len(self.of(outcome)) for outcome in LoadOutcome},
            "passages": {"new": new, "shared": shared, "removed": removed},
            "embedding_tokens": self.tokens,
            "cost_usd": None if self.usd is None else round(self.usd, 8),
            "seconds": round(self.seconds, 3),
        }

    def tell(self, terminal: Terminal) -> None:
        """Print it for a person."""
        by = Counter(file.outcome for file in self.files)
        new, shared, removed = self.passages
        files = ", ".join(f"{by[o]} {o}" for o in LoadOutcome if by[o]) or "nothing"
        there = [f"{shared} there already"] if shared else []
        gone = [f"{removed} removed"] if removed else []
        passages = ", ".join([counted(new, "new passage"), *there, *gone])
        terminal.say(f"files: {files}; {passages}; {self.seconds:.1f} s{self._cost()}")

    def _cost(self) -> str:
        if not self.tokens:
            return ""
        return f"; {self.tokens:,} tokens embedded" + ("" if self.usd is None else f" for {self.usd:.4f} USD")


def read_wanted(line: str) -> LoadRequest:
    """What a line typed after `/load` asks for: paths, quoted or not, `--tag TAG` and `--again`. Raises UsageError."""
    words = _words(line)
    paths: list[str] = []
    tags: list[str] = []
    again = False
    while words:
        word = words.pop(0)
        if word in {"--tag", "-t"} and words:
            tags.append(words.pop(0))
        elif word == "--again":
            again = True
        elif word.startswith("-"):
            raise UsageError(f"/load cannot do {word}", hint="/load PATH [--tag TAG] [--again]")
        else:
            paths.append(word)
    if not paths:
        raise UsageError("which files?", hint="/load FILE or FOLDER; --tag TAG labels its passages")
    return LoadRequest(paths=paths, tags=tags, again=again)


def _words(line: str) -> list[str]:
    """As a shell would part them; but a path with spaces that is there needs no quotes, even with options after it."""
    for path, *options in ([line], re.split(r"\s+(?=--|-t\s)", line, maxsplit=1)):
        if path and os.path.exists(os.path.expanduser(path)):  # noqa: PTH110, PTH111 - never raise
            return [path, *" ".join(options).split()]
    try:
        return shlex.split(line, posix=os.name != "nt")
    except ValueError:  # a lone quotation mark
        return line.split()


def load_documents(
    terminal: Terminal, workspace: "Workspace", store: "Store", index: "VectorIndex", wanted: LoadRequest
) -> Report:
    """Load, naming what is skipped as it comes. The caller holds the agent's lock.

    Cut off by Ctrl-C or a failing embedder it says so and raises; what was stored stays, and the same call goes on.
    """
    if wanted.name is not None and list(wanted.paths) != ["-"]:
        raise UsageError("--name is for standard input only", hint="memgpt archival load - --name N")
    report, bill = Report(), workspace.embedders.bill(workspace.embedders.name()[1])
    began, tokens = time.monotonic(), bill.tokens
    try:
        with bar(terminal) as shown:
            _run(terminal, workspace, store, index, wanted, report, shown)
    except BaseException:
        if report.passages[0]:
            terminal.notice(
                f"{counted(report.passages[0], 'new passage')} stored so far; the same command goes on from there"
            )
        raise
    finally:
        report.seconds = time.monotonic() - began
        report.tokens = bill.tokens - tokens
        report.usd = bill.price(report.tokens)
        done = [file.source for file in (*report.of(LoadOutcome.LOADED), *report.of(LoadOutcome.UPDATED))]
        tell_loaded(store, done, at=workspace.clock.now())
    return report


def _run(
    terminal: Terminal,
    workspace: "Workspace",
    store: "Store",
    index: "VectorIndex",
    wanted: LoadRequest,
    report: Report,
    shown: Bar,
) -> None:
    def on_the_way(stage: str, done: int, total: int) -> None:
        if report.last is not None:
            beside = f"{'embedding' if stage == 'embed' else 'indexing'} {done:,} of {total:,}"
            shown.show(report.last.source, report.last.bytes, report.last.total_bytes, unit="bytes", beside=beside)

    def at_the_end(stage: str, done: int, total: int) -> None:
        shown.show("embedding" if stage == "embed" else "indexing", done, total, unit="passages")

    loader = workspace.loader(store, command="archival load")
    embedded = 0
    for step in loader.load(wanted.paths, tags=wanted.tags, name=wanted.name, again=wanted.again):
        if report.last is None and step.outcome is None:
            index.check()  # one text has been embedded by now, so that even a remote embedder knows what it is
        report.last = step
        shown.show(step.source, step.bytes, step.total_bytes, unit="bytes", beside=f"{step.new:,} passages")
        if step.outcome is not None:
            report.files.append(step)
        if step.outcome is LoadOutcome.SKIPPED:
            name = " ".join(step.source.splitlines())
            terminal.notice(f"skipped {name}: {step.reason}", style=None)
        if step.new - embedded >= EMBED_AT:
            embedded = step.new
            index.flush(progress=on_the_way)
            check_budget(workspace)
    if index.settle(progress=at_the_end):
        store.lexical.refresh()


def check_budget(workspace: "Workspace") -> None:
    """Embedding is paid for as well. Raises BudgetError once the day's money is spent."""
    most = workspace.settings.loop.max_usd_per_day
    if most is None:
        return
    spent = workspace.state.spent_on(workspace.state.day(workspace.clock.now()))
    if spent > most:
        raise BudgetError(
            f"{spent:.4f} USD were spent today: over budget.max_usd_per_day = {most}",
            hint="wait until tomorrow, or raise it: memgpt config set budget.max_usd_per_day; the same load continues",
        )
