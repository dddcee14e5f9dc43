"""What the core needs from the world, as Protocols. Adapters implement them; `bootstrap` picks which.

Everything that writes runs inside `Store.transaction()`; nothing that talks to a network may.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Protocol

from memgpt_cli.domain.agents import AgentConfig, Epoch, Filling, StepRecord, Totals, Turn, TurnState
from memgpt_cli.domain.blocks import Block, BlockVersion, Provenance
from memgpt_cli.domain.chat import ChatRequest, Delta
from memgpt_cli.domain.documents import Document, FoundFile, LoadedDocument, SkippedFile, Source
from memgpt_cli.domain.history import Operation, PassageVersion, TakenBack, Tombstone
from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters, LexicalHit, RecallFilters
from memgpt_cli.domain.vectors import Collection, EmbedderIdentity, StoredVector, Vector, WaitingItem


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class ChatModel(Protocol):
    """A language model behind some endpoint, or something that answers like one."""

    @property
    def name(self) -> str:
        """What it is called in requests, settings and records."""
        ...

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """The exact request body that `stream` sends."""
        ...

    def close(self) -> None:
        """Close the connections, if there are any; a later call opens new ones."""
        ...

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it comes; the last delta is a `Usage` where the server reports one.

        Raises ContextLengthError, APIKeyError or ModelError. Closing the iterator stops the call.
        """
        ...


class TokenCounter(Protocol):
    """Counts the tokens of a text."""

    @property
    def name(self) -> str:
        """The table's name (`o200k_base`), or `estimate`."""
        ...

    @property
    def exact(self) -> bool:
        """Whether the table is the model's own."""
        ...

    def count(self, text: str) -> int:
        """Tokens of `text`; never fewer than an exact table gives, when this is an estimate that holds."""
        ...


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def identity(self) -> EmbedderIdentity:
        """Which vector space this is."""
        ...

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One vector for each text, in order. Raises ModelError or APIKeyError when an endpoint fails."""
        ...


Progress = Callable[[str, int, int], None]
"""Called with the stage (`embed` or `index`), what is done of it and its total."""


class VectorIndex(Protocol):
    """Nearest neighbours over the vectors of one agent. Disposable: the store holds the vectors."""

    def search(self, collection: Collection, query: Vector, limit: int) -> list[tuple[int, float]]:
        """The ids nearest to `query` with their cosines, best first, at most `limit`."""
        ...

    def similarities(self, collection: Collection, query: Vector, ids: Sequence[int]) -> dict[int, float]:
        """The exact cosines of these items to `query`; items without a vector are left out."""
        ...

    def pending(self, collection: Collection) -> int:
        """How many items still wait for a vector or for the index, and so cannot be found here."""
        ...

    def check(self) -> None:
        """Raise EmbedderMismatchError when the stored vectors come from another embedder than the configured one."""
        ...

    def flush(self, *, progress: Progress | None = None) -> int:
        """Embed and index what waits in the outbox; returns how many items got their vector.

        Raises what the embedder raises; what was done until then stays done, the rest goes on waiting.
        """
        ...

    def settle(self, *, progress: Progress | None = None) -> int:
        """`flush`, and leave nothing that the index lacks, however little it is: for the end of a load."""
        ...

    def close(self) -> None:
        """Release files and threads; what waits stays in the outbox."""
        ...


class MessageStore(Protocol):
    """Recall storage as rows."""

    def append(self, message: Message) -> Message:
        """Store it and return it with its id; indexes its words in the same transaction."""
        ...

    def get(self, ids: Sequence[int]) -> list[Message]:
        """The messages with these ids, in the order asked for; unknown ids are left out."""
        ...

    def extend(self, messages: Sequence[Message], *, at: datetime, provenance: Provenance) -> int:
        """Store messages that were said elsewhere, out of the queue, each external id once.

        Their `external_id` must be given. Returns how many are new.
        """
        ...

    def known(self, external_ids: Sequence[str]) -> set[str]:
        """Those of these external ids under which a message is stored."""
        ...

    def oldest_first(self, filters: RecallFilters) -> Iterator[Message]:
        """All that match, by (time, id), one after the other."""
        ...

    def by_external_id(self, external_id: str) -> Message | None:
        """The message once stored under this id, if any."""
        ...

    def queue(self) -> list[Message]:
        """What stands in the FIFO queue, oldest first."""
        ...

    def evict(self, ids: Sequence[int], *, epoch: int) -> None:
        """Take these out of the queue, on behalf of the epoch that begins; they wait for embedding."""
        ...

    def evicted(self, *, after: int, limit: int) -> list[Message]:
        """The newest messages evicted on behalf of later epochs than `after`, oldest first."""
        ...

    def set_stub(self, message_id: int, stub: str) -> None:
        """Let the queue show `stub` in place of the text, which stays as it is."""
        ...

    def of_turn(self, turn: int) -> list[Message]:
        """All messages of one turn, oldest first."""
        ...

    def page(
        self, filters: RecallFilters, *, limit: int, before: tuple[datetime, int] | None = None, offset: int = 0
    ) -> list[Message]:
        """Newest first by (time, id); `before` continues after the last row of a page."""
        ...

    def count(self, filters: RecallFilters | None = None) -> int:
        """How many messages match; None counts all."""
        ...

    def speakers(self) -> tuple[str, ...]:
        """The distinct names of user messages, most frequent first."""
        ...

    def neighbours(self, message_id: int, *, before: int, after: int) -> tuple[list[Message], list[Message]]:
        """The spoken messages next to one, in its session: up to `before` earlier and `after` later ones, in order."""
        ...


class BlockStore(Protocol):
    """Core memory as rows, every version kept."""

    def all(self) -> list[Block]:
        """The living blocks, in the order of their creation."""
        ...

    def get(self, label: str) -> Block | None:
        """The living block of this label, if any."""
        ...

    def put(self, block: Block, *, at: datetime, provenance: Provenance) -> Block:
        """Create or change it; returns it with its new version."""
        ...

    def delete(self, label: str, *, at: datetime, provenance: Provenance) -> None:
        """Leave a tombstone."""
        ...

    def restore(self, label: str, version: int, *, at: datetime, provenance: Provenance) -> None:
        """Make an old version current as a new one, deleted if it was."""
        ...

    def history(self, label: str) -> list[BlockVersion]:
        """Every version, oldest first, tombstones included."""
        ...


class PassageStore(Protocol):
    """Archival storage as rows."""

    def add(self, passage: Passage) -> tuple[Passage, bool]:
        """Store it; an exact duplicate is not stored again. Returns the stored one and whether it is new."""
        ...

    def get(self, ids: Sequence[int], filters: ArchivalFilters | None = None) -> list[Passage]:
        """The living passages with these ids that pass the filters, in the order asked for."""
        ...

    def page(self, filters: ArchivalFilters, *, limit: int, offset: int = 0) -> list[Passage]:
        """Newest first."""
        ...

    def revise(self, passage: Passage, *, at: datetime, provenance: Provenance | None = None) -> None:
        """Store another text, source, location or tags of a living passage; the state before stays in its history.

        Raises UsageError when a living passage says exactly the new text.
        """
        ...

    def delete(self, ids: Sequence[int], *, at: datetime, provenance: Provenance | None = None) -> int:
        """Leave tombstones, out of every index; returns how many of these were living."""
        ...

    def restore(self, passage_id: int, version: int, *, at: datetime, provenance: Provenance) -> None:
        """Make what an old version said current as a new one, living or deleted as it was.

        Raises UsageError when a living passage says exactly that.
        """
        ...

    def history(self, passage_id: int) -> list[PassageVersion]:
        """Every version, oldest first, deletions included; empty for a passage that there never was."""
        ...

    def count(self, filters: ArchivalFilters | None = None) -> int:
        """How many living passages match; None counts all."""
        ...


class DocumentStore(Protocol):
    """Which documents are in archival storage, and which passages are theirs. Writes join the caller's transaction.

    Documents share passages of equal text: one is deleted only with the last document that has it.
    """

    def get(self, source: str) -> LoadedDocument | None:
        """What is remembered of a document."""
        ...

    def begin(self, document: LoadedDocument) -> None:
        """Load it, for the first time or anew: until `finish` the passages it had before stay as they are."""
        ...

    def add(self, source: str, passages: Sequence[Passage]) -> int:
        """Give a document that was begun its next passages; returns how many of them were not stored yet."""
        ...

    def finish(self, source: str, *, at: datetime) -> int:
        """All of it is there: delete the passages that it had before and has no more; returns how many."""
        ...

    def delete(self, source: str, *, at: datetime) -> int:
        """Delete the passages of a document or of any other source, and forget the document; returns how many."""
        ...

    def sources(self) -> list[Source]:
        """Every source of a living passage and every document, by name."""
        ...


class DocumentReader(Protocol):
    """Finds files and makes texts of them."""

    def find(self, paths: Sequence[str]) -> Iterator[FoundFile | SkippedFile]:
        """What these files, folders, patterns and `-` stand for; each file once, in a fixed order."""
        ...

    def content(self, file: FoundFile) -> bytes:
        """The bytes of a file. Raises DocumentError."""
        ...

    def read(self, content: bytes, *, name: str) -> Document:
        """What the bytes of a file called `name` say. Raises DocumentError."""
        ...


class JournalStore(Protocol):
    """What was changed in memory, operation by operation. Block, passage and message stores report to it themselves."""

    def operation(self, provenance: Provenance | None = None) -> AbstractContextManager[None]:
        """All changes within are one operation, over several transactions too; nested uses join the outer one."""
        ...

    def standing(self, *, limit: int = 1) -> list[Operation]:
        """The newest operations that stand and can be taken back by themselves, newest first."""
        ...

    def undone(self, *, limit: int = 1) -> list[Operation]:
        """The operations that can be done again, the next one first: those undone after which nothing was done."""
        ...

    def page(self, *, limit: int, offset: int = 0) -> list[Operation]:
        """All operations, newest first."""
        ...

    def of_turn(self, turn: int) -> list[Operation]:
        """What the messages of a turn caused, newest first."""
        ...


class UndoStore(Protocol):
    """Taking back what the journal holds. Writes join the caller's transaction."""

    def undo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        """Take back the last operation that stands; None when there is none.

        Raises UsageError, and changes nothing, when what it changed is not as it left it.
        """
        ...

    def redo(self, *, at: datetime, provenance: Provenance) -> Operation | None:
        """Do again what was last taken back, unless something was done since; None when there is nothing."""
        ...

    def last_turn(self) -> int | None:
        """The turn that `undo_turn` can take back; None when there is none."""
        ...

    def undo_turn(self, turn: int, *, at: datetime, provenance: Provenance) -> TakenBack:
        """Take back the last turn: its messages leave recall, what it changed is undone, what it evicted returns.

        Only for the holder of the agent's lock. Raises UsageError when it is not the last turn.
        """
        ...


class TombstoneStore(Protocol):
    """Messages that were taken out of recall storage. Writes join the caller's transaction."""

    def get(self, message_id: int) -> Tombstone | None:
        """The tombstone of a message, if it has one."""
        ...

    def of_turn(self, turn: int) -> list[Tombstone]:
        """Those of one turn, in order."""
        ...

    def bury(self, ids: Iterable[int], *, at: datetime, provenance: Provenance) -> int:
        """Take messages out of recall storage; returns how many there were. Whole turns are the caller's concern."""
        ...


class EpochStore(Protocol):
    """The epochs; the last one is the present."""

    def current(self) -> Epoch | None:
        """None before the first turn."""
        ...

    def get(self, epoch_id: int) -> Epoch | None:
        """One epoch."""
        ...

    def begin(self, epoch: Epoch) -> Epoch:
        """Store a new epoch; returns it with its id."""
        ...

    def update(self, epoch: Epoch) -> None:
        """Store what changed in it (`seen_blocks`, `warned`)."""
        ...


class TurnStore(Protocol):
    """Turns and their steps."""

    def begin(self, at: datetime, *, epoch: int) -> Turn:
        """A new open turn."""
        ...

    def update(self, turn: Turn) -> None:
        """Store its new state."""
        ...

    def get(self, turn_id: int) -> Turn | None:
        """One turn."""
        ...

    def open_turns(self) -> list[Turn]:
        """Turns that were never answered, oldest first."""
        ...

    def close_open(self, state: TurnState, *, joined: int | None = None) -> None:
        """Give every open turn before `joined` (all, when None) this state."""
        ...

    def add_step(self, record: StepRecord) -> None:
        """Store one counted model call."""
        ...

    def steps(self, turn_id: int) -> list[StepRecord]:
        """The steps of a turn, in order."""
        ...

    def last_step(self) -> StepRecord | None:
        """The newest step of all."""
        ...


class LedgerStore(Protocol):
    """What turns have cost."""

    def totals(self, *, turn: int | None = None, epoch: int | None = None) -> Totals:
        """The calls of one turn, of one epoch, or of all time."""
        ...

    def fillings(self, *, limit: int) -> list[Filling]:
        """How full the window was at the end of each of the last turns, oldest first."""
        ...


class LexicalIndex(Protocol):
    """Full-text candidates. Query text is data: no part of it reaches the engine's own syntax."""

    def search_messages(
        self, query: str, filters: RecallFilters, limit: int, *, context: float = 0.3
    ) -> list[LexicalHit]:
        """The best messages, best first. A word near by counts `context` times what one in the message itself does."""
        ...

    def search_passages(
        self, query: str, filters: ArchivalFilters, limit: int, *, context: float = 0.3
    ) -> list[LexicalHit]:
        """The best passages, best first; `context` weighs the words of source, location and tags."""
        ...

    def spoken(self) -> int:
        """How many messages `RecallFilters()` lets pass; quicker than counting them."""
        ...

    def sessions(self, ids: Sequence[int]) -> dict[int, int]:
        """For each of these messages a number that its session's messages share; only spoken messages have one."""
        ...

    def beside(self, ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """For each of these messages the spoken ones that the index weighs with it: its neighbours in the session."""
        ...

    def refresh(self) -> bool:
        """Do what keeps searches quick, off the user's path, if there is anything to do; from any thread."""
        ...


class Store(Protocol):
    """The record of one agent."""

    @property
    def messages(self) -> MessageStore:
        """Recall storage."""
        ...

    @property
    def blocks(self) -> BlockStore:
        """Core memory."""
        ...

    @property
    def passages(self) -> PassageStore:
        """Archival storage."""
        ...

    @property
    def documents(self) -> DocumentStore:
        """What was loaded into archival storage."""
        ...

    @property
    def epochs(self) -> EpochStore:
        """Epochs."""
        ...

    @property
    def turns(self) -> TurnStore:
        """Turns and steps."""
        ...

    @property
    def journal(self) -> JournalStore:
        """What was changed in memory."""
        ...

    @property
    def undo(self) -> UndoStore:
        """Taking it back."""
        ...

    @property
    def tombstones(self) -> TombstoneStore:
        """What was taken out of recall storage."""
        ...

    @property
    def ledger(self) -> LedgerStore:
        """What turns have cost."""
        ...

    @property
    def lexical(self) -> LexicalIndex:
        """The full-text index."""
        ...

    def config(self) -> AgentConfig:
        """What the agent says of itself."""
        ...

    def set_config(self, config: AgentConfig) -> None:
        """Change it."""
        ...

    def note(self, key: str) -> str | None:
        """A small fact about the agent, kept beside its configuration."""
        ...

    def set_note(self, key: str, value: str) -> None:
        """Keep a small fact about the agent."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """One atomic, durable write (BEGIN IMMEDIATE, synchronous FULL); nested uses join the outer one."""
        ...

    def rehearsal(self) -> AbstractContextManager[None]:
        """A transaction that is always taken back: for showing what would happen."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Inside a transaction: what happens within is taken back alone when it raises."""
        ...

    def close(self) -> None:
        """Close the database."""
        ...


class Calibration(Protocol):
    """What servers reported against what we counted, kept for each model across agents."""

    def ratio(self, model: str) -> float | None:
        """By how much to multiply our counts for this model; None before any report."""
        ...

    def observe(self, model: str, *, counted: int, reported: int) -> None:
        """Learn from one call."""
        ...


class Spending(Protocol):
    """What was spent on each day, by all agents together."""

    def add_spending(self, at: datetime, usd: float) -> None:
        """Book a call made at this instant."""
        ...

    def spent_on(self, day: date) -> float:
        """US dollars booked on that day."""
        ...

    def day(self, at: datetime) -> date:
        """The day, in the person's zone, that an instant belongs to."""
        ...


class PromptSource(Protocol):
    """The texts of the system instructions and of the summariser's orders."""

    def render(self, name: str, values: Mapping[str, str]) -> str:
        """The prompt called `name` (`system_native`, `system_paper`, `summary`) with its placeholders filled.

        Raises ConfigError when a placeholder of `values` is missing in an override, naming it.
        """
        ...


class VectorStore(Protocol):
    """Vectors and the outbox as rows: what `VectorIndex` adapters stand on.

    The vectors of a collection are a log: every change gets the next `seq`, so an index that has seen all up to some
    `seq` need only ask for what came after. What an external index has been given is one such number.
    """

    def identity(self) -> EmbedderIdentity | None:
        """The embedder whose vectors are stored; None before the first."""
        ...

    def restart(self, identity: EmbedderIdentity) -> None:
        """Drop every vector and let all items wait for one from this embedder, in one transaction."""
        ...

    def enqueue(self, collection: Collection, ids: Iterable[int]) -> None:
        """Let these items wait for a (new) vector of their text."""
        ...

    def remove(self, collection: Collection, ids: Iterable[int]) -> None:
        """Forget the vectors of these items and stop waiting for any."""
        ...

    def waiting(self, collection: Collection, limit: int) -> list[WaitingItem]:
        """Items that wait for their vector and have a text, oldest first."""
        ...

    def waiting_count(self, collection: Collection) -> int:
        """How many wait for their vector."""
        ...

    def put(
        self, collection: Collection, rows: Iterable[tuple[WaitingItem, Vector]], *, identity: EmbedderIdentity
    ) -> int:
        """Store vectors and take their items out of the outbox, in one transaction; returns how many were stored.

        A vector whose item was changed or removed meanwhile is not stored. Raises EmbedderMismatchError when the
        stored vectors are another embedder's.
        """
        ...

    def count(self, collection: Collection) -> int:
        """How many vectors are stored."""
        ...

    def generation(self) -> int:
        """Grows when the log begins anew: whatever was read of it before is void."""
        ...

    def changes(self, collection: Collection, *, after: int, limit: int) -> list[StoredVector]:
        """The log after this `seq`, in its order."""
        ...

    def vectors_of(self, collection: Collection, ids: Iterable[int]) -> dict[int, Vector]:
        """The stored vectors of these items; those without one are left out."""
        ...

    def indexed_upto(self, collection: Collection) -> int:
        """The `seq` up to which the external index has been given the log."""
        ...

    def mark_indexed(self, collection: Collection, upto: int) -> None:
        """The external index has been given the log up to this `seq`."""
        ...

    def reset_indexed(self) -> None:
        """The external index is gone: the whole log is to be given to it again."""
        ...

    def unindexed_count(self, collection: Collection) -> int:
        """How many entries of the log the external index has not been given."""
        ...
