"""Documents as readers return them and as archival storage records them, and the progress of loading them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

TextKind = Literal["text", "markdown", "code"]
"""The format of a text, which decides where it may be split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a document that is split and cited by itself: a page, a chapter, some cells, or the whole document.

    `place` is how it is cited (`page 3`). Without it, its lines are cited, 1-based and called `unit` (`line`, `row`);
    None if the line numbers have no meaning for a person.
    """

    text: str
    kind: TextKind = "text"
    place: str | None = None
    unit: str | None = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The text of a file. `kind` is its format (`pdf`, `markdown`, ...)."""

    parts: tuple[Part, ...]
    title: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file to load. `source` is its name in memory; `path` is None for standard input; `size` is in bytes."""

    source: str
    path: Path | None
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """A path that was named, or lies in a named folder, and cannot be loaded."""

    source: str
    reason: str


class DocumentState(StrEnum):
    """`LOADING` until all of it is stored. An interrupted load starts the file again and skips the stored passages.

    `UNDONE`: its last load was complete and was undone; the next load reads the file again.
    """

    LOADING = "loading"
    LOADED = "loaded"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDocument:
    """The record of a document whose passages are in archival storage.

    `content_hash` is the SHA-256 of the file in hexadecimal, `size` its bytes; `loaded_at` is None until the first load
    is complete.
    """

    source: str
    content_hash: str
    title: str
    kind: str
    size: int
    tags: tuple[str, ...] = ()
    state: DocumentState = DocumentState.LOADING
    loaded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The origin of passages: a loaded document, or any other name that a passage has as its source.

    `passages` counts the existing ones; a passage that several documents share counts for each.
    """

    name: str
    passages: int
    document: LoadedDocument | None = None


class LoadOutcome(StrEnum):
    """The result for a file."""

    LOADED = "loaded"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """Progress of a load. Numbers are totals so far, except the two totals of all files found.

    `outcome` is None while the file is being loaded, and set in exactly one progress per file; a skipped file has a
    `reason`. `new` counts stored passages, `shared` passages that archival storage already held, `removed` passages
    that a changed file no longer contains.
    """

    source: str
    outcome: LoadOutcome | None = None
    reason: str = ""
    files: int = 0
    total_files: int = 0
    bytes: int = 0
    total_bytes: int = 0
    new: int = 0
    shared: int = 0
    removed: int = 0
