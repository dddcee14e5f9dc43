"""Running one turn and gathering what it came to; shared by `send` and `chat`."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from memgpt_cli.domain.events import (
    Evicted,
    FunctionReturned,
    Happening,
    MemoryPressure,
    Notice,
    PagedOut,
    StepCommitted,
    TurnEnded,
)


@dataclass(slots=True)
class TurnResult:
    """What a turn came to so far."""

    steps: list[StepCommitted] = field(default_factory=list)
    ended: TurnEnded | None = None


def watch(happenings: Iterator[Happening], result: TurnResult, show: Callable[[Happening], None]) -> None:
    """Run a turn to its end, showing each happening. Ctrl-C closes the turn and is raised again."""
    try:
        for happening in happenings:
            if isinstance(happening, StepCommitted):
                result.steps.append(happening)
            elif isinstance(happening, TurnEnded):
                result.ended = happening
            show(happening)
    finally:
        close = getattr(happenings, "close", None)
        if close is not None:
            close()


def describe(happening: Happening) -> str | None:
    """One line about memory work, or None when there is nothing to say."""
    match happening:
        case Notice(text=text):
            return text
        case MemoryPressure(used=used, limit=limit):
            return f"memory pressure: {used} of {limit} tokens"
        case Evicted(messages=count, tokens_before=before, tokens_after=after, summarised_by=by):
            return f"{count} messages moved to recall storage ({before} -> {after} tokens, summary: {by})"
        case PagedOut(message_id=number, passages=count):
            return f"that was long: kept as m{number} and in {count} archival passages"
        case FunctionReturned(call=call, ok=ok, result=text):
            first = text.split("\n", 1)[0]
            return f"{call.name}({_short(call.arguments)}): {'' if ok else 'failed: '}{_short(first)}"
        case _:
            return None


def read_stdin() -> str:
    """All of standard input, whatever its encoding makes of it."""
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def _short(text: str, most: int = 96) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"
