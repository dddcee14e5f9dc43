"""Whether a sentence asks, with or without a question mark, and whom it asks about. English and Chinese."""

import re
from typing import Final

from memgpt_cli.llm.offline.words import is_chinese

_TAG: Final = re.compile(r"(?:, ?(?:right|ok|okay|huh|eh|you know|yeah|isn't it|don't you think))\?+$", re.IGNORECASE)
_AUXILIARY: Final = (
    r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|have|has|had|isn't|aren't|wasn't|don't|doesn't"
    r"|didn't)"
)
_ASKS: Final = re.compile(
    rf"(?:what|who|whom|where|how|why)(?:'s|'re|'d|'ll| {_AUXILIARY})\b(?! (?:a|an) (?:\w+ ){{0,2}}\w+$)|(?:what"
    rf"|which|whose|how) (?:\w+ ){{1,3}}{_AUXILIARY} |when (?:{_AUXILIARY}|'s) (?!(?:i|we|he|she|they|you) \w+(?:ed"
    rf"|ing)?,)"
    r"|how (?:many|much|old|long|often|far|big|tall) "
    rf"|(?:when|where|who|why|how|and (?:when|where|who|why))$|{_AUXILIARY} (?:i|you|he|she|it|we|they|my|your|his"
    rf"|her|our|their|the|there|this|that|anyone|anybody|someone) "
    r"|(?:can you |could you |please )*(?:tell me|remind me|show me) (?:again )?(?:about|of|what|who|where|when|why"
    r"|how|which|whose|everything|all|if|whether|my|the)\b|do you (?:know|remember|recall)\b|(?:any|got any) (?:idea"
    r"|clue)\b|(?:please )?(?:search|look up|look for|find|recall|list)(?: for)? (?:me )?(?!out\b)\w|what about "
    r"|how about (?:my|his|her|the) "
)
_DID_ASK: Final = re.compile(rf"{_AUXILIARY} [a-z][\w'-]+ (?:ever |also |still )?(?:[a-z]+)\b")
_CHINESE_ASKS: Final = re.compile(
    r"[吗么]$|呢$|什么|哪(?![怕有])|是谁|谁[是在叫说的]|^谁|几[岁个点号月年次]|多少|多大|多久|怎么样|怎样|为什么|何时"
    r"|是不是|有没有|记不记得|知不知道|喜不喜欢|告诉我|提醒我.*(?:什么|哪)"
)
_TO_LISTENER: Final = re.compile(r"\b(?:you|your|you're|you've|yours|u)\b")
_FIRST_PERSON: Final = re.compile(r"\b(?:i|i'm|i've|me|my|mine|we|our|us)\b")
_ASKS_MEMORY: Final = re.compile(
    r"\b(?:do|did|can|could|have|would|will) you (?:still |also |please )?(?:know|remember|recall|find|search|tell"
    r"|look|heard|hear|store|stored|note|noted|see)\b"
)


def is_question(sentence: str) -> bool:
    """Whether a sentence asks, with or without a question mark."""
    in_chinese = is_chinese(sentence)
    return asks(sentence, plain(sentence, in_chinese=in_chinese), in_chinese=in_chinese)


def asks(sentence: str, plain: str, *, in_chinese: bool) -> bool:
    stripped = sentence.rstrip(" \t\"'”’)）」").rstrip("\u2600-\u27bf")
    if in_chinese:
        if re.search(r"[?？][!！\W]*$", stripped):
            return True
        if re.match(r"我(?:不知道|知道|想知道|忘了|记得|明白)", plain) and not plain.startswith("我想知道"):
            return False
        return _CHINESE_ASKS.search(plain) is not None
    if re.search(r"\?[^\w]*$", stripped):
        return _TAG.search(stripped) is None
    return _ASKS.match(plain) is not None or (
        sentence[:1].islower() is False
        and _DID_ASK.match(plain) is not None
        and plain.split(maxsplit=1)[0] in ("does", "did", "is", "was")
    )


def of_the_listener(plain: str, *, in_chinese: bool) -> bool:
    """Whether a question is about the one who is asked and not about what was told."""
    if in_chinese:
        return (
            "你" in plain
            and "我" not in plain
            and not re.search(r"你(?:还)?(?:知道|记得|记不记得|知不知道|能找|能查|能告诉|听说|有没有记)", plain)
        )
    if _TO_LISTENER.search(plain) is None or _FIRST_PERSON.search(plain) is not None:
        return False
    return _ASKS_MEMORY.search(plain) is None


def plain(sentence: str, *, in_chinese: bool) -> str:
    """Lower case, one space between words, closing punctuation and forms of address removed."""
    text = re.sub(r"\s+", " ", sentence.lower().replace("’", "'")).strip()
    text = re.sub(r"[\s.!?。！？~～…,，\u2600-\u27bf\U0001f000-\U0001faff]+$", "", text)
    if in_chinese:
        return text
    return re.sub(r"^(?:(?:so|well|ok|okay|and|but|oh|um|hmm|please|wait)[, ]+)+", "", text)
