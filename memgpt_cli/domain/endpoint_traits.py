"""What was learned about one model at one endpoint: its window, and which requests its server takes.

A trait that is unknown has its default. To add one, add a field with a default here; it is stored under its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

FRESH_FOR: Final = timedelta(days=1)
"""How long a trait is believed. After that it is unknown again, and is learned anew from one refused request."""

TraitValue = int | bool | str | frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointTraits:
    """Traits of a model at an endpoint; what is unknown has its default.

    `window` is in tokens, `window_source` says in a few words where it is from. `refused_fields` are request fields to
    leave out. `limit_field` is the field that bounds the reply, "" when the server takes none. `alternates`: a user
    message right after a function result is refused. `takes_parallel_calls`: False when a message may hold one call
    only. `takes_calls`: False when calls and results of earlier messages are refused. `takes_system`: False when a
    system message is refused. `takes_null_content`: False when calls need a text beside them, an empty one too.
    `takes_tools`: False when the server refuses `tools`. `takes_reasoning`: whether reasoning and signatures must be
    sent back (True) or are refused (False).
    """

    window: int | None = None
    window_source: str | None = None
    refused_fields: frozenset[str] = frozenset()
    limit_field: str | None = None
    alternates: bool | None = None
    takes_parallel_calls: bool | None = None
    takes_calls: bool | None = None
    takes_system: bool | None = None
    takes_null_content: bool | None = None
    takes_tools: bool | None = None
    takes_reasoning: bool | None = None

    def known(self) -> Mapping[str, TraitValue]:
        """The traits that are known, by name."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value is not None and value != frozenset()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTrait:
    """One trait as it was learned. `base_url` None is OpenAI; a stale one is no longer believed."""

    base_url: str | None
    model: str
    name: str
    value: TraitValue
    at: datetime
    stale: bool
