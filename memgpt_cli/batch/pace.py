"""One pace for all workers: requests and tokens a minute, pauses that a server asks for, and what may be spent.

`Pace` decides when a call may begin; `PacedModel` stands before a model and asks it, and repeats calls that failed for
reasons that pass. Not here: threads, conversations.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from memgpt_cli.agent.budget import cost_of, worst_case
from memgpt_cli.domain.chat import ChatRequest, Delta, Usage
from memgpt_cli.domain.settings import ModelSettings
from memgpt_cli.errors import BudgetError, ModelError, RateLimitError
from memgpt_cli.ports import ChatModel

RATE_ATTEMPTS: Final = 12
"""Refusals for going too fast that one call takes before it is an error; with the pauses below, ten minutes or so."""
LONGEST_PAUSE_S: Final = 60.0
PATIENCE_S: Final = 10.0
"""What a call still waits for when the run is to end."""
PIECE_S: Final = 1.0
"""How often a waiting call looks whether the run is to end."""
LONGEST_ASKED_S: Final = 3_600.0
"""The longest pause that a server gets by asking for it; then it is asked again."""
_FIRST_PAUSE_S: Final = 1.0
_GAP_AFTER_REFUSAL_S: Final = 0.05
_LARGEST_GAP_S: Final = 10.0
_RECOVERY: Final = 0.8
_NO_GAP_S: Final = 0.005
_BYTES_PER_TOKEN: Final = 3


class RunEndsError(BudgetError):
    """The next call is not begun: the run ends here, and can be gone on with."""


class SpendingLimitError(RunEndsError):
    """The next call could pass `--max-usd`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """None where there is no limit: requests a minute, tokens a minute, US dollars for the whole run."""

    rpm: float | None = None
    tpm: float | None = None
    max_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The permission for one call: what was set aside for it, in tokens and US dollars, and when it was given."""

    tokens: int
    usd: float
    begun: float


class Pace:
    """Shared by all threads. `spent` is what earlier processes of the same run have spent.

    After a refusal everybody waits as long as the server asks, and then calls begin with a gap between them that
    doubles with every further refusal and shrinks with every call that goes well. `now` and `sleep` are for tests.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        spent: float = 0.0,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits = limits
        self._spent = spent
        self._set_aside = 0.0
        self._now = now
        self._sleep = sleep
        self._stopping = False
        self._next_request = 0.0
        self._next_tokens = 0.0
        self._paused_until = 0.0
        self._gap = 0.0
        self._refused_at = 0.0
        self._refusals = 0
        self._changed = threading.Condition()
        self._held = threading.local()

    @property
    def refusals(self) -> int:
        """How often a server asked to slow down."""
        return self._refusals

    @property
    def spent(self) -> float:
        """US dollars so far."""
        return self._spent

    def waited(self) -> float:
        """The seconds that the calling thread was held back so far, or lost with calls that failed."""
        return getattr(self._held, "seconds", 0.0)

    def paused(self) -> float:
        """For how many more seconds a server has everybody wait."""
        return max(0.0, self._paused_until - self._now())

    def stop(self) -> None:
        """The run is to end: who would have to wait for long gives up."""
        self._stopping = True

    def begin(self, *, tokens: int, usd: float | None) -> Ticket:
        """Wait until a call of about `tokens` tokens, and at most `usd` US dollars, may begin.

        Raises SpendingLimitError when it could pass the limit even after all running calls have come in cheaper, and
        RunEndsError when it would wait for long in a run that is to end.
        """
        self._set_money_aside(usd)
        try:
            self._hold_until(self._slot(tokens))
            while self._paused_until > self._now():  # it came meanwhile: a new place in the line, or all begin at once
                self._hold_until(self._slot(0))
        except RunEndsError:
            self.settle(Ticket(tokens=tokens, usd=usd or 0.0, begun=0.0), tokens=0, usd=None)
            raise
        return Ticket(tokens=tokens, usd=usd or 0.0, begun=self._now())

    def settle(self, ticket: Ticket, *, tokens: int | None, usd: float | None) -> None:
        """The call is over: what it really took; None where that is not known."""
        with self._changed:
            self._set_aside -= ticket.usd
            self._spent += usd or 0.0
            if tokens is not None and self._limits.tpm:
                self._next_tokens += (tokens - ticket.tokens) * 60.0 / self._limits.tpm
            self._changed.notify_all()

    def went_well(self) -> None:
        """A call was answered: the gap shrinks."""
        with self._changed:
            self._gap = self._gap * _RECOVERY if self._gap > _NO_GAP_S else 0.0

    def refused(self, retry_after_s: float | None, *, attempt: int, begun: float | None = None) -> None:
        """A server asks to slow down: everybody pauses.

        `attempt` counts from 1 how often this call was refused; `begun` is when its ticket was given. Calls that were
        under way together and are refused together say the same thing: they widen the gap once.
        """
        pause = min(LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (attempt - 1))
        if retry_after_s is not None and retry_after_s >= 0.0:
            pause = min(LONGEST_ASKED_S, retry_after_s)
        with self._changed:
            self._refusals += 1
            self._paused_until = max(self._paused_until, self._now() + pause)
            if begun is None or begun >= self._refused_at:
                self._gap = min(_LARGEST_GAP_S, max(_GAP_AFTER_REFUSAL_S, 2.0 * self._gap))
            self._refused_at = self._now()

    def lost(self, since: float) -> None:
        """A call of the calling thread, begun at `since`, came to nothing."""
        self._held.seconds = self.waited() + self._now() - since

    def back_off(self, attempt: int) -> None:
        """Hold the calling thread back alone, longer with every attempt."""
        seconds = min(8.0, 0.5 * 2.0 ** (attempt - 1))
        self._hold_until(self._now() + seconds * (0.75 + 0.25 * random.random()))  # noqa: S311 - spreads, hides nothing

    def _set_money_aside(self, usd: float | None) -> None:
        most = self._limits.max_usd
        if most is None:
            return
        if usd is None:
            raise SpendingLimitError(
                "--max-usd was given, but the price of the model is not known",
                hint='give it in the configuration under [models."NAME"], or leave --max-usd out',
            )
        with self._changed:
            while self._set_aside > 0.0 and self._spent + self._set_aside + usd > most:
                self._changed.wait()
            if self._spent + usd > most:
                raise SpendingLimitError(
                    f"{self._spent:.4f} USD were spent, and the next call may cost {usd:.4f}: over --max-usd {most:g}",
                    hint="start the same command with a larger --max-usd, and it goes on",
                )
            self._set_aside += usd

    def _slot(self, tokens: int) -> float:
        """The moment at which this call may begin; the next one may begin later."""
        with self._changed:
            slot = max(self._now(), self._next_request, self._next_tokens, self._paused_until)
            gap = max(self._gap, 60.0 / self._limits.rpm if self._limits.rpm else 0.0)
            self._next_request = slot + gap
            if self._limits.tpm:
                self._next_tokens = slot + tokens * 60.0 / self._limits.tpm
            return slot

    def _hold_until(self, moment: float) -> None:
        while (left := moment - self._now()) > 0.0:
            if self._stopping and left > PATIENCE_S:
                raise RunEndsError("the run is to end")
            piece = min(left, PIECE_S)
            self._sleep(piece)
            self._held.seconds = self.waited() + piece


class PacedModel(ChatModel):
    """A model before another: every call waits its turn, and those that may succeed later are repeated.

    Only as long as nothing of the reply has come: what broke off in the middle is the turn's to repeat.
    """

    def __init__(self, model: ChatModel, pace: Pace, prices: ModelSettings) -> None:
        self._model = model
        self._pace = pace
        self._prices = prices

    @override
    @property
    def name(self) -> str:
        return self._model.name

    @override
    @property
    def origin(self) -> str:
        return self._model.origin

    @override
    def body(self, request: ChatRequest) -> dict[str, Any]:
        return self._model.body(request)

    @override
    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        estimate = worst_case(_estimate(request), request.max_tokens or 0)
        refusals = failures = 0
        while True:
            ticket = self._pace.begin(tokens=estimate.prompt_tokens, usd=cost_of(estimate, self._prices))
            usage: Usage | None = None
            begun = False
            try:
                for delta in self._model.stream(request):
                    begun = True
                    usage = delta if isinstance(delta, Usage) else usage
                    yield delta
            except RateLimitError as error:
                refusals += 1
                self._pace.lost(ticket.begun)
                self._pace.refused(error.retry_after_s, attempt=refusals, begun=ticket.begun)
                if begun or refusals >= RATE_ATTEMPTS:
                    raise
            except ModelError as error:
                failures += 1
                self._pace.lost(ticket.begun)
                if begun or not error.transient or failures > self._prices.max_retries:
                    raise
                self._pace.back_off(failures)
            else:
                self._pace.went_well()
                return
            finally:
                self._settle(ticket, usage, estimate if begun else None)

    @override
    def close(self) -> None:
        """Nothing: other conversations use the same connections."""

    def _settle(self, ticket: Ticket, usage: Usage | None, worst: Usage | None) -> None:
        """What is not reported is taken to be as much as was set aside, once anything has come."""
        taken = usage or worst
        if taken is None:
            self._pace.settle(ticket, tokens=None, usd=None)
            return
        tokens = taken.prompt_tokens + taken.completion_tokens if usage else ticket.tokens
        self._pace.settle(ticket, tokens=tokens, usd=cost_of(taken, self._prices))


def _estimate(request: ChatRequest) -> int:
    """About how many tokens the prompt has, rather more than fewer."""
    said = sum(len((m.content or "").encode("utf-8", "replace")) for m in request.messages)
    said += sum(len(call.name) + len(call.arguments) for m in request.messages for call in m.calls)
    said += sum(len(tool.description) + 200 for tool in request.tools)
    return said // _BYTES_PER_TOKEN
