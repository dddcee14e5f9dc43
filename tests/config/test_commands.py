"""`memgpt config` and `memgpt keys` as a person and a script use them."""

import json
import os
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from memgpt_cli.config.paths import Paths

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz"

Memgpt = Callable[..., tuple[int, str, str]]


@pytest.fixture
def memgpt(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Memgpt:
    """Run a command in a home and a working directory of its own: (exit code, stdout, stderr)."""
    from memgpt_cli.cli.app import run

    for name in list(os.environ):
        if name.startswith(("MEMGPT_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MEMGPT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(project)

    def invoke(*arguments: str, typed: str = "", terminal: bool = False) -> tuple[int, str, str]:
        stdin = StringIO(typed)
        stdin.isatty = lambda: terminal
        monkeypatch.setattr(sys, "stdin", stdin)
        code = run(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return invoke


def check(schema: str, text: str) -> object:
    value = json.loads(text)
    Draft202012Validator(json.loads((SCHEMAS / schema).read_text(encoding="utf-8"))).validate(value)
    return value


def test_the_list_names_every_setting_with_its_source(memgpt: Memgpt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGPT_WINDOW", "8192")
    code, text, _ = memgpt("config", "list")
    assert code == 0
    assert "MEMGPT_WINDOW" in text
    code, text, _ = memgpt("config", "list", "--json", "--model", "offline")
    settings = {entry["key"]: entry for entry in check("config-list.schema.json", text)}
    assert settings["window.tokens"] | {"value": 8192, "source": "environment"} == settings["window.tokens"]
    assert settings["model.name"] | {"value": "offline", "source": "flag"} == settings["model.name"]


def test_a_setting_is_set_read_and_unset(memgpt: Memgpt, paths: Paths) -> None:
    code, out, err = memgpt("config", "set", "search.page_size", "7")
    assert (code, out) == (0, "")
    assert str(paths.user_file) in err.replace("\n", "")
    assert memgpt("config", "get", "search.page_size")[1] == "7\n"
    assert memgpt("config", "unset", "search.page_size")[0] == 0
    assert memgpt("config", "get", "search.page_size")[1] == "10\n"


def test_scripts_get_what_the_schemas_say(memgpt: Memgpt, paths: Paths) -> None:
    assert check("config-setting.schema.json", memgpt("config", "set", "search.page_size", "7", "--json")[1]) == check(
        "config-setting.schema.json", memgpt("config", "get", "search.page_size", "--json")[1]
    )
    for removed in (True, False):
        told = check("config-unset.schema.json", memgpt("config", "unset", "search.page_size", "--json")[1])
        assert told == {"key": "search.page_size", "removed": removed}
    stored = check("keys-set.schema.json", memgpt("keys", "set", "--json", typed=KEY + "\n")[1])
    assert stored == {"provider": "openai", "key": "…wxyz", "where": str(paths.keys_file)}
    check("keys-delete.schema.json", memgpt("keys", "delete", "openai", "--yes", "--json")[1])


def test_a_stronger_layer_is_named_when_a_setting_is_set(memgpt: Memgpt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMGPT_SEARCH_PAGE_SIZE", "9")
    assert "MEMGPT_SEARCH_PAGE_SIZE says 9" in memgpt("config", "set", "search.page_size", "7")[2]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("config", "get", "search.page_sise"), 2, "search.page_size"),
        (("config", "set", "window.tokens", "large"), 2, "a whole number from 512"),
        (("config", "trust"), 3, "config.toml"),
        (("keys", "delete", "openai", "--yes"), 3, "no key is stored"),
        (("keys", "delete", "openai"), 2, "--yes"),
        (("keys", "set", "nonsense"), 2, "openrouter.ai"),
        (("config", "edit"), 2, "edit the file itself"),
    ],
)
def test_what_goes_wrong_says_what_to_do(memgpt: Memgpt, arguments: tuple[str, ...], code: int, says: str) -> None:
    found, out, err = memgpt(*arguments, typed=KEY + "\n")
    assert (found, out) == (code, "")
    assert says in err
    assert "hint: " in err
    error = json.loads(memgpt(*arguments, "--json", typed=KEY + "\n")[2])["error"]
    assert error["hint"]
    assert KEY not in json.dumps(error)


def test_a_faulty_file_can_still_be_found_and_repaired(memgpt: Memgpt, paths: Paths) -> None:
    paths.user_file.parent.mkdir(parents=True)
    paths.user_file.write_text("[search]\npage_sise = 3\n")
    assert memgpt("config", "list")[0] == 2
    assert memgpt("config", "path")[:2] == (0, f"{paths.user_file}\n")
    assert memgpt("keys", "list")[0] == 0
    assert memgpt("config", "unset", "search.page_sise")[0] == 0
    assert memgpt("config", "list")[0] == 0


def test_places_are_named_for_scripts(memgpt: Memgpt, paths: Paths) -> None:
    places = check("config-path.schema.json", memgpt("config", "path", "--json")[1])
    assert places["agents"] == str(paths.agents)


def test_trust_names_what_comes_into_force_and_can_be_taken_back(memgpt: Memgpt, project: Path) -> None:
    (project / ".memgpt").mkdir()
    (project / ".memgpt" / "config.toml").write_text("[model]\nbase_url = 'http://x/v1'\n")
    assert "ignored model.base_url" in memgpt("config", "list")[2]
    code, _, shown = memgpt("config", "trust")
    assert (code, "model.base_url = http://x/v1" in shown, "add --yes" in shown) == (2, True, True)
    assert memgpt("config", "get", "model.base_url")[1] == ""
    assert memgpt("config", "trust", "--yes")[0] == 0
    assert memgpt("config", "get", "model.base_url")[1] == "http://x/v1\n"
    assert memgpt("config", "trust", "--revoke")[0] == 0
    assert memgpt("config", "get", "model.base_url")[1] == ""


def test_a_key_is_piped_in_listed_masked_and_deleted(memgpt: Memgpt, paths: Paths) -> None:
    code, out, err = memgpt("keys", "set", typed=KEY + "\n")
    assert (code, out) == (0, "")
    assert KEY not in err
    listed = check("keys-list.schema.json", memgpt("keys", "list", "--json")[1])
    assert listed == [{"provider": "openai", "key": "…wxyz", "where": str(paths.keys_file)}]
    assert memgpt("keys", "delete", "openai", "--yes")[0] == 0
    assert check("keys-list.schema.json", memgpt("keys", "list", "--json")[1]) == []


def test_a_key_that_is_not_to_be_deleted_stays(memgpt: Memgpt) -> None:
    memgpt("keys", "set", typed=KEY + "\n")
    code, out, err = memgpt("keys", "delete", "openai", typed="n\n", terminal=True)
    assert (code, out) == (1, "")
    assert "nothing was deleted" in err
    assert "wxyz" in memgpt("keys", "list")[1]


def test_a_stored_key_that_the_variable_outranks_is_mentioned(memgpt: Memgpt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert "OPENAI_API_KEY is set too" in memgpt("keys", "set", "openai", typed="sk-other-0123456789abcdef\n")[2]


def test_the_editor_gets_a_file_that_explains_itself(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from memgpt_cli.cli.terminal.editor import open_editor
    from memgpt_cli.config.edit import SettingsFile

    script = tmp_path / "editor.py"
    script.write_text("import sys; open(sys.argv[1], 'a').write('# edited')")
    monkeypatch.setenv("VISUAL", f"'{sys.executable}' '{script}'")
    terminal = StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    file = SettingsFile(paths)
    file.create()
    open_editor(file.path)
    assert "# page_size = 10\n" in file.path.read_text()
    assert file.path.read_text().endswith("# edited")


@pytest.mark.parametrize("editor", ["false", "no-such-editor-anywhere"])
def test_an_editor_that_fails_is_an_error_with_a_hint(
    editor: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from memgpt_cli.cli.terminal.editor import open_editor
    from memgpt_cli.errors import UsageError

    terminal = StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setenv("VISUAL", editor)
    with pytest.raises(UsageError) as caught:
        open_editor(tmp_path / "x")
    assert caught.value.hint
