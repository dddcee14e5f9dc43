"""`python -m benchmarks.document_load KIND COUNT FOLDER`: text files loaded, and searches over them; JSON.

KIND is `files` (writes them), `ours` (`archival load` and archival search, everything included) or `floor` (the same
embedder and Chroma with its defaults, fed the same passages directly: no files, no words, no record). Each runs in a
process of its own, so that its peak memory is its own. COUNT passages of 72 made-up words in files of 1,000.
"""

import json
import os
import random
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import vector_load
from benchmarks.vector_load import batched, timed

IN_FILE = 1000
WORDS = 72
QUERIES = 60
WORDS_IN_QUERY = 5


def write_files(count: int, folder: Path) -> dict[str, Any]:
    """The documents: paragraphs that are one passage each."""
    documents = folder / "documents"
    documents.mkdir()
    for number, texts in enumerate(batched(list(vector_load.passages(count, words=WORDS)), IN_FILE)):
        (documents / f"{number:04}.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    return {"files": number + 1, "bytes": sum(path.stat().st_size for path in documents.iterdir())}


def texts_of(folder: Path) -> Iterator[str]:
    """The passages in the order in which they are loaded."""
    for path in sorted((folder / "documents").iterdir()):
        yield from path.read_text(encoding="utf-8").rstrip("\n").split("\n\n")


def ours(count: int, folder: Path) -> dict[str, Any]:
    """`archival load` of the folder, then searches as a person or a model asks for them."""
    os.environ["MEMGPT_HOME"] = str(folder / "home")
    from support.loading import load_paths

    from memgpt_cli.bootstrap import Workspace

    def load() -> None:
        load_paths(Workspace(), str(folder / "documents"))

    report: dict[str, Any] = {"load": timed(load), "peak_mb": vector_load.peak_mb()}
    with Workspace().held_memory(purpose="a benchmark") as memory:
        report["passages"] = memory.store.passages.count()
        assert report["passages"] == count
        report |= _searched(memory, _questions(folder), Workspace().settings.search)
    agent = folder / "home" / "data" / "agents" / "default"
    report["disk_mb"] = {
        name: sum(file.stat().st_size for file in agent.rglob(pattern) if file.is_file()) / 1e6
        for name, pattern in {"agent.db": "agent.db*", "vectors": "vectors/**/*"}.items()
    }
    return report


def _questions(folder: Path) -> list[str]:
    """A few words out of a passage each, so that both legs have something to find."""
    draw = random.Random(11)
    return [" ".join(draw.sample(text.split(), WORDS_IN_QUERY)) for text in draw.sample([*texts_of(folder)], QUERIES)]


def _searched(memory: Any, questions: list[str], settings: Any) -> dict[str, Any]:
    """The whole search; beside it, in turn, its lexical leg and a bare id query to the very Chroma that it asks."""
    from memgpt_cli.domain.kinds import Collection
    from memgpt_cli.domain.search import ArchivalFilters

    archival, wanted = memory.archival, settings.candidates
    vectors = {question: archival.embed_query(question) for question in questions}

    def search(question: str) -> None:
        archival.search(question, query_vector=vectors[question])

    def words(question: str) -> None:
        memory.store.lexical.search_passages(question, ArchivalFilters(), wanted)

    def bare(question: str) -> None:
        vector_load.ids_only(memory.index._chroma._collection(Collection.PASSAGES), vectors[question], limit=wanted)

    def both(question: str) -> None:
        words(question)
        bare(question)

    return {work.__name__: vector_load.per_query(work, questions) for work in (search, both, search, both, words, bare)}


def floor(_: int, folder: Path) -> dict[str, Any]:
    """The embedder and Chroma alone."""
    from memgpt_cli.llm.static_embedder import StaticEmbedder

    embedder, everything = StaticEmbedder(), list(texts_of(folder))

    def load() -> None:
        with closing(vector_load.bare_client(folder)) as client:
            vector_load.fill(vector_load.bare_collection(client), embedder, everything)

    report: dict[str, Any] = {"load": timed(load), "peak_mb": vector_load.peak_mb()}
    with closing(vector_load.bare_client(folder)) as client:
        collection = vector_load.bare_collection(client)
        vectors = embedder.embed(_questions(folder))
        report["bare"] = vector_load.per_query(lambda vector: vector_load.ids_only(collection, vector), vectors)
    return report


if __name__ == "__main__":
    kind, number, where = sys.argv[1:]
    print(json.dumps({"files": write_files, "ours": ours, "floor": floor}[kind](int(number), Path(where))))
