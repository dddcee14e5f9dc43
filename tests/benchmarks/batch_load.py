"""Input for the batch benchmarks, and what a run used: CPU and memory of the command and of its workers."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
THINGS = ("canoe", "violin", "garden", "bakery", "telescope", "motorbike", "orchard", "sailing boat", "kiln", "loom")
TOWNS = ("Lisbon", "Turin", "Bergen", "Kyoto", "Quito", "Tartu", "Galway", "Cusco", "Fez", "Hobart")


def conversations(count: int, *, turns: int = 20) -> list[dict[str, Any]]:
    """Conversations in which people tell facts and ask for them, a question in every fourth message."""
    made = []
    for number in range(count):
        source = random.Random(number)
        said = []
        for turn in range(turns):
            thing, town = source.choice(THINGS), source.choice(TOWNS)
            if turn % 4 == 3:
                said.append(f"Where did I see the {thing}?")
            else:
                said.append(f"In {2000 + turn} I saw a {thing} in {town} and thought of you.")
        made.append({"id": number, "messages": [{"role": "user", "content": text} for text in said]})
    return made


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@dataclass(frozen=True, kw_only=True)
class Used:
    """What one run took. `cpu_s` includes the workers."""

    wall_s: float
    cpu_s: float
    summary: dict[str, Any]


def run(home: Path, *arguments: str | Path, watch: Callable[[int], None] = lambda _: None) -> Used:
    """Run `memgpt batch` to its end; `watch` is called with its process id four times a second."""
    import resource

    environ = {k: v for k, v in os.environ.items() if not k.startswith(("MEMGPT_", "OPENAI_"))}
    environ |= {"MEMGPT_HOME": str(home), "OPENAI_API_KEY": "sk-test"}
    command = [sys.executable, "-m", "memgpt_cli", "batch", *map(str, arguments), "--json", "--quiet"]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE)
    while process.poll() is None:
        watch(process.pid)
        time.sleep(0.25)
    assert process.stdout is not None
    out = process.stdout.read()
    process.stdout.close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert process.returncode == 0, out
    return Used(wall_s=time.monotonic() - started, cpu_s=cpu, summary=json.loads(out))


def memory_of(process: int) -> int:
    """Resident bytes of a process; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def lines_in(path: Path) -> int:
    """Lines of a file; 0 when there is none."""
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0
