"""One step of a turn: from a situation to calls or the reply."""

from collections.abc import Sequence
from typing import Final

from memgpt_cli.llm.offline import memory, replies
from memgpt_cli.llm.offline.facts import people_of
from memgpt_cli.llm.offline.memory import Call
from memgpt_cli.llm.offline.prompt import Situation
from memgpt_cli.llm.offline.questions import Asked, asked_in, searches, second_searches
from memgpt_cli.llm.offline.understanding import Understanding, understand

STEPS_WITH_CALLS: Final = 2
"""Calls are made in the first two steps of a turn at most; the third replies."""


def respond(situation: Situation) -> str | list[Call]:
    """What to do now: calls, or the reply that ends the turn."""
    block = situation.blocks.get(memory.LABEL)
    text = block.text if block is not None else ""
    understood = [
        understand(utterance, among_people=situation.among_people, people=people_of(text, utterance.speaker))
        for utterance in situation.pending
        if not utterance.paged_out
    ]
    asked = asked_in(understood, situation)
    if not situation.lost and len(situation.steps) < STEPS_WITH_CALLS:
        calls = _calls(situation, understood, asked)
        if calls:
            return calls
    return replies.compose(situation, understood, asked)


def _calls(situation: Situation, understood: Sequence[Understanding], asked: Sequence[Asked]) -> list[Call]:
    if not situation.steps:
        return [*memory.planned(situation, understood), *searches(asked, situation)]
    failed = memory.results(situation).failed
    return [*memory.second_try(situation, failed), *second_searches(asked, situation)]
