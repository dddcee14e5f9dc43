"""Texts for a turn that reaches a limit before the user has an answer: for the last call, and for the next prompt."""

from dataclasses import dataclass
from typing import Final

from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.errors import BudgetError

_QUOTED: Final = 200
"""Characters of a failed result that an error quotes."""

LAST_CALL: Final = (
    "{reason}, and the person has no answer yet. Write the answer now, as plain text. No function can be called in this"
    " step: answer with what you know, and say what you could not do."
)
"""The instruction before the last call of a turn, the one without functions."""

UNANSWERED: Final = "The person was left without an answer to the last message, because {reason}. Answer it too."
"""The notice in the next prompt if the last call returned no text either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why a turn stopped, and before which step. `hint` is for the user; `expected` means that it is not an error."""

    before_step: int
    reason: str
    hint: str = "ask again"
    expected: bool = False

    def error(self) -> BudgetError:
        """Return the error for a turn that ended without an answer."""
        return BudgetError(f"{self.reason}; the turn ended without an answer", hint=self.hint)


def failed_in_a_row(step: int, failures: int, results: list[FunctionResult]) -> Stopped:
    """The model made several invalid steps in a row; `results` are those of the last step."""
    last = results[-1].text.split("\n", 1)[0][:_QUOTED].rstrip(".") if results else "an empty reply"
    return Stopped(
        before_step=step,
        reason=f"the model failed {failures} times in a row (last failure: {last})",
        hint="ask again, or use a model that is better at calling functions (--model)",
    )


def too_many_steps(step: int, most: int) -> Stopped:
    """The turn reached the limit on its steps."""
    return Stopped(
        before_step=step,
        reason=f"the turn reached its bound of {most} steps",
        hint="ask again to go on, or raise it: memgpt config set loop.max_steps 40",
    )


def slept_without_answer(step: int) -> Stopped:
    """In the paper's protocol, the model requested no heartbeat and sent no message."""
    return Stopped(before_step=step, reason="the model ended its turn without a message", expected=True)
