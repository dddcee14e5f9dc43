"""The function that sends a message to the user, in the `paper` protocol only."""

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.parameters import Arguments, Parameter
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.functions.spec import Continuation, FunctionContext, FunctionSpec


def _send(arguments: Arguments, context: FunctionContext) -> FunctionResult:  # noqa: ARG001 - the reply is the effect
    return FunctionResult(text="Sent.", reply=arguments["message"], effects=Effects(replied=True))


SEND_MESSAGE = FunctionSpec(
    name="send_message",
    description="Send a message to the person.",
    parameters=(Parameter(name="message", type="string"),),
    run=_send,
    after={Protocol.PAPER: Continuation.YIELD},
)
