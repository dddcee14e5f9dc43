"""Prompts as a stored history makes them, for hypothesis: steps are whole, but turns may break off anywhere."""

import json

from hypothesis import strategies as st

from memgpt_cli.domain.chat import PromptMessage
from memgpt_cli.domain.messages import FunctionCall, Opaque

SYSTEM = PromptMessage(role="system", content="You remember.")
SIGNED = Opaque(origin="o", content=json.dumps({"message": {"reasoning": "hm"}, "calls": {"0": {"sig": "x"}}}))


def user(text: str = "hello") -> PromptMessage:
    return PromptMessage(role="user", content=text)


def said(text: str = "hi") -> PromptMessage:
    return PromptMessage(role="assistant", content=text)


def result(call_id: str, text: str = "OK") -> PromptMessage:
    return PromptMessage(role="tool", content=text, call_id=call_id)


def called(*ids: str, opaque: Opaque | None = None) -> PromptMessage:
    calls = tuple(FunctionCall(id=i, name="f", arguments='{"a": 1}') for i in ids)
    return PromptMessage(role="assistant", content=None, calls=calls, opaque=opaque)


IDS = st.integers(0, 10**9 - 1).map(lambda n: f"{n:09d}")
TEXTS = st.sampled_from(["a", "bc", "", " \n", "<tool_call>", "more words"])


@st.composite
def steps(draw: st.DrawFn) -> list[PromptMessage]:
    ids = draw(st.lists(IDS, min_size=1, max_size=3, unique=True))
    opaque = draw(st.sampled_from([None, SIGNED]))
    return [called(*ids, opaque=opaque), *(result(i, draw(TEXTS)) for i in ids)]


STEPS = st.one_of(TEXTS.map(lambda t: [user(t)]), TEXTS.map(lambda t: [said(t)]), steps())


def joined(parts: list[list[PromptMessage]]) -> list[PromptMessage]:
    seen: set[str] = set()
    kept = []
    for part in parts:
        ids = {call.id for call in part[0].calls}
        if not ids & seen:
            kept += part
            seen |= ids
    return [SYSTEM, *kept]


HISTORIES = st.lists(STEPS, max_size=9).map(joined)
