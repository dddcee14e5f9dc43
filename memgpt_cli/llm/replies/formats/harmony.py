"""The channels of gpt-oss: `<|channel|>commentary to=functions.name <|constrain|>json<|message|>{…}<|call|>`.

Some servers drop the special tokens: `commentary to=functions.name json{…}`.
"""

import re
from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.replies.formats.reading import MORE, NO, CallVerdict, Found, Reading, skip_blank
from memgpt_cli.llm.replies.literals import InvalidLiteralError, UnfinishedLiteralError, read_literal
from memgpt_cli.llm.replies.offered import Offered

_LONGEST_HEAD: Final = 240
_HEAD: Final = re.compile(
    r"(?:<\|start\|>\s*(?:assistant)?\s*)?(?:to=(?P<first>[^\s<]+)\s*)?<\|channel\|>\s*(?P<channel>\w*)\s*"
    r"(?:to=(?P<second>[^\s<]+)\s*)?(?:<\|constrain\|>)?\s*\w*\s*<\|message\|>"
)
_BEGUN: Final = re.compile(r"(?:<\|start\|>|<\|channel\|>)[\w\s.=:/-]*+(?:<[|\w]*+>?+[\w\s.=:/-]*+)*+")
_END: Final = re.compile(r"<\|(?:call|end|return|start|channel)\|>")
_STRIPPED: Final = re.compile(r"([\w.-]+?)\s*(?:json|response)?\s*(?=\{)")
_STRIPPED_BEGUN: Final = re.compile(r"[\w.-]*+\s*+\w*+\s*+")

ENDS: Final = ("<|end|>", "<|start|>", "<|channel|>", "<|return|>", "<|call|>")
"""The ends of a message; the second and third begin the next one."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A message without a call: its channel (`analysis`, `commentary`, `final`) and the start of its text."""

    name: str
    start: int


def read_channel(text: str, at: int, offered: Offered, *, final: bool) -> Reading | Channel:
    """Read the message that begins at `at`."""
    head = _HEAD.match(text, at, at + _LONGEST_HEAD)
    if head is None:
        begun = _BEGUN.fullmatch(text, at, at + _LONGEST_HEAD) is not None and len(text) - at < _LONGEST_HEAD
        return MORE if begun and not final else NO
    recipient = head["first"] or head["second"]
    if recipient is None:
        return Channel(head["channel"] or "final", head.end())
    name = offered.name(recipient)
    return NO if name is None else _read_arguments(text, head.end(), name, offered, final=final)


def read_stripped(text: str, at: int, offered: Offered, final: bool) -> Reading:  # noqa: FBT001
    """Read a call whose special tokens the server dropped: `name json{…}`, after `commentary to=functions.`."""
    head = _STRIPPED.match(text, at, at + _LONGEST_HEAD)
    if head is None:
        begun = len(text) - at < _LONGEST_HEAD and _STRIPPED_BEGUN.fullmatch(text, at) is not None
        return MORE if begun and not final else NO
    name = offered.name(head[1])
    return NO if name is None else _read_arguments(text, head.end(), name, offered, final=final)


def _read_arguments(text: str, at: int, name: str, offered: Offered, *, final: bool) -> Found | CallVerdict:
    start = skip_blank(text, at)
    try:
        value, end = read_literal(text, start) if text[start : start + 1] in ("{", "[", "") else (None, start)
        if value is not None:
            return Found((offered.call(name, value),), end)
    except UnfinishedLiteralError:
        if not final:
            return MORE
    except InvalidLiteralError:
        pass
    closing = _END.search(text, at)
    if closing is None and not final:
        return MORE
    end = closing.start() if closing else len(text)
    return Found((offered.call(name, text[at:end].strip()),), end)
