"""Words and sentences of English and Chinese text, reduced to what can be compared.

English words become stems, Chinese runs become pairs of characters. Not a tokenizer for a model, and no dictionary:
what is needed to tell whether two sentences speak of the same thing.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_KANA_OR_HANGUL: Final = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_WORD: Final = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+(?:['’][^\W_\u3400-\u9fff]+)?")
_SENTENCE_END: Final = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？]+[”」』）]*|\n")
_ABBREVIATION: Final = re.compile(r"\b(?:mr|mrs|ms|dr|prof|st|mt|vs|jr|sr|e\.g|i\.e|(?!i\b)[a-z])\.$", re.IGNORECASE)


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(text.split())


STOP: Final = word_set(
    "a an the and or but if so as of at by for from in into on onto to with about than then too very just also i me"
    " my mine myself we us our ours you your yours he him his she her hers it its they them their theirs this that"
    " these those there here who whom whose what which when where why how am is are was were be been being do does"
    " did doing done have has had having can could will would shall should may might must not no nor don doesn didn"
    " isn aren wasn weren won wouldn couldn shouldn haven hasn hadn s t d m re ve ll im ive id dont didnt doesnt isnt"
    " cant wont whats wheres whos hows please tell know remember any some ever ok oh yes hey hi"
)
"""Words that carry no subject matter."""

COMMON: Final = word_set(
    "get go say said make take come see look want like thing kind lot way day time year week month good great really"
    " much many more most people name call new one two first last back now today feel think give put use try let ago"
    " old still even well up out off over down all other another something anything some talk problem any kind type"
    " favorite"
)
"""Words that carry little of it: they count for half."""

_HAN_STOP: Final = re.compile(
    r"什么时候|为什么|怎么样|是不是|有没有|能不能|会不会|喜不喜欢|哪一天|哪一年|告诉我|你知道|你记得|记不记得|还记得"
    r"|知不知道|知道|记得|请问|什么|哪里|哪儿|哪个|哪些|哪天|哪年|哪|谁|怎么|如何|多少|几岁|几个|几|何时|时候|关于"
    r"|一下|现在|以前|我们|你们|他们|她们|自己|[我你您他她它的了吗呢吧啊呀么是在有和与跟就都也很还又把被给这那个能]"
)

_HAN_WORD: Final = re.compile(
    r"(爱人|爸妈|父母|婆婆|公公|男朋友|女朋友|未婚[夫妻]|双胞胎|妈妈|爸爸|母亲|父亲|哥哥|弟弟|姐姐|妹妹|儿子|女儿|孩子|妻子|老婆|太太|媳妇|丈夫|老公|先生|爷爷|奶奶"
    r"|外[公婆]|室友|同事|邻居|老板|朋友|表[哥姐弟妹]|堂[哥姐弟妹]|职业|工作|上班|名字|生日|年龄|婚礼|结婚|过敏|喜欢|讨厌|叫)"
)
"""Words that are kept whole: what most questions are about."""

_IRREGULAR: Final = {
    form: base
    for base, forms in {
        "go": "went gone going goes",
        "buy": "bought",
        "get": "got gotten",
        "see": "saw seen",
        "take": "took taken",
        "make": "made making",
        "give": "gave given",
        "come": "came coming",
        "find": "found",
        "tell": "told",
        "say": "said",
        "think": "thought",
        "teach": "taught",
        "meet": "met meeting",
        "run": "ran running",
        "write": "wrote written writing",
        "read": "reading",
        "eat": "ate eaten",
        "drink": "drank drunk",
        "win": "won winning",
        "lose": "lost",
        "sell": "sold",
        "leave": "left",
        "begin": "began begun",
        "break": "broke broken",
        "choose": "chose chosen",
        "drive": "drove driven driving",
        "fall": "fell fallen",
        "feel": "felt",
        "fly": "flew flown",
        "grow": "grew grown",
        "keep": "kept",
        "ride": "rode ridden riding",
        "sing": "sang sung",
        "speak": "spoke spoken",
        "spend": "spent",
        "swim": "swam swum",
        "build": "built",
        "catch": "caught",
        "wear": "wore worn",
        "child": "children kid kids",
        "man": "men",
        "woman": "women",
        "person": "people",
        "wife": "wives",
        "mother": "mom mum mommy",
        "father": "dad daddy",
        "girlfriend": "gf",
        "boyfriend": "bf",
        "brother": "bro",
        "sister": "sis",
        "husband": "hubby",
        "birthday": "bday birthdate",
        "color": "colour colours",
        "favorite": "favourite favourites favorites fave",
        "photo": "photograph photographs picture pictures pic",
        "bike": "bicycle bicycles",
        "phone": "telephone",
        "film": "movie movies",
        "marry": "married marriage",
        "die": "died dies dead death dying",
        "age": "aged",
    }.items()
    for form in forms.split()
}

_SAME: Final = (
    "job work career employ profession occupation employer",
    "live home move reside address based",
    "origin hometown",
    "like love enjoy adore",
    "hate dislike",
    "sick ill illness disease health condition diagnose",
    "vacation holiday trip travel",
    "buy purchase",
    "begin start",
    "doctor physician",
    "name call",
    "wedding marry",
    "car drive vehicle",
    "birthday born",
    "wife husband spouse partner marry",
    "girlfriend boyfriend partner date",
    "destress relax calm",
    "study school university college degree course class learn",
    "dream goal plan",
    "show concert gig",
    "老婆 妻子 太太 媳妇",
    "婚礼 结婚",
    "老公 丈夫 先生",
    "妈妈 母亲",
    "爸爸 父亲",
    "上班 工作",
    "职业 工作",
    "shop store",
)
_KINDS: Final = (
    "pet cat dog puppy kitten rabbit hamster parrot turtle bird",
    "child son daughter baby twin",
    "parent mother father",
    "sibling sister brother",
    "family mother father sister brother husband wife partner parent child son daughter twin baby",
    "hobby like love enjoy play interest paint read hike garden",
    "food eat cook dish meal",
    "eat allergic vegetarian vegan diet",
    "diet vegetarian vegan allergic eat",
    "language speak",
    "instrument play guitar piano violin drum flute clarinet",
    "sport play run swim football basketball tennis soccer yoga",
    "relationship single marry divorce date",
    "home house apartment flat city town",
    "health allergic asthma diabetic",
    "语言 英语 日语 法语 德语 韩语 汉语 中文",
    "运动 篮球 足球 网球 乒乓 羽毛 跑步 游泳 爬山",
    "爱人 老公 老婆 丈夫 妻子 太太 先生",
    "父母 爸妈 爸爸 妈妈",
    "宠物 猫 狗 兔 鸟",
    "孩子 儿子 女儿",
    "家人 妈妈 爸爸 老婆 老公 妻子 丈夫 儿子 女儿 哥哥 弟弟 姐姐 妹妹",
    "疾病 糖尿 哮喘 血压",
    "prefer favorite like",
    "cost price pay paid euro dollar pound money spend",
    "color red blue green yellow black white orange purple pink brown grey gray",
    "drink coffee tea wine beer juice",
)


def is_chinese(text: str) -> bool:
    """Whether a reply to this text should be in Chinese: it holds Han characters and is not Japanese or Korean."""
    return _HAN.search(text) is not None and _KANA_OR_HANGUL.search(text) is None


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text in order, white space at their ends removed, empty ones left out."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if match.group() == "." and _ABBREVIATION.search(text, start, match.end()):
            continue
        if piece := text[start : match.end()].strip():
            yield piece
        start = match.end()
    if piece := text[start:].strip():
        yield piece


_SHORTEST: Final = 3
"""Letters of a word, and of a stem, from which nothing is stripped."""


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A lower-case English word without its common endings; forms that no rule reaches come from a table."""
    word = word.replace("’", "'")
    word = word.removesuffix("'s").replace("'", "")
    if (base := _IRREGULAR.get(word)) is not None:
        return _strip(base)
    return _strip(word)


def _strip(word: str) -> str:
    if len(word) <= _SHORTEST or not (word.isascii() and word.isalpha()):
        return word
    for ending, least, instead in (("ies", 2, "y"), ("sses", 2, "ss"), ("ing", 3, ""), ("ied", 2, "y"), ("ed", 3, "")):
        if word.endswith(ending) and len(word) - len(ending) >= least:
            word = word[: -len(ending)] + instead
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    if len(word) > _SHORTEST + 1 and word.endswith("ly"):
        word = word[:-2]
    if len(word) > _SHORTEST and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    if len(word) > _SHORTEST and word.endswith("e"):
        word = word[:-1]
    return word[:-1] + "i" if len(word) > _SHORTEST and word.endswith("y") else word


STOP_STEMS: Final = STOP | {stem(word) for word in STOP}
COMMON_STEMS: Final = frozenset(stem(word) for word in COMMON)


def _related() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for group in _SAME:
        stems = {stem(word) for word in group.split()}
        for word in stems:
            table.setdefault(word, set()).update(stems - {word})
    for group in _KINDS:
        general, *special = (stem(word) for word in group.split())
        table.setdefault(general, set()).update(special)
        for word in special:
            table.setdefault(word, set()).add(general)
    return {word: frozenset(others) for word, others in table.items()}


RELATED: Final = _related()
"""For a stem, the stems that may stand for it in an answer."""
_WHOLE: Final = {stem(word): word for group in reversed((*_SAME, *_KINDS)) for word in reversed(group.split())}


def terms(text: str) -> list[str]:
    """What a text speaks of: stems of its content words and pairs of Han characters, in order, with repetitions."""
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group()
        if _HAN.match(word):
            for piece in _HAN_STOP.split(word):
                found.extend(_pairs(piece))
        elif (lowered := word.lower()) not in STOP:
            stemmed = stem(lowered)
            if stemmed and stemmed not in STOP_STEMS:
                found.append(stemmed)
    return found


def _pairs(run: str) -> Iterator[str]:
    """A run without function words as known words and, between them, pairs of characters."""
    for piece in _HAN_WORD.split(run):
        if len(piece) <= 1 or _HAN_WORD.fullmatch(piece):
            yield from (piece,) if piece else ()
        else:
            yield from (piece[i : i + 2] for i in range(len(piece) - 1))


def in_words(text: str) -> dict[str, str]:
    """For each term of a text the word as it stands there, in lower case."""
    return {
        term: word.lower()
        for match in _WORD.finditer(text)
        for word in (match.group(),)
        for term in terms(word)
        if not is_han(term)
    }


def related_words(term: str) -> list[str]:
    """Whole words that may stand for a term in an answer."""
    return [_WHOLE[other] for other in sorted(RELATED.get(term, ()))]


def is_han(term: str) -> bool:
    """Whether a term is Chinese, and so to be looked for inside a text and not among its words."""
    return _HAN.match(term) is not None


_JOINED_ON: Final = re.compile(r"[\u0300-\u036f\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff]")
_FARTHEST_BACK: Final = 16
"""Characters by which a cut may move back to stand before a picture that is made of several."""


def cut_before(text: str, at: int) -> int:
    """The place at or before `at` where a text may be cut without parting a letter from its accent or a picture."""
    for place in range(at, max(0, at - _FARTHEST_BACK), -1):
        if not _JOINED_ON.match(text, place) and text[place - 1 : place] != "\u200d":
            return place
    return at


def first_words(text: str, most: int) -> str:
    """The beginning of a text, at most about `most` characters, cut at a word with an ellipsis."""
    if len(text) <= most:
        return text
    cut = text[: cut_before(text, most)]
    space = cut.rfind(" ")
    return (cut[:space] if space > most // 2 else cut).rstrip(" ,;:，；：") + "…"
