"""Records with passages and messages to embed, and an embedder that needs no model: for tests of the vector rooms."""

import hashlib
import math
import sqlite3
import struct
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import EmbedderIdentity, Vector
from memgpt_cli.storage.database.connection import connect, transaction
from memgpt_cli.storage.database.schema import migrate
from memgpt_cli.storage.vectors.log import Vectors

NOON = "2024-01-01T12:00:00.000Z"


class HashedEmbedder:
    """Vectors drawn by a text's hash: equal texts meet, all others are nearly at right angles."""

    def __init__(self, *, model: str = "hashed", dimensions: int = 24) -> None:
        self.identity = EmbedderIdentity(provider="test", model=model, dimensions=dimensions)
        self.embedded: list[str] = []
        self.failure: Exception | None = None
        self.fails_after: int | None = None

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        if self.failure is not None and (self.fails_after is None or len(self.embedded) >= self.fails_after):
            raise self.failure
        self.embedded.extend(texts)
        return [self.vector(text) for text in texts]

    def vector(self, text: str) -> Vector:
        """The vector of one text, without counting it as embedded."""
        wanted = 2 * self.identity.dimensions
        noise = hashlib.shake_256(f"{self.identity.model}/{text}".encode()).digest(wanted)
        numbers = [number / 65535 - 0.5 for (number,) in struct.iter_unpack("<H", noise)]
        length = math.sqrt(sum(number * number for number in numbers))
        return Vector(struct.pack(f"<{len(numbers)}f", *(number / length for number in numbers)))


def cosine(one: Vector, other: Vector) -> float:
    """Computed without numpy, to check what was computed with it."""
    pairs = zip(struct.iter_unpack("<f", one), struct.iter_unpack("<f", other), strict=True)
    return sum(a * b for (a,), (b,) in pairs)


def new_record(path: Path) -> Path:
    """An empty `agent.db`."""
    with closing(connect(path)) as connection:
        migrate(connection)
    return path


def add_passages(connection: sqlite3.Connection, texts: Iterable[str]) -> list[int]:
    """Passages with these texts, waiting for their vectors."""
    with transaction(connection):
        ids = [
            connection.execute(
                "INSERT INTO passages (text, author, created_at, content_hash) VALUES (?, 'user', ?, randomblob(16))"
                " RETURNING id",
                (text, NOON),
            ).fetchone()[0]
            for text in texts
        ]
        Vectors(connection).enqueue(Collection.PASSAGES, ids)
    return ids


def change_passage(connection: sqlite3.Connection, passage_id: int, text: str) -> None:
    """Another text for a passage, which waits for its vector again."""
    with transaction(connection):
        connection.execute("UPDATE passages SET text = ? WHERE id = ?", (text, passage_id))
        Vectors(connection).enqueue(Collection.PASSAGES, [passage_id])


def delete_passage(connection: sqlite3.Connection, passage_id: int) -> None:
    """An empty tombstone."""
    with transaction(connection):
        connection.execute("UPDATE passages SET text = '', deleted_at = ? WHERE id = ?", (NOON, passage_id))
        Vectors(connection).remove(Collection.PASSAGES, [passage_id])


def add_messages(connection: sqlite3.Connection, texts: Iterable[str]) -> list[int]:
    """Evicted messages with these texts, waiting for their vectors."""
    with transaction(connection):
        ids = [
            connection.execute(
                "INSERT INTO messages (role, text, created_at, evicted_by) VALUES ('user', ?, ?, 1) RETURNING id",
                (text, NOON),
            ).fetchone()[0]
            for text in texts
        ]
        Vectors(connection).enqueue(Collection.MESSAGES, ids)
    return ids
