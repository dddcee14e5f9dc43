"""The full-text index: which messages and passages hold a query's words, or stand next to what does.

FTS5 keeps the postings, inside the transaction of whatever adds a row; the scores are computed from them (`bm25`),
because FTS5's own cost 1 us a hit and would need every message's words copied to its neighbours. Words are cut by
`words`. Nothing here decides a ranking: that is fused from this and other signals in `external_context`.

A spoken message has a *place*: a number that its neighbours in the session follow on, while sessions lie `GAP` apart.
Function results and notices have none; they are kept in a table of their own and found only when asked for.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.messages import SPOKEN, Message, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters, LexicalHit, RecallFilters
from memgpt_cli.domain.times import from_text
from memgpt_cli.storage.bm25 import Lengths, Postings, best, extended
from memgpt_cli.storage.filters import archival_where, recall_where
from memgpt_cli.storage.occurrences import OCCURRENCE, as_numbers, as_postings, either, near, phrase
from memgpt_cli.storage.words import Term, Tokenizer, segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REACH: Final = 2
"""How many messages before and after count as what was said around one (measured in docs/search.md)."""

GAP: Final = REACH + 1
"""The distance between the last place of a session and the first of the next."""

_TOGETHER: Final = 2
_PAIR_WEIGHT: Final = 0.5
"""Two neighbouring words of a query count as a term of this weight where at most one word parts them."""

_CHUNK: Final = 10_000

_GENERATION: Final = "words_generation"
"""The key in `meta` that counts rebuilds: places are numbered anew."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the last spoken message stands: what decides where the next one goes."""

    place: int
    session: int
    label: str | None
    at: datetime


class FullText:
    """ports.LexicalIndex on one connection. Writes join the caller's transaction.

    `context_weight` is the weight of neighbouring messages (and of a passage's source, heading and tags);
    `session_gap` ends a session where an import does not say.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        context_weight: float = 0.3,
        session_gap: timedelta = timedelta(hours=4),
    ) -> None:
        self._db = connection
        self._context_weight = context_weight
        self._gap = session_gap
        self._tokenizer: Tokenizer | None = None
        self._message_lengths = _LengthCache("message_places", "place", reach=REACH)
        self._passage_lengths = _LengthCache("passage_lengths", "passage", reach=0)

    # What is written

    def add_message(self, message: Message) -> None:
        """Index a message whose row was just inserted."""
        self.add_messages((message,))

    def add_messages(self, messages: Iterable[Message]) -> None:
        """Index messages whose rows were just inserted, in the order of their ids."""
        last = self._last_place()
        chunk: list[tuple[int, int, int, int, str]] = []
        for message in messages:
            words = segment(message.text)
            length = len(words.split())
            if length == 0:
                continue
            if message.role not in SPOKEN:
                self._db.execute("INSERT INTO event_words (rowid, words) VALUES (?, ?)", (message.id, words))
                continue
            last = self._next_place(last, message)
            chunk.append((last.place, message.id, last.session, length, words))
            if len(chunk) == _CHUNK:
                self._write(chunk)
                chunk = []
        self._write(chunk)

    def remove_message(self, message_id: int) -> None:
        """Take a message out of the index. Its row must still hold the text that was indexed."""
        row = self._db.execute("SELECT role, text FROM messages WHERE id = ?", (message_id,)).fetchone()
        if row is None:
            raise ValueError(f"message {message_id} must leave the index before its row is deleted")
        words = segment(row[1])
        place = self._db.execute("SELECT place FROM message_places WHERE message = ?", (message_id,)).fetchone()
        if place is not None:
            self._db.execute(
                "INSERT INTO message_words (message_words, rowid, words) VALUES ('delete', ?, ?)", (place[0], words)
            )
            self._db.execute("DELETE FROM message_places WHERE place = ?", (place[0],))
            self._message_lengths.forget()
        elif Role(row[0]) not in SPOKEN and words.strip():
            self._db.execute(
                "INSERT INTO event_words (event_words, rowid, words) VALUES ('delete', ?, ?)", (message_id, words)
            )

    def add_passage(self, passage: Passage) -> None:
        """Index a passage whose row was just inserted."""
        words, context = segment(passage.text), _passage_context(passage.source, passage.location, passage.tags)
        self._db.execute(
            "INSERT INTO passage_words (rowid, words, context) VALUES (?, ?, ?)", (passage.id, words, context)
        )
        self._db.execute(
            "INSERT INTO passage_lengths (passage, length) VALUES (?, ?)",
            (passage.id, 1 + len(words.split()) + len(context.split())),
        )

    def remove_passage(self, passage_id: int) -> None:
        """Take a passage out of the index. Its row must still hold what was indexed."""
        row = self._db.execute(
            "SELECT text, source, location, tags FROM passages WHERE id = ?", (passage_id,)
        ).fetchone()
        if row is None:
            raise ValueError(f"passage {passage_id} must leave the index before its row is deleted")
        if self._db.execute("DELETE FROM passage_lengths WHERE passage = ?", (passage_id,)).rowcount == 0:
            return
        self._db.execute(
            "INSERT INTO passage_words (passage_words, rowid, words, context) VALUES ('delete', ?, ?, ?)",
            (passage_id, segment(row[0]), _passage_context(row[1], row[2], json.loads(row[3]))),
        )
        self._passage_lengths.forget()

    def replace_passage(self, passage: Passage) -> None:
        """Index the new state of a passage whose row still holds the old one."""
        self.remove_passage(passage.id)
        self.add_passage(passage)

    def rebuild(self) -> None:
        """Make the whole index anew from the rows."""
        for table in ("message_words", "event_words", "passage_words"):
            self._db.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")  # noqa: S608 - our own names
        self._db.execute("DELETE FROM message_places")
        self._db.execute("DELETE FROM passage_lengths")
        self._db.execute(
            "INSERT INTO meta (key, value) VALUES (?, '1') ON CONFLICT (key) DO UPDATE SET value = value + 1",
            (_GENERATION,),
        )
        self.add_messages(
            Message(id=row[0], role=Role(row[1]), text=row[2], created_at=from_text(row[3]), session=row[4])
            for row in self._db.execute("SELECT id, role, text, created_at, session FROM messages ORDER BY id")
        )
        rows = self._db.execute(
            "SELECT id, text, created_at, source, location, tags FROM passages WHERE deleted_at IS NULL"
        )
        for row in rows:
            self.add_passage(
                Passage(
                    id=row[0],
                    text=row[1],
                    created_at=from_text(row[2]),
                    source=row[3],
                    location=row[4],
                    tags=tuple(json.loads(row[5])),
                )
            )

    # What is asked

    def search_messages(self, query: str, filters: RecallFilters, limit: int) -> list[LexicalHit]:
        """The best messages, best first; of equals the later one first."""
        terms = self._terms(query)
        if not terms or limit <= 0:
            return []
        hits = self._search_spoken(terms, filters, limit)
        if not set(filters.roles) <= set(SPOKEN):
            hits += self._search_events(terms, filters, limit)
        return sorted(hits, key=lambda hit: (-hit.score, -hit.id))[:limit]

    def search_passages(self, query: str, filters: ArchivalFilters, limit: int) -> list[LexicalHit]:
        """The best passages, best first; of equals the later one first."""
        terms = self._terms(query)
        if not terms or limit <= 0:
            return []
        postings = self._postings("passage", terms)
        where, values = archival_where(filters)
        allowed = self._numbers(f"SELECT group_concat(id) FROM passages WHERE {where}", values) if values else None  # noqa: S608
        lengths = self._passage_lengths.read(self._db)
        found = best(postings, lengths, limit=limit, reach=0, context=0.0, allowed=allowed)
        return [
            LexicalHit(id=hit.row, score=hit.score, words=tuple(terms[n].word for n in hit.terms if n < len(terms)))
            for hit in found
        ]

    def sessions(self, ids: Sequence[int]) -> dict[int, int]:
        """For each of these messages a number that its session's messages share."""
        rows = self._db.execute(
            "SELECT message, session FROM message_places WHERE message IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return dict(rows.fetchall())

    def beside(self, ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """For each of these messages the spoken ones at most `REACH` before and after it in its session."""
        rows = self._db.execute(
            "SELECT p.message, q.message FROM message_places p JOIN message_places q"  # noqa: S608 - a constant
            f" ON q.place BETWEEN p.place - {REACH} AND p.place + {REACH} AND q.place != p.place"
            " WHERE p.message IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        found: dict[int, list[int]] = {}
        for message, neighbour in rows:
            found.setdefault(message, []).append(neighbour)
        return {message: tuple(neighbours) for message, neighbours in found.items()}

    def _search_spoken(self, terms: Sequence[Term], filters: RecallFilters, limit: int) -> list[LexicalHit]:
        postings = self._postings("message", terms)
        allowed, barred = self._allowed(filters), self._barred(filters)
        found = best(
            postings,
            self._message_lengths.read(self._db),  # read last, so that it covers all that was found
            limit=limit,
            reach=REACH,
            context=self._context_weight,
            allowed=allowed,
            barred=barred,
        )
        rows = self._db.execute(
            "SELECT place, message, session FROM message_places WHERE place IN (SELECT value FROM json_each(?))",
            (json.dumps([hit.row for hit in found]),),
        )
        places = {place: (message, session) for place, message, session in rows}
        return [
            LexicalHit(
                id=places[hit.row][0],
                score=hit.score,
                nearby=hit.nearby,
                words=tuple(terms[n].word for n in hit.terms if n < len(terms)),
                session=places[hit.row][1],
            )
            for hit in found
            if hit.row in places
        ]

    def _search_events(self, terms: Sequence[Term], filters: RecallFilters, limit: int) -> list[LexicalHit]:
        where, values = recall_where(filters)
        rows = self._db.execute(
            "SELECT m.id, -bm25(event_words), m.text FROM event_words JOIN messages m ON m.id = event_words.rowid"  # noqa: S608
            f" WHERE event_words MATCH ? AND {where} ORDER BY bm25(event_words), m.id DESC LIMIT ?",
            (" OR ".join(f'"{segment(term.word)}"' for term in terms), *values, limit),
        )
        return [
            LexicalHit(id=row[0], score=row[1], words=tuple(t.word for t in terms if t.word in row[2].casefold()))
            for row in rows
        ]

    def _terms(self, query: str) -> list[Term]:
        if self._tokenizer is None:
            self._tokenizer = Tokenizer()
        return self._tokenizer.terms(query)

    def _postings(self, kind: str, terms: Sequence[Term]) -> list[Postings]:
        """Of each term, then of each two neighbouring words of the query where they stand together too."""
        columns = (1.0, self._context_weight)
        found = [either([self._form(kind, form) for form in term.forms]) for term in terms]
        pairs = [
            near(found[i], found[i + 1], within=_TOGETHER)
            for i in range(len(terms) - 1)
            if len(terms[i].forms[0]) == len(terms[i + 1].forms[0]) == 1
        ]
        return [
            *(as_postings(occurrences, columns=columns) for occurrences in found),
            *(as_postings(occurrences, columns=columns, weight=_PAIR_WEIGHT) for occurrences in pairs),
        ]

    def _form(self, kind: str, tokens: Sequence[str]) -> "NDArray[np.int64]":
        sql = f"SELECT {OCCURRENCE} FROM {kind}_terms WHERE term = ?"  # noqa: S608 - our own names
        return phrase([as_numbers(self._db.execute(sql, (token,)).fetchone()[0]) for token in tokens])

    def _allowed(self, filters: RecallFilters) -> "NDArray[np.int64] | None":
        """The places that pass the filters; None when that is all of them, but for those that are barred."""
        all_roles = set(filters.roles) >= set(SPOKEN)
        if all_roles and not filters.in_context and not (filters.start or filters.end or filters.name):
            return None
        where, values = recall_where(filters)
        sql = f"SELECT group_concat(place) FROM messages m JOIN message_places p ON p.message = m.id WHERE {where}"  # noqa: S608
        return self._numbers(sql, values)

    def _barred(self, filters: RecallFilters) -> "NDArray[np.int64] | None":
        """The places, rising, of the turn that asks, and of the queue when that is not wanted: they are few."""
        if filters.in_context is not False and filters.not_turn is None:
            return None
        return self._numbers(
            "SELECT group_concat(place) FROM (SELECT place FROM messages m JOIN message_places p ON p.message = m.id"
            " WHERE m.id IN (SELECT id FROM messages WHERE evicted_by IS NULL AND ? UNION ALL"
            " SELECT id FROM messages WHERE turn = ?) ORDER BY place)",
            (filters.in_context is False, filters.not_turn),
        )

    def _numbers(self, sql: str, values: Sequence[object]) -> "NDArray[np.int64]":
        """The result of a query for one `group_concat` of integers."""
        return as_numbers(self._db.execute(sql, values).fetchone()[0])

    # Places

    def _last_place(self) -> _Place | None:
        row = self._db.execute(
            "SELECT p.place, p.session, m.session, m.created_at FROM message_places p"
            " JOIN messages m ON m.id = p.message ORDER BY p.place DESC LIMIT 1"
        ).fetchone()
        return None if row is None else _Place(row[0], row[1], row[2], from_text(row[3]))

    def _next_place(self, last: _Place | None, message: Message) -> _Place:
        if last is None:
            return _Place(GAP, GAP, message.session, message.created_at)
        same = message.session == last.label and (
            message.session is not None or abs(message.created_at - last.at) <= self._gap
        )
        place = last.place + (1 if same else GAP)
        return _Place(place, last.session if same else place, message.session, message.created_at)

    def _write(self, chunk: Sequence[tuple[int, int, int, int, str]]) -> None:
        self._db.executemany("INSERT INTO message_words (rowid, words) VALUES (?, ?)", ((c[0], c[4]) for c in chunk))
        self._db.executemany(
            "INSERT INTO message_places (place, message, session, length) VALUES (?, ?, ?, ?)", (c[:4] for c in chunk)
        )


class _LengthCache:
    """The lengths of all rows of one kind, kept in memory: 4 bytes a row, read on as rows are added."""

    def __init__(self, table: str, number: str, *, reach: int) -> None:
        self._rows = f"SELECT group_concat({number}), group_concat(length) FROM {table} WHERE {number} > ?"  # noqa: S608
        self._reach = reach
        self._generation: str | None = None
        self._last = 0
        self._lengths: Lengths | None = None

    def forget(self) -> None:
        """Read everything anew the next time."""
        self._lengths = None

    def read(self, db: sqlite3.Connection) -> Lengths:
        """The lengths as they stand."""
        row = db.execute("SELECT value FROM meta WHERE key = ?", (_GENERATION,)).fetchone()
        generation = None if row is None else row[0]
        if self._lengths is None or generation != self._generation:
            self._lengths, self._last, self._generation = None, 0, generation
        numbers, tokens = (as_numbers(joined) for joined in db.execute(self._rows, (self._last,)).fetchone())
        if self._lengths is None or len(numbers):
            self._lengths = extended(self._lengths, numbers, tokens, reach=self._reach)
            self._last = int(numbers[-1]) if len(numbers) else 0
        return self._lengths


def _passage_context(source: str | None, location: str | None, tags: Sequence[str]) -> str:
    return segment(" ".join((source or "", location or "", *tags)))
