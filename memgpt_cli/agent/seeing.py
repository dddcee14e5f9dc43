"""Let the model describe a picture once, and use the description in the conversation from then on.

A picture costs its tokens once instead of with every call, the prompt still only grows at its end, and the
description can be searched after it has left the window. `cli/chat` decides which files are pictures.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from memgpt_cli.agent.budget import Budget, cost_of
from memgpt_cli.agent.replies import PartialReply
from memgpt_cli.domain.agents import StepRecord, Turn
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.chat import ChatRequest, PromptMessage, Usage
from memgpt_cli.domain.events import Happening, Notice
from memgpt_cli.domain.messages import Message, clean, message_ref
from memgpt_cli.domain.passages import Passage, passage_ref
from memgpt_cli.domain.pictures import Picture
from memgpt_cli.domain.settings import Settings
from memgpt_cli.domain.trust import QUOTE, Origin
from memgpt_cli.errors import LimitError, ModelError
from memgpt_cli.main_context.queue_manager import QueueManager
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.ports import ChatModel, Clock, Store

PICTURE_TOKENS: Final = 2_000
"""Token allowance for a picture: OpenAI's published counts for its largest tiling end at 1,445; other models differ."""

REPLY_TOKENS: Final = 600

_ORDER: Final = (
    "Describe this picture in at most 200 words, for somebody who will search for it later and cannot see it: what it"
    " shows, who and where if it is clear, and every text in it word for word. The person who shows it says: {said}"
)


class PictureReader:
    """Describes the picture of a message once, before the message is answered."""

    def __init__(
        self,
        *,
        store: Store,
        model: ChatModel,
        settings: Settings,
        queue_manager: QueueManager,
        budget: Budget,
        clock: Clock,
    ) -> None:
        self._store = store
        self._model = model
        self._settings = settings
        self._queue = queue_manager
        self._budget = budget
        self._clock = clock

    def describe(self, turn: Turn, message_id: int) -> Iterator[Happening]:
        """Let the model describe the picture of a message, if it has one without a description.

        The description goes to archival storage and into the queue, under the message; a long one is paged out to a
        stub. Raises ModelError, APIKeyError, BudgetError, LimitError; the next attempt describes the picture again.
        """
        stored = self._store.pictures.of_message(message_id)
        if stored is None or stored.passage is not None or not self._settings.model.images:
            return
        yield from self._queue.page_out_large(turn)
        message = self._store.messages.get([message_id])[0]
        text, record = self._describe(turn, message, stored.picture)
        with self._store.transaction():
            passage, _ = self._store.passages.add(
                Passage(
                    text=f"{stored.picture.name}: {text}",
                    created_at=message.created_at,
                    tags=("picture",),
                    source=stored.picture.name,
                    provenance=Provenance(
                        author=Author.AGENT, message_id=message_id, origin=Origin(least=Author.DOCUMENT)
                    ),
                )
            )
            self._store.pictures.describe(message_id, passage=passage.id)
            lines = "\n".join(f"{QUOTE}{line}" for line in text.split("\n"))
            shown = f"{_said(message)}\n\n[what the picture shows, kept as {passage_ref(passage.id)}:]\n{lines}"
            origin = Origin(least=message.least, derived_from=(passage_ref(passage.id),))
            self._store.messages.set_stub(message_id, escape(shown), origin)
            self._store.turns.add_step(record)
        self._budget.book(record)
        self._queue.window.forget([message])
        self._queue.reload()
        yield Notice(f"looked at {stored.picture.name}; what it shows is kept as {passage_ref(passage.id)}")

    def _describe(self, turn: Turn, message: Message, picture: Picture) -> tuple[str, StepRecord]:
        order = _ORDER.format(said=_said(message))
        counted = self._queue.window.count_text(order) + PICTURE_TOKENS
        window = self._queue.window.settings
        if counted + REPLY_TOKENS > window.window:
            raise LimitError(
                f"a picture may take {PICTURE_TOKENS:,} tokens, and its description {REPLY_TOKENS:,}: more than the"
                f" window of {window.window:,} holds",
                hint=f"--window {counted + REPLY_TOKENS} or more",
            )
        self._budget.check(turn, lambda: counted, REPLY_TOKENS)
        request = ChatRequest(
            model=self._model.name,
            messages=(PromptMessage(role="user", content=order, picture=picture),),
            max_tokens=REPLY_TOKENS,
        )
        reply, started = PartialReply(), time.monotonic()
        for delta in self._model.stream(request):
            reply.add(delta)
        text = clean(reply.text).strip()
        if not text:
            raise ModelError(
                f"{self._model.name} said nothing about the picture of {message_ref(message.id)}",
                hint="/retry asks again; if the model takes no pictures: memgpt config unset model.images",
            )
        usage = reply.usage
        if not reply.usage_reported:
            usage = Usage(prompt_tokens=counted, completion_tokens=self._queue.window.count_text(text))
        record = StepRecord(
            turn=turn.id,
            number=0,
            model=self._model.name,
            epoch=self._queue.epoch.id,
            counted_tokens=counted,
            usage=usage,
            usage_reported=reply.usage_reported,
            duration_s=time.monotonic() - started,
            at=self._clock.now(),
            purpose="picture",
        )
        return text, replace(record, cost_usd=cost_of(usage, self._settings.model))


def _said(message: Message) -> str:
    """Return what the user wrote with the picture, as the queue shows it."""
    return message.text if message.stub is None else message.stub
