"""The program's directories: platform directories, or below MEMGPT_HOME. They are created on first write."""

import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from memgpt_cli.errors import ConfigError, UsageError

_MAX_NAME: Final = 64
_MAX_NAME_BYTES: Final = 200  # file systems allow 255 bytes, and a temporary copy needs a suffix
_WINDOWS_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def check_agent_name(name: str) -> str:
    """Return the name if a folder can have it on every platform, else raise UsageError.

    Letters and digits of any script, `-`, `_` and `.`, at most 64; it neither begins nor ends with a dot.
    """
    problem = ""
    if not name:
        problem = "it is empty"
    elif len(name) > _MAX_NAME or len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
        problem = f"it is longer than {_MAX_NAME} characters"
    elif name[0] == "." or name[-1] == ".":
        problem = "it begins or ends with a dot"
    elif wrong := next((c for c in name if not (c.isalnum() or c in "-_.")), None):
        problem = f"{wrong!r} cannot be part of it"
    elif name[0] == "-":
        problem = "it begins with a dash, which reads like an option"
    elif _WINDOWS_DEVICES.fullmatch(name):
        problem = "Windows keeps it for a device"
    elif unicodedata.normalize("NFC", name) != name:
        problem = "its letters are in decomposed form, which file systems disagree about"
    if problem:
        raise UsageError(
            f"{name!r} cannot be an agent's name: {problem}",
            hint="use letters, digits, - _ and . (at most 64), for example: memgpt agent create research-2",
        )
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """The program's directories."""

    data: Path
    config: Path
    cache: Path

    @property
    def state_db(self) -> Path:
        """Data of all agents together: calibration and spending."""
        return self.data / "state.db"

    @property
    def agents(self) -> Path:
        """One folder for each agent."""
        return self.data / "agents"

    def agent(self, name: str) -> Path:
        """Return the folder of one agent. Raises UsageError for an invalid name."""
        return self.agents / check_agent_name(name)

    @property
    def user_file(self) -> Path:
        """The user's settings."""
        return self.config / "config.toml"

    @property
    def keys_file(self) -> Path:
        """The user's API keys, mode 0600."""
        return self.config / "keys.toml"

    @property
    def trust_file(self) -> Path:
        """The trusted project folders, with their state when trusted."""
        return self.config / "trusted.json"

    @property
    def prompts(self) -> Path:
        """The user's own prompts."""
        return self.config / "prompts"

    @property
    def history(self) -> Path:
        """The history of the chat's input line."""
        return self.data / "history"


def find_paths(environ: Mapping[str, str] = os.environ) -> Paths:
    """Return the directories for this environment: below MEMGPT_HOME if it is set, else the platform's.

    Raises ConfigError if MEMGPT_HOME is not a folder.
    """
    if home := environ.get("MEMGPT_HOME"):
        root = Path(home).expanduser().absolute()
        if root.exists() and not root.is_dir():
            raise ConfigError(f"MEMGPT_HOME is {root}, which is not a folder", hint="name a folder, existing or not")
        return Paths(data=root / "data", config=root / "config", cache=root / "cache")
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("memgpt", appauthor=False)
    return Paths(data=dirs.user_data_path, config=dirs.user_config_path, cache=dirs.user_cache_path)
