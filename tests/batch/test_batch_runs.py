"""What a batch does with its conversations: agents, order, questions, expectations, output."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.agents import workspace
from support.batches import ROOT, Command, Writer, replies, start, talk, written

from memgpt_cli.batch import expectations
from memgpt_cli.batch.conversations import Expectation, Expected
from memgpt_cli.batch.records import TurnKind, TurnRecord

SCHEMAS = ROOT / "docs" / "schemas"
ADA = "My name is Ada and I live in Lisbon."


def test_each_conversation_has_its_own_agent_that_is_gone_afterwards(batch: Command, write: Writer, home: Path) -> None:
    done = batch(write(talk("a", ADA, "Where do I live?"), talk("b", "Where do I live?")))
    assert done.code == 0
    first, second = done.lines
    assert "Lisbon" in replies(first)[1]
    assert "Lisbon" not in replies(second)[0]
    assert not any(p.is_file() and p.suffix != ".db" for p in home.rglob("agent.db"))
    assert list((home / "data").rglob("agent.db")) == []
    assert list((home / "data" / "batch").iterdir()) == []


def test_a_question_does_not_teach_the_next_one(batch: Command, write: Writer) -> None:
    asks = ["My name is Bob.", "What is my name?", "What is my name?"]
    (record,) = batch(write(talk("a", ADA, ask=asks))).lines
    told, first, second = record["turns"][1:]
    assert told["memory"]
    assert "Bob" in told["reply"]
    assert first["reply"] == second["reply"]
    assert "Ada" in first["reply"]
    assert "Bob" not in first["reply"]
    assert {**first, "turn": 0} == {**second, "turn": 0}


def test_the_state_that_one_question_sees_is_the_state_that_every_other_sees(batch: Command, write: Writer) -> None:
    """However the questions are ordered, searching or not, each is answered as if it were alone."""
    said = [f"In year {n} I visited town number {n}." for n in range(12)]
    asks = ["Which town did I visit in year 7?", "I never saw a town.", "What did I visit in year 3?"]
    (forth,) = batch(write(talk("a", *said, ask=asks))).lines
    (back,) = batch(write(talk("a", *said, ask=asks[::-1]))).lines
    for one, other in zip(forth["turns"][12:], back["turns"][12:][::-1], strict=True):
        assert {**one, "turn": 0} == {**other, "turn": 0}


def test_conversations_of_one_agent_run_in_order(batch: Command, write: Writer, memgpt: Command) -> None:
    memgpt("agent", "create", "tutor")
    lines = [talk(n, f"My lucky number is {n}.", agent="tutor") for n in range(3)]
    done = batch(write(*lines, talk("other", "Hello.")), "--workers", "3")
    assert done.code == 0
    assert [line["agent"] for line in done.lines] == ["tutor", "tutor", "tutor", None]
    listed = json.loads(memgpt("recall", "list", "-a", "tutor", "--json").out)
    said = [m["text"] for m in (listed["messages"] if isinstance(listed, dict) else listed) if m["role"] == "user"]
    assert sorted(said) == [f"My lucky number is {n}." for n in range(3)]


def test_questions_to_an_existing_agent_leave_nothing_in_it(batch: Command, write: Writer, memgpt: Command) -> None:
    memgpt("agent", "create", "tutor")
    done = batch(write(talk("a", ADA, agent="tutor", ask=["Where do I live?"])))
    assert "Lisbon" in replies(done.lines[0])[1]
    assert b"Where do I live" not in memgpt("recall", "list", "-a", "tutor", "--json").out


def test_fresh_agents_are_copies_of_the_template_as_it_stands(batch: Command, write: Writer, memgpt: Command) -> None:
    memgpt("agent", "create", "model-agent", "--human", "Her cat is called Miez.")
    before = memgpt("memory", "show", "-a", "model-agent").out
    done = batch(write(talk("a", ADA, expect=[{"memory_contains": "Miez"}])), "--template", "model-agent", "--keep")
    assert done.code == 0, done.err
    assert memgpt("memory", "show", "-a", "model-agent").out == before
    kept = memgpt("memory", "show", "-a", "a").out
    assert b"Miez" in kept
    assert b"Lisbon" in kept


def test_kept_agents_go_on_remembering(batch: Command, write: Writer, memgpt: Command) -> None:
    assert batch(write(talk("ada 1", ADA)), "--keep").lines[0]["agent"] == "ada-1"
    assert b"Lisbon" in memgpt("send", "-a", "ada-1", "--model", "offline", "Where do I live?").out


def test_a_kept_agent_never_takes_the_place_of_another(batch: Command, write: Writer, memgpt: Command) -> None:
    memgpt("agent", "create", "a")
    done = batch(write(talk("a", ADA)), "--keep")
    assert done.code == 2
    assert "line 1: id: its agent would be called 'a'" in done.err


def test_blocks_and_documents_are_there_before_the_first_message(batch: Command, write: Writer, tmp_path: Path) -> None:
    (tmp_path / "manual.md").write_text("# Boiler\n\nThe boiler is lit with the red lever.\n", encoding="utf-8")
    conversation = talk(
        "a",
        "How is the boiler lit?",
        blocks={"human": "Is called Eve.", "rules": {"value": "Be brief.", "limit": 100, "read_only": True}},
        documents=["manual.md"],
        expect=[{"memory_contains": "Eve"}, {"memory_contains": "Be brief"}, {"contains": "red lever"}],
    )
    done = batch(write(conversation))
    assert done.code == 0, done.out


def test_a_message_carries_its_speaker_and_its_time(batch: Command, write: Writer, memgpt: Command) -> None:
    line = {"id": "a", "messages": [{"content": ADA, "name": "Ada", "created_at": "2023-05-08T13:56:00Z"}]}
    batch(write(line), "--keep")
    shown = json.loads(memgpt("recall", "list", "-a", "a", "--json").out)
    first = (shown["messages"] if isinstance(shown, dict) else shown)[-1]
    assert (first["name"], first["created_at"]) == ("Ada", "2023-05-08T13:56:00.000Z")


def test_a_text_is_one_conversation(batch: Command, tmp_path: Path) -> None:
    path = tmp_path / "talk.txt"
    path.write_text(f"{ADA}\n\nWhere do I live?\n", encoding="utf-8")
    (record,) = batch(path).lines
    assert record["id"] == "talk"
    assert [turn["content"] for turn in record["turns"]] == [ADA, "Where do I live?"]


@pytest.mark.parametrize(
    ("expectation", "met"),
    [
        ({"contains": "Lisbon"}, True),
        ({"contains": "lisbon"}, False),
        ({"not_contains": "Paris"}, True),
        ({"not_contains": "Lisbon"}, False),
        ({"regex": r"(?i)lis\w+"}, True),
        ({"regex": "^Paris"}, False),
        ({"function_called": "core_memory_append"}, True),
        ({"function_called": "archival_memory_insert"}, False),
        ({"memory_contains": "Ada"}, True),
        ({"memory_contains": "Bob"}, False),
        ({"max_prompt_tokens": 4_000}, True),
        ({"max_prompt_tokens": 10}, False),
    ],
    ids=str,
)
def test_expectations_make_the_exit_code(batch: Command, write: Writer, expectation: dict[str, Any], met: bool) -> None:
    on_message = {"id": "a", "messages": [{"content": ADA, "expect": [expectation]}]}
    done = batch(write(on_message))
    assert done.code == (0 if met else 1)
    assert done.lines[0]["turns"][0]["expect"][0]["ok"] is met
    on_conversation = batch(write(talk("a", ADA, expect=[expectation])))
    assert on_conversation.code == (0 if met else 1)


def test_a_regular_expression_that_never_finishes_fails_its_expectation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expectations, "REGEX_SECONDS", 0.05)
    slow = Expectation(kind=Expected.REGEX, value=r"(x|x)*$b|(\w+\s?)+!$")
    turn = TurnRecord(turn=1, kind=TurnKind.MESSAGE, content="", reply="x" * 40 + " " + "word " * 40)
    (checked,) = expectations.check([slow], [turn], None)
    assert not checked.ok
    assert checked.found is not None
    assert "did not finish" in checked.found


def test_new_output_is_for_its_owner_alone(batch: Command, write: Writer, tmp_path: Path) -> None:
    assert batch(write(talk("a", ADA)), "-o", tmp_path / "out.jsonl").code == 0
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600


def test_an_expectation_on_a_question_sees_the_question_alone(batch: Command, write: Writer) -> None:
    asked = [{"content": "Where do I live?", "expect": [{"contains": "Lisbon"}, {"memory_contains": "Ada"}]}]
    assert batch(write(talk("a", ADA, ask=asked))).code == 0


def test_one_failure_does_not_stop_the_rest_unless_told_to(batch: Command, write: Writer, tmp_path: Path) -> None:
    bad = talk("bad", "x", blocks={"human": "too long " * 10_000})
    path = write(talk("a", "Hello."), bad, talk("c", "Hello."))
    done = batch(path)
    assert done.code == 1
    assert [line["ok"] for line in done.lines] == [True, False, True]
    assert "limit" in done.lines[1]["error"]["message"]
    fast = batch(path, "--fail-fast", "-o", tmp_path / "out.jsonl")
    assert fast.code == 1
    assert [line["id"] for line in written(tmp_path / "out.jsonl")] == ["a", "bad"]


def test_a_line_for_each_turn_says_the_same_as_a_line_for_each_conversation(batch: Command, write: Writer) -> None:
    path = write(talk("a", ADA, "Where do I live?", ask=["Who am I?"]), talk("b", "Hello."))
    whole, by_turn = batch(path).lines, batch(path, "--turns").lines
    turns = [line for line in by_turn if line["kind"] != "conversation"]
    assert [{k: v for k, v in line.items() if k not in ("index", "id")} for line in turns] == [
        turn for record in whole for turn in record["turns"]
    ]
    assert [line["index"] for line in by_turn] == [0, 0, 0, 0, 1, 1]


def test_output_is_the_same_whatever_works_on_it(batch: Command, write: Writer, tmp_path: Path) -> None:
    """One worker or three spawned ones, a file or standard output, conversations or turns."""
    path = write(*(talk(n, f"My name is Ada{n}.", "What is my name?", ask=["Who am I?"]) for n in range(6)))
    alone = batch(path).out
    assert batch(path).out == alone
    batch(path, "--workers", "3", "-o", tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == alone


def test_nothing_but_data_is_on_standard_output_and_a_log_file_stays_readable(write: Writer) -> None:
    process = start("batch", write(talk("a", ADA)), "--model", "offline", "--workers", "1")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["id"] == "a"
    assert b"\x1b" not in err
    assert b"\r" not in err
    assert b"conversations" in err


def test_a_line_is_one_line_to_every_reader_and_commands_no_terminal(batch: Command, write: Writer) -> None:
    odd = "I live in\u2028 \x85Lis\x9b31mbon \u202eand \x1b[2Jhere, 东京 \U0001f600."
    done = batch(write(talk("a", odd)))
    assert len(done.out.decode().splitlines()) == 1
    assert not set(done.out.decode()) & set("\x1b\x9b\u202e\x85\u2028")
    assert "东京 \U0001f600".encode() in done.out
    assert done.lines[0]["turns"][0]["content"] == odd


def test_quiet_says_nothing(batch: Command, write: Writer) -> None:
    assert batch(write(talk("a", ADA)), "--quiet").err == ""


def test_a_closed_pipe_is_met_with_silence(write: Writer) -> None:
    path = write(*(talk(n, ADA) for n in range(3)))
    process = start("batch", path, "--model", "offline", "--workers", "1", "-q")
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(60)


def test_an_agent_for_the_whole_batch_is_refused_with_what_to_do(batch: Command, write: Writer) -> None:
    done = batch(write(talk("a", ADA)), "-a", "me")
    assert done.code == 2
    assert "--template" in done.err


def test_an_agent_in_use_is_a_failure_of_its_own(batch: Command, write: Writer, memgpt: Command, home: Path) -> None:
    memgpt("agent", "create", "tutor")
    with workspace(home, model="offline").sessions.open("tutor", purpose="a test"):
        done = batch(write(talk("a", ADA, agent="tutor"), talk("b", ADA)))
    assert [line["ok"] for line in done.lines] == [False, True]
    assert done.lines[0]["error"]["code"] == "busy"


@pytest.mark.parametrize("by_turn", [False, True])
def test_the_output_is_as_its_schema_says(batch: Command, write: Writer, by_turn: bool) -> None:
    from jsonschema import Draft202012Validator

    schema = Draft202012Validator(json.loads((SCHEMAS / "batch-output.schema.json").read_text(encoding="utf-8")))
    bad = talk("bad", "x", blocks={"human": "too long " * 10_000})
    path = write(talk("a", ADA, ask=["Who am I?"], expect=[{"contains": "Bob"}]), bad)
    for line in batch(path, *(["--turns"] if by_turn else [])).lines:
        schema.validate(line)


def test_the_summary_is_as_its_schema_says(memgpt: Command, write: Writer, tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    schema = Draft202012Validator(json.loads((SCHEMAS / "batch-summary.schema.json").read_text(encoding="utf-8")))
    done = memgpt(
        "batch", write(talk("a", ADA)), "--model", "offline", "-w", "1", "-o", tmp_path / "out.jsonl", "--json"
    )
    summary = json.loads(done.out)
    schema.validate(summary)
    assert summary["turns"] == 1
    assert summary["seconds"]["turn_p50"] > 0
    (turn,) = written(tmp_path / "out.jsonl")[0]["turns"]
    times = turn["times"]
    assert times["seconds"] == pytest.approx(times["model_seconds"] + times["our_seconds"], abs=0.001)


def test_conversations_in_locomos_format_become_input(memgpt: Command, tmp_path: Path) -> None:
    document = [
        {
            "sample_id": "c1",
            "conversation": {
                "speaker_a": "Ann",
                "speaker_b": "Ben",
                "session_2_date_time": "1:56 pm on 9 May, 2023",
                "session_2": [{"speaker": "Ann", "dia_id": "D2:1", "text": "The canoe is sold."}],
                "session_1_date_time": "1:56 pm on 8 May, 2023",
                "session_1": [{"speaker": "Ben", "dia_id": "D1:1", "text": "I bought a canoe."}],
            },
            "qa": [{"question": "What did Ben buy?", "answer": "a canoe", "evidence": ["D1:1"], "category": 4}],
        }
    ]
    (tmp_path / "talks.json").write_text(json.dumps(document), encoding="utf-8")
    script = [sys.executable, ROOT / "docs" / "examples" / "locomo_to_batch.py", tmp_path / "talks.json"]
    made = subprocess.run(script, capture_output=True, check=True).stdout
    (tmp_path / "talks.jsonl").write_bytes(made)
    (record,) = memgpt("batch", tmp_path / "talks.jsonl", "--model", "offline", "-w", "1").lines
    assert [turn["content"] for turn in record["turns"]] == [
        "I bought a canoe.",
        "The canoe is sold.",
        "What did Ben buy?",
    ]
    assert "canoe" in record["turns"][-1]["reply"]


def test_progress_tells_rate_cost_and_time_left_a_line_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    from memgpt_cli.batch.run import RunProgress
    from memgpt_cli.cli.batch.progress import LOG_EVERY_S, Reporter
    from memgpt_cli.cli.terminal.context import Terminal

    moment = 0.0
    with Reporter(Terminal(), turns_total=100, quiet=False, now=lambda: moment) as reporter:
        for turns in range(61):
            moment = float(turns)
            reporter.show(RunProgress(total=10, ended=turns // 10, failed=1, turns=turns, cost_usd=0.5))
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 60 // LOG_EVERY_S
    assert shown[0] == "3/10 conversations, 30 turns, 1.0 turns/s, 1 failed, 0.5000 USD, 1:10 left"
