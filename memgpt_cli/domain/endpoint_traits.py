"""Learned traits of one model at one endpoint: its window, and which requests its server accepts.

An unknown trait has its default. To add a trait, add a field with a default here; it is stored under its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

FRESH_FOR: Final = timedelta(days=1)
"""How long a trait is valid. After that it is unknown again, and one refused request teaches it again."""

TraitValue = int | bool | str | frozenset[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointTraits:
    """Traits of a model at an endpoint; unknown traits have their defaults.

    `window` is in tokens, `window_source` says in a few words where it is from. `refused_fields` are request fields to
    omit. `limit_field` is the field that limits the reply, "" if the server accepts none. `alternates`: a user message
    right after a function result is refused. `takes_parallel_calls`: False if a message may hold only one call.
    `takes_calls`: False if calls and results of earlier messages are refused. `takes_system`: False if a system message
    is refused. `takes_null_content`: False if calls require a text, which may be empty. `takes_tools`: False if the
    server refuses `tools`. `takes_reasoning`: whether reasoning and signatures must be sent back (True) or are refused
    (False).
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
        """Return the known traits by name."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value is not None and value != frozenset()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTrait:
    """One learned trait. `base_url` None is OpenAI; a stale trait is ignored."""

    base_url: str | None
    model: str
    name: str
    value: TraitValue
    at: datetime
    stale: bool
