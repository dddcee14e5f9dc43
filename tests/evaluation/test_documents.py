"""The ranking of passages on 30 self-written documents and their questions, in English and Chinese.

`pytest -s tests/evaluation/test_documents.py` prints the table of docs/search.md: how often the passage that holds the
answer comes first, is among the first five, and is within the first 1,024 tokens, beside three plain baselines.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.evaluation.retrieval import reciprocal_rank_fusion
from memgpt_cli.text.words import is_chinese, segment

SET = Path(__file__).with_name("documents.txt")
DEPTH = 50
TOKENS = 1024
METRICS = ("first", "first five", "1k tokens", "MRR")

Search = Callable[[str], Sequence[int]]


@dataclass(frozen=True)
class Asked:
    """A question and a phrase that only the passages with its answer hold."""

    question: str
    phrase: str
    document: str


def read_set() -> tuple[dict[str, str], list[Asked]]:
    """Texts of documents by name, and the questions below each."""
    documents, asked = {}, []
    for part in re.split(r"^=== ", SET.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        lines = body.splitlines()
        documents[name] = "\n".join(line for line in lines if not line.startswith("? ")).strip() + "\n"
        for line in lines:
            if line.startswith("? "):
                question, phrase = line[2:].split(" => ")
                asked.append(Asked(question, phrase, name))
    return documents, asked


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, float]]]:
    """The metrics of each ranking, for all questions and for each language."""
    documents, asked = read_set()
    home = tmp_path_factory.mktemp("documents")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEMGPT_HOME", str(home / "home"))
        patch.chdir(home)
        for name, text in documents.items():
            (home / name).parent.mkdir(exist_ok=True)
            (home / name).write_text(text, encoding="utf-8")
        workspace = Workspace()
        with workspace.scratch() as room, closing(sqlite3.connect(":memory:")) as plain:
            list(workspace.loader(room.store, command="test").load(sorted(documents)))
            room.index.flush()
            passages = {p.id: p for p in room.store.passages.page(ArchivalFilters(), limit=10_000)}
            _, archival = workspace.external_context(room.store, room.index)

            def ours(question: str) -> list[int]:
                vector = archival.embed_query(question)
                return [hit.item.id for hit in archival.search(question, page_size=DEPTH, query_vector=vector).hits]

            def vectors(question: str) -> list[int]:
                vector = room.embedder.embed([question])[0]
                return [item for item, _ in room.index.search(Collection.PASSAGES, vector, DEPTH)]

            words = plain_words(plain, passages)
            searches: dict[str, Search] = {
                "memgpt": ours,
                "plain FTS5": words,
                "plain vectors": vectors,
                "plain fusion": lambda question: reciprocal_rank_fusion([words(question), vectors(question)]),
            }
            count = workspace.models.counter("gpt-4o").count
            yield {
                f"{name}{language}": measured(search, chosen, passages, count)
                for name, search in searches.items()
                for language, chosen in by_language(asked).items()
            }


def by_language(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    return {
        "": list(asked),
        ", English": [one for one in asked if not is_chinese(one.question)],
        ", Chinese": [one for one in asked if is_chinese(one.question)],
    }


def plain_words(db: sqlite3.Connection, passages: Mapping[int, Passage]) -> Search:
    """FTS5 as it comes, all words of the question in OR; each Chinese character is a word."""
    db.execute("CREATE VIRTUAL TABLE plain USING fts5 (words, content = '')")
    db.executemany(
        "INSERT INTO plain (rowid, words) VALUES (?, ?)", ((p.id, segment(p.text)) for p in passages.values())
    )

    def search(question: str) -> list[int]:
        match = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", segment(question)))
        sql = "SELECT rowid FROM plain WHERE plain MATCH ? ORDER BY bm25(plain), rowid LIMIT ?"
        return [row[0] for row in db.execute(sql, (match, DEPTH))]

    return search


def measured(
    search: Search, asked: Sequence[Asked], passages: Mapping[int, Passage], count: Callable[[str], int]
) -> dict[str, float]:
    rows = []
    for one in asked:
        found = [passages[item] for item in search(one.question)]
        place = next((n for n, passage in enumerate(found) if holds(passage, one)), None)
        spent = sum(count(passage.text) for passage in found[: (place or 0) + 1])
        known = place is not None
        rows.append((place == 0, known and place < 5, known and spent <= TOKENS, 1 / (place + 1) if known else 0.0))
    return dict(zip(METRICS, (100 * sum(column) / len(rows) for column in zip(*rows, strict=True)), strict=True))


def holds(passage: Passage, asked: Asked) -> bool:
    return (passage.source or "").endswith(f"/{asked.document}") and asked.phrase in " ".join(passage.text.split())


def test_every_question_has_a_passage_that_answers_it() -> None:
    documents, asked = read_set()
    assert (len(documents), len(asked)) == (30, 113)
    for one in asked:
        assert one.phrase in " ".join(documents[one.document].split()), one


def test_passages_are_found_better_than_by_any_plain_search(scores: dict[str, dict[str, float]]) -> None:
    print("\n| | " + " | ".join(METRICS) + " |")
    for name, row in scores.items():
        print(f"| {name} | " + " | ".join(f"{row[metric]:.1f}" for metric in METRICS) + " |")
    ours = scores["memgpt"]
    assert (ours["first"] >= 84, ours["first five"] >= 94, ours["MRR"] >= 89) == (True, True, True), ours
    for name in ("plain FTS5", "plain vectors", "plain fusion"):
        for language in ("", ", English", ", Chinese"):
            assert scores[f"memgpt{language}"]["MRR"] >= scores[f"{name}{language}"]["MRR"], (name, language)
