"""A server that cuts prompts silently is noticed; one that counts in another way is not accused."""

import pytest

from memgpt_cli.agent.truncation import cut_silently
from memgpt_cli.domain.agents import StepRecord
from memgpt_cli.domain.chat import Usage


def record(counted: int, reported: int, *, epoch: int = 1, told: bool = True) -> StepRecord:
    return StepRecord(
        turn=1,
        number=1,
        model="m",
        epoch=epoch,
        counted_tokens=counted,
        usage=Usage(prompt_tokens=reported),
        usage_reported=told,
    )


def test_a_count_that_stays_flat_while_ours_grows_is_told_with_both_numbers() -> None:
    said = cut_silently(record(4_800, 4_096), record(5_200, 4_090))
    assert said is not None
    assert "4,090" in said
    assert "5,200" in said
    assert "--window 4090" in said


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (None, record(5_200, 4_096)),
        (record(4_800, 4_000), record(5_200, 4_330)),  # it follows
        (record(4_800, 4_090), record(4_900, 4_096)),  # too little to tell
        (record(4_800, 4_096, epoch=0), record(5_200, 4_090)),  # another prompt
        (record(4_800, 250), record(5_200, 260)),  # it counts what was not cached
        (record(4_800, 4_096, told=False), record(5_200, 4_090)),
        (record(4_800, 5_300), record(5_200, 5_300)),  # nothing is missing
    ],
)
def test_nothing_is_told_otherwise(before: StepRecord | None, now: StepRecord) -> None:
    assert cut_silently(before, now) is None
