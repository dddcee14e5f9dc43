"""A profile: a model, its endpoint and its settings, under a name that the user chooses."""

from dataclasses import dataclass

from memgpt_cli.domain.agents import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Named settings for one model; None leaves a setting to the configuration.

    `base_url` None is the provider's own address (OpenAI where no provider is named). `window` and `context` are
    tokens: the window to use, and the model's own context length. `protocol` is that of agents created with the
    profile. Prices are USD for a million tokens. A profile holds no key: `key_env` names the environment variable
    that holds it, `no_key` sends none, and otherwise the key stored for the host is used.
    """

    name: str
    model: str
    base_url: str | None = None
    provider: str | None = None
    window: int | None = None
    protocol: Protocol | None = None
    reasoning_effort: str | None = None
    images: bool | None = None
    context: int | None = None
    input: float | None = None
    cached: float | None = None
    output: float | None = None
    key_env: str | None = None
    extra_body: str | None = None
    no_key: bool | None = None
