"""Where things are kept, and which names may become folders."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.config.paths import check_agent_name, find_paths
from memgpt_cli.errors import UsageError


def test_memgpt_home_holds_everything(tmp_path: Path) -> None:
    paths = find_paths({"MEMGPT_HOME": str(tmp_path)})
    everything = (paths.data, paths.config, paths.cache, paths.state_db, paths.agents, paths.keys_file, paths.history)
    assert all(path.is_relative_to(tmp_path) for path in everything)
    assert not any(tmp_path.iterdir())


def test_without_it_the_platform_decides() -> None:
    paths = find_paths({})
    assert paths.data != paths.cache
    assert all("memgpt" in str(path) for path in (paths.data, paths.config, paths.cache))


def test_a_relative_or_tilde_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert find_paths({"MEMGPT_HOME": "here"}).data == tmp_path / "here" / "data"
    assert find_paths({"MEMGPT_HOME": "~/x"}).data == tmp_path / "me" / "x" / "data"


@pytest.mark.parametrize("name", ["default", "research-2", "a.b_c", "X", "小明", "a" * 64])
def test_plain_names_are_agents(name: str) -> None:
    assert check_agent_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".a",
        "a.",
        "a/b",
        "a\\b",
        "../x",
        "a b",
        "a\n",
        "-rf",
        "a" * 65,
        "CON",
        "nul.db",
        "a:b",
        "e\u0301",
    ],
)
def test_other_names_are_refused_with_a_hint(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_agent_name(name)
    assert "memgpt agent create" in caught.value.hint


@given(st.text(max_size=80))
def test_no_accepted_name_leaves_the_agents_folder(name: str) -> None:
    paths = find_paths({"MEMGPT_HOME": "/somewhere"})
    try:
        folder = paths.agent(name)
    except UsageError:
        return
    assert folder.parent == paths.agents
    assert Path(folder.as_posix()).resolve().parent == paths.agents.resolve()
