"""The main context of one agent: what stands in it, what that costs in tokens, and what fits.

The window only counts and lays out; deciding what leaves it is the queue manager's work.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from memgpt_cli.domain.agents import Epoch
from memgpt_cli.domain.blocks import Block
from memgpt_cli.domain.chat import PromptMessage, ToolSchema
from memgpt_cli.domain.messages import Message
from memgpt_cli.domain.settings import WindowSettings
from memgpt_cli.errors import LimitError
from memgpt_cli.main_context import core_memory
from memgpt_cli.main_context.rendering import VERSION, Renderer
from memgpt_cli.main_context.tokens import PRIMING, count_message, count_tools
from memgpt_cli.ports import TokenCounter

SMALLEST_QUEUE: Final = 256
"""Tokens that the queue must at least have beside the fixed prompt, the blocks and the reserve."""

SMALLEST_BLOCK: Final = 256
"""Tokens that each block must at least be able to hold, where its limit allows it."""

LARGE_QUEUE: Final = 2_048
"""Tokens of a queue that is large enough: what a window has beyond it, blocks may take."""

BLOCK_FRAME: Final = core_memory.FRAME_TOKENS
"""Tokens allowed for a block's own tag in the snapshot."""

LOWEST_RATIO: Final = 0.8
"""An estimate may be corrected down to this share: the next text may be in a script that it counts worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """The part of the prompt that no conversation changes: the system instructions and the function schemas."""

    text: str
    tools: tuple[ToolSchema, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowUsage:
    """Tokens by part, each as it is counted against the window (corrected by the model's ratio, rounded up)."""

    instructions: int
    functions: int
    core_memory: int
    summary: int
    queue: int

    @property
    def total(self) -> int:
        """What the next prompt costs."""
        return self.instructions + self.functions + self.core_memory + self.summary + self.queue


class Window:
    """Counts and lays out prompts of one model in one protocol.

    `ratio` multiplies our counts by what this model's server has been seen to count (None: not seen yet, taken as 1.0).
    """

    def __init__(
        self,
        *,
        settings: WindowSettings,
        instructions: Instructions,
        renderer: Renderer,
        counter: TokenCounter,
        model: str,
        ratio: float | None = None,
    ) -> None:
        self.settings = settings
        self.instructions = instructions
        self.renderer = renderer
        self.counter = counter
        self.model = model
        self.ratio = 1.0
        self.learn(ratio)
        self._tools = count_tools(counter, instructions.tools)
        self._fixed = count_message(counter, PromptMessage(role="system", content=instructions.text)) + PRIMING
        self._message_tokens: dict[tuple[int, bool], int] = {}
        self._rendered: dict[tuple[int, bool], PromptMessage] = {}
        self._head_tokens: tuple[Sequence[PromptMessage], tuple[int, ...]] = ((), ())

    @property
    def room(self) -> int:
        """Tokens that a prompt may take: the window without the reserve for the reply."""
        return self.settings.window - self.settings.reserved

    @property
    def limit(self) -> int:
        """Tokens at which eviction begins; never over `room`."""
        return min(self.room, int(self.room * self.settings.evict_at))

    @property
    def fixed(self) -> int:
        """Tokens of the instructions and the schemas."""
        return self.corrected(self._fixed) + self.corrected(self._tools)

    def fingerprint(self) -> str:
        """Identifies what an epoch's head is made of besides memory; another one needs another epoch."""
        made_of = [
            VERSION,
            self.model,
            self.renderer.origin,
            self.renderer.protocol,
            str(self.renderer.zone),
            self.instructions.text,
            [tool.to_wire() for tool in self.instructions.tools],
        ]
        return hashlib.sha256(json.dumps(made_of, ensure_ascii=False).encode()).hexdigest()[:32]

    def learn(self, ratio: float | None) -> None:
        """Take over what calibration says. An exact table is never corrected downwards, an estimate hardly."""
        if ratio is not None:
            self.ratio = max(ratio, 1.0 if self.counter.exact else LOWEST_RATIO)

    def corrected(self, tokens: int) -> int:
        """Our count as it is held against the window."""
        return math.ceil(tokens * self.ratio)

    def count_text(self, text: str) -> int:
        """Tokens of a bare text, corrected."""
        return self.corrected(self.counter.count(text))

    @property
    def core_room(self) -> int:
        """Corrected tokens that all blocks together may take: at least half of what the fixed prompt leaves."""
        left = max(0, self.room - self.fixed)
        return max(left // 2, left - LARGE_QUEUE)

    def check_core(self, blocks: Sequence[Block]) -> None:
        """Raise LimitError when blocks that are about to be written take more than this window has for them."""
        held = self._blocks_as_they_are(blocks)
        if held > self.core_room:
            raise LimitError(
                f"all memory blocks together would take {held} tokens, this window of {self.settings.window} has"
                f" {self.core_room} for them; nothing was changed",
                hint="shorten something in them, or use archival storage",
            )

    def check(self, blocks: Sequence[Block]) -> None:
        """Raise LimitError, with the numbers, when this window cannot hold its fixed prompt and its blocks.

        What a server counts beyond our own count makes the smallest window larger. That alone locks no agent out that
        has talked in this window before: then it is enough that the blocks fit as they are.
        """
        smallest = self.smallest(blocks)
        if self.settings.window < smallest and not self._fits_as_it_is(blocks):
            raise LimitError(
                f"a window of {self.settings.window} tokens is too small for this agent: instructions and functions"
                f" take {self.fixed}, its memory blocks {self._blocks_at_least(blocks)}, the conversation"
                f" {SMALLEST_QUEUE}, the reply the rest: {smallest} in all",
                hint=f"--window {smallest} or more, or smaller blocks, or a smaller window.reserve",
            )

    def _fits_as_it_is(self, blocks: Sequence[Block]) -> bool:
        least = (max(self.counter.count(b.value), _floor(b)) + BLOCK_FRAME for b in blocks)
        usual = self._fixed + self._tools + sum(least)
        return self.room >= max(usual, self.fixed + self._blocks_as_they_are(blocks)) + SMALLEST_QUEUE

    def smallest(self, blocks: Sequence[Block]) -> int:
        """The smallest window, in tokens, that this agent can live in, with the reserve that it would then have."""
        needed = self.fixed + self._blocks_at_least(blocks) + SMALLEST_QUEUE
        if self.settings.reserve:
            return needed + self.settings.reserve
        return next(w for w in count(needed) if w - replace(self.settings, window=w).reserved >= needed)

    def _blocks_as_they_are(self, blocks: Sequence[Block]) -> int:
        return sum(self.count_text(block.value) + self.corrected(BLOCK_FRAME) for block in blocks)

    def _blocks_at_least(self, blocks: Sequence[Block]) -> int:
        """What the blocks hold, or `SMALLEST_BLOCK` each where that is more and their limits allow it."""
        return sum(max(self.count_text(block.value), _floor(block)) + self.corrected(BLOCK_FRAME) for block in blocks)

    def _blocks_at_most(self, blocks: Sequence[Block]) -> int:
        """What the blocks can grow to: their limits, or the room for them in this window."""
        at_limit = sum(self.corrected(core_memory.token_limit(block) + BLOCK_FRAME) for block in blocks)
        return max(self._blocks_as_they_are(blocks), min(at_limit, self.core_room))

    def summary_cap(self, head: int) -> int:
        """The most tokens that a summary may take when the rest of the head takes `head`."""
        return max(
            0, min(int(self.room * self.settings.summary_share), (self.room - head) // 4, self.settings.reserved)
        )

    def message_cap(self, blocks: Sequence[Block]) -> int:
        """The largest message, in corrected tokens, that the queue takes whole; a larger one is paged out."""
        left = self.room - self.fixed - self._blocks_at_most(blocks)
        return max(64, min(int(self.room * self.settings.message_share), left // 2))

    def result_cap(self, used: int, calls: int) -> int:
        """Tokens that each result of a step with `calls` calls may take, in a prompt of `used` tokens so far."""
        left = max(self.room - used, (self.room - self.fixed) // 3)
        return max(48, min(int(self.room * self.settings.result_share), left // (2 * max(1, calls))))

    def page_cap(self) -> int:
        """Tokens that the result of a call by itself may take in any prompt, however full it is."""
        return max(48, min(int(self.room * self.settings.result_share), (self.room - self.fixed) // 6))

    def head(self, blocks: Sequence[Block], statistics: str, summary: str, hidden: int) -> tuple[PromptMessage, ...]:
        """The beginning of every prompt of an epoch."""
        system = "\n\n".join([self.instructions.text, core_memory.snapshot(blocks), statistics])
        messages = [PromptMessage(role="system", content=system)]
        if summary or hidden:
            left = f"{hidden} earlier messages" if hidden else "Earlier function calls"
            intro = f"{left} have left this window. They are in recall storage: find them with conversation_search."
            text = f"{intro} Summary of them:\n{summary}" if summary else intro
            messages.append(PromptMessage(role="user", content=self.renderer.event("summary", text, None)))
        return tuple(messages)

    def head_tokens(self, head: Sequence[PromptMessage]) -> int:
        """Tokens of a head and the schemas."""
        counted = sum(self.corrected(count_message(self.counter, message)) for message in head)
        return counted + self.corrected(PRIMING) + self.corrected(self._tools)

    def message(self, message: Message) -> PromptMessage:
        """A queue message as the model sees it."""
        key = (message.id, message.stub is not None)
        rendered = self._rendered.get(key)
        if rendered is None:
            rendered = self.renderer.message(message)
            if message.id:
                self._rendered[key] = rendered
        return rendered

    def message_tokens(self, message: Message) -> int:
        """Corrected tokens of a queue message."""
        key = (message.id, message.stub is not None)
        tokens = self._message_tokens.get(key)
        if tokens is None or not message.id:
            tokens = count_message(self.counter, self.message(message))
            if message.id:
                self._message_tokens[key] = tokens
        return self.corrected(tokens)

    def forget(self, messages: Sequence[Message]) -> None:
        """Drop what was remembered of messages that left the queue."""
        for message in messages:
            for stubbed in (False, True):
                self._message_tokens.pop((message.id, stubbed), None)
                self._rendered.pop((message.id, stubbed), None)

    def usage(self, epoch: Epoch, queue: Sequence[Message]) -> WindowUsage:
        """What the next prompt costs, by part."""
        head = self._count_head(epoch)
        fixed = self.corrected(self._fixed)
        system = self.corrected(head[0]) + self.corrected(PRIMING)
        return WindowUsage(
            instructions=fixed,
            functions=self.corrected(self._tools),
            core_memory=max(0, system - fixed),
            summary=sum(self.corrected(tokens) for tokens in head[1:]),
            queue=sum(self.message_tokens(m) for m in queue),
        )

    def counted(self, epoch: Epoch, queue: Sequence[Message]) -> int:
        """Our own count of the next prompt, before any correction: what calibration compares with the server's."""
        for message in queue:
            self.message_tokens(message)
        messages = sum(self._message_tokens[m.id, m.stub is not None] for m in queue)
        return PRIMING + self._tools + sum(self._count_head(epoch)) + messages

    def _count_head(self, epoch: Epoch) -> tuple[int, ...]:
        if self._head_tokens[0] != epoch.head:  # by what it says: the id of a rehearsed epoch is given again
            self._head_tokens = (epoch.head, tuple(count_message(self.counter, m) for m in epoch.head))
        return self._head_tokens[1]

    def prompt(self, epoch: Epoch, queue: Sequence[Message]) -> tuple[PromptMessage, ...]:
        """The messages of the next request."""
        return (*epoch.head, *(self.message(m) for m in queue))


def _floor(block: Block) -> int:
    """Tokens that a block must at least be able to hold."""
    return min(core_memory.token_limit(block), SMALLEST_BLOCK)
