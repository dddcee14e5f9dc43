"""The full-text index: which messages and passages contain a query's words, or are neighbours of ones that do.

FTS5 stores the postings in the transaction that adds a row. The scores are computed from them (`bm25`), because FTS5's
own cost 1 us a hit and would require a copy of every message's words for its neighbours. `external_context` fuses the
result with other signals into a ranking.

User and assistant messages are searched with their neighbours, by their places (`places`). Function results and notices
are in a separate table and found only on request.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from memgpt_cli.domain.messages import SPOKEN, Message, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters, LexicalHit, RecallFilters, SessionPlace
from memgpt_cli.domain.times import from_text
from memgpt_cli.errors import StorageError
from memgpt_cli.ports import LexicalIndex
from memgpt_cli.storage.database.connection import connect
from memgpt_cli.storage.database.filters import archival_where, recall_where
from memgpt_cli.storage.lexical.bm25 import Pairs, Postings, Scored, best, rarity, without
from memgpt_cli.storage.lexical.common_words import CommonWords
from memgpt_cli.storage.lexical.forms import Term, Tokenizer
from memgpt_cli.storage.lexical.lengths import CHANGED, GENERATION, RowLengths, numbering
from memgpt_cli.storage.lexical.occurrences import as_numbers, as_postings, either, in_rows, near
from memgpt_cli.storage.lexical.places import REACH, Places, is_filtered
from memgpt_cli.text.words import segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TOGETHER: Final = 2
"""Two neighbouring words of a query are adjacent in a text if at most one other word is between them."""

_MESSAGE_COLUMNS: Final = (1.0,)

_LINES: Final = re.compile(r"(?:^|, )(?:line|row|cell)s? \d+(?:-\d+)?$")
"""The end of a location with line numbers."""

_CHUNK: Final = 10_000

_PROBE: Final = 4
"""This many times more of the best are tried against filters before all passing ones are listed."""


class FullText(LexicalIndex):
    """The full-text index on one connection. Writes join the caller's transaction.

    `session_gap` ends a session if an import does not.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        session_gap: timedelta = timedelta(hours=4),
    ) -> None:
        self._db = connection
        self._path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
        self._places = Places(connection, gap=session_gap)
        self._tokenizer: Tokenizer | None = None
        self._common = CommonWords(connection)
        self._message_lengths = RowLengths("message_places", "place", kind="message", reach=REACH)
        self._passage_lengths = RowLengths("passage_lengths", "passage", kind="passage", reach=0)

    # Writing

    def add_message(self, message: Message) -> None:
        """Index a message whose row was just inserted."""
        self.add_messages((message,))

    def add_messages(self, messages: Iterable[Message], *, first: int | None = None) -> None:
        """Index messages whose rows were just inserted, in the order of their ids; `first` is the lowest id."""
        last, above = self._places.last(), self._common.edge("message")
        chunk: list[tuple[int, int, int, int, str]] = []
        for number, message in enumerate(messages, first or 0):
            if not message.text:
                continue
            row = message.id if first is None else number
            words = segment(message.text)
            if message.role not in SPOKEN:
                self._db.execute("INSERT INTO event_words (rowid, words) VALUES (?, ?)", (row, words))
                continue
            last = self._places.after(last, message, above=above)
            chunk.append((last.number, row, last.session, _length(words), words))
            if len(chunk) == _CHUNK:
                self._write(chunk)
                chunk = []
        self._write(chunk)

    def return_message(self, message: Message, *, place: int, session: int, generation: str | None) -> None:
        """Index a message whose row was inserted again, at its former place, unless places were renumbered since."""
        taken = self._db.execute("SELECT 1 FROM message_places WHERE place = ?", (place,)).fetchone()
        if taken is not None or generation != self.generation():
            self.add_message(message)
            return
        words = segment(message.text)
        self._write([(place, message.id, session, _length(words), words)])
        self._count(CHANGED)
        if place <= self._common.edge("message"):
            self._common.drop("message")

    def generation(self) -> str | None:
        """Return a value that changes when places are renumbered."""
        return numbering(self._db)

    def remove_message(self, message_id: int) -> None:
        """Remove a message from the index. Its row must still contain the indexed text."""
        row = self._db.execute("SELECT role, text FROM messages WHERE id = ?", (message_id,)).fetchone()
        if row is None:
            raise ValueError(f"message {message_id} must leave the index before its row is deleted")
        words = segment(row[1])
        place = self._places.of_message(message_id)
        if place is not None:
            self._db.execute(
                "INSERT INTO message_words (message_words, rowid, words) VALUES ('delete', ?, ?)", (place, words)
            )
            self._db.execute("DELETE FROM message_places WHERE place = ?", (place,))
            self._common.drop_lengths("message")
            self._count(CHANGED)
        elif row[1] and Role(row[0]) not in SPOKEN:
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
            (passage.id, _length(f"{words} {context}")),
        )

    def remove_passage(self, passage_id: int) -> None:
        """Remove a passage from the index. Its row must still contain the indexed text."""
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
        self._common.drop_lengths("passage")
        self._count(CHANGED)

    def return_passage(self, passage: Passage) -> None:
        """Index a passage that had been removed from the index."""
        self.add_passage(passage)
        self._count(CHANGED)
        if passage.id <= self._common.edge("passage"):
            self._common.drop("passage")

    def replace_passage(self, passage: Passage) -> None:
        """Index the new state of a passage whose row still contains the old one."""
        self.remove_passage(passage.id)
        self.add_passage(passage)
        if passage.id <= self._common.edge("passage"):
            self._common.drop("passage")

    def rebuild_messages(self) -> None:
        """Rebuild the index of messages from the rows."""
        self._empty("message", words=("message_words", "event_words"), places="message_places")
        self.add_messages(
            Message(id=row[0], role=Role(row[1]), text=row[2], created_at=from_text(row[3]), session=row[4])
            for row in self._db.execute("SELECT id, role, text, created_at, session FROM messages ORDER BY id")
        )

    def rebuild_passages(self) -> None:
        """Rebuild the index of passages from the rows."""
        self._empty("passage", words=("passage_words",), places="passage_lengths")
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

    def _empty(self, kind: str, *, words: Iterable[str], places: str) -> None:
        for table in words:
            self._db.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")  # noqa: S608 - our own names
        self._common.drop(kind)
        self._db.execute(f"DELETE FROM {places}")  # noqa: S608 - our own names
        self._count(GENERATION)

    def _count(self, key: str) -> None:
        self._db.execute(
            "INSERT INTO meta (key, value) VALUES (?, '1') ON CONFLICT (key) DO UPDATE SET value = value + 1", (key,)
        )

    @override
    def refresh(self) -> bool:
        """Update the copy of common words if enough was added (`common_words`); returns whether it did.

        Has its own connection, so any thread may call it while this object is in use. Raises StorageError.
        """
        try:
            with closing(connect(self._path)) as connection:
                return CommonWords(connection).refresh()
        except sqlite3.Error as error:
            raise StorageError(f"{self._path} cannot be read: {error}", hint="memgpt doctor") from error

    # Searching

    @override
    def search_messages(
        self, query: str, filters: RecallFilters, limit: int, *, context: float = 0.3
    ) -> list[LexicalHit]:
        terms = self._terms(query)
        if not terms or limit <= 0:
            return []
        hits = self._search_spoken(terms, filters, limit, context)
        if not set(filters.roles) <= set(SPOKEN):
            hits += self._search_events(terms, filters, limit)
        return sorted(hits, key=lambda hit: (-hit.score, -hit.id))[:limit]

    @override
    def search_passages(
        self, query: str, filters: ArchivalFilters, limit: int, *, context: float = 0.3
    ) -> list[LexicalHit]:
        terms = self._terms(query)
        if not terms or limit <= 0:
            return []
        occurrences, columns = self._occurrences("passage", terms), (1.0, context)
        postings = [as_postings(found, columns=columns) for found in occurrences]
        pairs = _pairs(terms, occurrences, columns=columns)
        where, values = archival_where(filters)
        allowed = self._passing(where, values) if values else None
        lengths = self._passage_lengths.read(self._db)
        weights = [rarity(found, lengths, reach=0) for found in postings]
        rarities = _by_word(terms, weights)
        found = best(postings, weights, lengths, limit=limit, reach=0, context=0.0, pairs=pairs, allowed=allowed)
        words = _words_of(found, terms)
        return [LexicalHit(id=hit.row, score=hit.score, words=words[hit.terms], rarity=rarities) for hit in found]

    @override
    def count_spoken_messages(self) -> int:
        return self._message_lengths.read(self._db).rows

    @override
    def session_places(self, ids: Sequence[int]) -> dict[int, SessionPlace]:
        return self._places.session_places(ids)

    def _search_spoken(
        self, terms: Sequence[Term], filters: RecallFilters, limit: int, context: float
    ) -> list[LexicalHit]:
        found, rarities = self._best_spoken(terms, filters, limit, context)
        messages = self._places.messages_at([hit.row for hit in found])
        words = _words_of(found, terms)
        return [
            LexicalHit(messages[hit.row], hit.score, hit.nearby, words[hit.terms], rarities)
            for hit in found
            if hit.row in messages
        ]

    def _best_spoken(
        self, terms: Sequence[Term], filters: RecallFilters, limit: int, context: float
    ) -> tuple[list[Scored], dict[str, float]]:
        occurrences = self._occurrences("message", terms)
        excluded = self._places.excluded(filters)
        postings = [without(as_postings(found, columns=_MESSAGE_COLUMNS), excluded) for found in occurrences]
        pairs = _pairs(terms, occurrences, columns=_MESSAGE_COLUMNS)
        lengths = self._message_lengths.read(self._db)  # read last, so that it covers everything found
        weights = [rarity(found, lengths, reach=REACH) for found in postings]
        rarities = _by_word(terms, weights)

        def scored(limit: int, allowed: "NDArray[np.int64] | None" = None) -> list[Scored]:
            return best(
                postings,
                weights,
                lengths,
                limit=limit,
                reach=REACH,
                context=context,
                pairs=pairs,
                allowed=allowed,
                excluded=excluded,
            )

        if not is_filtered(filters):
            return scored(limit), rarities
        tried = scored(_PROBE * limit)
        passing = set(self._places.passing(filters, [hit.row for hit in tried]).tolist())
        kept = [hit for hit in tried if hit.row in passing][:limit]
        if len(kept) == limit or len(tried) < _PROBE * limit:
            return kept, rarities
        return scored(limit, self._places.passing(filters)), rarities

    def _search_events(self, terms: Sequence[Term], filters: RecallFilters, limit: int) -> list[LexicalHit]:
        where, values = recall_where(filters)
        rows = self._db.execute(
            "SELECT m.id, -bm25(event_words), m.text FROM event_words JOIN messages m ON m.id = event_words.rowid"  # noqa: S608
            f" WHERE event_words MATCH ? AND {where} ORDER BY bm25(event_words), m.id DESC LIMIT ?",
            (" OR ".join(form.quoted for term in terms for form in term.forms), *values, limit),
        )
        return [
            LexicalHit(id=row[0], score=row[1], words=tuple(t.word for t in terms if t.word in row[2].casefold()))
            for row in rows
        ]

    def _terms(self, query: str) -> list[Term]:
        if self._tokenizer is None:
            self._tokenizer = Tokenizer()
        return self._tokenizer.terms(query)

    def _occurrences(self, kind: str, terms: Sequence[Term]) -> "list[NDArray[np.int64]]":
        read: dict[str, tuple[NDArray[np.int64], int | None]] = {}
        return [either([self._common.occurrences(kind, form, read) for form in term.forms]) for term in terms]

    def _passing(self, where: str, values: Sequence[object]) -> "NDArray[np.int64]":
        sql = f"SELECT group_concat(id) FROM (SELECT id FROM passages WHERE {where} ORDER BY id)"  # noqa: S608
        return as_numbers(self._db.execute(sql, values).fetchone()[0])

    def _write(self, chunk: Sequence[tuple[int, int, int, int, str]]) -> None:
        self._db.executemany("INSERT INTO message_words (rowid, words) VALUES (?, ?)", ((c[0], c[4]) for c in chunk))
        self._db.executemany(
            "INSERT INTO message_places (place, message, session, length) VALUES (?, ?, ?, ?)", (c[:4] for c in chunk)
        )


def _pairs(terms: Sequence[Term], occurrences: "Sequence[NDArray[np.int64]]", *, columns: Sequence[float]) -> Pairs:
    """Return where two neighbouring words of a query are adjacent."""
    neighbours = [
        n for n in range(len(terms) - 1) if len(terms[n].forms[0].tokens) == len(terms[n + 1].forms[0].tokens) == 1
    ]

    def within(wanted: "NDArray[np.bool_]") -> list[tuple[int, Postings]]:
        there = {n: in_rows(occurrences[n], wanted) for m in neighbours for n in (m, m + 1)}
        together = {n: near(there[n], there[n + 1], within=_TOGETHER) for n in neighbours}
        return [(n, as_postings(found, columns=columns)) for n, found in together.items()]

    return within


def _words_of(found: Sequence[Scored], terms: Sequence[Term]) -> dict[tuple[int, ...], tuple[str, ...]]:
    """Return for each set of terms in a row the words of the query for them."""
    return {held: tuple(terms[n].word for n in held) for held in {hit.terms for hit in found}}


def _by_word(terms: Sequence[Term], weights: Sequence[float]) -> dict[str, float]:
    return {term.word: weight for term, weight in zip(terms, weights, strict=True)}


def _length(words: str) -> int:
    """Return the approximate number of tokens of a row, at least 1: 0 means no row."""
    return max(1, len(words.split()))


def _passage_context(source: str | None, location: str | None, tags: Sequence[str]) -> str:
    # Line numbers are for citing only: indexed, they would match every number in a question.
    return segment(" ".join((source or "", _LINES.sub("", location or ""), *tags)))
