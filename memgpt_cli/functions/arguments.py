"""Checking what the model passed to a function, and saying what is wrong in words that it can act on."""

import re
from collections.abc import Sequence
from typing import Any, Final

from memgpt_cli.domain.chat import arguments_object
from memgpt_cli.errors import FunctionArgumentError
from memgpt_cli.functions.spec import HEARTBEAT, Arguments, Parameter

_WHOLE_NUMBER: Final = re.compile(r"-?\d{1,18}")
_ACCEPTED: dict[str, type | tuple[type, ...]] = {"string": str, "boolean": bool, "array": list}


def parse(raw: str, parameters: Sequence[Parameter]) -> Arguments:
    """The arguments as checked values; absent optional ones are left out, unknown ones dropped.

    Slips that leave no doubt are mended: a number written as text, one item in place of a list. Raises
    FunctionArgumentError otherwise.
    """
    given = arguments_object(raw)
    if given is None:
        raise FunctionArgumentError(
            f"the arguments are not one JSON object: {raw[:200]!r}", hint=f"pass {_shape(parameters)}"
        )
    values: dict[str, Any] = {}
    for parameter in parameters:
        value = given.get(parameter.name)
        if value is None:
            if parameter.required:
                raise FunctionArgumentError(
                    f"the argument {parameter.name!r} is missing", hint=f"pass {_shape(parameters)}"
                )
            continue
        values[parameter.name] = _checked(parameter, value)
    return values


def unknown(raw: str, parameters: Sequence[Parameter]) -> list[str]:
    """The names of arguments that the function does not have."""
    known = {parameter.name for parameter in parameters} | {HEARTBEAT.name}
    return [name for name in arguments_object(raw) or {} if name not in known]


def _checked(parameter: Parameter, value: object) -> object:
    mended = _mended(parameter, value)
    if parameter.type == "integer":
        fits = isinstance(mended, int) and not isinstance(mended, bool)
    elif parameter.type == "array":
        fits = isinstance(mended, list) and all(isinstance(item, str) for item in mended)
    else:
        fits = isinstance(mended, _ACCEPTED[parameter.type])
    if not fits:
        raise FunctionArgumentError(
            f"the argument {parameter.name!r} must be of type {parameter.type}, not {value!r:.80}",
            hint=parameter.description,
        )
    if parameter.choices and mended not in parameter.choices:
        raise FunctionArgumentError(
            f"the argument {parameter.name!r} must be one of {', '.join(parameter.choices)}, not {value!r:.80}",
            hint=parameter.description,
        )
    return mended


def _mended(parameter: Parameter, value: object) -> object:
    if parameter.type == "integer":
        if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value.strip()):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
    if parameter.type == "boolean" and isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if parameter.type == "array" and isinstance(value, str):
        return [value]
    if parameter.type == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _shape(parameters: Sequence[Parameter]) -> str:
    parts = [f'"{p.name}": <{p.type}>' + ("" if p.required else " (optional)") for p in parameters]
    return "{" + ", ".join(parts) + "}"
