"""docs/providers.md: its commands work as written, and what it says of keys and APIs is what the program does."""

import re
import shlex
from pathlib import Path

from support.command_line import CommandLine

from memgpt_cli.bootstrap import Workspace
from memgpt_cli.config.models import profile_endpoint
from memgpt_cli.domain.endpoints import AZURE_KEY, KEY_VARIABLES, Endpoint, Provider

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def endpoints() -> dict[str, Endpoint]:
    profiles = Workspace().configuration.profiles.values()
    found = {profile.name: profile_endpoint(profile) for profile in profiles}
    return {name: endpoint for name, endpoint in found.items() if endpoint is not None}


def test_every_command_works_as_it_is_written(memgpt: CommandLine) -> None:
    names = []
    for program, *arguments in commands():
        assert program == "memgpt"
        memgpt(*arguments)
        names.append(arguments[2])
    assert len(names) == len(set(names)) > 20
    found = endpoints()
    assert sorted(found) == sorted(names)
    assert {name for name, at in found.items() if at.provider is Provider.ANTHROPIC} == {"claude", "proxy"}
    assert {name for name, at in found.items() if at.provider is Provider.OPENAI_RESPONSES} == {
        "gpt",
        "azure-reasoning",
    }
    assert {name for name, at in found.items() if at.key_in_api_key_header} == {"azure", "azure-old", "azure-reasoning"}
    assert found["routed"].extra_fields["provider"]["order"] == ["deepinfra"]
    for name in ("ollama", "lmstudio", "llamacpp", "vllm", "sglang", "litellm", "proxy"):
        assert found[name].is_loopback


def test_the_page_names_the_variable_of_every_host_that_it_adds(memgpt: CommandLine) -> None:
    for _, *arguments in commands():
        memgpt(*arguments)
    variables = {at.own_variable for at in endpoints().values()} - {None}
    assert {variable for variable in variables if f"`{variable}`" not in PAGE} == set()
    assert set(KEY_VARIABLES.values()) | {AZURE_KEY} <= variables
    assert all(f"`{provider}`" in PAGE for provider in Provider)
