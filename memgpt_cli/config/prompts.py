"""Load prompt texts: the user's own if they exist, else the packaged ones, with placeholders filled."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from typing_extensions import override

from memgpt_cli.config.resources import packaged
from memgpt_cli.errors import ConfigError
from memgpt_cli.ports import PromptSource

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


class PromptFiles(PromptSource):
    """`prompts/NAME.md` in the first of `folders` that has it, else in the package. Implements `ports.PromptSource`."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = tuple(folders)

    def find(self, name: str) -> Path:
        """Return the file that `render` would read. Raises ConfigError if there is no such prompt."""
        for folder in self._folders:
            if (path := folder / f"{name}.md").is_file():
                return path
        return packaged("prompts", f"{name}.md")

    @override
    def render(self, name: str, values: Mapping[str, str]) -> str:
        path = self.find(name)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} cannot be read: {error}", hint="save it as UTF-8, or remove it") from error
        present = set(_PLACEHOLDER.findall(text))
        missing = sorted(set(values) - present)
        unknown = sorted(present - set(values))
        if missing or unknown:
            problem = f"lacks {_names(missing)}" if missing else f"has {_names(unknown)}, which nothing fills"
            raise ConfigError(f"the prompt {path} {problem}", hint=f"it must have exactly: {_names(sorted(values))}")
        return _PLACEHOLDER.sub(lambda match: values[match[1]], text).strip()


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names) or "no placeholder"
