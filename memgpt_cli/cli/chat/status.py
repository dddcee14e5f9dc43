"""The bottom line: who answers, how full the window is, what the last turn used and this chat cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memgpt_cli.domain.agents import StepRecord
    from memgpt_cli.services.chatting import Reservation, Session


_OFFLINE: Final = "offline"
"""This model costs nothing, and its tokens are an estimate."""


@dataclass(slots=True)
class Status:
    """The values of the line. `tokens` are those of the last turn; `cost` is US dollars of this chat.

    `cost` is None once a call's price was unknown.
    """

    agent: str
    model: str
    window: int
    used: int = 0
    pressed: bool = False
    waiting: bool = False
    tokens: int = 0
    cost: float | None = 0.0

    @classmethod
    def of(cls, reservation: Reservation) -> Status:
        """Return the state before the first message."""
        status = cls(agent="", model="", window=0)
        status.hold(reservation)
        return status

    def hold(self, reservation: Reservation) -> None:
        """Switch to another agent or model; usage so far stays counted."""
        self.agent, self.model, self.window = reservation.name, reservation.model, reservation.window
        self.used, self.pressed = reservation.summary.used, False
        self.waiting = reservation.summary.unanswered

    def look(self, session: Session) -> None:
        """Update how full the window is."""
        from memgpt_cli.services.chatting import is_unanswered, window_use

        use = window_use(session)
        self.window, self.used, self.pressed = use.window, use.used, use.pressed
        self.waiting = is_unanswered(session)

    def count(self, records: Sequence[StepRecord]) -> None:
        """Take over the calls of a turn: its tokens replace those of the turn before, its cost is added."""
        self.tokens = sum(record.usage.prompt_tokens + record.usage.completion_tokens for record in records)
        for record in records:
            self.cost = None if self.cost is None or record.cost_usd is None else self.cost + record.cost_usd

    def line(self, width: int) -> str:
        """Return at most `width` columns; the least important parts are left out first."""
        share = f"{self.used / self.window:.0%}" if self.window else "-"
        context = f"context {share} of {_short(self.window)}" + (", under pressure" if self.pressed else "")
        parts = [self.agent, self.model, context]
        if self.tokens and self.model != _OFFLINE:
            parts.append(f"{_short(self.tokens)} tokens in this turn")
            if self.cost:
                parts.append(f"${self.cost:.4f}")
        if self.waiting:
            parts.insert(0, "unanswered: /retry")
        if _width(parts) > width:
            parts[parts.index(self.model)] = self.model.rpartition("/")[2]
        while len(parts) > 1 and _width(parts) > width:
            parts.pop()
        return f" {' · '.join(parts)}"[: max(0, width - 1)]


def _width(parts: list[str]) -> int:
    from prompt_toolkit.utils import get_cwidth

    return get_cwidth(" · ".join(parts)) + 2


def _short(tokens: int) -> str:
    """Return `9,999`, then `32.8k`, then `128k`, then `1.28M`."""
    if tokens < 10_000:  # noqa: PLR2004
        return f"{tokens:,}"
    if tokens >= 1_000_000:  # noqa: PLR2004
        return f"{tokens / 1e6:.2f}M"
    return f"{tokens / 1000:.{1 if tokens < 100_000 else 0}f}k"  # noqa: PLR2004
