"""requirements.lock: one version for everything that is asked for, on every platform, and no address in it."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PLATFORMS = [
    ("linux", "x86_64", "posix", "Linux"),
    ("linux", "aarch64", "posix", "Linux"),
    ("darwin", "arm64", "posix", "Darwin"),
    ("darwin", "x86_64", "posix", "Darwin"),
    ("win32", "AMD64", "nt", "Windows"),
]


def locked(checkout: Path) -> list[Requirement]:
    lines = (checkout / "requirements.lock").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def wanted(project: dict[str, Any]) -> Iterator[Requirement]:
    """What the program and the extra `dev` ask for, with the other extras that `dev` names."""
    extras = project["optional-dependencies"]
    for text in project["dependencies"] + extras["dev"]:
        requirement = Requirement(text)
        if canonicalize_name(requirement.name) == canonicalize_name(project["name"]):
            yield from (Requirement(part) for extra in requirement.extras for part in extras[extra])
        else:
            yield requirement


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda p: "-".join(p[:2]))
def test_everything_asked_for_is_locked_to_one_version_that_satisfies_it(
    checkout: Path, python: str, platform: tuple[str, str, str, str]
) -> None:
    system, machine, os_name, name = platform
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": system,
        "platform_machine": machine,
        "os_name": os_name,
        "platform_system": name,
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    for requirement in wanted(project):
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        versions = [
            Version(str(entry.specifier).removeprefix("=="))
            for entry in locked(checkout)
            if canonicalize_name(entry.name) == canonicalize_name(requirement.name)
            and (entry.marker is None or entry.marker.evaluate(environment))
        ]
        assert len(versions) == 1, f"{requirement}: {versions}; make requirements.lock anew, as its head says"
        assert versions[0] in requirement.specifier


def test_each_line_pins_a_version_and_none_names_an_address(checkout: Path) -> None:
    for entry in locked(checkout):
        assert entry.url is None
        assert str(entry.specifier).startswith("==")
    body = [line for line in (checkout / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert not [line for line in body if "://" in line or line.startswith("-")]


def test_pip_is_not_pinned_because_it_cannot_replace_itself_everywhere(checkout: Path) -> None:
    assert "pip" not in {entry.name for entry in locked(checkout)}
