"""Detect a server that truncates prompts silently, as Ollama does with a prompt over its context."""

from typing import Final

from memgpt_cli.domain.agents import StepRecord

_GROWTH: Final = 256
"""Tokens by which our count must grow between two calls before the server's count is expected to follow."""
_FLAT: Final = 0.1
"""The share of that growth below which the server's count is considered flat."""
_LEAST: Final = 1_024
"""A server that reports fewer tokens counts only uncached ones."""


def cut_silently(before: StepRecord | None, now: StepRecord) -> str | None:
    """Return a warning if the server's count stays flat while ours grows; None otherwise.

    Only two calls of one epoch and one model are compared: there, each prompt extends the previous one.
    """
    if before is None or (before.epoch, before.model) != (now.epoch, now.model):
        return None
    if not (before.usage_reported and now.usage_reported) or now.usage.prompt_tokens < _LEAST:
        return None
    grown = now.counted_tokens - before.counted_tokens
    followed = abs(now.usage.prompt_tokens - before.usage.prompt_tokens)
    if grown < _GROWTH or followed > _FLAT * grown or now.usage.prompt_tokens >= now.counted_tokens:
        return None
    return (
        f"the server seems to cut prompts without saying so: it counts {now.usage.prompt_tokens:,} tokens where"
        f" {now.counted_tokens:,} were sent. Tell its true window (--window {now.usage.prompt_tokens}),"
        " or give it a larger one (Ollama: OLLAMA_CONTEXT_LENGTH)"
    )
