"""Read TOML, and write small files atomically."""

import os
import tomllib
from pathlib import Path
from typing import Any

from memgpt_cli.errors import ConfigError


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file; none if it is missing. Raises ConfigError if it is unreadable or invalid."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", hint=f"correct it in an editor: {path}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: {error.reason}", hint=f"save it as UTF-8: {path}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", hint=f"check its permissions: {path}") from error


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text`, always readable by its owner only; after a crash the old file is intact.

    A symbolic link is kept: its target is replaced, because people keep settings under version control.
    """
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}", hint="set MEMGPT_HOME to a folder that you may write to"
        ) from error
