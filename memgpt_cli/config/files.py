"""Read TOML, and write small files atomically."""

import tomllib
from pathlib import Path
from typing import Any

from memgpt_cli.errors import ConfigError
from memgpt_cli.files.replacing import PENDING, Replacements


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
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replacements = Replacements(path.parent / PENDING)
        with replacements.new_file(path.resolve(), purpose=f"change of {path.name}") as file:
            file.write(text.encode("utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="set MEMGPT_HOME to a folder that you may write to",
        ) from error
