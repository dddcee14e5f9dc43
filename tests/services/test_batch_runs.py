"""A batch opened, run and completed by its service."""

import io
import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from memgpt_cli.bootstrap import Flags, Workspace
from memgpt_cli.errors import NotFoundError, UsageError
from memgpt_cli.services.batch_runs import BatchOptions, RunProgress, check_shape, faults_of, open_input, open_run

OFFLINE = Flags(model="offline")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))


def test_a_run_writes_its_results_and_is_forgotten_when_complete(home: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "input.jsonl"
    file.write_text(
        '{"id": "a", "messages": [{"role": "user", "content": "I keep bees"}], "ask": ["What do I keep?"]}\n',
        encoding="utf-8",
    )
    stream, seen, before = io.BytesIO(), list[RunProgress](), list[int]()
    with open_input(home, str(file), as_text=False, allow_outside=False) as read:
        assert check_shape(read, faults_of(home, read, keep=False))["ok"]
        with open_run(home, read, BatchOptions(flags=OFFLINE, workers=1)) as run:
            assert (run.continues, run.faults()) == (False, [])
            result = run.go(stream, begun=before.append, progress=seen.append, stoppable=lambda _: nullcontext())
            run.complete(result)
        assert (result.end, before) == ("complete", [0])
        [line] = stream.getvalue().splitlines()
        assert json.loads(line)["id"] == "a"
        assert seen[-1].ended == 1
        with open_run(home, read, BatchOptions(flags=OFFLINE)) as run:
            assert not run.continues
        with open_run(home, read, BatchOptions(flags=OFFLINE, retry_failed=True)) as run, pytest.raises(NotFoundError):
            run.check()


def test_what_is_wrong_is_named_before_anything_runs(home: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "input.jsonl"
    file.write_text(
        '{"id": "a", "agent": "nobody", "messages": [{"role": "user", "content": "x"}]}\n', encoding="utf-8"
    )
    with open_input(home, str(file), as_text=False, allow_outside=False) as read:
        [fault] = faults_of(home, read, keep=False)
        assert "there is no agent 'nobody'" in str(fault)
        with (
            pytest.raises(NotFoundError, match="to copy"),
            open_run(home, read, BatchOptions(flags=OFFLINE, template="none")),
        ):
            pass
    with (
        pytest.raises(UsageError, match="cannot be read"),
        open_input(home, str(tmp_path / "absent"), as_text=False, allow_outside=False),
    ):
        pass
