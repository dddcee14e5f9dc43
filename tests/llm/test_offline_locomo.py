"""Whether the quoted sentences hold the answer, on real dialogue where the development data is at hand."""

import re
from pathlib import Path
from typing import Any

import pytest
from support.agents import session
from support.locomo import DEVELOPMENT_HALF, conversations, messages

from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.external_context.rendering import RANKED, Lines, render
from memgpt_cli.llm.offline.answers import MOST_QUOTES, quotes
from memgpt_cli.llm.offline.relevance import query_of
from memgpt_cli.llm.prompt_reading import hits

pytestmark = pytest.mark.skipif(not DEVELOPMENT_HALF.exists(), reason="the development data is not here")

ANSWERABLE = (1, 2, 4)
"""Multi-hop, temporal and single-hop questions."""


def answered(conversation: dict[str, Any], home: Path) -> list[bool]:
    """For each answerable question whether a message of its evidence is among those quoted."""
    outcomes = []
    with session(home, model="offline") as agent:
        refs = {}
        with agent.store.transaction():
            for said in messages(conversation):
                message = Message(
                    role=Role.USER, text=said.text, name=said.name, created_at=said.created_at, in_context=False
                )
                refs[said.external_id] = message_ref(agent.store.messages.append(message).id)
        recall, zone = agent.agent._context.recall, agent.agent.settings.zone
        for question in conversation["qa"]:
            evidence = {refs.get(ref) for text in question["evidence"] for ref in re.findall(r"D\d+:\d+", text)} - {
                None
            }
            if question["category"] not in ANSWERABLE or not evidence:
                continue
            asked = question["question"]
            page = recall.search(asked, RecallFilters(roles=(Role.USER,)), query_vector=recall.embed_query(asked))
            lines = Lines(zone=zone, count=lambda text: len(text) // 4, terms=page.terms)
            text = render(page, lines, what="messages", order=RANKED, budget=2_000).text
            quoted = quotes(query_of(asked), hits(text), asked=[])
            assert len(quoted) <= MOST_QUOTES
            outcomes.append(bool({quote.hit.ref for quote in quoted} & evidence))
    return outcomes


def test_most_answerable_questions_are_answered_with_a_quote_of_their_evidence(tmp_path: Path) -> None:
    outcomes = answered(conversations()[1], tmp_path)
    assert len(outcomes) > 50
    assert sum(outcomes) / len(outcomes) >= 0.6


@pytest.mark.benchmark
def test_the_share_over_the_whole_development_half(tmp_path: Path) -> None:
    outcomes = [
        outcome
        for number, conversation in enumerate(conversations())
        for outcome in answered(conversation, tmp_path / str(number))
    ]
    print(f"{sum(outcomes)} of {len(outcomes)} answerable questions are answered with a quote of their evidence")
    assert sum(outcomes) / len(outcomes) >= 0.7
