"""Corrections: what a sentence says is right, and what it says was wrong. English and Chinese.

"Correction: Nils is 5, not 4" says as much as "Nils is 5", in place of "4". Which line that changes is decided in
`memory`, where the lines are: only one that holds the wrong value and speaks of the same thing.
"""

import re
from dataclasses import dataclass
from typing import Final

from memgpt_cli.llm.offline.facts import lines_of, parse_line
from memgpt_cli.llm.offline.words import is_chinese, terms

_LEAD: Final = re.compile(
    r"(?:(?:(?:correction|sorry|oops|wait|no|actually|oh|well|hm+|ah|my (?:mistake|bad)|i (?:made a"
    r" )?(?:mistake|misspoke)"
    r"|(?:that|it)['’]?s (?:wrong|not right|old|outdated)|that was wrong)(?!\w)|(?:更正(?:一下)?|不对|错了"
    r"|打错了|说错了|抱歉"
    r"|不好意思|其实))\s*[,:;.!，：；。—-]*\s*)+",
    re.IGNORECASE,
)
_IT_IS: Final = (
    r"(?:(?:it|that|he|she|they)(?:['’]s| is| are|['’]re)|but(?: rather)?|i['’]?m|i am)(?: actually| really)?"
)
_BE_NOT: Final = r"(?:['’]s not| is not| isn['’]t| was not| wasn['’]t)"
_WRONG_ABOUT: Final = (
    rf"i(?:['’]m| was| am)? (?:got |said |told you )?(?:wrong|mistaken) about (?P<what>my"
    rf" .{{2,40}}?)[,;:.–—-]+ ?{_IT_IS}"
    r" (?P<new>.{1,40})"
)
_GOT_WRONG: Final = rf"i (?:got|had|said) (?P<what>my .{{2,40}}?) wrong[,;:.–—-]+ ?{_IT_IS} (?P<new>.{{1,40}})"
_NOT_MY: Final = rf"(?P<old>[^,;]{{1,40}}?){_BE_NOT} (?P<what>my [^,;]{{2,30}}?)[,;–—-]+ ?{_IT_IS} (?P<new>.{{1,40}})"
_NOT_BUT: Final = (
    rf"(?P<what>.{{1,40}}?){_BE_NOT}(?: spelled)? (?P<old>[^,;]{{1,40}}?)[,;–—-]* ?{_IT_IS} (?P<new>.{{1,40}})"
)
_THIS_NOT_THAT: Final = (
    r"(?P<whole>.*(?:\b(?:is|are|was|in|at|on|to|as|called|named|spelled|like|love|prefer|have|has|an?|the)"
    r"|['’](?:s|m|re)) (?P<new>[^,;]{1,40}?)),? (?:and )?not (?P<old>[^,;]{1,40})"
)
_NOT_BUT_ZH: Final = (
    r"(?P<what>[^，,；。]{0,12}?)不(?P<verb>是|叫|在|住在)(?P<old>[^，,；。]{1,12})[，,；\s]*(?:而|应该)?(?P=verb)"
    r"(?P<new>[^，,；。]{1,12})"
)
_THIS_NOT_THAT_ZH: Final = (
    r"(?P<whole>[^，,；。]{0,12}?(?P<verb>是|叫|住在|在)(?P<new>[^，,；。]{1,12}))[，,；\s]*(?:而)?不(?P=verb)"
    r"(?P<old>[^，,；。]{1,12})"
)
_ENGLISH: Final = tuple(
    re.compile(form, re.IGNORECASE) for form in (_WRONG_ABOUT, _GOT_WRONG, _NOT_MY, _NOT_BUT, _THIS_NOT_THAT)
)
_CHINESE: Final = tuple(re.compile(form) for form in (_NOT_BUT_ZH, _THIS_NOT_THAT_ZH))
_EMPTY_OLD: Final = re.compile(
    r"(?:really|sure|any ?more|yet|at all|that|this|now|always|only|just|to|because|even|so|too|very|everyone|for)\b",
    re.IGNORECASE,
)
_SOMEBODY_ELSE: Final = re.compile(r"[我你他她]|\b(?:my|i|you|he|she)\b", re.IGNORECASE)
_ENDS: Final = " .,!;\"'“”。！，"
_ARTICLE: Final = re.compile(r"^(?:in|on|at|as|an?|the|spelled|called|with|for|to) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """`old` gives way to `new` where a line speaks of `about`; `about` is empty for "it's 5, not 4"."""

    about: str
    old: str
    new: str


def plain_form(sentence: str) -> tuple[str, Correction | None]:
    """The sentence that says only what is right, and the correction in it; the sentence itself where there is none."""
    in_chinese = is_chinese(sentence)
    lead = _LEAD.match(sentence)
    text = sentence[lead.end() if lead else 0 :].strip(_ENDS)
    for pattern in _CHINESE if in_chinese else _ENGLISH:
        if (match := pattern.fullmatch(text)) is None:
            continue
        found = match.groupdict()
        new, old = found["new"].strip(_ENDS), (found.get("old") or "").strip(_ENDS)
        if _EMPTY_OLD.match(old) or _SOMEBODY_ELSE.search(new if in_chinese else ""):
            continue
        whole = found.get("whole") or _whole(found, new, in_chinese=in_chinese)
        if not old:
            return whole, None
        about = "" if re.match(r"(?:it|that|this)\b", whole, re.IGNORECASE) else whole
        return whole, Correction(about=about.replace(new, " "), old=_bare(old), new=_bare(new))
    return sentence, None


def _whole(found: dict[str, str], new: str, *, in_chinese: bool) -> str:
    if in_chinese:
        return f"{found['what']}{found['verb']}{new}"
    what = re.sub(r"^my (?:real|actual|true|right) ", "my ", found["what"], flags=re.IGNORECASE)
    return f"{what} is {new}"


def _bare(value: str) -> str:
    return _ARTICLE.sub("", value).strip()


def corrected_line(correction: Correction, block: str, speaker: str | None) -> tuple[str, str] | None:
    """The one line that the correction means, and what it becomes; None when none or several may be meant."""
    old = re.escape(correction.old)
    holds = re.compile(old if is_chinese(correction.old) else rf"(?<!\w){old}(?!\w)", re.IGNORECASE)
    about = set(terms(correction.about)) - {"real", "spell", "actual", "name"}
    meant = []
    for text in lines_of(block):
        line = parse_line(text)
        if line.speaker == speaker and _is_about(line.fact, about, correction.about) and (at := holds.search(text)):
            meant.append((text, at))
    if len(meant) != 1:
        return None
    text, at = meant[0]
    new, rest = correction.new, text[at.end() :]
    if rest.strip() and new.lower().endswith(rest.strip().lower()):  # "3 cats, not 2": the line has its own "cats"
        new = new[: -len(rest.strip())].strip()
    return text, f"{text[: at.start()]}{new}{rest}"


def _is_about(fact: str, about: set[str], said: str) -> bool:
    """Whether a line speaks of everything that the correction speaks of; of a name, when only a name is spoken of."""
    told = set(terms(fact))
    if about:
        return all(term in fact if is_chinese(term) else term in told for term in about)
    return re.search(r"\bname\b|名字|叫", said) is None or re.match(r"Name:|Goes by|姓名：|昵称：", fact) is not None
