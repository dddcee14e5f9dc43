"""One agent's folder and embedder, from which vector indexes are opened."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from support.vector_records import HashedEmbedder, add_passages

from memgpt_cli.storage.database.connection import connect
from memgpt_cli.storage.vectors.index import AgentVectorIndex

KINDS = {
    "exact": {"exact_vectors": 1000},
    "chroma": {"exact_vectors": 0, "push_at": 1},
    "chroma and a tail": {"exact_vectors": 9, "push_at": 25},
    "reader": {"exact_vectors": 1000, "writer": False},
    "scan": {"exact_vectors": 2, "push_at": 2, "chroma": False},
    "too many messages": {"exact_vectors": 0, "push_at": 1, "nearest_messages": 5},
}


@dataclass
class VectorsUnderTest:
    """One agent's folder and embedder, from which indexes are opened."""

    folder: Path
    embedder: HashedEmbedder
    options: dict[str, int | bool]

    def connect(self) -> sqlite3.Connection:
        return connect(self.folder / "agent.db", any_thread=True)

    def open(self, **options: int | bool) -> AgentVectorIndex:
        chosen = {"writer": True, "batch": 7, **self.options, **options}
        return AgentVectorIndex(connect=self.connect, embedder=self.embedder, folder=self.folder / "vectors", **chosen)


def add(stored: VectorsUnderTest, texts: list[str]) -> list[int]:
    with closing(stored.connect()) as connection:
        return add_passages(connection, texts)


TEXTS = [f"text {n}" for n in range(60)]
