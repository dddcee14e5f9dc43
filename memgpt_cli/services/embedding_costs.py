"""What embedding costs, and the daily budget that bounds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memgpt_cli.errors import BudgetError

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace


class EmbeddingCost:
    """The tokens embedded since this was made, and their price in US dollars; None where it is not known."""

    def __init__(self, workspace: Workspace, model: str | None = None) -> None:
        self._bill = workspace.embedders.bill(model or workspace.embedders.name()[1])
        self._before = self._bill.tokens

    @property
    def tokens(self) -> int:
        """Tokens embedded since."""
        return self._bill.tokens - self._before

    @property
    def usd(self) -> float | None:
        """Their price."""
        return self._bill.price(self.tokens)


def check_budget(workspace: Workspace) -> None:
    """Raise BudgetError once the day's money is spent; embedding is paid for as well."""
    most = workspace.settings.loop.max_usd_per_day
    if most is None:
        return
    spent = workspace.state.spent_on(workspace.state.day(workspace.clock.now()))
    if spent > most:
        raise BudgetError(
            f"{spent:.4f} USD were spent today: over budget.max_usd_per_day = {most}",
            hint="wait until tomorrow, or raise it: memgpt config set budget.max_usd_per_day; the same load continues",
        )
