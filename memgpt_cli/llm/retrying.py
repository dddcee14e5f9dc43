"""A model whose failed calls are retried, with a delta at the start of each wait.

The openai package retries silently, so its clients are created without retries. Nothing is retried once a part of the
reply has arrived.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

from typing_extensions import override

from memgpt_cli.domain.chat import ChatRequest, Delta, WaitDelta
from memgpt_cli.domain.pauses import pause_s
from memgpt_cli.errors import ModelError, ModelLoadingError, RateLimitError
from memgpt_cli.ports import ChatModel

FIRST_WAIT_S: Final = 0.5
LONGEST_WAIT_S: Final = 8.0
"""If the server states no wait, the waits double between these limits."""

PATIENCE_S: Final = 60.0
"""If a server requests a longer wait, the call fails and the error states the wait."""

LOADING_S: Final = 300.0
"""Maximum seconds that a server may take to load its model, and the pause between two calls meanwhile."""
LOADING_STEP_S: Final = 2.0

_REASON: Final = 100


class RetryingModel(ChatModel):
    """A model around another. A call that failed for a passing reason is repeated `max_retries` times.

    For a server that is loading its model, it retries up to `LOADING_S`. Ctrl-C ends a wait immediately.
    """

    def __init__(self, model: ChatModel, *, max_retries: int, sleep: Callable[[float], None] = time.sleep) -> None:
        self._model = model
        self._max_retries = max_retries
        self._sleep = sleep

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
        failures, loading_s = 0, 0.0
        while True:
            begun = False
            try:
                with closing(_generator(self._model.stream(request))) as deltas:
                    for delta in deltas:
                        begun = True
                        yield delta
            except ModelLoadingError:
                if begun or loading_s >= LOADING_S:
                    raise
                yield from self._wait(LOADING_STEP_S, f"the server is loading the model, {loading_s:.0f} s so far")
                loading_s += LOADING_STEP_S
            except ModelError as error:
                wait = _wait_s(error, failures)
                if begun or not error.transient or failures >= self._max_retries or wait > PATIENCE_S:
                    raise
                failures += 1
                count = f"({failures} of {self._max_retries})"
                yield from self._wait(wait, f"{_reason(error)}, retrying in {wait:.2g} s {count}")
            else:
                return

    @override
    def close(self) -> None:
        self._model.close()

    def _wait(self, seconds: float, said: str) -> Iterator[Delta]:
        yield WaitDelta(said)
        self._sleep(seconds)
        yield WaitDelta("")


def _generator(deltas: Iterator[Delta]) -> Any:
    """Return the deltas with a `close` method, which an iterator may lack."""
    return deltas if hasattr(deltas, "close") else (delta for delta in deltas)


def _wait_s(error: ModelError, failures: int) -> float:
    asked = error.retry_after_s if isinstance(error, RateLimitError) else None
    return pause_s(failures, first_s=FIRST_WAIT_S, longest_s=LONGEST_WAIT_S, asked_s=asked)


def _reason(error: ModelError) -> str:
    if isinstance(error, RateLimitError):
        return "rate limited"
    reason = error.message.rstrip(".")
    return reason if len(reason) <= _REASON else reason[:_REASON] + "…"
