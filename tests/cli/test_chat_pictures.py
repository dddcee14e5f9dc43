"""A picture shown in a chat: described once, kept with its description, found again; refused where nobody sees it."""

import base64
import json
from pathlib import Path

import pytest

pytest.importorskip("pexpect", reason="there are no pseudo-terminals on this system")

from support.brains import plan, text_of
from support.command_line import CommandLine
from support.strict_server import Fault, StrictServer
from support.terminal import Terminal

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SEES = {"MEMGPT_MODEL_IMAGES": "true"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "my roses.png").write_bytes(PICTURE)
    (tmp_path / "torn.png").write_bytes(b"no picture at all")
    return tmp_path / "home"


def chat(home: Path, server: StrictServer, env: dict[str, str]) -> Terminal:
    return Terminal(home, "chat", "--model", "gpt-4o", "--base-url", server.base_url, env=env)


def test_a_picture_is_described_once_and_its_description_stands_in_the_conversation(
    home: Path, memgpt: CommandLine, tmp_path: Path
) -> None:
    brain = plan(["Three red roses in a blue vase.", "They are lovely.", "A blue one."])
    with StrictServer(brain) as server, chat(home, server, SEES) as terminal:
        terminal.prompt()
        terminal.say("/attach my roses.png from my garden")
        terminal.wait_for("looked at my roses.png; what it shows is kept as p1", "They are lovely.")
        terminal.prompt()
        terminal.say("What vase was it?")
        terminal.wait_for("A blue one.")
        terminal.say("/undo")
        terminal.wait_for("undid turn 2")
        shown, answered, asked = server.requests
        image = shown["messages"][0]["content"][0]["image_url"]["url"]
        assert base64.b64decode(image.partition(",")[2]) == PICTURE
        assert "from my garden" in text_of(shown["messages"][0])
        assert "Three red roses" in text_of(answered["messages"][-1])
        assert answered["messages"] == asked["messages"][: len(answered["messages"])], "the prompt grows at its end"
        assert "base64" not in json.dumps([answered, asked])
    assert not server.refusals
    assert memgpt.json("archival-search", "archival", "search", "red roses")["hits"][0]["source"] == "my roses.png"
    assert memgpt.json("archival-picture", "archival", "picture", "p1", "again.png")["bytes"] == len(PICTURE)
    assert (tmp_path / "again.png").read_bytes() == PICTURE
    calls = memgpt.json("recall-show", "recall", "show", "m1")
    assert "picture" in json.dumps(calls)
    memgpt("agent", "export", str(tmp_path / "all.memgpt"))
    memgpt("agent", "import", str(tmp_path / "all.memgpt"), "--as", "copy")
    memgpt("archival", "picture", "p1", "copied.png", "-a", "copy")
    assert (tmp_path / "copied.png").read_bytes() == PICTURE
    assert files_with(PICTURE, home / "data" / "agents" / "default")
    memgpt("forget", "roses", "--yes", code=1)  # the copied agent still has it
    assert not files_with(PICTURE, home / "data" / "agents" / "default")
    memgpt("archival", "picture", "p1", "gone.png", code=3)


def files_with(content: bytes, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and content in path.read_bytes()]


def test_when_the_model_cannot_be_reached_the_picture_waits_and_retry_shows_it(home: Path) -> None:
    brain = plan(["Three red roses.", "Lovely.", "Three again.", "Once more."])
    faults = [Fault.error(400, "out of order")]
    with StrictServer(brain, faults=faults) as server, chat(home, server, SEES) as terminal:
        terminal.prompt()
        terminal.say("/attach my roses.png")
        terminal.wait_for("out of order", "your message is kept; /retry asks again")
        terminal.say("/retry")
        terminal.wait_for("looked at my roses.png", "Lovely.")
        terminal.prompt()
        terminal.say("/retry")
        terminal.wait_for("asking again", "Once more.")
        assert len([body for body in server.requests if isinstance(body["messages"][-1]["content"], list)]) == 2


def test_where_nobody_sees_a_picture_it_is_refused_with_what_to_do(home: Path) -> None:
    with StrictServer() as server, chat(home, server, {}) as terminal:
        terminal.prompt()
        terminal.say("/attach my roses.png")
        terminal.wait_for("pictures are not shown to gpt-4o", "memgpt config set model.images true")
        terminal.say("/model offline")
        terminal.wait_for("offline answers from here on")
        terminal.say("/attach my roses.png")
        terminal.wait_for("the offline responder cannot see")
        assert not server.requests
    with StrictServer() as server, chat(home, server, SEES) as terminal:
        terminal.prompt()
        terminal.say("/attach torn.png")
        terminal.wait_for("torn.png is not a PNG, JPEG, GIF or WebP")
        terminal.say("/attach nothing.png what is it")
        terminal.wait_for("there is no file nothing.png what is it")
