"""`memgpt mcp install`: the entry in each client's file, and nothing else of it changed."""

import json
import socket
import tomllib
from pathlib import Path

import pytest
from support.command_line import CommandLine

from memgpt_cli.mcp.clients import CLIENTS


@pytest.fixture
def memgpt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    home = tmp_path / "memgpt"
    monkeypatch.setenv("MEMGPT_HOME", str(home))
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "person").mkdir()
    return CommandLine(home, capsys)


@pytest.mark.parametrize("client", [client.name for client in CLIENTS])
def test_the_entry_is_absolute_and_a_second_run_changes_nothing(memgpt: CommandLine, client: str) -> None:
    done = memgpt("mcp", "install", client, "--json").json
    assert done["changed"]
    assert Path(done["entry"]["command"]).is_absolute()
    assert done["entry"]["env"] == {"MEMGPT_HOME": str(memgpt.home)}
    text = Path(done["path"]).read_text(encoding="utf-8")
    document = tomllib.loads(text) if done["path"].endswith(".toml") else json.loads(text)
    (servers,) = document.values()
    assert servers["memgpt"]["args"] == ["mcp", "--agent", "default"]
    assert not memgpt("mcp", "install", client, "--json").json["changed"]
    assert Path(done["path"]).read_text(encoding="utf-8") == text


def test_other_entries_and_comments_stay_and_the_former_file_is_kept(memgpt: CommandLine, tmp_path: Path) -> None:
    codex = tmp_path / "person" / ".codex" / "config.toml"
    codex.parent.mkdir()
    before = '# my settings\nmodel = "x"\n\n[mcp_servers.other]\ncommand = "other" # keep\n'
    codex.write_text(before, encoding="utf-8")
    memgpt("mcp", "install", "codex", "--read-only")
    after = codex.read_text(encoding="utf-8")
    assert after.startswith(before.rstrip())
    assert tomllib.loads(after)["mcp_servers"]["memgpt"]["args"][-1] == "--read-only"
    assert codex.with_name("config.toml.before-memgpt").read_text(encoding="utf-8") == before


def test_a_dry_run_shows_the_change_and_writes_nothing(memgpt: CommandLine, tmp_path: Path) -> None:
    done = memgpt("mcp", "install", "cursor", "--dry-run")
    assert '"memgpt"' in done.out
    assert not (tmp_path / "person" / ".cursor").exists()


@pytest.mark.parametrize("text", ['{"context_servers": {}, // mine\n}', "[1, 2]", '{"context_servers": []}', "{"])
def test_a_file_that_cannot_be_kept_whole_is_not_touched(memgpt: CommandLine, tmp_path: Path, text: str) -> None:
    zed = tmp_path / "person" / ".config" / "zed" / "settings.json"
    zed.parent.mkdir(parents=True)
    zed.write_text(text, encoding="utf-8")
    done = memgpt("mcp", "install", "zed", code=2)
    assert "by hand" in done.err
    assert zed.read_text(encoding="utf-8") == text


def test_an_unknown_client_or_tool_is_named_with_the_known_ones(memgpt: CommandLine) -> None:
    assert "claude-code" in memgpt("mcp", "install", "emacs", code=2).err
    assert "core_memory_view" in memgpt("mcp", "--tools", "serch", code=2).err
    assert "key" in memgpt("mcp", "--http", "--host", "192.0.2.1", code=2).err


@pytest.mark.parametrize("command", [("serve",), ("mcp", "--http")])
def test_a_used_port_is_an_error_with_another_one(memgpt: CommandLine, command: tuple[str, ...]) -> None:
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        port = used.getsockname()[1]
        done = memgpt(*command, "--port", str(port), code=2)
    assert f"cannot listen on 127.0.0.1:{port}" in done.err
    assert f"--port {port + 1}" in done.err
