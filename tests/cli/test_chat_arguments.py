"""What follows a slash command: a text as typed, and options as a shell splits them."""

from pathlib import Path

import pytest
from support.command_line import CommandLine

from memgpt_cli.cli.chat.actions import _load_request
from memgpt_cli.cli.chat.arguments import ARCHIVAL, CONTEXT, RECALL, SlashOptions, read_arguments
from memgpt_cli.domain.messages import Role
from memgpt_cli.errors import UsageError


@pytest.mark.parametrize(
    ("line", "text", "values"),
    [
        ('Kyoto --name "Ana B"', "Kyoto", {"name": "Ana B"}),
        ("Kyoto --name='Ana B' -n 3", "Kyoto", {"name": "Ana B", "limit": 3}),
        ("Ana's trip to Kyoto", "Ana's trip to Kyoto", {}),
        ("Ana's trip --limit 2 --explain", "Ana's trip", {"limit": 2, "explain": True}),
        ('"the trip"', "the trip", {}),
        ("--limit 5 Kyoto", "Kyoto", {"limit": 5}),
        ("x --role user --role tool", "x", {"role": [Role.USER, Role.TOOL]}),
        ("plan -b and a well-known -x", "plan -b and a well-known -x", {}),
        ("", "", {}),
    ],
)
def test_a_text_is_taken_as_typed_and_options_as_a_shell_splits_them(
    line: str, text: str, values: dict[str, object]
) -> None:
    given = read_arguments("recall", line, RECALL)
    assert (given.text, given.values) == (text, values)


@pytest.mark.parametrize(
    ("line", "options", "message", "hint"),
    [
        ('x --name "Ana', RECALL, "a quotation mark is not closed", "close it"),
        ("x --nam Ana", RECALL, "/recall has no option --nam; did you mean --name", "--limit"),
        ("x --limit", RECALL, "--limit needs a value", "VALUE"),
        ("x --limit many", RECALL, "--limit 'many' is not valid", "a number from 1"),
        ("x --limit 0", RECALL, "--limit '0' is not valid", "a number from 1"),
        ("x --role friend", RECALL, "--role 'friend' is not valid", "user, assistant, tool, system"),
        ("x --role user", ARCHIVAL, "/recall has no option --role", "--tag"),
        ("--prompt --wth x", CONTEXT, "did you mean --with", "--history"),
    ],
)
def test_a_wrong_option_is_named_with_a_hint(line: str, options: SlashOptions, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        read_arguments("recall", line, options)
    assert message in error.value.message
    assert hint in error.value.hint


def test_a_path_with_spaces_needs_no_quotes_if_it_exists(tmp_path: Path) -> None:
    notes = tmp_path / "my notes"
    notes.mkdir()
    assert _load_request(str(notes)).paths == [str(notes)]
    assert _load_request(f"{notes} --tag home --again").paths == [str(notes)]
    assert _load_request(f"{notes} --tag home --again").tags == ["home"]
    assert _load_request('a.md "b c.md" --again').paths == ["a.md", "b c.md"]
    with pytest.raises(UsageError, match="not closed"):
        _load_request('a.md "b c.md')
    with pytest.raises(UsageError, match="which files"):
        _load_request("--again")


def test_slash_commands_search_as_the_subcommands_do(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memgpt("send", "--name", "Ana B", "I spent the spring in Kyoto")
    memgpt("send", "--name", "Ben", "Kyoto was too hot for me")
    memgpt("archival", "add", "The key is under the mat", "--tag", "house")
    lines = (
        '/recall Kyoto --name "Ana B"',
        "/recall --limit 1",
        "/archival key --tag house",
        "/memory human",
        "/context",
        f"/export '{tmp_path / 'my agent.memgpt'}'",
    )
    typed = tmp_path / "typed"
    typed.write_text("\n".join(lines), encoding="utf-8")
    with typed.open(encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        said = memgpt("chat").out
    by_hand = memgpt("recall", "search", "Kyoto", "--name", "Ana B").out
    assert by_hand in said
    assert "too hot" not in said.split(by_hand)[0]
    assert memgpt("archival", "search", "key", "--tag", "house").out in said
    assert (tmp_path / "my agent.memgpt").is_file()


def test_a_quotation_mark_that_is_not_closed_is_an_error(
    memgpt: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = tmp_path / "typed"
    typed.write_text('/recall Kyoto --name "Ana B\n', encoding="utf-8")
    with typed.open(encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert "a quotation mark is not closed" in memgpt("chat", code=2).err
