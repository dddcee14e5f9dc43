"""Test what a model and its endpoint can do, with a few real calls. A failure is a finding, not an error."""

from __future__ import annotations

import struct
import time
import zlib
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.chat import CallDelta, ChatRequest, PromptMessage, TextDelta, ThoughtDelta, ToolSchema, Usage
from memgpt_cli.domain.pictures import Picture
from memgpt_cli.errors import MemGPTError, ModelError, UsageError
from memgpt_cli.services.endpoints import LISTING_S, serves

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from memgpt_cli.bootstrap import ModelChoice, Workspace
    from memgpt_cli.domain.chat import Delta
    from memgpt_cli.domain.settings import ModelSettings
    from memgpt_cli.ports import ChatModel

MOST_CALLS: Final = 4
"""Maximum model calls of one test."""
CALL_S: Final = 60.0
"""Seconds after which a call counts as failed, in total or without data."""
_REPLY_TOKENS: Final = 512
_SIDE: Final = 64
"""Pixels; several vision models refuse smaller pictures than 28."""

_TOOL: Final = ToolSchema(
    name="note_word",
    description="Note a word.",
    parameters={
        "type": "object",
        "properties": {"word": {"type": "string", "description": "The word to note."}},
        "required": ["word"],
    },
)
_TALK: Final = "Count from 1 to 20 in digits, separated by commas. Write nothing else."
_ONE: Final = "Call the function note_word with the word apple. Write nothing else."
_TWO: Final = "Call the function note_word twice in one reply: once with apple and once with pear. Write nothing else."
_SEE: Final = "Which colour fills this picture? Answer with one word."


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One finding. `ok` is None if it is unknown. A `needed` one must be ok for memgpt to work."""

    what: str
    ok: bool | None
    says: str
    hint: str = ""
    needed: bool = False


@dataclass(slots=True)
class _Reply:
    """The result of one call; `pieces` counts the deltas of its text."""

    text: str = ""
    pieces: int = 0
    thoughts: bool = False
    calls: set[int] = field(default_factory=set)
    usage: Usage | None = None


class ModelTest:
    """Tests one model; iterate over `probes` once, then read the totals."""

    def __init__(self, workspace: Workspace, choice: ModelChoice) -> None:
        if choice.endpoint is None:
            raise UsageError(
                f"{choice.name} answers inside this program, so there is no endpoint to test",
                hint="memgpt models test NAME, or --model MODEL --base-url URL",
            )
        self._workspace = workspace
        self.choice = replace(
            choice,
            settings=replace(choice.settings, timeout_s=min(choice.settings.timeout_s, CALL_S), max_retries=0),
        )
        self.host = choice.endpoint.host
        self.calls = 0
        self.usage = Usage()
        self._replies: list[_Reply] = []

    @property
    def cost_usd(self) -> float | None:
        """Return the cost of the calls; None if a price is unknown."""
        if self.usage.cost_usd is not None:
            return self.usage.cost_usd
        prices, used = self.choice.settings, self.usage
        if prices.input_usd_per_million is None or prices.output_usd_per_million is None:
            return None
        millions = used.prompt_tokens * prices.input_usd_per_million
        return (millions + used.completion_tokens * prices.output_usd_per_million) / 1e6

    def probes(self) -> Iterator[Probe]:
        """Yield the findings, each as soon as it is known; a failure that makes the rest pointless ends the test."""
        listed, found = self._listing()
        yield from found
        if any(probe.needed and probe.ok is False for probe in found):
            return
        try:
            model = self._workspace.models.connect(self.choice)
        except MemGPTError as error:
            yield _failed("reply", error, needed=True)
            return
        with closing(model):
            talk = self._asked(model, _TALK)
            if isinstance(talk, MemGPTError):
                yield _failed("reply", talk, needed=True)
                return
            yield Probe(what="reply", ok=bool(talk.text), says=_quoted(talk.text), needed=True)
            yield _streaming(talk)
            yield from self._functions(model)
            yield self._images(model)
        yield self._usage()
        yield self._reasoning()
        yield self._window(listed)

    def essentials(self) -> Iterator[Probe]:
        """Yield what memgpt requires: the endpoint, the model, and function calls; one or two calls."""
        _, found = self._listing()
        yield from found
        if any(probe.needed and probe.ok is False for probe in found):
            return
        try:
            model = self._workspace.models.connect(self.choice)
        except MemGPTError as error:
            yield _failed("functions", error, needed=True)
            return
        with closing(model):
            yield next(self._functions(model))

    def _listing(self) -> tuple[Sequence[ModelSettings], list[Probe]]:
        """Return the listed models and a finding; a server may serve models that it does not list."""
        try:
            listed = self._workspace.models.served_by(self.choice, timeout_s=LISTING_S)
        except ModelError as error:
            unreachable = error.transient or "cannot be reached" in error.message
            ok = False if unreachable else None
            return (), [Probe(what="endpoint", ok=ok, says=error.message, hint=error.hint, needed=True)]
        except MemGPTError as error:
            return (), [_failed("endpoint", error, needed=True)]
        names = [model.name for model in listed]
        name = self.choice.name
        known = serves(names, name) if names else None
        says = f"{self.host} lists {name}" if known else f"{self.host} does not list {name}"
        return listed, [
            Probe(what="endpoint", ok=True, says=f"{self.host} answers and lists {len(names):,} models", needed=True),
            Probe(what="model", ok=known, says=says, hint="" if known else "memgpt models --online"),
        ]

    def _asked(
        self,
        model: ChatModel,
        text: str,
        *,
        tools: tuple[ToolSchema, ...] = (),
        picture: Picture | None = None,
    ) -> _Reply | MemGPTError:
        """Make one call; return the model's reply, or the error."""
        message = PromptMessage(role="user", content=text, picture=picture)
        request = ChatRequest(model=model.name, messages=(message,), tools=tools, max_tokens=_REPLY_TOKENS)
        self.calls += 1
        reply, end = _Reply(), time.monotonic() + CALL_S
        self._replies.append(reply)
        try:
            with closing(_deltas(model, request)) as deltas:
                for delta in deltas:
                    if time.monotonic() > end:
                        return ModelError(f"the reply was not complete after {CALL_S:.0f} seconds")
                    _take(reply, delta)
        except MemGPTError as error:
            return error
        if reply.usage is not None:
            self.usage = _sum(self.usage, reply.usage)
        return reply

    def _functions(self, model: ChatModel) -> Iterator[Probe]:
        """Yield whether functions are called; memory requires them. Two are requested at once, and then one."""
        two = self._asked(model, _TWO, tools=(_TOOL,))
        calls = 0 if isinstance(two, MemGPTError) else len(two.calls)
        one = two if calls else self._asked(model, _ONE, tools=(_TOOL,))
        if isinstance(one, MemGPTError):
            yield _failed("functions", one, needed=True)
            yield Probe(what="parallel calls", ok=None, says="not tried")
            return
        says = "calls functions when asked" if one.calls else f"called no function when asked, said {_quoted(one.text)}"
        hint = "" if one.calls else "choose a model that is made for calling functions (tools)"
        yield Probe(what="functions", ok=bool(one.calls), says=says, hint=hint, needed=True)
        told = f"{calls} calls in one reply" if calls > 1 else "one call in a reply; each further one is a step"
        yield Probe(what="parallel calls", ok=calls > 1, says=told)

    def _images(self, model: ChatModel) -> Probe:
        seen = self._asked(model, _SEE, picture=Picture(name="red.png", kind="image/png", content=_red_png()))
        if isinstance(seen, MemGPTError):
            return Probe(what="images", ok=False, says=seen.message)
        if "red" not in seen.text.lower():
            return Probe(
                what="images", ok=False, says=f"a red picture was accepted, but described as {_quoted(seen.text)}"
            )
        hint = "" if self.choice.settings.images else "memgpt config set model.images true, or --images in the profile"
        return Probe(what="images", ok=True, says="saw that a picture is red", hint=hint)

    def _usage(self) -> Probe:
        reported = sum(reply.usage is not None for reply in self._replies)
        says = f"{reported} of {self.calls} calls reported their tokens"
        return Probe(what="usage", ok=reported > 0, says=says)

    def _reasoning(self) -> Probe:
        seen = any(reply.thoughts for reply in self._replies)
        return Probe(what="reasoning", ok=seen, says="reasoning was reported" if seen else "no reasoning was reported")

    def _window(self, listed: Sequence[ModelSettings]) -> Probe:
        """Compare the model's context with the window in use."""
        learned = self._workspace.models.windows.asked(self.choice)
        name, used = learned.name, learned.window
        own = next((m.context for m in listed if serves([m.name], name)), None) or self.choice.settings.context
        if own is None and learned.window_from is not None:
            return Probe(what="window", ok=True, says=f"memgpt uses {used:,} tokens ({learned.window_from})")
        if own is None:
            says = f"the server does not say; memgpt uses {used:,} tokens"
            return Probe(what="window", ok=None, says=says, hint="set it to the server's: --window TOKENS")
        says = f"{own:,} tokens; memgpt uses {used:,}"
        return Probe(what="window", ok=used <= own, says=says, hint="" if used <= own else f"--window {own}")


def report(test: ModelTest, probes: Sequence[Probe]) -> dict[str, Any]:
    """Return a finished test as JSON (docs/schemas/models-test.schema.json)."""
    choice = test.choice
    return {
        "profile": choice.profile.name if choice.profile else None,
        "model": choice.name,
        "base_url": choice.endpoint.base_url if choice.endpoint else None,
        "provider": choice.endpoint.provider.value if choice.endpoint else None,
        "works": works(probes),
        "probes": [{"what": p.what, "ok": p.ok, "says": p.says, "hint": p.hint, "needed": p.needed} for p in probes],
        "calls": test.calls,
        "prompt_tokens": test.usage.prompt_tokens,
        "completion_tokens": test.usage.completion_tokens,
        "cost_usd": test.cost_usd,
    }


def works(probes: Sequence[Probe]) -> bool:
    """Whether memgpt can work with these findings."""
    return any(probe.what == "functions" for probe in probes) and not any(
        probe.needed and probe.ok is False for probe in probes
    )


def _deltas(model: ChatModel, request: ChatRequest) -> Generator[Delta, None, None]:
    """Yield the deltas, as a generator that can be closed."""
    yield from model.stream(request)


def _take(reply: _Reply, delta: object) -> None:
    match delta:
        case TextDelta(text=text):
            reply.text += text
            reply.pieces += 1
        case ThoughtDelta():
            reply.thoughts = True
        case CallDelta(index=index, name=name) if name:
            reply.calls.add(index)
        case Usage():
            reply.usage = delta


def _sum(one: Usage, other: Usage) -> Usage:
    costs = [usage.cost_usd for usage in (one, other) if usage.cost_usd is not None]
    return Usage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cost_usd=sum(costs) if costs else None,
    )


def _streaming(talk: _Reply) -> Probe:
    if not talk.text:
        return Probe(what="streaming", ok=None, says="there was no text to see it by")
    says = f"the reply came in {talk.pieces} pieces" if talk.pieces > 1 else "the reply came in one piece"
    return Probe(what="streaming", ok=talk.pieces > 1, says=says)


def _failed(what: str, error: MemGPTError, *, needed: bool = False) -> Probe:
    return Probe(what=what, ok=False, says=error.message, hint=error.hint, needed=needed)


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _SIDE else f"{line[:_SIDE]}…") if line else "nothing"


def _red_png() -> bytes:
    """Return a red picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xff\0\0" * _SIDE) * _SIDE
    pieces = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pieces
