"""Finding, in a record from before trust was recorded, what was derived from documents and imports.

A search result names the passages and messages that it shows. What the agent wrote in the same turn after it, and the
summaries of such turns, are taken to be derived from it.
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

from memgpt_cli.domain.trust import Author, Origin, least_trusted

Execute = Callable[..., sqlite3.Cursor]

_CITED: Final = re.compile(r"(?<!\w)\[([mp])(\d{1,15}) ")


def trace_quotations(execute: Execute) -> None:
    """Give the results of old searches, and what was written after them, their origins."""
    quoting: dict[int, dict[int, Author]] = defaultdict(dict)
    for number, turn, text in execute("SELECT id, turn, text FROM messages WHERE role = 'tool'").fetchall():
        cited = dict.fromkeys((kind, int(item)) for kind, item in _CITED.findall(text))
        least = least_trusted(author for kind, item in cited if (author := _author(execute, kind, item)))
        if least in {Author.DOCUMENT, Author.IMPORT} and turn is not None:
            refs = tuple(f"{kind}{item}" for kind, item in cited)
            _write(execute, "messages", number, Origin(least=least, derived_from=refs))
            quoting[turn][number] = least
    for turn, results in quoting.items():
        _mark_turn(execute, turn, results)
    _mark_summaries(execute)


def _author(execute: Execute, kind: str, item: int) -> Author | None:
    if kind == "p":
        row = execute("SELECT author FROM passages WHERE id = ?", (item,)).fetchone()
        return Author.DOCUMENT if row is not None and row[0] == Author.DOCUMENT else None
    row = execute("SELECT evicted_by FROM messages WHERE id = ?", (item,)).fetchone()
    return Author.IMPORT if row is not None and row[0] == 0 else None


def _mark_turn(execute: Execute, turn: int, results: dict[int, Author]) -> None:
    """What the agent said after the first of these results, and what it wrote in the turn."""
    origin = Origin(least=least_trusted(results.values()), derived_from=tuple(f"m{number}" for number in results))
    replies = execute(
        "SELECT id FROM messages WHERE turn = ? AND role = 'assistant' AND id > ?", (turn, min(results))
    ).fetchall()
    for (number,) in replies:
        _write(execute, "messages", number, origin)
    for table in ("passages", "block_versions"):
        written = execute(
            f"SELECT id FROM {table} WHERE author = 'agent' AND message_id IN"  # noqa: S608 - our own names
            " (SELECT id FROM messages WHERE turn = ?)",
            (turn,),
        ).fetchall()
        for (number,) in written:
            _write(execute, table, number, origin)


def _mark_summaries(execute: Execute) -> None:
    rows = execute(
        "SELECT evicted_by, id, origin FROM messages WHERE origin IS NOT NULL AND evicted_by > 0 ORDER BY id"
    ).fetchall()
    for (epoch,) in execute("SELECT id FROM epochs WHERE summary <> ''").fetchall():
        told: list[tuple[Any, ...]] = [row for row in rows if row[0] <= epoch]
        if told:
            least = least_trusted(Author(json.loads(row[2])["least"]) for row in told)
            refs = tuple(f"m{row[1]}" for row in told)
            _write(execute, "epochs", epoch, Origin(least=least, derived_from=refs))


def _write(execute: Execute, table: str, number: int, origin: Origin) -> None:
    execute(f"UPDATE {table} SET origin = ? WHERE id = ?", (origin.to_text(), number))  # noqa: S608 - our own names
