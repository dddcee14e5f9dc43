"""The chat's small parts, each by itself: quoting, parting long replies, finding commands, history, the bottom line."""

from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.cli.chat import attachment, commands
from memgpt_cli.cli.chat.input import BareLines, is_open, unquoted
from memgpt_cli.cli.chat.parting import parted
from memgpt_cli.cli.chat.prompt import PrivateHistory
from memgpt_cli.cli.chat.screen import _Tail
from memgpt_cli.cli.chat.status import Status
from memgpt_cli.cli.chat.table import COMMANDS, KEYS
from memgpt_cli.cli.chat.table import entry as help_entry
from memgpt_cli.cli.chat.turns import describe
from memgpt_cli.domain.effects import Effects
from memgpt_cli.domain.events import FunctionReturned
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.domain.results import FunctionResult
from memgpt_cli.errors import UsageError

KINDS = (
    *("word", "word word", "", "```", "```py", "~~~", "~~~~", "# head", "  - item", "```x```", "- one", "2. two"),
    *("    four", "> said", "  ```", "- ```", "---", "===", "a | b", "--|--", "word\r"),
)
LINES = st.lists(st.sampled_from(KINDS), max_size=30)


def code_and_prose(text: str) -> list[tuple[bool, str]]:
    """Each line with letters, and whether it stands in a code block, as the parser that renders replies has it."""
    from rich.markdown import Markdown

    found: list[tuple[bool, str]] = []
    for token in Markdown(text).parsed:
        if token.type in {"fence", "code_block", "inline"}:
            is_code = token.type != "inline"
            found += [(is_code, line.strip()) for line in token.content.split("\n") if line.strip()]
    return found


def find(text: str) -> tuple[commands.SlashCommand, str] | None:
    return commands.find(text, COMMANDS)


@given(LINES)
def test_parting_a_reply_loses_no_line_and_leaves_code_code_and_prose_prose(lines: list[str]) -> None:
    text = "\n".join(lines)
    parts = parted(text)
    assert code_and_prose(parts.done) + code_and_prose(parts.rest) == code_and_prose(text)


@given(LINES)
def test_a_reply_that_grows_line_by_line_is_printed_as_one_that_came_at_once(lines: list[str]) -> None:
    printed, rest = [], ""
    for line in lines:
        parts = parted(rest + line + "\n")
        printed += code_and_prose(parts.done)
        rest = parts.rest
    assert printed + code_and_prose(rest) == code_and_prose("\n".join([*lines, ""]))


@given(st.text())
def test_text_without_quotes_is_left_alone_and_quoted_text_is_what_stands_between(text: str) -> None:
    plain = text.replace('"', "").replace("\r", "")
    assert unquoted(plain) == plain
    assert unquoted(f'"""{plain}"""') == plain.strip("\n")
    assert is_open(f'"""{plain}')
    assert not is_open(f'"""{plain}"""')


def test_words_after_a_command_that_takes_none_are_refused() -> None:
    for line in ("/undo please", "/exit now", "/new x", "/help me"):
        with pytest.raises(UsageError, match="takes nothing after it"):
            find(line)
    assert find("/context --history") is not None


def test_the_help_keeps_a_gap_and_indents_what_is_wrapped() -> None:
    assert help_entry("/new", "begin anew", column=8, width=60) == "/new    begin anew"
    words = help_entry("/new", "begin a new conversation; memory stays", column=8, width=34)
    assert words == "/new    begin a new conversation;\n        memory stays"
    assert help_entry("/review [ID]", "decide now", column=14, width=30) == "/review [ID]\n  decide now"


@pytest.mark.parametrize("text", ["hello", " /help", "/", "/usr/bin", "/2 of it", "//", "1/2", "", "/Help me"])
def test_what_is_not_written_as_a_command_is_a_message(text: str) -> None:
    assert find(text) is None


def test_every_command_is_found_by_its_shortest_beginning_that_is_its_own() -> None:
    for name in COMMANDS:
        others = [other for other in COMMANDS if other != name]
        beginnings = [name[:n] for n in range(1, len(name) + 1)]
        own = next(b for b in beginnings if b == name or not any(o.startswith(b) for o in others))
        argument = "some argument" if COMMANDS[name].argument else ""
        found = find(f"/{own} {argument} ")
        assert found is not None
        assert (found[0].name, found[1]) == (name, argument)


def test_the_page_about_the_chat_names_every_command_and_key() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "chat.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"/{name}" not in page] == []
    assert [key for key, _ in KEYS if key not in page] == []


def test_a_shared_beginning_names_its_commands_and_a_slip_the_nearest() -> None:
    with pytest.raises(UsageError, match="/re could be /recall or /review or /retry or /rethink"):
        find("/re")
    with pytest.raises(UsageError, match="did you mean /archival"):
        find("/archive x")


def test_history_survives_restarts_multi_line_and_torn_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "history"
    history = PrivateHistory(path, lambda text: text)
    for entry in ("first", "two\nlines", "# not a heading", "+plus", "中文"):
        history.append_string(entry)
    path.write_bytes(path.read_bytes() + b"\xff\xfe torn")
    again = PrivateHistory(path, lambda text: text)
    assert list(again.load_history_strings()) == ["中文", "+plus", "# not a heading", "two\nlines", "first"]
    assert path.stat().st_mode & 0o077 == 0


def test_only_the_newest_part_of_a_long_history_is_read(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = PrivateHistory(path, lambda text: text)
    for number in range(60):
        history.store_string(f"{number} " + "x" * 19_000)
    found = list(PrivateHistory(path, lambda text: text).load_history_strings())
    assert 20 < len(found) < 30
    assert found[0].startswith("59 ")


def test_a_pasted_text_goes_into_the_history_whole_unless_it_is_huge(tmp_path: Path) -> None:
    pasted = {"[pasted text 1]": "short", "[pasted text 2]": "x" * 30_000}

    def whole(text: str) -> str:
        for placeholder, paste in pasted.items():
            text = text.replace(placeholder, paste)
        return text

    history = PrivateHistory(tmp_path / "history", whole)
    history.store_string("a [pasted text 1]")
    history.store_string("b [pasted text 2]")
    assert list(history.load_history_strings()) == ["b [pasted text 2]", "a short"]


@given(st.integers(0, 200), st.text(max_size=64), st.text(max_size=90), st.integers(0, 10**9))
def test_the_bottom_line_never_passes_the_edge(width: int, agent: str, model: str, tokens: int) -> None:
    status = Status(
        agent=agent, model=model, window=32_768, used=tokens % 40_000, tokens=tokens, waiting=tokens % 2 > 0
    )
    assert len(status.line(width)) <= max(0, width)


def test_the_bottom_line_tells_pressure_cost_and_what_waits() -> None:
    status = Status(
        agent="a", model="m", window=8192, used=7000, pressed=True, waiting=True, tokens=123_456, cost=0.0123
    )
    assert (
        status.line(120)
        == " unanswered: /retry · a · m · context 85% of 8,192, under pressure · 123k tokens in this turn · $0.0123"
    )


@pytest.mark.parametrize(
    ("name", "arguments", "result", "told"),
    [
        (
            "core_memory_append",
            '{"label": "human", "content": "one\\ntwo"}',
            FunctionResult(text="Added to block human (7/2000)."),
            "core memory human:\n+ one\n+ two",
        ),
        (
            "core_memory_replace",
            '{"label": "human", "old_content": "tea", "new_content": "coffee"}',
            FunctionResult(text="Replaced in block human (6/2000)."),
            "core memory human:\n- tea\n+ coffee",
        ),
        (
            "conversation_search",
            '{"query": "tea"}',
            FunctionResult(text="", effects=Effects(shown=("m1", "m2", "m3"), total=41)),
            "searched recall for “tea”: 3 of 41 results",
        ),
        (
            "archival_memory_search",
            '{"query": "tea"}',
            FunctionResult(text="", effects=Effects(total=0)),
            "searched archival for “tea”: nothing",
        ),
        (
            "archival_memory_insert",
            '{"content": "tea"}',
            FunctionResult(text="Stored as p1."),
            "archival: Stored as p1: “tea”",
        ),
        (
            "archival_memory_insert",
            '{"content": "green tea"}',
            FunctionResult(text="Stored as p2. Similar passages were stored before:\n[p1 Mon 2024-01-01 09:00] tea"),
            "archival: Stored as p2: “green tea”. Similar passages were stored before:\n[p1 Mon 2024-01-01 09:00] tea",
        ),
        ("send_message", '{"message": "hi"}', FunctionResult(text="Sent.", effects=Effects(replied=True)), None),
        ("unheard_of", "broken", FunctionResult(text="x"), "unheard_of(broken): x"),
    ],
)
def test_memory_work_is_told_in_plain_words(
    name: str, arguments: str, result: FunctionResult, told: str | None
) -> None:
    call = FunctionCall(id="1", name=name, arguments=arguments)
    assert describe(FunctionReturned(call=call, result=result)) == told


def test_of_a_text_too_tall_for_the_screen_the_newest_lines_are_drawn() -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(width=20, file=StringIO())
    with console.capture() as drawn:
        console.print(_Tail(Text("\n".join(map(str, range(50)))), lines=3))
    assert drawn.get().split() == ["47", "48", "49"]


def test_who_leaves_a_question_on_a_bare_terminal_has_agreed_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = BareLines(first_key=lambda: None)
    for typed, answer in (("", ""), ("\n", "as it was"), ("other\n", "other")):
        monkeypatch.setattr("sys.stdin", StringIO(typed))
        assert lines.ask("text: ", default="as it was") == answer


@pytest.mark.parametrize(
    ("typed", "name", "words"),
    [
        ("red pic.png What colour?", "red pic.png", "What colour?"),
        ('"red pic.png" What colour?', "red pic.png", "What colour?"),
        ("'red pic.png'", "red pic.png", ""),
        ("red\\ pic.png What colour?", "red pic.png", "What colour?"),
        ('"quoted".txt and more', '"quoted".txt', "and more"),
    ],
)
def test_an_attached_file_is_named_as_in_a_shell_or_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, name: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("text")
    assert attachment._split(typed) == (Path(name), words)
