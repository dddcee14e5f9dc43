"""`memgpt batch`: run scripted conversations."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from memgpt_cli.cli.batch.input import check_output, refuse, show_check
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
    Workers,
)
from memgpt_cli.cli.terminal.context import Terminal, terminal_of
from memgpt_cli.domain.times import parse
from memgpt_cli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from memgpt_cli.services.batch_runs import BatchInput, BatchOptions, Run, RunResult


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
    _refuse_agent(terminal)
    from memgpt_cli.services.batch_runs import BatchOptions, faults_of, open_input
    from memgpt_cli.services.workspaces import Flags

    workspace = terminal.workspace
    check_output(output, file)
    with open_input(workspace, file, as_text=text, allow_outside=allow_outside) as read:
        options = BatchOptions(
            flags=Flags(model=terminal.model, base_url=terminal.base_url, window=terminal.window),
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
        )
        faults = faults_of(workspace, read, keep=keep) if check else None
        code = _run(terminal, read, options, quiet=quiet) if faults is None else show_check(terminal, read, faults)
    if code:
        raise typer.Exit(code)


def _refuse_agent(terminal: Terminal) -> None:
    if terminal.agent is not None:
        raise UsageError(
            "a batch creates its own agents", hint='name one in the input ("agent"), or copy one: --template NAME'
        )


def _time(text: str) -> datetime:
    try:
        return parse(text, UTC)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a valid time", hint="write it as 2024-01-01 or 2024-01-01T12:00:00Z"
        ) from error


def _run(terminal: Terminal, read: "BatchInput", options: "BatchOptions", *, quiet: bool) -> int:
    from memgpt_cli.cli.batch.progress import Reporter
    from memgpt_cli.services.batch_runs import open_run

    with open_run(terminal.workspace, read, options) as batch:
        refuse(read, batch.faults())
        batch.check()

        def begun(ended: int) -> None:
            if batch.continues and not quiet:
                terminal.notice(f"going on: {ended:,} of {len(read.entries):,} conversations have ended")

        sys.stdout.flush()
        with Reporter(terminal, turns_total=read.messages + read.asks, quiet=quiet) as reporter:
            result = batch.go(
                sys.stdout.buffer,
                begun=begun,
                progress=reporter.show,
                stoppable=lambda run: _stoppable(run, quiet=quiet),
            )
        code = _conclude(terminal, result, to_file=options.output is not None, quiet=quiet)
        sys.stdout.flush()
        # The last action: a run is over when everything is written and reported. A kill before this point continues the
        # run; during Python's exit of some ten milliseconds it would restart a complete run.
        batch.complete(result)
        if result.end == "complete":
            terminal.end_process(code)
        return code


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


def _conclude(terminal: Terminal, result: "RunResult", *, to_file: bool, quiet: bool) -> int:
    from memgpt_cli.cli.batch.progress import show_summary

    if terminal.json and to_file:
        terminal.print_json(result.summary.as_json())
    elif not quiet:
        show_summary(terminal, result.summary)
    if result.reason is not None:
        raise result.reason
    if result.end == "interrupted":
        terminal.notice("stopped; the same command continues from here", style=None)
        return ExitCode.INTERRUPTED
    if result.end == "failed_fast":
        terminal.notice("stopped at the first failure; the same command continues with the others", style=None)
    elif result.summary.failed and not quiet:
        terminal.notice("the same command with --retry-failed repeats the failed ones", style=None)
    return ExitCode.OK if result.summary.ok else ExitCode.FAILURE
