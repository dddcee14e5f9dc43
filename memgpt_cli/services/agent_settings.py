"""An agent's own settings: the model that answers it, its window and its protocol, for new agents and for changes."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.agents import AgentConfig, Protocol
from memgpt_cli.domain.times import to_text
from memgpt_cli.errors import AgentBusyError, ConfigError, UsageError
from memgpt_cli.services.endpoints import check_served

if TYPE_CHECKING:
    from collections.abc import Collection

    from memgpt_cli.bootstrap import ModelChoice, Workspace
    from memgpt_cli.ports import Store

_LOG: Final = "settings_changes"
_KEPT: Final = 20
"""Changes of an agent's settings that its record keeps."""


class AgentOption(StrEnum):
    """A setting that an agent can have of its own, or leave to the configuration."""

    MODEL = "model"
    BASE_URL = "base-url"
    WINDOW = "window"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """The settings to change; None leaves one as it is. `model` is a model or a profile, `window` is in tokens."""

    model: str | None = None
    base_url: str | None = None
    window: int | None = None
    protocol: Protocol | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One changed setting, as text; None where the agent has none of its own."""

    setting: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged:
    """The result of `change_settings`, and the model that answers now; with `moved` its messages go to another host.

    `undo` are the options of `memgpt agent set` that restore the old settings. `unchecked` says why the model could
    not be checked. With `in_use` another process holds the agent, and keeps the old settings until it ends.
    """

    changes: tuple[SettingChange, ...]
    choice: ModelChoice | None = None
    moved: bool = False
    new_epoch: bool = False
    undo: tuple[str, ...] = ()
    unchecked: str | None = None
    in_use: bool = False


def new_config(workspace: Workspace, name: str, given: AgentSettings) -> AgentConfig:
    """The settings of a new agent; its protocol is the given one, its profile's, or the configured one."""
    profile = workspace.configuration.profiles.get(given.model or "")
    protocol = (profile.protocol if profile else None) or workspace.settings.loop.protocol
    config = AgentConfig(name=name, created_at=workspace.clock.now(), protocol=protocol)
    return _merged(workspace, config, given)


def change_settings(
    workspace: Workspace, name: str, given: AgentSettings, *, unset: Collection[AgentOption] = (), check: bool = True
) -> SettingsChanged:
    """Change an agent's own settings, all of them or none; with `check` its endpoint is asked for the model.

    Raises NotFoundError, LimitError if its memory does not fit the window, UsageError for settings that contradict each
    other and for a model that its endpoint does not serve.
    """
    settled = workspace.without_flags()
    with settled.memory(name) as memory:
        store = memory.store
        before = store.config()
        after = _merged(workspace, before, given, unset)
        changes = _changes(before, after)
        if not changes:
            return SettingsChanged(changes=())
        old, new = _choice(settled, before), settled.models.choose(after)
        elsewhere = old is None or old.destination != new.destination
        unchecked = check_served(settled, new) if check and elsewhere else None
        with store.transaction():
            store.set_config(after)
            memory.check_window()
            _log(store, to_text(settled.clock.now()), changes)
    return SettingsChanged(
        changes=changes,
        choice=new,
        moved=old is None or old.destination.place != new.destination.place,
        new_epoch=old is None or old.name != new.name or before.protocol is not after.protocol,
        undo=_undo(changes),
        unchecked=unchecked,
        in_use=_in_use(settled, name),
    )


def clone_agent(workspace: Workspace, name: str, new: str, given: AgentSettings, *, with_messages: bool) -> None:
    """Create a second agent with the same memory and, if given, other settings of its own.

    Raises the errors of `change_settings`; then there is no second agent.
    """
    workspace.check_name(new)
    settled, now = workspace.without_flags(), workspace.clock.now()
    with settled.memory(name) as memory:
        before = memory.store.config()
        own = _merged(workspace, before, given)
        changes = _changes(before, own)
        if changes:
            settled.models.choose(own)
            with memory.store.rehearsal():
                memory.store.set_config(own)
                memory.check_window()

    def settle(store: Store) -> None:
        store.set_config(_merged(settled, store.config(), given))
        if changes:
            _log(store, to_text(now), changes)

    workspace.agents.clone(name, new, at=now, with_messages=with_messages, settle=settle)


def _choice(workspace: Workspace, config: AgentConfig) -> ModelChoice | None:
    """Return the model of an agent with these settings; None if its profile no longer exists."""
    try:
        return workspace.models.choose(config)
    except ConfigError:
        return None


def _in_use(workspace: Workspace, name: str) -> bool:
    try:
        workspace.agents.lock(name, purpose="memgpt agent set", since=workspace.clock.now()).acquire().release()
    except AgentBusyError:
        return True
    return False


def settings_changes(store: Store) -> list[dict[str, Any]]:
    """The newest changes of an agent's own settings, oldest first: `at`, `setting`, `before`, `after`."""
    return list(json.loads(store.note(_LOG) or "[]"))


def _log(store: Store, at: str, changes: tuple[SettingChange, ...]) -> None:
    rows = [{"at": at, "setting": c.setting, "before": c.before, "after": c.after} for c in changes]
    store.set_note(_LOG, json.dumps([*settings_changes(store), *rows][-_KEPT:], ensure_ascii=False))


def _merged(
    workspace: Workspace, config: AgentConfig, given: AgentSettings, unset: Collection[AgentOption] = ()
) -> AgentConfig:
    """Return the settings with the given changes. A profile has its own base URL, so it replaces both.

    Raises UsageError for command-line flags out of range.
    """
    profiles = workspace.configuration.profiles
    if AgentOption.MODEL in unset:
        config = replace(config, model=None, profile=None)
    if AgentOption.BASE_URL in unset:
        config = replace(config, base_url=None)
    if AgentOption.WINDOW in unset:
        config = replace(config, window=None)
    if given.model is not None and given.model in profiles:
        config = replace(config, model=None, profile=given.model, base_url=None)
    elif given.model is not None:
        config = replace(config, model=given.model, profile=None)
    if given.base_url is not None and config.profile is not None:
        raise UsageError(
            f"the profile {config.profile!r} has its own base URL",
            hint=f"--model MODEL --base-url {given.base_url} without the profile, or memgpt models add {config.profile}"
            f" --model MODEL --base-url {given.base_url} --replace",
        )
    return replace(
        config,
        base_url=given.base_url or config.base_url,
        window=given.window or config.window,
        protocol=given.protocol or config.protocol,
    )


def _changes(before: AgentConfig, after: AgentConfig) -> tuple[SettingChange, ...]:
    def values(config: AgentConfig) -> dict[str, str | None]:
        return {
            AgentOption.MODEL.value: config.profile or config.model,
            AgentOption.BASE_URL.value: config.base_url,
            AgentOption.WINDOW.value: None if config.window is None else str(config.window),
            "protocol": config.protocol.value,
        }

    old, new = values(before), values(after)
    return tuple(SettingChange(setting=s, before=old[s], after=new[s]) for s in old if old[s] != new[s])


def _undo(changes: tuple[SettingChange, ...]) -> tuple[str, ...]:
    """Return the options that restore the old settings."""
    words: list[str] = []
    for change in changes:
        words += ["--unset", change.setting] if change.before is None else [f"--{change.setting}", change.before]
    return tuple(words)
