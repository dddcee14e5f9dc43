"""What one turn costs besides the model: CPU at turn 100 and at turn 5,000, against the bare client with the same body.

    python -m pytest tests/benchmarks/test_turn_cost.py -m benchmark -s

The server is a process of its own, so that its work is not counted. The window is 32,768 tokens and equally full at
both points: measured are the twenty turns before an eviction is due.
"""

import statistics
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from benchmarks.own_process import served
from support.agents import session

from memgpt_cli.domain.events import Evicted, UserMessage

pytestmark = pytest.mark.benchmark

REPLY = "That is good to know; I will keep the harbour, the lamp and the long winter evenings in mind. " * 2
MESSAGE = "Today we walked along the harbour and talked about the old lamp, number {n}, and what it was worth then."


class Constant(BaseHTTPRequestHandler):
    """Streams the same reply to everybody."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        import json

        self.rfile.read(int(self.headers["content-length"]))
        words = REPLY.split(" ")
        pieces = [" ".join(words[i : i + 4]) + " " for i in range(0, len(words), 4)]
        events = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        data = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def base_url() -> Iterator[str]:
    with served(Constant) as url:
        yield url


def test_cpu_of_a_turn_is_flat_and_near_the_bare_client(tmp_path: Path, base_url: str) -> None:
    figures = {}
    with session(tmp_path, base_url=base_url, window=32_768) as opened:
        turn = 0
        for point in (100, 5_000):
            ours = []
            while len(ours) < 20 or turn < point:
                turn += 1
                manager = opened.agent.queue_manager
                full = manager.usage().total > 0.8 * manager.window.room
                started = time.process_time()
                happenings = list(opened.agent.handle(UserMessage(text=MESSAGE.format(n=turn))))
                if turn >= point and full and not any(isinstance(h, Evicted) for h in happenings):
                    ours.append(time.process_time() - started)
            body = opened.agent.model.body(opened.agent.request())
            bare = bare_client(base_url, body)
            figures[point] = statistics.median(ours) / bare
            print(
                f"\nturn {point}: {1000 * statistics.median(ours):.1f} ms CPU, bare client {1000 * bare:.1f} ms,"
                f" ratio {figures[point]:.2f}, {len(body['messages'])} messages in the prompt"
            )
    print(f"turn 5,000 against turn 100: x{figures[5_000] / figures[100]:.2f}")


def bare_client(base_url: str, body: dict[str, Any]) -> float:
    import openai

    client = openai.OpenAI(base_url=base_url, api_key="none")
    times = []
    for _ in range(25):
        started = time.process_time()
        for _chunk in client.chat.completions.create(**body):
            pass
        times.append(time.process_time() - started)
    client.close()
    return statistics.median(times[5:])
