"""What embedding costs, added to the day's spending as the endpoint reports its tokens. It stops nothing."""

from threading import Lock

from memgpt_cli.ports import Clock, Spending


class EmbeddingBill:
    """The tally of one embedding model in this process; may be added to from any thread.

    `usd_per_million` tokens is None where the price is not known: then `price` is too. `tokens` counts all.
    """

    def __init__(self, *, usd_per_million: float | None, spending: Spending, clock: Clock) -> None:
        self._price = usd_per_million
        self._spending = spending
        self._clock = clock
        self._adding = Lock()
        self.tokens = 0

    def price(self, tokens: int) -> float | None:
        """USD for so many tokens."""
        return None if self._price is None else tokens * self._price / 1_000_000

    def add(self, tokens: int) -> None:
        """Book the tokens of one answer."""
        with self._adding:
            self.tokens += tokens
        if self._price:
            self._spending.add_spending(self._clock.now(), tokens * self._price / 1_000_000)
