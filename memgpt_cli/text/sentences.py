"""Split a text into sentences. A line end also ends a sentence: lists, headings and tables have no full stops."""

import re
from collections.abc import Iterator
from typing import Final

_END: Final = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？]+[”」』）]*|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_ABBREVIATION: Final = re.compile(
    r"\b(?:mr|mrs|ms|dr|prof|st|mt|no|vs|jr|sr|etc|approx|e\.g|i\.e|a\.m|p\.m|(?!i\b)[a-z])\.$", re.IGNORECASE
)
_ABBREVIATION_LENGTH: Final = 8
_QUESTION_MARK: Final = re.compile(r"[?？][\"'”’)\]」』）!！]*\s*$")


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence, in order; they cover the whole text, white space included."""
    start = 0
    for match in _END.finditer(text):
        end = match.end()
        if match.group() == "." and _ABBREVIATION.search(text, max(start, end - _ABBREVIATION_LENGTH), end):
            continue
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences in order, without surrounding white space; empty ones are skipped."""
    for start, end in sentence_spans(text):
        if sentence := text[start:end].strip():
            yield sentence


def is_question(sentence: str) -> bool:
    """Whether a sentence ends in a question mark."""
    return _QUESTION_MARK.search(sentence) is not None
