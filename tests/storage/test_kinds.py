"""Each kind of memory is described once, and the descriptions cover the whole record."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.memory_changes import NOW, USER

from memgpt_cli.domain.blocks import Block
from memgpt_cli.domain.kinds import PREFIXES, Collection, Kind
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.passages import Passage
from memgpt_cli.storage.agents.files import TABLES
from memgpt_cli.storage.kinds.registry import KINDS
from memgpt_cli.storage.store import SQLiteStore

MADE_FROM_ROWS = {"message_places", "passage_lengths", "common_words"}
"""Tables of the full-text index, which an import makes anew."""
NOT_AN_AGENTS = {"meta", "_sqlite_migrations", "sqlite_sequence"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    opened = SQLiteStore(tmp_path / "agent.db")
    with opened.transaction():
        for n in range(4):
            opened.messages.append(Message(role=Role.USER, text=f"message {n}", created_at=NOW))
            opened.passages.add(Passage(text=f"passage {n}", created_at=NOW, provenance=USER))
        opened.blocks.put(Block(label="human", value="Ada", description="who you are"), at=NOW, provenance=USER)
    yield opened
    opened.close()


def test_every_kind_is_described_once() -> None:
    assert sorted(described.kind for described in KINDS) == sorted(Kind)
    assert len(set(PREFIXES)) == len(PREFIXES)


def test_every_table_is_exported_or_made_from_others(store: SQLiteStore) -> None:
    rows = store.connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    shadows = tuple(f"{row['name']}_" for row in rows if "VIRTUAL TABLE" in (row["sql"] or ""))
    tables = {row["name"] for row in rows if "VIRTUAL TABLE" not in (row["sql"] or "")}
    own = {table for table in tables if not table.startswith(shadows)}
    assert own == {*TABLES, *MADE_FROM_ROWS, *NOT_AN_AGENTS}
    assert len(TABLES) == len(set(TABLES))


def test_what_the_descriptions_name_exists(store: SQLiteStore) -> None:
    for kind in store.kinds:
        assert set(kind.numbered) <= set(kind.tables)
        for table, column in kind.said:
            store.connection.execute(f"SELECT {column} FROM {table}")
        if kind.collection is not None:
            store.connection.execute(f"SELECT id, text FROM {kind.collection}")
    assert {kind.collection for kind in store.kinds if kind.collection} == set(Collection)


@pytest.mark.parametrize("kind", [Kind.MESSAGE, Kind.PASSAGE])
def test_items_are_known_by_number_also_when_deleted(store: SQLiteStore, kind: Kind) -> None:
    assert store.kinds.nearest(kind, 9) == [4, 3]
    with store.transaction():
        store.passages.delete([4], at=NOW, provenance=USER)
        store.tombstones.delete([4], at=NOW, provenance=USER)
    assert store.kinds.nearest(kind, 9) == [3, 2]
    assert store.kinds.nearest(kind, 2) == [1, 3]
    assert [store.kinds.existed(kind, number) for number in (1, 4, 5)] == [True, True, False]
    assert kind.ref(4) == f"{kind.prefix}4"
    assert Kind.with_prefix(kind.prefix.upper()) is kind


def test_a_state_is_what_an_item_said_then(store: SQLiteStore) -> None:
    with store.transaction():
        store.tombstones.delete([2], at=NOW, provenance=USER)
        store.passages.delete([2], at=NOW, provenance=USER)
    texts = {
        (kind, version): getattr(store.kinds.state(kind, 2, version), "text", None)
        for kind in (Kind.MESSAGE, Kind.PASSAGE)
        for version in (0, 1, 2)
    }
    assert [texts[Kind.MESSAGE, version] for version in (0, 1)] == [None, "message 1"]
    assert [texts[Kind.PASSAGE, version] for version in (0, 1, 2)] == [None, "passage 1", None]
    block = store.kinds.state(Kind.BLOCK, "human", 1)
    assert block is not None
    assert block.lines == ["(limit 2000 characters)", "(description: who you are)", "Ada"]
