"""Killed at any point, what replaces something leaves the old state or the new one, and the next start cleans up.

pytest tests/files/test_crashes.py -m long -s        all points of every operation
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SHORT = "agent rename,restore --replace,archival load"


def crash(folder: Path, *arguments: str) -> list[dict[str, int]]:
    """What the harness counted, an operation each; what it found fails the test."""
    script = Path(__file__).parents[1] / "support" / "crashes.py"
    done = subprocess.run(
        [sys.executable, str(script), str(folder), *arguments], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_killed_at_some_points_nothing_is_half(tmp_path: Path) -> None:
    counts = crash(tmp_path, "2", "--only", SHORT)
    assert len(counts) == len(SHORT.split(","))
    assert all(count["kills"] >= 2 for count in counts)
    assert sum(count["new"] for count in counts)
    assert sum(count["old"] for count in counts)


@pytest.mark.long
def test_killed_at_every_point_nothing_is_half(tmp_path: Path) -> None:
    counts = crash(tmp_path, "all")
    for count in counts:
        print(json.dumps(count))
    assert all(count["kills"] == count["points"] > 0 for count in counts)
