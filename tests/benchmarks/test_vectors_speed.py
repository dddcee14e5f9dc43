"""Loading and searching vectors against the floor: the same embedder and Chroma, fed directly, in the same run.

Run with `pytest -m benchmark tests/benchmarks/test_vectors_speed.py -s`. Figures are of CPU, because wall time on a
shared machine is other people's.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.benchmark


def run(kind: str, count: int, folder: Path, *, of: str = "vector_load") -> dict[str, Any]:
    """One measurement in a process of its own."""
    tests = Path(__file__).parents[1]
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{of}", kind, str(count), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent)))},
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("count", [20_000, 100_000])
def test_loading_reaches_four_fifths_of_the_floor_and_a_search_stays_near_it(
    request: pytest.FixtureRequest, tmp_path: Path, count: int
) -> None:
    if "benchmark" not in request.config.option.markexpr:
        pytest.skip("only with -m benchmark")
    floor, ours = run("floor", count, tmp_path / "floor"), run("ours", count, tmp_path / "ours")
    rate = floor["load"]["cpu"] / ours["load"]["cpu"]
    print(f"\n{count:,} vectors of 256 dimensions; load {rate:.0%} of the floor's rate")
    print(json.dumps({"ours": ours, "floor": floor}, indent=2))
    assert rate >= 0.8
    assert ours["chroma"]["cpu_ms"] <= 1.5 * ours["bare"]["cpu_ms"]
