"""Calls as JSON objects, lists of them, or Python dicts: most families, with or without a mark before them."""

import re
from typing import Any, Final

from memgpt_cli.llm.replies.formats.reading import MORE, NO, Found, Reading, skip_blank
from memgpt_cli.llm.replies.literals import InvalidLiteralError, UnfinishedLiteralError, read_literal
from memgpt_cli.llm.replies.offered import Offered, ReadCall

_NAME_KEYS: Final = ("name", "function", "tool", "tool_name", "function_name", "action")
_PLAIN_NAME_KEYS: Final = frozenset(_NAME_KEYS) - {"function", "tool"}
"""Their value is a name; that of the others may be an object with the name."""
_NESTED: Final = re.compile(r"\s*:\s*[{\[]")
_ARGUMENT_KEYS: Final = ("arguments", "parameters", "args", "input", "params", "tool_input", "action_input", "kwargs")
_WRAPPERS: Final = ("tool_calls", "tool_call", "function_call", "function_calls")
_OTHER_KEYS: Final = ("type", "id", "tool_call_id", "thought", "index")
_FIRST_KEYS: Final = (*_NAME_KEYS, *_ARGUMENT_KEYS, *_WRAPPERS, *_OTHER_KEYS)
_FIRST_KEY: Final = re.compile(r"""\[?\s*\{\s*(?:(["'])([^"'\\\n]*)(\1)?)?""")
_NAMED: Final = re.compile(
    r"""["'](?:name|function|tool|tool_name|function_name|action)["']\s*:\s*["']([^"'\\]*)["']"""
)
_RAW_ARGUMENTS: Final = re.compile(
    r"""["'](?:arguments|parameters|args|input|params|tool_input|action_input|kwargs)["']\s*:\s*(.*)""", re.DOTALL
)
_LONGEST_HEAD: Final = 2048
"""Maximum characters of an invalid call before its name and the key of its arguments."""
_CLOSINGS: Final = re.compile(r"</[\w:]*(?:tool|function|TOOL)\w*>|<\|?/?[\w]*(?:tool|ACTION|im_end|call)\w*\|>|\n```")


def read_json(text: str, at: int, offered: Offered, final: bool) -> Reading:  # noqa: FBT001 - one form for all readers
    """Read the calls in the JSON value at `at`."""
    begun = _may_be_call(text, at, offered)
    if begun is not None:
        return NO if final else begun
    try:
        value, end = read_literal(text, at)
    except UnfinishedLiteralError:
        return _broken(text, at, len(text), offered) if final else MORE
    except InvalidLiteralError:
        return _read_invalid(text, at, offered, final=final)
    calls = _calls_in(value, offered)
    return Found(tuple(calls), end) if calls else NO


def _may_be_call(text: str, at: int, offered: Offered) -> Reading | None:
    """Return None if the JSON at `at` begins like a call, otherwise why it is not one (yet)."""
    if text[at : at + 1] not in ("{", "["):
        return MORE if at >= len(text) else NO
    match = _FIRST_KEY.match(text, at)
    if match is None:
        return MORE if skip_blank(text, at + 1) >= len(text) else NO
    key = match[2]
    if key is None:
        return MORE if match.end() >= len(text) else NO
    spellings = (*_FIRST_KEYS, *offered.names)
    if match[3] is None:
        return MORE if any(one.startswith(key) for one in spellings) and match.end() >= len(text) else NO
    if key not in spellings and offered.name(key) is None:
        return NO
    named = _NAMED.match(text, match.start(1)) if key in _NAME_KEYS else None
    nested = key in _PLAIN_NAME_KEYS and _NESTED.match(text, match.end())
    return NO if nested or (named is not None and offered.name(named[1]) is None) else None


def _read_invalid(text: str, at: int, offered: Offered, *, final: bool) -> Reading:
    """Read JSON that cannot be completed. Its end is searched for in the whole text only if it begins like a call."""
    near = at + _LONGEST_HEAD
    closing = _CLOSINGS.search(text, at, near)
    if closing is None and not final and len(text) < near:
        return MORE
    if closing is None:
        if _broken(text, at, min(near, len(text)), offered) is NO:
            return NO
        closing = _CLOSINGS.search(text, near)
        if closing is None and not final:
            return MORE
    return _broken(text, at, closing.start() if closing else len(text), offered)


def _broken(text: str, at: int, end: int, offered: Offered) -> Reading:
    """Read invalid JSON that names a function: the model gets an error about its arguments."""
    body = text[at:end]
    named, raw = _NAMED.search(body), _RAW_ARGUMENTS.search(body)
    name = offered.name(named[1]) if named else None
    if name is None or raw is None:
        return NO
    return Found((ReadCall(name=name, arguments=raw[1].strip()),), end)


def _calls_in(value: Any, offered: Offered) -> list[ReadCall]:
    """Return the calls in a value; none unless all of it is calls."""
    if isinstance(value, dict):
        wrapped = next((value[key] for key in _WRAPPERS if isinstance(value.get(key), list | dict)), None)
        if wrapped is not None:
            return _calls_in(wrapped, offered)
    found = [_call_in(item, offered) for item in (value if isinstance(value, list) else [value])]
    return [call for call in found if call] if all(found) else []


def _call_in(value: Any, offered: Offered) -> ReadCall | None:
    if not isinstance(value, dict):
        return None
    for wrapper in ("function", *_WRAPPERS):
        if isinstance(value.get(wrapper), dict):
            value = value[wrapper]
    if len(value) == 1:  # {"conversation_search": {"query": ...}}
        only, inner = next(iter(value.items()))
        if isinstance(inner, dict) and (named := offered.name(str(only))) is not None:
            return offered.call(named, inner)
    key = next((key for key in _NAME_KEYS if isinstance(value.get(key), str)), "")
    name = offered.name(value[key]) if key else None
    if name is None or _is_schema(value):
        return None
    given = next((value[word] for word in _ARGUMENT_KEYS if word in value), None)
    if given is None:
        given = {word: item for word, item in value.items() if word not in (key, *_OTHER_KEYS, *_ARGUMENT_KEYS)}
    return offered.call(name, given)


def _is_schema(value: dict[str, Any]) -> bool:
    """Whether the model repeats a function's description instead of calling it."""
    parameters = value.get("parameters")
    return "description" in value or (isinstance(parameters, dict) and {"type", "properties"} <= set(parameters))
