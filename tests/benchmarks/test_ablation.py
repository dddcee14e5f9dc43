"""The ablation itself, on a small self-written set: every rule is taken out and the ranking notices some."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.ablation import ALL_RULES, METRICS, PATCHES, WEIGHTS, changes, measure

SET = Path(__file__).parents[1] / "evaluation" / "with_assistant.json"


def test_every_rule_is_taken_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path))
    found = measure(SET, 5)
    assert found.keys() == {ALL_RULES, *WEIGHTS, *PATCHES}
    assert {scores.shape for scores in found.values()} == {(6, len(METRICS))}


def test_an_interval_holds_the_change_and_is_empty_where_nothing_changes() -> None:
    whole = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    without = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    (mean, low, high), nothing = changes(without, whole)
    assert (mean, nothing) == (-50.0, (0.0, 0.0, 0.0))
    assert low < mean < high <= 0
