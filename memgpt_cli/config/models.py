"""Select the model that answers, its endpoint, its window and its prices.

Pure functions: they take settings layers, the agent's own choice and a key lookup, and return a choice with its
reasons.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from memgpt_cli.config.option import Scalar
from memgpt_cli.config.settings import Configuration, ModelTable, SettingSource, SettingValue
from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.endpoints import AUTO, Endpoint, Provider
from memgpt_cli.domain.profiles import Profile
from memgpt_cli.domain.settings import ModelSettings, Settings, WindowSettings
from memgpt_cli.errors import ConfigError

OFFLINE: Final = "offline"
SCRIPTED: Final = "scripted:"
MAX_DEFAULT_WINDOW: Final = 32_768
"""Maximum default window in tokens: everything in the window is sent and paid for with every call."""
_DATE: Final = re.compile(r"-20\d\d-?\d\d-?\d\d$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where an agent's messages go: a model and its endpoint, None for a model inside this process."""

    model: str
    endpoint: Endpoint | None = None

    @property
    def place(self) -> str:
        """Return the endpoint's host, or `this machine`."""
        return "this machine" if self.endpoint is None else self.endpoint.host


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """The model of the next call. `endpoint` is None for a model inside this process.

    `base_url` is the address as it was set; None is the provider's own. `source`, `base_url_source` and `window_source`
    say where each value was set; `notice` must be shown to the user, or is None. `settings` are the model's, `window`
    is in tokens; `window_from` says where it is from if the server stated it. `profile` is the profile that names the
    model, if any; its key is sent to its own base URL only.
    """

    name: str
    base_url: str | None
    endpoint: Endpoint | None
    window: int
    source: SettingSource
    base_url_source: SettingSource
    window_source: SettingSource
    settings: ModelSettings
    profile: Profile | None = None
    notice: str | None = None
    window_from: str | None = None

    @property
    def destination(self) -> Destination:
        """Return the value to store as the last destination of this agent's messages."""
        return Destination(model=self.name, endpoint=self.endpoint)

    @property
    def label(self) -> str:
        """Return the name that the user knows: the profile's, or the model's."""
        return self.profile.name if self.profile else self.name

    def apply(self, settings: Settings) -> Settings:
        """Return the settings with this choice in them."""
        window: WindowSettings = replace(
            settings.window, window=self.window, source=self.window_from or str(self.window_source)
        )
        return replace(settings, model=self.settings, window=window)


HasKey = Callable[[Endpoint, SettingSource], bool]
"""Whether there is a key for this endpoint named by this source; see `keys.ApiKeys.has`."""


def is_builtin(model: str) -> bool:
    """Whether this model needs no endpoint."""
    return model == OFFLINE or model.startswith(SCRIPTED)


def resolve_model(
    config: Configuration, *, has_key: HasKey, agent: AgentConfig | None = None, last: Destination | None = None
) -> ModelChoice:
    """Resolve the choice: flag, variable, agent, files; then the packaged default if there is a key, else `offline`.

    `last` is the previous destination of the agent's messages; a different one is reported in `notice`.
    """
    url, url_source = _layered(config["model.base_url"], agent.base_url if agent else None)
    named, source = _layered(config["model.name"], (agent.profile or agent.model) if agent else None)
    name, base_url = str(named), None if url is None else str(url)
    profile, at = _profile(config, name, source, agent), None
    if profile is not None:
        name = profile.model
        if url_source is not SettingSource.FLAG and not (
            url_source is SettingSource.AGENT and _rank(source) > _rank(SettingSource.AGENT)
        ):
            base_url, url_source, at = profile.base_url, SettingSource.USER, profile_endpoint(profile)
    notice = None
    endpoint = at or (None if is_builtin(name) else endpoint_for(config, name, base_url, url_source))
    if endpoint is not None and source is SettingSource.DEFAULT and not has_key(endpoint, url_source):
        notice = _why_offline(base_url and endpoint.host)
        name, endpoint = OFFLINE, None
    if endpoint is None:
        base_url, url_source = None, source
    settings = model_settings(config, name, endpoint, profile)
    window, window_source, capped = _window(config, agent, settings, profile, source)
    if last is not None and (moved := _moved(last, Destination(model=name, endpoint=endpoint), source)):
        notice = "\n".join(filter(None, (notice, moved)))
    return ModelChoice(
        name=name,
        base_url=base_url,
        endpoint=endpoint,
        window=window,
        source=source,
        base_url_source=url_source,
        window_source=window_source,
        settings=settings,
        profile=profile,
        notice="\n".join(line for line in (notice, capped) if line) or None,
    )


def endpoint_for(config: Configuration, model: str, base_url: str | None, source: SettingSource) -> Endpoint:
    """Return the endpoint of a model at the address set by `source`; None is the provider's own. Raises ConfigError.

    `model.provider`, `model.key_env` and `model.extra_body` describe the address of their own layer or of a weaker one:
    a file's provider does not apply to an address from the command line. Flags and variables count as one layer.
    """
    layer = max(_rank(source), _rank(SettingSource.ENVIRONMENT))

    def setting(key: str) -> str | None:
        found = config[key]
        applies = found.value is not None and _rank(found.source) <= layer
        return str(found.value) if applies else None

    at = Endpoint.at(
        base_url, model=model, provider=setting("model.provider") or AUTO, key_env=setting("model.key_env")
    )
    return replace(at, extra_body=setting("model.extra_body"))


def profile_endpoint(profile: Profile, model: str | None = None) -> Endpoint | None:
    """Return the endpoint of a profile's model, or of another model with its key; None for a built-in one."""
    model = model or profile.model
    if is_builtin(model):
        return None
    at = Endpoint.at(profile.base_url, model=model, provider=profile.provider or AUTO, key_env=profile.key_env)
    return replace(at, keyless=bool(profile.no_key), extra_body=profile.extra_body)


def endpoint_beside(config: Configuration, choice: ModelChoice, model: str) -> Endpoint | None:
    """Return the endpoint of another model at the address of this choice; None for a built-in one."""
    if is_builtin(model):
        return None
    if choice.profile is not None and choice.base_url == choice.profile.base_url:
        return profile_endpoint(choice.profile, model)
    return endpoint_for(config, model, choice.base_url, choice.base_url_source)


def profile_choice(config: Configuration, profile: Profile) -> ModelChoice:
    """Return the model of a profile by itself, ignoring flags, variables and agents."""
    endpoint = profile_endpoint(profile)
    settings = model_settings(config, profile.model, endpoint, profile)
    return ModelChoice(
        name=profile.model,
        base_url=profile.base_url if endpoint else None,
        endpoint=endpoint,
        window=profile.window or min(settings.context or MAX_DEFAULT_WINDOW, MAX_DEFAULT_WINDOW),
        source=SettingSource.USER,
        base_url_source=SettingSource.USER,
        window_source=SettingSource.USER if profile.window else SettingSource.DEFAULT,
        settings=settings,
        profile=profile,
    )


def model_settings(
    config: Configuration, name: str, endpoint: Endpoint | None, profile: Profile | None = None
) -> ModelSettings:
    """Return what is known of a model at an endpoint: call limits from settings, context and prices from the tables.

    The packaged prices apply at the provider's own endpoint only; elsewhere only prices in the user's files count. The
    packaged reasoning effort is for Chat Completions, where some models refuse functions without it. A profile takes
    precedence over the tables and the settings.
    """
    table = lookup(config.models, name)
    own_endpoint = endpoint is None or endpoint.host == Endpoint.at(None, model=name).host
    prices = table if own_endpoint or name in config.stated_models else {}
    if profile is not None:
        own = {field: getattr(profile, field) for field in ("context", "input", "cached", "output")}
        own = {field: value for field, value in own.items() if value is not None}
        table, prices = table | own, prices | own
    settings = config.settings.model
    effort: Scalar | None = settings.reasoning_effort
    if profile is not None:
        effort = profile.reasoning_effort or effort
        settings = settings if profile.images is None else replace(settings, images=profile.images)
    if effort is None and (name in config.stated_models or _speaks_chat(endpoint)):
        effort = table.get("reasoning_effort")
    return replace(
        settings,
        name=name,
        base_url=endpoint.url if endpoint else None,
        provider=endpoint.provider if endpoint else AUTO,
        context=int(table["context"]) if "context" in table else None,
        reasoning_effort=None if effort is None or endpoint is None else str(effort),
        input_usd_per_million=_price(prices, "input"),
        cached_usd_per_million=_price(prices, "cached" if "cached" in prices else "input"),
        cache_write_usd_per_million=_price(prices, "cache_write"),
        output_usd_per_million=_price(prices, "output"),
    )


def _speaks_chat(endpoint: Endpoint | None) -> bool:
    return endpoint is not None and endpoint.provider in (Provider.OPENAI_CHAT, Provider.AZURE)


def _price(table: Mapping[str, Scalar], key: str) -> float | None:
    return float(table[key]) if key in table else None


def lookup(models: ModelTable, name: str) -> dict[str, Scalar]:
    """Return the table of a model: by its own name, else without a trailing date, else without a leading `vendor/`."""
    if name.startswith(SCRIPTED):
        name = OFFLINE
    undated = _DATE.sub("", name)
    for candidate in (name, undated, undated.rpartition("/")[2]):
        if candidate in models:
            return dict(models[candidate])
    return {}


def _layered(setting: SettingValue, own: Scalar | None) -> tuple[Scalar | None, SettingSource]:
    """Return a setting's value, with the agent's own between variables and files."""
    if own is not None and setting.source not in (SettingSource.FLAG, SettingSource.ENVIRONMENT):
        return own, SettingSource.AGENT
    return setting.value, setting.source


def _rank(source: SettingSource) -> int:
    """Return the precedence of a source; 0 is the highest."""
    return list(SettingSource).index(source)


def _profile(config: Configuration, name: str, source: SettingSource, agent: AgentConfig | None) -> Profile | None:
    """Return the profile of this name, if it is one. Raises ConfigError for an agent whose profile does not exist.

    An agent's settings say whether they name a profile or a model, so a missing profile never sends messages elsewhere.
    """
    if source is not SettingSource.AGENT:
        return config.profiles.get(name)
    if agent is None or agent.profile is None:
        return None
    if agent.profile not in config.profiles:
        raise ConfigError(
            f"agent {agent.name} uses the profile {agent.profile!r}, which does not exist",
            hint=f"memgpt models add {agent.profile} --model MODEL, or --model MODEL to use another one now",
        )
    return config.profiles[agent.profile]


def _window(
    config: Configuration,
    agent: AgentConfig | None,
    model: ModelSettings,
    profile: Profile | None,
    named_by: SettingSource,
) -> tuple[int, SettingSource, str | None]:
    """Return tokens, the source, and a notice if the model cannot take the requested window.

    A profile's window counts as set by the source that named the profile (`named_by`); within a file it takes
    precedence.
    """
    asked, source = _layered(config["window.tokens"], agent.window if agent else None)
    if profile is not None and profile.window is not None:
        from_file = source not in (SettingSource.FLAG, SettingSource.ENVIRONMENT, SettingSource.AGENT)
        if asked is None or from_file or _rank(source) > _rank(named_by):
            asked, source = profile.window, named_by
    if asked is None:
        return min(model.context or MAX_DEFAULT_WINDOW, MAX_DEFAULT_WINDOW), SettingSource.DEFAULT, None
    tokens = int(asked)
    if model.context is None or tokens <= model.context or is_builtin(model.name):
        return tokens, source, None
    said = f"The window of {tokens:,} tokens is more than {model.name} takes; using {model.context:,}."
    hint = f'If that is wrong, set context under [models."{model.name}"]: memgpt config edit'
    return model.context, source, f"{said} {hint}"


def _why_offline(host: str | None) -> str:
    """Return one line: which model answers, and how to connect another one."""
    if host is not None:
        return (
            f"Answering offline: no model is named for {host}. "
            "Name one with --model NAME, or for good: memgpt config set model.name NAME"
        )
    return (
        "Answering offline, without a language model. To connect one: memgpt keys set openai, "
        "or --base-url http://localhost:11434/v1 --model NAME"
    )


def _moved(last: Destination, now: Destination, source: SettingSource) -> str | None:
    """Return a notice if messages go to a new destination; None if it is unchanged."""
    if last.place == now.place:
        return None
    why = {
        SettingSource.FLAG: "as the command line says",
        SettingSource.ENVIRONMENT: "as the environment says",
        SettingSource.AGENT: "the agent's own model",
        SettingSource.PROJECT: "as the project file says",
        SettingSource.USER: "as the user file says",
        SettingSource.DEFAULT: "the default now that there is a key" if now.endpoint else "no API key is set",
    }[source]
    stay = f"--model {last.model}"
    if last.endpoint is not None and last.endpoint.base_url != Endpoint.at(None, model=last.model).base_url:
        stay += f" --base-url {last.endpoint.base_url}"
    return (
        f"This agent talked to {last.model} on {last.place} until now; from here on its messages go to {now.model} "
        f"on {now.place} ({why}). To stay: {stay}"
    )
