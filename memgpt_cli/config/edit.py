"""Write the user's settings file, keeping its comments and order. Only commands that change settings import this."""

import tomllib
from typing import TYPE_CHECKING, Any

from memgpt_cli.config.files import write_private
from memgpt_cli.config.option import Scalar
from memgpt_cli.config.paths import Paths
from memgpt_cli.config.profiles import stated
from memgpt_cli.config.resources import packaged
from memgpt_cli.config.settings import PROFILES, known_option, load
from memgpt_cli.domain.profiles import Profile
from memgpt_cli.errors import ConfigError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


class SettingsFile:
    """The user file, created by the first change."""

    def __init__(self, paths: Paths) -> None:
        self.path = paths.user_file
        self._paths = paths

    def set(self, key: str, text: str) -> Scalar:
        """Write one setting and return its value.

        Raises ConfigError for an unknown key, an invalid value, or a value that conflicts with others in the file; the
        file is then unchanged.
        """
        option = known_option(key)
        try:
            value = option.parse(text)
        except ValueError as error:
            raise ConfigError(f"{key}: expected {error}, got {text!r}", hint=f"memgpt config get {key}") from None
        document = self._read()
        section, _, name = key.partition(".")
        _table(document, section)[name] = value
        self._refuse_new_faults(document)
        write_private(self.path, document.as_string())
        return value

    def unset(self, key: str) -> bool:
        """Remove one setting; False if the file did not have it. Unknown keys can be removed too.

        This includes `models.NAME.FIELD`, with any dots in the name. A table that becomes empty is removed too.
        """
        document = self._read()
        section, _, name = key.rpartition(".")
        path = section.split(".", 1) if section else []
        tables: list[Any] = [document]
        for part in path:
            inner = tables[-1].get(part, {})
            tables.append(inner if isinstance(inner, dict) else {})
        if name not in tables[-1]:
            known_option(key)
            return False
        del tables[-1][name]
        for part in reversed(path):
            if not tables.pop():
                del tables[-1][part]
        write_private(self.path, document.as_string())
        return True

    def set_profile(self, profile: Profile) -> None:
        """Write a profile, replacing one with the same name. Raises ConfigError if the file cannot be written."""
        import tomlkit

        document = self._read()
        table = tomlkit.table()
        table.update(stated(profile))
        if PROFILES not in document:
            if len(document):
                document.add(tomlkit.nl())
            document.add(PROFILES, tomlkit.table(is_super_table=True))
        profiles: Any = document[PROFILES]
        profiles[profile.name] = table
        self._refuse_new_faults(document)
        write_private(self.path, document.as_string())

    def remove_profile(self, name: str) -> bool:
        """Remove a profile; False if the file does not have it."""
        document = self._read()
        profiles: Any = document.get(PROFILES, {})
        if name not in profiles:
            return False
        del profiles[name]
        if not profiles:
            del document[PROFILES]
        write_private(self.path, document.as_string())
        return True

    def create(self) -> None:
        """Create the file if it does not exist: every setting with its default and its comment, all commented out."""
        if not self.path.exists():
            write_private(self.path, template())

    def check(self) -> None:
        """Raise ConfigError if the file is invalid."""
        load(self._paths, environ={}, directory=self.path.parent)

    def _read(self) -> "TOMLDocument":
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            return tomlkit.parse(self.path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return tomlkit.document()
        except (TOMLKitError, OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.path} cannot be read: {error}", hint="memgpt config edit") from error

    def _refuse_new_faults(self, document: "TOMLDocument") -> None:
        """Refuse a change that makes a valid file invalid; an invalid file may be repaired step by step."""
        try:
            self._try(tomllib.loads(document.as_string()))
        except ConfigError:
            try:
                self._try(None)
            except ConfigError:
                return
            raise

    def _try(self, tables: dict[str, Any] | None) -> None:
        load(self._paths, environ={}, directory=self.path.parent, user=tables)


def template() -> str:
    """Return the packaged defaults as a user file: section headings stay, every setting is commented out."""
    text = packaged("configs", "default.toml").read_text(encoding="utf-8")
    _, _, body = text.partition("\n\n")
    lines = [line if not line or line[0] in "[#" else f"# {line}" for line in body.splitlines()]
    head = "# Your settings. Take the # away from a line to change it; `memgpt config list` shows what is in force."
    return "\n".join((head, "", *lines, ""))


def _table(document: "TOMLDocument", section: str) -> Any:
    import tomlkit

    if section not in document:
        if len(document):
            document.add(tomlkit.nl())
        document.add(section, tomlkit.table())
    return document[section]
