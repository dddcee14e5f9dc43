"""Plausible token counts that a server reports."""

import math
from collections.abc import Mapping
from typing import Any, Final

from memgpt_cli.domain.chat import Usage

MOST_TOKENS: Final = 1_000_000_000
"""Larger than any window; a larger count is an error of the server."""


def usage_of(reported: object) -> Usage | None:
    """Return the usage in a chunk's `usage` field; None if there is none or a count is impossible."""
    if not isinstance(reported, dict):
        return None
    prompt = _count(reported, "prompt_tokens")
    if not prompt:
        return None
    details = reported.get("prompt_tokens_details")
    cached = _count(details, "cached_tokens") if isinstance(details, dict) else 0
    cached = cached or _count(reported, "prompt_cache_hit_tokens") or _count(reported, "cached_tokens")
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=_count(reported, "completion_tokens"),
        cached_tokens=min(cached, prompt),
        cost_usd=_cost(reported),
    )


MOST_USD: Final = 10_000.0
"""More than any call costs."""


def _cost(usage: Mapping[str, Any]) -> float | None:
    """Return OpenRouter's cost: its charge in USD and, with a user's own key, that of the provider behind it."""
    cost = _usd(usage.get("cost"))
    details = usage.get("cost_details")
    if cost is None or not usage.get("is_byok") or not isinstance(details, dict):
        return cost
    return cost + (_usd(details.get("upstream_inference_cost")) or 0.0)


def _usd(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= MOST_USD else None


def _count(usage: Mapping[str, Any], key: str) -> int:
    """Return a count of tokens; 0 for anything else. Python's True and False are integers but not counts."""
    value = usage.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return int(value) if 0 < value <= MOST_TOKENS else 0
