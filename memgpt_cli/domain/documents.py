"""Documents: as readers hand them over, as archival storage remembers them, and how loading them goes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

TextKind = Literal["text", "markdown", "code"]
"""How a text is built, and so where it may be divided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of a document that is divided and cited by itself: a page, a chapter, some cells, or all of it.

    `place` is how it is cited (`page 3`). Without one its lines are cited, counted from 1 and called `unit` (`line`,
    `row`); None when the lines are the reader's own and mean nothing to a person.
    """

    text: str
    kind: TextKind = "text"
    place: str | None = None
    unit: str | None = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file says. `kind` names its format (`pdf`, `markdown`, ...)."""

    parts: tuple[Part, ...]
    title: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file to load. `source` is its name in memory; `path` None stands for standard input; `size` is in bytes."""

    source: str
    path: Path | None
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedFile:
    """What was named, or lies in a named folder, and cannot be loaded."""

    source: str
    reason: str


class DocumentState(StrEnum):
    """`LOADING` until all of it is stored; a load that was cut off begins the file again, and finds what is there."""

    LOADING = "loading"
    LOADED = "loaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDocument:
    """What is remembered of a document whose passages are in archival storage.

    `content_hash` is the SHA-256 of the file in hexadecimal, `size` its bytes; `loaded_at` is None until all of it was
    loaded once.
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
    """Where passages come from: a loaded document, or whatever else a passage names as its source.

    `passages` counts the living ones; what several documents share counts for each.
    """

    name: str
    passages: int
    document: LoadedDocument | None = None


class Outcome(StrEnum):
    """What became of a file."""

    LOADED = "loaded"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProgress:
    """How far a load is. Numbers are totals so far, but for the two totals of all that was found.

    `outcome` is None while the file is being worked on, and stands in exactly one progress for each file; a skipped one
    has its `reason`. `new` counts passages that were stored, `shared` those that archival storage held already,
    `removed` those that a changed file no longer has.
    """

    source: str
    outcome: Outcome | None = None
    reason: str = ""
    files: int = 0
    total_files: int = 0
    bytes: int = 0
    total_bytes: int = 0
    new: int = 0
    shared: int = 0
    removed: int = 0
