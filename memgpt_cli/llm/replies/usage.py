"""The token counts that a server reports, where they can be true."""

import math
from collections.abc import Mapping
from typing import Any, Final

from memgpt_cli.domain.chat import Usage

MOST_TOKENS: Final = 1_000_000_000
"""More than any window holds; a larger count is an error of the server."""


def usage_of(reported: object) -> Usage | None:
    """The usage in a chunk's `usage` field; None where none is reported or a count cannot be true."""
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
"""More than one call costs anywhere."""


def _cost(usage: Mapping[str, Any]) -> float | None:
    """What OpenRouter states: its charge in USD and, with a key of one's own, that of the provider behind it."""
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
    """A count of tokens; 0 for anything else. True and False are integers to Python and no counts."""
    value = usage.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return int(value) if 0 < value <= MOST_TOKENS else 0
