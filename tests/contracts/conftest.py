"""The adapters that the contract suites run against. A new adapter is added here and passes them all."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memgpt_cli.ports import Store
from memgpt_cli.storage.store import SQLiteStore

OpenStore = Callable[[], Store]

STORES: dict[str, Callable[[Path], Store]] = {"sqlite": lambda folder: SQLiteStore(folder / "agent.db")}
"""For each adapter how a record in a folder is opened, or made."""


@pytest.fixture(params=STORES)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Open the same record again and again, as processes do."""
    opened: list[Store] = []

    def again() -> Store:
        opened.append(STORES[request.param](tmp_path))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()
