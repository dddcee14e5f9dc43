"""`memgpt eval retrieval`: the metrics, the format with its dirt, and figures on data that lies beside the project."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.locomo import DEVELOPMENT_HALF

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.cli.app import run
from memgpt_cli.domain.messages import Message, Role
from memgpt_cli.errors import ExitCode, UsageError
from memgpt_cli.evaluation.locomo import LocomoQuestion, read_conversations, turn_ids
from memgpt_cli.evaluation.retrieval import (
    ALL,
    METRICS,
    PIPELINES,
    Excerpts,
    RetrievalReport,
    evaluate,
    reciprocal_rank_fusion,
    rendered,
    score,
)

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)

FRIENDS = Path(__file__).with_name("two_friends.json")
SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "eval-retrieval.schema.json"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def report_on(path: Path, conversations: int | None = None) -> RetrievalReport:
    workspace = Workspace()
    read = read_conversations(path)[:conversations]
    return evaluate(read, scratch=workspace.scratch, counter=workspace.models.counter("gpt-4o"))


def test_a_conversation_is_read_in_its_order_with_its_evidence() -> None:
    (talk,) = read_conversations(FRIENDS)
    assert [message.session for message in talk.messages] == ["1", "1", "1", "2", "2", "2", "10"]
    last = talk.messages[6]
    assert rendered(last, last.text) == "[2024-01-01 00:30] Ida: Happy new year! The pears froze, sadly."
    assert talk.kind == "named people"
    assert [(question.category, sorted(question.evidence)) for question in talk.questions] == [
        ("temporal", [0]),
        ("multi-hop", [2, 6]),
        ("single-hop", [3]),
    ]


def test_dirty_evidence_ids_are_understood() -> None:
    assert turn_ids(["D8:6; D9:17", "D:11:26", "D30:05", "D", ""]) == ["D8:6", "D9:17", "D11:26", "D30:5"]


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", '[{"conversation": {}}]'])
def test_another_format_is_an_error_that_says_which_is_meant(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        read_conversations(path)


class Words:
    """Counts words, and says how it counts."""

    name = "words"

    @staticmethod
    def count(text: str) -> int:
        return len(text.split())


def scored(ranking: list[int], evidence: set[int], texts: list[str], answer: str = "") -> dict[str, float]:
    messages = [Message(role=Role.USER, name="Ida", text=text, created_at=NEW_YEAR) for text in texts]
    question = LocomoQuestion(text="?", category="single-hop", evidence=frozenset(evidence), answer=answer)
    excerpts = Excerpts(messages, Words())
    excerpts.ask({"pear": 3.0})
    return score(ranking, question, excerpts)


def test_metrics_of_a_ranking_known_by_hand() -> None:
    found = scored([4, 1, 3, 0], {1, 0, 9}, ["one"] * 10)
    assert found["R@5"] == pytest.approx(2 / 3)
    assert found["R@1k"] == pytest.approx(2 / 3)
    assert found["MRR"] == 1 / 2
    assert found["nDCG@10"] == pytest.approx((1 / 1.58496 + 1 / 2.32193) / (1 + 1 / 1.58496 + 1 / 2), rel=1e-4)


def test_budgets_count_what_is_shown_of_long_messages() -> None:
    long = "The weather was fine that day. " * 2_000
    found = scored(list(range(30)), {0, 9, 10, 29}, [long] * 30)
    assert (found["R@1k"], found["R@2k"], found["R@4k"]) == (0.5, 0.75, 1)  # a line is some 100 words, not 12,000


def test_the_strict_count_wants_the_answer_in_what_is_shown() -> None:
    text = "It rained. " * 200 + "The pears froze in March. " + "It rained. " * 200
    assert scored([0], {0}, [text], answer="frozen pears")["stems@2k"] == 1
    away = "It rained. " * 200 + "The pears came. " + "It rained. " * 200 + "They froze."
    assert scored([0], {0}, [away], answer="frozen pears")["stems@2k"] == 0.5
    assert "stems@2k" not in scored([0], {0}, [away], answer="")
    assert scored([], {0}, [away], answer="pears")["stems@2k"] == 0


@given(
    ranking=st.lists(st.integers(0, 40), unique=True),
    evidence=st.sets(st.integers(0, 40), min_size=1, max_size=8),
)
def test_metrics_are_shares_that_grow_with_depth(ranking: list[int], evidence: set[int]) -> None:
    found = scored(ranking, evidence, ["word " * 30] * 41)
    assert all(0 <= value <= 1 + 1e-9 for value in found.values())
    assert found["R@5"] <= found["R@10"] <= found["R@20"]
    assert found["R@1k"] <= found["R@2k"] <= found["R@4k"]


def test_a_turn_has_the_role_that_the_file_says(tmp_path: Path) -> None:
    turns = [
        {"speaker": "User", "role": "user", "dia_id": "D1:1", "text": "Which pear?"},
        {"speaker": "Assistant", "role": "assistant", "dia_id": "D1:2", "text": "A Williams."},
        {"speaker": "Ida", "role": "user", "dia_id": "D1:3", "text": "Thanks."},
    ]
    path = tmp_path / "talk.json"
    talk = {"session_1_date_time": "1:56 pm on 8 May, 2023", "session_1": turns}
    path.write_text(json.dumps([{"conversation": talk, "qa": []}]), encoding="utf-8")
    (read,) = read_conversations(path)
    assert [(m.role, m.name) for m in read.messages] == [
        (Role.USER, None), (Role.ASSISTANT, None), (Role.USER, "Ida")
    ]  # fmt: skip
    assert read.kind == "user and assistant"


def test_fusion_prefers_what_both_rankings_have() -> None:
    assert reciprocal_rank_fusion([[1, 2, 3], [3, 4]]) == [3, 1, 2, 4]


def test_every_pipeline_is_scored_on_every_category() -> None:
    report = report_on(FRIENDS)
    assert (report.conversations, report.messages) == (1, 7)
    assert report.questions == {ALL: 3, "named people": 3, "temporal": 1, "multi-hop": 1, "single-hop": 1}
    assert tuple(report.scores) == PIPELINES
    assert report.scores["memgpt"][ALL]["R@10"] == 1
    assert report.scores["newest first"]["temporal"]["MRR"] == pytest.approx(1 / 7)


def test_the_command_prints_a_table_or_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    from jsonschema import validate

    assert run(["eval", "retrieval", str(FRIENDS)]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert all(name in printed for name in (*PIPELINES, *METRICS, "multi-hop (1)"))
    assert run(["eval", "retrieval", str(FRIENDS), "--json"]) == ExitCode.OK
    document = json.loads(capsys.readouterr().out)
    validate(document, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert document["scores"]["memgpt"]["all"]["R@10"] == 1


def test_a_missing_file_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["eval", "retrieval", "nowhere.json"]) == ExitCode.USAGE
    assert "nowhere.json" in capsys.readouterr().err


def test_measuring_leaves_no_agent_behind(tmp_path: Path) -> None:
    report_on(FRIENDS)
    assert not list((tmp_path / "home").rglob("agent.db"))


needs_data = pytest.mark.skipif(not DEVELOPMENT_HALF.is_file(), reason="the data lies beside the project, not in it")


@needs_data
def test_our_ranking_leads_every_baseline_by_far() -> None:
    report = report_on(DEVELOPMENT_HALF, conversations=1)
    ours = report.scores["memgpt"][ALL]
    for name in PIPELINES[2:]:
        assert ours["R@10"] > report.scores[name][ALL]["R@10"] + 0.2


@needs_data
@pytest.mark.benchmark
def test_the_figures_of_the_development_half_are_kept() -> None:
    report = report_on(DEVELOPMENT_HALF)
    ours, words = report.scores["memgpt"][ALL], report.scores["words only"][ALL]
    assert (ours["R@10"] > 0.825, ours["R@1k"] > 0.875, ours["R@2k"] > 0.92) == (True, True, True)
    assert (words["R@10"] > 0.80, words["R@1k"] > 0.85, words["R@2k"] > 0.89) == (True, True, True)
