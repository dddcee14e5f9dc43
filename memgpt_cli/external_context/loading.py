"""Load documents into archival storage: find, read and split files, and store each passage with its origin.

Idempotent and resumable: an interrupted load continues when it is started again. An unchanged file adds nothing; a
changed file replaces only its own passages.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.documents import (
    Document,
    DocumentState,
    FoundFile,
    LoadedDocument,
    LoadOutcome,
    LoadProgress,
    SkippedFile,
)
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.errors import DocumentError
from memgpt_cli.external_context.chunking import chunk
from memgpt_cli.ports import Clock, DocumentReader, Embedder, Store

BATCH: Final = 512
"""Passages stored in one transaction and embedded together."""


class Loader:
    """Loads files into the archival storage of one agent. The caller holds the agent's lock.

    `count` counts the tokens of a text; `max_tokens` limits a passage. `flush` embeds the outbox (`VectorIndex.flush`);
    without it, vectors are made later. `command` is recorded as the cause of each passage.
    """

    def __init__(
        self,
        store: Store,
        reader: DocumentReader,
        embedder: Embedder,
        *,
        clock: Clock,
        count: Callable[[str], int],
        max_tokens: int = 256,
        flush: Callable[[], int] | None = None,
        command: str = "archival load",
    ) -> None:
        self._store = store
        self._reader = reader
        self._embedder = embedder
        self._clock = clock
        self._count = count
        self._max_tokens = max_tokens
        self._flush = flush
        self._provenance = Provenance(author=Author.DOCUMENT, command=command)

    def load(
        self, paths: Sequence[str], *, tags: Sequence[str] = (), name: str | None = None, again: bool = False
    ) -> Iterator[LoadProgress]:
        """Load files, folders, patterns and `-`, and yield the progress after each batch and each file.

        Unreadable files are skipped with a reason. `tags` are added to a document's tags. `name` is the source of
        standard input and indicates its format; without it, it is `stdin` and a part of its hash. `again` reloads
        unchanged files too, for example to split them again.

        Raises ModelError or APIKeyError if the embedder does not work, at the start before anything is written, or
        later; stored passages stay, and the same call continues.
        """
        found = list(self._reader.find(paths))
        sizes = [file.size for file in found if isinstance(file, FoundFile)]
        if sizes:
            self._embedder.embed(["a wrong key or model shows here, before any work is done"])
        run = _Run(tags=tuple(tags), name=name, again=again, total_files=len(found), total_bytes=sum(sizes))
        key = json.dumps([self._provenance.command, [os.path.abspath(path) for path in paths], list(tags), name])  # noqa: PTH100
        with self._store.journal.operation(self._provenance, key=key):
            for file in found:
                if isinstance(file, SkippedFile):
                    yield run.ended(file.source, LoadOutcome.SKIPPED, reason=file.reason)
                else:
                    yield from self._file(file, run)
        self._embed()

    def _file(self, file: FoundFile, run: "_Run") -> Iterator[LoadProgress]:
        """Load one file; its last progress has the outcome."""
        yield run.progress(file.source)
        source, end = file.source, run.bytes + file.size
        try:
            content = self._reader.content(file)
            digest = hashlib.sha256(content).hexdigest()
            if file.path is None:
                source = run.name or f"{source} {digest[:12]}"
            before = self._store.documents.get(source)
            if before is not None and not run.concerns(before, digest) and self._is_there(source):
                run.bytes = end
                yield run.ended(source, LoadOutcome.UNCHANGED)
                return
            document = self._reader.read(content, name=file.path.name if file.path else run.name or "")
        except DocumentError as error:
            run.bytes = end
            reason = f"{error.message} ({error.hint})" if error.hint else error.message
            yield run.ended(source, LoadOutcome.SKIPPED, reason=reason)
            return
        record = LoadedDocument(
            source=source,
            content_hash=digest,
            title=document.title or source,
            kind=document.kind,
            size=len(content),
            tags=tuple(dict.fromkeys((*(before.tags if before else ()), *run.tags))),
        )
        yield from self._store_document(record, self._divided(record, document), run, end_bytes=end)
        yield run.ended(source, LoadOutcome.UPDATED if before and before.loaded_at else LoadOutcome.LOADED)

    def _is_there(self, source: str) -> bool:
        """Whether a document has passages: all may have been deleted, or its load undone."""
        return self._store.passages.count(ArchivalFilters(source=source)) > 0

    def _store_document(
        self, record: LoadedDocument, passages: list[Passage], run: "_Run", *, end_bytes: int
    ) -> Iterator[LoadProgress]:
        """Store the passages in batches, one transaction each; the first begins the document, the last ends it."""
        documents, start_bytes = self._store.documents, run.bytes
        for start in range(0, len(passages), BATCH):
            batch = passages[start : start + BATCH]
            with self._store.transaction():
                if start == 0:
                    documents.begin(record)
                new = documents.add(record.source, batch)
                is_last = start + BATCH >= len(passages)
                removed = documents.finish(record.source, at=self._clock.now()) if is_last else 0
            run.new += new
            run.shared += len(batch) - new
            run.removed += removed
            run.bytes = start_bytes + (end_bytes - start_bytes) * (start + len(batch)) // len(passages)
            run.unembedded += new
            if run.unembedded >= BATCH:
                self._embed()
                run.unembedded = 0
            yield run.progress(record.source)

    def _divided(self, record: LoadedDocument, document: Document) -> list[Passage]:
        now = self._clock.now()
        return [
            Passage(
                text=piece.text,
                created_at=now,
                tags=record.tags,
                source=record.source,
                location=piece.location,
                provenance=self._provenance,
            )
            for part in document.parts
            for piece in chunk(
                part.text,
                max_tokens=self._max_tokens,
                count=self._count,
                kind=part.kind,
                place=part.place,
                unit=part.unit,
            )
        ]

    def _embed(self) -> None:
        if self._flush is not None:
            self._flush()


@dataclass(slots=True, kw_only=True)
class _Run:
    """The arguments of one call of `load`, and its tally."""

    tags: tuple[str, ...]
    name: str | None
    again: bool
    total_files: int
    total_bytes: int
    files: int = 0
    bytes: int = 0
    new: int = 0
    shared: int = 0
    removed: int = 0
    unembedded: int = 0

    def concerns(self, before: LoadedDocument, digest: str) -> bool:
        """Whether a known document has to be loaded again."""
        is_same = before.state is DocumentState.LOADED and before.content_hash == digest
        return self.again or not is_same or not set(self.tags) <= set(before.tags)

    def progress(self, source: str, outcome: LoadOutcome | None = None, *, reason: str = "") -> LoadProgress:
        """Return the current progress."""
        return LoadProgress(
            source=source,
            outcome=outcome,
            reason=reason,
            files=self.files,
            total_files=self.total_files,
            bytes=self.bytes,
            total_bytes=self.total_bytes,
            new=self.new,
            shared=self.shared,
            removed=self.removed,
        )

    def ended(self, source: str, outcome: LoadOutcome, *, reason: str = "") -> LoadProgress:
        """Count one more finished file."""
        self.files += 1
        return self.progress(source, outcome, reason=reason)
