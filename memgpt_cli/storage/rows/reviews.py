"""Writes that wait for the person, as rows of `reviews`; every change of their state is in the journal."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.history import Change
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.domain.reviews import Review, ReviewState
from memgpt_cli.domain.times import from_text, to_text
from memgpt_cli.domain.trust import Origin
from memgpt_cli.ports import ReviewStore
from memgpt_cli.storage.rows.journal import Journal


class Reviews(ReviewStore):
    """Reviews on one connection. Writes join the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection, journal: Journal) -> None:
        self._db = connection
        self._journal = journal

    @override
    def add(self, review: Review) -> Review:
        same = self._db.execute(
            "SELECT * FROM reviews WHERE state = ? AND label = ? AND function = ? AND arguments = ?",
            (ReviewState.WAITING, review.label, review.function, review.arguments),
        ).fetchone()
        if same is not None:
            return _review(same)
        origin = review.provenance.origin or Origin(least=review.provenance.author)
        cursor = self._db.execute(
            "INSERT INTO reviews (at, label, function, arguments, reason, message_id, turn, origin, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                to_text(review.at),
                review.label,
                review.function,
                review.arguments,
                review.reason,
                review.provenance.message_id,
                review.turn,
                origin.to_text(),
                ReviewState.WAITING,
            ),
        )
        stored = replace(review, id=cursor.lastrowid or 0)
        self._record(stored.id, ReviewState.WITHDRAWN, ReviewState.WAITING, at=review.at, provenance=review.provenance)
        return stored

    @override
    def get(self, review_id: int) -> Review | None:
        row = self._db.execute("SELECT * FROM reviews WHERE id = ?", (review_id,)).fetchone()
        return None if row is None else _review(row)

    @override
    def page(self, *, limit: int, offset: int = 0, state: ReviewState | None = None) -> list[Review]:
        rows = self._db.execute(
            "SELECT * FROM reviews WHERE ? IS NULL OR state = ? ORDER BY id LIMIT ? OFFSET ?",
            (state, state, limit, offset),
        )
        return [_review(row) for row in rows]

    @override
    def count(self, state: ReviewState) -> int:
        return int(self._db.execute("SELECT count(*) FROM reviews WHERE state = ?", (state,)).fetchone()[0])

    @override
    def decide(self, reviews: Sequence[Review], state: ReviewState, *, at: datetime, provenance: Provenance) -> None:
        for review in reviews:
            self.move(review.id, state, at=at)
            self._record(review.id, review.state, state, at=at, provenance=provenance)

    def is_as_in(self, review_id: int, state: int) -> bool:
        """Whether it is in this state; one that is unknown counts as withdrawn."""
        row = self._db.execute("SELECT state FROM reviews WHERE id = ?", (review_id,)).fetchone()
        return state == (ReviewState.WITHDRAWN if row is None else row["state"])

    def move(self, review_id: int, state: int, *, at: datetime) -> None:
        """Give it a state, as a decision or its undo does."""
        decided = None if state == ReviewState.WAITING else to_text(at)
        self._db.execute("UPDATE reviews SET state = ?, decided_at = ? WHERE id = ?", (state, decided, review_id))

    def _record(self, review_id: int, before: int, after: int, *, at: datetime, provenance: Provenance) -> None:
        change = Change(kind=Kind.REVIEW, first=review_id, last=review_id, before=before, after=after)
        self._journal.record(change, at=at, provenance=provenance)


def _review(row: sqlite3.Row) -> Review:
    return Review(
        id=row["id"],
        at=from_text(row["at"]),
        label=row["label"],
        function=row["function"],
        arguments=row["arguments"],
        reason=row["reason"],
        provenance=Provenance(
            author=Author.AGENT, message_id=row["message_id"], origin=Origin.from_text(row["origin"])
        ),
        turn=row["turn"],
        state=ReviewState(row["state"]),
        decided_at=None if row["decided_at"] is None else from_text(row["decided_at"]),
    )
