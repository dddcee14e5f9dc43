"""Totals of a run, for the final summary and the progress bar."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from memgpt_cli.batch.records import ConversationRecord, Spent, TurnRecord

_MOST_ERRORS: Final = 1_000
"""Maximum number of distinct errors that are counted separately."""


@dataclass(slots=True)
class Tally:
    """Totals so far, including earlier processes of the same run."""

    conversations: int = 0
    failed: int = 0
    turns: int = 0
    met: int = 0
    unmet: int = 0
    spent: Spent = field(default_factory=Spent)
    seconds: "array[float]" = field(default_factory=lambda: array("d"))
    our_seconds: "array[float]" = field(default_factory=lambda: array("d"))
    errors: dict[str, int] = field(default_factory=dict)

    def turn(self, record: TurnRecord) -> None:
        """Count a finished turn."""
        self.turns += 1
        self.spent += record.usage
        if record.times is not None:
            self.seconds.append(record.times.seconds)
            self.our_seconds.append(record.times.our_seconds)

    def conversation(self, record: ConversationRecord) -> None:
        """Count a finished conversation whose turns were counted."""
        self.conversations += 1
        self.failed += not record.ok
        checked = [*record.expect, *(c for turn in record.turns for c in turn.expect)]
        self.unmet += record.unmet
        self.met += len(checked) - record.unmet
        error = record.error or next((turn.error for turn in record.turns if turn.error), None)
        if error is not None and (error.message in self.errors or len(self.errors) < _MOST_ERRORS):
            self.errors[error.message] = self.errors.get(error.message, 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """The summary of a run. Percentiles are of the seconds of each turn, by nearest rank; None without times.

    `not_run` conversations are not finished. `elapsed_s` and `rate_limits` are of this process only.
    """

    total: int
    conversations: int
    failed: int
    not_run: int
    turns: int
    expectations_met: int
    expectations_unmet: int
    spent: Spent
    p50_s: float | None
    p95_s: float | None
    our_p50_s: float | None
    our_p95_s: float | None
    our_share: float | None
    elapsed_s: float
    rate_limits: int
    errors: tuple[tuple[str, int], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything ran and all expectations passed."""
        return self.failed == 0 and self.not_run == 0

    def as_json(self) -> dict[str, Any]:
        """The shape that `docs/schemas/batch-summary.schema.json` describes."""
        return {
            "ok": self.ok,
            "conversations": {"total": self.total, "ended": self.conversations, "failed": self.failed},
            "turns": self.turns,
            "expectations": {"met": self.expectations_met, "unmet": self.expectations_unmet},
            "usage": {
                "prompt_tokens": self.spent.prompt_tokens,
                "completion_tokens": self.spent.completion_tokens,
                "cached_tokens": self.spent.cached_tokens,
                "cost_usd": self.spent.cost_usd,
            },
            "seconds": {
                "elapsed": round(self.elapsed_s, 3),
                "turn_p50": self.p50_s,
                "turn_p95": self.p95_s,
                "ours_p50": self.our_p50_s,
                "ours_p95": self.our_p95_s,
                "our_share": self.our_share,
            },
            "rate_limits": self.rate_limits,
            "errors": [{"message": message, "conversations": count} for message, count in self.errors],
        }


def summarise(tally: Tally, *, total: int, elapsed_s: float, rate_limits: int) -> RunSummary:
    """Return the current summary."""
    whole = sum(tally.seconds)
    return RunSummary(
        total=total,
        conversations=tally.conversations,
        failed=tally.failed,
        not_run=total - tally.conversations,
        turns=tally.turns,
        expectations_met=tally.met,
        expectations_unmet=tally.unmet,
        spent=tally.spent,
        p50_s=percentile(tally.seconds, 0.5),
        p95_s=percentile(tally.seconds, 0.95),
        our_p50_s=percentile(tally.our_seconds, 0.5),
        our_p95_s=percentile(tally.our_seconds, 0.95),
        our_share=round(sum(tally.our_seconds) / whole, 4) if whole else None,
        elapsed_s=elapsed_s,
        rate_limits=rate_limits,
        errors=tuple(sorted(tally.errors.items(), key=lambda item: (-item[1], item[0]))),
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the percentile by nearest rank; None for no values."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
