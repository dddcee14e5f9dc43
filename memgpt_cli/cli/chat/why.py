"""`/why`: explain the last answer. It is read from the stored turn; scores come from repeating its searches."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final

from memgpt_cli.cli.chat.turns import describe
from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.domain.agents import StepRecord
from memgpt_cli.domain.events import FunctionReturned
from memgpt_cli.domain.messages import message_ref
from memgpt_cli.domain.search import Hit
from memgpt_cli.domain.times import for_people
from memgpt_cli.services.chatting import Explanation, Lookup
from memgpt_cli.services.wording import counted, one_line

_SHOWN: Final = 160
_INDENTED: Final = 11
"""Columns before the text of a hit, and one more."""


def show_explanation(terminal: Terminal, found: Explanation) -> None:
    """Print what was in view in the last turn, what was looked up, and what was changed."""
    asked, zone = found.asked, terminal.zone
    when = for_people(asked.created_at, zone)
    terminal.say(f"asked   {message_ref(asked.id)}, {when}: {_short(terminal, asked.text)}")
    _in_view(terminal, found)
    for lookup in found.lookups:
        _lookup(terminal, lookup)
    if not found.steps:
        terminal.say("it was not answered yet; /retry asks again")
        return
    if not found.lookups:
        terminal.say("searched nothing: the answer came from what was in view")
    _models(terminal, found.steps)


def _in_view(terminal: Terminal, found: Explanation) -> None:
    blocks = ", ".join(f"{b.label} (version {b.version})" for b in found.blocks)
    terminal.say(f"in view core memory: {blocks}")
    if found.earlier:
        first, last = found.earlier[0], found.earlier[-1]
        since = for_people(first.created_at, terminal.zone)
        span = f"{message_ref(first.id)} to {message_ref(last.id)}, since {since}"
        terminal.say(f"        {len(found.earlier)} earlier messages: {span}")
    if found.hidden:
        how = "a summary of" if found.summarised else "not in view:"
        terminal.say(f"        {how} {found.hidden} messages before those")


def _lookup(terminal: Terminal, lookup: Lookup) -> None:
    told = describe(FunctionReturned(call=lookup.call, result=lookup.result))
    if told is None:
        return
    first, *rest = told.split("\n")
    for line in (first, *(f"        {line}" for line in rest)):
        terminal.say(line)
    for hit in lookup.hits:
        terminal.say(f"        {_head(hit, terminal.zone)}")
        terminal.say(f"          {_short(terminal, hit.item.text)}", style="dim")


def _head(hit: Hit[Any], zone: tzinfo) -> str:
    parts = [hit.item.ref, for_people(hit.item.created_at, zone), hit.item.origin]
    if hit.score:
        words = f"; words: {', '.join(hit.why.words)}" if hit.why.words else ""
        parts.append(f"score {hit.score:.2f} (attention {hit.why.attention:.0%}{words})")
    return "  ".join(part for part in parts if part)


def _models(terminal: Terminal, steps: Sequence[StepRecord]) -> None:
    prompt = sum(s.usage.prompt_tokens for s in steps)
    cached = sum(s.usage.cached_tokens for s in steps)
    completion = sum(s.usage.completion_tokens for s in steps)
    names = ", ".join(dict.fromkeys(s.model for s in steps))
    terminal.say(
        f"answered by {names} in {counted(len(steps), 'step')}:"
        f" {prompt:,} prompt tokens ({cached:,} cached), {completion:,} written"
    )


def _short(terminal: Terminal, text: str) -> str:
    """Return the part of a text that fits on a line of a terminal."""
    return one_line(text, max(20, terminal.out.width - _INDENTED) if terminal.out.is_terminal else _SHOWN)
