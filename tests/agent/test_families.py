"""Each family of models answers every turn of a troubled conversation, whatever its server refuses.

Every server here checks each request as its family does (`support.families`). The conversations have evictions,
notices, memory pressure, an unanswered message, an interrupted reply, a turn that was given up, and a new process.
"""

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from support.agents import is_extension, reply, run, session
from support.brains import Body, Brain, Call, Reply, last_user_text, memory_worker, plan
from support.families import FAMILIES, Family
from support.strict_server import Fault, StrictServer, Wire

from memgpt_cli.agent.session import Session
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.domain.events import Evicted, ReplyDelta, UserMessage
from memgpt_cli.domain.times import from_text
from memgpt_cli.errors import BudgetError, ModelError

WINDOW = 4_500
LONG = "we met the old painter near the harbour and she told us about her garden " * 20
WIRES = {
    "gemini": Wire(signed=True),
    "litellm": Wire(ids="thought"),
    "kimi_ids": Wire(ids="naming"),
    "forbids_extras": Wire(reasoning="reasoning"),
}
COUNTS_RESULTS = ("mistral", "gemma3", "gemma")
"""Families for which it matters that the paper's protocol puts a user message after a result."""
CASES = [(family, Protocol.NATIVE) for family in FAMILIES]
CASES += [(family, Protocol.PAPER) for family in FAMILIES if family.name in COUNTS_RESULTS]
MOST_REFUSALS = 4
"""Forms that a server may refuse before one is found; afterwards each request is taken at once."""


def thinking(brain: Brain) -> Brain:
    """The same model with reasoning beside its calls."""
    return lambda body: replace(said, reasoning="Let me think.") if (said := brain(body)).calls else said


def stubborn(brain: Brain) -> Brain:
    """The same model, which leaves out arguments when it is asked to give up."""

    def answer(body: Body) -> Reply:
        if last_user_text(body).rstrip().endswith("give up"):
            return Reply(calls=(Call("core_memory_append", {}),))
        return brain(body)

    return answer


def converse(opened: Session, texts: list[str]) -> int:
    """Say these; every one is answered. Returns how many evictions there were."""
    evictions = 0
    for text in texts:
        happened = run(opened, text)
        assert reply(happened), text
        evictions += sum(isinstance(h, Evicted) for h in happened)
    return evictions


def edit_from_outside(opened: Session) -> None:
    person = Provenance(author=Author.USER, command="memory set")
    with opened.store.transaction():
        block = Block(label="human", value="Likes oolong.")
        opened.store.blocks.put(block, at=from_text("2026-01-01T00:00:00.000000Z"), provenance=person)


def interrupt(opened: Session, text: str) -> None:
    turn = opened.agent.handle(UserMessage(text=text))
    for happening in turn:
        if isinstance(happening, ReplyDelta):
            break
    turn.close()


@pytest.mark.parametrize(("family", "protocol"), CASES, ids=lambda value: getattr(value, "name", value).lower())
def test_every_turn_of_a_troubled_conversation_is_answered(tmp_path: Path, family: Family, protocol: Protocol) -> None:
    brain = stubborn(thinking(memory_worker(edit_every=2, words=30)))
    options = {"protocol": protocol, "window": WINDOW, "model": "a-model", "model_max_retries": "0"}
    server = StrictServer(brain, window=2 * WINDOW, family=family, wire=WIRES.get(family.name, Wire()))
    with server:
        with session(tmp_path, base_url=server.base_url, **options) as opened:
            converse(opened, ["I like tea.", "What do I like?"])
            edit_from_outside(opened)
            server.faults.append(Fault.error(503))  # type: ignore[attr-defined]
            with pytest.raises(ModelError):
                run(opened, "Are you there?")
            converse(opened, ["Again: are you there?"])
            interrupt(opened, "Tell me something long.")
            with suppress(BudgetError):  # not where the last call, without functions, is answered
                run(opened, "Now give up")
        with session(tmp_path, base_url=server.base_url, **options) as opened:
            evictions = converse(opened, [f"{n}: {LONG}{'?' if n % 2 == 0 else '.'}" for n in range(4)])
    assert evictions
    assert len(server.refusals) <= MOST_REFUSALS, [r.message for r in server.refusals]
    assert _extensions(server.requests) > len(server.requests) // 2


def _extensions(requests: list[Body]) -> int:
    return sum(is_extension(before, after) for before, after in itertools.pairwise(requests))


@pytest.mark.parametrize(
    "family", [f for f in FAMILIES if f.name in ("deepseek", "kimi", "gemini")], ids=lambda f: f.name
)
def test_a_history_from_another_model_is_taken_where_opaque_fields_are_required(tmp_path: Path, family: Family) -> None:
    brain: Callable[[Body], Reply] = memory_worker(edit_every=1, words=10)
    with StrictServer(brain, window=WINDOW) as server, session(tmp_path, base_url=server.base_url) as opened:
        converse(opened, ["I like tea.", "And coffee."])
    wire = WIRES.get(family.name, Wire())
    with StrictServer(thinking(brain), family=family, wire=wire) as server:
        with session(tmp_path, base_url=server.base_url) as opened:
            converse(opened, ["And milk.", "What do I like?"])
    assert len(server.refusals) <= 1
    assert "tool_calls" in str(server.requests[-1]["messages"])


THINKING = [{"type": "thinking", "thinking": [{"type": "text", "text": "They like tea."}]}]
DETAILS = [{"type": "reasoning.text", "text": "They like tea.", "signature": "c2ln", "index": 0}]


@pytest.mark.parametrize(
    ("field", "delta", "back"),
    [
        ("content", {"content": THINKING}, THINKING),
        ("reasoning_details", {"reasoning": "They like tea.", "reasoning_details": DETAILS}, DETAILS),
    ],
    ids=["mistral", "openrouter"],
)
def test_reasoning_in_lists_goes_back_as_it_came(tmp_path: Path, field: str, delta: Body, back: list[Body]) -> None:
    arguments = '{"label": "human", "content": "Likes tea."}'
    function = {"name": "core_memory_append", "arguments": arguments}
    call = {"tool_calls": [{"index": 0, "id": "a1b2c3d4e", "type": "function", "function": function}]}
    chunks = tuple({"choices": [{"index": 0, "delta": part}]} for part in (delta, call))
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    brain = plan([Reply(chunks=(*chunks, end)), "Noted."])
    server = StrictServer(brain, family=Family("any", lambda _: None))
    with server, session(tmp_path, base_url=server.base_url) as opened:
        converse(opened, ["I like tea."])
    (sent,) = [message for message in server.requests[-1]["messages"] if message.get("tool_calls")]
    assert sent[field] == back
