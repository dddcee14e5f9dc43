"""Checks of rows that come from an agent file: types, times, numbers, JSON and links of every column.

The kinds of memory are checked by reading them (`KindOfMemory.check`); these checks come first and know only columns.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from memgpt_cli.domain.times import from_text, to_text

_LARGEST: Final = 10**15
"""No number of a record is larger: ids, tokens, bytes, seconds."""
_LONGEST_RANGE: Final = 10**7
"""Items that one change may name."""
_YEARS: Final = range(1000, 9999)
"""A time outside cannot be shown in every time zone."""
_TYPES: Final = {"INTEGER": ("integer",), "REAL": ("real", "integer"), "TEXT": ("text",), "BLOB": ("blob",)}

Shape = Callable[[Any], bool]


def _is_int(value: Any) -> bool:
    return type(value) is int and abs(value) <= _LARGEST


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _list_of(item: Shape) -> Shape:
    return lambda value: isinstance(value, list) and all(map(item, value))


def _versions(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_int, value.values()))


def _is_call(value: Any) -> bool:
    return _list_of(_is_text)(value) and len(value) == len(("id", "name", "arguments"))


def _is_opaque(value: Any) -> bool:
    match value:
        case [str(), str(), tokens]:
            return tokens is None or _is_int(tokens)
        case _:
            return False


_EFFECTS: Final[Mapping[str, Shape]] = {
    "blocks": _versions,
    "passages": _list_of(_is_int),
    "shown": _list_of(_is_text),
    "total": _is_int,
    "replied": lambda value: isinstance(value, bool),
    "refusal": _is_text,
    "held": _list_of(_is_int),
}


def _is_effects(value: Any) -> bool:
    return isinstance(value, dict) and all(key in _EFFECTS and _EFFECTS[key](value[key]) for key in value)


_JSON: Final[Mapping[str, Shape]] = {
    "turns.seen_before": _versions,
    "epochs.seen_blocks": _versions,
    "messages.calls": _list_of(_is_call),
    "messages.opaque": _is_opaque,
    "messages.effects": _is_effects,
    "passages.tags": _list_of(_is_text),
    "passage_versions.tags": _list_of(_is_text),
    "documents.tags": _list_of(_is_text),
    "entities.aliases": _list_of(_is_text),
}
"""Columns that hold JSON, with the shape of what may be in them."""


def check_rows(db: sqlite3.Connection, tables: Sequence[str]) -> None:
    """Check every value of these tables. Raises ValueError for one that no agent has."""
    for table in tables:
        for _, column, declared, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
            _check_type(db, table, column, declared)
            if declared == "TEXT" and (column == "at" or column.endswith("_at")):
                _check_each(db, table, column, _is_time, "a time")
            if (shape := _JSON.get(f"{table}.{column}")) is not None:
                _check_each(db, table, column, partial(_parses, shape), "of the right form")
    _check_joined_turns(db)
    _check_changes(db)


def _check_type(db: sqlite3.Connection, table: str, column: str, declared: str) -> None:
    types = ", ".join(f"'{name}'" for name in ("null", *_TYPES[declared]))
    too_large = f"OR abs({column}) > {_LARGEST}" if declared in {"INTEGER", "REAL"} else ""
    sql = f"SELECT quote({column}) FROM {table} WHERE typeof({column}) NOT IN ({types}) {too_large} LIMIT 1"  # noqa: S608
    if (row := db.execute(sql).fetchone()) is not None:
        msg = f"{table}.{column} is {row[0][:80]}"
        raise ValueError(msg)


def _check_each(
    db: sqlite3.Connection, table: str, column: str, is_valid: Callable[[str], bool], expected: str
) -> None:
    rows = db.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")  # noqa: S608 - our own names
    for (text,) in rows:
        if not is_valid(text):
            msg = f"{table}.{column} is not {expected}: {text[:80]!r}"
            raise ValueError(msg)


def _is_time(text: str) -> bool:
    try:
        moment = from_text(text)
        return moment.year in _YEARS and to_text(moment) == text
    except ValueError:
        return False


def _parses(shape: Shape, text: str) -> bool:
    try:
        return shape(json.loads(text))
    except (ValueError, RecursionError):
        return False


def _check_changes(db: sqlite3.Connection) -> None:
    """A change names a block, or a range of items that an undo can go through."""
    sql = (
        "SELECT id FROM changes WHERE CASE kind WHEN 'block' THEN label IS NULL ELSE first IS NULL OR last IS NULL"
        " OR first < 1 OR last < first OR last - first > ? OR label <> CAST(CAST(label AS INTEGER) AS TEXT) END LIMIT 1"
    )
    if (row := db.execute(sql, (_LONGEST_RANGE,)).fetchone()) is not None:
        msg = f"change {row[0]} names nothing that can be changed"
        raise ValueError(msg)


def _check_joined_turns(db: sqlite3.Connection) -> None:
    """A turn is joined to a later one, so that following the links ends."""
    sql = (
        "SELECT id, joined FROM turns WHERE joined IS NOT NULL AND joined NOT IN (SELECT id FROM turns)"
        " OR joined <= id OR (state = 'joined') <> (joined IS NOT NULL) LIMIT 1"
    )
    if (row := db.execute(sql).fetchone()) is not None:
        msg = f"turn {row[0]} is joined to turn {row[1]}"
        raise ValueError(msg)


def distrust_program_texts(db: sqlite3.Connection) -> None:
    """Take the program's voice from a file: its events leave the queue as imported text, heads are rebuilt."""
    db.execute("UPDATE messages SET evicted_by = 0 WHERE role = 'system'")
    db.execute("UPDATE epochs SET head = '[]', fingerprint = ''")
