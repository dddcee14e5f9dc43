"""What lies where, and in which Python."""

import ast
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "configs",
    "docs",
    "memgpt_cli",
    "prompts",
    "pyproject.toml",
    "requirements.lock",
    "tests",
}
PACKAGES = {
    "files",
    "bootstrap",
    "ports",
    "agent",
    "batch",
    "cli",
    "config",
    "documents",
    "domain",
    "evaluation",
    "external_context",
    "facts",
    "functions",
    "llm",
    "main_context",
    "mcp",
    "server",
    "services",
    "storage",
    "text",
}


def sources() -> Iterator[Path]:
    for folder in ("memgpt_cli", "tests", "docs"):
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_the_top_level_holds_what_a_visitor_looks_for_and_no_more() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no checkout: what is tracked cannot be told")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {name.split("/")[0] for name in tracked.split("\0") if name} <= TOP_LEVEL
    assert all((ROOT / name).exists() for name in ("LICENSE", "README.md", "CHANGELOG.md"))


def test_the_packages_are_those_of_the_plan() -> None:
    packages = {path.parent.name for path in (ROOT / "memgpt_cli").glob("*/__init__.py")}
    assert packages == PACKAGES
    modules = {path.name for path in (ROOT / "memgpt_cli").glob("*.py")}
    assert modules == {"__init__.py", "__main__.py", "errors.py", "vendors.py"}


def test_there_are_no_utils_and_no_manager_but_the_queue_manager() -> None:
    names = {path.stem for path in (ROOT / "memgpt_cli").rglob("*.py")}
    assert not [name for name in names if "util" in name or "helper" in name or name.endswith(("_v1", "_v2"))]
    assert [name for name in names if "manager" in name] == ["queue_manager"]


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in sources() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert [str(path.relative_to(ROOT)) for path in silent if path.is_relative_to(ROOT / "memgpt_cli")] == []


def test_no_file_needs_a_newer_python_than_the_oldest_supported() -> None:
    for path in sources():
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 11))


def test_json_schemas_are_schemas_and_say_what_they_describe() -> None:
    from jsonschema import Draft202012Validator

    schemas = sorted((ROOT / "docs" / "schemas").glob("*.json"))
    assert schemas
    for path in schemas:
        schema = json.loads(path.read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(schema)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema", path.name
        assert schema.get("title") or schema.get("description"), path.name


def test_public_class_names_are_unique() -> None:
    modules: dict[str, list[str]] = {}
    for path in (path for path in sources() if path.is_relative_to(ROOT / "memgpt_cli")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in modules.items() if len(where) > 1} == {}


def test_no_file_has_over_400_lines_and_no_function_over_60() -> None:
    long = []
    for path in (path for path in sources() if path.is_relative_to(ROOT / "memgpt_cli")):
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(ROOT)
        if (lines := text.count("\n")) > 400:
            long.append(f"{where}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 60:
                    long.append(f"{where}:{node.lineno} {node.name}: {lines} lines")
    assert long == []
