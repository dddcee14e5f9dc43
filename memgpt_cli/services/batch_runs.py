"""Runs of scripted conversations: input opened and checked, a run begun or continued, and completed."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from memgpt_cli.batch.conversations import Fault
from memgpt_cli.batch.journal import RunJournal
from memgpt_cli.batch.output import FileOutput, StreamOutput, unwritable
from memgpt_cli.batch.pace import Limits, Pace, PacedModel
from memgpt_cli.batch.plan import (
    failed_again,
    faults_of_agents,
    kept_names,
    make_seed,
    new_header,
    run_key,
    tally_of,
)
from memgpt_cli.batch.reading import BatchInput, InputFile, read_input
from memgpt_cli.batch.run import Run, RunProgress, RunResult
from memgpt_cli.batch.talking import RunOptions
from memgpt_cli.batch.tally import RunSummary
from memgpt_cli.batch.workers import LocalWorker, SpawnedWorker
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services.batch_agents import BatchAgents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from io import BufferedReader
    from typing import BinaryIO

    from memgpt_cli.batch.output import Output
    from memgpt_cli.batch.tally import Tally
    from memgpt_cli.batch.workers import Worker, WorkerMaker
    from memgpt_cli.bootstrap import Flags, Workspace

__all__ = [
    "BatchInput",
    "BatchOptions",
    "BatchRun",
    "Fault",
    "Run",
    "RunProgress",
    "RunResult",
    "RunSummary",
    "check_shape",
    "faults_of",
    "open_input",
    "open_run",
]

_NETWORK_WORKERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How to run. `flags` choose the model; `rpm` and `tpm` are model calls and tokens per minute."""

    flags: Flags
    output: Path | None = None
    by_turn: bool = False
    keep: bool = False
    template: str | None = None
    workers: int | None = None
    fixed_time: datetime | None = None
    wait: bool = False
    fail_fast: bool = False
    retry_failed: bool = False
    restart: bool = False
    rpm: float | None = None
    tpm: float | None = None
    max_usd: float | None = None

    def arguments(self) -> dict[str, Any]:
        """Those that identify a run: with the same input and the same ones it is continued."""
        return {
            "output": None if self.output is None else str(self.output.absolute()),
            "turns": self.by_turn,
            "keep": self.keep,
            "template": self.template,
            "fixed_time": None if self.fixed_time is None else to_text(self.fixed_time),
            "model": self.flags.model,
            "base_url": self.flags.base_url,
            "window": self.flags.window,
        }


@contextmanager
def open_input(workspace: Workspace, file: str, *, as_text: bool, allow_outside: bool) -> Iterator[BatchInput]:
    """The input of a file, or of standard input (`-`), read once. Raises UsageError when it cannot be read."""
    spare = workspace.paths.data / "batch"
    try:
        if file == "-":
            stdin = cast("BufferedReader", sys.stdin.buffer)
            source, name, folder = InputFile.of_stream(stdin, spare=spare), "stdin", Path()
        else:
            source, name, folder = InputFile.of_file(Path(file), spare=spare), file, Path(file).parent
        kind: Any = "text" if as_text else "auto"
        zone = workspace.settings.zone
        read = read_input(source, name=name, folder=folder, zone=zone, kind=kind, allow_outside=allow_outside)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}", hint="memgpt batch --help") from error
    with read:
        yield read


def faults_of(workspace: Workspace, read: BatchInput, *, keep: bool, is_new_run: bool = True) -> list[Fault]:
    """Every error of the input by line; with `keep` also names of agents that are taken."""
    kept = kept_names(read) if keep else {}
    found = faults_of_agents(read, kept, exists=workspace.agents.exists, is_new_run=is_new_run)
    return sorted((*read.faults, *found), key=lambda fault: fault.line)


def check_shape(read: BatchInput, faults: list[Fault]) -> dict[str, Any]:
    """The checked input as JSON (docs/schemas/batch-check.schema.json)."""
    return {
        "ok": not faults,
        "conversations": len(read.entries),
        "messages": read.messages,
        "asks": read.asks,
        "sha256": read.sha256,
        "faults": [{"line": f.line, "field": f.field, "message": f.message} for f in faults],
    }


class BatchRun:
    """One run of an input, new or continued. `go` runs it, `complete` ends it when everything is written and shown."""

    def __init__(
        self, workspace: Workspace, read: BatchInput, options: BatchOptions, journal: RunJournal, *, builtin: bool
    ) -> None:
        self._workspace = workspace
        self._read = read
        self._options = options
        self._journal = journal
        self._builtin = builtin
        is_open = options.retry_failed or not journal.complete
        self.continues = journal.header is not None and not options.restart and is_open

    def faults(self) -> list[Fault]:
        """Every error of the input by line."""
        is_new = not self.continues
        return faults_of(self._workspace, self._read, keep=self._options.keep, is_new_run=is_new)

    def check(self) -> None:
        """Raise NotFoundError when failed conversations are to be repeated and there was no such run."""
        if self._options.retry_failed and not self.continues:
            raise NotFoundError(
                "this input was not run with these arguments before, so nothing can be retried",
                hint="omit --retry-failed",
            )

    def go(
        self,
        stream: BinaryIO,
        *,
        begun: Callable[[int], None],
        progress: Callable[[RunProgress], None],
        stoppable: Callable[[Run], AbstractContextManager[None]],
    ) -> RunResult:
        """Run what has not ended. Results go to the output file, else to `stream`.

        `begun` gets the number of conversations that ended before; `stoppable` surrounds the run, which it may stop.
        """
        options, journal, read = self._options, self._journal, self._read
        if not self.continues:
            journal.begin(new_header(read, options.arguments(), started_at=to_text(self._workspace.clock.now())))
        run_options = self._run_options()
        tally = tally_of(journal, read)
        limits = Limits(rpm=options.rpm, tpm=options.tpm, max_usd=options.max_usd)
        pace = Pace(limits, spent=tally.spent.cost_usd or 0.0)
        agents = self._agents(pace)
        make_seed(agents, journal.folder, template=options.template)
        if options.retry_failed and not journal.retrying:
            failed_again(journal, agents, run_options)
            tally = tally_of(journal, read)
        begun(len(journal.ended))
        out = self._output(stream)
        run = self._run(out, run_options, tally=tally, agents=agents, pace=pace, progress=progress)
        try:
            with stoppable(run):
                return run.go()
        finally:
            out.close()

    def complete(self, result: RunResult) -> None:
        """End the run if all of it is done: a run with failures can be repeated, any other is forgotten."""
        if result.end != "complete":
            return
        if result.summary.failed:
            self._journal.run_completed()
        else:
            self._journal.remove()

    def _run_options(self) -> RunOptions:
        header = self._journal.header
        assert header is not None  # noqa: S101 - it has just been begun, or is continued
        return RunOptions(
            folder=self._journal.folder,
            token=header.token,
            begin_again=self._builtin,
            timed=self._options.fixed_time is None,
            kept=kept_names(self._read) if self._options.keep else {},
        )

    def _agents(self, pace: Pace) -> BatchAgents:
        return BatchAgents(
            self._options.flags,
            documents=self._read.folder.absolute(),
            fixed_time=self._options.fixed_time,
            wait=self._options.wait,
            around_model=lambda model, prices: PacedModel(model, pace, prices),
        )

    def _run(
        self,
        out: Output,
        run_options: RunOptions,
        *,
        tally: Tally,
        agents: BatchAgents,
        pace: Pace,
        progress: Callable[[RunProgress], None],
    ) -> Run:
        options, many = self._options, len(self._read.entries) > 1
        workers = options.workers or (min(os.cpu_count() or 1, 4) if self._builtin else _NETWORK_WORKERS)
        # One rate limit applies within one process only.
        spawn = self._builtin and workers > 1 and many and options.rpm is None and options.tpm is None
        return Run(
            self._read,
            journal=self._journal,
            output=out,
            run_options=run_options,
            tally=tally,
            make_worker=_worker_maker(agents, run_options, spawn=spawn),
            workers=workers,
            pace=pace,
            fail_fast=options.fail_fast,
            progress=progress,
        )

    def _output(self, stream: BinaryIO) -> Output:
        path, by_turn = self._options.output, self._options.by_turn
        if path is None:
            return StreamOutput(stream, self._journal, by_turn=by_turn)
        if path.is_file() or not path.exists():
            return FileOutput(path, self._journal, by_turn=by_turn)
        try:  # a device or a pipe, which nothing may replace
            return StreamOutput(path.open("wb"), self._journal, by_turn=by_turn, owned=True)
        except OSError as error:
            raise unwritable(path, error) from error


@contextmanager
def open_run(workspace: Workspace, read: BatchInput, options: BatchOptions) -> Iterator[BatchRun]:
    """The run of this input with these arguments. Raises NotFoundError for the template, APIKeyError, StorageError."""
    if options.template is not None and not workspace.agents.exists(options.template):
        raise NotFoundError(f"there is no agent {options.template!r} to copy", hint="memgpt agent list")
    builtin = _is_builtin(workspace, read, options)
    said_as = {"text": read.name} if read.is_text else {}
    folder = workspace.paths.data / "batch" / run_key(read.sha256, options.arguments() | said_as)
    with RunJournal(folder, durable=not builtin) as journal:
        yield BatchRun(workspace, read, options, journal, builtin=builtin)


def _is_builtin(workspace: Workspace, read: BatchInput, options: BatchOptions) -> bool:
    """Whether every model that answers is computed in this process. Looks for the key too, before anything runs."""
    named = {entry.agent for entry in read.entries if entry.agent is not None}
    if options.template is not None:
        named.add(options.template)
    existing = [name for name in sorted(named) if workspace.agents.exists(name)]
    choices = [workspace.sessions.choice_of(name) for name in existing]
    if options.template is None and any(entry.agent is None for entry in read.entries):
        choices.append(workspace.models.choose())
    for choice in choices:
        workspace.models.check_key(choice)
    return all(choice.endpoint is None for choice in choices)


def _worker_maker(agents: BatchAgents, run_options: RunOptions, *, spawn: bool) -> WorkerMaker:
    def local() -> Worker:
        return LocalWorker(agents, run_options)

    def spawned() -> Worker:
        worker = SpawnedWorker(agents, run_options)
        worker.start()
        return worker

    return spawned if spawn else local
