"""Reading TOML and writing small files whole or not at all.

Not here: what the files mean.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

from memgpt_cli.errors import ConfigError


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file, none for an absent one. Raises ConfigError for what cannot be read or parsed."""
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
    """Replace `path` by `text`, readable by its owner only from the first byte on; a crash leaves the old file whole.

    A symbolic link stays one: the file it points to is replaced, as people keep settings under version control.
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
