"""Loading documents and importing conversations: reported, continued, and stopped by the budget of the day."""

from pathlib import Path

import pytest

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.domain.conversations import ImportProgress
from memgpt_cli.domain.documents import LoadOutcome, LoadProgress
from memgpt_cli.errors import BudgetError, UsageError
from memgpt_cli.services.embedding_costs import EmbeddingCost, check_budget
from memgpt_cli.services.importing import MadeVectors, import_shape, make_vectors, open_import
from memgpt_cli.services.loading import LoadRequest, load_in_session, load_shape, open_load
from memgpt_cli.services.memory import open_memory


class Seen:
    """A watcher that keeps what it was told."""

    def __init__(self) -> None:
        self.steps: list[LoadProgress] = []
        self.stages: list[str] = []

    def loading(self, step: LoadProgress) -> None:
        self.steps.append(step)

    def embedding(self, stage: str, done: int, total: int, during: LoadProgress | None) -> None:
        del done, total, during
        self.stages.append(stage)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "boat.md").write_text("# Boat\n\nThe boat is called Kittiwake.\n", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 cut off")
    return folder


def test_a_load_reports_each_file_and_is_found_afterwards(home: Workspace, notes: Path) -> None:
    seen = Seen()
    with open_load(home, LoadRequest(paths=[str(notes)], tags=["sea"])) as load:
        report = load.run(seen)
    shape = load_shape(report)
    assert (shape["agent"], shape["loaded"], shape["skipped"]) == ("default", 1, 1)
    assert [file.outcome for file in report.files] == [LoadOutcome.LOADED, LoadOutcome.SKIPPED]
    assert seen.steps[-1] == report.last
    assert "embed" in seen.stages
    with open_memory(home) as memory:
        [passage] = memory.passages.recent().passages
        assert passage.tags == ("sea",)
        told = memory.messages.recent().messages[0]
        assert "boat.md" in told.text
    with open_load(home, LoadRequest(paths=[str(notes)])) as load:
        assert load_shape(load.run(Seen()))["unchanged"] == 1


def test_a_chat_loads_with_the_lock_that_it_holds(home: Workspace, notes: Path) -> None:
    with home.sessions.open(purpose="test") as session:
        request = LoadRequest(paths=[str(notes / "boat.md")])
        assert load_in_session(home, session, request).run(Seen()).passages == (1, 0, 0)


def test_a_name_is_for_standard_input_only(home: Workspace, notes: Path) -> None:
    with (
        pytest.raises(UsageError, match="standard input only"),
        open_load(home, LoadRequest(paths=[str(notes)], name="x.md")),
    ):
        pass


def test_messages_are_imported_once_and_embedded_as_a_step_of_its_own(home: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text('{"role": "user", "content": "I keep bees"}\nnot JSON\n', encoding="utf-8")
    seen: list[ImportProgress] = []
    for new in (1, 0):
        with open_import(home, file) as load:
            done = load.run(lambda _done, _total, progress: seen.append(progress))
            assert (done.new, len(load.faults)) == (new, 1)
            waiting = load.waiting
    assert waiting == 1
    made = make_vectors(home, progress=lambda *_: None)
    assert (made.vectors, made.tokens) == (1, 0)
    shape = import_shape(done, load.faults, made, dry_run=False)
    assert (shape["known"], shape["embedded"], len(shape["faulty"])) == (1, 1, 1)
    assert seen[-1] == done


def test_a_dry_run_counts_and_stores_nothing(home: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text('{"role": "user", "content": "I keep bees"}\n', encoding="utf-8")
    with open_import(home, file, dry_run=True) as load:
        assert load.run(lambda *_: None).new == 1
    with open_memory(home) as memory:
        assert memory.messages.recent().messages == ()
    assert import_shape(load.progress, [], MadeVectors(), dry_run=True)["imported"] is False


def test_embedding_stops_when_the_money_of_the_day_is_spent(tmp_path: Path) -> None:
    environ = {"MEMGPT_HOME": str(tmp_path), "MEMGPT_MODEL": "offline", "MEMGPT_BUDGET_MAX_USD_PER_DAY": "0.5"}
    workspace = Workspace(environ=environ, directory=tmp_path)
    check_budget(workspace)
    workspace.state.add_spending(workspace.clock.now(), 0.6)
    with pytest.raises(BudgetError, match=r"0\.6000 USD were spent today"):
        check_budget(workspace)
    assert EmbeddingCost(workspace).tokens == 0
