"""Whether the quoted sentences hold the answer, on real dialogue where the development data is at hand."""

import re
from pathlib import Path
from typing import Any

import pytest
from support.agents import session
from support.locomo import DEVELOPMENT_HALF, conversations, messages

from memgpt_cli.domain.messages import Message, Role, message_ref
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.external_context.rendering import RANKED, HitLines, render
from memgpt_cli.llm.offline.answers import MOST_QUOTES, quotes
from memgpt_cli.llm.offline.relevance import RelevanceQuestion
from memgpt_cli.llm.prompt_reading import hits

pytestmark = pytest.mark.skipif(not DEVELOPMENT_HALF.exists(), reason="the development data is not here")

ANSWERABLE = (1, 2, 4)
"""Multi-hop, temporal and single-hop questions."""


def answered(conversation: dict[str, Any], home: Path) -> list[tuple[bool, bool]]:
    """For each answerable question whether a message of its evidence is quoted, and whether it is a first hit.

    The second is the baseline: as many first hits as there may be quotations, unselected.
    """
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
            lines = HitLines(zone=zone, count=lambda text: len(text) // 4, terms=page.terms)
            found = hits(render(page, lines, what="messages", order=RANKED, budget=2_000).text)
            quoted = {quote.hit.ref for quote in quotes(RelevanceQuestion(asked), found, asked=[])[:MOST_QUOTES]}
            first = {hit.ref for hit in found[:MOST_QUOTES]}
            outcomes.append((bool(quoted & evidence), bool(first & evidence)))
    return outcomes


def test_selecting_quotations_is_not_worse_than_the_first_hits(tmp_path: Path) -> None:
    outcomes = answered(conversations()[1], tmp_path)
    quoted, baseline = (sum(column) for column in zip(*outcomes, strict=True))
    assert len(outcomes) > 50
    assert quoted >= baseline
    assert quoted / len(outcomes) >= 0.6


@pytest.mark.benchmark
def test_the_share_over_the_whole_development_half(tmp_path: Path) -> None:
    outcomes = [
        outcome
        for number, conversation in enumerate(conversations())
        for outcome in answered(conversation, tmp_path / str(number))
    ]
    quoted, baseline = (sum(column) for column in zip(*outcomes, strict=True))
    print(f"evidence quoted for {quoted} of {len(outcomes)} questions; first hits, unselected: {baseline}")
    assert quoted >= baseline
