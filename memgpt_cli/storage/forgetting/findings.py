"""Finding everything in one agent's record that speaks of what is to be forgotten. It only reads.

By text: whatever holds it. By id, source, tag or date: what is named, whole turns, and what is known to come from it:
function results that cite it, passages and lines of blocks that were written because of it.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from memgpt_cli.domain.forgetting import Cut, Wanted
from memgpt_cli.domain.messages import message_ref
from memgpt_cli.domain.passages import passage_ref
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.storage.database.filters import archival_where
from memgpt_cli.storage.forgetting.forgotten_text import ForgottenText
from memgpt_cli.storage.rows.tombstones import kept_message

_CITED: Final = re.compile(r"(?<![\w])\[([mp]\d+) ")
_MESSAGE_TEXTS: Final = ("text", "stub", "calls", "name", "session", "external_id", "opaque")
_PASSAGE_TEXTS: Final = ("text", "tags", "source", "location", "command")


@dataclass(slots=True)
class Findings:
    """What was found in the record: ids with their texts, what blocks lose, and old states that say it too.

    `lines` of each block go in all its states, `labels` are the blocks of which any state changes.
    """

    messages: dict[int, str] = field(default_factory=dict)
    passages: dict[int, str] = field(default_factory=dict)
    derived: set[str] = field(default_factory=set)
    cuts: list[Cut] = field(default_factory=list)
    lines: dict[str, set[str]] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    block_versions: set[int] = field(default_factory=set)
    passage_versions: set[tuple[int, int]] = field(default_factory=set)
    epochs: set[int] = field(default_factory=set)
    documents: list[str] = field(default_factory=list)
    operations: set[int] = field(default_factory=set)

    def texts(self) -> Iterator[str]:
        """What is written in all of it."""
        yield from self.messages.values()
        yield from self.passages.values()
        for lines in self.lines.values():
            yield from lines


class Finder:
    """Looks through one record on behalf of one wish."""

    def __init__(self, connection: sqlite3.Connection, wanted: Wanted) -> None:
        self._db = connection
        self._wanted = wanted
        self.forgotten = None if wanted.text is None else ForgottenText(wanted.text)
        self.found = Findings()

    def find(self) -> Findings:
        """Everything."""
        self._messages()
        self._passages()
        if self._wanted.by_place:
            self._derived()
        self._blocks()
        self._old_states()
        return self.found

    def removed_lines(self, label: str, text: str) -> str:
        """What is left of a block's text."""
        gone = self.found.lines.get(label, set())
        kept = "\n".join(line for line in text.split("\n") if line not in gone)
        return kept if self.forgotten is None else self.forgotten.cut(kept)

    def holds(self, *texts: object) -> bool:
        """Whether one of these holds the text that is to be forgotten."""
        return self.forgotten is not None and any(
            isinstance(text, str) and self.forgotten.is_in(text) for text in texts
        )

    # Messages

    def _messages(self) -> None:
        wanted = self._wanted
        turns: set[int] = set()
        for row in self._db.execute("SELECT * FROM messages"):
            if self.holds(*(row[column] for column in _MESSAGE_TEXTS)):
                self.found.messages[row["id"]] = _said(row)
        for row in self._named_messages():
            self.found.messages[row["id"]] = _said(row)
            if row["turn"] is not None:
                turns.add(row["turn"])
        for turn in turns:  # whole turns: an answer tells of its question
            for row in self._db.execute("SELECT * FROM messages WHERE turn = ?", (turn,)):
                self.found.messages[row["id"]] = _said(row)
        for row in self._db.execute("SELECT message, turn, content FROM tombstones WHERE content IS NOT NULL"):
            kept = kept_message(row["content"])
            named = row["message"] in wanted.messages or row["turn"] in turns
            if named or self.holds(*(kept[column] for column in _MESSAGE_TEXTS)):
                self.found.messages[row["message"]] = _said(kept)

    def _named_messages(self) -> Iterable[sqlite3.Row]:
        wanted = self._wanted
        yield from self._db.execute(
            "SELECT * FROM messages WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(wanted.messages),)
        )
        if wanted.start is not None or wanted.end is not None:
            start = to_text(wanted.start) if wanted.start else ""
            end = to_text(wanted.end) if wanted.end else "9"
            yield from self._db.execute("SELECT * FROM messages WHERE created_at >= ? AND created_at < ?", (start, end))

    # Passages

    def _passages(self) -> None:
        if self.forgotten is not None:
            for row in self._db.execute("SELECT * FROM passages WHERE text <> ''"):
                if self.holds(*(row[column] for column in _PASSAGE_TEXTS)):
                    self.found.passages[row["id"]] = row["text"]
            self.found.documents += [
                row["source"]
                for row in self._db.execute("SELECT source, title FROM documents")
                if self.holds(row["source"], row["title"])
            ]
        for row in self._named_passages():
            self.found.passages[row["id"]] = row["text"]
        if self._wanted.source is not None:
            known = [row["source"] for row in self._db.execute("SELECT source FROM documents")]
            self.found.documents += [s for s in known if self._is_from(s) and s not in self.found.documents]

    def _is_from(self, source: str | None) -> bool:
        """Whether this is the wanted source, or lies in the wanted folder, whose name ends with `/`."""
        wanted = self._wanted.source or ""
        return source == wanted or (wanted.endswith("/") and source is not None and source.startswith(wanted))

    def _named_passages(self) -> Iterable[sqlite3.Row]:
        wanted = self._wanted
        ids = json.dumps(wanted.passages)
        yield from self._db.execute("SELECT * FROM passages WHERE id IN (SELECT value FROM json_each(?))", (ids,))
        if wanted.source is not None:
            where, values = archival_where(ArchivalFilters(source=wanted.source))  # living ones, shared ones too
            yield from self._db.execute(f"SELECT * FROM passages WHERE {where}", values)  # noqa: S608 - marks only
            gone = self._db.execute("SELECT * FROM passages WHERE source IS NOT NULL AND deleted_at IS NOT NULL")
            yield from (row for row in gone if self._is_from(row["source"]))
        if wanted.tags:
            where, values = archival_where(ArchivalFilters(tags=wanted.tags))
            yield from self._db.execute(f"SELECT * FROM passages WHERE {where}", values)  # noqa: S608 - marks only
        if wanted.start is not None or wanted.end is not None:
            where, values = archival_where(ArchivalFilters(start=wanted.start, end=wanted.end))
            # The time at which a document was loaded says nothing of what it tells.
            sql = f"SELECT * FROM passages WHERE {where} AND author <> 'document'"  # noqa: S608 - marks only
            yield from self._db.execute(sql, values)

    def _derived(self) -> None:
        """What was written because of these messages, and results that cite what goes."""
        ids = json.dumps(list(self.found.messages))
        for row in self._db.execute(
            "SELECT * FROM passages WHERE message_id IN (SELECT value FROM json_each(?)) AND text <> ''", (ids,)
        ):
            self.found.derived |= {passage_ref(row["id"])} if row["id"] not in self.found.passages else set()
            self.found.passages[row["id"]] = row["text"]
        gone = {message_ref(i) for i in self.found.messages} | {passage_ref(i) for i in self.found.passages}
        for row in self._db.execute("SELECT * FROM messages WHERE role = 'tool'"):
            if row["id"] not in self.found.messages and gone & set(_CITED.findall(row["text"])):
                self.found.messages[row["id"]] = _said(row)
                self.found.derived.add(message_ref(row["id"]))

    # Core memory

    def _blocks(self) -> None:
        self._lines_after_messages()
        versions = self._db.execute("SELECT * FROM block_versions ORDER BY label, version").fetchall()
        for row in versions:
            texts = (row["label"], row["value"], row["description"], row["command"])
            lines = set(row["value"].split("\n")) & self.found.lines.get(row["label"], set())
            if lines or self.holds(*texts):
                self.found.block_versions.add(row["id"])
                self.found.labels.add(row["label"])
        for row in self._db.execute("SELECT * FROM blocks ORDER BY position"):
            label, value, description = row["label"], row["value"], row["description"]
            if self.holds(label):
                self.found.cuts.append(Cut(label=label, before=value, after=None))
                continue
            left, described = self.removed_lines(label, value), self.removed_lines(label, description)
            if (left, described) != (value, description):
                before, after = (value, left) if left != value else (description, described)
                self.found.cuts.append(Cut(label=label, before=before, after=after))

    def _lines_after_messages(self) -> None:
        """The lines that versions caused by these messages brought in."""
        if not self._wanted.by_place:
            return
        before: dict[str, set[str]] = {}
        for row in self._db.execute("SELECT * FROM block_versions ORDER BY label, version"):
            lines = set(row["value"].split("\n")) - {""}
            if row["message_id"] in self.found.messages and row["author"] == "agent":
                self.found.lines.setdefault(row["label"], set()).update(lines - before.get(row["label"], set()))
            before[row["label"]] = lines

    # What else speaks of it

    def _old_states(self) -> None:
        found = self.found
        ids = json.dumps(list(found.passages))
        for row in self._db.execute(
            "SELECT *, passage IN (SELECT value FROM json_each(?)) AS goes FROM passage_versions", (ids,)
        ):
            if row["goes"] or self.holds(*(row[column] for column in _PASSAGE_TEXTS)):
                found.passage_versions.add((row["passage"], row["version"]))
        evicted = self._db.execute(
            "SELECT min(evicted_by) FROM messages WHERE evicted_by > 0 AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(found.messages)),),
        ).fetchone()[0]
        for row in self._db.execute("SELECT id, head, summary FROM epochs"):
            told = evicted is not None and row["id"] >= evicted
            if (told and row["summary"]) or self.holds(row["head"], row["summary"]) or self._shows_lines(row["head"]):
                found.epochs.add(row["id"])
        found.operations = set(self._operations())

    def _shows_lines(self, head: str) -> bool:
        written = (json.dumps(line, ensure_ascii=False)[1:-1] for lines in self.found.lines.values() for line in lines)
        return any(line in head for line in written)

    def _operations(self) -> Iterator[int]:
        for row in self._db.execute("SELECT * FROM changes"):
            items: Mapping[int, str] = self.found.messages if row["kind"] == "message" else self.found.passages
            if row["kind"] == "block":
                if row["label"] in self.found.labels:
                    yield row["operation"]
            elif any(row["first"] <= item <= row["last"] for item in items) or (
                row["kind"] == "passage"
                and any(row["first"] <= p <= row["last"] for p, _ in self.found.passage_versions)
            ):
                yield row["operation"]


def _said(row: "sqlite3.Row | Mapping[str, object]") -> str:
    """What a message says: its text, or its calls."""
    return str(row["text"] or row["calls"] or "")
