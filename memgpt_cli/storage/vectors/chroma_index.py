"""Chroma, embedded, as a disposable index: a folder with ids and vectors that SQLite has too.

Properties of chromadb 1.5.9 that matter here (measured, see docs/vectors.md):

* Two processes that write to one folder lose vectors without an error, and a forked child that uses the client hangs:
  only the holder of the agent's lock opens it, and children are started without forking.
* `count()` is right even if the vectors are lost, and a damaged HNSW file causes a segmentation fault at opening or
  later. So a folder is used only if it is byte for byte what a clean close left, or if a child process opens it without
  crashing and finds a sample of its vectors. Otherwise it is deleted.
* Metadata filters cost 20 times the query, and documents stay in its file after deletion: both are unused.

It does not read SQLite, and does not decide when to rebuild.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any, Final

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import StoredVector, Vector
from memgpt_cli.errors import StorageError
from memgpt_cli.storage.vectors.log import IndexedState
from memgpt_cli.vendors import load

_MARKER: Final = "clean.json"
_PROBE_SECONDS: Final = 300
_FOUND_SHARE: Final = 0.9
"""HNSW is approximate; healthy indexes found at least 99% of their own vectors, damaged ones 6 to 75%."""
_SAME: Final = 1e-4
"""A distance below this is the vector itself or a duplicate: equal texts have equal vectors."""
_NEIGHBOURS: Final = 5
_FEW: Final = 8
"""Samples of each collection that are searched for at every opening; the probe searches for all."""

_HNSW: Final = {"space": "cosine", "ef_search": 200}
"""Of 100 requested among 100,000, the default of 100 finds 76 and 95% of the best ten; 200 finds 87 and 98%."""

_SETTINGS: Final[dict[str, Any]] = {
    "_env_file": None,
    "chroma_api_impl": "chromadb.api.rust.RustBindingsAPI",
    "anonymized_telemetry": False,
    "chroma_otel_collection_endpoint": "",
    "allow_reset": False,
    "migrations": "apply",
}
"""Set explicitly, so that neither a .env file of the current folder nor the environment selects another client."""


class ChromaError(StorageError):
    """Chroma failed or its folder cannot be used. Its content can be restored from SQLite."""


class ChromaIndex:
    """One open client over `folder`. Raises ChromaError from every method except `close`. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._client: Any = None
        self._collections: dict[Collection, Any] = {}
        self._opening = RLock()

    def open(self, state: IndexedState) -> bool:
        """Open the folder; returns whether it holds what it was given.

        If not, it was deleted, and an empty index is open that must be given everything again.
        """
        with self._opening:
            trusted = any(state.upto.values()) and self._trustworthy(state)
            if not trusted:
                self.throw_away()
            self._connect()
            few = {
                collection: entries[:: max(1, len(entries) // _FEW)] for collection, entries in state.samples.items()
            }
            if trusted and not self.finds(few):
                self.throw_away()
                self._connect()
                trusted = False
            return trusted

    def give(self, collection: Collection, entries: Sequence[StoredVector]) -> None:
        """Add a part of the log: vectors are added or replaced, empty ones are deletions."""
        with _faults():
            target = self._collection(collection)
            gone = [str(entry.id) for entry in entries if not entry.vector]
            kept = [entry for entry in entries if entry.vector]
            if gone:
                target.delete(ids=gone)
            if kept:
                target.upsert(ids=[str(entry.id) for entry in kept], embeddings=_matrix(kept))

    def search(self, collection: Collection, query: Vector, limit: int) -> list[tuple[int, float]]:
        """Return the ids nearest to `query` with their cosines, best first, by approximate search."""
        with _faults():
            answer = self._collection(collection).query(
                query_embeddings=_matrix([StoredVector(0, 0, query)]), n_results=limit, include=["distances"]
            )
            ids, distances = answer["ids"][0], answer["distances"][0]
            return [(int(item_id), 1.0 - distance) for item_id, distance in zip(ids, distances, strict=True)]

    def finds(self, samples: Mapping[Collection, Sequence[StoredVector]]) -> bool:
        """Whether a search finds these vectors."""
        try:
            for collection, entries in samples.items():
                found = sum(self._finds(collection, entry) for entry in entries)
                if found < _FOUND_SHARE * len(entries):
                    return False
        except ChromaError:
            return False
        return True

    def close(self, state: IndexedState | None = None) -> None:
        """Release threads and files. With `state`, the folder is marked as holding exactly that."""
        with self._opening:
            if self._client is None:
                return
            # After an error the folder has no marker and is checked at the next opening.
            with suppress(ChromaError, OSError):
                self._disconnect()
                if state is not None:
                    _write_marker(self._folder, state)

    def throw_away(self) -> None:
        """Close it and delete the folder."""
        with self._opening:
            self._disconnect()
            for _ in range(40):
                shutil.rmtree(self._folder, ignore_errors=True)
                if not self._folder.exists():
                    return
                if not self._folder.is_dir():
                    break
                time.sleep(0.05)  # Windows keeps a file until Chroma's threads have closed it
            raise ChromaError(f"{self._folder} cannot be deleted", hint=f"delete {self._folder} by hand")

    def connect_unchecked(self) -> None:
        """Open the folder without checks: for the probe, whose process may crash."""
        self._connect()

    def _trustworthy(self, state: IndexedState) -> bool:
        if not (self._folder / "chroma.sqlite3").is_file():
            return False
        marker = _read_marker(self._folder)
        if marker is None:
            return _survives_probe(self._folder, state.samples)
        return marker.matches(state) and marker.fits(self._folder)

    def _connect(self) -> None:
        with _faults():
            load("chromadb")
            import chromadb
            from chromadb.config import Settings

            self._folder.mkdir(parents=True, exist_ok=True)
            # Delete the marker first: if this process crashes, the folder is checked at the next opening.
            (self._folder / _MARKER).unlink(missing_ok=True)
            self._client = chromadb.PersistentClient(path=str(self._folder), settings=Settings(**_SETTINGS))

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        self._collections.clear()
        if client is not None:
            with _faults():
                client.close()

    def _collection(self, collection: Collection) -> Any:
        with self._opening:
            if collection not in self._collections:
                self._collections[collection] = self._client.get_or_create_collection(
                    str(collection), embedding_function=None, configuration={"hnsw": _HNSW}
                )
            return self._collections[collection]

    def _finds(self, collection: Collection, entry: StoredVector) -> bool:
        hits = self.search(collection, entry.vector, _NEIGHBOURS)
        return any(item_id == entry.id or cosine > 1.0 - _SAME for item_id, cosine in hits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marker:
    """The marker of a clean close: the log that it contains, and each file's size, time and checksum."""

    generation: int
    upto: Mapping[str, int]
    files: Mapping[str, tuple[int, int, int]]

    def matches(self, state: IndexedState) -> bool:
        return self.generation == state.generation and dict(self.upto) == {str(c): n for c, n in state.upto.items()}

    def fits(self, folder: Path) -> bool:
        """Whether the files are unchanged. A copied folder has new times; then the bytes are compared."""
        found = _stats(folder)
        if found.keys() != self.files.keys():
            return False
        for name, (size, modified, checksum) in self.files.items():
            if found[name] == (size, modified):
                continue
            if found[name][0] != size or _checksum(folder / name) != checksum:
                return False
        return True


def _write_marker(folder: Path, state: IndexedState) -> None:
    files = {name: (*stat, _checksum(folder / name)) for name, stat in _stats(folder).items()}
    marker = {"generation": state.generation, "upto": {str(c): n for c, n in state.upto.items()}, "files": files}
    partial = folder / f"{_MARKER}.part"
    partial.write_text(json.dumps(marker), encoding="utf-8")
    partial.replace(folder / _MARKER)


def _read_marker(folder: Path) -> _Marker | None:
    try:
        raw = json.loads((folder / _MARKER).read_text(encoding="utf-8"))
        files = {name: (int(size), int(time_ns), int(crc)) for name, (size, time_ns, crc) in raw["files"].items()}
        return _Marker(generation=int(raw["generation"]), upto=dict(raw["upto"]), files=files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _stats(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and modification time (ns) of every file except the marker."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(_MARKER)
    }


def _checksum(path: Path) -> int:
    value = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            value = zlib.crc32(block, value)
    return value


def _survives_probe(folder: Path, samples: Mapping[Collection, Sequence[StoredVector]]) -> bool:
    """Let a child process open the folder and search for the samples: damaged files can crash a process."""
    question = {str(c): [(entry.id, entry.vector.hex()) for entry in entries] for c, entries in samples.items()}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "memgpt_cli.storage.vectors.chroma_probe", str(folder)],
            input=json.dumps(question).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return child.returncode == 0


def _matrix(entries: Sequence[StoredVector]) -> Any:
    import numpy as np

    block = np.frombuffer(b"".join(entry.vector for entry in entries), dtype="<f4")
    return block.reshape(len(entries), -1)


@contextmanager
def _faults() -> Iterator[None]:
    """Map every failure of Chroma to ChromaError. Its Rust panics are not even `Exception`s."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, ChromaError):
        raise
    except BaseException as error:
        raise ChromaError(f"the vector index failed: {error}", hint="memgpt archival reindex") from error
