"""The first start: find model servers on this machine, and make one of their models the default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memgpt_cli.errors import ConfigError
from memgpt_cli.services.profiles import Profiles

if TYPE_CHECKING:
    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.domain.profiles import Profile

WITHIN_S: Final = 0.6
"""Seconds that the first prompt may wait for servers on this machine; without any it takes some milliseconds."""

_PROFILES: Final = {"Ollama": "ollama", "LM Studio": "lm-studio", "llama.cpp": "llama-cpp", "vLLM": "vllm"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model that can be chosen, and its server on this machine."""

    model: str
    server: str
    base_url: str


def may_look(workspace: Workspace) -> bool:
    """Whether nothing is configured that answers the selected agent, so that a search for servers is useful.

    With a model, a base URL or a key, no server is searched for; `model.find_local = false` turns the search off.
    """
    if not workspace.settings.find_local or workspace.configuration["model.base_url"].value is not None:
        return False
    try:
        choice = workspace.sessions.choice_in_use()
    except ConfigError:
        return False
    return choice.endpoint is None and choice.source.value == "default"


def offers(workspace: Workspace) -> list[Offer]:
    """Return the models of servers on this machine, except embedding models."""
    return [
        Offer(model=model, server=server.name, base_url=server.base_url)
        for server in workspace.models.local_servers(within_s=WITHIN_S)
        for model in server.models
        if "embed" not in model.lower()
    ]


def accept(workspace: Workspace, offer: Offer) -> Profile:
    """Make a profile of an offered model and the profile the default model. Raises UsageError, ConfigError."""
    profiles = Profiles(workspace)
    taken = {profile.name for profile in profiles.all()}
    name = _PROFILES[offer.server]
    while name in taken or name == offer.model:
        name = f"{name}-local"
    profile = profiles.add(name, {"model": offer.model, "base_url": offer.base_url})
    workspace.settings_file.set("model.name", name)
    return profile
