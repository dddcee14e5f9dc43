"""Add the cost of embedding calls to the day's spending. No budget stops them."""

from threading import Lock

from memgpt_cli.ports import Clock, Spending


class EmbeddingBill:
    """The tally of one embedding model in this process. Thread-safe.

    `usd_per_million` tokens is None if the price is unknown; then `price` returns None too. `tokens` counts all tokens.
    """

    def __init__(self, *, usd_per_million: float | None, spending: Spending, clock: Clock) -> None:
        self._price = usd_per_million
        self._spending = spending
        self._clock = clock
        self._adding = Lock()
        self.tokens = 0

    def price(self, tokens: int) -> float | None:
        """Return the USD for this many tokens."""
        return None if self._price is None else tokens * self._price / 1_000_000

    def add(self, tokens: int) -> None:
        """Book the tokens of one response."""
        with self._adding:
            self.tokens += tokens
        if self._price:
            self._spending.add_spending(self._clock.now(), tokens * self._price / 1_000_000)
