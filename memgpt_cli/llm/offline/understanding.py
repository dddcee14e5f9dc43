"""What a message is: which sentences tell something about the person, which ask, which are small talk.

Decides by the form of a sentence only; whether memory can answer a question shows in the search.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from memgpt_cli.llm.offline import chinese, dates, english
from memgpt_cli.llm.offline.facts import Fact
from memgpt_cli.llm.offline.prompt import Utterance
from memgpt_cli.llm.offline.words import is_chinese, sentences, terms

READ_CHARACTERS: Final = 4_000
"""How much of the beginning of a message is read closely; of a longer one also the last part of the next size."""
READ_AT_END: Final = 600
SHORT_ENOUGH_FOR_CORE: Final = 120
"""Characters of a "remember that" which may stand in core memory; longer ones go to archival storage."""


class Talk(StrEnum):
    """Sentences that are neither fact nor question to memory."""

    GREETING = "greeting"
    HOW_ARE_YOU = "how are you"
    THANKS = "thanks"
    FAREWELL = "farewell"
    WHO = "who are you"
    HELP = "help"
    CONNECT = "connect"
    ABOUT_ME = "about me"
    ECHO = "what did I just say"
    CLOCK = "what time is it"
    CALCULATE = "calculate"
    CREATE = "create"
    OPINION = "your opinion"
    AGREE = "agree"
    REMIND = "remind"


_TO_THE_ASSISTANT: Final = frozenset((Talk.HELP, Talk.CONNECT, Talk.ABOUT_ME, Talk.ECHO, Talk.CLOCK, Talk.CALCULATE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """One message, understood. `told` says that it also holds statements which stay in recall storage."""

    utterance: Utterance
    chinese: bool = False
    facts: tuple[Fact, ...] = ()
    keep: tuple[str, ...] = ()
    forget: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    talk: tuple[Talk, ...] = ()
    told: bool = False


@dataclass(slots=True)
class _Gathered:
    facts: list[Fact] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    forget: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    talk: list[Talk] = field(default_factory=list)
    told: bool = False
    said_on: date | None = None


def understand(utterance: Utterance, *, among_people: bool = False) -> Understanding:
    """Read a message. Bounded in work for texts of any length.

    People who speak among each other greet, thank and ask each other; of that only a message that is nothing but a question
    is taken for one to the assistant.
    """
    text = utterance.text
    read = text if len(text) <= READ_CHARACTERS + READ_AT_END else f"{text[:READ_CHARACTERS]}\n{text[-READ_AT_END:]}"
    gathered = _Gathered(said_on=utterance.said_at.date() if utterance.said_at is not None else None)
    parts = list(_parts(read))
    for sentence in parts:
        _sort(sentence, gathered, aside=among_people and len(parts) > 1)
    if among_people:
        gathered.talk = [kind for kind in gathered.talk if kind in _TO_THE_ASSISTANT and len(parts) == 1]
        gathered.told = True
    return Understanding(
        utterance=utterance,
        chinese=is_chinese(read[:READ_CHARACTERS]),
        facts=tuple(dict.fromkeys(gathered.facts)),
        keep=tuple(gathered.keep),
        forget=tuple(gathered.forget),
        questions=tuple(dict.fromkeys(gathered.questions)),
        talk=tuple(dict.fromkeys(gathered.talk)),
        told=gathered.told,
    )


def _parts(text: str) -> Iterator[str]:
    """Sentences, without those that hold no letter or digit; "Remember: ..." stays with what follows it."""
    for sentence in sentences(text):
        if re.search(r"\w", sentence):
            yield sentence


def _sort(sentence: str, gathered: _Gathered, *, aside: bool) -> None:
    in_chinese = is_chinese(sentence)
    language = _CHINESE if in_chinese else _ENGLISH
    if command := language.keep.match(sentence):
        content = sentence[command.end() :].strip(" ,:，：")
        if content and not language.question.search(content):
            _keep(content, gathered, in_chinese=in_chinese)
            return
    if (command := language.forget.match(sentence)) and not sentence.rstrip().endswith(("?", "？")):
        gathered.forget.append(sentence[command.end() :].strip(" ,.:!，。：！"))
        return
    plain = _plain(sentence, in_chinese=in_chinese)
    talk = [kind for pattern, kind in language.talk if pattern.search(plain)]
    if talk:
        gathered.talk.append(talk[0])
        if talk[0] not in (Talk.GREETING, Talk.THANKS, Talk.AGREE, Talk.FAREWELL, Talk.HOW_ARE_YOU):
            return
    if _asks(sentence, plain, in_chinese=in_chinese):
        if talk:
            return
        if _of_the_listener(plain, in_chinese=in_chinese):
            gathered.talk.append(Talk.OPINION)
        elif not aside:
            gathered.questions.append(sentence)
        return
    found = list(chinese.facts(sentence) if in_chinese else english.facts(sentence))
    gathered.facts.extend(found)
    if not found and (not talk or len(terms(sentence)) > 3):
        gathered.told = True


def _keep(content: str, gathered: _Gathered, *, in_chinese: bool) -> None:
    found = list(chinese.facts(content) if in_chinese else english.facts(content))
    if found:
        gathered.facts.extend(found)
        return
    owned = (_OWNED_ZH if in_chinese else _OWNED_EN).fullmatch(content.rstrip(" .!。！"))
    if owned is not None:
        label = owned["what"][0].upper() + owned["what"][1:]
        line = f"{label}：{owned['value']}" if in_chinese else f"{label}: {owned['value']}"
        gathered.facts.append(Fact(_dated(line, gathered.said_on, in_chinese=in_chinese)))
        return
    personal = re.search(r"我" if in_chinese else r"\b(?:i|i['’]m|i['’]ve|my|me|mine|we|our)\b", content, re.IGNORECASE)
    if personal and len(content) <= SHORT_ENOUGH_FOR_CORE:
        gathered.facts.append(Fact(_dated(content.rstrip(" .!。！"), gathered.said_on, in_chinese=in_chinese)))
    else:
        gathered.keep.append(content)


def _dated(note: str, said_on: date | None, *, in_chinese: bool) -> str:
    """A note whose time words will still mean something next year."""
    if said_on is None:
        return note
    if whens := dates.resolve(note, said_on):
        return f"{note} ({', '.join(dates.in_words(when, chinese=in_chinese) for when in whens)})"
    if _LOOSE_DAY.search(note):
        day = dates.day_in_words(said_on, chinese=in_chinese)
        return f"{note}（记于{day}）" if in_chinese else f"{note} (noted on {day})"
    return note


_LOOSE_DAY: Final = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|周[一二三四五六日天]|星期", re.IGNORECASE
)
_OWNED_EN: Final = re.compile(
    r"my (?P<what>[\w' -]{2,40}?) (?:is|are) (?P<value>(?!(?:not|\w+ing)\b).{1,80})", re.IGNORECASE
)
_OWNED_ZH: Final = re.compile(r"我的(?P<what>[^是的]{1,12})是(?P<value>.{1,30})")


def _plain(sentence: str, *, in_chinese: bool) -> str:
    """Lower case, one space between words, closing punctuation and forms of address removed."""
    text = re.sub(r"\s+", " ", sentence.lower().replace("’", "'")).strip()
    text = re.sub(r"[\s.!?。！？~～…,，\u2600-\u27bf\U0001f000-\U0001faff]+$", "", text)
    if in_chinese:
        return text
    return re.sub(r"^(?:(?:so|well|ok|okay|and|but|oh|um|hmm|please|wait)[, ]+)+", "", text)


_TAG: Final = re.compile(r"(?:, ?(?:right|ok|okay|huh|eh|you know|yeah|isn't it|don't you think))\?+$", re.IGNORECASE)
_AUXILIARY: Final = r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|have|has|had|isn't|aren't|wasn't|don't|doesn't|didn't)"
_ASKS: Final = re.compile(
    rf"(?:what|who|whom|where|how|why)(?:'s|'re|'d|'ll| {_AUXILIARY})\b(?! (?:a|an) (?:\w+ ){{0,2}}\w+$)"
    rf"|(?:what|which|whose|how) (?:\w+ ){{1,3}}{_AUXILIARY} "
    rf"|when (?:{_AUXILIARY}|'s) (?!(?:i|we|he|she|they|you) \w+(?:ed|ing)?,)"
    r"|how (?:many|much|old|long|often|far|big|tall) "
    rf"|(?:when|where|who|why|how|and (?:when|where|who|why))$"
    rf"|{_AUXILIARY} (?:i|you|he|she|it|we|they|my|your|his|her|our|their|the|there|this|that|anyone|anybody|someone) "
    r"|(?:can you |could you |please )*(?:tell me|remind me|show me) (?:again )?(?:about|of|what|who|where|when|why|how|which|whose|everything|all|if|whether|my|the)\b"
    r"|do you (?:know|remember|recall)\b|(?:any|got any) (?:idea|clue)\b"
    r"|(?:please )?(?:search|look up|look for|find|recall|list)(?: for)? (?:me )?(?!out\b)\w"
    r"|what about |how about (?:my|his|her|the) "
)
_DID_ASK: Final = re.compile(rf"{_AUXILIARY} [a-z][\w'-]+ (?:ever |also |still )?(?:[a-z]+)\b")
_CHINESE_ASKS: Final = re.compile(
    r"[吗么]$|呢$|什么|哪(?![怕有])|是谁|谁[是在叫说的]|^谁|几[岁个点号月年次]|多少|多大|多久|怎么样|怎样|为什么|何时|是不是|有没有|记不记得|知不知道|喜不喜欢"
    r"|告诉我|提醒我.*(?:什么|哪)"
)
_TO_LISTENER: Final = re.compile(r"\b(?:you|your|you're|you've|yours|u)\b")
_FIRST_PERSON: Final = re.compile(r"\b(?:i|i'm|i've|me|my|mine|we|our|us)\b")
_ASKS_MEMORY: Final = re.compile(
    r"\b(?:do|did|can|could|have|would|will) you (?:still |also |please )?(?:know|remember|recall|find|search|tell|look|heard|hear|store|stored|note|noted|see)\b"
)


def is_question(sentence: str) -> bool:
    """Whether a sentence asks, with or without a question mark."""
    in_chinese = is_chinese(sentence)
    return _asks(sentence, _plain(sentence, in_chinese=in_chinese), in_chinese=in_chinese)


def is_forget(sentence: str) -> bool:
    """Whether a sentence asks to forget something."""
    language = _CHINESE if is_chinese(sentence) else _ENGLISH
    return language.forget.match(sentence) is not None


def _asks(sentence: str, plain: str, *, in_chinese: bool) -> bool:
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
        and plain.split()[0] in ("does", "did", "is", "was")
    )


def _of_the_listener(plain: str, *, in_chinese: bool) -> bool:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Language:
    keep: re.Pattern[str]
    forget: re.Pattern[str]
    question: re.Pattern[str]
    talk: tuple[tuple[re.Pattern[str], Talk], ...]


def _talk(*rows: tuple[str, Talk]) -> tuple[tuple[re.Pattern[str], Talk], ...]:
    return tuple((re.compile(pattern), kind) for pattern, kind in rows)


_ENGLISH: Final = _Language(
    keep=re.compile(
        r"(?:(?:please|ok|okay|and|also|hey|now)[, ]+)*(?:(?:can|could|will|would) you (?:please )?)?"
        r"(?:remember|don['’]?t forget|do not forget|keep in mind|bear in mind|make a note|take a note|note down|write down|save|store"
        r"|memori[sz]e|note)(?:(?: this| the following)?\s*:\s*|(?: to yourself)? that\s+|\s+(?=(?:my|i|the|our|we)\b)|,\s+)",
        re.IGNORECASE,
    ),
    forget=re.compile(
        r"(?:(?:please|ok|okay|now)[, ]+)*(?:can you (?:please )?)?(?:forget|delete|remove|erase)(?: the fact)?(?: that| about|:)?\s+"
        r"(?=(?:my|i|i['’]m|that|what i|our)\b)",
        re.IGNORECASE,
    ),
    question=re.compile(r"^(?:me|when|how|what|where|who|us)\b.*$|\?\W*$", re.IGNORECASE),
    talk=_talk(
        (
            r"\b(?:who|what)(?: exactly)? are you$|\bare you (?:an? |the |really |even )*(?:ai|a\.i|bot|robot|human|person|real|llm|machine"
            r"|language model|computer|program|chat ?gpt|gpt|claude|alive|conscious|offline|intelligent|smart)\b|what(?:'s| is) your name"
            r"|(?:do you have|what(?:'s| is) ) ?a name$|introduce yourself|tell me about yourself|which (?:model|llm|ai) (?:are you|is this|do you)"
            r"|what (?:model|llm|ai|kind of (?:ai|bot|model)) (?:are you|is this|do you)|how do you work|what is (?:this|memgpt)$",
            Talk.WHO,
        ),
        (
            r"\b(?:how|where) (?:do|can|could|would) (?:i|you|one) (?:\w+ ){0,2}(?:connect|add|configure|set up|plug in|switch|change|enable"
            r"|get)\b.*\b(?:model|openai|ollama|gpt|llm|api|key|endpoint)|\bapi key\b|\bconnect (?:a |to )?(?:real )?(?:model|openai|ollama)",
            Talk.CONNECT,
        ),
        (
            r"^/?help(?: me)?$|what (?:can|do) you do|what are you able to|how (?:do|can) i use (?:you|this|it)|how does (?:this|it) work"
            r"|what can (?:i|you) (?:ask|tell|say|help)|what are your (?:commands|functions|features|abilities)|can you help me$"
            r"|^(?:what|huh|pardon|eh)$|^(?:can|do|will|could) you (?:really |actually )?(?:remember|memori[sz]e|learn|have (?:a )?memory)(?: (?:things|stuff|anything"
            r"|something|facts|everything|what i (?:say|tell you|said)))?$",
            Talk.HELP,
        ),
        (
            r"what (?:do|did|have) you (?:\w+ )?(?:know|knows|learn|learned|learnt|note|noted|store|stored|remember|remembered|got|have)"
            r"(?: so far)?(?: (?:about|of|on) (?:me|myself))?(?: so far| already| now)?$|(?:tell me|show me|list) (?:everything|all|what)"
            r" (?:that )?(?:you (?:know|remember|have|noted|stored)|about me)(?: (?:about|of|on) me)?|tell me about (?:me|myself)$"
            r"|^who am i$|^describe me|what(?:'s| is) in your memory|show (?:me )?your memory|do you (?:know|remember) (?:anything about )?me$"
            r"|summari[sz]e what you (?:know|remember)|^tell me something about (?:me|myself)",
            Talk.ABOUT_ME,
        ),
        (
            r"what did i (?:just )?(?:say|tell you|write|ask)(?: you)?(?: just now| before| last)?$"
            r"|what (?:was|is) (?:my last|the last) (?:message|thing i (?:said|told you))|what did i just (?:say|tell|ask|write)",
            Talk.ECHO,
        ),
        (
            r"what time is it|what(?:'s| is) the time|what(?:'s| is) (?:the date|today's date)|what day is (?:it|today)|what date is",
            Talk.CLOCK,
        ),
        (
            r"^(?:what(?:'s| is)|how much (?:is|are)|calculate|compute|solve)?\s*[-(]*\d[\d.,]*\)*(?:\s*(?:[-+*/x×÷^%=]|plus|minus|times|divided by"
            r"|multiplied by|to the power of)\s*[-(]*\d[\d.,]*\)*)+\s*=?$|\b(?:square root|sum|product) of \d",
            Talk.CALCULATE,
        ),
        (
            r"^(?:can you |could you |would you |will you |please |i want you to |i need you to )*(?:write|compose|translate|draw|sing|paint|code"
            r"|generate|explain|summari[sz]e|paraphrase|imagine|pretend|recommend|suggest|brainstorm|proofread|rewrite|give me an?"
            r"|tell me (?:a|another) (?:\w+ )?(?:joke|story|riddle|poem|fact)|make (?:me )?(?:a|up)|play a|book a|order me|call a|open the|turn on"
            r"|help me (?:write|with|to|plan|understand|decide|choose))\b",
            Talk.CREATE,
        ),
        (
            r"^(?:please )?remind me (?:to|at|in|on|tomorrow|tonight)\b|^set (?:an? )?(?:alarm|reminder|timer)",
            Talk.REMIND,
        ),
        (
            r"^(?:(?:hi|hello|hey)\b.{0,20})?(?:and )?(?:how (?:are|r) (?:you|u)\b|how(?:'s| is) (?:it going|everything|life|things)|how have you been"
            r"|what(?:'s| is) (?:up|new|going on)(?: with you)?$|sup$|how do you do$|how(?:'s| is) your (?:day|week)|you ok|are you ok)",
            Talk.HOW_ARE_YOU,
        ),
        (
            r"^(?:many |ok |great |cool |perfect |awesome )*(?:thanks|thank you|thx|ty|cheers|much appreciated)\b",
            Talk.THANKS,
        ),
        (
            r"^(?:ok |okay |well )*(?:bye|goodbye|good bye|good night|see you|see ya|talk (?:to you )?(?:later|soon)|take care|cya|farewell|i(?:'ve| have) got to go"
            r"|gotta go|ttyl|until next time)\b",
            Talk.FAREWELL,
        ),
        (
            r"^(?:hi|hello|hey|hiya|howdy|yo|greetings|hallo|good (?:morning|afternoon|evening|day))\b(?!.*\b(?:you said|world in)\b)",
            Talk.GREETING,
        ),
        (
            r"^(?:ok|okay|k|yes|yeah|yep|no|nope|sure|right|cool|nice|great|good|fine|wow|lol|haha+|hmm+|interesting|i see|got it|alright|exactly|perfect"
            r"|awesome|amazing|never ?mind|test|testing|correct|true|not really|maybe|of course|(?:that's|that is|it's) (?:\w+ )?(?:right|correct|great|good|nice|cool"
            r"|true|fine|wrong|not right|amazing|awesome))$",
            Talk.AGREE,
        ),
    ),
)
_CHINESE: Final = _Language(
    keep=re.compile(
        r"(?:请|麻烦|帮我|你要|你|一定要?|要)*(?:记住|记一下|记下来?|别忘了|不要忘记|记得|记着|保存|存一下)(?:一下)?(?:这个|这件事|这句话)?[:：,，\s]*"
    ),
    forget=re.compile(r"(?:请|麻烦|你)*(?:忘掉|忘记|忘了|删除|删掉)(?:关于)?[:：,，\s]*(?=我)"),
    question=re.compile(r"[?？]\W*$|^我.*(?:吗|什么|哪|谁|几岁|多少)|吗$|^(?:吗|了吗|没有)?$"),
    talk=_talk(
        (
            r"你是谁|你是什么|你叫什么|你的名字|你是(?:不是)?(?:ai|人工智能|机器人|真人|人|语言模型|模型|chatgpt|gpt|大模型)|介绍一?下?你自己|自我介绍|你是哪个模型|你用的?(?:是)?(?:什么|哪个)模型|你(?:是)?怎么工作",
            Talk.WHO,
        ),
        (
            r"(?:怎么|如何|怎样).*(?:连接|接入|配置|使用|换|切换|接).*(?:模型|openai|ollama|gpt|api|接口|密钥)|api ?key|密钥",
            Talk.CONNECT,
        ),
        (
            r"^(?:/?help|帮助|帮帮我|怎么用|怎么使用)$|你(?:会|能|可以)(?:做|干|帮我做)(?:什么|啥|些什么)|你有什么(?:功能|用)|怎么(?:使用|用)你",
            Talk.HELP,
        ),
        (
            r"你(?:都|还|到底|现在)*(?:知道|了解|记得|记住了?|记了)(?:关于)?我(?:的)?(?:些)?(?:什么|哪些|多少|啥)|你(?:都|还)*(?:知道|了解|记得|记住)(?:些|了)?(?:什么|哪些)|你(?:还)?(?:认识|记得|了解)我吗"
            r"|^我是谁$|介绍一?下?我$|关于我.{0,4}(?:什么|哪些)|说说我(?:的情况)?$|你的记忆里有什么",
            Talk.ABOUT_ME,
        ),
        (
            r"我(?:刚才|刚刚|刚)(?:说|问|讲|告诉你)(?:了|过)?(?:什么|啥)|我(?:上|前)一(?:句|条)(?:话|消息)?(?:说|是)?(?:了)?什么",
            Talk.ECHO,
        ),
        (r"现在几点|今天(?:是)?(?:几号|几月|星期几|周几|什么日子)|几点了|现在是什么时间", Talk.CLOCK),
        (
            r"^(?:计算|算一下|请问)?\s*[-(]*\d[\d.]*\)*(?:\s*(?:[-+*/x×÷^%]|加|减|乘以?|除以)\s*[-(]*\d[\d.]*\)*)+\s*(?:=|等于(?:几|多少)?|是多少)?$",
            Talk.CALCULATE,
        ),
        (
            r"^(?:请|麻烦)?(?:你)?(?:能|可以)?(?:帮我|给我|替我)?(?:写|翻译|画|唱|编|讲个?(?:笑话|故事)|说个?(?:笑话|故事)|推荐|解释|总结|生成|订|打开|播放|查一下天气)",
            Talk.CREATE,
        ),
        (r"提醒我(?!.*(?:什么|哪))|设(?:置|个)?闹钟", Talk.REMIND),
        (
            r"你(?:还)?好吗$|最近怎么样|最近好吗|过得怎么样|^(?:你好)?[，, ]?你怎么样|吃了吗|在吗$|在不在$",
            Talk.HOW_ARE_YOU,
        ),
        (r"^(?:好的?|太好了|非常)?[，, ]?(?:谢谢|多谢|感谢|谢啦|谢了|辛苦了)", Talk.THANKS),
        (r"^(?:好的?)?[，, ]?(?:再见|拜拜|晚安|下次见|明天见|回头见|先走了|我走了|88)", Talk.FAREWELL),
        (r"^(?:你好|您好|嗨|哈喽|早上好|下午好|晚上好|早安|大家好|hi|hello|hey|嘿)", Talk.GREETING),
        (
            r"^(?:好的?|是的?|对的?|嗯+|哦+|没错|不是|不对|可以|行|没事|不用了?|知道了|明白了?|哈哈+|真的吗?|太好了|不错|厉害|好吧|测试)$",
            Talk.AGREE,
        ),
    ),
)
