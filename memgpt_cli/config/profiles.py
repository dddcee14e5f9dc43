"""Profiles in settings files: `[profiles.NAME]` tables, their fields, and valid profile names."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from memgpt_cli.config.option import Option, Scalar
from memgpt_cli.config.options import BY_KEY, nearest
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.profiles import Profile
from memgpt_cli.errors import ConfigError, UsageError

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_PRICE: Final = "US dollars for a million tokens, 0 or more"
_EDIT: Final = "memgpt config edit"
_BUILTIN: Final = ("offline", "scripted")


def _from(key: str) -> Option:
    return BY_KEY[key]


def _price(what: str) -> Option:
    return Option(
        key=what, target=what, kind=float, low=0, high=1e6, expects=_PRICE, help=f"Price of {what} tokens, in {_PRICE}."
    )


FIELDS: Final[Mapping[str, Option]] = {
    "model": _from("model.name"),
    "base_url": _from("model.base_url"),
    "window": _from("window.tokens"),
    "protocol": _from("loop.protocol"),
    "reasoning_effort": _from("model.reasoning_effort"),
    "images": _from("model.images"),
    "provider": _from("model.provider"),
    "extra_body": _from("model.extra_body"),
    "context": Option(
        key="context",
        target="context",
        kind=int,
        low=512,
        high=100_000_000,
        help="The model's own context length, in tokens.",
    ),
    "input": _price("input"),
    "cached": _price("cached"),
    "output": _price("output"),
    "key_env": Option(
        key="key_env",
        target="key_env",
        kind=str,
        check=lambda text: _VARIABLE.fullmatch(text) is not None,
        expects="the name of an environment variable, such as GROQ_API_KEY",
        help="The environment variable that holds the key.",
    ),
    "no_key": Option(key="no_key", target="no_key", kind=bool, help="Send no key."),
}
"""Every field of a profile except its name, with type and range; shared fields use the settings' definitions."""


def check_profile_name(name: str) -> str:
    """Return the name if it is valid for a profile. Raises UsageError."""
    if name in _BUILTIN or not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a valid profile name",
            hint="use letters, digits, - _ and . (at most 64, beginning with a letter or a digit), except "
            + " and ".join(_BUILTIN),
        )
    return name


def check_profile(profile: Profile, *, taken: Mapping[str, Profile], is_model: bool) -> None:
    """Raise UsageError for the name of a known model, and for a profile that points to another profile.

    `taken` are the existing profiles; `is_model` says whether a name is a known model.
    """
    others = (known.model for known in taken.values() if known.name != profile.name)
    if is_model or profile.name == profile.model or profile.name in others:
        raise UsageError(
            f"{profile.name!r} is the name of a model, so it cannot be the name of a profile",
            hint=f"choose another name, such as my-{profile.name}",
        )
    if profile.model in taken:
        raise UsageError(
            f"{profile.model!r} is a profile, not a model",
            hint=f"name the model itself: --model {taken[profile.model].model}",
        )
    if profile.key_env and profile.no_key:
        raise UsageError("--key-env and --no-key contradict each other", hint="leave out one of them")


def build_profile(name: str, values: Mapping[str, object], *, where: str = "", hint: str = _EDIT) -> Profile:
    """Build a profile from the values of its table.

    Raises ConfigError for an unknown field, a value of the wrong type or out of range, and a missing model. `where`
    precedes the message (the file), `hint` follows it.
    """
    try:
        check_profile_name(name)
    except UsageError as error:
        raise ConfigError(f"{where}profiles.{name}: {error.message}", hint=error.hint) from None
    checked: dict[str, Any] = {}
    for field, value in values.items():
        option = FIELDS.get(field)
        if option is None:
            close = nearest(field, FIELDS)
            known = f"did you mean {close}?" if close else f"a profile has {', '.join(FIELDS)}"
            raise ConfigError(f"{where}profiles.{name}: there is no field {field!r}", hint=known)
        try:
            checked[field] = option.accept(value)
        except ValueError as error:
            message = f"{where}profiles.{name}.{field}: expected {error}, got {value!r}"
            raise ConfigError(message, hint=hint) from None
    if "model" not in checked:
        raise ConfigError(f"{where}profiles.{name} names no model", hint=f"memgpt models add {name} --model MODEL")
    if "protocol" in checked:
        checked["protocol"] = Protocol(checked["protocol"])
    return Profile(name=name, **checked)


def read_profiles(content: object, *, where: str = "") -> dict[str, Profile]:
    """Return the profiles of a `[profiles]` table. Raises ConfigError."""
    if not isinstance(content, dict) or not all(isinstance(table, dict) for table in content.values()):
        raise ConfigError(f"{where}[profiles] holds one table for each profile", hint="[profiles.local]")
    return {name: build_profile(name, table, where=where) for name, table in content.items()}


def stated(profile: Profile) -> dict[str, Scalar]:
    """Return the fields that a profile sets, as they are written to a file."""
    values = {field.name: getattr(profile, field.name) for field in fields(profile) if field.name != "name"}
    return {name: value for name, value in values.items() if value is not None}
