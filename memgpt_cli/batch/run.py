"""A run: it distributes conversations to workers and writes their results until all are done or it is stopped.

Conversations of one agent run one at a time, in the order of the input; all others run in parallel. A result is in the
journal before it is in the output.
"""

import queue
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from memgpt_cli.batch.journal import RunJournal
from memgpt_cli.batch.output import Output
from memgpt_cli.batch.pace import Pace, RunEndsError, SpendingLimitError
from memgpt_cli.batch.reading import BatchInput, Entry
from memgpt_cli.batch.records import ConversationRecord, TurnRecord
from memgpt_cli.batch.talking import RunOptions, TurnObserver
from memgpt_cli.batch.tally import RunSummary, Tally, summarise
from memgpt_cli.batch.workers import Worker, WorkerMaker
from memgpt_cli.errors import MemGPTError

_LOOK_S: Final = 0.2

Lane = tuple[Entry, ...]
"""Conversations that must run one after the other."""


class RunEnd(StrEnum):
    """Why a run is over."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    FAILED_FAST = "failed_fast"
    SPENT = "spent"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """Progress of a run, for a progress bar. `paused_s`: for how many more seconds all calls are paused."""

    total: int
    ended: int
    failed: int
    turns: int
    cost_usd: float | None
    paused_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The result of a run; `reason` is the error that ended it early, if any."""

    end: RunEnd
    summary: RunSummary
    reason: MemGPTError | None = None


def lanes(entries: Sequence[Entry]) -> list[Lane]:
    """Group the conversations of one agent, in order; the groups are in the order of their first conversations."""
    by_agent: dict[str, list[Entry]] = {}
    made: list[list[Entry]] = []
    for entry in entries:
        if entry.agent is None:
            made.append([entry])
        elif entry.agent in by_agent:
            by_agent[entry.agent].append(entry)
        else:
            by_agent[entry.agent] = lane = [entry]
            made.append(lane)
    return [tuple(lane) for lane in made]


class Run:
    """One process's part of a run."""

    def __init__(
        self,
        batch: BatchInput,
        *,
        journal: RunJournal,
        output: Output,
        run_options: RunOptions,
        tally: Tally,
        make_worker: WorkerMaker,
        workers: int,
        pace: Pace,
        fail_fast: bool = False,
        progress: Callable[[RunProgress], None] = lambda _: None,
    ) -> None:
        self._batch = batch
        self._journal = journal
        self._output = output
        self._run_options = run_options
        self._tally = tally
        self._make_worker = make_worker
        self._workers = workers
        self._fail_fast = fail_fast
        self._pace = pace
        self._progress = progress
        self._stop = threading.Event()
        self._end = RunEnd.COMPLETE
        self._reason: MemGPTError | None = None
        self._broken: BaseException | None = None
        self._writing = threading.Lock()

    def stop(self, end: RunEnd = RunEnd.INTERRUPTED, reason: MemGPTError | None = None) -> None:
        """Let the running turns end and begin no more."""
        if not self._stop.is_set():
            self._end, self._reason = end, reason
            self._stop.set()
            self._pace.stop()

    def go(self) -> RunResult:
        """Run the unfinished conversations. Raises worker errors that are not errors of a conversation."""
        started = time.monotonic()
        waiting: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        ended = self._journal.ended
        todo = lanes([entry for entry in self._batch.entries if entry.index not in ended])
        for lane in todo:
            waiting.put(lane)
        self._tell()
        workers: list[Worker] = []
        try:
            for _ in range(min(self._workers, len(todo))):
                workers.append(self._make_worker())  # noqa: PERF401 - those that were made must be closed
        except BaseException:
            for worker in workers:
                worker.close()
            raise
        threads = [
            threading.Thread(target=self._work, args=(worker, waiting), name=f"batch {number}", daemon=True)
            for number, worker in enumerate(workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():  # a wait without end would block Ctrl-C
                thread.join(_LOOK_S)
                with self._writing:
                    self._tell()
        if self._broken is not None:
            raise self._broken
        left = len(self._batch.entries) - len(self._journal.ended)
        if not left:
            self._end = RunEnd.COMPLETE
            self._output.complete()
        summary = summarise(
            self._tally,
            total=len(self._batch.entries),
            elapsed_s=time.monotonic() - started,
            rate_limits=self._pace.refusals,
        )
        return RunResult(end=self._end, summary=summary, reason=self._reason if left else None)

    def _work(self, worker: Worker, waiting: "queue.SimpleQueue[Lane]") -> None:
        try:
            while not self._stop.is_set():
                try:
                    lane = waiting.get_nowait()
                except queue.Empty:
                    return
                for entry in lane:
                    if not self._stop.is_set():
                        self._one(worker, entry)
        except SpendingLimitError as error:
            self.stop(RunEnd.SPENT, error)
        except RunEndsError:
            self.stop()
        except BaseException as error:  # noqa: BLE001 - passed to the thread that waits in `go`
            self._broken = self._broken or error
            self.stop()
        finally:
            worker.close()

    def _one(self, worker: Worker, entry: Entry) -> None:
        conversation = self._batch.conversation(entry)
        with self._writing:
            done = self._journal.turns(entry.index)
            for turn in done:
                self._output.turn_ended(entry.index, entry.id, turn)

        def tell(turn: TurnRecord) -> None:
            self._turn_ended(entry, turn)

        observer = TurnObserver(tell=tell, stopping=self._stop.is_set, waited=self._pace.waited)
        record = worker.run(conversation, done, observer)
        if record is not None:
            self._ended(entry, record)

    def _turn_ended(self, entry: Entry, turn: TurnRecord) -> None:
        with self._writing:
            if not self._run_options.begin_again or entry.agent is not None:
                self._journal.turn_ended(entry.index, turn)
            self._output.turn_ended(entry.index, entry.id, turn)
            self._tally.turn(turn)
            self._tell()

    def _ended(self, entry: Entry, record: ConversationRecord) -> None:
        with self._writing:
            self._journal.conversation_ended(record)
            self._output.conversation_ended(record)
            self._tally.conversation(record)
            self._tell()
        if self._run_options.begin_again or not record.has_error:
            shutil.rmtree(self._run_options.work(entry.index), ignore_errors=True)
        if self._fail_fast and not record.ok:
            self.stop(RunEnd.FAILED_FAST)

    def _tell(self) -> None:
        self._progress(
            RunProgress(
                total=len(self._batch.entries),
                ended=self._tally.conversations,
                failed=self._tally.failed,
                turns=self._tally.turns,
                cost_usd=self._tally.spent.cost_usd,
                paused_s=self._pace.paused(),
            )
        )
