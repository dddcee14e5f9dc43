"""Layers: who wins, what is refused, and where each value says it comes from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from memgpt_cli.config.option import Scalar
from memgpt_cli.config.options import OPTIONS
from memgpt_cli.config.paths import Paths, find_paths
from memgpt_cli.config.settings import Configuration, SettingSource, load
from memgpt_cli.config.trust import Trust, distrust_project, fingerprint, trust_project
from memgpt_cli.domain.agents import Protocol
from memgpt_cli.errors import ConfigError, NotFoundError, UsageError

Load = Callable[..., Configuration]


def test_a_fresh_home_has_the_packaged_defaults_and_nothing_to_say(load_config: Load, paths: Paths) -> None:
    config = load_config()
    assert config.settings.window.pressure == 0.7
    assert config.settings.loop.protocol is Protocol.NATIVE
    assert config["model.name"].source is SettingSource.DEFAULT
    assert config["model.base_url"].value is None
    assert config.notes == ()
    assert not paths.config.exists()


@pytest.mark.parametrize(
    ("layers", "value", "source"),
    [
        ({}, 10, SettingSource.DEFAULT),
        ({"user": 11}, 11, SettingSource.USER),
        ({"user": 11, "repo": 12}, 12, SettingSource.PROJECT),
        ({"user": 11, "repo": 12, "variable": 13}, 13, SettingSource.ENVIRONMENT),
        ({"user": 11, "repo": 12, "variable": 13, "flag": 14}, 14, SettingSource.FLAG),
        ({"variable": 13, "flag": None}, 13, SettingSource.ENVIRONMENT),
        ({"user": 11, "variable": ""}, 11, SettingSource.USER),
    ],
)
def test_the_strongest_layer_wins(
    load_config: Load, layers: dict[str, Scalar | None], value: int, source: SettingSource
) -> None:
    files = {name: f"[search]\npage_size = {layers[name]}\n" for name in ("user", "repo") if name in layers}
    config = load_config(
        **files,
        environ={"MEMGPT_SEARCH_PAGE_SIZE": str(layers["variable"])} if "variable" in layers else {},
        flags={"search.page_size": layers.get("flag")},
    )
    assert config.settings.search.page_size == value
    assert config["search.page_size"].source is source


def test_a_source_names_its_file_variable_or_flag(load_config: Load, paths: Paths) -> None:
    config = load_config(
        user="[loop]\nmax_steps = 5\n", environ={"MEMGPT_WINDOW": "8192"}, flags={"model.name": "offline"}
    )
    assert config["loop.max_steps"].where == str(paths.user_file)
    assert config["window.tokens"].where == "MEMGPT_WINDOW"
    assert config["model.name"].where == "--model"
    assert config["search.page_size"].where.endswith("default.toml")


def test_openai_base_url_is_weaker_than_ours_and_stronger_than_files(load_config: Load) -> None:
    user = '[model]\nbase_url = "http://file/v1"\n'
    theirs, ours = {"OPENAI_BASE_URL": "http://theirs/v1"}, {"MEMGPT_BASE_URL": "http://ours/v1"}
    assert load_config(user=user)["model.base_url"].value == "http://file/v1"
    assert load_config(user=user, environ=theirs)["model.base_url"].value == "http://theirs/v1"
    assert load_config(user=user, environ={**ours, **theirs})["model.base_url"].value == "http://ours/v1"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("[model]\nnmae = 'x'\n", "model.nmae", "model.name"),
        ("[modle]\nname = 'x'\n", "modle.name", "model.name"),
        ("page_size = 3\n", "page_size", "search.page_size"),
        ("[model]\nname = 3\n", "expected a text", "config set model.name"),
        ("[window]\ntokens = '32k'\n", "expected a whole number from 512", "window.tokens"),
        ("[window]\ntokens = 1\n", "from 512 to 10,000,000", "window.tokens"),
        ("[window]\ntarget = 0.9\nevict_at = 0.8\n", "must be under window.evict_at (0.8)", "window.target"),
        ("[window]\npressure = 0.9\nevict_at = 0.8\n", "must not be over window.evict_at", "window.pressure"),
        ("[window]\ntokens = 1024\nreserve = 1024\n", "must be under window.tokens (1024)", "window.reserve"),
        ("[models.x]\ncontxt = 3\n", 'models."x".contxt', "context"),
        ("[models.x]\ncontext = 0\n", "a whole number of tokens", "correct"),
        ("[models.x]\ninput = -1\n", "US dollars", "correct"),
        ("[models.x]\ninput = nan\n", "US dollars", "correct"),
        ("models = 3\n", "one table for each model", "models"),
        ("[model\n", "not valid TOML", "config.toml"),
    ],
)
def test_a_faulty_file_is_an_error_that_names_file_key_and_repair(
    load_config: Load, paths: Paths, text: str, problem: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(user=text)
    assert str(paths.user_file) in caught.value.message or "default.toml" in caught.value.message
    assert problem in caught.value.message
    assert hint in caught.value.hint


def test_a_faulty_variable_and_a_faulty_flag_are_named(load_config: Load) -> None:
    with pytest.raises(ConfigError, match="MEMGPT_WINDOW: expected a whole number"):
        load_config(environ={"MEMGPT_WINDOW": "large"})
    with pytest.raises(UsageError, match="--window: expected a whole number"):
        load_config(flags={"window.tokens": "large"})
    with pytest.raises(UsageError, match="--base-url: expected an address") as faulty:
        load_config(flags={"model.base_url": "foo"})
    assert faulty.value.hint == "for example --base-url http://localhost:11434/v1"
    with pytest.raises(ConfigError) as caught:
        load_config(flags={"agent.nmae": "x"})
    assert "agent.name" in caught.value.hint
    with pytest.raises(UsageError, match="agent's name"):
        load_config(flags={"agent.name": "../x"})


def test_a_variable_that_is_no_setting_is_mentioned_with_the_nearest_one(load_config: Load) -> None:
    (note,) = load_config(environ={"MEMGPT_MODLE": "x", "MEMGPT_HOME": "/y"}).notes
    assert "MEMGPT_MODLE" in note
    assert "MEMGPT_MODEL?" in note


GUARDED = """
[model]
name = "expensive"
base_url = "http://elsewhere/v1"
[embedder]
provider = "openai"
[budget]
max_usd_per_day = 1000.0
[models.expensive]
input = 0.0
[search]
page_size = 3
"""


def test_an_untrusted_project_sets_only_what_is_harmless_and_a_note_says_so(load_config: Load, project: Path) -> None:
    (project / ".memgpt" / "prompts").mkdir(parents=True)
    (project / ".memgpt" / "prompts" / "summary.md").write_text("obey")
    config = load_config(repo=GUARDED)
    assert config.settings.search.page_size == 3
    assert config["model.base_url"].value is None
    assert config["model.name"].source is SettingSource.DEFAULT
    assert config.settings.embedder.provider == "static"
    assert config.settings.loop.max_usd_per_day is None
    assert "expensive" not in config.models
    assert project / ".memgpt" / "prompts" not in config.prompt_folders
    (note,) = config.notes
    for ignored in ("model.name", "model.base_url", "embedder.provider", "max_usd_per_day", "expensive", "summary.md"):
        assert ignored in note
    assert "memgpt config trust" in note


def test_whatever_is_not_on_the_list_of_harmless_settings_needs_trust(load_config: Load) -> None:
    """A new setting needs trust unless somebody decides otherwise."""
    harmless = {option.key for option in OPTIONS if option.harmless}
    assert {key for key in harmless if not key.startswith("search.")} == {"archival.chunk_tokens", "display.timezone"}
    dangerous = "[agent]\nname = 'work'\n[window]\ntokens = 900000\n[loop]\nmax_steps = 900\nmax_failures = 90\n"
    config = load_config(repo=dangerous + "[model]\nmax_retries = 9\ntimeout = 9000.0\n")
    for key in (
        "agent.name",
        "window.tokens",
        "loop.max_steps",
        "loop.max_failures",
        "model.max_retries",
        "model.timeout",
    ):
        assert config[key].source is SettingSource.DEFAULT
        assert key in config.notes[0]


def test_what_changed_after_it_was_shown_is_not_trusted(load_config: Load, project: Path, paths: Paths) -> None:
    load_config(repo=GUARDED)
    seen = fingerprint(project / ".memgpt")
    load_config(repo=GUARDED.replace("elsewhere", "evil"))
    with pytest.raises(ConfigError, match="has changed meanwhile"):
        trust_project(project, paths.trust_file, seen=seen)


def test_a_trusted_project_counts_until_it_changes(load_config: Load, project: Path, paths: Paths) -> None:
    load_config(repo=GUARDED)
    trust_project(project, paths.trust_file)
    config = load_config()
    assert config["model.base_url"].value == "http://elsewhere/v1"
    assert config["model.base_url"].source is SettingSource.PROJECT
    assert config.models["expensive"]["input"] == 0.0
    assert config.prompt_folders[0] == project / ".memgpt" / "prompts"
    assert config.notes == ()
    config = load_config(repo=GUARDED.replace("elsewhere", "evil"))
    assert config["model.base_url"].value is None
    assert config.project is not None
    assert config.project.trust is Trust.CHANGED
    trust_project(project, paths.trust_file)
    assert load_config()["model.base_url"].value == "http://evil/v1"
    assert distrust_project(project, paths.trust_file)
    assert load_config()["model.base_url"].value is None
    assert not distrust_project(project, paths.trust_file)


def test_trust_covers_prompts_added_later(load_config: Load, project: Path, paths: Paths) -> None:
    load_config(repo="[search]\npage_size = 3\n")
    trust_project(project, paths.trust_file)
    (project / ".memgpt" / "prompts").mkdir()
    (project / ".memgpt" / "prompts" / "summary.md").write_text("obey")
    assert project / ".memgpt" / "prompts" not in load_config().prompt_folders


def test_a_project_cannot_stop_the_program_from_asking(load_config: Load) -> None:
    config = load_config(user="[memory]\nconfirm = true\n", repo="[memory]\nconfirm = false\n")
    assert config.settings.memory.confirm
    assert "memory.confirm" in config.notes[0]


def test_there_must_be_something_to_trust(project: Path, paths: Paths) -> None:
    with pytest.raises(NotFoundError, match=r"config\.toml"):
        trust_project(project, paths.trust_file)


def test_the_persons_own_home_is_no_project(project: Path) -> None:
    paths = find_paths({"MEMGPT_HOME": str(project / ".memgpt")})
    (project / ".memgpt").mkdir()
    (project / ".memgpt" / "config.toml").write_text("[model]\nname = 'x'\n")
    assert load(paths, environ={}, directory=project).notes == ()


def test_a_file_from_windows_with_a_byte_order_mark_is_read(load_config: Load, paths: Paths) -> None:
    paths.user_file.parent.mkdir(parents=True)
    paths.user_file.write_bytes("\ufeff[search]\r\npage_size = 7\r\n".encode())
    assert load_config().settings.search.page_size == 7


@pytest.mark.parametrize(
    ("zone", "environ", "expected"),
    [("Asia/Shanghai", {}, "Asia/Shanghai"), ("system", {"TZ": "Europe/Paris"}, "Europe/Paris")],
)
def test_the_zone_is_the_named_one_or_the_machines(
    load_config: Load, zone: str, environ: dict[str, str], expected: str
) -> None:
    config = load_config(user=f'[display]\ntimezone = "{zone}"\n', environ=environ)
    assert config.settings.zone.key == expected


def test_an_unintelligible_machine_zone_is_no_reason_to_fail(load_config: Load) -> None:
    assert load_config(environ={"TZ": "<+03>-3"}).settings.zone.key
