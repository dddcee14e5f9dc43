"""Reading the arguments of a function call, which the model writes as JSON."""

from collections.abc import Sequence

from memgpt_cli.domain.chat import arguments_object
from memgpt_cli.domain.parameters import Arguments, Parameter, call_shape, check
from memgpt_cli.errors import FunctionArgumentError
from memgpt_cli.functions.spec import HEARTBEAT


def parse(raw: str, parameters: Sequence[Parameter]) -> Arguments:
    """The arguments as checked values (`domain.parameters.check`). Raises FunctionArgumentError."""
    given = arguments_object(raw)
    if given is None:
        raise FunctionArgumentError(
            f"the arguments are not one JSON object: {raw[:200]!r}", hint=f"pass {call_shape(parameters)}"
        )
    return check(given, parameters)


def unknown(raw: str, parameters: Sequence[Parameter]) -> list[str]:
    """The names of arguments that the function does not have."""
    known = {parameter.name for parameter in parameters} | {HEARTBEAT.name}
    return [name for name in arguments_object(raw) or {} if name not in known]
