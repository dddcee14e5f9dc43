"""Long conversations against the strict server: nothing refused, nothing lost, and a prompt that mostly repeats."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.agents import session
from support.brains import memory_worker
from support.locomo import DEVELOPMENT_HALF, conversations, messages
from support.strict_server import StrictServer

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.events import Evicted, StepCommitted, UserMessage
from memgpt_cli.domain.messages import Role
from memgpt_cli.domain.search import RecallFilters

USERS = RecallFilters(roles=(Role.USER,))
TALK = (
    "we met the old painter near the harbour and she told us about her garden last summer while rain fell on the"
    " market my brother wants to move back to the mountains because work in the city has become too loud for him"
)
WORDS = TALK.split()


def small_talk(turns: int) -> Iterator[str]:
    source = random.Random(7)
    for n in range(turns):
        words = [source.choice(WORDS) for _ in range(source.randint(8, 40))]
        yield f"{n}: {' '.join(words)}{'?' if n % 10 == 3 else '.'}"


LONG = [
    pytest.param(300, window, share, marks=pytest.mark.long)
    for window, share in ((8_192, 0.90), (32_768, 0.97), (131_072, 0.99))
]


@pytest.mark.parametrize("protocol", [Protocol.NATIVE, Protocol.PAPER])
@pytest.mark.parametrize(("turns", "window", "share"), [(120, 8_192, 0.90), *LONG])
def test_long_talk_with_edits_is_accepted_whole_and_sent_as_a_repeated_prefix(
    tmp_path: Path, protocol: Protocol, turns: int, window: int, share: float
) -> None:
    talk = list(small_talk(turns))
    evictions = 0
    with StrictServer(memory_worker(edit_every=5), window=window, keep=4) as server:
        with session(tmp_path, base_url=server.base_url, protocol=protocol, window=window) as opened:
            for text in talk:
                evictions += sum(isinstance(h, Evicted) for h in opened.agent.handle(UserMessage(text=text)))
            kept = opened.store.messages.page(USERS, limit=1_000)
    print(f"{protocol} {window}: {server.repeated_share:.2%} of all prompt tokens repeated, {evictions} evictions")
    assert not server.refusals
    assert [m.text for m in reversed(kept)] == talk
    assert server.repeated_share >= share
    assert (evictions > 3) == (window == 8_192)


@pytest.mark.skipif(not DEVELOPMENT_HALF.exists(), reason="the LoCoMo file is not beside this checkout")
def test_a_whole_locomo_conversation_offline_in_8192_tokens_and_early_questions_in_a_new_process(
    tmp_path: Path,
) -> None:
    conversation = conversations()[0]
    said = list(messages(conversation))
    evictions, longest = 0, 0
    with session(tmp_path, model="offline", window=8_192) as opened:
        for message in said:
            for happening in opened.agent.handle(message):
                evictions += isinstance(happening, Evicted)
                if isinstance(happening, StepCommitted):
                    longest = max(longest, happening.record.counted_tokens)
        kept = opened.store.messages.page(USERS, limit=10_000)
        room = opened.agent.queue_manager.window.room
    assert evictions >= 3
    assert longest <= room
    assert sorted((m.external_id, m.text) for m in kept) == sorted((m.external_id, m.text) for m in said)
    answers = {
        "When did Caroline go to the LGBTQ support group?": "7 May 2023",
        "When did Melanie run a charity race?": "20 May 2023",
        "What did the charity race raise awareness for?": "mental health",
    }
    for question, answer in answers.items():
        command = [sys.executable, "-m", "memgpt_cli", "send", "--json", "--model", "offline", question]
        environment = {"MEMGPT_HOME": str(tmp_path), "PATH": "", "MEMGPT_DISPLAY_TIMEZONE": "UTC"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert answer in json.loads(done.stdout)["reply"]
