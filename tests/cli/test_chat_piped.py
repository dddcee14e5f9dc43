"""`memgpt chat` in a pipe: one message a line in, answers out, everything else on standard error."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.brains import plan
from support.strict_server import Fault, StrictServer

pytest.importorskip("pexpect", reason="support.terminal needs it")

from support.terminal import environment_of


def chat(home: Path, said: bytes, *arguments: str, code: int = 0) -> tuple[str, str]:
    """What comes out and what is told beside it."""
    done = subprocess.run(
        [sys.executable, "-m", "memgpt_cli", "chat", *arguments],
        input=said,
        env=environment_of(home),
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, done
    return done.stdout.decode(), done.stderr.decode()


def texts(home: Path) -> list[str]:
    """What was said to the agent, oldest first."""
    done = subprocess.run(
        [sys.executable, "-m", "memgpt_cli", "recall", "list", "--role", "user", "--json"],
        env=environment_of(home),
        capture_output=True,
        check=True,
    )
    return [message["text"] for message in json.loads(done.stdout)][::-1]


def test_each_line_is_a_message_and_only_answers_are_data(tmp_path: Path) -> None:
    said = "\ufeffI live in London.\r\n\r\nWhere do I live?\r\n/memory human\n我住在北京。\nlast line without its end"
    out, err = chat(tmp_path / "home", said.encode())
    assert 'Noted: "I live in London."' in out.splitlines()
    assert any(line.endswith('"I live in London."') for line in out.splitlines())
    assert "human (17/2000 characters)" in out
    assert "Answering offline" in err
    assert "searched recall" in err
    assert "searched recall" not in out
    assert "\x1b" not in out + err
    assert texts(tmp_path / "home") == [
        "I live in London.",
        "Where do I live?",
        "我住在北京。",
        "last line without its end",
    ]


def test_a_failing_model_ends_the_pipe_with_its_code_and_keeps_the_message(tmp_path: Path) -> None:
    with StrictServer(plan(["Fine."]), faults=[None, Fault.error(400, "out of order")]) as server:
        endpoint = ("--model", "gpt-4o", "--base-url", server.base_url)
        out, err = chat(tmp_path / "home", b"one\ntwo\nthree\n", *endpoint, code=6)
        assert out == "Fine.\n"
        assert "out of order" in err
        assert texts(tmp_path / "home") == ["one", "two"]
        out, err = chat(tmp_path / "home", b"three\n", *endpoint)
        assert "the last message was not answered; continuing with it" in err
        assert len(out.splitlines()) == 2


def test_a_reader_that_goes_away_ends_the_chat_quietly(tmp_path: Path) -> None:
    chatting = subprocess.Popen(
        [sys.executable, "-m", "memgpt_cli", "chat"],
        env=environment_of(tmp_path / "home"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert chatting.stdin is not None
    assert chatting.stdout is not None
    assert chatting.stderr is not None
    chatting.stdout.close()
    chatting.stdin.write(b"I live in London.\nI have a dog.\n")
    chatting.stdin.close()
    told = chatting.stderr.read().decode()
    chatting.stderr.close()
    assert chatting.wait() == 0
    assert "Error" not in told
    assert "error" not in told


def test_slash_commands_work_in_a_pipe_and_a_wrong_one_ends_it(tmp_path: Path) -> None:
    out, _ = chat(tmp_path / "home", b"/help\n/exit\nnever read\n")
    assert "/memory [LABEL]" in out
    _, err = chat(tmp_path / "home", b"/nonsense\n", code=2)
    assert "there is no command /nonsense" in err
    _, err = chat(tmp_path / "home", b"/retry\n", code=2)
    assert "there is no message to answer again" in err
    assert "undo" not in err
    assert texts(tmp_path / "home") == []


def test_writes_are_refused_where_nobody_can_be_asked(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "memgpt_cli", "chat"],
        input=b"I live in London.\n/memory human\n",
        env={**environment_of(tmp_path / "home"), "MEMGPT_MEMORY_CONFIRM": "true"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"not written, because no one could be asked (memory.confirm)" in done.stderr
    assert b"human (0/2000 characters)" in done.stdout


def test_a_chat_has_no_json_form(tmp_path: Path) -> None:
    _, err = chat(tmp_path / "home", b"", "--json", code=2)
    assert "memgpt send --json" in json.loads(err)["error"]["hint"]


def test_export_writes_the_agent_and_save_the_conversation(tmp_path: Path) -> None:
    files = (tmp_path / "all of it.memgpt", tmp_path / "talk.md")
    said = f"I live in London.\n/export {files[0]}\n/save {files[1]}\n"
    out, _ = chat(tmp_path / "home", said.encode())
    assert "read back and checked" in out
    assert files[0].stat().st_size > 0
    assert "I live in London." in files[1].read_text(encoding="utf-8")


def test_streams_that_were_closed_before_the_start_are_no_error(tmp_path: Path) -> None:
    for closing, code in ((">&-", 0), (">&- 2>&- <&-", 0), ("--bogus 2>&-", 2)):
        command = f"exec {sys.executable} -m memgpt_cli chat {closing}"
        done = subprocess.run(
            ["bash", "-c", command], input=b"", env=environment_of(tmp_path / "home"), capture_output=True, check=False
        )
        assert done.returncode == code, done
        assert b"bug" not in done.stderr
