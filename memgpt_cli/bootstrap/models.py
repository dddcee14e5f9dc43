"""Select the model that answers an agent, and create the client for it. No agent and no record is opened here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import override

from memgpt_cli.bootstrap.providers import Connection, connect
from memgpt_cli.bootstrap.windows import ModelWindows
from memgpt_cli.config.models import (
    Destination,
    ModelChoice,
    endpoint_beside,
    endpoint_for,
    is_builtin,
    model_settings,
    profile_choice,
    resolve_model,
)
from memgpt_cli.config.settings import SettingSource
from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.domain.settings import ModelSettings, Settings
from memgpt_cli.ports import Calibration
from memgpt_cli.vendors import load

if TYPE_CHECKING:
    from memgpt_cli.config.keys import ApiKeys
    from memgpt_cli.config.settings import Configuration
    from memgpt_cli.domain.agents import AgentConfig
    from memgpt_cli.domain.profiles import Profile
    from memgpt_cli.llm.local_servers import LocalServer
    from memgpt_cli.ports import ChatModel, EndpointMemory, Store, TokenCounter

AroundModel = Callable[["ChatModel", ModelSettings], "ChatModel"]
"""Wraps a model on a network for the agents; the wrapper must then retry failed calls."""

_ENDPOINT = "endpoint"
"""The note in a record with the last endpoint of its agent."""


class Uncalibrated(Calibration):
    """Calibration for the built-in models: no server counts for them, so there is nothing to learn."""

    @override
    def ratio(self, model: str) -> float | None:
        return None

    @override
    def observe(self, model: str, *, counted: int, reported: int) -> None:
        """Do nothing."""


class Models:
    """The models that settings, keys and agents select; all sessions of a process share the clients."""

    def __init__(
        self,
        configuration: Configuration,
        keys: ApiKeys,
        *,
        endpoints: EndpointMemory,
        around_model: AroundModel | None = None,
    ) -> None:
        self._configuration = configuration
        self._endpoints = endpoints
        self._keys = keys
        self.windows = ModelWindows(endpoints, keys)
        self._around_model = around_model
        self._clients: dict[tuple[str, Endpoint, str | None], ChatModel] = {}

    def choose(self, config: AgentConfig | None = None, last: str | None = None) -> ModelChoice:
        """Return the model that answers an agent, or one without its own model, and the reason. Raises ConfigError.

        `last` is where the agent talked to before, as its record says.
        """
        place = _destination(last) if last else None
        return self.windows.applied(
            resolve_model(self._configuration, has_key=self._keys.has, agent=config, last=place)
        )

    def chosen_by(self, store: Store) -> ModelChoice:
        """Return the model for the agent of this record. Raises ConfigError."""
        return self.choose(store.config(), store.note(_ENDPOINT))

    def remember(self, store: Store, choice: ModelChoice) -> None:
        """Store where the agent's messages go, so that a later change can be reported."""
        text = "\n".join((choice.name, choice.endpoint.base_url if choice.endpoint else ""))
        if store.note(_ENDPOINT) != text:
            store.set_note(_ENDPOINT, text)

    def notices(self, choice: ModelChoice) -> tuple[str, ...]:
        """Return the notices to show before this model is used."""
        return tuple(n for n in (*self._configuration.notes, choice.notice) if n)

    def check_key(self, choice: ModelChoice) -> None:
        """Raise APIKeyError if this choice needs a key and there is none."""
        if choice.endpoint is not None:
            self._keys.require(choice.endpoint, choice.base_url_source)

    def known(self) -> list[tuple[ModelSettings, bool]]:
        """Return the models with known length or prices, and whether these come from the user's own files."""
        own = self._configuration.stated_models
        return [
            (model_settings(self._configuration, name, Endpoint.at(None, model=name)), name in own)
            for name in self._configuration.models
        ]

    def served(
        self, base_url: str | None, *, named_by: SettingSource | None = None, timeout_s: float
    ) -> list[ModelSettings]:
        """What an endpoint says that it serves, and what is known of it. Raises APIKeyError, ModelError.

        Without `named_by`, the source of the endpoint, no key is sent.
        """
        endpoint = endpoint_for(self._configuration, "", base_url, named_by or SettingSource.FLAG)
        key = None if named_by is None else self._keys.find(endpoint, named_by)
        return self._listed(endpoint, key, timeout_s)

    def _listed(self, endpoint: Endpoint, key: str | None, timeout_s: float) -> list[ModelSettings]:
        from memgpt_cli.llm.connection import usable_key
        from memgpt_cli.llm.served_models import served_models
        from memgpt_cli.llm.server_errors import Target

        target = Target(model="", endpoint=endpoint, api_key=usable_key(key))
        served = served_models(target, timeout_s=timeout_s)
        known = [model_settings(self._configuration, model.name, endpoint) for model in served]
        return [replace(k, context=model.window or k.context) for k, model in zip(known, served, strict=True)]

    def served_by(self, choice: ModelChoice, *, timeout_s: float) -> list[ModelSettings]:
        """Return the models that the endpoint of a choice lists. Raises APIKeyError, ModelError."""
        if choice.endpoint is None:
            return []
        key = self._keys.require(choice.endpoint, choice.base_url_source)
        return self._listed(choice.endpoint, key, timeout_s)

    @property
    def local_ports(self) -> tuple[tuple[str, int], ...]:
        """Return the servers that `local_servers` checks, and their ports on this machine."""
        from memgpt_cli.llm.local_servers import server_ports

        return server_ports()

    def local_servers(self, *, within_s: float) -> list[LocalServer]:
        """Return the model servers on this machine that answer within this many seconds; loopback only, no key."""
        from memgpt_cli.llm.local_servers import find_local_servers

        return find_local_servers(within_s=within_s)

    def of_profile(self, profile: Profile) -> ModelChoice:
        """Return the model of a profile by itself, ignoring flags, variables and agents."""
        return self.windows.applied(profile_choice(self._configuration, profile))

    def connect(self, choice: ModelChoice) -> ChatModel:
        """Return the client; it contacts no server before the first request. Raises ConfigError, APIKeyError."""
        if choice.name == "offline":
            from memgpt_cli.llm.offline.responder import OfflineResponder

            return OfflineResponder()
        if choice.endpoint is None:
            from memgpt_cli.llm.scripted import ScriptedModel

            return ScriptedModel(choice.name)
        return self._client(choice, choice.endpoint)

    def summarising(self, choice: ModelChoice, settings: Settings, own: ChatModel) -> ChatModel | None:
        """Return the model for summaries, `own` by default; None for built-in models, which get extracts."""
        if not settings.window.summary_model:
            return None if is_builtin(choice.name) else own
        model = self._summary(settings.window.summary_model, choice)
        return None if model.endpoint is None else self._client(model, model.endpoint)

    def summary_prices(self, choice: ModelChoice, settings: Settings) -> ModelSettings:
        """Return the prices of the model for summaries."""
        name = settings.window.summary_model
        return self._summary(name, choice).settings if name else settings.model

    def _summary(self, name: str, choice: ModelChoice) -> ModelChoice:
        """Return the model for summaries: that of a profile, or another one at the address of this choice."""
        if name in self._configuration.profiles:
            return profile_choice(self._configuration, self._configuration.profiles[name])
        endpoint = endpoint_beside(self._configuration, choice, name)
        settings = model_settings(self._configuration, name, endpoint)
        return replace(choice, name=name, endpoint=endpoint, settings=settings, profile=None)

    def counter(self, model: str) -> TokenCounter:
        """Return the token counter for a model."""
        from memgpt_cli.llm.token_counters import counter_for

        return counter_for(model)

    def warm_up(self, choice: ModelChoice) -> None:
        """Load slow parts once: the client, the tables."""
        self.counter(choice.name).count("hello")
        if choice.endpoint is None:
            self.connect(choice)
        else:
            load("openai")

    def _client(self, choice: ModelChoice, endpoint: Endpoint) -> ChatModel:
        """Return the client for a model; all sessions share it and its connections."""
        key = (choice.name, endpoint, choice.settings.reasoning_effort)
        client = self._clients.get(key)
        if client is None:
            client = self._clients.setdefault(key, self._connected(choice, endpoint))
        return client

    def _connected(self, choice: ModelChoice, endpoint: Endpoint) -> ChatModel:
        from memgpt_cli.llm.retrying import RetryingModel

        client = connect(
            Connection(
                model=choice.name,
                endpoint=endpoint,
                api_key=self._keys.require(endpoint, choice.base_url_source),
                settings=choice.settings,
                max_retries=0,
                memory=self._endpoints,
            )
        )
        if self._around_model is not None:
            return self._around_model(client, choice.settings)
        return RetryingModel(client, max_retries=choice.settings.max_retries)


def _destination(text: str) -> Destination:
    model, _, base_url = text.partition("\n")
    return Destination(model=model, endpoint=None if is_builtin(model) else Endpoint.at(base_url, model=model))
