"""One conversation from its first message to its last question, new or continued.

There are two ways to continue after a kill. A new agent with a built-in model starts again: that costs nothing and
gives the same bytes. Any other agent continues: each message has an id by which the record recognises it, so no message
is sent twice, and finished answers to questions are in the journal.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from memgpt_cli.agent.session import WORTH_FLUSHING, Session
from memgpt_cli.batch.agents import Agents
from memgpt_cli.batch.conversations import ScriptedConversation, ScriptedMessage
from memgpt_cli.batch.expectations import check
from memgpt_cli.batch.journal import SEED, WORK
from memgpt_cli.batch.pace import RunEndsError
from memgpt_cli.batch.records import ConversationRecord, Failure, TurnKind, TurnRecord
from memgpt_cli.batch.turns import Delivery, TurnOutcome, failure, run_turn
from memgpt_cli.domain.kinds import Collection
from memgpt_cli.errors import MemGPTError

_COPY: Final = "copy"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What all conversations of a run have in common.

    `folder` is the run's, `token` its own. `begin_again`: new agents restart after a kill. `kept` names the agents to
    keep, by conversation. Without `timed` times are omitted.
    """

    folder: Path
    token: str
    begin_again: bool
    timed: bool
    kept: Mapping[int, str] = field(default_factory=dict)

    def work(self, index: int) -> Path:
        """Return the folder of a conversation's agent."""
        return self.folder / WORK / str(index)

    def mark(self, index: int) -> str:
        """Return the mark that identifies the agent kept by this run."""
        return f"{self.token}/{index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnObserver:
    """Receives each new turn, and says between turns whether to stop."""

    tell: Callable[[TurnRecord], None]
    stopping: Callable[[], bool]
    waited: Callable[[], float] = lambda: 0.0


class Talker:
    """Runs conversations, one at a time."""

    def __init__(self, agents: Agents, run_options: RunOptions) -> None:
        self._agents = agents
        self._run_options = run_options

    def run(
        self, conversation: ScriptedConversation, done: Sequence[TurnRecord], observer: TurnObserver
    ) -> ConversationRecord | None:
        """The conversation's outcome, or None when it was stopped before its end.

        `done` are the turns in the journal. Raises RunEndsError.
        """
        talk = _Talk(conversation, {record.turn: record for record in done}, observer, self._run_options)
        name = conversation.agent or self._run_options.kept.get(conversation.index)
        try:
            with self._opened(conversation) as session:
                if not talk.say_all(session) or not self._ask_all(talk, session):
                    return None
                expect = check(conversation.expect, talk.records, session.store)
            if conversation.agent is None and name is not None and talk.error is None:
                self._agents.keep(
                    self._run_options.work(conversation.index), name, mark=self._run_options.mark(conversation.index)
                )
        except RunEndsError:
            raise
        except MemGPTError as error:
            talk.error, expect = failure(error), ()
        return ConversationRecord(
            index=conversation.index,
            id=conversation.id,
            agent=name,
            turns=tuple(talk.records),
            expect=expect,
            error=talk.error,
        )

    @contextmanager
    def _opened(self, conversation: ScriptedConversation) -> Iterator[Session]:
        if conversation.agent is not None:
            with self._agents.existing(conversation.agent) as session:
                if not _begun(session, self._run_options, conversation):
                    self._agents.set_up(session, conversation)
                yield session
            return
        folder, name = self._run_options.work(conversation.index), self._run_options.kept.get(conversation.index)
        if name is not None:
            self._agents.reclaim(folder, name, mark=self._run_options.mark(conversation.index))
        if self._run_options.begin_again:
            shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            self._agents.fresh(folder, conversation, seed=self._run_options.folder / SEED, name=name)
        with self._agents.private(folder) as session:
            yield session

    def _ask_all(self, talk: "_Talk", session: Session) -> bool:
        """Ask each question in the state after the last message; False if stopped."""
        conversation = talk.conversation
        if talk.error is not None or not conversation.asks:
            return True
        _flush(session, least=1)
        folder = self._run_options.work(conversation.index)
        if conversation.agent is not None:
            folder = folder.with_name(f"{folder.name}-{_COPY}")
            shutil.rmtree(folder, ignore_errors=True)
            self._agents.copy(conversation.agent, folder)
        try:
            return all(talk.ask(number, lambda: self._agents.private(folder)) for number in talk.questions)
        finally:
            if conversation.agent is not None:
                shutil.rmtree(folder, ignore_errors=True)


class _Talk:
    """A conversation in progress."""

    def __init__(
        self,
        conversation: ScriptedConversation,
        done: Mapping[int, TurnRecord],
        observer: TurnObserver,
        run_options: RunOptions,
    ) -> None:
        self.conversation = conversation
        self.records: list[TurnRecord] = []
        self.error: Failure | None = None
        self.questions = range(len(conversation.messages), conversation.turns)
        self._done = done
        self._observer = observer
        self._run_options = run_options

    def say_all(self, session: Session) -> bool:
        """Send every message in order until one fails; False if stopped."""
        for number, said in enumerate(self.conversation.messages):
            if self._observer.stopping():
                return False
            outcome = self._run(session, self._delivery(number, TurnKind.MESSAGE, said))
            known = self._done.get(number) if outcome.repeated else None
            self._add(known or self._judged(outcome.record, said, session), new=known is None)
            if not outcome.ended:
                self.error = outcome.record.error
                return True
            _flush(session, least=WORTH_FLUSHING)
        return True

    def ask(self, number: int, open_session: Callable[[], Session]) -> bool:
        """Ask one question in a session of its own and undo its changes; False if stopped."""
        known = self._done.get(number)
        if known is not None:
            self._add(known, new=False)
            return True
        if self._observer.stopping():
            return False
        said = self.conversation.asks[number - len(self.conversation.messages)]
        with open_session() as session, session.store.rehearsal():
            outcome = self._run(session, self._delivery(number, TurnKind.ASK, said))
            self._add(self._judged(outcome.record, said, session), new=True)
        return True

    def _run(self, session: Session, delivery: Delivery) -> TurnOutcome:
        return run_turn(session, delivery, timed=self._run_options.timed, waited=self._observer.waited)

    def _delivery(self, number: int, kind: TurnKind, said: ScriptedMessage) -> Delivery:
        return Delivery(
            turn=number, kind=kind, said=said, external_id=external_id(self._run_options, self.conversation, number)
        )

    def _judged(self, record: TurnRecord, said: ScriptedMessage, session: Session) -> TurnRecord:
        if not said.expect:
            return record
        return replace(record, expect=check(said.expect, (record,), session.store))

    def _add(self, record: TurnRecord, *, new: bool) -> None:
        self.records.append(record)
        if new:
            self._observer.tell(record)


def external_id(run_options: RunOptions, conversation: ScriptedConversation, number: int) -> str:
    """Return the id by which an agent's record recognises a message of this run."""
    return f"batch/{run_options.token}/{conversation.index}/{number}"


def _begun(session: Session, run_options: RunOptions, conversation: ScriptedConversation) -> bool:
    return session.store.messages.by_external_id(external_id(run_options, conversation, 0)) is not None


def _flush(session: Session, *, least: int) -> None:
    """Embed the outbox, always at the same points of a conversation, so that it is repeatable."""
    try:
        if sum(session.index.pending(collection) for collection in Collection) >= least:
            session.index.flush()
    except MemGPTError:
        pass  # it stays in the outbox, and a search reports that
