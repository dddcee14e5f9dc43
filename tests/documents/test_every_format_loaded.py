"""From real files to passages that are found and cited: every format through loading, by its own place."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import document_makers as makers

from memgpt_cli.documents.reading import FileReader
from memgpt_cli.domain.documents import LoadOutcome
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.vectors import EmbedderIdentity, Vector
from memgpt_cli.external_context.loading import Loader
from memgpt_cli.storage.store import SQLiteStore


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class Embedder:
    identity = EmbedderIdentity(provider="test", model="none", dimensions=1)

    def embed(self, texts: object) -> list[Vector]:
        del texts
        return [Vector(b"\0\0\x80?")]


def fill(folder: Path) -> None:
    (folder / "plain.txt").write_bytes("Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich.\n".encode("latin-1"))
    (folder / "notes.md").write_text("# Trips\n\n## Norway\n\nThe ferry leaves from Bergen.\n")
    (folder / "old.txt").write_bytes("会议定在下周三下午，请大家准时参加。今天天气很好。\n".encode("gb18030"))
    (folder / "boat.py").write_text('import os\n\n\ndef sail() -> str:\n    return "starboard"\n')
    (folder / "page.html").write_text("<html><h1>Harbours</h1><p>Mooring costs ten crowns.</p></html>")
    (folder / "data.json").write_text('{\n  "capital": "Reykjavik"\n}\n')
    makers.pdf(folder / "report.pdf", ["The first page is dull.", "The treasure lies at Smeerenburg."])
    makers.docx(folder / "report.docx")
    makers.epub_book(folder / "book.epub")
    makers.notebook(folder / "rain.ipynb")
    makers.table(folder / "crew.csv", [["name", "rank"], ["Ann", "mate"], ["Bo", "bosun"]])
    makers.json_lines(folder / "log.jsonl", [{"event": "departure"}, {"event": "collision"}])


@pytest.mark.parametrize(
    ("query", "name", "location"),
    [
        ("Boxkämpfer", "plain.txt", "line 1"),
        ("ferry Bergen", "notes.md", "Trips, lines 1-5"),
        ("天气", "old.txt", "line 1"),
        ("starboard", "boat.py", "lines 1-5"),
        ("mooring", "page.html", "Harbours"),
        ("Reykjavik", "data.json", "lines 1-3"),
        ("treasure", "report.pdf", "page 2"),
        ("otters weir", "report.docx", "Findings"),
        ("rises under a stone", "book.epub", "Source"),
        ("gauge leaked", "rain.ipynb", "Doubts, cell 3"),
        ("bosun", "crew.csv", "rows 1-2"),
        ("collision", "log.jsonl", "lines 1-2"),
    ],
)
def test_a_word_is_found_and_cited(loaded: SQLiteStore, query: str, name: str, location: str) -> None:
    hits = loaded.lexical.search_passages(query, ArchivalFilters(), 5)
    [best] = loaded.passages.get([hits[0].id])
    assert best.source is not None
    assert (Path(best.source).name, best.location) == (name, location)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SQLiteStore]:
    folder = tmp_path_factory.mktemp("every")
    fill(folder)
    store = SQLiteStore(folder / ".agent.db")
    loader = Loader(store, FileReader(), Embedder(), clock=Clock(), count=lambda text: len(text.split()), max_tokens=64)
    outcomes = [p.outcome for p in loader.load([str(folder)]) if p.outcome]
    assert outcomes == [LoadOutcome.LOADED] * 12
    yield store
    store.close()
