"""The agent over the Responses API and Anthropic's Messages API: nothing is refused, over evictions and a restart."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from support.agents import session
from support.api_server import ApiServer, Dialect
from support.brains import memory_worker
from support.messages_api import MessagesApi
from support.responses_api import ResponsesApi

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.domain.events import Evicted, UserMessage

_TURNS = 24


def anthropic_blocks(body: dict[str, Any]) -> list[str]:
    """The prompt without cache breakpoints, in the order in which the API reads it."""
    found = [json.dumps(body["tools"]), body["system"][0]["text"]]
    for message in body["messages"]:
        for block in message["content"]:
            plain = {key: value for key, value in block.items() if key != "cache_control"}
            found.append(message["role"] + json.dumps(plain))
    return found


def responses_items(body: dict[str, Any]) -> list[str]:
    return [json.dumps(body["tools"]), body["instructions"], *(json.dumps(item) for item in body["input"])]


def talk(server: ApiServer, home: Path, provider: str, protocol: Protocol) -> Iterator[int]:
    """The evictions of each turn; halfway the agent is closed and opened again."""
    for half in range(2):
        options = {"model": "thinker", "window": 5_500, "protocol": protocol, "model_provider": provider}
        with session(home, base_url=server.base_url, **options) as opened:
            for turn in range(_TURNS // 2):
                text = f"{half}.{turn}: {'we went to the harbour and spoke of boats ' * 8}{'?' if turn % 3 else '.'}"
                yield sum(isinstance(h, Evicted) for h in opened.agent.handle(UserMessage(text=text)))


@pytest.mark.parametrize("protocol", [Protocol.NATIVE, Protocol.PAPER])
@pytest.mark.parametrize(
    ("provider", "dialect", "prompt", "reasoning"),
    [
        ("anthropic", MessagesApi, anthropic_blocks, '"type": "thinking"'),
        ("openai_responses", ResponsesApi, responses_items, '"type": "reasoning"'),
    ],
)
def test_nothing_is_refused_and_each_prompt_extends_the_one_before(
    tmp_path: Path,
    provider: str,
    dialect: Callable[[], Dialect],
    prompt: Callable[[dict[str, Any]], list[str]],
    reasoning: str,
    protocol: Protocol,
) -> None:
    with ApiServer(dialect(), memory_worker(edit_every=4)) as server:
        evictions = sum(talk(server, tmp_path, provider, protocol))
        assert not server.refusals
        replies = [body for body in server.requests if body.get("tool_choice") in ("auto", {"type": "auto"})]
    prompts = [prompt(body) for body in replies]
    breaks = sum(after[: len(before)] != before for before, after in pairwise(prompts))
    assert 2 <= breaks <= evictions
    assert sum(any(reasoning in part for part in parts) for parts in prompts) > len(prompts) / 2
