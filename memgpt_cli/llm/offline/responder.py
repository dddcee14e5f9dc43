"""The offline responder as a chat model: a request in, deltas out.

It is stateless: the state of a turn is read from the request, so the same request always gives the same answer. Its
rules are imported with the first request, not at start-up.
"""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from memgpt_cli.domain.chat import CallDelta, ChatRequest, Delta, TextDelta
from memgpt_cli.ports import ChatModel

if TYPE_CHECKING:
    from memgpt_cli.llm.offline.notes import NoteCall

NAME: Final = "offline"
PIECE: Final = 16
"""Characters of a delta, about three words."""


class OfflineResponder(ChatModel):
    """Answers without a language model. Deterministic; uses neither network nor clock."""

    @override
    @property
    def name(self) -> str:
        return NAME

    @override
    @property
    def origin(self) -> str:
        return self.name

    @override
    def body(self, request: ChatRequest) -> dict[str, Any]:
        return request.body()

    @override
    def close(self) -> None:
        """Do nothing."""

    @override
    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        from memgpt_cli.llm.offline.turn import respond
        from memgpt_cli.llm.prompt_reading import SEND_MESSAGE, read

        situation = read(request)
        outcome = respond(situation)
        if not isinstance(outcome, str):
            yield from _called(outcome, paper=situation.paper)
        elif situation.paper:
            yield CallDelta(index=0, id="call_0", name=SEND_MESSAGE)
            for piece in _pieces(json.dumps({"message": outcome}, ensure_ascii=False)):
                yield CallDelta(index=0, arguments=piece)
        else:
            yield from _spoken(outcome)


def _spoken(text: str) -> Iterator[Delta]:
    for piece in _pieces(text):
        yield TextDelta(piece)


def _called(calls: "Sequence[NoteCall]", *, paper: bool) -> Iterator[Delta]:
    for index, call in enumerate(calls):
        arguments = call.arguments | ({"request_heartbeat": True} if paper else {})
        text = json.dumps(arguments, ensure_ascii=False)
        yield CallDelta(index=index, id=f"call_{index}", name=call.name, arguments=text)


def _pieces(text: str) -> Iterator[str]:
    """Split the text before spaces if possible; joined, the pieces are the text."""
    start = 0
    while start < len(text):
        space = text.find(" ", start + PIECE // 2, start + PIECE * 2)
        end = space if space > 0 else start + PIECE
        yield text[start:end]
        start = end
