"""The quality of the ranking on three self-written conversations, so that any clone notices when it falls."""

from pathlib import Path

import pytest

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.evaluation.locomo import read_conversations
from memgpt_cli.evaluation.retrieval import ALL, evaluate


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "kind", "first_five", "reciprocal_rank"),
    [
        ("two_neighbours", "named people", 0.92, 0.78),
        ("with_assistant", "user and assistant", 0.92, 0.79),
        ("chinese", "user and assistant", 0.92, 0.90),
    ],
)
def test_the_ranking_keeps_its_quality(name: str, kind: str, first_five: float, reciprocal_rank: float) -> None:
    [talk] = read_conversations(Path(__file__).with_name(f"{name}.json"))
    assert talk.kind == kind
    workspace = Workspace()
    scores = evaluate([talk], scratch=workspace.scratch, counter=workspace.models.counter("gpt-4o")).scores
    ours = scores["memgpt"][ALL]
    assert (ours["R@5"] >= first_five, ours["MRR"] >= reciprocal_rank, ours["R@1k"] >= 0.98) == (True, True, True), ours
    for name_of_other in ("plain FTS5", "plain vectors", "plain fusion", "newest first"):
        assert ours["MRR"] > scores[name_of_other][ALL]["MRR"], name_of_other


def test_every_question_of_the_sets_has_evidence() -> None:
    for name, messages, questions in (("two_neighbours", 49, 25), ("with_assistant", 40, 27), ("chinese", 40, 24)):
        [talk] = read_conversations(Path(__file__).with_name(f"{name}.json"))
        assert (len(talk.messages), len(talk.questions)) == (messages, questions)
        assert all(question.evidence and question.answer for question in talk.questions)
