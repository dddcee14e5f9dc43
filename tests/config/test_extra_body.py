"""`model.extra_body`: fields for each request of one endpoint."""

from collections.abc import Callable

import pytest

from memgpt_cli.config.models import resolve_model
from memgpt_cli.config.settings import Configuration
from memgpt_cli.errors import ConfigError

Load = Callable[..., Configuration]
ROUTING = '{"provider": {"order": ["x"], "allow_fallbacks": false}}'


def test_extra_fields_are_those_of_the_address_of_their_layer(load_config: Load) -> None:
    user = f"[model]\nname = 'm'\nbase_url = 'http://h/v1'\nextra_body = '{ROUTING}'\n"
    choice = resolve_model(load_config(user=user), has_key=lambda *_: True)
    assert choice.endpoint is not None
    assert choice.endpoint.extra_fields["provider"]["order"] == ["x"]
    elsewhere = resolve_model(load_config(user=user, flags={"model.base_url": "http://o/v1"}), has_key=lambda *_: True)
    assert elsewhere.endpoint is not None
    assert elsewhere.endpoint.extra_fields == {}


def test_extra_fields_may_be_written_as_a_table_but_not_replace_the_programs_own(load_config: Load) -> None:
    table = "[model]\nname = 'm'\nextra_body = { provider = { order = ['x'] }, route = 'fallback' }\n"
    choice = resolve_model(load_config(user=table), has_key=lambda *_: True)
    assert choice.endpoint is not None
    assert choice.endpoint.extra_fields == {"provider": {"order": ["x"]}, "route": "fallback"}
    for wrong in ("'no json'", "'[1]'", "'{\"messages\": []}'", "{ stream = false }", "{ store = true }", "3"):
        with pytest.raises(ConfigError, match=r"model\.extra_body"):
            load_config(user=f"[model]\nextra_body = {wrong}\n")


def test_an_untrusted_project_sets_no_extra_fields(load_config: Load) -> None:
    config = load_config(repo="[model]\nextra_body = { metadata = { a = 'b' } }\nprovider = 'anthropic'\n")
    assert config["model.extra_body"].value is None
    assert config["model.provider"].value == "auto"
