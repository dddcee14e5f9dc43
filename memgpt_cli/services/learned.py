"""Traits that the program learned about endpoints and models: as text, as JSON, and deleting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.times import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.domain.endpoint_traits import LearnedTrait, TraitValue
    from memgpt_cli.domain.endpoints import Endpoint

_WORDS: Mapping[tuple[str, TraitValue], str] = {
    ("alternates", True): "roles must alternate",
    ("alternates", False): "roles need not alternate",
    ("takes_parallel_calls", True): "several calls in one message are accepted",
    ("takes_parallel_calls", False): "one call per message",
    ("takes_calls", True): "earlier calls are accepted",
    ("takes_calls", False): "earlier calls are sent as text",
    ("takes_system", True): "system messages are accepted",
    ("takes_system", False): "the system message is sent as a user message",
    ("takes_tools", True): "tools are accepted",
    ("takes_tools", False): "no tool support: calls are written as text",
    ("takes_reasoning", True): "reasoning is sent back",
    ("takes_reasoning", False): "reasoning is not sent back",
    ("limit_field", ""): "the reply is not limited by a field",
}


def learned_traits(workspace: Workspace) -> list[LearnedTrait]:
    """Return every trait, by endpoint, model and name; expired ones are marked stale."""
    return workspace.state.learned_traits()


def learned_of(workspace: Workspace, endpoint: Endpoint | None, model: str) -> list[LearnedTrait]:
    """Return the valid traits of a model at its endpoint; none for a model without an endpoint."""
    if endpoint is None:
        return []
    place = (endpoint.base_url, model)
    return [t for t in learned_traits(workspace) if (t.base_url, t.model) == place and not t.stale]


def in_words(traits: list[LearnedTrait]) -> list[str]:
    """Return the traits of one model at one endpoint, each in a few words."""
    values = {trait.name: trait.value for trait in traits}
    return list(_phrases(values))


def _phrases(values: Mapping[str, TraitValue]) -> Iterator[str]:
    source = values.get("window_source")
    if (window := values.get("window")) is not None:
        yield f"window {window:,} tokens ({source})"
    elif source is not None:
        yield f"window {source}"
    for name, value in values.items():
        if name in {"window", "window_source"}:
            continue
        if isinstance(value, frozenset):
            yield f"fields left out: {', '.join(sorted(value))}"
        else:
            yield _WORDS.get((name, value), f"{name.replace('_', ' ')}: {value}")


def trait_shape(trait: LearnedTrait) -> dict[str, Any]:
    """A trait as JSON (docs/schemas/models-learned.schema.json)."""
    return {
        "base_url": trait.base_url,
        "model": trait.model,
        "name": trait.name,
        "value": sorted(trait.value) if isinstance(trait.value, frozenset) else trait.value,
        "at": to_text(trait.at),
        "stale": trait.stale,
    }


def forget_learned(workspace: Workspace, model: str | None) -> int:
    """Delete what was learned of this model at every endpoint, or of all models, with its token calibration.

    Returns how many traits were deleted. Agents and settings do not change.
    """
    return workspace.state.forget_learned(model)
