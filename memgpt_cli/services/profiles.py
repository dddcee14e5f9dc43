"""Add, show and remove profiles of models, and their JSON shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.names import did_you_mean
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services.learned import in_words, learned_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memgpt_cli.bootstrap import Workspace
    from memgpt_cli.domain.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileUsers:
    """The users of a profile: settings of the user file by key, and agents by name."""

    settings: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.settings or self.agents)


class Profiles:
    """The user's profiles."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def all(self) -> list[Profile]:
        """Every profile, by name."""
        return [profile for _, profile in sorted(self._known.items())]

    def get(self, name: str) -> Profile:
        """The profile of this name. Raises NotFoundError."""
        if name in self._known:
            return self._known[name]
        hint = "memgpt models list" if self._known else f"memgpt models add {name} --model MODEL"
        raise NotFoundError(f"there is no profile {name!r}{did_you_mean(name, self._known)}", hint=hint)

    def add(self, name: str, values: Mapping[str, object], *, replace: bool = False) -> Profile:
        """Store a profile in the user file; `values` are its fields, None if one is not set.

        Raises UsageError if the name is invalid, or exists and is not to be replaced; ConfigError for a value of the
        wrong type or out of range.
        """
        profile = self._workspace.new_profile(name, values)
        if name in self._known and not replace:
            raise UsageError(f"there is a profile {name!r} already", hint=f"memgpt models add {name} ... --replace")
        self._workspace.settings_file.set_profile(profile)
        return profile

    def remove(self, name: str, *, force: bool = False) -> ProfileUsers:
        """Remove a profile from the user file; returns the settings and agents that referred to it.

        Raises NotFoundError, and UsageError while a setting or an agent refers to it, unless `force`, and if another
        file than the user's holds it.
        """
        self.get(name)
        users = self.users(name)
        if users and not force:
            raise UsageError(f"the profile {name!r} is in use: {_listed(users)}", hint=_release(users, name))
        if not self._workspace.settings_file.remove_profile(name):
            file = self._workspace.configuration.profile_files[name]
            raise UsageError(f"the profile {name!r} is in {file}, which is not your settings file", hint=f"edit {file}")
        return users

    def users(self, name: str) -> ProfileUsers:
        """The settings and agents that refer to a profile."""
        workspace = self._workspace
        keys = ("model.name", "summary.model")
        user_file = str(workspace.settings_file.path)
        stated = [workspace.configuration[key] for key in keys]
        return ProfileUsers(
            settings=tuple(s.option.key for s in stated if s.value == name and s.where == user_file),
            agents=tuple(agent for agent in workspace.agents.names() if self._uses(agent, name)),
        )

    def _uses(self, agent: str, name: str) -> bool:
        config = self._workspace.agents.config(agent)
        return config is not None and config.profile == name

    @property
    def _known(self) -> Mapping[str, Profile]:
        return self._workspace.configuration.profiles


def _listed(users: ProfileUsers) -> str:
    """`model.name, agent tutor, agent work`."""
    return ", ".join((*users.settings, *(f"agent {name}" for name in users.agents)))


def _release(users: ProfileUsers, name: str) -> str:
    """Return the command that removes the profile from its first user."""
    if users.settings:
        return f"memgpt config unset {users.settings[0]}, or memgpt models remove {name} --force"
    return f"memgpt agent set {users.agents[0]} --default, or memgpt models remove {name} --force"


def profile_shape(workspace: Workspace, profile: Profile) -> dict[str, Any]:
    """A profile of this person as JSON, with what was learned of its model and server."""
    in_use = workspace.sessions.choice_in_use().profile
    file = str(workspace.configuration.profile_files[profile.name])
    choice = workspace.models.of_profile(profile)
    learned = in_words(learned_of(workspace, choice.endpoint, choice.name))
    return shape(profile, in_use=in_use is not None and in_use.name == profile.name, file=file, learned=learned)


def shape(profile: Profile, *, in_use: bool, file: str, learned: list[str]) -> dict[str, Any]:
    """Return a profile as JSON (docs/schemas/models-profile.schema.json).

    `file` is the settings file that holds it, `learned` what the program learned about its model and server.
    """
    return {
        "name": profile.name,
        "in_use": in_use,
        "model": profile.model,
        "base_url": profile.base_url,
        "provider": profile.provider,
        "window": profile.window,
        "protocol": profile.protocol and profile.protocol.value,
        "reasoning_effort": profile.reasoning_effort,
        "images": profile.images,
        "context": profile.context,
        "usd_per_million_tokens": {
            "input": profile.input,
            "cached": profile.cached,
            "output": profile.output,
        },
        "key": _key(profile),
        "file": file,
        "learned": learned,
    }


def _key(profile: Profile) -> str:
    """Return the source of the key: `none`, `$VARIABLE`, or `stored` (the host's own)."""
    if profile.no_key:
        return "none"
    return f"${profile.key_env}" if profile.key_env else "stored"
