"""Tables lose nothing: not in a pipe, not in a narrow terminal, not in a script whose letters are two columns wide."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rich.cells import cell_len
from rich.console import Console

from memgpt_cli.cli.terminal import tables
from memgpt_cli.cli.terminal.context import Terminal

COLUMNS = ("id", "time", "text")
ROWS = [
    ("m7", "2026-11-25 15:48", "The keeper of the lamp saw ninety-seven ships pass.\nThen it rained."),
    ("m1234567", "2026-11-25 15:49", "灯塔看守人给他的妹妹写信，讲述冬天的风暴。" * 3),
]


@contextmanager
def printed(monkeypatch: pytest.MonkeyPatch, *, width: int | None) -> Iterator[tuple[Terminal, io.StringIO]]:
    """What a table prints on a terminal of this width, or into a pipe."""
    target = io.StringIO()
    console = Console(file=target, width=width or 80, force_terminal=width is not None, no_color=True, highlight=False)
    monkeypatch.setattr(console, "soft_wrap", width is None)
    terminal = Terminal()
    vars(terminal)["out"] = console
    yield terminal, target


def letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


@pytest.mark.parametrize("width", [None, 12, 24, 40, 60, 80, 200])
def test_every_letter_of_every_cell_is_there_in_any_width(monkeypatch: pytest.MonkeyPatch, width: int | None) -> None:
    with printed(monkeypatch, width=width) as (terminal, target):
        for row in ROWS:
            tables.table(terminal, COLUMNS, [row], wide="text")
    shown = letters(target.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", ""))
    for row in ROWS:
        assert all(letters(cell) in shown for cell in row[:2])
    text = "".join(letters(row[2]) for row in ROWS)
    assert sorted(text) == sorted(set_aside(shown, text))


def set_aside(shown: str, text: str) -> str:
    """Of what is shown, the letters that spell `text`, in order as far as they come."""
    found, rest = [], iter(shown)
    for letter in text:
        found += [next((other for other in rest if other == letter), "")]
    return "".join(found)


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    with printed(monkeypatch, width=width) as (terminal, target):
        tables.table(terminal, COLUMNS, ROWS, wide="text")
    lines = target.getvalue().replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    assert max(cell_len(line) for line in lines) <= width


def test_in_a_pipe_a_row_is_a_line_and_columns_stand_below_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with printed(monkeypatch, width=None) as (terminal, target):
        tables.table(terminal, COLUMNS, ROWS, wide="text")
    heading, *lines = target.getvalue().splitlines()
    assert len(lines) == len(ROWS)
    assert {line.index("2026") for line in lines} == {heading.index("time")}
    assert lines[0].endswith("pass. Then it rained.")
