"""The table of settings agrees with the defaults, with the dataclasses and with itself."""

import dataclasses
import tomllib

import pytest

from memgpt_cli.config.options import BY_KEY, BY_VARIABLE, OPTIONS, nearest_key
from memgpt_cli.config.resources import packaged
from memgpt_cli.domain.settings import Settings


def test_every_field_of_settings_can_be_set_and_every_option_fills_a_field() -> None:
    fields = set()
    for field in dataclasses.fields(Settings):
        value = getattr(Settings(), field.name)
        nested = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
        fields |= {f"{field.name}.{inner.name}" for inner in nested} or {field.name}
    known_by_table = {f"model.{name}_usd_per_million" for name in ("input", "cached", "cache_write", "output")}
    known_by_table |= {"model.context", "window.source"}  # derived, not set
    assert {option.target for option in OPTIONS} == fields - known_by_table


def test_the_packaged_defaults_are_the_defaults_of_the_code() -> None:
    table = tomllib.loads(packaged("configs", "default.toml").read_text())
    stated = {f"{section}.{key}": value for section, keys in table.items() for key, value in keys.items()}
    settings = Settings()
    for option in OPTIONS:
        section, _, name = option.target.rpartition(".")
        default = getattr(getattr(settings, section) if section else settings, name)
        if option.key in ("model.name", "display.timezone"):
            continue  # the code's own default needs no network and no machine; the packaged one is for people
        if option.key in ("window.tokens", "window.reserve"):  # unset they follow the model and the window
            assert option.key not in stated
            continue
        assert stated.get(option.key) == default, option.key


def test_default_toml_speaks_of_every_setting() -> None:
    text = packaged("configs", "default.toml").read_text()
    for option in OPTIONS:
        section, _, name = option.key.partition(".")
        part = text.split(f"[{section}]", 1)[1].split("\n[", 1)[0]
        assert f"\n{name} = " in part or f"\n# {name} = " in part, option.key


def test_variables_are_distinct_and_named_after_their_keys() -> None:
    assert len(BY_VARIABLE) == len(OPTIONS) == len(BY_KEY)
    assert BY_KEY["search.page_size"].variable == "MEMGPT_SEARCH_PAGE_SIZE"
    assert BY_KEY["model.name"].variable == "MEMGPT_MODEL"
    assert BY_KEY["window.tokens"].variable == "MEMGPT_WINDOW"
    assert BY_KEY["model.base_url"].variable == "MEMGPT_BASE_URL"
    assert BY_KEY["agent.name"].variable == "MEMGPT_AGENT"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("window.tokens", "32_768", 32768),
        ("window.tokens", "32,768", 32768),
        ("window.target", "1", 1.0),
        ("model.name", "offline", "offline"),
        ("model.base_url", "http://localhost:11434/v1", "http://localhost:11434/v1"),
        ("display.timezone", "Europe/Berlin", "Europe/Berlin"),
        ("loop.protocol", "paper", "paper"),
    ],
)
def test_text_becomes_a_value(key: str, text: str, value: object) -> None:
    assert BY_KEY[key].parse(text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("window.tokens", "many"),
        ("window.tokens", "1.5"),
        ("window.tokens", "-1"),
        ("window.target", "0"),
        ("window.target", "1.1"),
        ("window.target", "nan"),
        ("budget.max_usd_per_day", "inf"),
        ("budget.max_usd_per_day", "nan"),
        ("model.name", " "),
        ("model.name", "a\nb"),
        ("model.base_url", "localhost:11434"),
        ("model.base_url", "file:///etc/passwd"),
        ("model.base_url", "https://user:secret@host/v1"),
        ("model.base_url", "https://host/v1?key=secret"),
        ("model.base_url", "http://host:port/v1"),
        ("display.timezone", "Berlin"),
        ("display.timezone", "../../etc/passwd"),
        ("loop.protocol", "papers"),
    ],
)
def test_what_is_no_value_is_refused_with_what_was_expected(key: str, text: str) -> None:
    with pytest.raises(ValueError, match="^" + BY_KEY[key].expected.split()[0]):
        BY_KEY[key].parse(text)


def test_toml_booleans_are_no_numbers() -> None:
    with pytest.raises(ValueError, match="whole number"):
        BY_KEY["loop.max_steps"].accept(True)  # noqa: FBT003 - the very value under test


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("model.nam", "model.name"),
        ("windw.tokens", "window.tokens"),
        ("page_size", "search.page_size"),
        ("max_usd_per_day", "budget.max_usd_per_day"),
        ("xyzzy", ""),
    ],
)
def test_the_nearest_key_is_found(typed: str, meant: str) -> None:
    assert nearest_key(typed) == meant
