"""The models that are known, and those that an endpoint serves, with their context length and prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.errors import UsageError

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.domain.settings import ModelSettings

_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model, where it is known from, and whether it is in use."""

    settings: ModelSettings
    origin: str
    in_use: bool


def known_models(workspace: Workspace) -> list[KnownModel]:
    """The models of the program and of the settings file."""
    found = [(model, "your settings" if own else "built in") for model, own in workspace.models.known()]
    return _marked(workspace, found)


def served_models(workspace: Workspace) -> list[KnownModel]:
    """The models of the endpoint in use. Raises UsageError when there is none, APIKeyError, ModelError."""
    choice, setting = workspace.sessions.choice_in_use(), workspace.configuration["model.base_url"]
    if choice.endpoint is not None:
        served = workspace.models.served_by(choice, timeout_s=_PATIENCE_S)
        return _marked(workspace, [(model, choice.base_url or choice.endpoint.host) for model in served])
    if setting.value is None:
        raise UsageError(
            f"{choice.name} answers inside this program, and no endpoint is named",
            hint="memgpt keys set openai, or --base-url http://localhost:11434/v1",
        )
    base_url = str(setting.value)
    served = workspace.models.served(base_url, named_by=setting.source, timeout_s=_PATIENCE_S)
    return _marked(workspace, [(model, base_url) for model in served])


def _marked(workspace: Workspace, found: list[tuple[ModelSettings, str]]) -> list[KnownModel]:
    used = workspace.sessions.choice_in_use().name
    return [KnownModel(settings=model, origin=origin, in_use=model.name == used) for model, origin in found]


def model_shape(model: KnownModel) -> dict[str, Any]:
    """A model as JSON (docs/schemas/models-list.schema.json)."""
    return {
        "model": model.settings.name,
        "in_use": model.in_use,
        "context": model.settings.context,
        "usd_per_million_tokens": {
            "input": model.settings.input_usd_per_million,
            "cached": model.settings.cached_usd_per_million,
            "output": model.settings.output_usd_per_million,
        },
        "from": model.origin,
    }
