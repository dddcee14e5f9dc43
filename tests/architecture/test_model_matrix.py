"""The matrix of model families in docs/models.md names tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_the_matrix_names_exists() -> None:
    matrix = (ROOT / "docs/models.md").read_text(encoding="utf-8").replace("\\|", "|")
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)(?:\[(.+?)\])?`", matrix))
    families = (ROOT / "tests/support/families.py").read_text(encoding="utf-8")
    assert named
    for file, function, parameters in sorted(named):
        source = (ROOT / file).read_text(encoding="utf-8")
        tree = ast.parse(source)
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{function}"
        known = source + families
        assert parameters.removeprefix("1-").removesuffix("-native") in known, f"{file}::{function}[{parameters}]"
