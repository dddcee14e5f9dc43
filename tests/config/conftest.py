"""Directories and environments of a person who has just arrived."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from memgpt_cli.config.option import Scalar
from memgpt_cli.config.paths import Paths, find_paths
from memgpt_cli.config.settings import Configuration, load

Load = Callable[..., Configuration]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"MEMGPT_HOME": str(tmp_path / "home")})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A working directory."""
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
def load_config(paths: Paths, project: Path) -> Load:
    """`load` with an environment of its own; `user` and `repo` are the texts of the two settings files."""

    def build(
        *,
        user: str | None = None,
        repo: str | None = None,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, Scalar | None] | None = None,
    ) -> Configuration:
        for path, text in ((paths.user_file, user), (project / ".memgpt" / "config.toml", repo)):
            if text is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return load(paths, environ=environ or {}, directory=project, flags=flags)

    return build
