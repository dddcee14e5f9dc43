"""The schema of `agent.db`, as numbered migrations made with sqlite-utils.

This module is imported only for a new or old database, so that a normal start does not import sqlite-utils.
"""

import sqlite3
from typing import Final

from sqlite_utils import Database, Migrations

from memgpt_cli.storage.database.quotations import trace_quotations

migrations = Migrations("agent")
VERSION: Final = 6
"""`PRAGMA user_version` of a database after all migrations below."""


@migrations(name="001_foundation")
def _foundation(db: Database) -> None:
    """Messages, blocks, passages, epochs, turns, vectors and the outbox."""
    for statement in _FOUNDATION.split(";\n"):
        if statement.strip():
            db.execute(statement)


@migrations(name="002_pictures")
def _pictures(db: Database) -> None:
    """Pictures: each with its message and the passage that describes it."""
    db.execute(
        "CREATE TABLE pictures (message INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL,"
        " content BLOB NOT NULL, passage INTEGER)"
    )


@migrations(name="003_opaque")
def _opaque(db: Database) -> None:
    """Data that must be sent back to a server with a reply: JSON `[origin, content, tokens]`."""
    db.execute("ALTER TABLE messages ADD COLUMN opaque TEXT")


@migrations(name="004_effects")
def _effects(db: Database) -> None:
    """The effects of each function call, with its result."""
    db.execute("ALTER TABLE messages ADD COLUMN effects TEXT")
    db.execute(
        """UPDATE messages SET effects = '{"replied": true}' WHERE role = 'tool' AND name = 'send_message' AND ok = 1"""
    )


@migrations(name="005_facts")
def _facts(db: Database) -> None:
    """Facts and the entities that they are about, with every version of each."""
    for statement in _FACTS.split(";\n"):
        db.execute(statement)


@migrations(name="006_trust")
def _trust(db: Database) -> None:
    """What texts were derived from (JSON `domain.trust.Origin`), and writes that wait for the person."""
    for table in ("messages", "passages", "passage_versions", "block_versions", "epochs"):
        db.execute(f"ALTER TABLE {table} ADD COLUMN origin TEXT")
    db.execute(
        "CREATE TABLE reviews (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, label TEXT NOT NULL,"
        " function TEXT NOT NULL, arguments TEXT NOT NULL, reason TEXT NOT NULL, message_id INTEGER, turn INTEGER,"
        " origin TEXT NOT NULL, state INTEGER NOT NULL, decided_at TEXT)"
    )
    db.execute("CREATE INDEX reviews_waiting ON reviews (id) WHERE state = 1")
    trace_quotations(db.execute)


def migrate(connection: sqlite3.Connection, *, upto: int = VERSION) -> None:
    """Bring a database up to a version in one transaction: a crash leaves it as it was, or at that version."""
    db = Database(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        later = [migration.name for migration in migrations.pending(db) if int(migration.name[:3]) > upto]
        migrations.apply(db, stop_before=later)
        connection.execute(f"PRAGMA user_version = {upto}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


# Times are text (`domain.times`), booleans 0 or 1, lists and mappings JSON.
_FOUNDATION: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE turns (
    id INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,
    state TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    joined INTEGER,
    evicted INTEGER NOT NULL DEFAULT 0,
    first_epoch INTEGER NOT NULL,
    seen_before TEXT NOT NULL DEFAULT '{}',
    warned_before INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX turns_open ON turns (id) WHERE state = 'open';

CREATE TABLE steps (
    id INTEGER PRIMARY KEY,
    turn INTEGER NOT NULL REFERENCES turns (id),
    number INTEGER NOT NULL,
    model TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    counted_tokens INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    usage_reported INTEGER NOT NULL,
    repeated_tokens INTEGER NOT NULL,
    cost_usd REAL,
    duration_s REAL NOT NULL,
    at TEXT NOT NULL,
    purpose TEXT NOT NULL DEFAULT 'reply'
);
CREATE INDEX steps_of_turn ON steps (turn);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn INTEGER REFERENCES turns (id),
    step INTEGER,
    role TEXT NOT NULL,
    name TEXT,
    text TEXT NOT NULL,
    stub TEXT,
    calls TEXT,
    call_id TEXT,
    ok INTEGER,
    interrupted INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    session TEXT,
    external_id TEXT,
    evicted_by INTEGER
);
CREATE UNIQUE INDEX messages_external ON messages (external_id) WHERE external_id IS NOT NULL;
CREATE INDEX messages_queue ON messages (id) WHERE evicted_by IS NULL;
CREATE INDEX messages_of_turn ON messages (turn) WHERE turn IS NOT NULL;
CREATE INDEX messages_time ON messages (created_at, id);
CREATE INDEX messages_speaker ON messages (name) WHERE role = 'user' AND name IS NOT NULL;

CREATE TABLE blocks (
    label TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    description TEXT NOT NULL,
    char_limit INTEGER NOT NULL,
    read_only INTEGER NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL
);

CREATE TABLE block_versions (
    id INTEGER PRIMARY KEY,
    label TEXT NOT NULL,
    version INTEGER NOT NULL,
    value TEXT NOT NULL,
    description TEXT NOT NULL,
    char_limit INTEGER NOT NULL,
    read_only INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    author TEXT NOT NULL,
    message_id INTEGER,
    command TEXT,
    at TEXT NOT NULL,
    position INTEGER NOT NULL
);
CREATE UNIQUE INDEX block_versions_of ON block_versions (label, version);

CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL,
    tags TEXT NOT NULL DEFAULT '[]',
    source TEXT,
    location TEXT,
    author TEXT NOT NULL,
    message_id INTEGER,
    command TEXT,
    created_at TEXT NOT NULL,
    content_hash BLOB NOT NULL,
    deleted_at TEXT,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX passages_content ON passages (content_hash) WHERE deleted_at IS NULL;
CREATE INDEX passages_source ON passages (source) WHERE source IS NOT NULL;
CREATE INDEX passages_time ON passages (created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL UNIQUE,
    content_hash TEXT NOT NULL,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    tags TEXT NOT NULL,
    state TEXT NOT NULL,
    loaded_at TEXT,
    generation INTEGER NOT NULL
);

CREATE TABLE document_passages (
    document INTEGER NOT NULL REFERENCES documents (id),
    passage INTEGER NOT NULL REFERENCES passages (id),
    generation INTEGER NOT NULL,
    location TEXT,
    PRIMARY KEY (document, passage)
) WITHOUT ROWID;
CREATE INDEX documents_of_passage ON document_passages (passage);

CREATE TABLE passage_versions (
    passage INTEGER NOT NULL REFERENCES passages (id),
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    author TEXT NOT NULL,
    message_id INTEGER,
    command TEXT,
    deleted INTEGER NOT NULL DEFAULT 0,
    text TEXT,
    tags TEXT,
    source TEXT,
    location TEXT,
    PRIMARY KEY (passage, version)
) WITHOUT ROWID;

CREATE TABLE tombstones (
    message INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    author TEXT NOT NULL,
    command TEXT,
    turn INTEGER,
    content TEXT
);
CREATE INDEX tombstones_of_turn ON tombstones (turn) WHERE turn IS NOT NULL;

CREATE TABLE operations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    author TEXT NOT NULL,
    message_id INTEGER,
    command TEXT,
    turn INTEGER,
    undone_at TEXT,
    undone_with_turn INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX operations_of_turn ON operations (turn) WHERE turn IS NOT NULL;
CREATE INDEX operations_standing ON operations (id) WHERE undone_at IS NULL;

CREATE TABLE changes (
    id INTEGER PRIMARY KEY,
    operation INTEGER NOT NULL REFERENCES operations (id),
    kind TEXT NOT NULL,
    label TEXT,
    first INTEGER,
    last INTEGER,
    before INTEGER NOT NULL,
    after INTEGER NOT NULL
);
CREATE INDEX changes_of ON changes (operation);

CREATE TABLE epochs (
    id INTEGER PRIMARY KEY,
    started_at TEXT NOT NULL,
    cause TEXT NOT NULL,
    head TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    summary TEXT NOT NULL,
    hidden INTEGER NOT NULL,
    seen_blocks TEXT NOT NULL,
    warned INTEGER NOT NULL
);

CREATE TABLE vectors (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    item_id INTEGER NOT NULL,
    vector BLOB NOT NULL
);
CREATE UNIQUE INDEX vectors_item ON vectors (collection, item_id);
CREATE INDEX vectors_order ON vectors (collection, seq);
CREATE INDEX vectors_removed ON vectors (collection) WHERE vector = x'';

CREATE TABLE outbox (
    ticket INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    item_id INTEGER NOT NULL
);
CREATE UNIQUE INDEX outbox_item ON outbox (collection, item_id);
CREATE INDEX outbox_order ON outbox (collection, ticket);

CREATE TABLE message_places (
    place INTEGER PRIMARY KEY,
    message INTEGER NOT NULL UNIQUE,
    session INTEGER NOT NULL,
    length INTEGER NOT NULL
);

CREATE VIRTUAL TABLE message_words USING fts5 (words, content = '', columnsize = 0, tokenize = 'porter unicode61');

CREATE VIRTUAL TABLE message_terms USING fts5vocab (message_words, instance);

CREATE VIRTUAL TABLE message_vocabulary USING fts5vocab (message_words, row);

CREATE VIRTUAL TABLE event_words USING fts5 (words, content = '', tokenize = 'porter unicode61');

CREATE TABLE passage_lengths (passage INTEGER PRIMARY KEY, length INTEGER NOT NULL);

CREATE VIRTUAL TABLE passage_words USING fts5 (
    words, context, content = '', columnsize = 0, tokenize = 'porter unicode61'
);

CREATE VIRTUAL TABLE passage_terms USING fts5vocab (passage_words, instance);

CREATE VIRTUAL TABLE passage_vocabulary USING fts5vocab (passage_words, row);

CREATE TABLE common_words (
    kind TEXT NOT NULL,
    term TEXT NOT NULL,
    upto INTEGER NOT NULL,
    occurrences BLOB NOT NULL,
    PRIMARY KEY (kind, term)
)
"""

# No foreign keys: forgetting removes entities before the facts about them.
_FACTS: Final = """
CREATE TABLE entities (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL,
    deleted_at TEXT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    aliases TEXT NOT NULL
);

CREATE TABLE entity_names (key TEXT PRIMARY KEY, entity INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX names_of_entity ON entity_names (entity);

CREATE TABLE entity_versions (
    item INTEGER NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    author TEXT NOT NULL,
    message_id INTEGER,
    command TEXT,
    deleted INTEGER NOT NULL DEFAULT 0,
    content TEXT NOT NULL,
    PRIMARY KEY (item, version)
) WITHOUT ROWID;

CREATE TABLE facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL,
    deleted_at TEXT,
    text TEXT NOT NULL,
    subject INTEGER NOT NULL,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    said_at TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    author TEXT NOT NULL,
    message_id INTEGER,
    command TEXT,
    content TEXT NOT NULL
);
CREATE INDEX facts_subject ON facts (subject) WHERE deleted_at IS NULL;
CREATE INDEX facts_state ON facts (state, id) WHERE deleted_at IS NULL;

CREATE TABLE fact_entities (
    entity INTEGER NOT NULL,
    fact INTEGER NOT NULL,
    PRIMARY KEY (entity, fact)
) WITHOUT ROWID;
CREATE INDEX entities_of_fact ON fact_entities (fact);

CREATE TABLE fact_versions (
    item INTEGER NOT NULL,
    version INTEGER NOT NULL,
    at TEXT NOT NULL,
    author TEXT NOT NULL,
    message_id INTEGER,
    command TEXT,
    deleted INTEGER NOT NULL DEFAULT 0,
    content TEXT NOT NULL,
    PRIMARY KEY (item, version)
) WITHOUT ROWID;

CREATE VIRTUAL TABLE fact_words USING fts5 (words, tokenize = 'porter unicode61')
"""
