"""Prompts: the person's own win, placeholders are held to, values are data."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.config.prompts import PromptFiles
from memgpt_cli.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "greeting.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_first_folder_that_has_it_wins(tmp_path: Path) -> None:
    write(tmp_path / "b", "from b {{x}}")
    prompts = PromptFiles([tmp_path / "a", tmp_path / "b"])
    assert prompts.render("greeting", {"x": "1"}) == "from b 1"
    write(tmp_path / "a", "from a {{ x }}")
    assert prompts.render("greeting", {"x": "1"}) == "from a 1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("only {{x}}", "lacks {{y}}"),
        ("{{x}} {{y}} {{z}}", "has {{z}}, which nothing fills"),
        ("none", "lacks {{x}}, {{y}}"),
    ],
)
def test_a_wrong_placeholder_is_an_error_that_names_it_and_the_file(tmp_path: Path, text: str, problem: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        PromptFiles([tmp_path]).render("greeting", {"x": "1", "y": "2"})
    assert problem in caught.value.message
    assert str(path) in caught.value.message
    assert "{{x}}, {{y}}" in caught.value.hint


@given(st.text(), st.text())
def test_values_are_inserted_literally(x: str, y: str) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        write(Path(folder), "[{{x}}|{{y}}|{{x}}]")
        assert PromptFiles([Path(folder)]).render("greeting", {"x": x, "y": y}) == f"[{x}|{y}|{x}]"


def test_single_braces_and_json_are_text(tmp_path: Path) -> None:
    write(tmp_path, 'say {"a": {"b": 1}} and {x} to {{x}}')
    assert PromptFiles([tmp_path]).render("greeting", {"x": "1"}) == 'say {"a": {"b": 1}} and {x} to 1'


def test_a_prompt_that_nobody_wrote_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"prompts/no_such\.md"):
        PromptFiles([tmp_path]).render("no_such", {})


def test_an_override_that_is_no_text_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "greeting.md").write_bytes(b"\xff\xfe\x00 {{x}}")
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path / "greeting.md"))):
        PromptFiles([tmp_path]).render("greeting", {"x": "1"})
