"""Which model answers, where, with how large a window, and at what price.

Pure: layers, the agent's own choice and a question about keys go in, a choice with its reasons comes out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from memgpt_cli.config.option import Scalar
from memgpt_cli.config.settings import Configuration, ModelTable, SettingValue, Source
from memgpt_cli.domain.agents import AgentConfig
from memgpt_cli.domain.endpoints import AUTO, Endpoint, Provider
from memgpt_cli.domain.profiles import Profile
from memgpt_cli.domain.settings import ModelSettings, Settings, WindowSettings
from memgpt_cli.errors import ConfigError

OFFLINE: Final = "offline"
SCRIPTED: Final = "scripted:"
MAX_DEFAULT_WINDOW: Final = 32_768
"""Tokens of the window when nobody says: what fits is sent with every call, and paid for."""
_DATE: Final = re.compile(r"-20\d\d-?\d\d-?\d\d$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where an agent's messages go: a model and its endpoint, None for a model that answers inside this process."""

    model: str
    endpoint: Endpoint | None = None

    @property
    def place(self) -> str:
        """The endpoint's host, or `this machine`."""
        return "this machine" if self.endpoint is None else self.endpoint.host


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """The model of the next call. `endpoint` is None for a model that answers inside this process.

    `base_url` is the address as it was set; None is the provider's own.
    `source`, `base_url_source` and `window_source` say who decided; `notice` is what the person must be told, or None.
    `settings` are the model's, `window` is in tokens; `window_from` says where it is from when the server told it.
    `profile` is the profile that names the model, if one does; its
    key is sent to its own base URL only.
    """

    name: str
    base_url: str | None
    endpoint: Endpoint | None
    window: int
    source: Source
    base_url_source: Source
    window_source: Source
    settings: ModelSettings
    profile: Profile | None = None
    notice: str | None = None
    window_from: str | None = None

    @property
    def destination(self) -> Destination:
        """What to remember as the place where this agent's messages went."""
        return Destination(model=self.name, endpoint=self.endpoint)

    @property
    def label(self) -> str:
        """The name that the person knows it by: the profile's, or the model's."""
        return self.profile.name if self.profile else self.name

    def apply(self, settings: Settings) -> Settings:
        """The settings with this choice in them."""
        window: WindowSettings = replace(
            settings.window, window=self.window, source=self.window_from or str(self.window_source)
        )
        return replace(settings, model=self.settings, window=window)


HasKey = Callable[[Endpoint, Source], bool]
"""Whether there is a key for this endpoint that this source named; see `keys.ApiKeys.has`."""


def is_builtin(model: str) -> bool:
    """Whether this model needs no endpoint."""
    return model == OFFLINE or model.startswith(SCRIPTED)


def resolve_model(
    config: Configuration, *, has_key: HasKey, agent: AgentConfig | None = None, last: Destination | None = None
) -> ModelChoice:
    """The choice: flag, variable, the agent's own, files; then the packaged default if there is a key, else `offline`.

    `last` is where the agent's words went until now: going anywhere else is said in `notice`.
    """
    url, url_source = _layered(config["model.base_url"], agent.base_url if agent else None)
    named, source = _layered(config["model.name"], (agent.profile or agent.model) if agent else None)
    name, base_url = str(named), None if url is None else str(url)
    profile, at = _profile(config, name, source, agent), None
    if profile is not None:
        name = profile.model
        if url_source is not Source.FLAG and not (url_source is Source.AGENT and _rank(source) > _rank(Source.AGENT)):
            base_url, url_source, at = profile.base_url, Source.USER, profile_endpoint(profile)
    notice = None
    endpoint = at or (None if is_builtin(name) else endpoint_for(config, name, base_url, url_source))
    if endpoint is not None and source is Source.DEFAULT and not has_key(endpoint, url_source):
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


def endpoint_for(config: Configuration, model: str, base_url: str | None, source: Source) -> Endpoint:
    """The endpoint of a model at the address that `source` set; None is the provider's own. Raises ConfigError.

    `model.provider`, `model.key_env` and `model.extra_body` describe the address of their own layer or of a weaker one:
    a file's provider does not apply to an address from the command line. Flags and variables count as one layer.
    """
    layer = max(_rank(source), _rank(Source.ENVIRONMENT))

    def setting(key: str) -> str | None:
        found = config[key]
        applies = found.value is not None and _rank(found.source) <= layer
        return str(found.value) if applies else None

    at = Endpoint.at(
        base_url, model=model, provider=setting("model.provider") or AUTO, key_env=setting("model.key_env")
    )
    return replace(at, extra_body=setting("model.extra_body"))


def profile_endpoint(profile: Profile, model: str | None = None) -> Endpoint | None:
    """Where a profile's model, or another model with its key, is reached; None for a built-in one."""
    model = model or profile.model
    if is_builtin(model):
        return None
    at = Endpoint.at(profile.base_url, model=model, provider=profile.provider or AUTO, key_env=profile.key_env)
    return replace(at, keyless=bool(profile.no_key), extra_body=profile.extra_body)


def endpoint_beside(config: Configuration, choice: ModelChoice, model: str) -> Endpoint | None:
    """The endpoint of another model at the address of this choice; None for a built-in one."""
    if is_builtin(model):
        return None
    if choice.profile is not None and choice.base_url == choice.profile.base_url:
        return profile_endpoint(choice.profile, model)
    return endpoint_for(config, model, choice.base_url, choice.base_url_source)


def profile_choice(config: Configuration, profile: Profile) -> ModelChoice:
    """The model of a profile by itself, whatever flags, variables and agents say."""
    endpoint = profile_endpoint(profile)
    settings = model_settings(config, profile.model, endpoint, profile)
    return ModelChoice(
        name=profile.model,
        base_url=profile.base_url if endpoint else None,
        endpoint=endpoint,
        window=profile.window or min(settings.context or MAX_DEFAULT_WINDOW, MAX_DEFAULT_WINDOW),
        source=Source.USER,
        base_url_source=Source.USER,
        window_source=Source.USER if profile.window else Source.DEFAULT,
        settings=settings,
        profile=profile,
    )


def model_settings(
    config: Configuration, name: str, endpoint: Endpoint | None, profile: Profile | None = None
) -> ModelSettings:
    """What is known of a model at an endpoint: limits of calls from the settings, context and prices from the tables.

    The packaged prices are those of the provider's own endpoint; elsewhere only what the person's files say counts.
    The packaged reasoning effort is for Chat Completions, where some models refuse functions without it. What a profile
    states is stronger than the tables and the settings.
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
    """The table of a model: under its own name, else without a date at its end, else without a `vendor/` before it."""
    if name.startswith(SCRIPTED):
        name = OFFLINE
    undated = _DATE.sub("", name)
    for candidate in (name, undated, undated.rpartition("/")[2]):
        if candidate in models:
            return dict(models[candidate])
    return {}


def _layered(setting: SettingValue, own: Scalar | None) -> tuple[Scalar | None, Source]:
    """A setting's value with the agent's own put between variables and files."""
    if own is not None and setting.source not in (Source.FLAG, Source.ENVIRONMENT):
        return own, Source.AGENT
    return setting.value, setting.source


def _rank(source: Source) -> int:
    """How strong a source is; 0 is the strongest."""
    return list(Source).index(source)


def _profile(config: Configuration, name: str, source: Source, agent: AgentConfig | None) -> Profile | None:
    """The profile of this name, if it is one. Raises ConfigError for an agent whose profile does not exist.

    An agent says whether it names a profile or a model, so that without its profile its words go nowhere else.
    """
    if source is not Source.AGENT:
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
    config: Configuration, agent: AgentConfig | None, model: ModelSettings, profile: Profile | None, named_by: Source
) -> tuple[int, Source, str | None]:
    """Tokens, who decided, and what to say when the model cannot take what was asked for.

    A profile's window counts as set by whoever named the profile (`named_by`); beside it in a file, it is stronger.
    """
    asked, source = _layered(config["window.tokens"], agent.window if agent else None)
    if profile is not None and profile.window is not None:
        from_file = source not in (Source.FLAG, Source.ENVIRONMENT, Source.AGENT)
        if asked is None or from_file or _rank(source) > _rank(named_by):
            asked, source = profile.window, named_by
    if asked is None:
        return min(model.context or MAX_DEFAULT_WINDOW, MAX_DEFAULT_WINDOW), Source.DEFAULT, None
    tokens = int(asked)
    if model.context is None or tokens <= model.context or is_builtin(model.name):
        return tokens, source, None
    said = f"The window of {tokens:,} tokens is more than {model.name} takes; using {model.context:,}."
    hint = f'If that is wrong, set context under [models."{model.name}"]: memgpt config edit'
    return model.context, source, f"{said} {hint}"


def _why_offline(host: str | None) -> str:
    """One line: what answers, and how to connect a model."""
    if host is not None:
        return (
            f"Answering offline: no model is named for {host}. "
            "Name one with --model NAME, or for good: memgpt config set model.name NAME"
        )
    return (
        "Answering offline, without a language model. To connect one: memgpt keys set openai, "
        "or --base-url http://localhost:11434/v1 --model NAME"
    )


def _moved(last: Destination, now: Destination, source: Source) -> str | None:
    """What to say when words begin to go somewhere else; None when they stay where they were."""
    if last.place == now.place:
        return None
    why = {
        Source.FLAG: "as the command line says",
        Source.ENVIRONMENT: "as the environment says",
        Source.AGENT: "the agent's own model",
        Source.PROJECT: "as the project file says",
        Source.USER: "as the user file says",
        Source.DEFAULT: "the default now that there is a key" if now.endpoint else "no API key is set",
    }[source]
    stay = f"--model {last.model}"
    if last.endpoint is not None and last.endpoint.base_url != Endpoint.at(None, model=last.model).base_url:
        stay += f" --base-url {last.endpoint.base_url}"
    return (
        f"This agent talked to {last.model} on {last.place} until now; from here on its messages go to {now.model} "
        f"on {now.place} ({why}). To stay: {stay}"
    )
