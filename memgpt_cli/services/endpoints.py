"""Ask an endpoint which models it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.errors import APIKeyError, ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from memgpt_cli.bootstrap import ModelChoice, Workspace

LISTING_S: Final = 5.0
"""Seconds that a list of models may take before a command continues without it."""


def serves(listed: Collection[str], model: str) -> bool:
    """Whether a model is among the listed ones.

    Ollama lists `qwen3:latest` for `qwen3`; OpenRouter lists `vendor/model` for `vendor/model:free`.
    """
    return model in listed or f"{model}:latest" in listed or ("/" in model and model.rpartition(":")[0] in listed)


def check_served(workspace: Workspace, choice: ModelChoice) -> str | None:
    """Raise UsageError if the endpoint of a choice lists its models and this one is not among them.

    Returns None if it is listed, otherwise a line that says why this is unknown.
    """
    if choice.endpoint is None or (choice.base_url is None and choice.settings.context is not None):
        return None
    host = choice.endpoint.host
    try:
        listed = [model.name for model in workspace.models.served_by(choice, timeout_s=LISTING_S)]
    except (ModelError, APIKeyError) as error:
        return f"whether {host} serves {choice.name} could not be checked: {error.message}"
    if not listed:
        return f"whether {host} serves {choice.name} could not be checked: it lists no models"
    if not serves(listed, choice.name):
        raise UsageError(
            f"{host} does not serve {choice.name}{did_you_mean(choice.name, listed)}",
            hint="memgpt models --online lists what it serves; --no-check accepts any name",
        )
    return None
