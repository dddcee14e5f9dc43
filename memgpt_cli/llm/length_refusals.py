"""Recognise refusals of a prompt over the server's window, in any wording, with their numbers.

It uses a rule instead of a list: the text is about the prompt or the window, says that something is over a limit, and
is not about something else (a rate in tokens per minute, a reply's length, bytes, a model that cannot be loaded).
`tests/llm/test_length_refusals.py` has the wordings that it must and must not match.
"""

import re
from typing import Final

from memgpt_cli.errors import ContextLengthError

_LONGEST: Final = 20_000
"""Maximum characters of a refusal; a longer text is a page."""

_CODES: Final = re.compile(
    r"context_length_exceeded|exceed_context_size|model_context_window_exceeded|model_max_prompt_tokens_exceeded"
    r"|tokens_limit_reached|contextwindowexceeded"
)
"""Codes that are sufficient, regardless of the text."""

_ABOUT_THE_PROMPT: Final = re.compile(
    r"context[ _-]?(length|size|window|limit)|length of the (messages|prompt|input|conversation)"
    r"|max(imum)?[ _](allowed )?(model|seq|sequence|context|input|prompt)[ _]?len"
    r"|n_ctx|n_keep|prompt|\binputs?\b|(messages?|conversation|request)\b.{0,80}\btokens|token (limit|count)"
    r"|too many (input )?tokens|default_max_tokens|max_tokens must be at least 1, got -"
    r"|上下文|输入|提示|对话|tokens?\s*数",
    re.DOTALL,
)
_OVER_A_LIMIT: Final = re.compile(
    r"exceed|overflow|too (long|large|many|big)|(longer|larger|greater|more|bigger) than|reduce (the|your)|shorten"
    r"|must (be|have) (less|fewer|<)|(should|must) be (greater than 0|\[)|must be at least 1, got -|length should be"
    r"|cannot exceed|only supports|not enough|does(n't| not) fit|maximum (context|model|prompt|input) length (is|of)"
    r"|(context|size|window|length) (is|of)( only)? [\d(]|n_keep.{0,20}>="
    r"|超过|超出|超长|超限|过长|太长|上限|大于",
    re.DOTALL,
)
_ABOUT_SOMETHING_ELSE: Final = re.compile(
    # a rate, not a length
    r"per[ -](second|minute|min\b|hour|day)|\b[tr]p[md]\b|rate[ _-]?limit|throttl|too many requests|quota|please wait"
    r"|每分钟|频率|限流|余额|额度"
    # a model that cannot start
    r"|(failed|failure|unable|error|could not|cannot)( to)?( be)? load|error loading|kv[ _-]cache|out of memory"
    # bytes, characters, entries, fields
    r"|\bbytes\b|\d ?[kmg]i?b\b|characters|字符|string (is )?too long|string_above_max|array (is )?too long"
    r"|\b(field|name|title|description)\b.{0,40}(too long|at most|exceed)|\d+ (images|items|messages)\b|pixels"
    # the reply
    r"|max_(completion_|output_|new_)?tokens\W+(must be|should be) less than or equal"
)
_PICTURES: Final = re.compile(r"\b(images?|audio|video|pdf|file|图片)\b")

_NUMBER: Final = r"(?<![\w.-])(\d[\d,_]*(?:\.\d+)?)( ?k\b| ?万)?"

_LIMITS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"> {_NUMBER}(?:,| maximum)",
        rf"(?:context|model)[ _](?:length|size|window)(?: is| of|:)?(?: only)? \(?{_NUMBER}",
        rf"(?:maximum|max)(?: allowed)? (?:prompt|input|sequence) length(?: is| of|:)?(?: only)? \(?{_NUMBER}",
        rf"n_ctx\W{{0,5}}{_NUMBER}",
        rf"max_(?:seq|model|input)_len\W{{0,3}}{_NUMBER}",
        rf"max_num_tokens \(?{_NUMBER}",
        rf"(?:configured|exceeds the|token|prompt|context|while) limit(?: of| is|:)? \(?{_NUMBER}",
        rf"{_NUMBER} maximum context length",
        rf"tokens allowed \(?{_NUMBER}",
        rf"must be <=? {_NUMBER}",
        rf"must have less than {_NUMBER}",
        rf"(?:supports up to|max size:|max input tokens:|cannot exceed) {_NUMBER}",
        rf"length should be \[\d+, ?{_NUMBER}",
        rf"(?:limit|maximum) (?:of|is) {_NUMBER}",
        rf"(?:上限|最大|不能超过|不得超过)[^\d,，。]{{0,20}}{_NUMBER}",
    )
)
_COUNTS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"messages resulted in {_NUMBER}",
        rf"\({_NUMBER} (?:tokens )?(?:in|of) (?:the )?(?:messages|text input|input)",
        rf"{_NUMBER} tokens from the input",
        rf"{_NUMBER} (?:in|of) the (?:messages|prompt)",
        rf"(?:has|passed) {_NUMBER} (?:input )?tokens",
        rf"(?:request|input) \({_NUMBER} tokens",
        rf"contains (?:at least )?{_NUMBER} (?:input )?tokens",
        rf"n_prompt_tokens\W{{0,5}}{_NUMBER}",
        rf"prompt[ _]len\w*\W{{1,3}}{_NUMBER}",
        rf"prompt (?:is )?too long: {_NUMBER}",
        rf"token count(?: of| is|:)? \(?{_NUMBER}",
        rf"keep the first {_NUMBER}",
        rf"n_keep:? \(?{_NUMBER}",
        rf"requested tokens \({_NUMBER}",
        rf"(?:given|requested|received|current length is)[ :]+(?:about )?{_NUMBER}",
        rf"(?:prompt|input|sequence) \(?length (?:of )?\(?{_NUMBER}",
        rf"exceed context limit: {_NUMBER}",
    )
)
_FUNCTIONS_COUNT: Final = re.compile(rf"{_NUMBER} in the functions")
_BY_HOW_MUCH: Final = re.compile(r"\bby [\d,]+ tokens")
_TOKENS: Final = re.compile(rf"{_NUMBER} (?:input |prompt )?tokens?")
_SMALLEST_WINDOW: Final = 256
"""No window is smaller; a smaller number in a refusal is a code or another count."""
_LARGEST_WINDOW: Final = 100_000_000


def context_length(said: str, body: object = None) -> ContextLengthError | None:
    """Return the error for a prompt over the server's window, with its numbers; None for other refusals.

    `said` is the message with its codes, `body` the parsed error if the server sent JSON.
    """
    text = said[:_LONGEST].lower()
    if not _is_length_refusal(text):
        return None
    limit, counted = _numbers(text, body)
    numbers = f" ({counted} tokens, its window has {limit})" if limit and counted else ""
    return ContextLengthError(
        f"The server refused the prompt as longer than its window{numbers}.",
        hint=f"set the server's window: --window {limit}" if limit else "set a smaller window: --window TOKENS",
        limit=limit,
        counted=counted,
    )


def is_about_a_rate(said: str) -> bool:
    """Whether a single prompt exceeds a limit per minute, as Groq reports with status 413."""
    return re.search(r"per[ -](minute|day)|\btp[md]\b", said[:_LONGEST].lower()) is not None


def _is_length_refusal(text: str) -> bool:
    if _ABOUT_SOMETHING_ELSE.search(text):
        return False
    if _CODES.search(text):
        return True
    if _PICTURES.search(text) and "token" not in text:
        return False
    return bool(_ABOUT_THE_PROMPT.search(text) and _OVER_A_LIMIT.search(text))


def _numbers(text: str, body: object) -> tuple[int | None, int | None]:
    """Return the window and the prompt's count in tokens, if they are stated or follow from two numbers."""
    text = _BY_HOW_MUCH.sub("", text)
    limit, counted = _fields(body)
    limit = limit or _first(_LIMITS, text)
    if counted is None and (counted := _first(_COUNTS, text)) is not None:
        functions = _FUNCTIONS_COUNT.search(text)
        beside = functions is not None and "messages resulted in" not in text
        counted += _value(functions) if functions and beside else 0
    if limit is None:
        limit = _unnamed_limit(text, counted)
    return limit, counted


def _unnamed_limit(text: str, counted: int | None) -> int | None:
    """Return the smaller of two numbers of tokens, or the only one."""
    numbers = {_value(match) for match in _TOKENS.finditer(text)} - {counted}
    plausible = [n for n in numbers if _SMALLEST_WINDOW <= n <= _LARGEST_WINDOW and (counted is None or n < counted)]
    return min(plausible) if plausible else None


def _fields(body: object) -> tuple[int | None, int | None]:
    """Return the window and the count from llama.cpp's fields."""
    inner = body.get("error") if isinstance(body, dict) and isinstance(body.get("error"), dict) else body
    if not isinstance(inner, dict):
        return None, None
    limit, counted = inner.get("n_ctx"), inner.get("n_prompt_tokens")
    return limit if type(limit) is int else None, counted if type(counted) is int else None


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> int | None:
    values = (_value(match) for pattern in patterns if (match := pattern.search(text)))
    return next((value for value in values if _SMALLEST_WINDOW <= value <= _LARGEST_WINDOW), None)


def _value(match: re.Match[str]) -> int:
    """`8,192`, `8_192`, `5000.0`, `8k` (8,000: the smaller reading) or `3万`."""
    digits = match[1].replace(",", "").replace("_", "")
    if len(digits) > len(str(_LARGEST_WINDOW)) + 2:
        return _LARGEST_WINDOW + 1
    unit = (match[2] or "").strip()
    return int(float(digits) * {"k": 1_000, "万": 10_000}.get(unit, 1))
