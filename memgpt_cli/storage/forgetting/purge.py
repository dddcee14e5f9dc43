"""Removing for good what was found to speak of what is to be forgotten, from the rows and from the pages of the file.

One transaction empties the rows; then the file is written anew, so that nothing stands in its free pages, in the
full-text index's old segments or in the write-ahead log. A crash between the two is noticed: `pending` says so, and
`rewrite_file` finishes. Not here: other files, and finding.
"""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.times import to_text
from memgpt_cli.domain.vectors import Collection
from memgpt_cli.errors import StorageError
from memgpt_cli.storage.forgetting.batch_traces import text_columns
from memgpt_cli.storage.forgetting.findings import Finder, Findings
from memgpt_cli.storage.forgetting.proof import RowProof
from memgpt_cli.storage.rows.tombstones import runs
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.log import Vectors

_PENDING: Final = "purge_pending"
_BY: Final = Provenance(author=Author.USER, command="forget")


class Purge:
    """Removes things from one record. The caller holds the agent's lock."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self._db = store.connection

    @property
    def pending(self) -> bool:
        """Whether the rows were emptied but the file was not written anew yet."""
        return self._store.note(_PENDING) == "1"

    def empty_rows(self, finder: Finder, *, at: datetime) -> None:
        """Take everything that was found out of the rows, in one transaction, and ask for a new epoch."""
        found = finder.found
        with self._store.transaction(), self._store.journal.silence():
            self._bury_messages(found, at)
            self._empty_passages(found, at)
            self._cut_blocks(finder, at)
            self._empty_epochs(found, at)
            self._forget_operations(found)
            self._forget_commands(finder)
            self._forget_documents(found)
            self._forget_pictures(finder)
            self._store.lexical.rebuild()
            Vectors(self._db).begin_anew()
            self._store.set_note(_PENDING, "1")

    def rewrite_file(self) -> None:
        """Write the file anew and cut its log off. Raises StorageError when another process reads it all the while."""
        try:
            self._db.execute("VACUUM")
            busy = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.Error as error:
            raise StorageError(
                f"the rows are empty, but the file could not be written anew: {error}",
                hint="run the same command again; it goes on from there",
            ) from error
        if busy:
            raise StorageError(
                "the rows are empty, but another process reads the record, so that its log could not be cut off",
                hint="close other memgpt commands and run the same command again; it goes on from there",
            )
        self._store.set_note(_PENDING, "")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows_with(self, finder: Finder) -> list[str]:
        """The columns, as `table.column`, in which the text can still be found."""
        if finder.forgotten is None:
            return []
        return list(RowProof(finder.forgotten.text).columns_with(self._db, self.text_columns()))

    def text_columns(self) -> list[tuple[str, str]]:
        """Every column of every ordinary table that may hold a text."""
        return text_columns(self._db)

    def stands_elsewhere(self, texts: Iterable[str]) -> set[str]:
        """Those of these texts that rows which stay also say."""
        left = set(texts)
        said = set()
        for table, column in (("messages", "text"), ("messages", "calls"), ("passages", "text"), ("blocks", "value")):
            for (value,) in self._db.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"):  # noqa: S608
                here = {text for text in left if text in value}
                said |= here
                left -= here
        schema = self._db.execute("SELECT group_concat(sql) FROM sqlite_master").fetchone()[0].lower()
        return said | {text for text in left if text.lower() in schema}

    def _bury_messages(self, found: Findings, at: datetime) -> None:
        ids = json.dumps(list(found.messages))
        gone = "(SELECT value FROM json_each(?))"
        turns = {
            row["turn"]
            for row in self._db.execute(f"SELECT DISTINCT turn FROM messages WHERE id IN {gone}", (ids,))  # noqa: S608
        } - {None}
        self._db.execute(
            "INSERT OR REPLACE INTO tombstones (message, at, author, command, turn, content)"  # noqa: S608
            f" SELECT id, ?, ?, ?, turn, NULL FROM messages WHERE id IN {gone}",
            (to_text(at), _BY.author, _BY.command, ids),
        )
        self._db.execute(f"UPDATE tombstones SET content = NULL WHERE message IN {gone}", (ids,))  # noqa: S608
        self._forget_vectors(Collection.MESSAGES, ids)
        self._db.execute(f"DELETE FROM messages WHERE id IN {gone}", (ids,))  # noqa: S608
        self._forget_opaque(min(found.messages, default=None))
        self._leave_queue(turns)

    def _forget_opaque(self, first: int | None) -> None:
        """Drop the opaque fields of every later reply: encrypted reasoning cannot be searched for what it repeats."""
        if first is not None:
            self._db.execute("UPDATE messages SET opaque = NULL WHERE id > ?", (first,))
            kept = "json_remove(content, '$.opaque')"
            self._db.execute(f"UPDATE tombstones SET content = {kept} WHERE message > ?", (first,))  # noqa: S608

    def _forget_vectors(self, collection: Collection, ids: str) -> None:
        """`ids` is a JSON array. A vector tells much of its text."""
        for table in ("vectors", "outbox"):
            where = "collection = ? AND item_id IN (SELECT value FROM json_each(?))"
            self._db.execute(f"DELETE FROM {table} WHERE {where}", (collection, ids))  # noqa: S608 - our own names

    def _leave_queue(self, turns: set[int]) -> None:
        """What is left of a turn in the queue leaves it: no call may stand there without its result."""
        current = self._store.epochs.current()
        if current is None:
            return
        for turn in turns:
            rest = [
                row["id"]
                for row in self._db.execute("SELECT id FROM messages WHERE turn = ? AND evicted_by IS NULL", (turn,))
            ]
            self._store.messages.evict(rest, epoch=current.id)
            self._db.execute("UPDATE turns SET state = 'interrupted' WHERE id = ? AND state = 'open'", (turn,))

    def _empty_passages(self, found: Findings, at: datetime) -> None:
        ids = json.dumps(list(found.passages))
        gone = "(SELECT value FROM json_each(?))"
        self._db.execute(f"DELETE FROM document_passages WHERE passage IN {gone}", (ids,))  # noqa: S608
        self._db.executemany(
            "UPDATE passage_versions SET text = CASE WHEN text IS NULL THEN NULL ELSE '' END,"
            " tags = CASE WHEN tags IS NULL THEN NULL ELSE '[]' END, source = NULL, location = NULL, command = NULL"
            " WHERE passage = ? AND version = ?",
            found.passage_versions,
        )
        self._forget_vectors(Collection.PASSAGES, ids)
        self._db.execute(
            "UPDATE passages SET text = '', tags = '[]', source = NULL, location = NULL, command = NULL,"  # noqa: S608
            f" content_hash = x'', deleted_at = coalesce(deleted_at, ?) WHERE id IN {gone}",
            (to_text(at), ids),
        )

    def _forget_pictures(self, finder: Finder) -> None:
        """Those whose message or description is gone for good, and those whose name says it."""
        self._db.execute(
            "DELETE FROM pictures WHERE passage IN (SELECT value FROM json_each(?))"
            " OR (message NOT IN (SELECT id FROM messages)"
            " AND message NOT IN (SELECT message FROM tombstones WHERE content IS NOT NULL))",
            (json.dumps(list(finder.found.passages)),),
        )
        named = self._db.execute("SELECT message, name FROM pictures").fetchall()
        gone = [(row["message"],) for row in named if finder.holds(row["name"])]
        self._db.executemany("DELETE FROM pictures WHERE message = ?", gone)

    def _cut_blocks(self, finder: Finder, at: datetime) -> None:
        found = finder.found
        for cut in found.cuts:
            block = self._store.blocks.get(cut.label)
            if block is None:
                continue
            if cut.after is None:
                self._store.blocks.delete(cut.label, at=at, provenance=_BY)
                continue
            left = Block(
                label=block.label,
                value=finder.removed_lines(block.label, block.value),
                description=finder.removed_lines(block.label, block.description),
                limit=block.limit,
                read_only=block.read_only,
            )
            self._store.blocks.put(left, at=at, provenance=_BY)
        for row in self._db.execute("SELECT * FROM block_versions").fetchall():
            if finder.holds(row["label"]):
                self._db.execute("DELETE FROM block_versions WHERE id = ?", (row["id"],))
            else:
                value = finder.removed_lines(row["label"], row["value"])
                description = finder.removed_lines(row["label"], row["description"])
                if (value, description) != (row["value"], row["description"]):
                    self._db.execute(
                        "UPDATE block_versions SET value = ?, description = ? WHERE id = ?",
                        (value, description, row["id"]),
                    )
        self._forget_labels(finder)

    def _forget_labels(self, finder: Finder) -> None:
        for table, column in (("epochs", "seen_blocks"), ("turns", "seen_before")):
            for row in self._db.execute(f"SELECT id, {column} FROM {table}").fetchall():  # noqa: S608 - our own names
                seen = json.loads(row[column])
                kept = {label: version for label, version in seen.items() if not finder.holds(label)}
                if kept != seen:
                    text = json.dumps(kept, ensure_ascii=False)
                    self._db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (text, row["id"]))  # noqa: S608

    def _empty_epochs(self, found: Findings, at: datetime) -> None:
        """Heads show core memory and summaries: all go but the summaries that cannot speak of it."""
        current = self._store.epochs.current()
        if current is None:
            return
        self._db.executemany("UPDATE epochs SET summary = '' WHERE id = ?", ((epoch,) for epoch in found.epochs))
        self._db.execute("UPDATE epochs SET head = '[]', fingerprint = ''")
        told = found.epochs and current.id in found.epochs and current.summary
        if told:
            self._store.tombstones.doubt_summary(min(found.epochs))
        self._store.epochs.ask_for_new(
            "forget", at=at, summary="" if told else current.summary, hidden=self._store.tombstones.hidden()
        )

    def _forget_operations(self, found: Findings) -> None:
        """Of the undo history goes what could bring it back; other parts of the same operation stay."""
        passages = set(found.passages) | {passage for passage, _ in found.passage_versions}
        for row in self._db.execute("SELECT * FROM changes").fetchall():
            if row["kind"] == "block":
                gone = row["label"] in found.labels
                left: list[tuple[int, int]] = []
            else:
                items = set(found.messages) if row["kind"] == "message" else passages
                named = range(row["first"], row["last"] + 1)
                gone = any(item in named for item in items)
                left = runs(item for item in named if item not in items) if gone else []
            if gone:
                self._db.execute("DELETE FROM changes WHERE id = ?", (row["id"],))
                self._db.executemany(
                    "INSERT INTO changes (operation, kind, first, last, before, after) VALUES (?, ?, ?, ?, ?, ?)",
                    ((row["operation"], row["kind"], first, last, row["before"], row["after"]) for first, last in left),
                )
        self._db.execute("DELETE FROM operations WHERE id NOT IN (SELECT operation FROM changes)")

    def _forget_commands(self, finder: Finder) -> None:
        for table in ("block_versions", "operations", "tombstones"):
            rows = self._db.execute(f"SELECT rowid, command FROM {table} WHERE command IS NOT NULL").fetchall()  # noqa: S608
            gone = [(row[0],) for row in rows if finder.holds(row["command"])]
            self._db.executemany(f"UPDATE {table} SET command = NULL WHERE rowid = ?", gone)  # noqa: S608

    def _forget_documents(self, found: Findings) -> None:
        for source in found.documents:
            row = self._db.execute("SELECT id FROM documents WHERE source = ?", (source,)).fetchone()
            if row is not None:
                self._db.execute("DELETE FROM document_passages WHERE document = ?", (row["id"],))
                self._db.execute("DELETE FROM documents WHERE id = ?", (row["id"],))
