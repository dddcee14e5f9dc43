"""Settings: flag > `MEMGPT_*` variable > project file > user file > packaged defaults, each value with its source."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from memgpt_cli.config.files import read_toml
from memgpt_cli.config.option import Option, Scalar
from memgpt_cli.config.options import BY_KEY, BY_VARIABLE, OPTIONS, nearest, nearest_key
from memgpt_cli.config.paths import Paths, check_agent_name
from memgpt_cli.config.profiles import read_profiles
from memgpt_cli.config.resources import packaged
from memgpt_cli.config.trust import Project, find_project
from memgpt_cli.config.zones import find_zone
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.profiles import Profile
from memgpt_cli.domain.settings import (
    ArchivalSettings,
    EmbedderSettings,
    FactSettings,
    LoopSettings,
    MemorySettings,
    ModelSettings,
    SearchSettings,
    Settings,
    TrustSettings,
    WindowSettings,
)
from memgpt_cli.errors import ConfigError, UsageError


class SettingSource(StrEnum):
    """The source of a value, highest precedence first. `AGENT` is between variables and files (models.py)."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    AGENT = "agent"
    PROJECT = "project file"
    USER = "user file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingValue:
    """The current value of a setting; None if nothing sets it. `where` names the flag, the variable or the file."""

    option: Option
    value: Scalar | None
    source: SettingSource
    where: str


PROFILES: Final = "profiles"
"""The section of a settings file that holds profiles (profiles.py)."""

ModelTable = Mapping[str, Mapping[str, Scalar]]
"""`[models."NAME"]` tables by name: `context`, `input`, `cached`, `cache_write`, `output`, `reasoning_effort`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All settings with their sources; `notes` are lines for stderr.

    `settings` holds the values as set; models.py resolves the model. `models` are the packaged tables merged with the
    user's own; `stated_models` are the names in the user's own files. `profile_files` maps each of the `profiles` to
    its file.
    """

    paths: Paths
    settings: Settings
    values: Mapping[str, SettingValue]
    models: ModelTable
    stated_models: frozenset[str] = frozenset()
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    profile_files: Mapping[str, Path] = field(default_factory=dict)
    project: Project | None = None
    notes: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> SettingValue:
        """Return one setting; raises ConfigError for an unknown key."""
        known_option(key)
        return self.values[key]

    @property
    def prompt_folders(self) -> tuple[Path, ...]:
        """Return the folders of the user's own prompts, highest precedence first."""
        project = (self.project.folder / "prompts",) if self.project and self.project.trusted else ()
        return (*project, self.paths.prompts)


@dataclass(slots=True)
class _Layers:
    """Values collected while the layers are read, lowest precedence first."""

    values: dict[str, SettingValue] = field(default_factory=dict)
    models: dict[str, dict[str, Scalar]] = field(default_factory=dict)
    stated: set[str] = field(default_factory=set)
    profiles: dict[str, Profile] = field(default_factory=dict)
    profile_files: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def put(self, option: Option, value: Scalar, source: SettingSource, where: str) -> None:
        self.values[option.key] = SettingValue(option=option, value=value, source=source, where=where)

    def add_models(self, models: Mapping[str, Mapping[str, Scalar]], *, stated: bool) -> None:
        _merge(self.models, models)
        if stated:
            self.stated.update(models)

    def add_profiles(self, tables: Mapping[str, Any], path: Path) -> None:
        found = read_profiles(tables.get(PROFILES, {}), where=f"{path}: ")
        self.profiles.update(found)
        self.profile_files.update(dict.fromkeys(found, path))


def known_option(key: str) -> Option:
    """Return the option with this key; raises ConfigError with the nearest known key."""
    if option := BY_KEY.get(key):
        return option
    hint = "memgpt config edit" if key.startswith(("models.", f"{PROFILES}.")) else _did_you_mean(key)
    raise ConfigError(f"there is no setting {key!r}", hint=hint)


def load(
    paths: Paths,
    *,
    environ: Mapping[str, str] = os.environ,
    directory: Path | None = None,
    flags: Mapping[str, Scalar | None] | None = None,
    user: Mapping[str, Any] | None = None,
) -> Configuration:
    """Read every layer.

    `flags` maps keys to the typed text (None: not given); `directory` is where `.memgpt/` may be; `user` replaces the
    content of the user file, to check a change before it is written.

    Raises ConfigError for an unknown key, a value of the wrong type or out of range, and for values that conflict; each
    error names the file, the key and the expected value.
    """
    layers = _Layers()
    for option in OPTIONS:
        layers.values[option.key] = SettingValue(option=option, value=None, source=SettingSource.DEFAULT, where="")
    for name in ("models.toml", "default.toml"):
        path = packaged("configs", name)
        _read_tables(layers, read_toml(path), path, SettingSource.DEFAULT)
    _read_tables(layers, read_toml(paths.user_file) if user is None else user, paths.user_file, SettingSource.USER)
    project = find_project(directory or Path.cwd(), paths.trust_file)
    if project is not None and project.folder.resolve() in (paths.config, paths.config.parent):
        project = None  # in the home directory, this is the user's own folder
    if project is not None:
        _read_project(layers, project)
    _read_environment(layers, environ)
    for key, value in (flags or {}).items():
        if value is not None:
            _put_flag(layers, known_option(key), value)
    return Configuration(
        paths=paths,
        settings=_settings(layers.values, environ),
        values=layers.values,
        models=layers.models,
        stated_models=frozenset(layers.stated),
        profiles=layers.profiles,
        profile_files=layers.profile_files,
        project=project,
        notes=tuple(layers.notes),
    )


def _read_tables(layers: _Layers, tables: Mapping[str, Any], path: Path, source: SettingSource) -> None:
    models: dict[str, dict[str, Scalar]] = {}
    for key, value in flatten(tables, path, models):
        layers.put(BY_KEY[key], accept(BY_KEY[key], value, path), source, str(path))
    layers.add_models(models, stated=source is not SettingSource.DEFAULT)
    layers.add_profiles(tables, path)


def _read_project(layers: _Layers, project: Project) -> None:
    """Read a project folder. If it is not trusted, only harmless settings count; a note lists the ignored ones."""
    table = read_toml(project.file)
    models: dict[str, dict[str, Scalar]] = {}
    ignored = []
    for key, value in flatten(table, project.file, models):
        option = BY_KEY[key]
        accepted = accept(option, value, project.file)
        if not (option.harmless or project.trusted):
            ignored.append(key)
        else:
            layers.put(option, accepted, SettingSource.PROJECT, str(project.file))
    if project.trusted:
        layers.add_models(models, stated=True)
        layers.add_profiles(table, project.file)
        return
    ignored += [f'models."{name}"' for name in models]
    profiles = table.get(PROFILES)
    ignored += [f"{PROFILES}.{name}" for name in (profiles if isinstance(profiles, dict) else ())]
    ignored += [f"prompts/{path.name}" for path in sorted((project.folder / "prompts").glob("*.md"))]
    if ignored:
        layers.notes.append(
            f"{project.folder} is {project.trust}: ignored {', '.join(ignored)}. To use them: memgpt config trust"
        )


def project_contents(project: Project) -> list[str]:
    """Return everything that a project folder sets, one line per `key = value`, then the paths of its prompts."""
    lines = list(_flat_lines(read_toml(project.file)))
    return [*lines, *(f"prompts/{path.name}" for path in sorted((project.folder / "prompts").glob("*.md")))]


def _flat_lines(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat_lines(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name} = {value}"


def _read_environment(layers: _Layers, environ: Mapping[str, str]) -> None:
    """Read variables; an empty one is unset. OPENAI_BASE_URL is between MEMGPT_BASE_URL and the files in precedence."""
    if url := environ.get("OPENAI_BASE_URL"):
        _put_text(layers, BY_KEY["model.base_url"], url, "OPENAI_BASE_URL")
    for name, text in environ.items():
        if not name.startswith("MEMGPT_") or not text:
            continue
        if option := BY_VARIABLE.get(name):
            _put_text(layers, option, text, name)
        elif name not in _OTHER_VARIABLES:
            close = nearest(name, BY_VARIABLE)
            layers.notes.append(
                f"{name} is not a setting and was ignored" + (f"; did you mean {close}?" if close else "")
            )


_OTHER_VARIABLES: Final = {"MEMGPT_HOME", "MEMGPT_DEBUG", "MEMGPT_MCP_KEY", "MEMGPT_SERVE_KEY"}


def _put_text(layers: _Layers, option: Option, text: str, variable: str) -> None:
    try:
        value = option.parse(text)
    except ValueError as error:
        raise ConfigError(f"{variable}: expected {error}, got {text!r}", hint=f"unset {variable}") from None
    layers.put(option, value, SettingSource.ENVIRONMENT, variable)


def _put_flag(layers: _Layers, option: Option, value: Scalar) -> None:
    written = _FLAGS.get(option.key, f"{option.key} VALUE")
    name = written.split()[0]
    try:
        accepted = option.parse(value) if isinstance(value, str) else option.accept(value)
    except ValueError as error:
        raise UsageError(f"{name}: expected {error}, got {value!r}", hint=f"for example {written}") from None
    layers.put(option, accepted, SettingSource.FLAG, name)


_FLAGS: Final = {
    "agent.name": "--agent NAME",
    "model.name": "--model NAME",
    "model.base_url": "--base-url http://localhost:11434/v1",
    "window.tokens": "--window 32768",
}
"""The flags of options."""


def flatten(table: Mapping[str, Any], path: Path, models: dict[str, dict[str, Scalar]]) -> Iterator[tuple[str, object]]:
    """Yield the settings of a file as (key, value); its `[models]` tables are merged into `models`, profiles skipped.

    Raises ConfigError for an unknown key or section, with the nearest known one.
    """
    for section, content in table.items():
        if section == "models":
            _merge(models, _model_tables(content, path))
        elif section == PROFILES:
            continue
        elif not isinstance(content, dict):
            raise ConfigError(f"{path}: {section!r} stands outside of a section", hint=_did_you_mean(section))
        else:
            for name, value in content.items():
                key = f"{section}.{name}"
                if key not in BY_KEY:
                    raise ConfigError(f"{path}: there is no setting {key!r}", hint=_did_you_mean(key))
                yield key, value


def accept(option: Option, value: object, path: Path) -> Scalar:
    """Return the value in the option's type; raises ConfigError with file, key and expected value."""
    try:
        return option.accept(value)
    except ValueError as error:
        raise ConfigError(
            f"{path}: {option.key}: expected {error}, got {value!r}",
            hint=f"memgpt config set {option.key} VALUE, or memgpt config unset {option.key}",
        ) from None


def _did_you_mean(key: str) -> str:
    close = nearest_key(key)
    return f"did you mean {close}? All of them: memgpt config list" if close else "memgpt config list"


_PRICE: Final = ((int, float), "US dollars for a million tokens")
_MODEL_FIELDS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "context": ((int,), "a whole number of tokens"),
    "input": _PRICE,
    "cached": _PRICE,
    "cache_write": _PRICE,
    "output": _PRICE,
    "reasoning_effort": ((str,), "a text"),
}


def _model_tables(content: object, path: Path) -> dict[str, dict[str, Scalar]]:
    if not isinstance(content, dict) or not all(isinstance(table, dict) for table in content.values()):
        raise ConfigError(f"{path}: [models] holds one table for each model", hint='[models."my-model"]')
    for name, table in content.items():
        for key, value in table.items():
            where = f'{path}: models."{name}".{key}'
            if key not in _MODEL_FIELDS:
                raise ConfigError(f"{where}: unknown", hint=f"known are {', '.join(_MODEL_FIELDS)}")
            kinds, expected = _MODEL_FIELDS[key]
            number = isinstance(value, (int, float))
            if type(value) not in kinds or (number and not (key == "context") <= value < float("inf")):
                raise ConfigError(f"{where}: expected {expected}, got {value!r}", hint=f"correct it in {path}")
    return content


def _merge(into: dict[str, dict[str, Scalar]], models: Mapping[str, Mapping[str, Scalar]]) -> None:
    for name, table in models.items():
        into[name] = {**into.get(name, {}), **table}


def _settings(values: Mapping[str, SettingValue], environ: Mapping[str, str]) -> Settings:
    """Return the settings object; unset values keep the defaults of their fields."""
    sections: dict[str, dict[str, Any]] = {}
    for setting in values.values():
        if setting.value is not None:
            section, _, name = setting.option.target.rpartition(".")
            sections.setdefault(section, {})[name] = setting.value
    top = sections.get("", {})
    loop = sections["loop"]
    settings = Settings(
        agent=check_agent_name(top["agent"]),
        model=ModelSettings(**sections["model"]),
        window=WindowSettings(**sections["window"]),
        loop=LoopSettings(**{**loop, "protocol": Protocol(loop["protocol"])}),
        facts=FactSettings(**sections["facts"]),
        search=SearchSettings(**sections["search"]),
        archival=ArchivalSettings(**sections["archival"]),
        embedder=EmbedderSettings(**sections["embedder"]),
        memory=MemorySettings(**sections["memory"]),
        trust=TrustSettings(**sections["trust"]),
        zone=find_zone(top["zone"], environ),
        find_local=top["find_local"],
    )
    _check_window(settings.window, values)
    return settings


def _check_window(window: WindowSettings, values: Mapping[str, SettingValue]) -> None:
    """Check that the shares leave space for eviction, and that the reserve leaves space for a prompt."""

    def refuse(key: str, other: str, problem: str) -> ConfigError:
        setting, against = values[key], values[other]
        return ConfigError(
            f"{key} ({setting.value}, from {setting.where}) {problem} {other} ({against.value})",
            hint=f"memgpt config set {key} VALUE, or memgpt config unset {key}",
        )

    if window.target >= window.evict_at:
        raise refuse("window.target", "window.evict_at", "must be under")
    if window.pressure > window.evict_at:
        raise refuse("window.pressure", "window.evict_at", "must not be over")
    if values["window.tokens"].value is not None and window.reserve >= window.window:
        raise refuse("window.reserve", "window.tokens", "must be under")
