"""Calls inside reasoning, for a model whose reply has no other calls."""

import re
from collections.abc import Iterator
from typing import Final

from memgpt_cli.llm.replies import surroundings
from memgpt_cli.llm.replies.formats.marked import MARKS, read_marked
from memgpt_cli.llm.replies.formats.reading import Found
from memgpt_cli.llm.replies.offered import Offered, ReadCall

_CALL_MARK: Final = re.compile("|".join(re.escape(mark) for mark in MARKS if mark not in {"functools", ">>>"}))
_LONGEST_LINE: Final = 500
"""Characters before a mark that decide whether it is inside a sentence."""


def calls_in_thought(text: str, offered: Offered) -> Iterator[ReadCall]:
    """Yield calls with a mark in the reasoning `text`; examples inside sentences are skipped."""
    at = 0
    while offered and (match := _CALL_MARK.search(text, at)) is not None:
        at = match.end()
        line = text[max(0, match.start() - _LONGEST_LINE) : match.start()].rpartition("\n")[2]
        reading = read_marked(text, match.start(), match[0], offered, final=True)
        if surroundings.is_quoted(line) or not isinstance(reading, Found):
            continue
        if surroundings.is_mid_sentence(line) and surroundings.continues_sentence(text[reading.end :]):
            continue
        at = reading.end
        yield from reading.calls
