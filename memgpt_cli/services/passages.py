"""Passages of archival storage: store, list, correct, delete and restore them; their history and sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.passages import passage_ref
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services import ids
from memgpt_cli.services.filters import archival_filters, new_tags
from memgpt_cli.services.sources import documents_in, names_like, source_named

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo
    from pathlib import Path

    from memgpt_cli.bootstrap import Memory
    from memgpt_cli.domain.documents import Source
    from memgpt_cli.domain.history import PassageVersion
    from memgpt_cli.domain.passages import Inserted, Passage
    from memgpt_cli.domain.pictures import StoredPicture
    from memgpt_cli.ports import Clock
    from memgpt_cli.services.callers import Caller
    from memgpt_cli.services.causes import Causes


@dataclass(frozen=True, slots=True, kw_only=True)
class PassagePage:
    """One page of passages, newest first, and whether there are older ones."""

    passages: tuple[Passage, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageSelection:
    """Passages to delete. With `source` its documents are deleted too, so that they can be loaded again."""

    passages: tuple[Passage, ...]
    source: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing would be deleted."""
        return not self.passages and self.source is None


class PassageService:
    """The passages of one agent."""

    def __init__(self, memory: Memory, caller: Caller, clock: Clock, zone: tzinfo) -> None:
        self._memory = memory
        self._caller = caller
        self._clock = clock
        self._zone = zone

    def filters(
        self,
        *,
        tags: Sequence[str] | None = None,
        source: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> ArchivalFilters:
        """Filters of texts. Raises UsageError for an invalid date, NotFoundError for an unknown tag or source."""
        return archival_filters(self._memory, zone=self._zone, tags=tags or (), source=source, since=since, until=until)

    def recent(self, filters: ArchivalFilters | None = None, *, limit: int = 50, page: int = 0) -> PassagePage:
        """One page (0-based), newest first."""
        found = self._memory.store.passages.page(filters or ArchivalFilters(), limit=limit + 1, offset=page * limit)
        return PassagePage(passages=tuple(found[:limit]), more=len(found) > limit)

    def newest_refs(self, limit: int) -> list[tuple[str, str]]:
        """The ids of the newest passages and the beginnings of their texts."""
        return ids.newest_passages(self._memory, limit)

    def get(self, ref: str) -> Passage:
        """Return the passage with an id such as `p7`. Raises UsageError, and NotFoundError with the nearest ids."""
        return ids.passage(self._memory, ref)

    def history(self, ref: str) -> list[PassageVersion]:
        """Return every version of a passage, oldest first, also of a deleted one. Raises UsageError, NotFoundError."""
        found = self._memory.store.passages.history(ids.number(ref, letter="p"))
        return found or self._memory.store.passages.history(self.get(ref).id)

    def add(
        self, texts: Sequence[str], *, tags: Sequence[str] | None = None, source: str | None = None
    ) -> list[Inserted]:
        """Store texts as one operation, each once, and return near-duplicates with each. Raises UsageError."""
        given = [text.strip() for text in texts if text.strip()]
        if not given:
            raise UsageError("there is nothing to add", hint='memgpt archival add "The key is under the mat"')
        return self._memory.archival.insert_all(
            given, provenance=self._caller.did("archival add"), tags=new_tags(tags), source=source
        )

    def revise(self, before: Passage, wanted: Passage) -> Passage:
        """Store the changed fields of a passage that has not changed since it was read.

        Raises UsageError for an empty text, if it was changed meanwhile, or if another passage has this text.
        """
        ref = passage_ref(before.id)
        if not wanted.text:
            raise UsageError("a passage cannot be empty", hint=f"memgpt archival delete {ref}")
        if wanted == before:
            return before
        with self._memory.store.transaction():
            if self._memory.store.passages.get([before.id]) != [before]:
                raise UsageError(f"{ref} was changed while you edited it", hint=f"memgpt archival show {ref}")
            self._memory.store.passages.revise(
                wanted, at=self._clock.now(), provenance=self._caller.did("archival edit")
            )
        return wanted

    def select(
        self, refs: Sequence[str], *, tags: Sequence[str] | None = None, source: str | None = None
    ) -> PassageSelection:
        """Return the passages that these ids and ranges, tags and source select together, for `delete`.

        For a source alone, passages that another document contains or that a person or the model wrote are kept. Raises
        UsageError for an invalid id, NotFoundError for an unknown id, tag or source.
        """
        found = self._selected(refs, tags, source)
        if refs or tags is not None or source is None:
            return PassageSelection(passages=tuple(found))
        whole = PassageSelection(passages=tuple(found), source=source)
        return replace(whole, passages=self._deleted_with(whole)) if found else whole

    def delete(self, selection: PassageSelection) -> None:
        """Delete passages as one operation that can be undone."""
        by, now = self._caller.did("archival delete"), self._clock.now()
        store = self._memory.store
        with store.transaction(), store.journal.operation(by):
            if selection.source is None:
                store.passages.delete([p.id for p in selection.passages], at=now, provenance=by)
                return
            for name in documents_in(self._memory, source_named(self._memory, selection.source)):
                store.documents.delete(name, at=now)

    def restore(self, ref: str, version: int) -> tuple[Passage, bool]:
        """Make an old version current, also of a deleted passage; returns it and whether it changed.

        Raises NotFoundError for a version that does not exist or was forgotten, UsageError for a deletion.
        """
        history = self.history(ref)
        found = next((v for v in history if v.version == version), None)
        ref = passage_ref(history[0].passage.id)
        log = f"memgpt archival log {ref}"
        if found is None:
            numbers = f"{history[0].version} to {history[-1].version}"
            raise NotFoundError(f"{ref} has no version {version}; it has {numbers}", hint=log)
        if not found.passage.text:
            raise NotFoundError(f"version {version} of {ref} was permanently deleted", hint=log)
        if found.deleted:
            raise UsageError(f"version {version} of {ref} is its deletion", hint=f"memgpt archival delete {ref}")
        if found.passage == history[-1].passage and not history[-1].deleted:
            return found.passage, False
        with self._memory.store.transaction():
            self._memory.store.passages.restore(
                found.passage.id,
                version,
                at=self._clock.now(),
                provenance=self._caller.did(f"archival restore {version}"),
            )
        return found.passage, True

    def sources_like(self, beginning: str) -> list[str]:
        """Return sources whose name, or its last part, has this beginning."""
        return names_like(self._memory, beginning)

    def sources(self) -> list[Source]:
        """Every source of a passage and every document, by name."""
        return self._memory.store.documents.sources()

    def picture(self, ref: str) -> tuple[int, StoredPicture]:
        """The number of a passage and the picture that it describes. Raises UsageError, NotFoundError."""
        number = ids.number(ref, letter="p")
        found = self._memory.store.pictures.of_passage(number)
        if found is None:
            raise NotFoundError(
                f"{passage_ref(number)} describes no picture", hint="memgpt archival list --tag picture"
            )
        return number, found

    def draft(self, passage: Passage) -> Path:
        """A file for editing the passage outside of the record, readable by its owner only."""
        return self._memory.draft(passage_ref(passage.id))

    def _selected(self, refs: Sequence[str], tags: Sequence[str] | None, source: str | None) -> list[Passage]:
        store, found = self._memory.store, dict[int, "Passage"]()
        for ref in refs:
            first, last = ids.numbers(ref, letter="p")
            if first == last:
                found[first] = self.get(ref)
            else:
                found |= {p.id: p for p in store.passages.get(range(first, last + 1))}
        if tags is not None or source is not None:
            filters = self.filters(tags=tags, source=source)
            if refs:
                return store.passages.get(list(found), filters)
            found |= {p.id: p for p in store.passages.page(filters, limit=store.passages.count(filters))}
        return [found[number] for number in sorted(found)]

    def _deleted_with(self, selection: PassageSelection) -> tuple[Passage, ...]:
        """Return the passages that are really deleted with a source."""
        store = self._memory.store
        with store.rehearsal():
            self.delete(selection)
            left = {passage.id for passage in store.passages.get([p.id for p in selection.passages])}
        return tuple(passage for passage in selection.passages if passage.id not in left)


def version_shape(version: PassageVersion, causes: Causes) -> dict[str, Any]:
    """One version of a passage as JSON (docs/schemas/archival-log.schema.json)."""
    return {
        "version": version.version,
        "at": to_text(version.at),
        "deleted": version.deleted,
        **causes.shape(version.provenance),
        "text": version.passage.text,
        "tags": list(version.passage.tags),
        "source": version.passage.source,
        "location": version.passage.location,
    }


def source_shape(source: Source) -> dict[str, Any]:
    """One source as JSON (docs/schemas/archival-sources.schema.json)."""
    document = source.document
    return {
        "source": source.name,
        "passages": source.passages,
        "title": document.title if document else None,
        "kind": document.kind if document else None,
        "bytes": document.size if document else None,
        "tags": list(document.tags) if document else [],
        "state": document.state.value if document else None,
        "loaded_at": to_text(document.loaded_at) if document and document.loaded_at else None,
    }
