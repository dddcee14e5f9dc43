"""Epochs, turns and steps as rows, with their cost."""

import json
import sqlite3
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from memgpt_cli.domain.agents import Epoch, StepRecord, Turn, TurnState
from memgpt_cli.domain.chat import PromptMessage, Usage
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.domain.trust import Origin, origin_of
from memgpt_cli.ports import EpochStore, TurnStore


class Epochs(EpochStore):
    """Epochs on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @override
    def current(self) -> Epoch | None:
        row = self._db.execute("SELECT * FROM epochs ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else _epoch(row)

    @override
    def get(self, epoch_id: int) -> Epoch | None:
        row = self._db.execute("SELECT * FROM epochs WHERE id = ?", (epoch_id,)).fetchone()
        return None if row is None else _epoch(row)

    @override
    def begin(self, epoch: Epoch) -> Epoch:
        cursor = self._db.execute(
            "INSERT INTO epochs (started_at, cause, head, fingerprint, summary, hidden, seen_blocks, warned, origin)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                to_text(epoch.started_at),
                epoch.cause,
                json.dumps([m.to_wire() for m in epoch.head], ensure_ascii=False),
                epoch.fingerprint,
                epoch.summary,
                epoch.hidden,
                json.dumps(epoch.seen_blocks, ensure_ascii=False),
                epoch.warned,
                None if epoch.origin is None else epoch.origin.to_text(),
            ),
        )
        return replace(epoch, id=cursor.lastrowid or 0)

    def ask_for_new(self, cause: str, *, at: datetime, summary: str, hidden: int, origin: Origin | None = None) -> None:
        """The past was rewritten: what follows begins with a head that is yet to be laid out.

        The row has neither head nor fingerprint, so the next process that opens the main context replaces it. Without
        any epoch yet there is nothing to do.
        """
        if self.current() is not None:
            empty = Epoch(
                id=0,
                started_at=at,
                cause=cause,
                head=(),
                fingerprint="",
                summary=summary,
                hidden=hidden,
                origin=origin if summary else None,
            )
            self.begin(empty)

    @override
    def update(self, epoch: Epoch) -> None:
        self._db.execute(
            "UPDATE epochs SET seen_blocks = ?, warned = ? WHERE id = ?",
            (json.dumps(epoch.seen_blocks, ensure_ascii=False), epoch.warned, epoch.id),
        )


class Turns(TurnStore):
    """Turns on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @override
    def begin(self, at: datetime, *, epoch: int) -> Turn:
        """Store a new open turn, with the versions that the model had seen before it, for undoing the turn."""
        cursor = self._db.execute(
            "INSERT INTO turns (started_at, state, epoch, first_epoch, seen_before, warned_before) VALUES (?, ?, ?, ?,"
            " coalesce((SELECT seen_blocks FROM epochs WHERE id = ?4), '{}'),"
            " coalesce((SELECT warned FROM epochs WHERE id = ?4), 0))",
            (to_text(at), TurnState.OPEN, epoch, epoch),
        )
        return Turn(id=cursor.lastrowid or 0, started_at=at, epoch=epoch)

    @override
    def update(self, turn: Turn) -> None:
        self._db.execute(
            "UPDATE turns SET state = ?, epoch = ?, joined = ?, evicted = ? WHERE id = ?",
            (turn.state, turn.epoch, turn.joined, turn.evicted, turn.id),
        )

    @override
    def get(self, turn_id: int) -> Turn | None:
        row = self._db.execute("SELECT * FROM turns WHERE id = ?", (turn_id,)).fetchone()
        return None if row is None else _turn(row)

    @override
    def open_turns(self) -> list[Turn]:
        return [_turn(row) for row in self._db.execute("SELECT * FROM turns WHERE state = 'open' ORDER BY id")]

    @override
    def close_open(self, state: TurnState, *, joined: int | None = None) -> None:
        self._db.execute(
            "UPDATE turns SET state = ?, joined = ? WHERE state = 'open' AND (? IS NULL OR id < ?)",
            (state, joined, joined, joined),
        )

    @override
    def add_step(self, record: StepRecord) -> None:
        if record.at is None:
            msg = "a stored step needs its time"
            raise ValueError(msg)
        self._db.execute(
            "INSERT INTO steps (turn, number, model, epoch, counted_tokens, prompt_tokens, completion_tokens,"
            " cached_tokens, usage_reported, repeated_tokens, cost_usd, duration_s, at, purpose)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.turn,
                record.number,
                record.model,
                record.epoch,
                record.counted_tokens,
                record.usage.prompt_tokens,
                record.usage.completion_tokens,
                record.usage.cached_tokens,
                record.usage_reported,
                record.repeated_tokens,
                record.cost_usd,
                record.duration_s,
                to_text(record.at),
                record.purpose,
            ),
        )

    @override
    def steps(self, turn_id: int) -> list[StepRecord]:
        return [_step(row) for row in self._db.execute("SELECT * FROM steps WHERE turn = ? ORDER BY id", (turn_id,))]

    @override
    def last_step(self) -> StepRecord | None:
        row = self._db.execute("SELECT * FROM steps WHERE purpose = 'reply' ORDER BY id DESC LIMIT 1").fetchone()
        return None if row is None else _step(row)


def _epoch(row: sqlite3.Row) -> Epoch:
    return Epoch(
        id=row["id"],
        started_at=from_text(row["started_at"]),
        cause=row["cause"],
        head=tuple(PromptMessage.from_wire(m) for m in json.loads(row["head"])),
        fingerprint=row["fingerprint"],
        summary=row["summary"],
        hidden=row["hidden"],
        seen_blocks=json.loads(row["seen_blocks"]),
        warned=bool(row["warned"]),
        origin=origin_of(row["origin"]),
    )


def _turn(row: sqlite3.Row) -> Turn:
    return Turn(
        id=row["id"],
        started_at=from_text(row["started_at"]),
        state=TurnState(row["state"]),
        epoch=row["epoch"],
        joined=row["joined"],
        evicted=row["evicted"],
    )


def _step(row: sqlite3.Row) -> StepRecord:
    return StepRecord(
        turn=row["turn"],
        number=row["number"],
        model=row["model"],
        epoch=row["epoch"],
        counted_tokens=row["counted_tokens"],
        usage=Usage(
            prompt_tokens=row["prompt_tokens"],
            completion_tokens=row["completion_tokens"],
            cached_tokens=row["cached_tokens"],
        ),
        usage_reported=bool(row["usage_reported"]),
        repeated_tokens=row["repeated_tokens"],
        cost_usd=row["cost_usd"],
        duration_s=row["duration_s"],
        at=from_text(row["at"]),
        purpose=row["purpose"],
    )
