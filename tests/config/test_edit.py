"""Changing the settings file: comments stay, faults are refused, the file is its owner's."""

import stat
import tomllib
from collections.abc import Callable

import pytest

from memgpt_cli.config.edit import SettingsFile, template
from memgpt_cli.config.options import BY_KEY
from memgpt_cli.config.paths import Paths
from memgpt_cli.config.settings import Configuration
from memgpt_cli.errors import ConfigError

Load = Callable[..., Configuration]


def write(paths: Paths, text: str) -> SettingsFile:
    paths.user_file.parent.mkdir(parents=True, exist_ok=True)
    paths.user_file.write_text(text)
    return SettingsFile(paths)


def test_the_first_setting_makes_the_file_and_the_next_joins_its_section(paths: Paths, load_config: Load) -> None:
    file = SettingsFile(paths)
    assert file.set("window.tokens", "8_192") == 8192
    file.set("window.reserve", "512")
    file.set("model.name", "gpt-5")
    assert tomllib.loads(file.path.read_text()) == {
        "window": {"tokens": 8192, "reserve": 512},
        "model": {"name": "gpt-5"},
    }
    assert load_config().settings.window.window == 8192
    assert stat.S_IMODE(file.path.stat().st_mode) & 0o077 == 0


def test_comments_order_and_other_tables_stay(paths: Paths) -> None:
    text = '# mine\n[search]\npage_size = 5 # few\n\n# prices\n[models."x"]\ninput = 1.0\n'
    file = write(paths, text)
    file.set("search.page_size", "7")
    assert file.path.read_text() == text.replace("5 #", "7 #")
    file.set("search.candidates", "50")
    assert "# few" in file.path.read_text()
    assert "# prices" in file.path.read_text()
    assert tomllib.loads(file.path.read_text())["search"] == {"page_size": 7, "candidates": 50}


def test_unset_removes_a_setting_and_its_empty_section(paths: Paths) -> None:
    file = write(paths, "[search]\npage_size = 5\ncandidates = 9\n")
    assert file.unset("search.page_size")
    assert file.unset("search.candidates")
    assert tomllib.loads(file.path.read_text()) == {}
    assert not file.unset("search.candidates")


@pytest.mark.parametrize("name", ["my-model", "gpt-4.1"])
def test_what_is_stated_of_a_model_can_be_removed(paths: Paths, name: str) -> None:
    file = write(paths, f'[models."{name}"]\ncontext = 4000\ninput = 1.0\n\n[search]\npage_size = 5\n')
    assert file.unset(f"models.{name}.context")
    assert tomllib.loads(file.path.read_text())["models"] == {name: {"input": 1.0}}
    assert file.unset(f"models.{name}.input")
    assert tomllib.loads(file.path.read_text()) == {"search": {"page_size": 5}}
    with pytest.raises(ConfigError):
        file.unset(f"models.{name}.input")


def test_a_key_that_does_not_exist_can_be_removed_but_not_set(paths: Paths, load_config: Load) -> None:
    file = write(paths, "[search]\npage_sise = 5\n")
    with pytest.raises(ConfigError):
        load_config()
    assert file.unset("search.page_sise")
    assert load_config().settings.search.page_size == 10
    with pytest.raises(ConfigError) as caught:
        file.set("search.page_sise", "5")
    assert "search.page_size" in caught.value.hint
    with pytest.raises(ConfigError):
        file.unset("search.page_sise")


@pytest.mark.parametrize(
    ("key", "value"), [("window.target", "1.0"), ("search.page_size", "0"), ("loop.protocol", "x")]
)
def test_a_value_that_cannot_be_leaves_the_file_as_it_was(paths: Paths, key: str, value: str) -> None:
    file = write(paths, "# mine\n[window]\nevict_at = 0.9\n")
    with pytest.raises(ConfigError):
        file.set(key, value)
    assert file.path.read_text() == "# mine\n[window]\nevict_at = 0.9\n"


def test_a_faulty_file_can_be_repaired_step_by_step(paths: Paths, load_config: Load) -> None:
    file = write(paths, "[search]\npage_size = 0\ncandidates = 0\n")
    file.set("search.page_size", "3")
    file.set("search.candidates", "3")
    assert load_config().settings.search.candidates == 3


def test_what_is_not_toml_is_left_for_an_editor(paths: Paths) -> None:
    file = write(paths, "[search\n")
    with pytest.raises(ConfigError) as caught:
        file.set("search.page_size", "3")
    assert caught.value.hint == "memgpt config edit"


def test_the_template_says_everything_and_changes_nothing(paths: Paths, load_config: Load) -> None:
    before = load_config().settings
    file = SettingsFile(paths)
    file.create()
    file.check()
    assert load_config().settings == before
    for key in BY_KEY:
        assert f"# {key.partition('.')[2]} = " in template()
    file.set("search.page_size", "3")
    file.create()
    assert load_config().settings.search.page_size == 3


def test_a_settings_file_that_is_a_link_stays_one(paths: Paths) -> None:
    real = paths.config.parent / "dotfiles.toml"
    paths.config.mkdir(parents=True)
    real.write_text("# under version control\n")
    paths.user_file.symlink_to(real)
    SettingsFile(paths).set("search.page_size", "3")
    assert paths.user_file.is_symlink()
    assert "page_size = 3" in real.read_text()
