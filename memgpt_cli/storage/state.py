"""`state.db`: data that spans agents. Token calibration and traits of each model and endpoint, and daily spending.

Without this file, only a few calls' worth of learning and the day's sum are lost; it contains no agent's memory.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, date, datetime, tzinfo
from math import ceil
from pathlib import Path
from threading import RLock
from typing import Final
from weakref import finalize

from typing_extensions import override

from memgpt_cli.domain.endpoint_traits import FRESH_FOR, EndpointTraits, LearnedTrait, TraitValue
from memgpt_cli.errors import StorageError
from memgpt_cli.ports import StateStore
from memgpt_cli.storage.database.connection import connect, transaction

KEPT_REPORTS: Final = 20
"""Reports that count for a model's ratio: enough to detect a pattern, few enough to follow a change."""
NEWEST_REPORTS: Final = 3
QUANTILE: Final = 0.9
MARGIN: Final = 0.02
"""Relative distance of the ratio below the largest of the newest reports."""
BOUNDS: Final = (0.5, 4.0)
"""Limits of the ratio. A report outside of them is wrong, because no tokenizer differs more from ours."""

_MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        "CREATE TABLE reports (id INTEGER PRIMARY KEY, model TEXT NOT NULL, counted INTEGER, reported INTEGER)",
        "CREATE INDEX reports_of ON reports (model, id)",
        "CREATE TABLE spending (day TEXT PRIMARY KEY, usd REAL NOT NULL) WITHOUT ROWID",
    ),
    (
        """CREATE TABLE traits (base_url TEXT, model TEXT, name TEXT, value TEXT NOT NULL, learned_at TEXT NOT NULL,
        PRIMARY KEY (base_url, model, name)) WITHOUT ROWID""",
    ),
)
"""Statements by version: `PRAGMA user_version` n means that the first n have been applied."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class StateDatabase(StateStore):
    """Calibration, spending and endpoint traits (`ports.Calibration`, `Spending`, `EndpointMemory`).

    The first write creates the file; threads may share an object. `zone` determines the borders of a day, `now` dates
    learned traits. Raises StorageError if the file cannot be read or written.
    """

    def __init__(self, path: Path, *, zone: tzinfo = UTC, now: Callable[[], datetime] = _utc_now) -> None:
        self._path = path
        self._now = now
        self._zone = zone
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None

    @override
    def ratio(self, model: str) -> float | None:
        """By how much to multiply our counts for this model; None before any report.

        With r = reported / counted of the newest `KEPT_REPORTS` calls, this is

            max(the 0.9 quantile of r by nearest rank, (1 - MARGIN) * the largest of the newest three)   within BOUNDS.

        The quantile is an upper estimate that one or two odd reports in twenty do not move; the second term answers at
        once when a server begins to count more, and lets go three calls later if that was an accident.
        """
        with self._reading() as connection:
            if connection is None:
                return None
            rows = connection.execute(
                "SELECT counted, reported FROM reports WHERE model = ? ORDER BY id DESC LIMIT ?", (model, KEPT_REPORTS)
            ).fetchall()
        ratios = [row["reported"] / row["counted"] for row in rows]
        return upper_ratio(ratios) if ratios else None

    @override
    def observe(self, model: str, *, counted: int, reported: int) -> None:
        """Learn from one call: our count of the prompt and the server's.

        Counts that are not positive are ignored, and so are reports under half of ours: Ollama truncates a prompt that
        is too long silently and reports the rest.
        """
        if counted <= 0 or reported < counted * BOUNDS[0] or reported <= 0:
            return
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO reports (model, counted, reported) VALUES (?, ?, ?)", (model, counted, reported)
            )
            connection.execute(
                "DELETE FROM reports WHERE model = ?1 AND id <= "
                "(SELECT id FROM reports WHERE model = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
                (model, KEPT_REPORTS),
            )

    @override
    def traits(self, base_url: str | None, model: str) -> EndpointTraits:
        known = {t.name: t.value for t in self._learned(base_url, model) if not t.stale}
        return EndpointTraits(**known)  # type: ignore[arg-type]  # stored under the names of its fields

    @override
    def learn(self, base_url: str | None, model: str, learned: EndpointTraits) -> None:
        at = self._now().isoformat()
        rows = [(base_url or "", model, name, _trait_text(value), at) for name, value in learned.known().items()]
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO traits (base_url, model, name, value, learned_at) VALUES (?, ?, ?, ?, ?)", rows
            )

    @override
    def learned_traits(self) -> list[LearnedTrait]:
        """Return all learned traits of endpoints, including stale ones, by endpoint, model and name."""
        return self._learned()

    @override
    def forget_learned(self, model: str | None = None) -> int:
        """Delete the traits and the token reports of a model, or of all; returns how many traits were deleted."""
        chosen = "WHERE ?1 IS NULL OR model = ?1"
        with self._writing() as connection:
            connection.execute(f"DELETE FROM reports {chosen}", (model,))  # noqa: S608 - our own words
            return connection.execute(f"DELETE FROM traits {chosen}", (model,)).rowcount  # noqa: S608

    def _learned(self, base_url: str | None = None, model: str | None = None) -> list[LearnedTrait]:
        """Return those of one model at one endpoint, or of all if `model` is None."""
        query = "SELECT * FROM traits WHERE ?2 IS NULL OR (base_url = ?1 AND model = ?2)"
        with self._reading() as connection:
            rows = [] if connection is None else connection.execute(query, (base_url or "", model)).fetchall()
        names = {field.name for field in fields(EndpointTraits)}  # a newer version may have stored others
        oldest = self._now() - FRESH_FOR
        return [_learned_trait(row, oldest) for row in rows if row["name"] in names]

    @override
    def add_spending(self, at: datetime, usd: float) -> None:
        if usd <= 0:
            return
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO spending (day, usd) VALUES (?, ?) "
                "ON CONFLICT (day) DO UPDATE SET usd = usd + excluded.usd",
                (self.day(at).isoformat(), usd),
            )

    @override
    def spent_on(self, day: date) -> float:
        with self._reading() as connection:
            if connection is None:
                return 0.0
            row = connection.execute("SELECT usd FROM spending WHERE day = ?", (day.isoformat(),)).fetchone()
        return float(row["usd"]) if row else 0.0

    @override
    def day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """The database, or None if nothing was ever written."""
        with self._lock:
            try:
                yield self._open() if self._connection or self._path.exists() else None
            except sqlite3.Error as error:
                raise self._unusable(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._open()
            with transaction(connection):
                yield connection

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._connection = _prepared(connect(self._path, any_thread=True))
            except (sqlite3.Error, OSError, StorageError) as error:
                raise self._unusable(error) from error
            # All sessions of a process share it; it closes with its last user.
            finalize(self, self._connection.close)
        return self._connection

    def _unusable(self, error: Exception) -> StorageError:
        return StorageError(
            f"{self._path} cannot be used: {error}",
            hint=f"move it away; it holds no memory, only the day's spending and what was learned of models: "
            f"{self._path}",
        )


def upper_ratio(ratios: list[float]) -> float:
    """The formula of `StateDatabase.ratio` over ratios, newest first."""
    quantile = sorted(ratios)[ceil(QUANTILE * len(ratios)) - 1]
    newest = max(ratios[:NEWEST_REPORTS])
    low, high = BOUNDS
    return min(max(quantile, (1 - MARGIN) * newest, low), high)


def _trait_text(value: TraitValue) -> str:
    return json.dumps(sorted(value) if isinstance(value, frozenset) else value)


def _learned_trait(row: sqlite3.Row, oldest: datetime) -> LearnedTrait:
    value, at = json.loads(row["value"]), datetime.fromisoformat(row["learned_at"])
    return LearnedTrait(
        base_url=row["base_url"] or None,
        model=row["model"],
        name=row["name"],
        value=frozenset(value) if isinstance(value, list) else value,
        at=at,
        stale=at < oldest,
    )


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return the connection with its schema in place; closed on an error."""
    try:
        # Losing the last report or cent in a power cut is not worth a disk flush in each step.
        connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] == len(_MIGRATIONS):
        return
    with transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]  # another process may have been faster
        if version > len(_MIGRATIONS):
            raise StorageError("it was written by a newer memgpt", hint="upgrade memgpt")
        for statements in _MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
