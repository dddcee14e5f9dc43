"""Loading: idempotent, resumable after any kill, fair to what documents share, and honest about what it skips."""

import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from memgpt_cli.documents.finding import source_name
from memgpt_cli.documents.reading import FileReader
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.documents import DocumentState, LoadOutcome, LoadProgress
from memgpt_cli.domain.kinds import Collection
from memgpt_cli.domain.passages import Passage
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.domain.vectors import EmbedderIdentity, Vector
from memgpt_cli.errors import APIKeyError
from memgpt_cli.external_context import loading
from memgpt_cli.external_context.loading import Loader
from memgpt_cli.storage.store import SQLiteStore
from memgpt_cli.storage.vectors.log import Vectors


@dataclass
class Clock:
    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment


class Embedder:
    identity = EmbedderIdentity(provider="test", model="zero", dimensions=2)

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        return [Vector(b"\0\0\x80?\0\0\0\0") for _ in texts]


class LockedEmbedder(Embedder):
    def embed(self, texts: Sequence[str]) -> list[Vector]:
        raise APIKeyError(f"the key was refused for {len(texts)} texts")


def count(text: str) -> int:
    return len(text.split())


@dataclass
class Archive:
    """An agent's record, and loads into it."""

    store: SQLiteStore
    embedder: Embedder = field(default_factory=Embedder)
    clock: Clock = field(default_factory=Clock)
    flushes: int = 0

    def flush(self) -> int:
        vectors = Vectors(self.store.connection)
        items = vectors.waiting(Collection.PASSAGES, 100_000)
        rows = list(zip(items, self.embedder.embed([item.text for item in items]), strict=True))
        self.flushes += 1
        return vectors.put(Collection.PASSAGES, rows, identity=self.embedder.identity)

    def load(self, *paths: Path | str, stdin: bytes = b"", tokens: int = 8, **options: object) -> list[LoadProgress]:
        loader = Loader(
            self.store,
            FileReader(stdin=io.BytesIO(stdin)),
            self.embedder,
            clock=self.clock,
            count=count,
            max_tokens=tokens,
            flush=self.flush,
        )
        progress = list(loader.load([str(path) for path in paths], **options))  # type: ignore[arg-type]
        assert [p.files for p in progress] == sorted(p.files for p in progress)
        assert all(p.bytes <= p.total_bytes for p in progress)
        assert not progress or progress[-1].files == progress[-1].total_files
        return [p for p in progress if p.outcome is not None]

    def outcomes(self, *paths: Path | str, **options: object) -> list[LoadOutcome | None]:
        return [p.outcome for p in self.load(*paths, **options)]  # type: ignore[arg-type]

    def living(self, **filters: object) -> list[Passage]:
        return sorted(self.store.passages.page(ArchivalFilters(**filters), limit=100_000), key=lambda p: p.id)  # type: ignore[arg-type]

    def texts(self, **filters: object) -> set[str]:
        return {passage.text for passage in self.living(**filters)}

    def check(self) -> None:
        """Every index agrees with the rows, and every document's passage is linked."""
        db = self.store.connection
        living = {row[0] for row in db.execute("SELECT id FROM passages WHERE deleted_at IS NULL")}
        assert {row[0] for row in db.execute("SELECT passage FROM passage_lengths")} == living
        db.execute("INSERT INTO passage_words (passage_words) VALUES ('integrity-check')")
        embedded = {row[0] for row in db.execute("SELECT item_id FROM vectors WHERE vector <> x''")}
        waiting = {row[0] for row in db.execute("SELECT item_id FROM outbox")}
        assert embedded | waiting == living
        linked = {row[0] for row in db.execute("SELECT passage FROM document_passages")}
        assert {p.id for p in self.living() if p.provenance.author is Author.DOCUMENT} <= linked


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    store = SQLiteStore(tmp_path / "agent.db")
    yield Archive(store)
    store.close()


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def test_a_passage_knows_its_file_its_heading_and_its_lines(archive: Archive, notes: Path) -> None:
    (notes / "a.md").write_text(
        "# Garden\n\n## Roses\nCut them in March.\n\n## Lilies\nDo nothing at all with these.\n"
    )
    [progress] = archive.load(notes / "a.md", tags=["plants"])
    assert (progress.outcome, progress.new, progress.files) == (LoadOutcome.LOADED, 2, 1)
    roses, lilies = archive.living()
    assert roses.source == lilies.source == source_name(notes / "a.md")
    assert roses.location == "Garden > Roses, lines 1-4"
    assert lilies.location == "Garden > Lilies, lines 6-7"
    assert roses.tags == ("plants",)
    assert roses.provenance == Provenance(author=Author.DOCUMENT, command="archival load")
    archive.check()


def test_an_unchanged_file_adds_nothing(archive: Archive, notes: Path) -> None:
    (notes / "a.txt").write_text("One thing.\n")
    assert archive.outcomes(notes) == [LoadOutcome.LOADED]
    before = archive.living()
    assert archive.outcomes(notes) == [LoadOutcome.UNCHANGED]
    assert archive.outcomes(notes / "a.txt", notes, str(notes / "*.txt")) == [LoadOutcome.UNCHANGED]
    assert archive.living() == before


def test_a_changed_file_replaces_its_own_passages_only(archive: Archive, notes: Path) -> None:
    (notes / "a.txt").write_text("Alpha stays here for good now.\n\nBeta will be gone very soon now.\n")
    (notes / "b.txt").write_text("Gamma is in the other file only.\n")
    archive.load(notes)
    stays = next(p for p in archive.living() if p.text.startswith("Alpha"))
    (notes / "a.txt").write_text("A new first line stands here.\n\nAlpha stays here for good now.\n")
    progress = archive.load(notes)
    assert [p.outcome for p in progress] == [LoadOutcome.UPDATED, LoadOutcome.UNCHANGED]
    assert (progress[-1].new, progress[-1].shared, progress[-1].removed) == (1, 1, 1)
    assert archive.texts() == {
        "A new first line stands here.",
        "Alpha stays here for good now.",
        "Gamma is in the other file only.",
    }
    after = next(p for p in archive.living() if p.text.startswith("Alpha"))
    assert (after.id, after.location) == (stays.id, "line 3")
    archive.check()


def test_what_two_files_share_outlives_either(archive: Archive, notes: Path) -> None:
    (notes / "a.txt").write_text("Both files say this same thing.\n\nOnly the first one says that.\n")
    (notes / "b.txt").write_text("\n\nBoth files say this same thing.\n")
    archive.load(notes / "a.txt", tags=["x"])
    archive.load(notes / "b.txt", tags=["y"])
    a, b = source_name(notes / "a.txt"), source_name(notes / "b.txt")
    [shared] = archive.living(source=b)
    assert (shared.source, shared.tags) == (a, ("x", "y"))
    assert archive.texts(source=a) == {"Both files say this same thing.", "Only the first one says that."}
    (notes / "a.txt").write_text("Something else altogether stands here now.\n")
    archive.load(notes)
    [shared] = archive.living(source=b)
    assert (shared.text, shared.source, shared.location, shared.tags) == (
        "Both files say this same thing.",
        b,
        "line 3",
        ("y",),
    )
    assert archive.store.documents.delete(b, at=archive.clock.now()) == 1
    assert archive.texts() == {"Something else altogether stands here now."}
    archive.check()


def test_what_a_person_wrote_outlives_the_document_that_says_the_same(archive: Archive, notes: Path) -> None:
    outright = Passage(text="The key is under the mat.", created_at=archive.clock.now())
    archive.store.passages.add(outright)
    (notes / "a.txt").write_text("The key is under the mat.\n\nThe cat is on the same mat.\n")
    archive.load(notes)
    said = Passage(text="The cat is on the same mat.", created_at=archive.clock.now())
    assert archive.store.passages.add(said)[1] is False
    archive.store.documents.delete(source_name(notes / "a.txt"), at=archive.clock.now())
    assert [(p.text, p.source, p.location) for p in archive.living()] == [
        ("The key is under the mat.", None, None),
        ("The cat is on the same mat.", None, None),
    ]
    assert archive.store.documents.sources() == []
    archive.check()


def test_sources_are_listed_with_their_numbers_and_deleted_by_name(archive: Archive, notes: Path) -> None:
    (notes / "a.txt").write_text("First part of it stands here.\n\nSecond part of it stands here.\n")
    archive.load(notes, tags=["t"])
    archive.store.passages.add(Passage(text="From the web.", created_at=archive.clock.now(), source="the web"))
    document, other = sorted(archive.store.documents.sources(), key=lambda s: s.document is None)
    assert (document.name, document.passages) == (source_name(notes / "a.txt"), 2)
    assert document.document is not None
    assert (document.document.kind, document.document.tags, document.document.state) == (
        "text",
        ("t",),
        DocumentState.LOADED,
    )
    assert (other.name, other.passages, other.document) == ("the web", 1, None)
    assert archive.store.documents.delete("the web", at=archive.clock.now()) == 1
    assert archive.store.documents.delete("nothing", at=archive.clock.now()) == 0
    assert archive.store.documents.delete(document.name, at=archive.clock.now()) == 2
    assert archive.store.documents.sources() == []
    assert archive.outcomes(notes) == [LoadOutcome.LOADED]
    archive.check()


def test_new_tags_and_a_new_size_need_no_change_of_the_file(archive: Archive, notes: Path) -> None:
    (notes / "a.txt").write_text("One two three four five six. Seven eight nine ten.\n")
    archive.load(notes)
    assert archive.outcomes(notes, tags=["t"]) == [LoadOutcome.UPDATED]
    assert archive.outcomes(notes, tags=["t"]) == [LoadOutcome.UNCHANGED]
    assert archive.texts(tags=("t",)) == {"One two three four five six.", "Seven eight nine ten."}
    assert archive.outcomes(notes, tokens=20) == [LoadOutcome.UNCHANGED]
    assert archive.outcomes(notes, tokens=20, again=True) == [LoadOutcome.UPDATED]
    assert archive.texts() == {"One two three four five six. Seven eight nine ten."}
    assert archive.living()[0].tags == ("t",)
    archive.check()


def test_what_cannot_be_read_is_named_and_the_rest_is_loaded(archive: Archive, notes: Path) -> None:
    (notes / "a.png").write_bytes(b"\x89PNG" + bytes(100))
    (notes / "b.txt").write_text("Good text.\n")
    (notes / "c.pdf").write_text("no pdf")
    progress = archive.load(notes, notes / "nowhere", str(notes / "*.nothing"))
    assert [(Path(p.source).name, p.outcome, p.reason) for p in progress] == [
        ("a.png", LoadOutcome.SKIPPED, "a picture"),
        ("b.txt", LoadOutcome.LOADED, ""),
        ("c.pdf", LoadOutcome.SKIPPED, "not a valid .pdf file"),
        ("nowhere", LoadOutcome.SKIPPED, "no such file or folder"),
        ("*.nothing", LoadOutcome.SKIPPED, "no such file or folder"),
    ]


def test_a_file_that_became_unreadable_keeps_its_passages(archive: Archive, notes: Path) -> None:
    (notes / "a.txt").write_text("Good text.\n")
    archive.load(notes)
    (notes / "a.txt").write_bytes(bytes(1000))
    assert archive.outcomes(notes) == [LoadOutcome.SKIPPED]
    assert archive.texts() == {"Good text."}


def test_standard_input_is_a_source_of_its_own_each_time_unless_it_is_named(archive: Archive) -> None:
    [first] = archive.load("-", stdin=b"First thing piped in.")
    [second] = archive.load("-", stdin=b"Second thing piped in.")
    assert first.source.startswith("stdin ")
    assert first.source != second.source
    assert [p.outcome for p in archive.load("-", stdin=b"First thing piped in.")] == [LoadOutcome.UNCHANGED]
    archive.load("-", stdin=b"# Title\nFirst.", name="log.md")
    archive.load("-", stdin=b"# Title\nOther.", name="log.md")
    assert archive.texts(source="log.md") == {"# Title\nOther."}


def test_a_wrong_key_shows_before_anything_is_written(archive: Archive, notes: Path) -> None:
    (notes / "a.txt").write_text("Good text.\n")
    archive.embedder = LockedEmbedder()
    with pytest.raises(APIKeyError):
        archive.load(notes)
    assert archive.living() == []
    assert archive.store.documents.sources() == []


def test_large_files_are_stored_and_embedded_in_batches(
    archive: Archive, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "BATCH", 10)
    (notes / "a.txt").write_text("\n\n".join(f"This is paragraph number {n} of all." for n in range(95)))
    (notes / "b.txt").write_text("\n\n".join(f"This is paragraph number {n} of all." for n in range(95)))
    progress = archive.load(notes)
    assert [(p.outcome, p.new, p.shared) for p in progress] == [
        (LoadOutcome.LOADED, 95, 0),
        (LoadOutcome.LOADED, 95, 95),
    ]
    assert archive.flushes >= 9
    archive.check()


CHILD = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from memgpt_cli.external_context import loading
from memgpt_cli.storage.store import SQLiteStore
from test_loading import Archive
loading.BATCH = 20
archive = Archive(SQLiteStore(Path(sys.argv[1])))
print("begun", flush=True)
archive.load(sys.argv[2])
print("done", flush=True)
"""


def corpus(folder: Path) -> set[str]:
    """Files of many passages, some of them shared; returns all texts."""
    expected = set()
    for file in range(4):
        paragraphs = [f"File {file % 3} holds paragraph {n} of its own." for n in range(150)]
        expected.update(paragraphs)
        (folder / f"{file}.txt").write_text("\n\n".join(paragraphs))
    return expected


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_load_killed_at_any_point_goes_on_without_loss_or_doubles(tmp_path: Path, notes: Path) -> None:
    expected = corpus(notes)
    database = tmp_path / "killed.db"
    SQLiteStore(database).close()
    generator = random.Random(5)
    kills = 0
    for _ in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(database), str(notes), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
            text=True,
        )
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == "begun\n"
            time.sleep(generator.uniform(0.005, 0.08))
            child.kill()
            kills += child.stdout.read() == ""
        store = SQLiteStore(database)
        Archive(store).check()
        texts = [row[0] for row in store.connection.execute("SELECT text FROM passages WHERE deleted_at IS NULL")]
        assert len(texts) == len(set(texts))
        store.close()
    assert kills > 0
    archive = Archive(SQLiteStore(database))
    archive.load(notes)
    assert archive.texts() == expected
    assert archive.outcomes(notes) == [LoadOutcome.UNCHANGED] * 4
    archive.check()
    archive.store.close()


def test_a_change_cut_off_half_way_keeps_the_old_text_until_it_goes_on(
    archive: Archive, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "BATCH", 2)
    (notes / "a.txt").write_text("\n\n".join(f"Old paragraph number {n} stands here now." for n in range(6)))
    archive.load(notes)
    (notes / "a.txt").write_text("\n\n".join(f"New paragraph number {n} stands here now." for n in range(6)))
    loader = Loader(archive.store, FileReader(), archive.embedder, clock=archive.clock, count=count, max_tokens=8)
    halfway = loader.load([str(notes)])
    assert [next(halfway).new for _ in range(3)] == [0, 2, 4]
    halfway.close()  # type: ignore[attr-defined]
    assert len(archive.texts()) == 10
    assert archive.outcomes(notes) == [LoadOutcome.UPDATED]
    assert archive.texts() == {f"New paragraph number {n} stands here now." for n in range(6)}
    archive.check()


PARAGRAPHS = [f"Paragraph {letter} is one of eight." for letter in "abcdefgh"]


class Loading(RuleBasedStateMachine):
    """Files change, come and go, and are deleted by source: storage always holds exactly what the last loads say."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: dict[str, list[str]] = {}
        self.files: dict[str, list[str]] = {}
        self.said: set[str] = set()

    folder: Path
    archive: Archive

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=os.environ["LOADING_TEST_FOLDER"]))
        self.archive = Archive(SQLiteStore(self.folder / "agent.db"))

    @rule(name=st.sampled_from("xyz"), content=st.lists(st.sampled_from(PARAGRAPHS), min_size=1, max_size=5))
    def write(self, name: str, content: list[str]) -> None:
        (self.folder / f"{name}.txt").write_text("\n\n".join(content))
        self.files[name] = content

    @rule(name=st.sampled_from("xyz"))
    def load(self, name: str) -> None:
        if name in self.files:
            self.archive.load(self.folder / f"{name}.txt", tokens=6)
            self.expected[name] = self.files[name]

    @rule(name=st.sampled_from("xyz"))
    def delete(self, name: str) -> None:
        with self.archive.store.transaction():
            self.archive.store.documents.delete(source_name(self.folder / f"{name}.txt"), at=self.archive.clock.now())
        self.expected.pop(name, None)

    @rule(text=st.sampled_from(PARAGRAPHS))
    def say(self, text: str) -> None:
        with self.archive.store.transaction():
            self.archive.store.passages.add(Passage(text=text, created_at=self.archive.clock.now()))
        self.said.add(text)

    @invariant()
    def storage_holds_what_was_loaded(self) -> None:
        if not hasattr(self, "archive"):
            return
        wanted = {text for content in self.expected.values() for text in content}
        assert self.archive.texts() == wanted | self.said
        for name, content in self.expected.items():
            assert self.archive.texts(source=source_name(self.folder / f"{name}.txt")) == set(content)
        self.archive.check()

    def teardown(self) -> None:
        if hasattr(self, "archive"):
            self.archive.store.close()


def test_storage_holds_what_the_last_loads_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOADING_TEST_FOLDER", str(tmp_path))
    run_state_machine_as_test(
        Loading,
        settings=settings(
            max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
