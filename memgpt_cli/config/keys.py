"""API keys: from OPENAI_API_KEY or from a file that only its owner can read. Never from flags or settings.

A stored key belongs to one provider: `openai`, or the host of an endpoint (`openrouter.ai`, `localhost:8000`), and is
sent to no other. OPENAI_API_KEY goes to OpenAI, to loopback, and to an endpoint that the person named by a flag, a
variable or a settings file; an agent's own endpoint, which may have come with an imported agent, gets only a key stored
for its host.
"""

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from memgpt_cli.config.files import read_toml, write_private
from memgpt_cli.config.models import OPENAI_URL, host_of
from memgpt_cli.config.options import is_url, nearest
from memgpt_cli.config.settings import Source
from memgpt_cli.errors import APIKeyError, ConfigError, NotFoundError, UsageError

OPENAI: Final = "openai"
VARIABLE: Final = "OPENAI_API_KEY"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]", "::1")
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """A key as it may be shown: `masked` keeps at most its last four characters; `where` is a variable or a file."""

    provider: str
    masked: str
    where: str


class ApiKeys:
    """The keys that this environment and this file hold. Nothing is read before the first question."""

    def __init__(self, file: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._file = file
        self._variable = environ.get(VARIABLE, "").strip()

    def find(self, base_url: str | None, source: Source = Source.DEFAULT) -> str | None:
        """The key for an endpoint (None: OpenAI) that `source` named, or None.

        Raises APIKeyError when the key file can be read by others.
        """
        host = host_of(base_url)
        if host == host_of(OPENAI_URL):
            return self._variable or self._stored().get(OPENAI)
        if key := self._stored().get(host):
            return key
        named_by_the_person = source in (Source.FLAG, Source.ENVIRONMENT, Source.PROJECT, Source.USER)
        return (self._variable or None) if named_by_the_person or is_loopback(base_url) else None

    def has(self, base_url: str | None, source: Source = Source.DEFAULT) -> bool:
        """Whether `find` would find one."""
        return self.find(base_url, source) is not None

    def require(self, base_url: str | None, source: Source = Source.DEFAULT) -> str | None:
        """`find`, but a missing OpenAI key is an APIKeyError; another server may need none, and says so itself."""
        key = self.find(base_url, source)
        if key is None and host_of(base_url) == host_of(OPENAI_URL):
            raise APIKeyError("there is no API key for OpenAI", hint="memgpt keys set openai")
        return key

    def entries(self) -> list[KeyEntry]:
        """Every key, masked, the environment's first."""
        found = []
        if self._variable:
            found.append(KeyEntry(provider=OPENAI, masked=mask(self._variable), where=VARIABLE))
        stored = sorted(self._stored().items())
        found += [KeyEntry(provider=name, masked=mask(key), where=str(self._file)) for name, key in stored]
        return found

    def set(self, provider: str, key: str) -> KeyEntry:
        """Store a key. Raises UsageError for what cannot be a key or a provider."""
        provider, key = provider_name(provider), key.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError("that is no API key: expected one line of visible ASCII characters", hint="copy it again")
        self._write({**self._stored(), provider: key})
        return KeyEntry(provider=provider, masked=mask(key), where=str(self._file))

    def delete(self, provider: str) -> None:
        """Forget a stored key. Raises NotFoundError when there is none."""
        provider, stored = provider_name(provider), self._stored()
        if provider not in stored:
            close = nearest(provider, stored)
            only_variable = provider == OPENAI and self._variable
            hint = f"unset {VARIABLE}" if only_variable else f"did you mean {close}?" if close else "memgpt keys list"
            raise NotFoundError(f"no key is stored for {provider}", hint=hint)
        self._write({name: value for name, value in stored.items() if name != provider})

    def _stored(self) -> dict[str, str]:
        self._refuse_if_others_can_read()
        table = read_toml(self._file)
        if wrong := next((name for name, value in table.items() if not isinstance(value, str)), None):
            raise ConfigError(f"{self._file}: {wrong!r} is not a text", hint=f"memgpt keys set {wrong}")
        return table

    def _refuse_if_others_can_read(self) -> None:
        if os.name == "nt":  # there a file in the profile is its owner's by inheritance
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
    """What may be shown of a key: its last four characters, and none of a short one."""
    return "…" + key[-_SHOWN:] if len(key) >= 4 * _SHOWN else "…"


def provider_name(text: str) -> str:
    """`openai`, or the host (with its port, if one is named) that keys are stored under; takes a host or an address."""
    text = text.strip().lower()
    url = text if "://" in text else f"https://{text}"
    if text == OPENAI or (is_url(url) and host_of(url) == host_of(OPENAI_URL)):
        return OPENAI
    if not is_url(url) or not ("." in host_of(url) or ":" in host_of(url) or host_of(url) == "localhost"):
        raise UsageError(
            f"{text!r} is no provider", hint="use openai, or an endpoint's host: memgpt keys set openrouter.ai"
        )
    return host_of(url)


def is_loopback(base_url: str | None) -> bool:
    """Whether an endpoint is on this machine."""
    host = host_of(base_url)
    return host in _LOOPBACK or host.rpartition(":")[0] in _LOOPBACK
