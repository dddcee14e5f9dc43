"""Where conversations run: on threads of this process, or each worker in a spawned process of its own.

A spawned process exits when its parent is gone, for any reason, so that it cannot write to the run's folder while the
next start uses it.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final, Protocol

from memgpt_cli.batch.agents import Agents
from memgpt_cli.batch.conversations import ScriptedConversation
from memgpt_cli.batch.records import ConversationRecord, Failure, TurnRecord
from memgpt_cli.batch.talking import RunOptions, Talker, TurnObserver
from memgpt_cli.errors import MemGPTError

_LOOK_S: Final = 0.1
"""Seconds between two checks of a waiting parent for a stop."""
_PATIENCE_S: Final = 5.0


class Worker(Protocol):
    """Runs one conversation at a time; used by one thread."""

    def run(
        self, conversation: ScriptedConversation, done: Sequence[TurnRecord], observer: TurnObserver
    ) -> ConversationRecord | None:
        """Run a conversation; see `talking.Talker.run`."""
        ...

    def close(self) -> None:
        """Release the worker."""
        ...


class LocalWorker:
    """Works in this process."""

    def __init__(self, agents: Agents, run_options: RunOptions) -> None:
        self._talker = Talker(agents, run_options)

    def run(
        self, conversation: ScriptedConversation, done: Sequence[TurnRecord], observer: TurnObserver
    ) -> ConversationRecord | None:
        """Run a conversation; see `talking.Talker.run`."""
        return self._talker.run(conversation, done, observer)

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class _Ended:
    record: ConversationRecord | None


@dataclass(frozen=True, slots=True)
class _Broken:
    error: str


class SpawnedWorker:
    """Works in a separate process, which is restarted if it crashes."""

    def __init__(self, agents: Agents, run_options: RunOptions) -> None:
        self._agents = agents
        self._run_options = run_options
        self._process: Any = None
        self._pipe: Connection | None = None

    def start(self) -> None:
        """Start the process, which takes a second; `run` starts it if necessary."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, self._agents, self._run_options), name="batch worker", daemon=True
        )
        with _without_interrupts():
            self._process.start()
        theirs.close()

    def run(
        self, conversation: ScriptedConversation, done: Sequence[TurnRecord], observer: TurnObserver
    ) -> ConversationRecord | None:
        """Run a conversation; see `talking.Talker.run`. If the process crashes, the conversation fails."""
        if self._process is not None and not self._process.is_alive():  # it crashed while idle
            self.close()
        if self._pipe is None:
            self.start()
        pipe = self._pipe
        assert pipe is not None  # noqa: S101 - `start` has made it
        try:
            pipe.send((conversation, tuple(done)))
            return self._follow(pipe, observer)
        except (EOFError, OSError):
            self.close()
            code = self._process.exitcode if self._process is not None else None
            error = Failure(code="worker", message=f"the worker process crashed (exit code {code})")
            return ConversationRecord(
                index=conversation.index, id=conversation.id, agent=conversation.agent, turns=tuple(done), error=error
            )

    def _follow(self, pipe: Connection, observer: TurnObserver) -> ConversationRecord | None:
        stop_sent = False
        while True:
            if not stop_sent and observer.stopping():
                pipe.send(None)
                stop_sent = True
            if not pipe.poll(_LOOK_S):
                continue
            said = pipe.recv()
            if isinstance(said, _Ended):
                return said.record
            if isinstance(said, _Broken):
                raise MemGPTError(said.error, hint="this is a bug in memgpt; run it with --workers 1 --debug")
            observer.tell(said)

    def close(self) -> None:
        """Let the process end, without waiting long."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.join(_PATIENCE_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()


def serve(pipe: Connection, agents: Agents, run_options: RunOptions) -> None:
    """The spawned process: run what comes through the pipe until it is closed.

    Ctrl-C and SIGTERM often reach all processes of a group. They are ignored here; the parent says when to stop.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, name="parent", daemon=True).start()
    talker = Talker(agents, run_options)
    while True:
        try:
            asked = pipe.recv()
        except EOFError:
            return
        if asked is None:  # a stop arrived when the conversation had just ended
            continue
        conversation, done = asked
        try:
            observer = TurnObserver(tell=pipe.send, stopping=_Asked(pipe))
            pipe.send(_Ended(talker.run(conversation, done, observer)))
        except (BrokenPipeError, EOFError):
            return
        except Exception as error:  # noqa: BLE001 - the boundary of this process
            pipe.send(_Broken(f"{type(error).__name__}: {error}"))


class _Asked:
    """Whether the parent has asked to stop this conversation."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._stop = False

    def __call__(self) -> bool:
        while not self._stop and self._pipe.poll():
            self._stop = self._pipe.recv() is None
        return self._stop


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes started here ignore Ctrl-C: their parent stops them between two turns."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


WorkerMaker = Callable[[], Worker]
