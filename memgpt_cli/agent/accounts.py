"""Record the cost of each model call in a turn, and correct the window from the token counts the server reports."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from memgpt_cli.agent.budget import Budget, cost_of
from memgpt_cli.agent.replies import PartialReply
from memgpt_cli.agent.truncation import cut_silently
from memgpt_cli.domain.agents import StepRecord, Turn
from memgpt_cli.domain.chat import Usage
from memgpt_cli.domain.events import Happening, Notice
from memgpt_cli.domain.settings import Settings
from memgpt_cli.errors import ContextLengthError
from memgpt_cli.main_context.queue_manager import QueueManager
from memgpt_cli.ports import Calibration, Clock, Store

HIGHEST_RATIO: Final = 4.0
"""Upper bound of the correction: no known tokenizer differs more from ours."""


class CallAccounts:
    """Keeps the accounts of one agent's calls. `window_refused` is called with a window size that the server stated."""

    def __init__(
        self,
        *,
        store: Store,
        queue_manager: QueueManager,
        model: str,
        settings: Settings,
        clock: Clock,
        calibration: Calibration,
        budget: Budget,
        window_refused: Callable[[int], None],
    ) -> None:
        self._store = store
        self._queue = queue_manager
        self._model = model
        self._settings = settings
        self._clock = clock
        self._calibration = calibration
        self._budget = budget
        self._window_refused = window_refused
        last = store.turns.last_step()
        self._last_prompt = (last.epoch, last.counted_tokens) if last else (0, 0)
        self._last_step = last
        self._reported_truncation = False

    def check(self, turn: Turn) -> None:
        """Raise BudgetError when the next call could pass a bound."""
        window = self._queue.window
        self._budget.check(turn, lambda: self._queue.usage().total, window.settings.reserved)

    def book(self, record: StepRecord) -> None:
        """Add a call's cost to the day's spending."""
        self._budget.book(record)

    def cut_silently(self, record: StepRecord) -> Iterator[Happening]:
        """Report once that the server truncates prompts silently."""
        before, self._last_step = self._last_step, record
        if not self._reported_truncation and (said := cut_silently(before, record)) is not None:
            self._reported_truncation = True
            yield Notice(said)

    def learn(self, record: StepRecord) -> None:
        """Book a committed step and correct our token count with the server's."""
        self._budget.book(record)
        if record.usage_reported:
            name = self._model
            self._calibration.observe(name, counted=record.counted_tokens, reported=record.usage.prompt_tokens)
            self._queue.window.learn(self._calibration.ratio(name))

    def tighten(self, error: ContextLengthError) -> None:
        """Learn from a refused prompt: the window is smaller than assumed, or the tokenizer counts more than ours.

        A stated limit below the agent's minimum is ignored, because some servers state wrong limits.
        """
        window = self._queue.window
        counted = self._queue.counted()
        smallest = window.smallest(self._store.blocks.all())
        if error.limit is not None and smallest <= error.limit < window.settings.window:
            reserve = min(window.settings.reserve, error.limit // 8)
            window.settings = replace(
                window.settings, window=error.limit, reserve=reserve, source="the server: a refused prompt"
            )
            self._window_refused(error.limit)
            return
        reported = error.counted or int(window.corrected(counted) * 1.25)
        self._calibration.observe(self._model, counted=counted, reported=reported)
        window.ratio = min(HIGHEST_RATIO, max(window.ratio * 1.05, reported / max(1, counted)))

    def record(self, turn: Turn, number: int, reply: PartialReply, counted: int, seconds: float) -> StepRecord:
        """Return the record of a call. If the server reports no usage, our own count is used."""
        window = self._queue.window
        usage = reply.usage
        if not reply.usage_reported:
            said = reply.text + "".join(c.name + c.arguments for c in reply.calls(""))
            usage = Usage(prompt_tokens=window.corrected(counted), completion_tokens=window.count_text(said))
        epoch = self._queue.epoch.id
        repeated = self._last_prompt[1] if self._last_prompt[0] == epoch else 0
        self._last_prompt = (epoch, counted)
        return StepRecord(
            turn=turn.id,
            number=number,
            model=self._model,
            epoch=epoch,
            counted_tokens=counted,
            usage=usage,
            usage_reported=reply.usage_reported,
            repeated_tokens=min(repeated, counted),
            cost_usd=cost_of(usage, self._settings.model),
            duration_s=seconds,
            at=self._clock.now(),
        )
