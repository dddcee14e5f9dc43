"""What the model is told of its writes to core memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.function_calls import Functions, functions

APPEND, REPLACE = "core_memory_append", "core_memory_replace"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Functions]:
    with functions(tmp_path) as made:
        yield made


def human(agent: Functions) -> str:
    return agent.core_memory.block("human").value


def test_a_write_says_what_changed_and_the_count(agent: Functions) -> None:
    assert agent.call(APPEND, label="human", content="Likes tea.").text == "Added to block human (10/2000)."
    told = agent.call(REPLACE, label="human", old_content="tea", new_content="coffee")
    assert told.text == "Replaced in block human (13/2000)."
    assert dict(told.effects.blocks) == {"human": 3}
    assert (
        agent.call(REPLACE, label="human", old_content="*", new_content="Ada").text == "Rewrote block human (3/2000)."
    )
    assert agent.call(REPLACE, label="human", old_content="Ada", new_content="").text == (
        "Removed from block human (0/2000)."
    )


def test_a_line_that_is_there_already_is_not_added_and_replace_then_works(agent: Functions) -> None:
    agent.call(APPEND, label="human", content="Lives in Oslo.")
    again = agent.call(APPEND, label="human", content="Lives in Oslo. ")
    assert again.ok
    assert again.text == "Block human has this already; nothing was added (14/2000)."
    assert agent.call(REPLACE, label="human", old_content="Lives in Oslo.", new_content="Lives in Bergen.").ok
    assert human(agent) == "Lives in Bergen."


def test_of_several_lines_those_that_are_there_are_left_out(agent: Functions) -> None:
    agent.call(APPEND, label="human", content="One\nTwo")
    agent.call(APPEND, label="human", content="Two\nThree")
    assert human(agent) == "One\nTwo\nThree"


def test_a_label_in_the_wrong_case_is_accepted(agent: Functions) -> None:
    assert agent.call(APPEND, label="Human", content="Likes tea.").ok
    assert human(agent) == "Likes tea."


@pytest.mark.parametrize(
    ("name", "arguments"), [(APPEND, {"content": " \n"}), (REPLACE, {"old_content": "*", "new_content": " "})]
)
def test_an_empty_text_is_refused_with_a_reason(agent: Functions, name: str, arguments: dict[str, str]) -> None:
    told = agent.call(name, label="human", **arguments)
    assert not told.ok
    assert "is empty" in told.text


def test_a_failed_replace_shows_the_whole_block_and_nothing_after_it(agent: Functions) -> None:
    agent.call(APPEND, label="human", content="Likes tea.\nLikes rain.")
    told = agent.call(REPLACE, label="human", old_content="coffee", new_content="water")
    assert not told.ok
    assert told.text == (
        "'coffee' was not found in block human; nothing was changed."
        " Block human is now (22/2000 characters):\nLikes tea.\nLikes rain."
    )


def test_the_last_of_several_edits_of_a_block_shows_it(agent: Functions) -> None:
    told = agent.step(
        (APPEND, {"label": "human", "content": "One"}),
        (APPEND, {"label": "persona", "content": "Kind"}),
        (APPEND, {"label": "human", "content": "Two"}),
    )
    assert [result.text for result in told] == [
        "Added to block human (3/2000).",
        "Added to block persona (4/2000).",
        "Added to block human (7/2000). Block human is now (7/2000 characters):\nOne\nTwo",
    ]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        (APPEND, {"label": "humen", "content": "x"}),
        (APPEND, {"label": "rules", "content": "x"}),
        (APPEND, {"label": "human", "content": "x" * 3_000}),
        (REPLACE, {"label": "human", "old_content": "", "new_content": "x"}),
        (REPLACE, {"label": "human", "old_content": "no", "new_content": "x"}),
        (REPLACE, {"label": "rules", "old_content": "*", "new_content": "x"}),
    ],
)
def test_no_refusal_names_a_command_or_asks_back(agent: Functions, name: str, arguments: dict[str, str]) -> None:
    told = agent.call(name, **arguments)
    assert not told.ok
    assert "memgpt" not in told.text
    assert "did you mean" not in told.text
