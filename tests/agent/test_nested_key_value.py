"""Nested key-value retrieval (Packer et al. 2023, section 3.2.3) by an ideal policy: it follows what the text says.

A key's value may be a key itself. The policy searches archival storage for the value that it was shown last, until no
passage has it as its key. It reads nothing but result texts.
"""

import random
import re
import uuid
from itertools import pairwise
from pathlib import Path

import pytest
from support.agents import reply, run, session, steps
from support.brains import Body, Brain, Call, Reply, asks_for_summary, do, last_user_text, say, summarise
from support.strict_server import StrictServer

from memgpt_cli.domain.blocks import Author, Provenance

PAIRS = 140
WINDOW = 4_096
MOST_TOKENS = 12_000
"""Measured: 11,877 at six levels, of which nine times 848 are instructions, functions and memory blocks."""

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def chain(levels: int, seed: int) -> tuple[list[tuple[str, str]], str, str]:
    """Pairs among which one key leads, over `levels` keys that are values, to a value that is not a key."""
    source = random.Random(seed)
    keys = [str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(2 * PAIRS)]
    nested, plain = keys[: levels + 2], keys[levels + 2 :]
    pairs = list(pairwise(nested))
    pairs += [(plain[2 * n], plain[2 * n + 1]) for n in range(PAIRS - len(pairs))]
    source.shuffle(pairs)
    return pairs, nested[0], nested[-1]


def follows_keys() -> Brain:
    """Searches for a key, then for the value it was shown, and answers with the first value that is not a key."""
    wanted = ""

    def brain(body: Body) -> Reply:
        nonlocal wanted
        if asks_for_summary(body):
            return summarise(body)
        if not wanted:
            wanted = re.findall(_UUID, last_user_text(body))[-1]
        else:
            shown = next(m["content"] for m in reversed(body["messages"]) if m["role"] == "tool")
            value = dict(re.findall(rf"key ({_UUID}) has value ({_UUID})", shown)).get(wanted)
            if value is None:
                return say(body, wanted)
            wanted = value
        return do(body, Call("archival_memory_search", {"query": wanted}))

    return brain


@pytest.mark.parametrize("levels", range(7))
def test_an_ideal_policy_needs_two_searches_more_than_there_are_levels(tmp_path: Path, levels: int) -> None:
    pairs, first, last = chain(levels, seed=levels)
    with (
        StrictServer(follows_keys()) as server,
        session(tmp_path, base_url=server.base_url, window=WINDOW) as agent,
    ):
        with agent.store.transaction():
            for key, value in pairs:
                agent.archival.insert(f"key {key} has value {value}", provenance=Provenance(author=Author.USER))
        agent.index.flush()
        happened = run(agent, f"What is the value of {first}, followed to its end?")
        assert reply(happened) == last
        taken = steps(happened)
        assert len(taken) - 1 <= levels + 2
        tokens = sum(step.record.usage.prompt_tokens for step in taken)
        assert tokens <= MOST_TOKENS
