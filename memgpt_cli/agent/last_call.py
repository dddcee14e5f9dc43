"""What is said when a turn reached a bound before the person had an answer: to the model, and in the next prompt."""

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
"""The order that comes before the last call of a turn, the one without functions."""

UNANSWERED: Final = "The person was left without an answer to the last message, because {reason}. Answer it too."
"""What the next prompt says when the last call brought no text either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why a turn stopped, before which step; `hint` is for the person; `expected` if it is not a fault."""

    before_step: int
    reason: str
    hint: str = "ask again"
    expected: bool = False

    def error(self) -> BudgetError:
        """For a turn that ended without an answer."""
        return BudgetError(f"{self.reason}; the turn ended without an answer", hint=self.hint)


def failed_in_a_row(step: int, failures: int, results: list[FunctionResult]) -> Stopped:
    """A model that made one faulty step after the other; `results` are those of the last."""
    last = results[-1].text.split("\n", 1)[0][:_QUOTED].rstrip(".") if results else "an empty reply"
    return Stopped(
        before_step=step,
        reason=f"the model failed {failures} times in a row (last failure: {last})",
        hint="ask again, or use a model that is better at calling functions (--model)",
    )


def too_many_steps(step: int, most: int) -> Stopped:
    """A turn that reached the bound on its steps."""
    return Stopped(
        before_step=step,
        reason=f"the turn reached its bound of {most} steps",
        hint="ask again to go on, or raise it: memgpt config set loop.max_steps 40",
    )


def slept_without_answer(step: int) -> Stopped:
    """The paper's protocol: the model asked for no heartbeat and sent no message."""
    return Stopped(before_step=step, reason="the model ended its turn without a message", expected=True)
