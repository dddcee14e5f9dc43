"""Permanent deletion: find, delete from rows and files, then search every byte that the program stores.

`findings` searches the record and `purge` empties it. This module handles the files around it (Chroma's folder, drafts,
copies made before a migration, the chat's history, batch runs) and the check. Files outside the program's directories
are not touched.
"""

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from typing_extensions import override

from memgpt_cli.domain.forgetting import SHORTEST_RAW, Checked, Plan, Progress, Wanted
from memgpt_cli.domain.kinds import Kind
from memgpt_cli.files.replacing import PENDING, Replacements
from memgpt_cli.ports import PermanentDeletion
from memgpt_cli.storage.forgetting.batch_traces import RUNS, Speaks, remove_runs, runs_that_speak
from memgpt_cli.storage.forgetting.findings import Finder
from memgpt_cli.storage.forgetting.forgotten_text import decoded, raw_forms, search_files
from memgpt_cli.storage.forgetting.purge import Purge
from memgpt_cli.storage.store import SQLiteStore

_LONG_LINE: Final = 16
"""Minimum bytes of a line of a longer text that is searched for by itself."""
_MOST_FORMS: Final = 200
_ENTRY: Final = re.compile(r"(?=^# \d{4}-\d\d-\d\d)", re.MULTILINE)


class Forgetting(PermanentDeletion):
    """Forgets on behalf of one agent, whose lock the caller holds for everything but `plan`.

    `roots` are the program's directories, `agents` the one with the agents, beside the one with batch runs, `history`
    the chat's input history.
    """

    def __init__(
        self, store: SQLiteStore, *, folder: Path, agents: Path, roots: Sequence[Path], history: Path, vectors: str
    ) -> None:
        self._store = store
        self._folder = folder
        self._agents = agents
        self._roots = roots
        self._history = history
        self._vectors = folder / vectors
        self._runs = agents.parent / RUNS

    @override
    @property
    def pending(self) -> bool:
        return Purge(self._store).pending

    @override
    def sources(self) -> list[str]:
        sql = (
            "SELECT source FROM passages WHERE source IS NOT NULL UNION SELECT source FROM documents"
            " UNION SELECT json_extract(origin, '$.name') FROM messages"
            " WHERE role = 'user' AND json_extract(origin, '$.name') IS NOT NULL"
        )
        return [row[0] for row in self._store.connection.execute(sql)]

    @override
    def tags(self) -> list[str]:
        return [
            row[0] for row in self._store.connection.execute("SELECT DISTINCT value FROM passages, json_each(tags)")
        ]

    @override
    def replicas(self) -> list[Path]:
        return sorted(path for path in self._folder.glob(".*-litestream") if path.is_dir())

    @override
    def plan(self, wanted: Wanted) -> Plan:
        finder = Finder(self._store, wanted)
        finder.find()
        return self._planned(finder)

    @override
    def carry_out(self, wanted: Wanted, *, at: datetime, progress: Progress) -> tuple[Plan, Checked]:
        finder = Finder(self._store, wanted)
        progress("searching")
        finder.find()
        plan = self._planned(finder)
        forms, sampled = self._byte_forms(finder)
        purge = Purge(self._store)
        if not plan.empty:
            progress("deleting rows and rebuilding the full-text index")
            self._forget_files(finder, plan)  # first, while the rows say what to search for
            purge.empty_rows(finder, at=at)
        if not plan.empty or purge.pending or self._in_own_files(forms):
            progress("rewriting the database file")
            shutil.rmtree(self._vectors, ignore_errors=True)
            purge.rewrite_file()
        progress("searching all files byte by byte")
        return plan, self._check(finder, purge, forms, sampled=sampled)

    @override
    def finish(self) -> None:
        purge = Purge(self._store)
        if purge.pending:
            shutil.rmtree(self._vectors, ignore_errors=True)
            purge.rewrite_file()

    def _planned(self, finder: Finder) -> Plan:
        found = finder.found
        return Plan(
            items={kind: dict(sorted(items.items())) for kind, items in found.items.items()},
            derived=frozenset(found.derived),
            cuts=tuple(found.cuts),
            versions=sum(map(len, found.versions.values())),
            operations=len(found.operations),
            summaries=len(found.epochs),
            documents=tuple(found.documents),
            history_entries=len(self._history_entries(finder)[1]),
            files=tuple(path.relative_to(self._folder).as_posix() for path in self._doomed_files(finder)),
            runs=tuple(path.name for path in runs_that_speak(self._runs, _speaks(finder))),
        )

    # Files around the record

    def _doomed_files(self, finder: Finder) -> Iterator[Path]:
        """Yield copies of old states that are older than the deleted items, and drafts that contain it."""
        found = finder.found
        if any(found.changed(kind) for kind in Kind):
            yield from sorted(self._folder.glob("*.before-*"))
        speaks = _speaks(finder)
        drafts = [path for path in sorted((self._folder / "drafts").glob("*")) if path.is_file()]
        raw = {path for path, _, held in search_files(drafts, self._byte_forms(finder)[0]) if held}
        for draft in drafts:
            text = decoded(draft.read_bytes())
            if draft in raw or speaks(text) or any(t in text for t in found.texts() if t):
                yield draft

    def _history_entries(self, finder: Finder) -> tuple[list[str], list[str]]:
        """Return the entries of the chat's history to keep, and those to delete, as they are in the file."""
        try:
            text = self._history.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return [], []
        said = {message.strip() for message in finder.found.items[Kind.MESSAGE].values() if message.strip()}
        stay: list[str] = []
        go: list[str] = []
        for entry in _ENTRY.split(text):
            typed = "\n".join(line[1:] for line in entry.split("\n") if line.startswith("+"))
            (go if finder.found.holds(typed) or typed.strip() in said else stay).append(entry)
        return stay, go

    def _forget_files(self, finder: Finder, plan: Plan) -> None:
        remove_runs([self._runs / name for name in plan.runs])
        for name in plan.files:
            (self._folder / name).unlink(missing_ok=True)
        stay, go = self._history_entries(finder)
        if go:
            with Replacements(self._agents / PENDING).new_file(self._history, purpose="forget") as file:
                file.write("".join(stay).encode("utf-8"))

    # The check

    def _byte_forms(self, finder: Finder) -> tuple[list[bytes], bool]:
        """Return the byte sequences that must not be left, and whether they are a sample."""
        if finder.forgotten is not None:
            written = {form for text in finder.found.texts() for form in finder.forgotten.forms_in(text)}
            return sorted(finder.forgotten.raw(written)), False
        texts = sorted(_pieces(finder.found.texts()), key=lambda text: (-len(text), text))
        sampled = len(texts) > _MOST_FORMS
        chosen = texts[:: max(1, len(texts) // _MOST_FORMS)][:_MOST_FORMS]
        return [form for text in chosen for form in sorted(raw_forms(text))], sampled

    def _in_own_files(self, forms: Sequence[bytes]) -> bool:
        return any(found for _, _, found in search_files(_files([self._folder]), forms))

    def _check(self, finder: Finder, purge: Purge, forms: Sequence[bytes], *, sampled: bool) -> Checked:
        if finder.forgotten is None:
            forms = self._not_said_elsewhere(finder, purge, forms)
        left: list[str] = []
        elsewhere: set[str] = set()
        files = size = 0
        for path, length, found in search_files(_files(self._roots), forms):
            files, size = files + 1, size + length
            agent = path.relative_to(self._agents).parts[0] if path.is_relative_to(self._agents) else ""
            if found and agent not in {"", self._folder.name} and not agent.startswith("."):
                elsewhere.add(agent)
            elif found:
                left.append(str(path))
        return Checked(
            texts=len(forms),
            sampled=sampled,
            too_short=finder.forgotten is not None and not forms,
            tables=len({table for table, _ in purge.text_columns()}),
            files=files,
            bytes=size,
            rows=tuple(purge.rows_with(finder)),
            left=tuple(left),
            elsewhere=tuple(sorted(elsewhere)),
            replicas=tuple(path.name for path in self.replicas()),
        )

    def _not_said_elsewhere(self, finder: Finder, purge: Purge, forms: Sequence[bytes]) -> list[bytes]:
        """Remove sequences that other messages contain too: they prove nothing."""
        texts = _pieces(finder.found.texts())
        said = {form for text in purge.stands_elsewhere(texts) for form in raw_forms(text)}
        return [form for form in forms if form not in said]


def _speaks(finder: Finder) -> Speaks:
    """Return a function that says whether a text outside of the record contains it or a deleted message or line."""
    found = finder.found
    whole = {text for text in found.texts() if len(text.encode("utf-8", "replace")) >= _LONG_LINE}

    def speaks(text: str) -> bool:
        return found.holds(text) or text in whole or not whole.isdisjoint(text.split("\n"))

    return speaks


def _pieces(texts: Iterable[str]) -> set[str]:
    """Return texts, and their longer lines, that are long enough for the byte search."""
    pieces = set()
    for text in texts:
        pieces |= {text} if len(text.encode("utf-8", "replace")) >= SHORTEST_RAW else set()
        pieces |= {line for line in text.split("\n") if len(line.encode("utf-8", "replace")) >= _LONG_LINE}
    return pieces


def _files(roots: Iterable[Path]) -> list[Path]:
    """Return every file below these folders, once."""
    return sorted({path for root in roots for path in root.rglob("*") if path.is_file()})
