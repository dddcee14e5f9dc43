"""The endpoint of a model: the wire protocol, the address, and the key that belongs to it.

All rules about an address are here: is it OpenAI, is it this machine, which key may be sent to it.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from memgpt_cli.errors import ConfigError

OPENAI_URL: Final = "https://api.openai.com/v1"
ANTHROPIC_URL: Final = "https://api.anthropic.com/v1"

OPENAI_KEY: Final = "OPENAI_API_KEY"
ANTHROPIC_KEY: Final = "ANTHROPIC_API_KEY"
AZURE_KEY: Final = "AZURE_OPENAI_API_KEY"

KEY_VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "api.anthropic.com": ANTHROPIC_KEY,
        "openrouter.ai": "OPENROUTER_API_KEY",
        "generativelanguage.googleapis.com": "GEMINI_API_KEY",
        "api.mistral.ai": "MISTRAL_API_KEY",
        "api.deepseek.com": "DEEPSEEK_API_KEY",
        "api.groq.com": "GROQ_API_KEY",
        "api.x.ai": "XAI_API_KEY",
        "api.moonshot.ai": "MOONSHOT_API_KEY",
        "api.moonshot.cn": "MOONSHOT_API_KEY",
        "api.z.ai": "ZAI_API_KEY",
        "api.together.xyz": "TOGETHER_API_KEY",
        "api.fireworks.ai": "FIREWORKS_API_KEY",
        "models.github.ai": "GITHUB_TOKEN",
    }
)
"""The variable in each provider's own documentation; its value is sent only to this host."""

_AZURE_HOSTS: Final = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
_AZURE_VERSION: Final = "2024-10-21"
"""The api-version of deployment URLs without one: Azure's last stable version before /openai/v1, which needs none."""
_OPERATIONS: Final = ("/chat/completions", "/responses", "/v1/messages", "/messages")
"""Operations at the end of a copied address; they are removed, because the adapter adds its own."""
_NEEDS_RESPONSES: Final = re.compile(r"(ft:)?(gpt-([5-9]|\d\d)|o\d)(?!.*-chat)", re.IGNORECASE)
"""OpenAI's reasoning models. The newer ones refuse functions together with reasoning over Chat Completions."""


class Provider(StrEnum):
    """The wire protocol of an endpoint. `AZURE` is Chat Completions with the key in an `api-key` header."""

    OPENAI_CHAT = "openai_chat"
    OPENAI_RESPONSES = "openai_responses"
    ANTHROPIC = "anthropic"
    AZURE = "azure"


AUTO: Final = "auto"
"""The setting that derives the provider from the address and the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address and its protocol. Create one with `Endpoint.at`.

    `base_url` has no trailing slash, no query and no operation; `query` is added to the address of each request.
    `key_env` names the environment variable that holds the key, if the user set one. A `keyless` endpoint gets no key.
    `extra_body` is a JSON object whose fields are added to each request.
    """

    provider: Provider
    base_url: str
    query: tuple[tuple[str, str], ...] = ()
    key_env: str | None = None
    extra_body: str | None = None
    keyless: bool = False

    @classmethod
    def at(
        cls, base_url: str | None, *, model: str = "", provider: str = AUTO, key_env: str | None = None
    ) -> "Endpoint":
        """Parse a base URL as people write it; None is the provider's own address.

        With `provider` "auto" the protocol follows from the address and the model. Raises ConfigError if `base_url` is
        not a URL, and for Azure without one.
        """
        base_url = (base_url or "").strip() or None
        chosen = Provider(provider) if provider != AUTO else None
        if base_url is None:
            base_url = _own_address(chosen, model)
        parts = _split(base_url)
        plain = _Address(parts, path=_without_operation(parts.path))
        endpoint = cls(
            provider=chosen or _detect(plain, model),
            base_url=plain.url,
            query=tuple(parse_qsl(parts.query)),
            key_env=key_env,
        )
        if endpoint.provider is Provider.ANTHROPIC and not plain.url.endswith("/v1"):
            return replace(endpoint, base_url=f"{plain.url}/v1")
        return _azure_form(endpoint, plain) if plain.is_azure else endpoint

    @property
    def extra_fields(self) -> dict[str, Any]:
        """Return the fields of `extra_body`."""
        fields: dict[str, Any] = json.loads(self.extra_body) if self.extra_body else {}
        return fields

    @property
    def host(self) -> str:
        """Return `host` or `host:port`, in lower case."""
        return _Address(urlsplit(self.base_url)).host

    @property
    def url(self) -> str:
        """Return the address with its query; `Endpoint.at` parses it into the same endpoint."""
        return f"{self.base_url}?{urlencode(self.query)}" if self.query else self.base_url

    @property
    def is_openai(self) -> bool:
        """Whether this is OpenAI itself, including its regional addresses."""
        return self.host == "api.openai.com" or self.host.endswith(".api.openai.com")

    @property
    def is_loopback(self) -> bool:
        """Whether this address is on this machine. As destinations, 0.0.0.0 and :: are too."""
        host = (urlsplit(self.base_url).hostname or "").removesuffix(".")
        if host == "localhost":
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return bool(mapped.is_loopback or mapped.is_unspecified)

    @property
    def key_in_api_key_header(self) -> bool:
        """Whether the key goes into Azure's `api-key` header instead of `Authorization`."""
        return self.provider is Provider.AZURE or _Address(urlsplit(self.base_url)).is_azure

    @property
    def needs_key(self) -> bool:
        """Whether every request requires a key, so that a missing key is reported before the first call."""
        return self.key_name in ("openai", "anthropic") and not self.keyless

    @property
    def key_name(self) -> str:
        """Return the name under which the key is stored: `openai`, `anthropic`, or the host."""
        if self.is_openai:
            return "openai"
        return "anthropic" if self.host == "api.anthropic.com" else self.host

    @property
    def own_variable(self) -> str | None:
        """Return the environment variable whose key belongs to this host alone; None if the host is not known."""
        if self.is_openai:
            return OPENAI_KEY
        return AZURE_KEY if _Address(urlsplit(self.base_url)).is_azure else KEY_VARIABLES.get(self.host)

    @property
    def general_variable(self) -> str:
        """Return the environment variable of the protocol. It is used if the user named the endpoint."""
        return {Provider.ANTHROPIC: ANTHROPIC_KEY, Provider.AZURE: AZURE_KEY}.get(self.provider, OPENAI_KEY)

    @property
    def key_hint(self) -> str:
        """Return a hint on how to set a key for this endpoint."""
        variable = self.key_env or self.own_variable
        stored = f"memgpt keys set {self.key_name}"
        return f"export {variable}=... or {stored}" if variable else stored


@dataclass(frozen=True, slots=True)
class _Address:
    """A split URL, and the properties that depend only on its host and path."""

    parts: SplitResult
    path: str | None = None

    @property
    def host(self) -> str:
        name, port = self.parts.hostname or "", self.parts.port
        name = f"[{name}]" if ":" in name else name
        return f"{name}:{port}" if port else name

    @property
    def is_azure(self) -> bool:
        return (self.parts.hostname or "").endswith(_AZURE_HOSTS)

    @property
    def url(self) -> str:
        path = self.parts.path if self.path is None else self.path
        return urlunsplit((self.parts.scheme, self.parts.netloc, path.rstrip("/"), "", ""))


def _own_address(provider: Provider | None, model: str) -> str:
    if provider is Provider.AZURE:
        raise ConfigError(
            "Azure has no common address: every resource has its own.",
            hint="--base-url https://NAME.openai.azure.com/openai/v1",
        )
    is_claude = provider is None and model.lower().startswith("claude-")
    return ANTHROPIC_URL if is_claude or provider is Provider.ANTHROPIC else OPENAI_URL


def _split(base_url: str) -> SplitResult:
    try:
        parts = urlsplit(base_url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise ConfigError(
        f"{base_url!r} is not a base URL.", hint="write it in full, as in --base-url http://localhost:11434/v1"
    )


def _without_operation(path: str) -> str:
    path = path.rstrip("/")
    return next((path.removesuffix(end) for end in _OPERATIONS if path.endswith(end)), path)


def _detect(address: _Address, model: str) -> Provider:
    host, path = address.host, address.path or ""
    if host == "api.anthropic.com" or path.endswith(("/anthropic", "/anthropic/v1")):
        return Provider.ANTHROPIC
    if address.is_azure:
        return Provider.AZURE
    if (host == "api.openai.com" or host.endswith(".api.openai.com")) and _NEEDS_RESPONSES.match(model):
        return Provider.OPENAI_RESPONSES
    return Provider.OPENAI_CHAT


def _azure_form(endpoint: Endpoint, address: _Address) -> Endpoint:
    """Complete an address on Azure: add /openai/v1 if only the resource is given, and a version if one is required."""
    path = address.path or ""
    if path in ("", "/openai"):
        return replace(endpoint, base_url=f"{endpoint.base_url.removesuffix('/openai')}/openai/v1")
    if "/deployments/" in path and "api-version" not in dict(endpoint.query):
        return replace(endpoint, query=(*endpoint.query, ("api-version", _AZURE_VERSION)))
    return endpoint


def is_loopback_host(host: str) -> bool:
    """Whether a server that listens on this host can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
