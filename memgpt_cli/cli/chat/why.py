"""`/why`: what the last answer came from. Read from the stored turn; scores come from doing its searches again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.agent.session import Session
from memgpt_cli.cli.chat.turns import describe
from memgpt_cli.cli.terminal.context import Terminal
from memgpt_cli.domain.events import FunctionReturned
from memgpt_cli.domain.messages import FunctionCall, Message, Role, message_ref
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.domain.search import Hit
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import NotFoundError
from memgpt_cli.services.wording import counted, one_line

if TYPE_CHECKING:
    from datetime import tzinfo

_SHOWN: Final = 160
_INDENTED: Final = 11
"""Columns before the text of a hit, and one to spare."""


def explain(terminal: Terminal, session: Session, zone: "tzinfo") -> None:
    """Print what was in view in the last turn, what was looked up, and what was changed. Raises NotFoundError."""
    turn = last_turn(session)
    messages = session.store.messages.of_turn(turn)
    asked = next((m for m in messages if m.role is Role.USER), messages[0])
    terminal.say(
        f"asked   {message_ref(asked.id)}, {for_people(asked.created_at, zone)}: {_short(terminal, asked.text)}"
    )
    _in_view(terminal, session, messages, zone)
    results = {m.call_id: m for m in messages if m.role is Role.TOOL}
    calls = [(call, results[call.id]) for m in messages for call in m.calls if call.id in results]
    for call, result in calls:
        _call(terminal, session, turn, call, result, zone)
    if not session.store.turns.steps(turn):
        terminal.say("it was not answered yet; /retry asks again")
        return
    if not calls:
        terminal.say("searched nothing: the answer came from what was in view")
    _models(terminal, session, turn)


def last_turn(session: Session) -> int:
    """The newest turn that was not taken back. Raises NotFoundError when there is none."""
    turn = session.store.undo.last_turn()
    if turn is None:
        raise NotFoundError("nothing was answered yet", hint="say something first")
    return turn


def _in_view(terminal: Terminal, session: Session, messages: Sequence[Message], zone: "tzinfo") -> None:
    queue = session.agent.queue_manager.queue
    before = [m for m in queue if m.id < messages[0].id]
    blocks = ", ".join(f"{b.label} (version {b.version})" for b in session.store.blocks.all())
    terminal.say(f"in view core memory: {blocks}")
    if before:
        first, last = before[0], before[-1]
        span = f"{message_ref(first.id)} to {message_ref(last.id)}, since {for_people(first.created_at, zone)}"
        terminal.say(f"        {len(before)} earlier messages: {span}")
    epoch = session.agent.queue_manager.epoch
    if epoch.hidden:
        terminal.say(
            f"        {'a summary of' if epoch.summary else 'not in view:'} {epoch.hidden} messages before those"
        )


def _call(terminal: Terminal, session: Session, turn: int, call: FunctionCall, result: Message, zone: "tzinfo") -> None:
    returned = FunctionResult(text=result.text, ok=bool(result.ok), effects=result.effects)
    told = describe(FunctionReturned(call=call, result=returned))
    if told is None:
        return
    for line in told.split("\n"):
        terminal.say(line if line == told.split("\n")[0] else f"        {line}")
    references = result.effects.shown
    found = session.agent.find_again(call, turn=turn) if references else None
    if found is None:
        return
    hits = {hit.item.ref: hit for hit in found.hits}
    for reference in references:
        if hit := hits.get(reference):
            terminal.say(f"        {_head(hit, zone)}")
            terminal.say(f"          {_short(terminal, hit.item.text)}", style="dim")


def _head(hit: Hit[Any], zone: "tzinfo") -> str:
    parts = [hit.item.ref, for_people(hit.item.created_at, zone), hit.item.origin]
    if hit.score:
        words = f"; words: {', '.join(hit.why.words)}" if hit.why.words else ""
        parts.append(f"score {hit.score:.2f} (attention {hit.why.attention:.0%}{words})")
    return "  ".join(part for part in parts if part)


def _models(terminal: Terminal, session: Session, turn: int) -> None:
    steps = session.store.turns.steps(turn)
    prompt = sum(s.usage.prompt_tokens for s in steps)
    cached = sum(s.usage.cached_tokens for s in steps)
    completion = sum(s.usage.completion_tokens for s in steps)
    names = ", ".join(dict.fromkeys(s.model for s in steps))
    terminal.say(
        f"answered by {names} in {counted(len(steps), 'step')}:"
        f" {prompt:,} prompt tokens ({cached:,} cached), {completion:,} written"
    )


def _short(terminal: Terminal, text: str) -> str:
    """What fits on a line of a terminal."""
    return one_line(text, max(20, terminal.out.width - _INDENTED) if terminal.out.is_terminal else _SHOWN)
