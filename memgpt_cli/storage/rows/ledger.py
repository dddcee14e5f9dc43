"""The cost of turns, summed from the rows of `steps`. Read-only."""

import sqlite3

from typing_extensions import override

from memgpt_cli.domain.agents import Filling, Totals
from memgpt_cli.domain.times import from_text
from memgpt_cli.ports import LedgerStore

_SUMS = (
    "SELECT count(*) AS calls, coalesce(sum(prompt_tokens), 0) AS prompt, coalesce(sum(cached_tokens), 0) AS cached,"
    " coalesce(sum(completion_tokens), 0) AS completion, sum(cost_usd) AS cost,"
    " count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced FROM steps"
)


class Ledger(LedgerStore):
    """The cost of turns on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @override
    def totals(self, *, turn: int | None = None, epoch: int | None = None) -> Totals:
        where: str = ""
        values: tuple[int, ...] = ()
        if turn is not None:
            where, values = " WHERE turn = ?", (turn,)
        elif epoch is not None:
            where, values = " WHERE epoch = ?", (epoch,)
        row = self._db.execute(_SUMS + where, values).fetchone()
        return Totals(
            calls=row["calls"],
            prompt_tokens=row["prompt"],
            cached_tokens=row["cached"],
            completion_tokens=row["completion"],
            cost_usd=None if row["unpriced"] else float(row["cost"] or 0.0),
        )

    @override
    def fillings(self, *, limit: int) -> list[Filling]:
        rows = self._db.execute(
            "SELECT turns.id AS turn, turns.evicted AS evicted, steps.at AS at, steps.epoch AS epoch,"
            " steps.prompt_tokens AS prompt FROM turns JOIN steps ON steps.id ="
            " (SELECT max(id) FROM steps WHERE turn = turns.id AND purpose = 'reply')"
            " ORDER BY turns.id DESC LIMIT ?",
            (limit,),
        ).fetchall()
        return [
            Filling(
                turn=row["turn"],
                at=from_text(row["at"]),
                prompt_tokens=row["prompt"],
                epoch=row["epoch"],
                evicted=row["evicted"],
            )
            for row in reversed(rows)
        ]
