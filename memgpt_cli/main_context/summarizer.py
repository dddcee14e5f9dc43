"""The recursive summary at the head of the queue: old summary + evicted messages = new summary (the paper's §2.2)."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from memgpt_cli.domain.chat import ChatRequest, PromptMessage, TextDelta, ToolSchema, Usage
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.domain.times import for_people
from memgpt_cli.errors import APIKeyError, ConfigError, ModelError
from memgpt_cli.main_context.extractive import extract
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.main_context.tokens import PRIMING, count_message, count_request
from memgpt_cli.ports import ChatModel, PromptSource, TokenCounter

EXTRACTIVE: Final = "extractive"
_LONGEST_RESULT: Final = 300
"""Characters of a function result that the summariser sees: what it found is still in storage."""

_FAILURES: Final = (ModelError, APIKeyError, ConfigError)
"""What an extract stands in for. A budget is none of these: what it stops is done another day, not worse."""

Afford = Callable[[int, int], None]
"""Called before each call with the tokens of its prompt and of its longest reply; raises BudgetError to stop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryCall:
    """One model call made for a summary, for the books."""

    model: str
    usage: Usage
    usage_reported: bool
    counted: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The new summary, who made it (a model, or `extractive`), what it cost, and why a model failed, if one did."""

    text: str
    by: str
    calls: tuple[SummaryCall, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InPlace:
    """The prompt that the model has just seen, with the order to summarise at its end."""

    messages: tuple[PromptMessage, ...]
    tools: tuple[ToolSchema, ...]


class Summarizer:
    """Makes summaries with a model, or by extraction where there is none or it fails.

    Where the model is the agent's own, it is first asked at the end of the prompt that it has just seen: the provider
    serves nearly all of that from its cache, and the model sees more than an excerpt.
    """

    def __init__(
        self,
        *,
        model: ChatModel | None,
        prompts: PromptSource,
        counter: TokenCounter,
        zone: tzinfo,
    ) -> None:
        self._model = model
        self._prompts = prompts
        self._counter = counter
        self._zone = zone

    def summarise(
        self,
        previous: str,
        evicted: Sequence[Message],
        *,
        max_tokens: int,
        room: int,
        afford: Afford,
        in_place: InPlace | None = None,
    ) -> Summary:
        """Fold the evicted messages into the previous summary, within `max_tokens`.

        `room` is the largest prompt, in the counter's tokens, that the model may be sent. `in_place` is the prompt
        that the model has seen, if it may be asked there. Raises BudgetError.
        """
        lines = [line for message in evicted for line in self._lines(message)]
        if max_tokens < 16 or not lines:  # noqa: PLR2004 - too little for a sentence
            return Summary(text=self.fit(previous, max_tokens), by=EXTRACTIVE)
        if self._model is None:
            return Summary(text=self._extract(previous, lines, max_tokens), by=EXTRACTIVE)
        calls: list[SummaryCall] = []
        if in_place is not None:
            with suppress(*_FAILURES):  # a failure here is followed by a prompt that is made for the purpose
                answer, call = self._ask(self._model, self._request_in_place(self._model, in_place, max_tokens), afford)
                calls.append(call)
                if answer.strip():
                    return Summary(text=self.fit(answer.strip(), max_tokens), by=self._model.name, calls=tuple(calls))
        text = previous
        try:
            for part in self._parts(lines, previous, max_tokens, room):
                answer, call = self._ask(self._model, self._request(self._model, text, part, max_tokens), afford)
                calls.append(call)
                if not answer.strip():
                    return self._fallen_back(previous, lines, max_tokens, calls, "it gave no text")
                text = self.fit(answer.strip(), max_tokens)
        except _FAILURES as error:
            return self._fallen_back(previous, lines, max_tokens, calls, error.message)
        return Summary(text=text, by=self._model.name, calls=tuple(calls))

    def order_in_place(self, ends_before: str, max_tokens: int) -> str:
        """What the model is told at the end of its own prompt; `ends_before` begins the first message that stays."""
        stays = f'What begins with "{ends_before}" and all after it stays.' if ends_before else ""
        order = self._prompts.render("summary", {"max_words": _words(max_tokens)})
        return (
            "Your window is full: the oldest messages above, and the summary of those before them, are about to leave"
            f" it. {stays} Do not answer the person and call no function now. {order}"
        )

    def _fallen_back(
        self, previous: str, lines: Sequence[str], max_tokens: int, calls: Sequence[SummaryCall], failure: str
    ) -> Summary:
        text = self._extract(previous, lines, max_tokens)
        return Summary(text=text, by=EXTRACTIVE, calls=tuple(calls), failure=failure)

    def _request(self, model: ChatModel, previous: str, part: str, max_tokens: int) -> ChatRequest:
        messages = self._messages(previous, part, max_tokens)
        return ChatRequest(model=model.name, messages=messages, max_tokens=max_tokens)

    def _request_in_place(self, model: ChatModel, prompt: InPlace, max_tokens: int) -> ChatRequest:
        return ChatRequest(
            model=model.name, messages=prompt.messages, tools=prompt.tools, max_tokens=max_tokens, may_call=False
        )

    def _ask(self, model: ChatModel, request: ChatRequest, afford: Afford) -> tuple[str, SummaryCall]:
        counted = count_request(self._counter, request)
        afford(counted, request.max_tokens or 0)
        pieces: list[str] = []
        usage = Usage()
        started = time.monotonic()
        for delta in model.stream(request):
            if isinstance(delta, TextDelta):
                pieces.append(delta.text)
            elif isinstance(delta, Usage):
                usage = delta
        seconds = time.monotonic() - started
        text = "".join(pieces)
        reported = usage.prompt_tokens > 0
        if not reported:
            usage = Usage(prompt_tokens=counted, completion_tokens=self._counter.count(text))
        call = SummaryCall(model=model.name, usage=usage, usage_reported=reported, counted=counted, seconds=seconds)
        return text, call

    def _messages(self, previous: str, part: str, max_tokens: int) -> tuple[PromptMessage, ...]:
        order = self._prompts.render("summary", {"max_words": _words(max_tokens)})
        content = f"Summary so far:\n{escape(previous) or '(nothing yet)'}\n\nMessages that leave the window:\n{part}"
        return (PromptMessage(role="system", content=order), PromptMessage(role="user", content=content))

    def _parts(self, lines: Sequence[str], previous: str, max_tokens: int, room: int) -> Iterator[str]:
        """The lines in as few parts as fit the model's window beside the longest summary."""
        empty = sum(count_message(self._counter, m) for m in self._messages("", "", max_tokens)) + PRIMING + 32
        room = max(128, room - empty - max(max_tokens, self._counter.count(previous)))
        part: list[str] = []
        used = 0
        for line in lines:
            for piece in pieces_of(line, room, self._counter.count):
                cost = self._counter.count(piece) + 1
                if part and used + cost > room:
                    yield "\n".join(part)
                    part, used = [], 0
                part.append(piece)
                used += cost
        if part:
            yield "\n".join(part)

    def _lines(self, message: Message) -> Iterator[str]:
        time_text = for_people(message.created_at, self._zone)
        text = " ".join(escape(message.stub or message.text).split())
        if message.role is Role.SYSTEM:
            return
        if message.role is Role.TOOL:
            shown = text if len(text) <= _LONGEST_RESULT else f"{text[:_LONGEST_RESULT]}…"
            yield f"({message.name} answered: {shown})"
            return
        if text:
            yield f"[{time_text}] {escape(message.name or message.role)}: {text}"
        for call in message.calls:
            if call.name == "send_message":
                yield f"[{time_text}] {message.role}: {escape(call.arguments)}"

    def _extract(self, previous: str, lines: Sequence[str], max_tokens: int) -> str:
        spoken = [line.split("] ", 1)[-1] for line in lines if line.startswith("[")]
        old = self.fit(previous, max_tokens // 2)
        new = extract(spoken, max_tokens=max_tokens - self._counter.count(old) - 1, count=self._counter.count)
        return f"{old}\n{new}".strip()

    def fit(self, text: str, max_tokens: int) -> str:
        """The beginning of a summary that fits, cut after a sentence or a line where there is one."""
        return next(iter(pieces_of(text, max_tokens, self._counter.count)), "") if max_tokens > 0 else ""


def _words(max_tokens: int) -> str:
    return str(max(10, max_tokens * 6 // 10))


def pieces_of(text: str, max_tokens: int, count: Callable[[str], int]) -> Iterator[str]:
    """Cut a text into pieces of at most `max_tokens` (at least one character each), at sentence ends where possible."""
    start = 0
    while start < len(text):
        size = min(len(text) - start, 64 * max_tokens)
        if start + size == len(text) and count(text[start:]) <= max_tokens:
            yield text[start:]
            return
        size = min(size, 8 * max_tokens)
        while size > 1 and count(text[start : start + size]) > max_tokens:
            size = max(1, size * 3 // 4)
        half, end = start + size // 2, start + size
        cut = max(text.rfind(mark, half, end) + 1 for mark in (". ", "\n", "。", "! ", "? "))
        end = cut or end
        yield text[start:end]
        start = end
