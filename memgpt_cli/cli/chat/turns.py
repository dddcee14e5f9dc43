"""Run one turn and collect its result; used by `send` and `chat`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from memgpt_cli.domain.chat import arguments_object
from memgpt_cli.domain.effects import Effects, Refusal
from memgpt_cli.domain.events import (
    Evicted,
    FunctionReturned,
    Happening,
    MemoryPressure,
    Notice,
    PagedOut,
    ReplyDelta,
    StepCommitted,
    TurnEnded,
    Waiting,
)
from memgpt_cli.domain.messages import FunctionCall, message_ref
from memgpt_cli.domain.reviews import review_ref
from memgpt_cli.services.secrets import kinds_of, masked
from memgpt_cli.services.wording import counted, one_line

_LONG: Final = 96
"""Characters of a text in the line about it."""

MOST_LINES: Final = 8
"""Lines of a change that are shown without --verbose."""


_WHY: Final = {
    Refusal.PERSON: "as you said",
    Refusal.NOBODY: "because no one could be asked (memory.confirm)",
}


@dataclass(slots=True)
class TurnResult:
    """The result of a turn so far."""

    steps: list[StepCommitted] = field(default_factory=list)
    ended: TurnEnded | None = None
    has_text: bool = False


def watch(happenings: Iterator[Happening], result: TurnResult, show: Callable[[Happening], None]) -> None:
    """Run a turn to its end, showing each happening. Ctrl-C closes the turn and is raised again."""
    try:
        for happening in happenings:
            if isinstance(happening, StepCommitted):
                result.steps.append(happening)
            elif isinstance(happening, TurnEnded):
                result.ended = happening
            elif isinstance(happening, ReplyDelta):
                result.has_text = True
            show(happening)
    finally:
        close = getattr(happenings, "close", None)
        if close is not None:
            close()


def describe(happening: Happening) -> str | None:
    """Return a line about a memory operation, or None.

    A call's changes follow on lines of their own, each with `+` or `-` before it.
    """
    match happening:
        case Notice(text=text) | Waiting(text=text):
            return text or None
        case MemoryPressure(used=used, limit=limit):
            return f"memory pressure: {used:,} of {limit:,} tokens"
        case Evicted(messages=count, tokens_before=before, tokens_after=after, summarised_by=by):
            return (
                f"{counted(count, 'message')} moved to recall storage ({before:,} -> {after:,} tokens, summary: {by})"
            )
        case PagedOut(message_id=number, passages=count):
            return f"long message: stored as {message_ref(number)} and in {counted(count, 'archival passage')}"
        case FunctionReturned():
            line = _call(happening)
            return None if line is None else masked(line) + _named_secrets(happening.call)
        case _:
            return None


def in_full(returned: FunctionReturned) -> str:
    """Return a call with all of its arguments and its whole result."""
    state = "" if returned.ok else " failed"
    return f"{returned.call.name}({returned.call.arguments}){state}:\n{returned.result.text}"


def _call(returned: FunctionReturned) -> str | None:
    """Describe the effect of a call, in the user's words."""
    name, arguments = returned.call.name, arguments_object(returned.call.arguments) or {}
    outcome = returned.result.text.split("\n", 1)[0].rstrip(".")
    effects = returned.result.effects
    if effects.replied:
        return None
    if effects.held:
        refs = ", ".join(review_ref(number) for number in effects.held)
        return f"waits for your review ({refs}; /review, or memgpt review): {one_line(proposal(returned.call), _LONG)}"
    if not returned.ok:
        if effects.refusal is not None:
            return f"not written, {_WHY[effects.refusal]}: {one_line(proposal(returned.call), _LONG)}"
        return f"{name}({one_line(returned.call.arguments, _LONG)}) failed: {one_line(outcome, _LONG)}"
    said = {key: str(value) for key, value in arguments.items()}
    match name:
        case "core_memory_append" | "core_memory_replace":
            text = proposal(returned.call)
        case "conversation_search" | "archival_memory_search":
            where = "recall" if name == "conversation_search" else "archival"
            text = f"searched {where} for {_wanted(said)}: {_found(effects)}"
        case "archival_memory_insert":
            text = _inserted(returned.result.text, said.get("content", ""))
        case _:
            text = f"{name}({one_line(returned.call.arguments, _LONG)}): {one_line(outcome, _LONG)}"
    return text


def _inserted(result: str, content: str) -> str:
    """Quote the content of a passage, then the similar passages that the result names in its further lines."""
    line, *earlier = result.split("\n")
    done, _, heading = line.partition(". ") if earlier else (line.rstrip("."), "", "")
    shown = [f"archival: {done}: “{one_line(content, _LONG)}”" + (f". {heading}" if heading else "")]
    return "\n".join((*shown, *(one_line(similar, _LONG) for similar in earlier)))


def _named_secrets(call: FunctionCall) -> str:
    """The kinds of keys in what a call writes, in brackets; nothing for none and for a search."""
    kinds = () if call.name.endswith("_search") else kinds_of([call.arguments])
    return f" (looks like a key: {', '.join(kinds)})" if kinds else ""


def proposal(call: FunctionCall) -> str:
    """Describe what a call would write."""
    said = {key: str(value) for key, value in (arguments_object(call.arguments) or {}).items()}
    match call.name:
        case "core_memory_append":
            return _changes(f"core memory {said.get('label')}", "", said.get("content", ""))
        case "core_memory_replace":
            old, new = said.get("old_content", ""), said.get("new_content", "")
            if old.strip() == "*":
                return _changes(f"core memory {said.get('label')}, rewritten", "", new)
            return _changes(f"core memory {said.get('label')}", old, new)
        case "archival_memory_insert":
            return _changes("archival", "", said.get("content", ""))
        case _:
            return f"{call.name}({one_line(call.arguments, _LONG)})"


def _wanted(said: dict[str, str]) -> str:
    """Return the query of a search; one with dates only has no words."""
    if said.get("query", "").strip():
        return f"“{one_line(said['query'], 60)}”"
    days = [said[key] for key in ("start_date", "end_date") if said.get(key)]
    return " to ".join(dict.fromkeys(days)) or "the newest"


def _found(effects: Effects) -> str:
    return f"{len(effects.shown)} of {effects.total} results" if effects.total else "nothing"


def _changes(where: str, old: str, new: str) -> str:
    lines = [f"- {line}" for line in old.split("\n") if line.strip()]
    lines += [f"+ {line}" for line in new.split("\n") if line.strip()]
    shown = [one_line(line, 200) for line in lines[:MOST_LINES]]
    more = [f"… {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else []
    return "\n".join([f"{where}:", *shown, *more])
