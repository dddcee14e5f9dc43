"""`memgpt batch`: scripted conversations, by the thousand and over night."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import typer

from memgpt_cli.cli.batch.input import check_output, faults_of, opened, refuse, show_check
from memgpt_cli.cli.batch.options import (
    AllowOutside,
    AsText,
    ByTurn,
    CallsPerMinute,
    Check,
    FailFast,
    File,
    FixedTime,
    Keep,
    MostUsd,
    OutputFile,
    Quiet,
    Restart,
    RetryFailed,
    Template,
    TokensPerMinute,
    WaitForAgents,
    Wishes,
    Workers,
)
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.domain.times import parse, to_text
from memgpt_cli.errors import ExitCode, NotFoundError, UsageError

if TYPE_CHECKING:
    from memgpt_cli.batch.journal import RunJournal
    from memgpt_cli.batch.output import Output
    from memgpt_cli.batch.pace import Pace
    from memgpt_cli.batch.reading import BatchInput
    from memgpt_cli.batch.run import Run, RunResult
    from memgpt_cli.batch.talking import RunOptions
    from memgpt_cli.batch.workers import WorkerMaker
    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.cli.batch.agents import BatchAgents

_NETWORK_WORKERS: Final = 8


def batch(
    ctx: typer.Context,
    file: File,
    output: OutputFile = None,
    check: Check = False,
    text: AsText = False,
    turns: ByTurn = False,
    keep: Keep = False,
    template: Template = None,
    workers: Workers = None,
    rpm: CallsPerMinute = None,
    tpm: TokensPerMinute = None,
    max_usd: MostUsd = None,
    retry_failed: RetryFailed = False,
    restart: Restart = False,
    fail_fast: FailFast = False,
    wait: WaitForAgents = False,
    fixed_time: FixedTime = None,
    allow_outside: AllowOutside = False,
    quiet: Quiet = False,
) -> None:
    """Run scripted conversations; started again, it continues where it stopped.

    Examples:
        memgpt batch --check conversations.jsonl

        memgpt batch conversations.jsonl -o results.jsonl --workers 16

        memgpt batch tests.jsonl --model offline --fixed-time 2024-01-01 --quiet

    """
    terminal = terminal_of(ctx)
    if terminal.agent is not None:
        raise UsageError(
            "a batch creates its own agents", hint='name one in the input ("agent"), or copy one: --template NAME'
        )
    from memgpt_cli.batch.plan import kept_names

    workspace = terminal.workspace
    check_output(output, file)
    with opened(file, workspace, as_text=text, allow_outside=allow_outside) as read:
        wishes = Wishes(
            output=output,
            by_turn=turns,
            keep=keep,
            template=template,
            workers=workers,
            fixed_time=None if fixed_time is None else _time(fixed_time),
            wait=wait,
            fail_fast=fail_fast,
            retry_failed=retry_failed,
            restart=restart,
            rpm=rpm,
            tpm=tpm,
            max_usd=max_usd,
            quiet=quiet,
        )
        if check:
            code = show_check(terminal, read, faults_of(read, workspace, kept_names(read) if keep else {}))
        else:
            code = _run(terminal, read, wishes, workspace)
    if code:
        raise typer.Exit(code)


def _time(text: str) -> datetime:
    try:
        return parse(text, UTC)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a valid time", hint="write it as 2024-01-01 or 2024-01-01T12:00:00Z"
        ) from error


def _run(terminal: Terminal, read: "BatchInput", wishes: Wishes, workspace: "Workspace") -> int:
    from memgpt_cli.batch.journal import RunJournal
    from memgpt_cli.batch.plan import kept_names, run_key

    if wishes.template is not None and not workspace.agents.exists(wishes.template):
        raise NotFoundError(f"there is no agent {wishes.template!r} to copy", hint="memgpt agent list")
    builtin = _is_builtin(read, wishes, workspace)
    said_as = {"text": read.name} if read.is_text else {}
    folder = workspace.paths.data / "batch" / run_key(read.sha256, wishes.arguments(terminal) | said_as)
    with RunJournal(folder, durable=not builtin) as journal:
        goes_on = journal.header is not None and not wishes.restart and (wishes.retry_failed or not journal.complete)
        kept = kept_names(read) if wishes.keep else {}
        refuse(read, faults_of(read, workspace, kept, is_new_run=not goes_on))
        if wishes.retry_failed and not goes_on:
            raise NotFoundError(
                "this input was not run with these arguments before, so nothing can be retried",
                hint="omit --retry-failed",
            )
        result = _go(terminal, read, wishes, workspace, journal, builtin=builtin, goes_on=goes_on)
        code = _conclude(terminal, result, wishes)
        sys.stdout.flush()
        if result.end != "complete":
            return code
        # The very last act: a run is over when all of it is written and told. Killed before, it goes on; the end of
        # Python takes some ten milliseconds, in which a kill would make the next start begin anew what was all done.
        if result.summary.failed:
            journal.run_completed()
        else:
            journal.remove()
        terminal.end_process(code)
        return code


def _is_builtin(read: "BatchInput", wishes: Wishes, workspace: "Workspace") -> bool:
    """Whether all that will answer is computed in this process. Looks for the key too, before anything runs."""
    named = {entry.agent for entry in read.entries if entry.agent is not None}
    if wishes.template is not None:
        named.add(wishes.template)
    existing = [name for name in sorted(named) if workspace.agents.exists(name)]
    choices = [workspace.sessions.choice_of(name) for name in existing]
    if wishes.template is None and any(entry.agent is None for entry in read.entries):
        choices.append(workspace.models.choose())
    for choice in choices:
        workspace.models.check_key(choice)
    return all(choice.endpoint is None for choice in choices)


def _go(
    terminal: Terminal,
    read: "BatchInput",
    wishes: Wishes,
    workspace: "Workspace",
    journal: "RunJournal",
    *,
    builtin: bool,
    goes_on: bool,
) -> "RunResult":
    from memgpt_cli.batch.pace import Limits, Pace
    from memgpt_cli.batch.plan import failed_again, kept_names, make_seed, new_header, tally_of
    from memgpt_cli.batch.run import Run
    from memgpt_cli.batch.talking import RunOptions
    from memgpt_cli.cli.batch.progress import Reporter

    if not goes_on:
        journal.begin(new_header(read, wishes.arguments(terminal), started_at=to_text(workspace.clock.now())))
    assert journal.header is not None  # noqa: S101 - it has just been begun, or goes on
    run_options = RunOptions(
        folder=journal.folder,
        token=journal.header.token,
        begin_again=builtin,
        timed=wishes.fixed_time is None,
        kept=kept_names(read) if wishes.keep else {},
    )
    tally = tally_of(journal, read)
    pace = Pace(Limits(rpm=wishes.rpm, tpm=wishes.tpm, max_usd=wishes.max_usd), spent=tally.spent.cost_usd or 0.0)
    agents = _agents(terminal, read, wishes, pace)
    make_seed(agents, journal.folder, template=wishes.template)
    if wishes.retry_failed and not journal.retrying:
        failed_again(journal, agents, run_options)
        tally = tally_of(journal, read)
    if goes_on and not wishes.quiet:
        terminal.notice(f"going on: {len(journal.ended):,} of {len(read.entries):,} conversations have ended")
    workers = wishes.workers or (min(os.cpu_count() or 1, 4) if builtin else _NETWORK_WORKERS)
    # One pace holds within one process only.
    spawn = builtin and workers > 1 and len(read.entries) > 1 and wishes.rpm is None and wishes.tpm is None
    out = _output(wishes, journal)
    with Reporter(terminal, turns_total=read.messages + read.asks, quiet=wishes.quiet) as reporter:
        run = Run(
            read,
            journal=journal,
            output=out,
            run_options=run_options,
            tally=tally,
            make_worker=_worker_maker(agents, run_options, spawn=spawn),
            workers=workers,
            pace=pace,
            fail_fast=wishes.fail_fast,
            progress=reporter.show,
        )
        try:
            with _stoppable(run, quiet=wishes.quiet):
                return run.go()
        finally:
            out.close()


def _agents(terminal: Terminal, read: "BatchInput", wishes: Wishes, pace: "Pace") -> "BatchAgents":
    from memgpt_cli.batch.pace import PacedModel
    from memgpt_cli.bootstrap import Flags
    from memgpt_cli.cli.batch.agents import BatchAgents

    return BatchAgents(
        Flags(model=terminal.model, base_url=terminal.base_url, window=terminal.window),
        documents=read.folder.absolute(),
        fixed_time=wishes.fixed_time,
        wait=wishes.wait,
        around_model=lambda model, prices: PacedModel(model, pace, prices),
    )


def _worker_maker(agents: "BatchAgents", run_options: "RunOptions", *, spawn: bool) -> "WorkerMaker":
    from memgpt_cli.batch.workers import LocalWorker, SpawnedWorker, Worker

    def local() -> Worker:
        return LocalWorker(agents, run_options)

    def spawned() -> Worker:
        worker = SpawnedWorker(agents, run_options)
        worker.start()
        return worker

    return spawned if spawn else local


def _output(wishes: Wishes, journal: "RunJournal") -> "Output":
    from memgpt_cli.batch.output import FileOutput, StreamOutput, unwritable

    if wishes.output is not None and (wishes.output.is_file() or not wishes.output.exists()):
        return FileOutput(wishes.output, journal, by_turn=wishes.by_turn)
    if wishes.output is not None:  # a device or a pipe, which nothing may take the place of
        try:
            return StreamOutput(wishes.output.open("wb"), journal, by_turn=wishes.by_turn, owned=True)
        except OSError as error:
            raise unwritable(wishes.output, error) from error
    sys.stdout.flush()
    return StreamOutput(sys.stdout.buffer, journal, by_turn=wishes.by_turn)


@contextmanager
def _stoppable(run: "Run", *, quiet: bool) -> Iterator[None]:
    """Ctrl-C and SIGTERM let the running turns end; a second one ends the process at once, and loses nothing either."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal asked
        if asked:
            os._exit(ExitCode.INTERRUPTED)
        asked = True
        run.stop()
        if not quiet:
            os.write(2, b"\nstopping after the running turns; again to stop at once\n")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _conclude(terminal: Terminal, result: "RunResult", wishes: Wishes) -> int:
    from memgpt_cli.cli.batch.progress import show_summary

    if terminal.json and wishes.output is not None:
        terminal.print_json(result.summary.as_json())
    elif not wishes.quiet:
        show_summary(terminal, result.summary)
    if result.reason is not None:
        raise result.reason
    if result.end == "interrupted":
        terminal.notice("stopped; the same command continues from here", style=None)
        return ExitCode.INTERRUPTED
    if result.end == "failed_fast":
        terminal.notice("stopped at the first failure; the same command continues with the others", style=None)
    elif result.summary.failed and not wishes.quiet:
        terminal.notice("the same command with --retry-failed repeats the failed ones", style=None)
    return ExitCode.OK if result.summary.ok else ExitCode.FAILURE
