"""No module needs, directly or through others, a module that needs it: each can be understood after those below it."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_imports_run_in_no_circle_not_even_for_types_or_within_functions() -> None:
    files = {name_of(path): path for path in (ROOT / "memgpt_cli").rglob("*.py")}
    graph = {name: imported(path) & files.keys() - {name} for name, path in files.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            known = {name for name in inner if (ROOT / name.replace(".", "/")).with_suffix(".py").exists()}
            packages = {name for name in inner if (ROOT / name.replace(".", "/") / "__init__.py").exists()}
            found |= known | packages or {node.module}
    return found
