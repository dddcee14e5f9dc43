"""The parameters of a function or tool that a model calls, and the checking of what it passed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from memgpt_cli.domain.messages import clean
from memgpt_cli.errors import FunctionArgumentError

Arguments = Mapping[str, Any]

_WHOLE_NUMBER: Final = re.compile(r"-?\d{1,18}")
_ACCEPTED: Final[Mapping[str, type]] = {"string": str, "boolean": bool, "array": list}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One argument; `type` is a JSON Schema type. `items` types the items of an array.

    A description is given where the name does not say enough: every prompt pays for it. `minimum` and `maximum` bound
    an integer.
    """

    name: str
    type: str
    description: str = ""
    required: bool = True
    items: str | None = None
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None

    def to_schema(self) -> dict[str, Any]:
        """The JSON Schema of the argument."""
        schema: dict[str, Any] = {"type": self.type}
        if self.description:
            schema["description"] = self.description
        if self.items:
            schema["items"] = {"type": self.items}
        if self.choices:
            schema["enum"] = list(self.choices)
        for name in ("minimum", "maximum"):
            bound = getattr(self, name)
            if bound is not None:
                schema[name] = bound
        return schema


def object_schema(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The JSON Schema of an object with these parameters."""
    return {
        "type": "object",
        "properties": {p.name: p.to_schema() for p in parameters},
        "required": [p.name for p in parameters if p.required],
    }


def check(given: Mapping[str, Any], parameters: Sequence[Parameter]) -> Arguments:
    """The arguments as checked values; absent optional ones are left out, unknown ones dropped.

    Slips that leave no doubt are corrected: a number written as text, one item in place of a list. A lone surrogate
    becomes U+FFFD. Raises FunctionArgumentError otherwise.
    """
    values: dict[str, Any] = {}
    for parameter in parameters:
        value = given.get(parameter.name)
        if value is not None:
            values[parameter.name] = _checked(parameter, value)
        elif parameter.required:
            raise FunctionArgumentError(
                f"the argument {parameter.name!r} is missing", hint=f"pass {call_shape(parameters)}"
            )
    return values


def call_shape(parameters: Sequence[Parameter]) -> str:
    """What a call has to look like, for a hint."""
    parts = [f'"{p.name}": <{p.type}>' + ("" if p.required else " (optional)") for p in parameters]
    return "{" + ", ".join(parts) + "}"


def _checked(parameter: Parameter, value: object) -> object:
    corrected = _corrected(parameter, value)
    if parameter.type == "integer":
        fits = isinstance(corrected, int) and not isinstance(corrected, bool)
    elif parameter.type == "array":
        fits = isinstance(corrected, list) and all(isinstance(item, str) for item in corrected)
    else:
        fits = isinstance(corrected, _ACCEPTED[parameter.type])
    if not fits:
        raise _unfit(parameter, f"of type {parameter.type}", value)
    if parameter.choices and corrected not in parameter.choices:
        raise _unfit(parameter, f"one of {', '.join(parameter.choices)}", value)
    if isinstance(corrected, int) and parameter.minimum is not None and corrected < parameter.minimum:
        raise _unfit(parameter, f"at least {parameter.minimum}", value)
    if isinstance(corrected, int) and parameter.maximum is not None and corrected > parameter.maximum:
        raise _unfit(parameter, f"at most {parameter.maximum}", value)
    if isinstance(corrected, list):
        return [clean(item) for item in corrected]
    return clean(corrected) if isinstance(corrected, str) else corrected


def _unfit(parameter: Parameter, wanted: str, value: object) -> FunctionArgumentError:
    message = f"the argument {parameter.name!r} must be {wanted}, not {value!r:.80}"
    return FunctionArgumentError(message, hint=parameter.description)


def _corrected(parameter: Parameter, value: object) -> object:
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
