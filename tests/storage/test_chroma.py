"""Chroma as a disposable index: what is trusted, what is thrown away, what a close releases."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.vector_records import HashedEmbedder, add_passages, delete_passage, new_record

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.storage.database.connection import connect
from memgpt_cli.storage.vectors.chroma_index import ChromaError, ChromaIndex
from memgpt_cli.storage.vectors.index import AgentVectorIndex
from memgpt_cli.storage.vectors.log import IndexedState, Vectors

PASSAGES = Collection.PASSAGES
EMBEDDER = HashedEmbedder()
COUNT = 1200


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent's folder with 1,200 passages in a Chroma that was closed cleanly: enough for files of its own."""
    folder = tmp_path_factory.mktemp("built")
    path = new_record(folder / "agent.db")
    with closing(connect(path)) as connection:
        add_passages(connection, [f"text {n}" for n in range(COUNT)])
    with closing(opened(folder)) as index:
        index.settle()
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    shutil.copytree(built, tmp_path / "agent")
    return tmp_path / "agent"


def opened(folder: Path, **options: int | bool) -> AgentVectorIndex:
    return AgentVectorIndex(
        connect=lambda: connect(folder / "agent.db", any_thread=True),
        embedder=EMBEDDER,
        folder=folder / "vectors",
        **{"writer": True, "exact_vectors": 0, "push_at": 100, **options},
    )


def crashed(folder: Path) -> None:
    """What a killed process leaves: the files, without the word that they are whole."""
    (folder / "vectors" / "clean.json").unlink()


def hnsw_files(folder: Path) -> Iterator[Path]:
    found = [path for path in (folder / "vectors").glob("*/*.bin") if path.stat().st_size]
    assert found
    yield from found


def random_bytes_in_all_hnsw_files(folder: Path) -> None:
    for path in hnsw_files(folder):
        path.write_bytes(os.urandom(path.stat().st_size))


def random_bytes_in_places(folder: Path) -> None:
    for path in hnsw_files(folder):
        size = path.stat().st_size
        with path.open("r+b") as file:
            for place in range(0, size, max(1, size // 50)):
                file.seek(place)
                file.write(os.urandom(min(64, size - place)))


def no_hnsw_files(folder: Path) -> None:
    for path in {path.parent for path in hnsw_files(folder)}:
        shutil.rmtree(path)


def an_empty_database(folder: Path) -> None:
    (folder / "vectors" / "chroma.sqlite3").write_bytes(b"")


def a_random_database(folder: Path) -> None:
    (folder / "vectors" / "chroma.sqlite3").write_bytes(os.urandom(10_000))


def no_folder(folder: Path) -> None:
    shutil.rmtree(folder / "vectors")


DAMAGES = [
    random_bytes_in_all_hnsw_files,
    random_bytes_in_places,
    no_hnsw_files,
    an_empty_database,
    a_random_database,
    no_folder,
]


def assert_all_is_found(index: AgentVectorIndex) -> None:
    for n in range(0, COUNT, 40):
        assert index.search(PASSAGES, EMBEDDER.vector(f"text {n}"), 1)[0][0] == n + 1


def test_a_clean_close_is_trusted_and_nothing_is_given_again(built: Path) -> None:
    with closing(opened(built)) as index:
        assert_all_is_found(index)
        assert index._chroma is not None, "an exact search would find all of it too"
        assert not index.status().rebuilt
        assert index.status().unindexed[PASSAGES] == 0


def test_a_copied_folder_is_trusted_by_its_bytes(folder: Path) -> None:
    for path in (folder / "vectors").rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    with closing(opened(folder)) as index:
        assert_all_is_found(index)
        assert not index.status().rebuilt


def test_after_a_crash_a_sound_folder_survives_the_probe(folder: Path) -> None:
    crashed(folder)
    with closing(opened(folder)) as index:
        assert_all_is_found(index)
        assert not index.status().rebuilt


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("clean", [True, False], ids=["after-a-clean-close", "after-a-crash"])
def test_a_damaged_folder_is_noticed_and_rebuilt_without_embedding(
    folder: Path, damage: Callable[[Path], None], *, clean: bool
) -> None:
    if not clean:
        crashed(folder)
    damage(folder)
    EMBEDDER.embedded.clear()
    with closing(opened(folder)) as index:
        index.search(PASSAGES, EMBEDDER.vector("text 1"), 1)
        assert index.status().rebuilt
        index.flush()
        assert index.status().unindexed[PASSAGES] == 0
        assert_all_is_found(index)
    with closing(opened(folder)) as index:
        assert_all_is_found(index)
        assert not index.status().rebuilt
    assert EMBEDDER.embedded == []


def test_damage_is_noticed_by_a_flush_that_has_something_to_give_too(folder: Path) -> None:
    random_bytes_in_all_hnsw_files(folder)
    with closing(connect(folder / "agent.db")) as connection:
        add_passages(connection, ["later"])
    with closing(opened(folder)) as index:
        index.settle()
        assert index.status().rebuilt
        assert index.status().unindexed[PASSAGES] == 0
        assert_all_is_found(index)


def test_before_the_rebuilding_searches_are_exact_and_leave_nothing_out(folder: Path) -> None:
    no_folder(folder)
    with closing(opened(folder)) as index:
        assert_all_is_found(index)
        assert index.pending(PASSAGES) == 0


def test_what_neither_chroma_nor_the_tail_covers_is_pending(folder: Path) -> None:
    with closing(connect(folder / "agent.db")) as connection:
        add_passages(connection, [f"later {n}" for n in range(250)])
    with closing(opened(folder, writer=False)) as reader:
        reader.flush()
    with closing(opened(folder, push_at=100)) as index:
        assert index.search(PASSAGES, EMBEDDER.vector("later 249"), 1)[0][0] == COUNT + 250
        assert index.search(PASSAGES, EMBEDDER.vector("later 0"), 1)[0][0] != COUNT + 1
        assert index.pending(PASSAGES) == 150
        index.flush()
        assert index.search(PASSAGES, EMBEDDER.vector("later 0"), 1)[0][0] == COUNT + 1
        assert index.pending(PASSAGES) == 0


def test_a_search_inside_an_open_transaction_finds_damage_without_waiting_for_it(folder: Path) -> None:
    no_hnsw_files(folder)
    with closing(connect(folder / "agent.db")) as connection, closing(opened(folder)) as index:
        connection.execute("BEGIN IMMEDIATE")
        assert_all_is_found(index)
        assert index.status().rebuilt
        connection.execute("ROLLBACK")


def test_a_folder_of_another_moment_than_the_database_is_rebuilt(folder: Path, built: Path) -> None:
    with closing(connect(folder / "agent.db")) as connection:
        add_passages(connection, ["later"])
    with closing(opened(folder)) as index:
        index.settle()
    shutil.rmtree(folder / "vectors")
    shutil.copytree(built / "vectors", folder / "vectors")
    with closing(opened(folder)) as index:
        assert index.search(PASSAGES, EMBEDDER.vector("later"), 1)[0][0] == COUNT + 1
        assert index.status().rebuilt
        index.flush()
        assert index.search(PASSAGES, EMBEDDER.vector("later"), 1)[0][0] == COUNT + 1


def test_damage_while_it_is_open_costs_no_search_and_is_repaired(folder: Path) -> None:
    with closing(opened(folder)) as index:
        assert_all_is_found(index)
        index._chroma._client.delete_collection("passages")
        assert index.search(PASSAGES, EMBEDDER.vector(f"text {COUNT - 1}"), 1)[0][0] == COUNT
        index.settle()
        assert_all_is_found(index)


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_cannot_be_written_leaves_searches_exact(folder: Path) -> None:
    shutil.rmtree(folder / "vectors")
    folder.chmod(0o500)
    try:
        with closing(opened(folder)) as index:
            assert_all_is_found(index)
    finally:
        folder.chmod(0o700)


def test_a_file_where_the_folder_should_be_leaves_searches_exact(folder: Path) -> None:
    shutil.rmtree(folder / "vectors")
    (folder / "vectors").write_text("in the way")
    with closing(opened(folder)) as index:
        index.flush()
        assert_all_is_found(index)
        assert index.pending(PASSAGES) == 0


def test_reindexing_builds_chroma_anew_without_embedding(folder: Path) -> None:
    EMBEDDER.embedded.clear()
    before = {path.name for path in (folder / "vectors").iterdir() if path.is_dir()}
    with closing(opened(folder)) as index:
        assert index.reindex() == 0
        assert_all_is_found(index)
    assert EMBEDDER.embedded == []
    assert before.isdisjoint(path.name for path in (folder / "vectors").iterdir())


def test_a_log_that_begins_anew_while_chroma_is_open_leaves_nothing_of_the_old_in_it(folder: Path) -> None:
    with closing(connect(folder / "agent.db")) as connection, closing(opened(folder)) as index:
        assert_all_is_found(index)
        connection.execute("DELETE FROM passages WHERE id > 300")
        Vectors(connection).restart(EMBEDDER.identity)
        index.settle()
        held = {item for item, _ in index._chroma.search(PASSAGES, EMBEDDER.vector("text 7"), COUNT)}
        assert held == set(range(1, 301))
        assert not index.status().rebuilt


def test_a_removed_vector_leaves_chroma_with_the_next_flush(folder: Path) -> None:
    with closing(connect(folder / "agent.db")) as connection:
        delete_passage(connection, 8)
    with closing(opened(folder)) as index:
        index.settle()
        hits = index._chroma.search(PASSAGES, EMBEDDER.vector("text 7"), 5)
        assert 8 not in dict(hits)


def test_a_project_file_of_the_current_folder_cannot_redirect_chroma(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("CHROMA_API_IMPL=chromadb.api.fastapi.FastAPI\nCHROMA_SERVER_HOST=192.0.2.1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHROMA_API_IMPL", "chromadb.api.fastapi.FastAPI")
    with closing(opened(folder)) as index:
        assert_all_is_found(index)
        assert index._chroma is not None, "an exact search would find all of it too"
        assert not index.status().rebuilt


def test_a_close_releases_every_file_and_thread(folder: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")

    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir()))

    def files() -> list[str]:
        links = list(Path("/proc/self/fd").iterdir())
        return [target for link in links if link.exists() and str(folder) in (target := str(link.readlink()))]

    with closing(opened(folder)) as index:
        assert_all_is_found(index)
    before = held()
    for _ in range(3):
        with closing(opened(folder)) as index:
            assert_all_is_found(index)
            assert files()
    deadline = time.monotonic() + 10
    while (files() or held() > before) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert files() == []
    assert held() <= before


def test_what_chroma_raises_is_one_error_of_ours(tmp_path: Path) -> None:
    index = ChromaIndex(tmp_path / "vectors")
    assert not index.open(IndexedState(generation=0, upto=dict.fromkeys(Collection, 0)))
    with closing(connect(new_record(tmp_path / "agent.db"))) as connection:
        add_passages(connection, ["one"])
        vectors = Vectors(connection)
        vectors.put(
            PASSAGES,
            [(item, EMBEDDER.vector(item.text)) for item in vectors.waiting(PASSAGES, 1)],
            identity=EMBEDDER.identity,
        )
        index.give(PASSAGES, vectors.changes(PASSAGES, after=0, limit=1))
    with pytest.raises(ChromaError):
        index.search(PASSAGES, HashedEmbedder(dimensions=7).vector("x"), 1)
    index.close()
    with pytest.raises(ChromaError):
        index.search(PASSAGES, EMBEDDER.vector("x"), 1)


def test_nothing_is_imported_before_it_is_opened() -> None:
    script = "import sys, memgpt_cli.storage.vectors.index; print({'chromadb', 'numpy'} & set(sys.modules))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout == "set()\n"
