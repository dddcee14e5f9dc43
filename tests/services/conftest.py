"""A workspace of the test's own, answered by the offline responder."""

from pathlib import Path

import pytest

from memgpt_cli.bootstrap import Workspace


@pytest.fixture
def home(tmp_path: Path) -> Workspace:
    environ = {"MEMGPT_HOME": str(tmp_path / "home"), "MEMGPT_MODEL": "offline", "MEMGPT_DISPLAY_TIMEZONE": "UTC"}
    return Workspace(environ=environ, directory=tmp_path)
