"""Standing wishes: sentences that tell an assistant what to do from now on, or whenever something comes up.

Patterns for English and Chinese, with simple cases of Japanese and Korean. They prefer false matches to missed ones:
a person confirms each match before it has any effect.
"""

import re
from typing import Final

from memgpt_cli.text.asking import asks
from memgpt_cli.text.sentences import sentences

LONGEST: Final = 300
"""Characters; a longer sentence is a text that was pasted in."""

_MARKS: Final = (
    "always", "never", " now on", "point on", "here on", "going forward", "in future", "in the future", "next time",
    "whenever", "every time", "each time", "any time", "when i", "if i", "stop ",
    "以后", "以後", "今后", "今後", "往后", "往後", "从现在", "從現在", "从今", "從今", "从此", "從此",
    "每次", "每当", "每當", "只要", "凡是", "总是", "總是", "始终", "始終", "永远", "永遠", "一律", "一直",
    "これから", "今度から", "いつも", "常に", "毎回", "必ず", "앞으로", "이제부터", "항상", "언제나", "절대",
)  # fmt: skip
"""One of these is in each wish. A search for each is faster than one for all of them as a pattern."""

_ASCII_MARKS: Final = tuple(mark for mark in _MARKS if mark.isascii())

_OPENING: Final = (
    r"(?:(?:and|also|but|so|ok|okay|oh|hey|well|please|kindly|remember(?: to)?|be sure to|make sure(?: to| you)?|do"
    r"|you (?:should|must|can|need to|have to)|i(?: would|'d|’d)? (?:want|like|prefer|need) (?:you|it if you)(?: to)?"
    r"|can you|could you|just),?\s+)*"
)
_TO_DO: Final = (
    r"(?:add|address|answer|apply|ask|assume|avoid|begin|break|bring|call|check|cite|combine|compare|confirm|convert"
    r"|correct|do|double-check|describe|draw|end|explain|express|finish|focus|follow|format|give me|greet|highlight"
    r"|include|insert|keep|lead|list|limit|maintain|make|mention|offer|point|prefer|present|prioriti[sz]e|propose"
    r"|provide|put|quote|recommend|refer|remind|repl(?:y|ies)|report|respond|round|say|send|show|skip|speak|specify"
    r"|spell|start|state|stay|stick|structure|suggest|summari[sz]e|tailor|talk|tell|translate|treat|try|use|verify"
    r"|wait|warn|word|wrap|write)"
)
_I_ASK: Final = (
    r"(?:when|whenever|if|(?:every|each|any) ?time|as soon as)(?: that)? i(?:'m|’m)?(?: am)? "
    r"(?:ask|mention|talk|say|write|send|request|need|want|bring up|come to you|tell you|start|share|discuss)"
)
_FROM_NOW: Final = r"(?:from (?:now|here|this point) on(?:wards?)?|going forward|in (?:the )?future)"
_NOT: Final = r"(?:do not |don['’]t |stop )"
_ENGLISH: Final = (
    rf"^\W*{_OPENING}(?:always|never|{_NOT}(?:ever )?)(?: please)? ?{_TO_DO}\b.*\b(?:{_I_ASK}|from now on)\b",
    rf"^\W*{_OPENING}(?:always|never) (?:please )?{_TO_DO}\b(?! (?:up|out|never)\b)",
    rf"^\W*{_OPENING}(?:{_FROM_NOW}|next time),?\s+{_OPENING}(?:always |never |{_NOT})?(?:{_TO_DO}|\w+ing)\b",
    rf"^\W*{_OPENING}{_NOT}?{_TO_DO}\b.*\b{_FROM_NOW}\W*$",
    rf"^\W*{_OPENING}{_I_ASK}\b[^,]*,\s*{_OPENING}(?:always |never |{_NOT})?{_TO_DO}\b",
    rf"^\W*{_OPENING}{_NOT}?{_TO_DO}\b.*\b(?:whenever|every time|each time) i\b",
    r"\bi(?: would|'d|’d)? (?:want|like|prefer|need) you (?:to (?:always|never)|(?:always|never) to)\b",
)
_SINCE_NOW: Final = (
    r"(?:以[后後]|今[后後]|往[后後]|[从從](?:现在(?:开始|起)?|今(?:以[后後]|往[后後]|天(?:开始|起))|此))"
)
_LEAD: Final = r"^(?:请你?|麻烦你?|[你您]|那么?|好的?|[对對]了|另外|[还還]有|记住|[记記]得|希望[你您]?|[，,、：:\s])*"
_OUGHT: Final = (
    r"(?:[请請]|都|要|[别別]|不要|不用|不必|只|用|[记記]得|[务務]必|叫我|[称稱]呼我|[给給]我|告[诉訴]我|提醒我|一律|就|先"
    r"|[帮幫]我)"
)
_I_SAY: Final = r"(?:[当當])?我.{0,10}(?:[问問]|提到|[说說]|[发發]|[请請]|要[你您]|[让讓][你您])"
_CHINESE: Final = (
    rf"{_LEAD}{_SINCE_NOW}(?!.{{0,4}}我(?:要|[会會]|想|就|也|[还還]|能|得|打算|不))(?!就好).*{_OUGHT}",
    rf"{_LEAD}(?:每次|每[当當]|只要|凡是|以[后後])[，,]?{_I_SAY}.*{_OUGHT}",
    r"^(?:[你您]|[请請]|麻烦|希望|必[须須]|[，,\s])+(?:[总總]是|始[终終]|永[远遠]|一直|一律|每次都?)(?!.{0,2}我(?:要|想))",
    r"^(?:[总總]是|始[终終]|永[远遠]|一律)(?:不要|[别別]|用|以|把|先|[给給]我|叫我|[称稱]呼我|回答|提醒我)",
)
_OTHERS: Final = (
    r"(?:これから|今[后後]|今度から|以[后後]|いつも|常に|毎回|必ず).*(?:ください|下さい|ないで|てほしい|てくれ)",
    r"(?:앞으로|이제부터|항상|언제나|절대).*(?:주세요|줘|하세요|마세요|지 ?마|바랍니다)",
)
_WISH: Final = re.compile("|".join((*_ENGLISH, *_CHINESE, *_OTHERS)), re.IGNORECASE)


def standing_wishes(text: str) -> list[str]:
    """The sentences of a text that say what an assistant is to do from now on, each on one line, in order."""
    if not _has_mark(text):
        return []
    found = (" ".join(sentence.split()) for sentence in sentences(text) if len(sentence) <= LONGEST)
    return [sentence for sentence in found if _has_mark(sentence) and _WISH.search(sentence) and not asks(sentence)]


def _has_mark(text: str) -> bool:
    lowered = text.lower()
    return any(mark in lowered for mark in (_ASCII_MARKS if text.isascii() else _MARKS))
