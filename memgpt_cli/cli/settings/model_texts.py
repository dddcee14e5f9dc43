"""Models and their prices in words."""

from typing import Any


def price_text(prices: dict[str, float | None], what: str) -> str:
    """A price in US dollars for a million tokens."""
    price = prices[what]
    return "-" if price is None else f"{price:,.3f}".rstrip("0").rstrip(".")


def plain_text(value: Any) -> str:
    """A value of a profile for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
