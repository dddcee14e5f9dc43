"""`memgpt chat` in a real pseudo-terminal: typed into, interrupted, resized, and read off its screen."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

pytest.importorskip("pexpect", reason="there are no pseudo-terminals on this system")

from support.brains import Body, Call, Reply, plan
from support.strict_server import Fault, StrictServer
from support.terminal import CTRL_C, CTRL_D, CTRL_R, ESCAPE, LEFT, TAB, UP, Terminal, environment_of

LONG = "One, two, three, four, five, six, seven, eight, nine, ten. " * 12


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def chat(home: Path, *arguments: str, **options: object) -> Terminal:
    return Terminal(home, "chat", *arguments, **options)  # type: ignore[arg-type]


def served(server: StrictServer, *arguments: str) -> tuple[str, ...]:
    return ("--model", "gpt-4o", "--base-url", server.base_url, *arguments)


def script(folder: Path, *steps: dict[str, object]) -> str:
    """A scripted model."""
    file = folder / "script.jsonl"
    file.write_text("".join(json.dumps(step) + "\n" for step in steps), encoding="utf-8")
    return f"scripted:{file}"


def memgpt(home: Path, *arguments: str) -> str:
    """Another process on the same agent."""
    done = subprocess.run(
        [sys.executable, "-m", "memgpt_cli", *arguments],
        env=environment_of(home),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def recalled(home: Path) -> list[dict[str, object]]:
    """Everything in recall storage, oldest first."""
    found: list[dict[str, object]] = json.loads(memgpt(home, "recall", "list", "--all", "--json", "--limit", "500"))
    return found[::-1]


def texts(home: Path, role: str = "user") -> list[object]:
    return [message["text"] for message in recalled(home) if message["role"] == role]


def test_a_newcomer_reads_one_screen_says_something_is_remembered_and_leaves_with_ctrl_d(home: Path) -> None:
    with chat(home) as terminal:
        first = terminal.prompt()
        assert terminal.above.strip() == "", "the first start is more than one screen"
        for told in ("memory outlives its context window", "No language model is connected", "memgpt keys set openai"):
            assert told in " ".join(first.split())
        for told in ("http://localhost:11434/v1", "memgpt doctor --online", str(home), "/help"):
            assert told in first
        assert "default · offline · context" in first
        terminal.say("Hi, I am Ada and I live in London.")
        terminal.wait_for("core memory human:", "+ I am Ada and I live in London.", "Hello")
        terminal.prompt()
        terminal.say("Where do I live?")
        terminal.wait_for("searched recall for “Where do I live?”", "I am Ada and I live in London.")
        assert "tokens" not in terminal.prompt().splitlines()[-1], "the offline responder costs nothing"
        terminal.type(CTRL_D)
        assert terminal.exit_code() == 0
    with chat(home) as again:
        assert "memory outlives" not in again.prompt(), "the long greeting is for the first start"


def test_typing_is_edited_and_comes_back_from_history_at_the_next_start(home: Path) -> None:
    with chat(home) as terminal:
        terminal.prompt()
        terminal.type("Rex is my cut.", *[LEFT] * 2, "\x7f", "a", "\r")
        terminal.wait_for("> Rex is my cat.")
        terminal.prompt()
        terminal.type("half a thou", CTRL_C)
        terminal.prompt()
        terminal.type(CTRL_D)
        assert terminal.exit_code() == 0
    assert texts(home) == ["Rex is my cat."]
    with chat(home) as again:
        again.prompt()
        again.type(UP)
        again.wait_for("> half a thou")
        again.type(UP)
        again.wait_for("> Rex is my cat.")
    history = home / "data" / "history"
    assert history.stat().st_mode & 0o077 == 0


def test_a_message_can_have_several_lines_and_a_large_paste_stands_as_a_placeholder(home: Path) -> None:
    poem = "".join(f"line {number} of the poem\n" for number in range(1, 200))
    with chat(home) as terminal:
        terminal.prompt()
        terminal.type("first", ESCAPE + "\r", "second", "\r")
        terminal.wait_for("> first", "second")
        terminal.prompt()
        terminal.type('"""begun', "\r", "", "\r", 'ended"""', "\r")
        terminal.prompt()
        terminal.paste("short\npaste")
        terminal.type("\r")
        terminal.prompt()
        terminal.type("Read this: ")
        terminal.paste(poem)
        terminal.wait_for("[pasted text 1: 200 lines")
        terminal.type("\r")
        terminal.prompt()
    assert texts(home) == ["first\nsecond", "begun\n\nended", "short\npaste", f"Read this: {poem}"]


def test_ctrl_c_stops_the_reply_and_keeps_what_came_and_twice_leaves(home: Path) -> None:
    brain = plan([Reply(LONG), "All of it.", Reply(LONG)])
    with (
        StrictServer(brain, faults=[Fault.slow(0.05), None, Fault.hanging(), Fault.slow(0.05)]) as server,
        chat(home, *served(server)) as terminal,
    ):
        terminal.prompt()
        terminal.say("Count.")
        terminal.wait_for("One, two, three,")
        terminal.type(CTRL_C)
        terminal.wait_for("(stopped; the text so far is kept)")
        kept = recalled(home)[-1]
        assert kept["role"] == "assistant"
        assert LONG.startswith(str(kept["text"])[:20])
        assert len(str(kept["text"])) < len(LONG)
        terminal.prompt()
        terminal.say("Go on.")
        terminal.wait_for("All of it.")
        told = server.requests[-1]["messages"]
        assert any("interrupted this reply" in (m["content"] or "") for m in told)
        terminal.prompt()
        terminal.say("Are you there?")
        terminal.wait_for("thinking…")
        terminal.type(CTRL_C)
        terminal.wait_for("(stopped)")
        time.sleep(2)  # later than a second Ctrl-C that leaves
        terminal.prompt()
        terminal.say("Again.")
        terminal.wait_for("> Again. One, two, three,")
        terminal.type(CTRL_C)
        time.sleep(0.1)  # two that come at once are one to the system
        terminal.type(CTRL_C)
        assert terminal.exit_code() == 130
    assert not server.refusals


def test_ctrl_c_at_an_empty_prompt_warns_and_the_second_leaves(home: Path) -> None:
    with chat(home) as terminal:
        terminal.prompt()
        terminal.type(CTRL_C)
        terminal.wait_for("Ctrl-C again or Ctrl-D quits")
        terminal.type(CTRL_C)
        assert terminal.exit_code() == 130


def test_what_is_typed_while_a_reply_comes_waits_for_the_prompt(home: Path) -> None:
    with (
        StrictServer(plan([Reply(LONG)]), faults=[Fault.slow(0.02)]) as server,
        chat(home, *served(server)) as terminal,
    ):
        terminal.prompt()
        terminal.say("Count.")
        terminal.wait_for("One, two")
        terminal.type("typed ahead")
        shown = terminal.wait_for("> typed ahead")
        assert shown.count("typed ahead") == 1


def test_when_the_network_fails_the_message_is_kept_and_retry_sends_it(home: Path) -> None:
    faults = [Fault.error(400, "the server is out of order")]
    with StrictServer(plan(["Here I am."]), faults=faults) as server, chat(home, *served(server)) as terminal:
        terminal.prompt()
        terminal.say("Are you there?")
        terminal.wait_for("error:", "out of order", "your message is kept; /retry asks again", "unanswered: /retry")
        terminal.say("/why")
        terminal.wait_for("asked m1,", "it was not answered yet; /retry asks again")
        terminal.say("/retry")
        terminal.wait_for("Here I am.", gone=["unanswered: /retry"])
    assert texts(home) == ["Are you there?"]


def test_a_message_that_a_crash_left_unanswered_is_answered_at_the_next_start(home: Path) -> None:
    with (
        StrictServer(plan(["Never seen."]), faults=[Fault.hanging()]) as server,
        chat(home, *served(server)) as terminal,
    ):
        terminal.prompt()
        terminal.say("Remember me.")
        terminal.wait_for("thinking…")
        terminal.wait_until(lambda _: "Remember me." in texts(home), "the message on disk")
        terminal.kill()
    with StrictServer(plan(["I do."])) as server, chat(home, *served(server)) as again:
        again.wait_for("the last message was not answered; continuing with it", "I do.")
    assert texts(home) == ["Remember me."]


def thinking(_: Iterable[None] = ()) -> list[Reply | str]:
    note = Call("core_memory_append", {"label": "human", "content": "Likes tea."})
    return [Reply("I should note that.", calls=(note,)), "Noted, tea it is."]


def test_a_thought_beside_calls_ends_up_dim_above_the_reply_and_can_be_hidden(home: Path) -> None:
    with StrictServer(plan([*thinking(), *thinking()])) as server:
        with chat(home, *served(server)) as terminal:
            terminal.prompt()
            terminal.say("I like tea.")
            terminal.wait_for("Noted, tea it is.")
            terminal.prompt()
            assert terminal.style_of("I should note that.").italics
            assert not terminal.style_of("Noted, tea").italics
            assert terminal.text.count("I should note that.") == 1
            terminal.type(CTRL_D)
            assert terminal.exit_code() == 0
        with chat(home, *served(server, "--no-thoughts", "--verbose")) as hidden:
            hidden.prompt()
            hidden.say("I like tea.")
            hidden.wait_for("Noted, tea it is.", 'core_memory_append({"label"', "Block human has this already")
            assert "I should note that." not in hidden.everything


def test_in_the_paper_protocol_text_is_a_thought_and_send_message_the_reply(home: Path) -> None:
    brain = plan([Reply("They said hello.", calls=(Call("send_message", {"message": "Hello to you."}),))])
    with (
        StrictServer(brain) as server,
        chat(home, *served(server), env={"MEMGPT_LOOP_PROTOCOL": "paper"}) as terminal,
    ):
        terminal.prompt()
        terminal.say("Hello.")
        terminal.wait_for("Hello to you.")
        terminal.prompt()
        assert terminal.style_of("They said hello.").italics
        assert terminal.text.index("They said hello.") < terminal.text.index("Hello to you.")


def test_a_reply_longer_than_the_screen_can_be_read_whole_by_scrolling_back(home: Path) -> None:
    paragraphs = [f"Paragraph {number} says what it says." for number in range(40)]
    code = "```python\n" + "".join(f"row_{number} = {number}\n" for number in range(40)) + "```"
    reply = "\n\n".join([*paragraphs, code, "The end."])
    with StrictServer(plan([reply])) as server, chat(home, *served(server)) as terminal:
        terminal.prompt()
        terminal.say("Tell me all.")
        terminal.wait_for("The end.")
        terminal.prompt()
        read = terminal.everything
        assert [read.count(p) for p in paragraphs] == [1] * 40
        assert [read.count(f"row_{number} = {number}\n") for number in range(40)] == [1] * 40
        assert "```" not in read
        rows = [line for line in read.split("\n") if line.startswith("row_")]
        start = read.split("\n").index(rows[0])
        assert read.split("\n")[start : start + 40] == rows, "an empty line stands within the code"


def test_slash_commands_complete_abbreviate_and_suggest(home: Path) -> None:
    with chat(home) as terminal:
        terminal.prompt()
        terminal.say("/he")
        terminal.wait_for("Ctrl-D leave")
        terminal.prompt()
        for name in ("/memory [LABEL]", "/why", "/undo", "/rethink ADVICE", "Alt-Enter"):
            assert name in terminal.everything
        terminal.say("/re")
        terminal.wait_for("/re could be /recall or /review or /retry or /rethink")
        terminal.say("/memroy")
        terminal.wait_for("did you mean /memory?")
        terminal.type("/con")
        terminal.wait_for("/context [OPTIONS] what the model sees now")
        terminal.type(TAB)
        terminal.wait_for("> /context")
        terminal.type("\r")
        terminal.wait_for("core memory", "free", "reserved")
        terminal.say("/recall London --limit 1")
        terminal.wait_for("nothing was found")
        terminal.say("/usr/bin/env is a path")
        terminal.prompt()
        terminal.say("/quit")
        assert terminal.exit_code() == 0
    assert texts(home) == ["/usr/bin/env is a path"]


def test_tab_completes_commands_beginnings_and_blocks_before_anything_was_said(home: Path) -> None:
    memgpt(home, "memory", "create", "goals")
    with chat(home) as terminal:
        terminal.prompt()
        terminal.type("/mem")
        terminal.wait_for("/memory [LABEL]")
        terminal.type(TAB)
        terminal.wait_for("> /memory", "goals", "persona")
        terminal.type("go", TAB, "\r")
        terminal.wait_for("goals (0/2000 characters)")
        terminal.type(CTRL_R, "mem")
        terminal.wait_for("I-search backward")
        terminal.type(CTRL_C)
        terminal.wait_until(lambda seen: "I-search" not in seen, "the search to be left")
        terminal.say("said afterwards")
        terminal.prompt()
    assert texts(home) == ["said afterwards"]


def test_undo_retry_and_rethink_take_the_last_turn_back(home: Path) -> None:
    with chat(home) as terminal:
        terminal.prompt()
        terminal.say("I live in London.")
        terminal.prompt()
        terminal.say("I have a dog called Rex.")
        terminal.prompt()
        terminal.say("/undo")
        terminal.wait_for("undid turn 2", "Rex")
        terminal.say("/memory human")
        terminal.wait_for("human (17/2000 characters)")
        terminal.say("/retry")
        terminal.wait_for("asking again")
        terminal.prompt()
        terminal.say("/rethink be brief")
        terminal.wait_for("asking again", "be brief")
        terminal.prompt()
    assert texts(home) == ["I live in London."]
    assert "The person says of it: be brief" in texts(home, "system")[-1]


def test_why_names_what_was_in_view_and_what_was_found(home: Path) -> None:
    with chat(home) as terminal:
        terminal.prompt()
        terminal.say("/why")
        terminal.wait_for("nothing was answered yet")
        terminal.say("I live in London.")
        terminal.prompt()
        terminal.say("/new")
        terminal.wait_for("moved to recall storage, memory stays")
        terminal.say("Where do I live?")
        terminal.prompt()
        terminal.say("/why")
        terminal.wait_for("answered by offline in")
        for told in ("asked", "core memory: persona (version 1), human (version 2)", "m1 ", "score", "attention"):
            assert told in terminal.everything
        terminal.say("/undo")
        terminal.wait_for("undid turn 2")
        terminal.say("/why")
        terminal.wait_for("asked m1,")
        terminal.say("/undo")
        terminal.wait_for("undid turn 1")
        terminal.say("/why")
        terminal.wait_for("undid turn 1", "nothing was answered yet")


def test_the_model_and_the_agent_change_in_mid_chat_and_a_failed_change_changes_nothing(
    home: Path, tmp_path: Path
) -> None:
    memgpt(home, "agent", "create", "tutor")
    model = script(tmp_path, {"text": "I follow a script."})
    with chat(home, "--model", "offline") as terminal:
        terminal.prompt()
        terminal.say("/model gpt-4.1")
        terminal.wait_for("there is no API key for OpenAI", "default · offline")
        terminal.say(f"/model {model}")
        terminal.wait_for("answers from here on, in this chat")
        terminal.say("Who are you?")
        terminal.wait_for("I follow a script.")
        terminal.say("/agent nobody")
        terminal.wait_for("Create it?")
        terminal.type("n\r")
        terminal.wait_for("there is no agent 'nobody'")
        terminal.say("/agent tutor")
        terminal.wait_for("tutor · script.jsonl")
        terminal.say("/agent")
        terminal.wait_for("* tutor")


def test_writes_are_confirmed_one_by_one_until_always(home: Path) -> None:
    with chat(home, env={"MEMGPT_MEMORY_CONFIRM": "true"}) as terminal:
        terminal.prompt()
        terminal.say("I live in London")
        terminal.wait_for("core memory human:", "+ I live in London", "write this?")
        terminal.say("e")
        terminal.wait_for("text: I live in London")
        terminal.say(", UK")
        terminal.wait_for("· core memory human: + I live in London, UK")
        terminal.prompt()
        terminal.say("My name is Ada.")
        terminal.wait_for("+ My name is Ada.", "write this?")
        terminal.say("n")
        terminal.wait_for("not written, as you said")
        terminal.prompt()
        terminal.say("I have a dog called Rex.")
        terminal.wait_for("Rex. write this?")
        terminal.say("a")
        terminal.prompt()
        terminal.say("I have a cat called Tom.")
        terminal.wait_for("Tom")
        terminal.prompt()
    kept = memgpt(home, "memory", "show", "human")
    assert "I live in London, UK" in kept
    assert "Ada" not in kept
    assert "Rex" in kept
    assert "Tom" in kept


def test_a_second_terminal_is_told_who_holds_the_agent_and_edits_from_it_reach_the_chat(home: Path) -> None:
    seen: list[Body] = []

    def brain(body: Body) -> Reply:
        seen.append(body)
        return Reply("Yes.")

    with StrictServer(brain) as server, chat(home, *served(server)) as terminal:
        terminal.prompt()
        with chat(home) as second:
            second.wait_for("agent 'default' is in use by `memgpt chat`", "hint: wait with --wait")
            assert second.exit_code() == 5
        terminal.say("Hello.")
        terminal.wait_for("Yes.")
        terminal.prompt()
        assert "version 2" in memgpt(home, "memory", "append", "human", "Born in 1815.")
        terminal.say("Hello again.")
        terminal.wait_for("Hello again. Yes.")
    assert "Born in 1815." in json.dumps(seen[-1]["messages"][1:])


def test_nothing_that_a_model_writes_commands_the_terminal(home: Path) -> None:
    nasty = "before\x1b[2J\x1b]0;owned\x07\x1b[31m\u202eafter [click](http://evil.example)"
    with StrictServer(plan([nasty])) as server, chat(home, *served(server)) as terminal:
        terminal.prompt()
        terminal.say("Hello.")
        terminal.wait_for("beforeafter", "http://evil.example")
        terminal.prompt()
        assert terminal.screen.title != "owned"
        assert b"\x1b[2J" not in terminal.output
        assert "\u202e".encode() not in terminal.output
        assert b"\x1b]8;" not in terminal.output, "a link's target is shown, not hidden"


@pytest.mark.parametrize(("columns", "lines"), [(24, 12), (200, 50)])
def test_narrow_and_wide_terminals_are_sane(home: Path, columns: int, lines: int) -> None:
    with chat(home, columns=columns, lines=lines) as terminal:
        terminal.prompt()
        terminal.say("我叫小明,我住在北京。我喜欢喝茶和看书。")
        terminal.prompt()
        terminal.say("我住在哪里?")
        terminal.wait_for("北京")
        terminal.prompt()
        assert all(len(line.rstrip()) <= columns for line in terminal.screen.display)


def test_resizing_keeps_prompt_and_bottom_line_whole(home: Path) -> None:
    with chat(home) as terminal:
        terminal.prompt()
        terminal.type("a rather long line that will not fit into the smaller window")
        terminal.wait_for("smaller window")
        terminal.resize(40, 24)
        terminal.wait_for("smaller window", "default · offline")
        terminal.resize(100, 24)
        terminal.wait_for("a rather long line that will not fit into the smaller window", "default · offline")
        terminal.type("\r")
        terminal.prompt()
    assert texts(home) == ["a rather long line that will not fit into the smaller window"]


def test_no_color_leaves_out_colours_and_a_dumb_terminal_gets_plain_lines(home: Path) -> None:
    with chat(home, env={"NO_COLOR": "1"}) as terminal:
        terminal.prompt()
        terminal.say("I live in London.")
        terminal.wait_for("+ I live in London.")
        terminal.prompt()
        coloured = [x for row in terminal.screen.buffer.values() for x in row.values() if x.fg != "default"]
        assert not coloured
    with chat(home, env={"TERM": "dumb"}) as dumb:
        dumb.bare_prompt()
        dumb.say("Where do I live?")
        dumb.wait_for("I live in London.")
        dumb.bare_prompt()
        dumb.say('"""two')
        dumb.wait_for("… ")
        dumb.say('lines"""')
        dumb.bare_prompt()
        dumb.say("/exit")
        assert dumb.exit_code() == 0
        assert b"\x1b" not in dumb.output
    assert texts(home)[-1] == "two\nlines"


def test_a_file_can_be_attached_and_words_said_beside_it(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# Garden\n\nThe roses are watered on Fridays.\n", encoding="utf-8")
    with StrictServer(plan(["Read."])) as server, chat(home, *served(server)) as terminal:
        terminal.prompt()
        terminal.say("/attach notes.md What is watered when?")
        terminal.wait_for("Read.")
        terminal.say("/attach nothing.txt")
        terminal.wait_for("there is no file nothing.txt")
        prompt = server.requests[-1]["messages"]
    assert texts(home)[:2] == ["# Garden\n\nThe roses are watered on Fridays.", "What is watered when?"]
    assert "(quoted from document notes.md)\n> # Garden\n> \n> The roses are watered on Fridays." in str(
        [message["content"] for message in prompt]
    ).replace("\\n", "\n")
