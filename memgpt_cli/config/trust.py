"""Trusted project folders (`./.memgpt/`), with the state of their files when they were trusted.

A project folder comes with another person's repository. Except for harmless settings, its values count only after
`memgpt config trust`, and only while its files are unchanged.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from memgpt_cli.config.files import write_private
from memgpt_cli.errors import ConfigError, NotFoundError

FOLDER: Final = ".memgpt"


class Trust(StrEnum):
    """The user's decision about a project folder."""

    UNKNOWN = "not trusted"
    CHANGED = "changed since it was trusted"
    TRUSTED = "trusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The `.memgpt` folder of the working directory."""

    folder: Path
    trust: Trust

    @property
    def file(self) -> Path:
        """Return its settings file, which may not exist."""
        return self.folder / "config.toml"

    @property
    def trusted(self) -> bool:
        """Whether all of its settings and its prompts count."""
        return self.trust is Trust.TRUSTED


def find_project(directory: Path, trust_file: Path) -> Project | None:
    """Return the project folder of `directory` if it contains settings or prompts."""
    folder = directory / FOLDER
    if next(_files(folder), None) is None:
        return None
    known = _read(trust_file).get(str(folder.resolve()))
    if known is None:
        return Project(folder=folder, trust=Trust.UNKNOWN)
    same = known == fingerprint(folder)
    return Project(folder=folder, trust=Trust.TRUSTED if same else Trust.CHANGED)


def existing_project(directory: Path, trust_file: Path) -> Project:
    """Return the project folder of `directory`. Raises NotFoundError if it does not exist."""
    project = find_project(directory, trust_file)
    if project is None:
        raise NotFoundError(
            f"{directory} has neither {FOLDER}/config.toml nor {FOLDER}/prompts",
            hint="run memgpt config trust in the project's own folder",
        )
    return project


def trust_project(directory: Path, trust_file: Path, *, seen: str | None = None) -> Project:
    """Trust the project folder of `directory` in its current state.

    `seen` is the fingerprint that the user agreed to. Raises NotFoundError if the folder does not exist, and
    ConfigError if it has changed since it was seen.
    """
    project = existing_project(directory, trust_file)
    current = fingerprint(project.folder)
    if seen is not None and seen != current:
        raise ConfigError(f"{project.folder} has changed meanwhile", hint="memgpt config trust")
    known = _read(trust_file)
    known[str(project.folder.resolve())] = current
    _write(trust_file, known)
    return Project(folder=project.folder, trust=Trust.TRUSTED)


def distrust_project(directory: Path, trust_file: Path) -> bool:
    """Remove trust; False if it was not trusted."""
    known = _read(trust_file)
    if known.pop(str((directory / FOLDER).resolve()), None) is None:
        return False
    _write(trust_file, known)
    return True


def fingerprint(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of the files that trust covers."""
    import hashlib

    digest = hashlib.sha256()
    for path in _files(folder):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """Yield the settings and the prompts, in a fixed order."""
    config = folder / "config.toml"
    if config.is_file():
        yield config
    yield from sorted(path for path in (folder / "prompts").glob("*.md") if path.is_file())


def _read(trust_file: Path) -> dict[str, str]:
    try:
        known = json.loads(trust_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{trust_file} cannot be read: {error}", hint="delete it and trust again") from error
    return known if isinstance(known, dict) else {}


def _write(trust_file: Path, known: dict[str, str]) -> None:
    write_private(trust_file, json.dumps(known, indent=2, sort_keys=True) + "\n")
