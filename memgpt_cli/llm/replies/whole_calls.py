"""Calls in Python's form without any mark, as small models write them: valid if they are the whole reply."""

from memgpt_cli.llm.replies.formats.pythonic import read_calls
from memgpt_cli.llm.replies.formats.reading import MORE, NO, Found, Reading, skip_blank
from memgpt_cli.llm.replies.mark_search import is_beginning, past_strays
from memgpt_cli.llm.replies.offered import Offered


def read_whole_call(text: str, offered: Offered, *, final: bool) -> Reading:
    """Return the calls that `text` consists of, with stray marks after them; Found only at the end of the reply."""
    start = skip_blank(text, 0)
    if not offered or start >= len(text):
        return NO
    reading = read_calls(text, start, offered, final)
    if not isinstance(reading, Found):
        return reading
    rest = text[past_strays(text, reading.end, final=final) :].strip()
    if rest and (final or not is_beginning(rest)):
        return NO
    return reading if final else MORE
