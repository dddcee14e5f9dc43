"""Keys are named where they are written, and masked where people read them; scripts get them in full."""

from support.command_line import CommandLine

KEY = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"


def test_a_key_is_named_at_write_and_masked_when_printed(memgpt: CommandLine) -> None:
    assert "this looks like a key: GitHub Token" in memgpt("memory", "set", "human", f"token {KEY}").err
    shown = memgpt("memory", "show", "human").out
    assert KEY not in shown
    assert "token ghp_…[GitHub Token]" in shown
    assert memgpt("memory", "show", "human", "--json").json[0]["value"] == f"token {KEY}"
    assert "this looks like a key" in memgpt("archival", "add", f"The token is {KEY}").err
    assert KEY not in memgpt("archival", "show", "p1").out
    assert "this looks like a key" in memgpt("send", f"My token is {KEY}").err
    assert KEY not in memgpt("recall", "list").out
    assert "looks like a key" not in memgpt("send", "I live in Lisbon since 2023").err
