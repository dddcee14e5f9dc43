"""What the messages of a step go back to."""

from collections.abc import Sequence

from memgpt_cli.domain.chat import arguments_object
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.reviews import review_ref
from memgpt_cli.domain.trust import UNTRUSTED, Origin


def everything_written(text: str, calls: Sequence[FunctionCall]) -> str:
    """All that the model wrote in a step: its text and the values that it passed."""
    values = (str(value) for call in calls for value in (arguments_object(call.arguments) or {}).values())
    return "\n".join([text, *values])


def origin_of_result(result: FunctionResult) -> Origin | None:
    """What a result shows, where some of it is not to be trusted, and the write that it says waits for the person."""
    held = tuple(review_ref(number) for number in result.effects.held)
    if result.least not in UNTRUSTED and not held:
        return None
    return Origin(least=result.least, derived_from=(*result.effects.shown, *held))
