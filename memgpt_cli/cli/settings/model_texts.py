"""Models and their prices in words, and as JSON."""

from typing import Any

from memgpt_cli.domain.settings import ModelSettings


def model_shape(model: ModelSettings, origin: str, *, in_use: bool) -> dict[str, Any]:
    """One model as JSON, with where it is known from."""
    return {
        "model": model.name,
        "in_use": in_use,
        "context": model.context,
        "usd_per_million_tokens": {
            "input": model.input_usd_per_million,
            "cached": model.cached_usd_per_million,
            "output": model.output_usd_per_million,
        },
        "from": origin,
    }


def price_text(prices: dict[str, float | None], what: str) -> str:
    """A price in US dollars for a million tokens."""
    price = prices[what]
    return "-" if price is None else f"{price:,.3f}".rstrip("0").rstrip(".")


def plain_text(value: Any) -> str:
    """A value of a profile for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
