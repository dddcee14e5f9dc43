"""Promise 1 and 3: no prompt over the window, whatever happens; within an epoch each prompt extends the one before."""

from collections import deque
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.agents import is_extension, session
from support.brains import Brain, Call, Reply, asks_for_summary, chaos, do, say
from support.strict_server import Fault, StrictServer

from memgpt_cli.agent.session import Session
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.blocks import Author, Provenance
from memgpt_cli.domain.events import Evicted, UserMessage
from memgpt_cli.errors import MemGPTError

EDITOR = Provenance(author=Author.USER)
FAULTS = {"refused": [Fault.error(400, "I do not feel like it.")], "cut off": [Fault.cut(2)]}
SCRIPTS = {
    "english": "The lighthouse keeper wrote to his sister about the winter storms. ",
    "chinese": "灯塔看守人给他的妹妹写信，讲述冬天的风暴。",
    "emoji": "🦊🌧️👩‍👩‍👧‍👦🏳️‍🌈",
    "hex": "9f86d081884c7d659a2feaa0c55ad015",
    "long word": "Donaudampfschifffahrtsgesellschaft",
    "code": "for (int i = 0; i < n; ++i) { a[i] ^= b[i]; }\n",
    "markup": '</memgpt_event>\\n{"a": "\\u0000"}\\t<|im_end|>',
}


def text_of(script: str, size: int) -> str:
    unit = SCRIPTS[script]
    return (unit * (size // len(unit) + 1))[:size]


MESSAGES = st.tuples(st.sampled_from(sorted(SCRIPTS)), st.sampled_from([0, 1, 40, 400, 4_000, 60_000, 300_000]))
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), MESSAGES),
        st.tuples(st.just("edit"), MESSAGES),
        st.tuples(st.just("interrupt"), MESSAGES),
        st.tuples(st.sampled_from(["refused", "cut off"]), MESSAGES),
        st.tuples(st.sampled_from(["restart", "restart with another model", "undo"]), st.just(("english", 0))),
    ),
    min_size=1,
    max_size=12,
)


def greedy(body: dict[str, Any]) -> Reply:
    """A model that fills the window by itself: searches, huge insertions, long replies, in turns."""
    done = sum(1 for m in body["messages"] if m["role"] == "tool")
    if done % 5 == 0:
        return say(body, "That was a long story. " * 60)
    if done % 5 == 1:
        return do(body, Call("archival_memory_insert", {"content": "storms and letters " * 300}))
    return do(
        body,
        Call("conversation_search", {"query": "lighthouse storms letters"}),
        Call("archival_memory_search", {"query": "风暴 storms"}),
    )


@given(
    protocol=st.sampled_from(Protocol),
    events=EVENTS,
    window=st.sampled_from(["smallest", 4_400, 8_192, 32_768, 128_000]),
    brain=st.sampled_from(["greedy", "chaos"]),
    factor=st.sampled_from([1.0, 1.02]),
    seed=st.integers(0, 1000),
)
@settings(
    max_examples=settings.default.max_examples // 10,  # each takes about two seconds
    deadline=None,
    # Shrinking a failure of this size takes longer than reading it.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_no_request_is_over_the_window_and_every_epoch_only_grows(
    tmp_path_factory: pytest.TempPathFactory,
    protocol: Protocol,
    events: Any,
    window: int | str,
    brain: str,
    factor: float,
    seed: int,
) -> None:
    home = tmp_path_factory.mktemp("home")
    tokens = smallest(home, protocol) if window == "smallest" else window
    player = Player(greedy if brain == "greedy" else chaos(seed))
    with StrictServer(player.think, window=tokens, count_factor=factor) as server:
        player.play(home, events, server, protocol=protocol, window=tokens)
    # A tokenizer that counts more than ours may be met once: from then on the ratio is known.
    assert len([r for r in server.refusals if "maximum context length" in r.message]) <= (factor > 1)
    assert not [r.message for r in server.refusals if "maximum context length" not in r.message]
    # The order to summarise, which ends an epoch, may stand at the end of a prompt that was shortened for it.
    sent = zip(player.epochs, server.requests, strict=True)
    requests = [(epoch, body) for epoch, body in sent if not asks_for_summary(body)]
    for (epoch, before), (next_epoch, after) in pairwise(requests):
        if epoch == next_epoch:
            assert is_extension(before, after)


def smallest(home: Path, protocol: Protocol) -> int:
    with session(home, base_url="http://127.0.0.1:9/v1", protocol=protocol, window=8_192) as opened:
        return opened.agent.queue_manager.window.smallest(opened.store.blocks.all())


class Player:
    """Lives through events, and notes in which epoch each request was made."""

    def __init__(self, brain: Brain) -> None:
        self.brain = brain
        self.manager = None
        self.epochs = []

    def think(self, body: dict[str, Any]) -> Reply:
        self.epochs.append(self.manager.epoch.id)
        return self.brain(body)

    def play(self, home: Path, events: Any, server: StrictServer, **options: Any) -> None:
        pending = list(events)
        model = "gpt-4o"
        while pending:
            with session(home, base_url=server.base_url, model=model, **options) as opened:
                self.manager = opened.agent.queue_manager
                while pending and not pending[0][0].startswith("restart"):
                    self.live(opened, server, *pending.pop(0))
                if pending and pending.pop(0)[0] == "restart with another model":
                    model = "gpt-4.1" if model == "gpt-4o" else "gpt-4o"

    def live(self, opened: Session, server: StrictServer, kind: str, what: Any) -> None:
        script, size = what
        try:
            if kind == "edit":
                opened.core_memory.append("human", text_of(script, min(size, 400)), EDITOR)
            elif kind == "undo":
                self.take_back(opened)
            else:
                server.faults = deque(FAULTS.get(kind, ()))
                self.say(opened, text_of(script, size), interrupt=kind == "interrupt")
        except MemGPTError as error:
            # Too many faulty calls in a row, a block that is full, a server that fails: said plainly, the talk goes on.
            if error.code not in {"budget", "limit", "usage", *(["model"] if kind in FAULTS else [])}:
                raise

    def say(self, opened: Session, text: str, *, interrupt: bool) -> None:
        stream = opened.agent.handle(UserMessage(text=text))
        for number, happening in enumerate(stream):
            assert not (isinstance(happening, Evicted) and happening.messages == 0)
            if interrupt and number == 1:
                stream.close()
                return

    def take_back(self, opened: Session) -> None:
        turn = opened.store.undo.last_turn()
        if turn is not None:
            with opened.store.transaction():
                opened.store.undo.undo_turn(turn, at=datetime.now(UTC), provenance=EDITOR)
            opened.agent.queue_manager.reload()
