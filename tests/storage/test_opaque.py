"""Opaque fields of replies: stored with their message, restored with it, and forgotten with what they may repeat."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.memory_changes import NOW, USER

from memgpt_cli.domain.forgetting import Wanted
from memgpt_cli.domain.messages import Message, Opaque, Role
from memgpt_cli.storage.forgetting.findings import Finder
from memgpt_cli.storage.forgetting.purge import Purge
from memgpt_cli.storage.store import SQLiteStore

REASONING = Opaque(origin="chat http://x/v1 m", content=json.dumps({"reasoning": "Zoë likes\noolong"}), tokens=7)
ENCRYPTED = Opaque(origin="responses openai m", content='{"encrypted": "Zm9v"}')


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(tmp_path / "agent.db")) as opened:
        yield opened


def reply(text: str, opaque: Opaque | None = None) -> Message:
    return Message(role=Role.ASSISTANT, text=text, created_at=NOW, opaque=opaque)


def forget(store: SQLiteStore, text: str) -> None:
    finder = Finder(store, Wanted(text=text))
    finder.find()
    purge = Purge(store)
    purge.empty_rows(finder, at=NOW)
    assert list(purge.rows_with(finder)) == []


def test_opaque_fields_are_stored_as_they_came(store: SQLiteStore) -> None:
    with store.transaction():
        stored = [store.messages.append(reply(str(n), o)) for n, o in enumerate((REASONING, ENCRYPTED, None))]
    assert [m.opaque for m in store.messages.get([m.id for m in stored])] == [REASONING, ENCRYPTED, None]


def test_a_deleted_message_that_is_restored_has_its_opaque_fields_again(store: SQLiteStore) -> None:
    with store.transaction():
        stored = store.messages.append(reply("hello", REASONING))
        store.tombstones.delete([stored.id], at=NOW, provenance=USER)
    with store.transaction():
        store.tombstones.restore([stored.id], at=NOW, provenance=USER)
    assert store.messages.get([stored.id])[0].opaque == REASONING


def test_a_message_deleted_before_there_were_opaque_fields_is_restored(store: SQLiteStore) -> None:
    with store.transaction():
        stored = store.messages.append(reply("hello"))
        store.tombstones.delete([stored.id], at=NOW, provenance=USER)
        store.connection.execute("UPDATE tombstones SET content = json_remove(content, '$.opaque')")
        store.tombstones.restore([stored.id], at=NOW, provenance=USER)
    assert store.messages.get([stored.id])[0].opaque is None


def test_a_text_that_only_the_reasoning_holds_is_forgotten(store: SQLiteStore) -> None:
    with store.transaction():
        first = store.messages.append(reply("noted", REASONING))
    forget(store, "ZOË LIKES OOLONG")
    assert store.messages.get([first.id]) == []


def test_forgetting_drops_the_opaque_fields_of_all_later_replies(store: SQLiteStore) -> None:
    with store.transaction():
        before = store.messages.append(reply("good morning", ENCRYPTED))
        store.messages.append(Message(role=Role.USER, text="My name is Quintero", created_at=NOW))
        later, deleted = (store.messages.append(reply(text, ENCRYPTED)) for text in ("noted", "yes"))
        store.tombstones.delete([deleted.id], at=NOW, provenance=USER)
    forget(store, "Quintero")
    assert [m.opaque for m in store.messages.get([before.id, later.id])] == [ENCRYPTED, None]
    kept = store.tombstones.get(deleted.id)
    assert kept is not None
    assert kept.message is not None
    assert kept.message.opaque is None


def test_a_record_without_the_column_gets_it(tmp_path: Path) -> None:
    from memgpt_cli.storage.database.schema import migrate

    with closing(sqlite3.connect(tmp_path / "agent.db")) as connection:
        migrate(connection, upto=2)
        connection.execute("INSERT INTO messages (role, text, created_at) VALUES ('assistant', 'hello', '2026')")
        connection.commit()
    with closing(SQLiteStore(tmp_path / "agent.db")) as store:
        assert store.connection.execute("SELECT text, opaque FROM messages").fetchone()["opaque"] is None
