"""What import-linter cannot tell: transactions of entry points, and whether the list of vendors is complete."""

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRY_POINTS = ("cli", "mcp", "server")
FOR_TYPES_ONLY = {"typing-extensions"}
MAY_LOCK = ("files",)
"""An adapter that others use: it replaces files under a lock."""


@pytest.fixture(scope="module")
def project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_entry_points_open_no_transaction_and_no_database() -> None:
    files = [path for name in ENTRY_POINTS for path in (ROOT / "memgpt_cli" / name).rglob("*.py")]
    assert files
    forbidden = re.compile(r"\.(?:transaction|rehearsal|savepoint)\(|\bsqlite3\b|\.connection\b")
    found = [path for path in files if forbidden.search(path.read_text(encoding="utf-8"))]
    assert [str(path.relative_to(ROOT)) for path in found] == []


def test_no_module_keeps_the_options_of_a_command() -> None:
    files = (ROOT / "memgpt_cli" / "cli").rglob("*.py")
    found = [path for path in files if re.search(r"^current\b|options\.current", path.read_text("utf-8"), re.MULTILINE)]
    assert found == []


def test_every_third_party_package_is_forbidden_to_the_core(project: Any) -> None:
    contracts = project["tool"]["importlinter"]["contracts"]
    [core] = [c for c in contracts if c["name"] == "The core, services and bootstrap import no vendor and no terminal"]
    tables = [project["project"]["dependencies"]]
    tables += [table for extra, table in project["project"]["optional-dependencies"].items() if extra != "dev"]
    declared = {distribution(line) for table in tables for line in table} - FOR_TYPES_ONLY
    modules = {
        module
        for module, distributions in packages_distributions().items()
        if declared & {normal(name) for name in distributions} and not module.startswith("_")
    }
    forbidden = set(core["forbidden_modules"])
    parts = {module for module in modules if module.startswith(tuple(f"{name}_" for name in forbidden))}
    assert modules - parts - forbidden == set()
    layers = next(c for c in contracts if c["type"] == "layers")["layers"]
    below = {name.strip() for layer in layers for name in layer.split("|")}
    assert below - set(core["source_modules"]) <= {f"memgpt_cli.{name}" for name in (*ENTRY_POINTS, *MAY_LOCK)}


def distribution(requirement: str) -> str:
    """The normal name of a requirement such as `openai>=3.0`."""
    return normal(re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0])


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
