"""The offline responder itself: from a request to calls or a reply, and to the deltas of either.

It keeps nothing between requests: where a turn stands is read from the request alone, so the same request always gives
the same answer.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from memgpt_cli.domain.chat import CallDelta, ChatRequest, Delta, TextDelta
from memgpt_cli.llm.offline import memory, replies
from memgpt_cli.llm.offline.memory import Call
from memgpt_cli.llm.offline.prompt import SEND_MESSAGE, Situation, is_summary, read
from memgpt_cli.llm.offline.questions import Asked, asked_in, second_searches, searches
from memgpt_cli.llm.offline.summaries import summary
from memgpt_cli.llm.offline.understanding import Understanding, understand

NAME: Final = "offline"
STEPS_WITH_CALLS: Final = 2
"""Calls are made in the first two steps of a turn at most; the third replies."""

_PIECES: Final = re.compile(
    r"\s*(?:[\u3400-\u9fff，。：“”！？（）、；]{1,6}|[^\s\u3400-\u9fff]+(?:\s+[^\s\u3400-\u9fff]+){0,2})\s*|\s+"
)


class OfflineResponder:
    """A ports.ChatModel without a language model. Deterministic; uses neither network nor clock."""

    @property
    def name(self) -> str:
        """`offline`."""
        return NAME

    def body(self, request: ChatRequest) -> dict[str, Any]:
        """What a server would have been sent."""
        return request.body()

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """The reply in pieces of a few words, or the calls of a step. Reports no usage: nothing was counted."""
        if is_summary(request):
            yield from _spoken(summary(request))
            return
        situation = read(request)
        outcome = respond(situation)
        if isinstance(outcome, str):
            yield from _sent(outcome) if situation.paper else _spoken(outcome)
        else:
            yield from _called(outcome, paper=situation.paper)


def respond(situation: Situation) -> str | list[Call]:
    """What to do now: calls, or the reply that ends the turn."""
    understood = [
        understand(utterance, among_people=situation.among_people)
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


def _spoken(text: str) -> Iterator[Delta]:
    for piece in _pieces(text):
        yield TextDelta(piece)


def _sent(text: str) -> Iterator[Delta]:
    yield CallDelta(index=0, id="call_0", name=SEND_MESSAGE)
    arguments = json.dumps({"message": text}, ensure_ascii=False)
    for piece in _pieces(arguments):
        yield CallDelta(index=0, arguments=piece)


def _called(calls: Sequence[Call], *, paper: bool) -> Iterator[Delta]:
    for index, call in enumerate(calls):
        arguments = call.arguments | ({"request_heartbeat": True} if paper else {})
        yield CallDelta(
            index=index, id=f"call_{index}", name=call.name, arguments=json.dumps(arguments, ensure_ascii=False)
        )


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces of about three words or six ideographs; joined they are the text."""
    end = 0
    for match in _PIECES.finditer(text):
        if match.start() > end:
            yield text[end : match.start()]
        yield match.group()
        end = match.end()
    if end < len(text):
        yield text[end:]
