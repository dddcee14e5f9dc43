"""The result of a function call as a value: the text for the model, and its effects as data."""

from dataclasses import dataclass
from typing import Any

from memgpt_cli.domain.effects import NO_EFFECTS, Effects
from memgpt_cli.domain.search import SearchResult
from memgpt_cli.domain.trust import Author


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionResult:
    """The result of a call. `text` is for the model, `reply` for the user; `found` holds the hits of a search.

    `least` is the least trusted source among what the text shows.
    """

    text: str
    ok: bool = True
    reply: str | None = None
    effects: Effects = NO_EFFECTS
    found: SearchResult[Any] | None = None
    least: Author = Author.AGENT
