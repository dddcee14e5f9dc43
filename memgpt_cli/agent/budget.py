"""Compute the cost of calls and stop a call that would exceed a budget before it is made."""

from collections.abc import Callable
from datetime import datetime

from memgpt_cli.domain.agents import StepRecord, Turn
from memgpt_cli.domain.chat import Usage
from memgpt_cli.domain.settings import LoopSettings, ModelSettings
from memgpt_cli.errors import BudgetError
from memgpt_cli.main_context.summarizer import SummaryCall
from memgpt_cli.ports import Clock, Spending, Store


def cost_of(usage: Usage, prices: ModelSettings) -> float | None:
    """Return the USD of one call: the server's figure, or computed from prices; None if a required price is unknown.

    Cached tokens and tokens written to the cache cost as much as input if they have no price of their own.
    """
    if usage.cost_usd is not None:
        return usage.cost_usd
    if prices.input_usd_per_million is None or prices.output_usd_per_million is None:
        return None
    cached_price = prices.cached_usd_per_million
    if cached_price is None:
        cached_price = prices.input_usd_per_million
    written_price = prices.cache_write_usd_per_million
    if written_price is None:
        written_price = prices.input_usd_per_million
    fresh = usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens
    total = fresh * prices.input_usd_per_million + usage.cached_tokens * cached_price
    total += usage.cache_write_tokens * written_price
    return (total + usage.completion_tokens * prices.output_usd_per_million) / 1_000_000


def worst_case(prompt: int, reply: int) -> Usage:
    """Return the most expensive usage of a call: no prompt token is cached, and all are written to the cache."""
    return Usage(prompt_tokens=prompt, cache_write_tokens=prompt, completion_tokens=reply)


class Budget:
    """Enforces the `budget.*` settings before each call."""

    def __init__(
        self,
        *,
        store: Store,
        spending: Spending,
        loop: LoopSettings,
        model: ModelSettings,
        summary_model: ModelSettings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._spending = spending
        self._loop = loop
        self._model = model
        self._summary_model = summary_model
        self._clock = clock

    def check(self, turn: Turn, next_prompt: Callable[[], int], reserve: int) -> None:
        """Raise BudgetError if the next call could exceed a budget; `next_prompt` is its prompt in tokens."""
        self._check(turn, next_prompt, reserve, self._model)

    def check_summary(self, turn: Turn, prompt: int, reply: int) -> None:
        """Check a summary call; see `main_context.booked_summaries.Afford`."""
        self._check(turn, lambda: prompt, reply, self._summary_model)

    def _check(self, turn: Turn, next_prompt: Callable[[], int], reserve: int, prices: ModelSettings) -> None:
        most = self._loop.max_tokens_per_turn
        if most is not None:
            steps = self._store.turns.steps(turn.id)
            used = sum(s.usage.prompt_tokens + s.usage.completion_tokens for s in steps)
            if used + next_prompt() + reserve > most:
                needed = used + next_prompt() + reserve
                raise BudgetError(
                    f"this turn has used {used} tokens and its next call may take {needed - used}:"
                    f" over budget.max_tokens_per_turn = {most}",
                    hint=f"memgpt config set budget.max_tokens_per_turn {-(-2 * needed // 1000) * 1000}",
                )
        if self._loop.max_usd_per_day is not None:
            self._check_money(self._loop.max_usd_per_day, next_prompt(), reserve, prices)

    def _check_money(self, most: float, prompt: int, reserve: int, prices: ModelSettings) -> None:
        worst = cost_of(worst_case(prompt, reserve), prices)
        if worst is None:
            raise BudgetError(
                f"budget.max_usd_per_day is set, but the price of {prices.name} is not known",
                hint=f'give it in the configuration under [models."{prices.name}"], or unset the budget',
            )
        spent = self._spending.spent_on(self._spending.day(self._clock.now()))
        if spent + worst > most:
            raise BudgetError(
                f"{spent:.4f} USD were spent today and the next call may cost {worst:.4f}:"
                f" over budget.max_usd_per_day = {most}",
                hint="wait until tomorrow, or raise the budget with `memgpt config set budget.max_usd_per_day`",
            )

    def book_summary(self, call: SummaryCall, at: datetime) -> float | None:
        """Book a summary call; see `main_context.booked_summaries.Book`."""
        cost = cost_of(call.usage, self._summary_model)
        if cost:
            self._spending.add_spending(at, cost)
        return cost

    def book(self, record: StepRecord) -> None:
        """Add a call's cost to the day's spending, after its step is committed."""
        if record.cost_usd and record.at is not None:
            self._spending.add_spending(record.at, record.cost_usd)
