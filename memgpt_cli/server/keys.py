"""The keys of the server: what each allows, and for which agents."""

from __future__ import annotations

import hmac
import os
import stat
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SCOPES: Final = ("read", "write", "forget")
_SHORTEST: Final = 16
_FIELDS: Final = {"key", "scopes", "agents"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKey:
    """A key. `scopes` are among `read`, `write` (with talking) and `forget`; `agents` None: all agents."""

    name: str
    key: str
    scopes: frozenset[str] = frozenset(SCOPES)
    agents: frozenset[str] | None = None

    def allows(self, scope: str, agent: str | None = None) -> bool:
        """Whether a request of this scope may use this agent."""
        return scope in self.scopes and (agent is None or self.agents is None or agent in self.agents)


OPEN: Final = ServerKey(name="local", key="")
"""What a request without a key may do where no key is needed."""


def matching(keys: Sequence[ServerKey], authorization: bytes) -> ServerKey | None:
    """The key that an `Authorization` header holds. All keys are compared, each in constant time."""
    found = None
    for key in keys:
        if hmac.compare_digest(authorization, f"Bearer {key.key}".encode()):
            found = key
    return found


def read_keys(path: Path) -> list[ServerKey]:
    """The keys of a TOML file: a table for each, with `key` and maybe `scopes` and `agents`.

    Raises ConfigError for a file that others can read, or that is faulty; the message contains no key.
    """
    try:
        text = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise ConfigError(f"{path} can be read by others", hint=f"chmod 600 {path}")
    try:
        tables = tomllib.loads(text.decode("utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is not valid TOML", hint='[phone]\\nkey = "..."\\nscopes = ["read"]') from error
    if not tables:
        raise ConfigError(f"{path} holds no key", hint='[phone]\\nkey = "..."\\nscopes = ["read"]')
    return [_key(path, name, values) for name, values in tables.items()]


def _key(path: Path, name: str, values: Any) -> ServerKey:
    def faulty(what: str) -> ConfigError:
        return ConfigError(
            f"{path}: [{name}] {what}", hint='key = "...", scopes = ["read", "write"], agents = ["default"]'
        )

    if not isinstance(values, dict) or not set(values) <= _FIELDS:
        raise faulty(f"may have {', '.join(sorted(_FIELDS))} and nothing else")
    key = values.get("key")
    if not isinstance(key, str) or len(key) < _SHORTEST:
        raise faulty(f"needs a key of at least {_SHORTEST} characters")
    scopes, agents = values.get("scopes", list(SCOPES)), values.get("agents")
    if not _is_list_of(scopes, SCOPES):
        raise faulty(f"scopes are among {', '.join(SCOPES)}")
    if agents is not None and not _is_list_of(agents, None):
        raise faulty("agents is a list of names")
    return ServerKey(name=name, key=key, scopes=frozenset(scopes), agents=None if agents is None else frozenset(agents))


def _is_list_of(values: Any, known: Sequence[str] | None) -> bool:
    return isinstance(values, list) and all(isinstance(v, str) and (known is None or v in known) for v in values)
