"""Rate limits for all workers together: requests and tokens per minute, pauses requested by servers, and spending.

`Pace` decides when a call may begin. `PacedModel` wraps a model and retries calls that failed for transient reasons.
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
from memgpt_cli.domain.pauses import pause_s
from memgpt_cli.domain.settings import ModelSettings
from memgpt_cli.errors import BudgetError, ModelError, RateLimitError
from memgpt_cli.ports import ChatModel

RATE_ATTEMPTS: Final = 12
"""Rate-limit refusals of one call before it is an error; with the pauses below, about ten minutes."""
LONGEST_PAUSE_S: Final = 60.0
PATIENCE_S: Final = 10.0
"""Seconds that a call may still wait when the run is stopping."""
PIECE_S: Final = 1.0
"""Seconds between two checks of a waiting call for a stop."""
LONGEST_ASKED_S: Final = 3_600.0
"""Maximum seconds of a pause that a server requests; after that it is called again."""
_FIRST_PAUSE_S: Final = 1.0
_GAP_AFTER_REFUSAL_S: Final = 0.05
_LARGEST_GAP_S: Final = 10.0
_RECOVERY: Final = 0.8
_NO_GAP_S: Final = 0.005
_BYTES_PER_TOKEN: Final = 3


class RunEndsError(BudgetError):
    """The next call is not started: the run stops here and can be continued."""


class SpendingLimitError(RunEndsError):
    """The next call could exceed `--max-usd`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits; None is unlimited: requests per minute, tokens per minute, US dollars for the whole run."""

    rpm: float | None = None
    tpm: float | None = None
    max_usd: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The permission for one call: its reserved tokens and US dollars, and when it was given."""

    tokens: int
    usd: float
    begun: float


class Pace:
    """Shared by all threads. `spent` is the spending of earlier processes of the same run.

    After a refusal all calls wait as long as the server requests. Then they begin with a gap that doubles with every
    further refusal and shrinks with every success. `now` and `sleep` are for tests.
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
        """Return how often a server refused a call because of its rate limit."""
        return self._refusals

    @property
    def spent(self) -> float:
        """US dollars so far."""
        return self._spent

    def waited(self) -> float:
        """Return the seconds that the calling thread has waited so far, or lost in failed calls."""
        return getattr(self._held, "seconds", 0.0)

    def paused(self) -> float:
        """Return for how many more seconds all calls are paused."""
        return max(0.0, self._paused_until - self._now())

    def stop(self) -> None:
        """The run is stopping: calls with a long wait give up."""
        self._stopping = True

    def begin(self, *, tokens: int, usd: float | None) -> Ticket:
        """Wait until a call of about `tokens` tokens, and at most `usd` US dollars, may begin.

        Raises SpendingLimitError if it could exceed the limit even if all running calls are cheaper than reserved, and
        RunEndsError if it would wait long in a run that is stopping.
        """
        self._set_money_aside(usd)
        try:
            self._hold_until(self._slot(tokens))
            # a new pause began meanwhile: get a new time, so that calls do not all begin together
            while self._paused_until > self._now():
                self._hold_until(self._slot(0))
        except RunEndsError:
            self.settle(Ticket(tokens=tokens, usd=usd or 0.0, begun=0.0), tokens=0, usd=None)
            raise
        return Ticket(tokens=tokens, usd=usd or 0.0, begun=self._now())

    def settle(self, ticket: Ticket, *, tokens: int | None, usd: float | None) -> None:
        """The call is over, with its actual cost; None if it is unknown."""
        with self._changed:
            self._set_aside -= ticket.usd
            self._spent += usd or 0.0
            if tokens is not None and self._limits.tpm:
                self._next_tokens += (tokens - ticket.tokens) * 60.0 / self._limits.tpm
            self._changed.notify_all()

    def went_well(self) -> None:
        """A call succeeded: the gap shrinks."""
        with self._changed:
            self._gap = self._gap * _RECOVERY if self._gap > _NO_GAP_S else 0.0

    def refused(self, retry_after_s: float | None, *, attempt: int, begun: float | None = None) -> None:
        """A server refused a call because of its rate limit: all calls pause.

        `attempt` is the 1-based number of refusals of this call; `begun` is when its ticket was given. Calls that ran
        at the same time and are refused together widen the gap once.
        """
        pause = pause_s(
            attempt - 1,
            first_s=_FIRST_PAUSE_S,
            longest_s=LONGEST_PAUSE_S,
            asked_s=retry_after_s,
            longest_asked_s=LONGEST_ASKED_S,
        )
        with self._changed:
            self._refusals += 1
            self._paused_until = max(self._paused_until, self._now() + pause)
            if begun is None or begun >= self._refused_at:
                self._gap = min(_LARGEST_GAP_S, max(_GAP_AFTER_REFUSAL_S, 2.0 * self._gap))
            self._refused_at = self._now()

    def lost(self, since: float) -> None:
        """A call of the calling thread, begun at `since`, failed."""
        self._held.seconds = self.waited() + self._now() - since

    def back_off(self, attempt: int) -> None:
        """Delay the calling thread only, longer with every attempt."""
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
                    hint="to continue, start the same command with a larger --max-usd",
                )
            self._set_aside += usd

    def _slot(self, tokens: int) -> float:
        """Return when this call may begin, and reserve the time after it."""
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

    A call is retried only before any part of the reply has arrived; the turn retries a broken reply.
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
        """Do nothing: other conversations use the same connections."""

    def _settle(self, ticket: Ticket, usage: Usage | None, worst: Usage | None) -> None:
        """Settle the call. Unreported usage counts as the reserved amount, if any part of the reply has arrived."""
        taken = usage or worst
        if taken is None:
            self._pace.settle(ticket, tokens=None, usd=None)
            return
        tokens = taken.prompt_tokens + taken.completion_tokens if usage else ticket.tokens
        self._pace.settle(ticket, tokens=tokens, usd=cost_of(taken, self._prices))


def _estimate(request: ChatRequest) -> int:
    """Estimate the tokens of the prompt, rather too high than too low."""
    said = sum(len((m.content or "").encode("utf-8", "replace")) for m in request.messages)
    said += sum(len(call.name) + len(call.arguments) for m in request.messages for call in m.calls)
    said += sum(len(tool.description) + 200 for tool in request.tools)
    return said // _BYTES_PER_TOKEN
