"""Calls between tags.

`<function=…>` (Qwen Coder, Llama 3.1, Seed-OSS), `<invoke …>` (MiniMax, DeepSeek 3.2), `<arg_key>` (GLM), Kimi K3.
"""

import re
from typing import Any, Final

from memgpt_cli.llm.replies.arguments import as_json, parse
from memgpt_cli.llm.replies.formats.reading import MORE, NO, Found, Reading, skip_blank
from memgpt_cli.llm.replies.offered import Offered, ReadCall

_LONGEST_TAG: Final = 200
_FUNCTION: Final = re.compile(r"""<function(?:=|\s+name\s*=\s*)\s*["']?([^>"'\n]*)["']?\s*>""")
_FUNCTION_END: Final = re.compile(r"</function>|(?=</(?:seed:)?tool_call>)")
_PARAMETER: Final = re.compile(
    r"""<(?:parameter|param)(?:=|\s+name\s*=\s*)\s*["']?([^>"'\n]+)["']?\s*>\n?(.*?)\n?"""
    r"(?=</(?:parameter|param)>|<(?:parameter|param)[=\s]|</function>|\Z)",
    re.DOTALL,
)
_SPACE: Final = r"(?:｜DSML｜|\|DSML\||steptml:)?"
_INVOKE: Final = re.compile(rf"""<{_SPACE}invoke\s+name\s*=\s*["']([^"'>\n]*)["']\s*>""")
_INVOKE_END: Final = re.compile(rf"</{_SPACE}invoke>|(?=</(?:minimax:)?tool_call>|</{_SPACE}function_calls>)")
_INVOKED: Final = re.compile(
    rf"""<{_SPACE}parameter\s+name\s*=\s*["']([^"'>\n]+)["']([^>\n]*)>(.*?)(?=</{_SPACE}parameter>|<{_SPACE}parameter\s|\Z)""",
    re.DOTALL,
)
_GLM_NAME: Final = re.compile(r"([\w.:/-]+)\s*(?:<tool_sep>\s*)?(?=<arg_key>|</tool_call>)")
_GLM_BEGUN: Final = re.compile(r"[\w.:/-]*+\s*+(?:<[\w/]*+)?+>?+\s*+(?:<[\w/]*+)?+")
_GLM_PAIR: Final = re.compile(r"\s*<arg_key>([^<]*)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_XTML: Final = re.compile(r"""<\|open\|>call\s+tool="([^"<\n]*)"[^<\n]*<\|sep\|>""")
_XTML_END: Final = re.compile(r"<\|close\|>call<\|sep\|>")
_XTML_ARGUMENT: Final = re.compile(
    r"""<\|open\|>argument\s+(?:key|name)="([^"<\n]*)"([^<\n]*)<\|sep\|>(.*?)(?=<\|close\|>argument|\Z)""", re.DOTALL
)


def read_function(text: str, at: int, offered: Offered, final: bool) -> Reading:  # noqa: FBT001
    """`<function=name>`, with parameters in tags or JSON inside."""
    return _read_element(text, at, offered, (_FUNCTION, _FUNCTION_END, "<function", _function_call), final=final)


def read_invoke(text: str, at: int, offered: Offered, final: bool) -> Reading:  # noqa: FBT001
    """`<invoke name="…">`, with the namespaces of DeepSeek and Step."""
    return _read_element(text, at, offered, (_INVOKE, _INVOKE_END, "<", _invoked_call), final=final)


def read_xtml(text: str, at: int, offered: Offered, final: bool) -> Reading:  # noqa: FBT001
    """`<|open|>call tool="…"<|sep|>` of Kimi K3."""
    return _read_element(text, at, offered, (_XTML, _XTML_END, "<|open|>call", _xtml_call), final=final)


def _read_element(text: str, at: int, offered: Offered, form: tuple[Any, ...], *, final: bool) -> Reading:
    opening, closing, mark, call = form
    tag = opening.match(text, at)
    if tag is None:
        rest = text[at : at + _LONGEST_TAG]
        begun = rest.startswith(mark) or mark.startswith(rest)
        open_ended = begun and len(rest) < _LONGEST_TAG and not {">", "\n"} & set(rest.removeprefix(mark))
        return MORE if open_ended and not final else NO
    name = offered.name(tag[1].strip())
    if name is None:
        return NO
    end = closing.search(text, tag.end())
    if end is None and not final:
        return MORE
    body = text[tag.end() : end.start() if end else len(text)]
    return Found((call(name, body, offered),), end.end() if end else len(text))


def _function_call(name: str, body: str, offered: Offered) -> ReadCall:
    body = body.strip()
    if not body or body.startswith(("{", "[")):
        return offered.call(name, body)
    parameters = {match[1].strip(): match[2] for match in _PARAMETER.finditer(body)}
    return offered.from_texts(name, parameters) if parameters else offered.call(name, body)


def _invoked_call(name: str, body: str, offered: Offered) -> ReadCall:
    texts = {match[1].strip(): (match[2], match[3]) for match in _INVOKED.finditer(body)}
    if not texts and body.strip().startswith("{"):
        return offered.call(name, body.strip())
    return _typed(name, {key: (kind, _trimmed(text)) for key, (kind, text) in texts.items()}, offered)


def _xtml_call(name: str, body: str, offered: Offered) -> ReadCall:
    texts = {match[1]: (match[2], match[3]) for match in _XTML_ARGUMENT.finditer(body)}
    return _typed(name, texts, offered)


def _typed(name: str, texts: dict[str, tuple[str, str]], offered: Offered) -> ReadCall:
    """Return a call whose tags state the types of its arguments, if they do."""
    call = offered.from_texts(name, {key: text for key, (_, text) in texts.items()})
    values = parse(call.arguments)
    for key, (kind, text) in texts.items():
        if 'string="true"' in kind or 'type="string"' in kind:
            values[key] = text
        elif ('string="false"' in kind or 'type="' in kind) and (value := parse(text)) is not None:
            values[key] = value
    return ReadCall(name=name, arguments=as_json(values))


def _trimmed(text: str) -> str:
    """Remove the line ends that belong to the tags."""
    return text[1:].removesuffix("\n") if text.startswith("\n") else text


def read_glm(text: str, at: int, offered: Offered, final: bool) -> Reading:  # noqa: FBT001
    """`name`, then `<arg_key>…</arg_key><arg_value>…</arg_value>` for each argument (GLM, Hunyuan)."""
    head = _GLM_NAME.match(text, at, at + _LONGEST_TAG)
    if head is None:
        waiting = not final and len(text) - at < _LONGEST_TAG and _GLM_BEGUN.fullmatch(text, at) is not None
        return MORE if waiting else NO
    name = offered.name(head[1])
    if name is None:
        return NO
    texts: dict[str, str] = {}
    end = head.end()
    while (pair := _GLM_PAIR.match(text, end)) is not None:
        texts[pair[1].strip()] = _trimmed(pair[2])
        end = pair.end()
    following = text[skip_blank(text, end) :][: len("<arg_key>")]
    if not final and "<arg_key>".startswith(following):
        return MORE
    return Found((offered.from_texts(name, texts),), end)
