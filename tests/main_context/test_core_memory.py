"""Core memory as the model and the person write it: exact, unique, within limits, and nothing else moves."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.domain.blocks import Author, Block, Provenance
from memgpt_cli.errors import LimitError, UsageError
from memgpt_cli.main_context.core_memory import CoreMemory
from memgpt_cli.storage.store import SQLiteStore

PERSON, MODEL = Provenance(author=Author.USER), Provenance(author=Author.AGENT)
LIST = "Name: Ada\n\nLikes:\n- tea\n- rain\n\nLives in Lyon"


class Noon:
    def now(self) -> datetime:
        return datetime(2024, 1, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoreMemory]:
    with closing(SQLiteStore(tmp_path_factory.mktemp("agent") / "agent.db")) as store:
        made = CoreMemory(store, Noon(), lambda text: len(text) // 4)
        made.create(Block(label="human", value="", limit=200), PERSON)
        made.create(Block(label="rules", value="Be kind.", limit=200, read_only=True), PERSON)
        yield made


def write(memory: CoreMemory, value: str) -> None:
    memory.write(memory.block("human"), value, PERSON)


def test_what_is_taken_out_takes_its_own_line_along_and_no_other(memory: CoreMemory) -> None:
    write(memory, LIST)
    assert memory.replace("human", "- tea", "", MODEL).value == LIST.replace("- tea\n", "")
    assert memory.replace("human", "Lives in Lyon", "", MODEL).value == "Name: Ada\n\nLikes:\n- rain"


def test_what_is_taken_out_of_a_line_leaves_the_rest_of_it(memory: CoreMemory) -> None:
    write(memory, LIST)
    assert memory.replace("human", " in Lyon", "", MODEL).value == LIST.replace(" in Lyon", "")


@given(st.text("ab \n", max_size=30), st.text("xy", min_size=1, max_size=5), st.text("ab \n", max_size=30))
def test_a_replacement_changes_what_was_quoted_and_nothing_else(
    memory: CoreMemory, before: str, old: str, after: str
) -> None:
    write(memory, f"a{before}{old}{after}b")
    assert memory.replace("human", old, "new", MODEL).value == f"a{before}new{after}b"


@pytest.mark.parametrize(("old", "says"), [("tee", "was not found"), ("in", "occurs 2 times"), ("", "is empty")])
def test_what_is_not_quoted_exactly_and_once_changes_nothing(memory: CoreMemory, old: str, says: str) -> None:
    write(memory, LIST)
    with pytest.raises(UsageError, match=says):
        memory.replace("human", old, "x", MODEL)
    assert memory.block("human").value == LIST


def test_a_limit_is_held_with_its_numbers_and_read_only_holds_against_the_model(memory: CoreMemory) -> None:
    write(memory, LIST)
    with pytest.raises(LimitError, match="200"):
        memory.append("human", "x" * 200, MODEL)
    with pytest.raises(UsageError, match="read-only"):
        memory.append("rules", "Be rude.", MODEL)
    assert memory.append("rules", "Be brief.", PERSON).value == "Be kind.\nBe brief."
    assert memory.block("human").value == LIST
