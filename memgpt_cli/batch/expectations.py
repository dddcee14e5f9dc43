"""Check expectations against results."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from memgpt_cli.batch.conversations import Expectation, Expected
from memgpt_cli.batch.records import CheckedExpectation, TurnRecord
from memgpt_cli.domain.search import ArchivalFilters
from memgpt_cli.ports import Store

if TYPE_CHECKING:
    import regex

_SHOWN: Final = 200
REGEX_SECONDS: Final = 2.0
"""Maximum seconds of one search with a regular expression."""
LONGEST_REGEX: Final = 10_000
_PAGE: Final = 500


def check(
    expectations: Sequence[Expectation], turns: Sequence[TurnRecord], store: Store | None
) -> tuple[CheckedExpectation, ...]:
    """Each expectation with its outcome over these turns; memory is looked at in `store` as it stands.

    Replies are checked together: `contains` requires the text in one of them, `not_contains` forbids it in all. Without
    a store, memory is empty.
    """
    return tuple(_check(expectation, turns, store) for expectation in expectations)


def _check(expectation: Expectation, turns: Sequence[TurnRecord], store: Store | None) -> CheckedExpectation:
    met, found = _CHECKS[expectation.kind](expectation, turns, store)
    return CheckedExpectation(
        kind=expectation.kind.value, value=expectation.value, ok=met, found=None if met else _short(found)
    )


_Outcome = tuple[bool, str]


def _replies(turns: Sequence[TurnRecord]) -> str:
    return "\n".join(turn.reply or "" for turn in turns)


def _contains(expectation: Expectation, turns: Sequence[TurnRecord], _: Store | None) -> _Outcome:
    return any(str(expectation.value) in (turn.reply or "") for turn in turns), _replies(turns)


def _not_contains(expectation: Expectation, turns: Sequence[TurnRecord], store: Store | None) -> _Outcome:
    met, found = _contains(expectation, turns, store)
    return not met, found


def _regex(expectation: Expectation, turns: Sequence[TurnRecord], _: Store | None) -> _Outcome:
    pattern = compiled(str(expectation.value))
    try:
        return any(pattern.search(turn.reply or "", timeout=REGEX_SECONDS) for turn in turns), _replies(turns)
    except TimeoutError:
        return False, f"the regular expression did not finish within {REGEX_SECONDS:g} s"


def compiled(pattern: str) -> "regex.Pattern[str]":
    """Compile a regular expression. Raises ValueError if it is invalid, too long or nested too deeply."""
    import regex

    if len(pattern) > LONGEST_REGEX:
        raise ValueError(f"longer than {LONGEST_REGEX:,} characters")
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise ValueError(str(error)) from error
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _function_called(expectation: Expectation, turns: Sequence[TurnRecord], _: Store | None) -> _Outcome:
    called = dict.fromkeys(call.name for turn in turns for call in turn.functions)
    return expectation.value in called, ", ".join(called) or "no function"


def _memory_contains(expectation: Expectation, _: Sequence[TurnRecord], store: Store | None) -> _Outcome:
    if store is None:
        return False, "no memory"
    text = str(expectation.value)
    blocks = store.blocks.all()
    shown = "; ".join(f"{block.label}: {block.value}" for block in blocks)
    return any(text in block.value for block in blocks) or _archived(text, store), shown


def _archived(text: str, store: Store) -> bool:
    for offset in range(0, store.passages.count(), _PAGE):
        if any(text in passage.text for passage in store.passages.page(ArchivalFilters(), limit=_PAGE, offset=offset)):
            return True
    return False


def _max_prompt_tokens(expectation: Expectation, turns: Sequence[TurnRecord], _: Store | None) -> _Outcome:
    largest = max((turn.largest_prompt for turn in turns), default=0)
    return largest <= int(expectation.value), str(largest)


_CHECKS: Final[dict[Expected, Callable[[Expectation, Sequence[TurnRecord], Store | None], _Outcome]]] = {
    Expected.CONTAINS: _contains,
    Expected.NOT_CONTAINS: _not_contains,
    Expected.REGEX: _regex,
    Expected.FUNCTION_CALLED: _function_called,
    Expected.MEMORY_CONTAINS: _memory_contains,
    Expected.MAX_PROMPT_TOKENS: _max_prompt_tokens,
}


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else f"{flat[: _SHOWN - 1]}…"
