"""`memgpt doctor`: what is in order, what is not and what to do, for people and for scripts."""

import pytest
from support.command_line import CommandLine


def test_each_check_says_what_it_found(memgpt: CommandLine) -> None:
    memgpt("send", "My name is Ada.")
    found = {check["check"]: check for check in memgpt.json("doctor", "doctor")}
    assert all(check["ok"] for check in found.values())
    assert "offline" in found["model"]["says"]
    assert "the record is intact: 4 messages" in found["agent default"]["says"]
    assert "ok    model" in memgpt("doctor").out


def test_what_is_not_in_order_is_exit_1_with_a_hint(memgpt: CommandLine) -> None:
    memgpt("agent", "create", "work")
    (memgpt.home / "data" / "agents" / "work" / "agent.db").write_bytes(b"no database" * 1000)
    wrong = [check for check in memgpt("doctor", "--json", code=1).json if not check["ok"]]
    assert [check["check"] for check in wrong] == ["agent work"]
    assert wrong[0]["hint"]
    assert "FAIL" in memgpt("doctor", code=1).out


@pytest.mark.parametrize("stated", ["0.0.0.0:abc", "127.0.0.1", "http://[::1"])
def test_an_ollama_host_without_a_port_leaves_the_usual_one(
    memgpt: CommandLine, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", stated)
    found = {check["check"]: check for check in memgpt.json("doctor", "doctor", "--online")}
    assert found["nearby"]["ok"]
