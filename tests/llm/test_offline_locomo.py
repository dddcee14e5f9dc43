"""Whether the quoted sentences hold the answer, on real dialogue where the development data is at hand."""

import re
from pathlib import Path

import pytest
from support.agents import session
from support.locomo import DEVELOPMENT_HALF, conversations, messages

from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.external_context.rendering import render_messages
from memgpt_cli.llm.offline.answers import MOST_QUOTES, quotes
from memgpt_cli.llm.offline.prompt import hits
from memgpt_cli.llm.offline.relevance import query_of

pytestmark = pytest.mark.skipif(not DEVELOPMENT_HALF.exists(), reason="the development data is not here")

ANSWERABLE = (1, 2, 4)
"""Multi-hop, temporal and single-hop questions."""


def test_most_answerable_questions_are_answered_with_a_quote_of_their_evidence(tmp_path: Path) -> None:
    conversation = conversations()[1]
    with session(tmp_path, model="offline") as agent:
        refs = {}
        with agent.store.transaction():
            for said in messages(conversation):
                stored = agent.store.messages.append(
                    Message(
                        role=Role.USER, text=said.text, name=said.name, created_at=said.created_at, in_context=False
                    )
                )
                refs[said.external_id] = message_ref(stored.id)
        recall, found, asked = agent.agent._context.recall, 0, 0
        for question in conversation["qa"]:
            evidence = {refs.get(ref) for text in question["evidence"] for ref in re.findall(r"D\d+:\d+", text)} - {
                None
            }
            if question["category"] not in ANSWERABLE or not evidence:
                continue
            result = recall.search(question["question"], RecallFilters(roles=(Role.USER,)))
            page = render_messages(result, zone=agent.agent.settings.zone, budget=2_000, count=len)
            quoted = quotes(query_of(question["question"]), hits(page), asked=[])
            assert len(quoted) <= MOST_QUOTES
            asked += 1
            found += bool({quote.hit.ref for quote in quoted} & evidence)
    assert asked > 50
    assert found / asked >= 0.6
