"""The vector index over SQLite and Chroma, beside its contract (`tests/contracts`): reindexing, readers, kills."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.vector_records import HashedEmbedder, add_messages, new_record
from support.vectors_under_test import KINDS, TEXTS, VectorsUnderTest, add

from memgpt_cli.domain.kinds import Collection
from memgpt_cli.errors import ModelError, StorageError
from memgpt_cli.storage.vectors.log import Vectors

PASSAGES, MESSAGES = Collection.PASSAGES, Collection.MESSAGES


@pytest.fixture
def make_vectors(tmp_path: Path) -> Callable[..., VectorsUnderTest]:
    def make(**options: int | bool) -> VectorsUnderTest:
        new_record(tmp_path / "agent.db")
        return VectorsUnderTest(tmp_path, HashedEmbedder(), options)

    return make


def test_above_their_bound_messages_are_kept_out_of_chroma_and_none_of_them_waits(
    make_vectors: Callable[..., VectorsUnderTest],
) -> None:
    stored = make_vectors(exact_vectors=0, push_at=1, nearest_messages=29)
    with closing(stored.connect()) as connection:
        messages = add_messages(connection, TEXTS[:29])
    with closing(stored.open()) as index:
        index.settle()
        assert index.status().unindexed[MESSAGES] == 0
        with closing(stored.connect()) as connection:
            messages += add_messages(connection, TEXTS[29:])
        index.settle()
        index.warm()
        status = index.status()
        assert (status.vectors[MESSAGES], status.unindexed[MESSAGES], index.pending(MESSAGES)) == (60, 31, 0)
        assert index.search(MESSAGES, stored.embedder.vector("text 40"), 1)[0][0] == messages[40]


def test_an_exact_search_and_a_small_flush_do_not_import_chroma() -> None:
    script = (
        "import sys, tempfile; from pathlib import Path\n"
        "from support.vector_records import *\n"
        "from memgpt_cli.storage.vectors.index import AgentVectorIndex\n"
        "folder = Path(tempfile.mkdtemp()); path = new_record(folder / 'agent.db'); e = HashedEmbedder()\n"
        "with closing(connect(path)) as c: add_passages(c, ['one', 'two'])\n"
        "i = AgentVectorIndex(connect=lambda: connect(path, any_thread=True), embedder=e,"
        " folder=folder / 'vectors', writer=True)\n"
        "i.flush(); print(len(i.search(Collection.PASSAGES, e.vector('one'), 2)), 'chromadb' in sys.modules); i.close()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=child_env())
    assert done.stdout == "2 False\n"


def test_a_reader_never_makes_a_chroma_folder_and_embeds_all_the_same(
    make_vectors: Callable[..., VectorsUnderTest],
) -> None:
    stored = make_vectors(exact_vectors=2)
    ids = add(stored, TEXTS)
    with closing(stored.open(writer=False)) as reader:
        assert reader.settle() == 60
        assert reader.search(PASSAGES, stored.embedder.vector("text 3"), 1)[0][0] == ids[3]
        with pytest.raises(StorageError):
            reader.reindex()
    assert not (stored.folder / "vectors").exists()


@pytest.fixture(params=KINDS, ids=lambda kind: kind.replace(" ", "-"))
def stored(request: pytest.FixtureRequest, make_vectors: Callable[..., VectorsUnderTest]) -> VectorsUnderTest:
    return make_vectors(**KINDS[request.param])


def test_reindexing_with_another_embedder_embeds_everything_anew(stored: VectorsUnderTest) -> None:
    if stored.options.get("writer") is False:
        pytest.skip("a reader may not reindex")
    ids = add(stored, TEXTS)
    with closing(stored.open()) as index:
        index.flush()
        other = HashedEmbedder(model="other", dimensions=32)
        stages: list[tuple[str, int, int]] = []
        assert index.reindex(other, progress=lambda *stage: stages.append(stage)) == 60
        assert index.status().identity == other.identity
        assert index.search(PASSAGES, other.vector("text 9"), 1)[0][0] == ids[9]
        assert ("embed", 60, 60) in stages


def test_reindexing_goes_on_where_it_stopped(make_vectors: Callable[..., VectorsUnderTest]) -> None:
    stored = make_vectors(exact_vectors=0, push_at=1)
    ids = add(stored, TEXTS)
    other = HashedEmbedder(model="other")
    other.failure, other.fails_after = ModelError("away"), 30
    with closing(stored.open()) as index:
        index.flush()
        with pytest.raises(ModelError):
            index.reindex(other)
    other.failure = None
    stored.embedder = other
    with closing(stored.open()) as index:
        assert index.reindex(other) == 60 - len([text for text in other.embedded[:36] if text in TEXTS])
        assert sorted(text for text in other.embedded if text in TEXTS) == sorted(TEXTS)
        assert index.search(PASSAGES, other.vector("text 9"), 1)[0][0] == ids[9]


def test_an_embedder_that_does_not_work_is_noticed_before_anything_is_dropped(
    make_vectors: Callable[..., VectorsUnderTest],
) -> None:
    stored = make_vectors()
    add(stored, TEXTS)
    other = HashedEmbedder(model="other")
    other.failure = ModelError("wrong key")
    with closing(stored.open()) as index:
        index.flush()
        with pytest.raises(ModelError, match="wrong key"):
            index.reindex(other)
        assert index.status().vectors[PASSAGES] == 60


KILLED = """
import sys, time
from pathlib import Path
from support.vector_records import HashedEmbedder, connect
from memgpt_cli.storage.vectors.index import AgentVectorIndex

folder = Path(sys.argv[1])
embedder = HashedEmbedder()
index = AgentVectorIndex(
    connect=lambda: connect(folder / "agent.db", any_thread=True), embedder=embedder, folder=folder / "vectors",
    writer=True, exact_vectors=0, batch=20, push_at=40,
)
print("begun", flush=True)
index.flush(progress=lambda stage, done, total: (print(stage, done, flush=True), time.sleep(0.002)))
"""


def child_env() -> dict[str, str]:
    root = Path(__file__).parents[2]
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(root), str(root / "tests")))}


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a signal")
def test_killed_in_the_middle_of_a_flush_nothing_is_lost_and_nothing_doubled(
    make_vectors: Callable[..., VectorsUnderTest],
) -> None:
    stored = make_vectors(exact_vectors=0, push_at=1)
    texts = [f"text {n}" for n in range(1500)]
    ids = add(stored, texts)
    for lines in (3, 20, 40):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(stored.folder)], stdout=subprocess.PIPE, text=True, env=child_env()
        )
        assert child.stdout is not None
        for _ in range(lines):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with closing(stored.connect()) as connection:
            vectors = Vectors(connection)
            assert vectors.count(PASSAGES) + vectors.waiting_count(PASSAGES) == 1500
    with closing(stored.open()) as index:
        index.settle()
        with closing(stored.connect()) as connection:
            kept = Vectors(connection).vectors_of(PASSAGES, ids)
        assert kept == {passage: stored.embedder.vector(text) for passage, text in zip(ids, texts, strict=True)}
        for passage, text in list(zip(ids, texts, strict=True))[::50]:
            hits = index.search(PASSAGES, stored.embedder.vector(text), 2)
            assert hits[0] == (passage, pytest.approx(1.0, abs=1e-5))
            assert hits[1][0] != passage
