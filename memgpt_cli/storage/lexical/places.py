"""The places of messages: numbers from which a message's neighbours in its session follow by arithmetic.

A user or assistant message comes right after the previous one of its session. Sessions are `GAP` apart, further than
`REACH`. Function results and notices have no place.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.messages import SPOKEN, Message
from memgpt_cli.domain.search import RecallFilters, SessionPlace
from memgpt_cli.domain.times import from_text
from memgpt_cli.storage.database.filters import recall_where
from memgpt_cli.storage.lexical.occurrences import as_numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REACH: Final = 2
"""How many messages before and after a message count as its neighbours (measured in docs/search.md)."""

GAP: Final = REACH + 1
"""The distance between the last place of a session and the first of the next."""


_WINDOWS: Final = f"""
    SELECT group_concat(p.message), group_concat(p.session), group_concat(q.message), group_concat(q.length)
    FROM json_each(?) AS wanted
    CROSS JOIN message_places AS p ON p.message = wanted.value
    CROSS JOIN message_places AS q ON q.place BETWEEN p.place - {REACH} AND p.place + {REACH}
"""  # noqa: S608 - a constant
"""Messages with their session, each with every message of its window, as columns: rows would cost twice as much."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a message; `session` is the place of its session's first message, `label` comes from an import."""

    number: int
    session: int
    label: str | None
    at: datetime


class Places:
    """The rows of `message_places`. `gap` ends a session if an import does not."""

    def __init__(self, connection: sqlite3.Connection, *, gap: timedelta) -> None:
        self._db = connection
        self._gap = gap

    def last(self) -> Place | None:
        """Return the place of the newest message, which determines the next place."""
        row = self._db.execute(
            "SELECT p.place, p.session, m.session, m.created_at FROM message_places p"
            " JOIN messages m ON m.id = p.message ORDER BY p.place DESC LIMIT 1"
        ).fetchone()
        return None if row is None else Place(row[0], row[1], row[2], from_text(row[3]))

    def after(self, last: Place | None, message: Message, *, above: int) -> Place:
        """Return the place of a message after `last`: in its session or in a new one, always above a number."""
        same = (
            last is not None
            and last.number >= above
            and message.session == last.label
            and (message.session is not None or abs(message.created_at - last.at) <= self._gap)
        )
        if last is not None and same:
            return Place(last.number + 1, last.session, message.session, message.created_at)
        number = max(above, last.number if last else 0) + GAP
        return Place(number, number, message.session, message.created_at)

    def of_message(self, message_id: int) -> int | None:
        """Return the number of its place, if it has one."""
        row = self._db.execute("SELECT place FROM message_places WHERE message = ?", (message_id,)).fetchone()
        return None if row is None else int(row[0])

    def messages_at(self, numbers: Sequence[int]) -> dict[int, int]:
        """Return the message at each of these places."""
        row = self._db.execute(
            "SELECT group_concat(place), group_concat(message) FROM message_places"
            " WHERE place IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        ).fetchone()
        places, messages = (as_numbers(joined).tolist() for joined in row)
        return dict(zip(places, messages, strict=True))

    def session_places(self, ids: Sequence[int]) -> dict[int, SessionPlace]:
        """Return for each message its session and its neighbours up to `REACH`, with their lengths."""
        import numpy as np

        row = self._db.execute(_WINDOWS, (json.dumps(sorted(ids)),)).fetchone()
        message, session, near, length = (as_numbers(joined) for joined in row)
        own = message == near
        starts = np.flatnonzero(np.diff(message, prepend=-1))
        others = list(zip(near[~own].tolist(), length[~own].tolist(), strict=True))
        first = (starts - np.arange(len(starts))).tolist()  # each window has one row of its own message
        windows = zip(message[own].tolist(), session[own].tolist(), pairwise([*first, len(others)]), strict=True)
        return {item: SessionPlace(session, tuple(others[start:end])) for item, session, (start, end) in windows}

    def passing(self, filters: RecallFilters, among: Sequence[int] | None = None) -> "NDArray[np.int64]":
        """Return the places, ascending, of the messages that pass the filters; of all or of these places only."""
        where, values = recall_where(filters)
        if among is not None:
            where += " AND place IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(list(among)))
        return self._numbers(where, values)

    def excluded(self, filters: RecallFilters) -> "NDArray[np.int64] | None":
        """Return the places, ascending, of the asking turn, and of the queue if it is excluded; they are few."""
        if filters.in_context is not False and filters.not_turn is None:
            return None
        queue = "SELECT id FROM messages WHERE evicted_by IS NULL UNION ALL " if filters.in_context is False else ""
        return self._numbers(f"id IN ({queue}SELECT id FROM messages WHERE turn = ?)", [filters.not_turn])  # noqa: S608

    def _numbers(self, where: str, values: Sequence[object]) -> "NDArray[np.int64]":
        sql = (
            "SELECT group_concat(place) FROM (SELECT place FROM messages m JOIN message_places p ON p.message = m.id"  # noqa: S608
            f" WHERE {where} ORDER BY place)"
        )
        return as_numbers(self._db.execute(sql, values).fetchone()[0])


def is_filtered(filters: RecallFilters) -> bool:
    """Whether filters leave out more than what `Places.excluded` tells."""
    every_role = set(filters.roles) >= set(SPOKEN)
    return not every_role or bool(filters.in_context or filters.start or filters.end or filters.name)
