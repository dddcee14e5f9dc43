"""Whether a sentence asks, with or without a question mark, and whom it asks about. English and Chinese."""

import re
from typing import Final

from memgpt_cli.llm.offline.words import is_chinese

_TAG: Final = re.compile(r"(?:, ?(?:right|ok|okay|huh|eh|you know|yeah|isn't it|don't you think))\?+$", re.IGNORECASE)
_AUXILIARY: Final = (
    r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|have|has|had|isn't|aren't|wasn't|don't|doesn't"
    r"|didn't)"
)
_MARK_WITHIN: Final = 40
"""Characters at the end of a sentence among which its question mark is looked for."""
_MARKED: Final = re.compile(r"[?？][^\w]*$")
_CLOSING: Final = " .!?。！？~～…,，)）\"'”’"
_WHATS: Final = re.compile(r"^(what|where|who|how|when)s\b")
_FIRST_SYMBOL: Final = "\u2600"
_ADDRESS: Final = re.compile(r"^(?:(?:so|well|ok|okay|and|but|oh|um|hmm|please|wait|quick (?:one|question))[,: ]+)+")
_ASKS: Final = re.compile(
    rf"(?:what|who|whom|where|how|why)(?:'s|'re|'d|'ll| {_AUXILIARY})\b(?! (?:a|an) (?:\w+ ){{0,2}}\w+$)|(?:what"
    rf"|which|whose|how) (?:\w+ ){{1,3}}{_AUXILIARY} |when(?: {_AUXILIARY}|'s) (?!(?:i|we|he|she|they|you) \w+(?:ed"
    rf"|ing)?,)"
    r"|how (?:many|much|old|long|often|far|big|tall) "
    rf"|(?:when|where|who|why|how|and (?:when|where|who|why))$|{_AUXILIARY} (?:i|you|he|she|it|we|they|my|your|his"
    rf"|her|our|their|the|there|this|that|anyone|anybody|someone) "
    r"|(?:can you |could you |please )*(?:tell me|remind me|show me) (?:again |more |something |anything "
    r"|a bit )*(?:about|of|what|who|where|when|why"
    r"|how|which|whose|everything|all|if|whether|my|the)\b|do you (?:know|remember|recall)\b|(?:any|got any) (?:idea"
    r"|clue)\b|(?:please )?(?:search|look up|look for|find|recall|list)(?: for)? (?:me )?(?!out\b)\w|what about "
    r"|how about (?:my|his|her|the) "
)
_DID_ASK: Final = re.compile(r"(?:does|did|is|was) [a-z][\w'-]+ (?:ever |also |still )?(?:[a-z]+)\b")
_CHINESE_ASKS: Final = re.compile(
    r"[吗么]$|呢$|什么|哪(?![怕有])|是谁|谁[是在叫说的]|^谁|几[岁个点号月年次]|多少|多大|多久|怎么样|怎样|为什么|何时"
    r"|是不是|有没有|记不记得|知不知道|喜不喜欢|告诉我|提醒我.*(?:什么|哪)"
)
_CHINESE_TELLS: Final = re.compile(r"我(?:不知道|知道|忘了|记得|明白)")
_CHINESE_ASKS_MEMORY: Final = re.compile(r"你(?:还)?(?:知道|记得|记不记得|知不知道|能找|能查|能告诉|听说|有没有记)")
_TO_LISTENER: Final = re.compile(r"\b(?:you|your|you're|you've|yours|u)\b")
_FIRST_PERSON: Final = re.compile(r"\b(?:i|i'm|i've|me|my|mine|we|our|us)\b")
_ASKS_MEMORY: Final = re.compile(
    r"\b(?:do|did|can|could|have|would|will) you (?:still |also |please )?(?:know|remember|recall|find|search|tell"
    r"|look|heard|hear|store|stored|note|noted|see)\b"
)


_LEAD: Final = re.compile(
    r"(?:(?:so|ok|okay|and|hey|please|quick (?:one|question))\W+)*(?:(?:can|could|would|will) you (?:please"
    r" )?)?(?:do you"
    r"(?: still| even| happen to)?(?: know| remember| recall)|(?:please )?remind me(?: again)?|(?:please"
    r" )?tell me(?: again)?"
    r"|i forgot|i forget)(?: again)?,? (?=(?:what|who|where|when|how|which|whose|my|if|whether|the|about)\b)",
    re.IGNORECASE,
)
_ASKED_LAST: Final = re.compile(r"(.+?)[,，;；:：—]\s*([^,，;；—]+)", re.DOTALL)
_TAG_WORDS: Final = 3


def matter(question: str) -> str:
    """The question without "do you still know" and "remind me": what is asked and not whether it is remembered."""
    return _LEAD.sub("", question, count=1) or question


def told_before(sentence: str, *, in_chinese: bool) -> tuple[str, str]:
    """A question in which something is told first, parted: "I'm Ada, where do I live?". The first part may be empty."""
    match = _ASKED_LAST.fullmatch(sentence)
    if match is None:
        return "", sentence
    told, asked = match[1], match[2]
    tag = not in_chinese and len(asked.split()) <= _TAG_WORDS
    first = plain(told, in_chinese=in_chinese)
    if (
        tag
        or asks(told, first, in_chinese=in_chinese)
        or not asks(asked, plain(asked, in_chinese=in_chinese), in_chinese=in_chinese)
    ):
        return "", sentence
    return told, asked


def is_question(sentence: str) -> bool:
    """Whether a sentence asks, with or without a question mark."""
    in_chinese = is_chinese(sentence)
    return asks(sentence, plain(sentence, in_chinese=in_chinese), in_chinese=in_chinese)


def asks(sentence: str, text: str, *, in_chinese: bool) -> bool:
    """Whether a sentence asks; `text` is the sentence as `plain` gives it."""
    end = sentence[-_MARK_WITHIN:]
    if in_chinese:
        if _MARKED.search(end):
            return True
        return _CHINESE_ASKS.search(text) is not None and _CHINESE_TELLS.match(text) is None
    if _MARKED.search(end):
        return _TAG.search(end) is None
    if _ASKS.match(text) is not None:
        return True
    return sentence[:1].isupper() and _DID_ASK.match(text) is not None


def of_the_listener(text: str, *, in_chinese: bool) -> bool:
    """Whether a question (as `plain` gives it) is about the one who is asked and not about what was told."""
    if in_chinese:
        return "你" in text and "我" not in text and _CHINESE_ASKS_MEMORY.search(text) is None
    if _TO_LISTENER.search(text) is None or _FIRST_PERSON.search(text) is not None:
        return False
    return _ASKS_MEMORY.search(text) is None


def plain(sentence: str, *, in_chinese: bool) -> str:
    """Lower case, one space between words, closing punctuation and forms of address removed."""
    text = " ".join(sentence.lower().replace("’", "'").split())
    while text and (text[-1] in _CLOSING or (text[-1] >= _FIRST_SYMBOL and not text[-1].isalnum())):
        text = text[:-1]
    return text if in_chinese else _WHATS.sub(r"\1's", _ADDRESS.sub("", text))
