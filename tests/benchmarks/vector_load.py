"""`python -m benchmarks.vector_load KIND COUNT FOLDER`: loads and searches COUNT passages and prints JSON.

KIND is `ours` (the record, its outbox, `AgentVectorIndex`) or `floor` (the same embedder and Chroma with its defaults,
fed directly). In `ours`, `bare` is a plain id query to the same Chroma that the search before it asked.
Each runs in a process of its own, so that its peak memory is its own. The passages are made up: words by their rank,
around a few hundred topics, as notes are.
"""

import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.vectors import Vector
from memgpt_cli.llm.static_embedder import StaticEmbedder
from memgpt_cli.storage.database.connection import connect

WORDS_IN_PASSAGE = 40
QUERIES = 100
LIMIT = 100
CHROMA_BATCH = 1000


def passages(count: int, *, words: int = WORDS_IN_PASSAGE) -> Iterator[str]:
    """Made-up texts of so many words, the same in every run."""
    draw = random.Random(7)
    known = ["".join(draw.choices("aeioubcdfglmnprst", k=draw.randint(3, 9))) for _ in range(8000)]
    frequencies = list(accumulate(1 / rank for rank in range(1, len(known) + 1)))
    topics = [draw.sample(known, 40) for _ in range(300)]
    for _ in range(count):
        topic = draw.choice(topics)
        own = draw.choices(topic, k=words // 2)
        common = draw.choices(known, cum_weights=frequencies, k=words // 2)
        yield " ".join(own + common)


def batched(texts: list[str], size: int) -> Iterator[list[str]]:
    """Lists of `size` texts."""
    return (texts[start : start + size] for start in range(0, len(texts), size))


def timed(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of wall time and of CPU that `work` takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def per_query(search: Callable[[Any], Any], queries: Sequence[Any]) -> dict[str, float]:
    """Milliseconds for the first query, and the median of the others."""
    times = [timed(lambda query=query: search(query)) for query in queries]
    return {
        "first_ms": 1000 * times[0]["wall"],
        "wall_ms": 1000 * median(one["wall"] for one in times[1:]),
        "cpu_ms": 1000 * sum(one["cpu"] for one in times[1:]) / (len(times) - 1),
    }


def ours(count: int, folder: Path) -> dict[str, Any]:
    """Through the record."""
    from support.vector_records import add_passages, new_record

    from memgpt_cli.storage.vectors.index import AgentVectorIndex

    path = new_record(folder / "agent.db")
    embedder = StaticEmbedder()
    everything = list(passages(count))

    def opened(**options: Any) -> AgentVectorIndex:
        return AgentVectorIndex(
            connect=lambda: connect(path, any_thread=True),
            embedder=embedder,
            folder=folder / "vectors",
            **{"writer": True, **options},
        )

    def load() -> None:
        with closing(connect(path)) as connection, closing(opened(batch=1000)) as index:
            for texts in batched(everything, 1000):
                add_passages(connection, texts)
            index.settle()

    report: dict[str, Any] = {"load": timed(load), "peak_mb": peak_mb()}
    queries = embedder.embed(everything[:QUERIES])
    for name, options in {"chroma": {"exact_vectors": 0}, "exact": {"exact_vectors": count}}.items():
        with closing(opened(**options)) as index:
            report[name] = per_query(
                lambda query, index=index: index.search(Collection.PASSAGES, query, LIMIT), queries
            )
            if name == "chroma":
                bare = index._chroma._collection(Collection.PASSAGES)
                report["bare"] = per_query(lambda query, bare=bare: ids_only(bare, query), queries)
    with closing(opened(exact_vectors=20_000, writer=False)) as index:
        report["reader"] = per_query(lambda query: index.search(Collection.PASSAGES, query, LIMIT), queries[:11])
    report["disk_mb"] = {
        name: sum(file.stat().st_size for file in folder.rglob(pattern) if file.is_file()) / 1e6
        for name, pattern in {"agent.db": "agent.db*", "vectors": "vectors/**/*"}.items()
    }
    with closing(opened(exact_vectors=0)) as approximate, closing(opened(exact_vectors=count)) as exact:
        report["recall"] = sum(_shared(approximate, exact, query) for query in queries) / len(queries)
    report["rebuild"] = timed(lambda: _rebuild(opened))
    return report


def floor(count: int, folder: Path) -> dict[str, Any]:
    """The embedder and Chroma alone."""
    embedder = StaticEmbedder()
    everything = list(passages(count))

    def load() -> None:
        with closing(bare_client(folder)) as client:
            collection = bare_collection(client)
            fill(collection, embedder, everything)

    report: dict[str, Any] = {"load": timed(load), "peak_mb": peak_mb()}
    queries = embedder.embed(everything[:QUERIES])
    with closing(bare_client(folder)) as client:
        collection = bare_collection(client)
        report["chroma"] = per_query(lambda query: ids_only(collection, query), queries)
    return report


def fill(collection: Any, embedder: StaticEmbedder, everything: list[str]) -> None:
    """Embed the texts and give them to Chroma, batch by batch."""
    for number, texts in enumerate(batched(everything, CHROMA_BATCH)):
        ids = [str(1 + number * CHROMA_BATCH + place) for place in range(len(texts))]
        collection.upsert(ids=ids, embeddings=_matrix(embedder.embed(texts)))


def _rebuild(opened: Callable[..., Any]) -> None:
    with closing(opened()) as index:
        index.reindex()


def _shared(approximate: Any, exact: Any, query: Vector) -> float:
    found = {item for item, _ in approximate.search(Collection.PASSAGES, query, LIMIT)}
    return len(found & {item for item, _ in exact.search(Collection.PASSAGES, query, LIMIT)}) / LIMIT


def bare_client(folder: Path) -> Any:
    """Chroma as anybody opens it."""
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(path=str(folder / "bare"), settings=Settings(anonymized_telemetry=False))


def bare_collection(client: Any) -> Any:
    """One collection with the defaults, but cosines."""
    return client.get_or_create_collection(
        "passages", embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
    )


def ids_only(collection: Any, query: Vector, *, limit: int = LIMIT) -> Any:
    """A query that asks for nothing but ids."""
    return collection.query(query_embeddings=_matrix([query]), n_results=limit, include=[])


def _matrix(vectors: list[Vector]) -> Any:
    import numpy as np

    return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1)


def peak_mb() -> float:
    """The most memory that this process had so far."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    kind, number, where = sys.argv[1:]
    print(json.dumps({"ours": ours, "floor": floor}[kind](int(number), Path(where))))
