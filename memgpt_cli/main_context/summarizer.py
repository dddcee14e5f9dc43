"""The recursive summary at the head of the queue: old summary + evicted messages = new summary (the paper's §2.2)."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from memgpt_cli.domain.chat import (
    ChatRequest,
    CutDelta,
    PromptMessage,
    RetractDelta,
    TextDelta,
    ThoughtDelta,
    ToolSchema,
    Usage,
)
from memgpt_cli.domain.messages import Message
from memgpt_cli.errors import APIKeyError, ConfigError, ModelError, ReplyLengthError
from memgpt_cli.facts.reply import divide
from memgpt_cli.main_context.extractive import extract
from memgpt_cli.main_context.rendering import escape
from memgpt_cli.main_context.tokens import PRIMING, count_message, count_request
from memgpt_cli.main_context.transcript import spoken_lines, transcript
from memgpt_cli.ports import ChatModel, PromptSource, TokenCounter

EXTRACTIVE: Final = "extractive"

_ALONE: Final = "Answer with the summary alone."
"""The end of the summary prompt, which does not hold where facts are asked for too."""

FEWEST_TOKENS: Final = 16
"""A summary with fewer tokens is useless, so none is requested."""

_FAILURES: Final = (ModelError, APIKeyError, ConfigError)
"""Errors that an extract replaces. A BudgetError is not one of them: the eviction is postponed, not degraded."""

_SENTENCE_ENDS: Final = (". ", "\n", "。", "! ", "? ")

Afford = Callable[[int, int], None]
"""Called before each call with the tokens of its prompt and of its longest reply; raises BudgetError to stop it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryCall:
    """One model call made for a summary."""

    model: str
    usage: Usage
    usage_reported: bool
    counted: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The new summary, its author (a model, or `extractive`), its calls, and the model's error, if there was one."""

    text: str
    by: str
    calls: tuple[SummaryCall, ...] = ()
    failure: str = ""
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsPart:
    """A request for facts after the summary: its words, and the tokens of the reply that they may take."""

    order: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InPlace:
    """The prompt that the model has just seen, with the instruction to summarise at its end.

    With `facts`, `reply` is how many tokens the window has for the reply.
    """

    messages: tuple[PromptMessage, ...]
    tools: tuple[ToolSchema, ...]
    facts: FactsPart | None = None
    reply: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The input of a summary: the previous summary and the leaving messages.

    `core_memory` is its snapshot, which stays visible; `question` is the message that is being answered, if messages of
    its turn leave.
    """

    previous: str
    evicted: Sequence[Message]
    core_memory: str = ""
    question: str = ""
    facts: FactsPart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits in tokens, as the counter counts them: of the summary, of the largest prompt, and of the usual reply."""

    summary: int
    room: int
    reply: int


@dataclass(slots=True)
class _Work:
    """A summary in progress: its calls so far."""

    model: ChatModel
    bounds: Bounds
    afford: Afford
    calls: list[SummaryCall] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)

    def take(self, answer: "_Answer", facts: FactsPart | None) -> str:
        """Return the summary in a reply, and keep the facts after it, if they were asked for."""
        text, found = answer.text, None
        if facts is not None:
            text, found = (reply := divide(text)).summary, reply.facts
        if found is not None:
            self.facts.append(found)
        return (_whole_sentences(text) if answer.cut and found is None else text).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """A reply as it came. `starved`: reasoning used up its tokens before it was complete."""

    text: str
    cut: bool
    starved: bool


class Summarizer:
    """Makes summaries with a model, or by extraction if there is no model or it fails.

    The agent's own model is first asked at the end of the prompt that it has just seen: the provider serves nearly all
    of it from its cache, and the model sees more than an excerpt. If a model spends its tokens on reasoning, the
    request is repeated with more tokens.
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
        self._reasons = False

    def summarise(
        self, material: Material, bounds: Bounds, *, afford: Afford, in_place: InPlace | None = None
    ) -> Summary:
        """Fold the evicted messages into the previous summary, within `bounds.summary` tokens.

        `in_place` is the prompt that the model has seen, if it may be asked there. Raises BudgetError.
        """
        lines = transcript(material.evicted, self._zone)
        if bounds.summary < FEWEST_TOKENS or not lines:
            return Summary(text=self.fit(material.previous, bounds.summary), by=EXTRACTIVE)
        if self._model is None:
            return Summary(text=self._extract(material.previous, lines, bounds.summary), by=EXTRACTIVE)
        work = _Work(self._model, bounds, afford)
        text, failure = "", "it gave no text"
        if in_place is not None:
            with suppress(*_FAILURES):  # a failure here is followed by a separate prompt
                text = self._asked_in_place(work, in_place)
        try:
            text = text or self._asked_apart(work, material, lines)
        except _FAILURES as error:
            failure = error.message
        if text:
            return Summary(text=text, by=self._model.name, calls=tuple(work.calls), facts=tuple(work.facts))
        text = self._extract(material.previous, lines, bounds.summary)
        return Summary(text=text, by=EXTRACTIVE, calls=tuple(work.calls), failure=failure)

    def order_in_place(self, leaving: str, max_tokens: int, facts: FactsPart | None = None) -> str:
        """Return the instruction at the end of the model's own prompt; `leaving` says which messages leave."""
        order = self._order(max_tokens, facts)
        return f"The window is full. {leaving} Do not answer the person and do not call a function now. {order}"

    def _order(self, max_tokens: int, facts: FactsPart | None) -> str:
        order = self._prompts.render("summary", {"max_words": _words(max_tokens)})
        return order if facts is None else f"{order.removesuffix(_ALONE).rstrip()} {facts.order}"

    def _asked_in_place(self, work: _Work, prompt: InPlace) -> str:
        """Return the summary, or an empty string if the model returned no text."""
        for most in self._allowances(work.bounds.summary, work.bounds.reply):
            longest = most + (prompt.facts.tokens if prompt.facts else 0)
            request = ChatRequest(
                model=work.model.name,
                messages=prompt.messages,
                tools=prompt.tools,
                max_tokens=longest if prompt.reply is None else min(longest, prompt.reply),
                may_call=False,
            )
            answer = self._ask(work, request)
            if not answer.starved:
                return self.fit(work.take(answer, prompt.facts), work.bounds.summary)
        return ""

    def _asked_apart(self, work: _Work, material: Material, lines: Sequence[str]) -> str:
        for most in self._allowances(work.bounds.summary, 2 * work.bounds.reply):
            text = self._folded(work, material, lines, most)
            if text:
                return text
        return ""

    def _folded(self, work: _Work, material: Material, lines: Sequence[str], most: int) -> str:
        """Fold each part that fits the window into the summary; empty if one call returned no text."""
        text = material.previous
        work.facts.clear()
        most += material.facts.tokens if material.facts else 0
        room = work.bounds.room - max(0, most - work.bounds.reply)
        for part in self._parts(material, lines, work.bounds.summary, room):
            messages = self._messages(material, text, part, work.bounds.summary)
            request = ChatRequest(model=work.model.name, messages=messages, max_tokens=most)
            answer = self._ask(work, request)
            summary = work.take(answer, material.facts)
            if answer.starved or not summary:
                return ""
            text = self.fit(summary, work.bounds.summary)
        return text

    def _allowances(self, usual: int, most: int) -> tuple[int, ...]:
        """Return the tokens for the reply of each try; a model that reasons needs more than the summary."""
        if most <= usual:
            return (usual,)
        return (most,) if self._reasons else (usual, most)

    def _ask(self, work: _Work, request: ChatRequest) -> _Answer:
        counted = count_request(self._counter, request)
        work.afford(counted, request.max_tokens or 0)
        text, thought, cut, usage = "", "", False, Usage()
        started = time.monotonic()
        try:
            for delta in work.model.stream(request):
                if isinstance(delta, TextDelta):
                    text += delta.text
                elif isinstance(delta, ThoughtDelta):
                    thought += delta.text
                elif isinstance(delta, RetractDelta):
                    thought, text = thought + text, ""
                elif isinstance(delta, CutDelta):
                    cut = True
                elif isinstance(delta, Usage):
                    usage = delta
        except ReplyLengthError:
            cut = True
        seconds = time.monotonic() - started
        reported = usage.prompt_tokens > 0
        if not reported:
            written = self._counter.count(thought + text) or (cut and request.max_tokens) or 0
            usage = Usage(prompt_tokens=counted, completion_tokens=written)
        work.calls.append(
            SummaryCall(model=request.model, usage=usage, usage_reported=reported, counted=counted, seconds=seconds)
        )
        silent = not text.strip()
        starved = bool((silent and (thought or cut)) or (thought and cut))
        self._reasons = self._reasons or starved or bool(thought)
        return _Answer(text=text, cut=cut, starved=starved)

    def _messages(self, material: Material, previous: str, part: str, max_tokens: int) -> tuple[PromptMessage, ...]:
        order = [self._order(max_tokens, material.facts)]
        if material.core_memory:
            order.append(f"This is the core memory, which stays in view:\n{material.core_memory}")
        content = [
            f"Summary so far:\n{escape(previous) or '(nothing yet)'}",
            f"Messages that leave the window:\n{part}",
        ]
        if material.question:
            content.append(f"(This message is being answered now, and stays: {material.question})")
        return (
            PromptMessage(role="system", content="\n\n".join(order)),
            PromptMessage(role="user", content="\n\n".join(content)),
        )

    def _parts(self, material: Material, lines: Sequence[str], max_tokens: int, room: int) -> Iterator[str]:
        """Split the lines into as few parts as fit the model's window together with the longest summary."""
        empty = sum(count_message(self._counter, m) for m in self._messages(material, "", "", max_tokens))
        room = max(128, room - empty - PRIMING - 32 - max(max_tokens, self._counter.count(material.previous)))
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

    def _extract(self, previous: str, lines: Sequence[str], max_tokens: int) -> str:
        old = self.fit(previous, max_tokens // 2)
        left = max_tokens - self._counter.count(old) - 1
        return f"{old}\n{extract(spoken_lines(lines), max_tokens=left, count=self._counter.count)}".strip()

    def fit(self, text: str, max_tokens: int) -> str:
        """Return the beginning of a text that fits, cut after a sentence or a line if possible."""
        return next(iter(pieces_of(text, max_tokens, self._counter.count)), "") if max_tokens > 0 else ""


def _words(max_tokens: int) -> str:
    return str(max(10, max_tokens * 6 // 10))


def _whole_sentences(text: str) -> str:
    """Remove the sentence that was cut off, unless it is half of the text."""
    end = max(text.rfind(mark) + 1 for mark in _SENTENCE_ENDS)
    return text[:end] if end > len(text) // 2 else text


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
        cut = max(text.rfind(mark, half, end) + 1 for mark in _SENTENCE_ENDS)
        end = cut or end
        yield text[start:end]
        start = end
