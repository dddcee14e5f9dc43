"""Replays recorded function calls and says what the prompts cost: `python tests/benchmarks/replay.py`.

The conversation is written here: facts that change, told in turn, each stored at once, and asked for now and then.
`--turns 300 --window 32768 --language en` replays one; without options, the ten of docs/context.md. Copied into
an older tree with its tests/support, the same script replays older code. One JSON object a line.

`share` gives the part of all prompt tokens that each kind of text takes. `matching` is the share of the tokens of
search results that are lines with a content word of the query.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(1, str(Path(__file__).parent.parent))

from support.agents import run, session
from support.brains import Call, Reply, asks_for_summary, text_of
from support.strict_counting import encode
from support.strict_server import StrictServer

from memgpt_cli.domain.events import Evicted

FACTS = {
    "en": [
        ("lives in {}", ["Porto", "Braga", "Faro", "Lagos"]),
        ("works as a {}", ["baker", "ferry pilot", "teacher of music", "bookbinder"]),
        ("is training for {}", ["a half marathon", "a triathlon", "a long swim", "a mountain race"]),
        ("has a dog called {}", ["Pim", "Otis", "Juno", "Basil"]),
        ("is reading {}", ["a book on tides", "a crime novel", "letters of a painter", "a history of maps"]),
        ("plans to visit {}", ["an aunt in Ghent", "friends in Oslo", "a cousin in Lima", "the Azores"]),
    ],
    "zh": [
        ("住在{}", ["厦门", "成都", "昆明", "大连"]),
        ("的工作是{}", ["面包师", "渡轮驾驶员", "音乐老师", "图书装订工"]),
        ("正在准备{}", ["半程马拉松", "铁人三项", "长距离游泳", "越野赛"]),
        ("养了一只叫{}的狗", ["豆豆", "阿福", "朱诺", "小白"]),
        ("在读{}", ["一本关于潮汐的书", "一部侦探小说", "一位画家的书信", "一部地图的历史"]),
        ("打算去看望{}", ["根特的姑姑", "奥斯陆的朋友", "利马的表弟", "亚速尔群岛"]),
    ],
}
SIZES = [(25, 4_096), (25, 8_192), (100, 8_192), (300, 8_192), (300, 32_768)]
"""Turns and window of each replay."""

TALK = {
    "en": "It has been on my mind for weeks, and I talked it over with my sister on the phone yesterday evening. ",
    "zh": "这件事我想了好几个星期，昨天晚上还在电话里和妹妹谈了很久。",
}


def turns(language: str, count: int) -> Iterator[tuple[str, Call, str]]:
    """What the person says, the call it leads to, and the answer."""
    facts = FACTS[language]
    for number in range(count):
        pattern, values = facts[number % len(facts)]
        round_ = number // len(facts)
        new, old = values[round_ % len(values)], values[(round_ - 1) % len(values)]
        said = f"{number}. Ada {pattern.format(new)}. {TALK[language] * 3}"
        if number % 8 == 7:
            yield said, Call("conversation_search", {"query": pattern.format("").strip()}), f"{old}. {TALK[language]}"
        elif round_ == 0:
            line = f"Ada {pattern.format(new)}; told in turn {number}, and it matters to her"
            yield said, Call("core_memory_append", {"label": "human", "content": line}), TALK[language] * 2
        else:
            change = {"label": "human", "old_content": pattern.format(old), "new_content": pattern.format(new)}
            yield said, Call("core_memory_replace", change), TALK[language] * 2


def replay(language: str, count: int, window: int) -> dict[str, Any]:
    """The conversation through the agent whose code is imported."""
    recorded = list(turns(language, count))
    at = 0

    def brain(body: dict[str, Any]) -> Reply:
        if asks_for_summary(body):
            return Reply(f"We spoke of what changes in Ada's life. {TALK[language]}")
        if body["messages"][-1]["role"] == "tool":
            return Reply(recorded[at][2])
        return Reply(calls=(recorded[at][1],))

    evictions = 0
    with StrictServer(brain, window=window) as server, tempfile.TemporaryDirectory() as home:
        with session(Path(home), base_url=server.base_url, window=window) as opened:
            fixed = opened.agent.queue_manager.usage().total
            for at in range(count):
                evictions += sum(isinstance(h, Evicted) for h in run(opened, recorded[at][0]))
        total = sum(e.prompt_tokens for e in server.exchanges)
        kinds = sum((by_kind(body) for body in server.requests), Counter[str]())
        matching = matching_share(server.requests[-1])
    return {
        "language": language,
        "turns": count,
        "window": window,
        "fixed": fixed,
        "requests": len(server.requests),
        "prompt_tokens": total,
        "evictions": evictions,
        "matching": matching,
        "share": {kind: round(tokens / total, 4) for kind, tokens in kinds.most_common()},
    }


def by_kind(body: dict[str, Any]) -> Counter[str]:
    """Tokens of a prompt's texts by kind, without the framing of messages."""
    functions = {c["id"]: c["function"]["name"] for m in body["messages"] for c in m.get("tool_calls", ())}
    kinds = Counter({"schemas": len(encode(json.dumps(body.get("tools", []), ensure_ascii=False)))})
    for message in body["messages"]:
        text = text_of(message)
        kinds[kind_of(message, text, functions)] += len(encode(text))
        for call in message.get("tool_calls", ()):
            kinds["calls"] += len(encode(call["function"]["name"] + call["function"]["arguments"]))
    return kinds


def kind_of(message: dict[str, Any], text: str, functions: dict[str, str]) -> str:
    """What a message of a prompt is."""
    if message["role"] == "tool":
        return "searches" if functions[message["tool_call_id"]].endswith("_search") else "writes"
    event = re.match(r'<memgpt_event type="(\w+)"', text)
    if event:
        return {"summary": "summary", "summary_request": "summary request"}.get(event[1], "notices")
    return "said" if message["role"] in {"user", "assistant"} else "instructions and core memory"


def matching_share(body: dict[str, Any]) -> float | None:
    """The share of the tokens of search results in a prompt that are lines with a word of the query."""
    queries = {
        c["id"]: json.loads(c["function"]["arguments"]).get("query", "")
        for m in body["messages"]
        for c in m.get("tool_calls", ())
    }
    matching = total = 0
    for message in body["messages"]:
        words = [w for w in re.findall(r"\w{2,}", queries.get(message.get("tool_call_id"), "").lower()) if w != "is"]
        for line in text_of(message).splitlines() if words else ():
            total += len(encode(line))
            matching += len(encode(line)) if any(word[:6] in line.lower() for word in words) else 0
    return round(matching / total, 4) if total else None


def main() -> None:
    """Replays what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int)
    parser.add_argument("--window", type=int, default=4_096)
    parser.add_argument("--language", choices=sorted(FACTS))
    asked = parser.parse_args()
    sizes = [(asked.turns, asked.window)] if asked.turns else SIZES
    for language in [asked.language] if asked.language else FACTS:
        for count, window in sizes:
            print(json.dumps(replay(language, count, window), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
