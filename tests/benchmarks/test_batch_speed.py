"""Batches by the thousand: memory, the second worker, CPU for each turn, and how busy 32 workers keep a slow server.

python -m pytest tests/benchmarks/test_batch_speed.py -m benchmark -s
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from benchmarks.own_process import served

sys.path.insert(0, str(Path(__file__).parent))
from benchmarks.batch_load import conversations, lines_in, memory_of, run, write

pytestmark = pytest.mark.benchmark

OFFLINE = ("--model", "offline", "--fixed-time", "2024-01-01")
LATENCY_S = 0.5
REPLY = "That is good to know; I will keep the harbour and the long winter evenings in mind. " * 2


def test_memory_and_cpu_stay_flat_over_a_thousand_conversations(tmp_path: Path) -> None:
    """CPU is held against a loop that runs beside it: on a busy machine the same work takes more of it."""
    path, out = write(tmp_path / "in.jsonl", conversations(1_000)), tmp_path / "out.jsonl"
    seen: list[tuple[int, int, float]] = []
    loops: list[tuple[int, float]] = []

    def watch(process: int) -> None:
        seen.append((lines_in(out), memory_of(process), cpu_of(process)))
        loops.append((seen[-1][0], loop_s()))

    used = run(tmp_path / "home", path, "-o", out, "--workers", "1", *OFFLINE, watch=watch)
    at_100 = next(item for item in seen if item[0] >= 100)
    last = [item for item in seen if item[0] < 1_000][-1]
    first_half = next(item for item in seen if item[0] >= 500)
    early = (first_half[2] - at_100[2]) / ((first_half[0] - at_100[0]) * 20)
    late = (last[2] - first_half[2]) / ((last[0] - first_half[0]) * 20)
    early_loop = statistics.median(taken for lines, taken in loops if 100 <= lines < 500)
    late_loop = statistics.median(taken for lines, taken in loops if lines >= 500)
    growth = late / early / (late_loop / early_loop)
    print(
        f"\n1,000 conversations of 20 turns, one worker: {used.wall_s:.0f} s wall, {used.cpu_s:.0f} s CPU,"
        f" {1000 * used.cpu_s / 20_000:.2f} ms CPU a turn; memory {at_100[1] / 2**20:.1f} MB at the 100th,"
        f" {last[1] / 2**20:.1f} MB at the {last[0]}th (x{last[1] / at_100[1]:.3f});"
        f" CPU a turn {1000 * early:.2f} ms from 100 to 500, {1000 * late:.2f} ms after"
        f" (x{late / early:.3f}; a loop beside it x{late_loop / early_loop:.3f}: x{growth:.3f})"
    )
    assert last[1] <= 1.1 * at_100[1]
    assert growth <= 1.1


def loop_s() -> float:
    """CPU seconds of a little work that is always the same."""
    started, total = time.process_time(), 0
    for number in range(200_000):
        total += number * number
    return time.process_time() - started


def test_a_second_worker_is_worth_its_while(tmp_path: Path) -> None:
    """Alternating, because other work on the machine comes and goes; the best of each counts."""
    if (free := processors_free()) < 1.8:
        pytest.skip(f"two workers need two processors, and others leave {free:.1f}")
    path = write(tmp_path / "in.jsonl", conversations(100))
    walls: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(4):
        for workers, taken in walls.items():
            used = run(tmp_path / "home", path, "-o", tmp_path / "out.jsonl", "--workers", str(workers), *OFFLINE)
            taken.append(used.wall_s)
    one, two = min(walls[1]), min(walls[2])
    print(f"\n100 conversations of 20 turns: {one:.1f} s with one worker, {two:.1f} s with two: x{one / two:.2f}")
    assert one / two >= 1.5


def processors_free() -> float:
    """How much CPU two processes get in a second."""
    loop = "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass\nprint(time.process_time())"
    started = [subprocess.Popen([sys.executable, "-c", loop], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return sum(float(process.communicate()[0]) for process in started)


class Slow(BaseHTTPRequestHandler):
    """Streams the same reply to everybody, half a second after the question."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        words = REPLY.split(" ")
        pieces = [" ".join(words[i : i + 4]) + " " for i in range(0, len(words), 4)]
        events = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
        events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        data = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"
        time.sleep(LATENCY_S)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def base_url() -> Iterator[str]:
    with served(Slow) as url:
        yield url


def test_thirty_two_workers_keep_a_slow_server_busy(tmp_path: Path, base_url: str) -> None:
    path, out = write(tmp_path / "in.jsonl", conversations(128)), tmp_path / "out.jsonl"
    arguments = ("--model", "gpt-4o", "--base-url", base_url, "--workers", "32")
    used = run(tmp_path / "home", path, "-o", out, *arguments)
    turns = 128 * 20
    ideal = turns * LATENCY_S / 32
    elapsed = used.summary["seconds"]["elapsed"]
    seconds = used.summary["seconds"]
    print(
        f"\n128 conversations of 20 turns, 32 workers, {LATENCY_S:g} s a call: {elapsed:.1f} s"
        f" ({used.wall_s:.1f} s with the start), ideal {ideal:.1f} s: {100 * ideal / elapsed:.1f}%;"
        f" {1000 * used.cpu_s / turns:.1f} ms CPU a turn,"
        f" p50 {seconds['turn_p50']:.3f} s, ours {seconds['ours_p50']:.3f} s"
    )
    assert ideal / elapsed >= 0.9


def cpu_of(process: int) -> float:
    """CPU seconds of a process so far."""
    import os

    try:
        words = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
