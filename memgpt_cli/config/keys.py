"""API keys: from environment variables or from a file that only its owner can read. Never from flags or settings.

A stored key belongs to one provider: `openai`, `anthropic`, or the host of an endpoint (`openrouter.ai`,
`localhost:8000`), and is sent to no other. A provider's own variable (`domain.endpoints.KEY_VARIABLES`) is sent to that
provider's host. OPENAI_API_KEY (ANTHROPIC_API_KEY, AZURE_OPENAI_API_KEY, by the protocol) is also sent to loopback
addresses and to an endpoint that the user named by a flag, a variable or a settings file. An agent's own endpoint,
which may come from an imported agent, gets only a key stored for its host.
"""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from memgpt_cli.config.files import read_toml, write_private
from memgpt_cli.config.option_checks import is_url
from memgpt_cli.config.options import nearest
from memgpt_cli.config.settings import SettingSource
from memgpt_cli.domain.endpoints import ANTHROPIC_KEY, OPENAI_KEY, Endpoint
from memgpt_cli.errors import APIKeyError, ConfigError, NotFoundError, UsageError

_NAMED: Final = {"openai": OPENAI_KEY, "anthropic": ANTHROPIC_KEY}
"""Providers whose keys have a name instead of a host, and the variables that are shown and take precedence."""
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A key as it may be shown: `masked` keeps at most its last four characters; `where` is a variable or a file."""

    provider: str
    masked: str
    where: str


class ApiKeys:
    """The keys in this environment and this file. Nothing is read before the first call."""

    def __init__(self, file: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._file = file
        self._environ = environ

    def find(self, endpoint: Endpoint, source: SettingSource = SettingSource.DEFAULT) -> str | None:
        """Return the key for an endpoint that `source` named, or None.

        Raises APIKeyError if others can read the key file.
        """
        if endpoint.keyless:
            return None
        if endpoint.key_env:
            return self._variable(endpoint.key_env)
        own = endpoint.own_variable
        if key := (own and self._variable(own)) or self._stored().get(endpoint.key_name):
            return key
        named_by_person = source in (
            SettingSource.FLAG,
            SettingSource.ENVIRONMENT,
            SettingSource.PROJECT,
            SettingSource.USER,
        )
        return self._variable(endpoint.general_variable) if named_by_person or endpoint.is_loopback else None

    def has(self, endpoint: Endpoint, source: SettingSource = SettingSource.DEFAULT) -> bool:
        """Whether `find` would return a key."""
        return self.find(endpoint, source) is not None

    def require(self, endpoint: Endpoint, source: SettingSource = SettingSource.DEFAULT) -> str | None:
        """Return the key; raise APIKeyError if it is missing and the endpoint always requires one.

        Other servers may need no key; if they do, they report it themselves.
        """
        key = self.find(endpoint, source)
        if key is None and endpoint.key_env:
            raise APIKeyError(f"{endpoint.key_env} is not set", hint=f"export {endpoint.key_env}=...")
        if key is None and endpoint.needs_key:
            provider = {"openai": "OpenAI", "anthropic": "Anthropic"}[endpoint.key_name]
            raise APIKeyError(f"there is no API key for {provider}", hint=f"memgpt keys set {endpoint.key_name}")
        return key

    def entries(self) -> list[KeyEntry]:
        """Return every key, masked, those of the environment first."""
        found = []
        for provider, variable in _NAMED.items():
            if key := self._variable(variable):
                found.append(KeyEntry(provider=provider, masked=mask(key), where=variable))
        stored = sorted(self._stored().items())
        found += [KeyEntry(provider=name, masked=mask(key), where=str(self._file)) for name, key in stored]
        return found

    def set(self, provider: str, key: str) -> KeyEntry:
        """Store a key. Raises UsageError for an invalid key or provider."""
        provider, key = provider_name(provider), key.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError("invalid API key: expected one line of visible ASCII characters", hint="copy it again")
        self._write({**self._stored(), provider: key})
        return KeyEntry(provider=provider, masked=mask(key), where=str(self._file))

    def delete(self, provider: str) -> None:
        """Delete a stored key. Raises NotFoundError if there is none."""
        provider, stored = provider_name(provider), self._stored()
        if provider not in stored:
            close = nearest(provider, stored)
            variable = _NAMED.get(provider, "")
            only_variable = variable and self._variable(variable)
            hint = f"unset {variable}" if only_variable else f"did you mean {close}?" if close else "memgpt keys list"
            raise NotFoundError(f"no key is stored for {provider}", hint=hint)
        self._write({name: value for name, value in stored.items() if name != provider})

    def _variable(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def _stored(self) -> dict[str, str]:
        self._refuse_if_others_can_read()
        table = read_toml(self._file)
        if wrong := next((name for name, value in table.items() if not isinstance(value, str)), None):
            raise ConfigError(f"{self._file}: {wrong!r} is not a text", hint=f"memgpt keys set {wrong}")
        return table

    def _refuse_if_others_can_read(self) -> None:
        if os.name == "nt":  # on Windows, files in the user's profile are private by inheritance
            return
        try:
            mode = self._file.stat().st_mode
        except FileNotFoundError:
            return
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise APIKeyError(
                f"{self._file} can be read by others (mode {stat.S_IMODE(mode):04o}), so its keys are not used",
                hint=f"chmod 600 {self._file}",
            )

    def _write(self, stored: Mapping[str, str]) -> None:
        lines = [f"{json.dumps(name)} = {json.dumps(key)}\n" for name, key in sorted(stored.items())]
        write_private(self._file, "# API keys, one for each provider. Written by `memgpt keys`.\n" + "".join(lines))


def mask(key: str) -> str:
    """Return the displayable form of a key: its last four characters, and none of a short one."""
    return "…" + key[-_SHOWN:] if len(key) >= 4 * _SHOWN else "…"


def provider_name(text: str) -> str:
    """Return the name under which keys are stored: `openai`, `anthropic`, or the host (with its port, if given).

    Accepts one of these names, a host or an address. Raises UsageError for anything else.
    """
    text = text.strip().lower()
    if text in _NAMED:
        return text
    url = text if "://" in text else f"https://{text}"
    if is_url(url):
        endpoint = Endpoint.at(url)
        if "." in endpoint.host or ":" in endpoint.host or endpoint.is_loopback:
            return endpoint.key_name
    raise UsageError(
        f"{text!r} is not a provider",
        hint="use openai, anthropic, or an endpoint's host: memgpt keys set openrouter.ai",
    )
