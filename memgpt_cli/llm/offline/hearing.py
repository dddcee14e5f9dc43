"""Classify the sentences of a message: statements to note, questions, commands, small talk.

It uses only the form of a sentence, in English and Chinese, not its meaning. Sentences that are not clearly a lasting
statement of the user stay in recall storage only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from memgpt_cli.llm.prompt_reading import Utterance
from memgpt_cli.text.asking import asks
from memgpt_cli.text.sentences import is_question, sentences
from memgpt_cli.text.words import is_chinese

READ_CHARACTERS: Final = 4_000
"""How much of a message is read: its beginning, and `READ_AT_END` characters of its end."""
READ_AT_END: Final = 600

PASTED: Final = 1_500
"""Minimum characters of a message that counts as pasted text, whose "I" may be another person."""
MOST_NOTES: Final = 8
LONGEST_NOTE: Final = 400


class Phatic(StrEnum):
    """Sentences without a statement or a question for memory."""

    GREETING = "greeting"
    HOW_ARE_YOU = "how are you"
    THANKS = "thanks"
    FAREWELL = "farewell"
    WHO = "who are you"
    HELP = "help"
    ABOUT_ME = "what do you know about me"
    ECHO = "what did I just say"
    CLOCK = "what time is it"
    CANNOT = "needs a language model"
    AGREE = "agreement"
    FORGET_ALL = "forget everything"


@dataclass(slots=True)
class ClassifiedMessage:
    """A classified message. All texts are verbatim parts of it.

    `notes` are for core memory, `keep` for archival storage. `told`: it contains statements that stay in recall
    storage.
    """

    utterance: Utterance
    chinese: bool = False
    notes: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    forget: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    talk: list[Phatic] = field(default_factory=list)
    told: bool = False


_FIRST: Final = r"(?:i|we)"
_OFTEN: Final = (
    r"(?: (?:now|also|still|really|currently|usually|always|just|recently|only|both|do|have|originally|never"
    r"|no longer|absolutely|used to|actually|finally|already|sometimes|mostly|mainly))*"
)
_PASSING: Final = (
    r"(?!(?:not |so |very |too |really |just |a bit |a little |all |feeling |quite )*(?:sure|sorry|glad|happy|sad|tired"
    r"|fine|ok|okay|good|well|great|here|there|back|home|ready|done|going|gonna|looking|trying|thinking|wondering"
    r"|feeling|afraid|about|curious|bored|busy|hungry|thirsty|excited|worried|late|off|in|on|at|kidding|joking|serious"
    r"|right|wrong|lost|confused|interested|thrilled|stuck|aware|talking|asking|saying|doing|having|writing|reading"
    r"|planning|hoping|able|supposed|like|amazed|impressed|grateful|thankful|cold|hot|sick|ill|angry|upset|sleepy"
    r"|so|very|too|pretty|exhausted|freezing|starving|nervous|leaving|coming|getting (?!married|divorced|engaged))\b)"
)
_VERBS: Final = (
    r"(?:live|work|stud(?:y|ied)|teach|play|own|speak|prefer|dislike|drive|smoke|suffer|come from|grew up"
    r"|moved (?:back )?(?:to(?! the (?-i:[a-z]))|in with|from|out)"
    r"|relocated|was born|collect|avoid|can['’]?t stand|cannot stand|can['’]?t bear|(?:can['’]?t|cannot|can not"
    r"|don['’]?t"
    r"|do not) (?:eat|drink|swim|drive|see well|hear|tolerate|smoke|work|live|like|have|own|speak)|quit|left my|retired"
    r"|graduated|adopted|started (?:at|as|working|a|my)|got (?:a (?:job|new|dog|cat)|married|engaged|divorced)"
    r"|turned \d+|go by|wear|eat|drink|volunteer|(?:love|like|hate|enjoy|adore)"
    r"(?! (?:it|that|this|these|those|your|how|what|when|the way|you|him|her|them)\b)|had (?:a (?:stroke|baby|son"
    r"|daughter)|surgery|twins)|have(?! (?:to|been|a (?:question|problem|headache|cold|meeting|feeling|look|request"
    r"|doubt|moment|minute|good|great|nice|lot|few)|an (?:idea|appointment)|no (?:idea|time|clue)|any|some|not|got to"
    r"|never|ever|just|already|\w+ed|seen|done|gone|met|heard|read|had)\b))\b"
)
_REPORTED: Final = (
    r"(?:said|says|told|tells|asked|asks|thinks?|thought|wrote|writes|believes?|claims?|claimed|mentioned|dreamt"
    r"|dreamed|wants? to know|keeps? saying)\b"
)
_OWN: Final = (
    rf"(?:my|our) (?!point|question|guess|mistake|bad\b|apolog|idea|goodness|god\b|head|back\b|day\b|pleasure|turn\b"
    rf"|answer|message|last message|next question)(?![^,;:]*\b{_REPORTED})[^\s,.!?;:]+[^.!?:]* \S"
)
_LASTING: Final = re.compile(
    rf"(?:{_FIRST}(?:['’]?(?:m|re)| am| are){_OFTEN} {_PASSING}\S|{_FIRST}(?:['’]ve| have got)? got \S"
    rf"|{_FIRST}(?:['’]?ve)?{_OFTEN} {_VERBS}|{_OWN}|(?:please )?call me \S"
    rf"|(?:both )?(?:me and )?my \w+ and (?:i|me) {_VERBS}"
    rf"|[^,.!?;:]{{1,40}}? (?:is|isn['’]t|is not|['’]s not|are) (?:not )?my \w+"
    rf"|{_FIRST} was wrong about my )",
    re.IGNORECASE,
)
_LATER_CLAUSE: Final = re.compile(
    rf"{_FIRST}\b(?![^,;:]*\b{_REPORTED})[^,;:]{{1,60}}[,;] (?:(?:and|so|but|now) )?(?={_FIRST}\b)", re.IGNORECASE
)
"""The first clause of the speaker with its comma: `I moved again, ` of `I moved again, I live in Lisbon now`."""
_LASTING_CHINESE: Final = re.compile(
    r"(?:我|我们|咱们|俺)(?!.{0,8}(?:说[我：:“,，]|告诉|觉得|认为|问[我你：:]|写道|梦))"
    r"(?:现在|今年|已经|也|还|其实|一直|最|以前|从小|都|就|目前|刚刚|刚|只|不再|真的|很|非常|特别|每天|平时)*"
    r"(?:叫|姓|是(?!说|想|不是|认真|真的|猪)|住|搬|来自|在.{1,20}(?:工作|上班|当|做|读|念|上学|教)"
    r"|有(?!点|时|人|空|事|些|没有|一个问题|个问题)|喜欢(?!你|这|那|他|她)|爱(?!你|他|她)|讨厌|不喜欢|不吃|不喝"
    r"|不能|不爱|对.{1,20}过敏|会(?:说|弹|做|游|开)|养"
    r"|属|[\d一二三四五六七八九十两]{1,3}岁|的(?!意思|天|问题)|家|爸|妈|父|母|哥|弟|姐|妹|老婆|老公|妻|丈夫|先生"
    r"|太太|爱人|儿子|女儿|孩子|朋友|男朋友"
    r"|女朋友|同事|老板|猫|狗|奶奶|爷爷|外婆|外公|叔|阿姨|舅|姑|出生|生于|毕业|结婚|结了婚|离婚|订婚|辞职|退休|怀孕"
    r"|戒|换了|改名)"
    r"|(?:请)?叫我\S",
)
_UNREAL: Final = re.compile(
    r"\b(?:if|unless|would|could|might|maybe|perhaps|wish|pretend|imagine|suppose|hypothetically|dream(?:ed|t)"
    r"|for example|e\.g|kidding|joking)\b|如果|假如|要是|假设|的话|梦见|梦到|做了.{0,3}梦|想象|假装|万一|比如|例如"
    r"|开玩笑",
    re.IGNORECASE,
)
_LEAD: Final = re.compile(
    r"(?:(?:actually|well|so|oh|and|but|also|by the way|btw|no|sorry|correction|wait|ok|okay|yes|yeah|fyi|hm+|anyway"
    r"|you know|today|now)\b[\s,.:;!—–-]+|(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening))(?: there| again"
    r"| everyone| all)?[\s,.:;!—–-]+|(?:对了|其实|更正|不对|不是|不|你好|您好|嗨|大家好|哦|嗯|另外|还有|顺便说一下"
    r"|但是?|而且)[，,：:。！!\s]+)+",
    re.IGNORECASE,
)
_CORRECTS: Final = re.compile(
    r"\s*(?:(?:no|sorry|correction|actually|wait|oops|i meant|i mean)\b[\s,.:;!—–-]+)+"
    r"|\s*(?:(?:不对|不是|更正|错了|说错了)[，,：:。！!\s]+)+",
    re.IGNORECASE,
)
_KEEP: Final = re.compile(
    r"(?:(?:please|ok|okay|and|also|hey|now)[, ]+)*(?:(?:can|could|will|would) you (?:please )?)?(?:remember"
    r"|don['’]?t forget|do not forget|keep in mind|bear in mind|(?:make|take) a note|note down|write down|save|store"
    r"|memori[sz]e|note)(?:(?: this| the following)?\s*:\s*|(?: to yourself)? that\s+|,\s+|\s+(?=(?:my|i|the|our"
    r"|we)\b))"
    r"|(?:请|麻烦|帮我|你要|你|一定要?|要)*(?:记住|记一下|记下来?|别忘了|不要忘记|记着|保存|存一下)(?:一下)?(?:这个"
    r"|这件事|这句话)?[:：,，\s]*",
    re.IGNORECASE,
)
_NOT_KEPT: Final = re.compile(r"(?:me|when|how|what|where|who|us|to)\b", re.IGNORECASE)
_FORGET: Final = re.compile(
    r"(?:(?:please|ok|okay|now)[, ]+)*(?:can you (?:please )?)?(?:forget|delete|remove|erase)(?: the fact)?"
    r"(?: that| about|:)?\s+(?=(?:my|i|i['’]m|what i|our)\b)|(?:请|麻烦|你)*(?:忘掉|忘记|忘了|删除"
    r"|删掉)(?:关于)?[:：,，\s]*(?=我)",
    re.IGNORECASE,
)
_PERSONAL: Final = re.compile(r"\b(?:i|i['’]m|i['’]ve|my|me|mine|we|our)\b|我", re.IGNORECASE)
_TO_LISTENER: Final = re.compile(r"\b(?:you|your|you're|yours|u)\b|[你您]", re.IGNORECASE)
_ABOUT_MEMORY: Final = re.compile(
    r"\b(?:i|i'm|i've|me|my|mine|we|our|us)\b|\byou (?:\w+ )?(?:know|remember|recall|find|search|tell|heard|hear|store"
    r"|stored|note|noted|see|say|said|told|suggest|suggested|recommend|recommended|mention|mentioned|advise|advised)\b"
    r"|我|[你您](?:还)?(?:知道|记得|记不记得|知不知道|能找|能查|能告诉|听说|说|建议|推荐|回答|刚才|上次|之前)",
    re.IGNORECASE,
)
_TALK: Final = {
    Phatic.FORGET_ALL: (
        r"^(?:(?:please|ok|now|can you|could you)[, ]+)*(?:forget|delete|erase|wipe|clear|purge)(?: \w+)??"
        r" (?:me|all|everything|(?:all |all of )?(?:my|your|the) (?:\w+ )?(?:data|memor(?:y|ies)|information"
        r"|history|notes"
        r"|messages|conversations?)|what(?:ever)? you (?:know|have|stored|remember))\b(?! (?:i|that) (?!you))"
        r"|(?:忘掉|忘记|忘了|删除|删掉|清除|清空).{0,8}(?:一切|所有|全部|记忆|数据)|(?:一切|所有|全部|记忆"
        r"|数据).{0,12}(?:忘掉|忘记|删除|删掉|清空)"
    ),
    Phatic.WHO: (
        r"\b(?:who|what)(?: exactly)? are you$|\bare you (?:an? |the |really )*(?:ai|bot|robot|human|person|real|llm"
        r"|machine|language model|computer|program|chat ?gpt|gpt|claude|alive|conscious|offline)\b|what(?:'s"
        r"| is) your name"
        r"|introduce yourself|tell me about yourself|(?:which|what) (?:\w+ )?(?:model|llm|ai) (?:are you|is this"
        r"|do you)"
        r"|how do you work|what is (?:this|memgpt)$|\b(?:how|where) (?:do|can|could) (?:i|you|we) .*\b(?:model"
        r"|openai|ollama"
        r"|llm|api|key)\b|\bapi key\b|你是谁|你是什么|你叫什么|你的名字|你是(?:不是)?(?:ai|人工智能|机器人|真人|人"
        r"|语言模型|模型|gpt|大模型)|介绍一?下?你自己|自我介绍"
        r"|你用的?(?:是)?(?:什么|哪个)模型|(?:怎么|如何).*(?:连接|配置|换).*(?:模型|api)|密钥"
    ),
    Phatic.HELP: (
        r"^/?help(?: me)?$|what (?:can|do) you do\b|how (?:do|can) i use (?:you|this|it)|how does (?:this|it) work"
        r"|what can i (?:ask|tell|say)|^(?:can|do) you (?:really )?(?:remember|memori[sz]e"
        r"|have (?:a )?memory)(?: things"
        r"| anything| something)?$|^(?:帮助|怎么用)$|你(?:会|能|可以)(?:做|干|帮我做)(?:什么|啥|些什么)|怎么(?:使用"
        r"|用)你"
    ),
    Phatic.ABOUT_ME: (
        r"what (?:else )?(?:do|did|have) you (?:\w+ )?(?:know|learn|learned|noted?|stored?|remember|got)(?: so far)?"
        r"(?: (?:about|of|on) (?:me|myself))?(?: so far| already| now)?$|(?:tell me|show me|list|summari[sz]e)"
        r" (?:everything|all|what) (?:that )?(?:you (?:know|remember|have|noted|stored)|about me)(?: (?:about|of) me)?$"
        r"|tell me (?:something )?about (?:me|myself)$|^describe me|^summari[sz]e me|what(?:'s| is) in your memory"
        r"|show (?:me )?your memory|do you (?:know|remember) (?:anything about )?me$"
        r"|你.{0,4}(?:知道|了解|记得|记住了?)(?:关于)?我(?:的)?(?:些)?(?:什么|哪些|多少|啥)|你.{0,4}(?:知道|记得"
        r"|记住)(?:些|了)?(?:什么|哪些)$"
        r"|你(?:还)?(?:认识|记得|了解)我吗|介绍一?下?我$|总结一?下?(?:你知道的)?(?:关于)?我$|关于我.{0,4}(?:什么"
        r"|哪些)|你的记忆里有什么"
    ),
    Phatic.ECHO: (
        r"what did i (?:just )?(?:say|tell you|write|ask)(?: you)?(?: just now| before| last)?$"
        r"|what was my last message"
        r"|我(?:刚才|刚刚|刚)(?:说|问|讲)(?:了|过)?(?:什么|啥)"
    ),
    Phatic.CLOCK: (
        r"what time is it|what(?:'s| is) the time|what(?:'s| is) (?:the date|today's date)|what day is (?:it|today)"
        r"|现在几点|今天(?:是)?(?:几号|几月|星期几|周几)|几点了"
    ),
    Phatic.CANNOT: (
        r"^(?:what(?:'s| is)|how much is|calculate|compute|solve)?\s*[-(]*\d[\d.,]*\)*(?:\s*(?:[-+*/x×÷^%=]|plus|minus"
        r"|times|divided by)\s*[-(]*\d[\d.,]*\)*)+\s*=?$|^(?:can you |could you |would you |will you |please "
        r"|i want you to )*"
        r"(?:write(?! down)|compose|translate|draw|sing|paint|code|generate|explain|paraphrase|imagine|pretend"
        r"|recommend"
        r"|brainstorm|proofread|give me an?|tell me (?:a|another) |make (?:me )?(?:a|up)|play a|book a|order me"
        r"|call a|open the"
        r"|turn on|help me (?:write|with|to|plan|understand|decide|choose)|(?:please )?remind me to"
        r"|set an? (?:alarm|timer"
        r"|reminder))\b|^(?:请|麻烦)?(?:你)?(?:能|可以)?(?:帮我|给我|替我)?(?:写|翻译|画|唱|编|讲个?(?:笑话|故事)"
        r"|推荐|解释|生成|订|打开|播放)"
        r"|^\d[\d.]*\s*(?:[-+*/×÷]|加|减|乘|除以)"
    ),
    Phatic.HOW_ARE_YOU: (
        r"^(?:and )?(?:how (?:are|r) (?:you|u)\b|how(?:'s| is) (?:it going|everything|life)|how have you been"
        r"|what(?:'s| is) (?:up|new)(?: with you)?$|are you ok)|你(?:还)?好吗$|最近怎么样|^你怎么样|在吗$"
    ),
    Phatic.THANKS: (
        r"^(?:many |ok |great |cool |perfect )*(?:thanks|thank you|thx|ty|cheers)\b|^(?:好的?)?[，, ]?(?:谢谢|多谢"
        r"|感谢|辛苦了)"
    ),
    Phatic.FAREWELL: (
        r"^(?:ok |okay |well )*(?:bye|goodbye|good night|see you|talk (?:to you )?(?:later|soon)|take care|farewell)\b"
        r"|^(?:好的?)?[，, ]?(?:再见|拜拜|晚安|下次见|明天见|回头见)"
    ),
    Phatic.GREETING: (
        r"^(?:hi|hello|hey|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day))\b"
        r"|^(?:nice|pleased|good|great) to (?:meet|see) you|^(?:你好|您好|嗨|哈喽|早上好|下午好|晚上好|早安|大家好)"
    ),
    Phatic.AGREE: (
        r"^(?:ok|okay|k|yes|yeah|yep|no|nope|sure|right|cool|nice|great|good|fine|wow|lol|haha+|hmm+|interesting"
        r"|i see|got it|alright|exactly|perfect|never ?mind|correct|true|maybe|of course|that's (?:\w+ )?(?:right"
        r"|great|good|nice))$|^(?:好的?|是的?|对的?|嗯+|哦+|没错|可以|行|没事|知道了|明白了?|哈哈+|好吧)$"
    ),
}
_TALK_PATTERNS: Final = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _TALK.items())
_MAY_BEGIN: Final = frozenset((Phatic.GREETING, Phatic.THANKS, Phatic.HOW_ARE_YOU))
_TO_THE_ASSISTANT: Final = frozenset((Phatic.HELP, Phatic.WHO, Phatic.ABOUT_ME, Phatic.CLOCK))
_CLOSING: Final = " .!?。！？~～…,，)）\"'”’"


def hear(utterance: Utterance, *, among_people: bool = False, known: str = "") -> ClassifiedMessage:
    """Classify a message. Its work is bounded for texts of any length. `known` is the text of core memory.

    People in a conversation greet, thank and ask each other: only a message that consists of a question counts as one
    to the assistant.
    """
    text = utterance.text
    read = text if len(text) <= READ_CHARACTERS + READ_AT_END else f"{text[:READ_CHARACTERS]}\n{text[-READ_AT_END:]}"
    heard = ClassifiedMessage(utterance, chinese=is_chinese(read))
    parts = [part for part in sentences(read) if re.search(r"\w", part)]
    for sentence, quoted in _with_quotations(parts):
        if quoted:
            heard.told = True
        else:
            _sort(sentence, heard, aside=among_people and len(parts) > 1, known=known)
    if len(text) > PASTED:
        heard.notes.clear()
    heard.notes = list(dict.fromkeys(heard.notes))[:MOST_NOTES]
    heard.questions = list(dict.fromkeys(heard.questions))
    heard.talk = list(dict.fromkeys(heard.talk))
    if among_people:
        heard.talk = [kind for kind in heard.talk if kind in _TO_THE_ASSISTANT and len(parts) == 1]
        heard.told = True
    return heard


def corrects(text: str) -> bool:
    """Whether a message begins as a correction of an earlier one: "No, it's 15 March"."""
    return _CORRECTS.match(text) is not None


def is_lasting(sentence: str, known: str = "") -> bool:
    """Whether a sentence states something lasting about the user, or about a person in `known`."""
    if _UNREAL.search(sentence) or asks(sentence):
        return False
    if _LASTING.match(sentence) or _LASTING_CHINESE.match(sentence):
        return True
    if (clause := _LATER_CLAUSE.match(sentence)) and _LASTING.match(sentence, clause.end()):
        return True
    name = re.match(
        r"([A-Z][^\W\d_]+)(?:['’]s \w+)? (?:is|lives|works|has|was|moved|turned|likes|loves|hates)\b", sentence
    )
    return name is not None and re.search(rf"\b{name[1]}\b", known) is not None


def _with_quotations(parts: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield each sentence, and whether it is in a quotation that an earlier one opened."""
    quoting = False
    for sentence in parts:
        yield sentence, quoting or sentence.lstrip().startswith(('"', "“", "「", "『", ">"))
        if sentence.count('"') % 2:
            quoting = not quoting
        opened, closed = (sum(sentence.count(mark) for mark in marks) for marks in ("“「『", "”」』"))
        quoting = quoting if opened == closed else opened > closed


def _sort(sentence: str, heard: ClassifiedMessage, *, aside: bool, known: str) -> None:
    plain = " ".join(sentence.lower().replace("’", "'").split()).rstrip(_CLOSING)
    kind = next((kind for kind, pattern in _TALK_PATTERNS if pattern.search(plain)), None)
    if kind is not Phatic.FORGET_ALL and _commanded(sentence, heard):
        return
    if kind is not None:
        heard.talk.append(kind)
    rest = sentence[found.end() :] if (found := _LEAD.match(sentence)) else sentence
    if not re.search(r"\w", rest) or (kind is not None and kind not in _MAY_BEGIN):
        return
    if asks(rest):
        if kind is not None and rest == sentence:
            return
        if _TO_LISTENER.search(rest) and not _ABOUT_MEMORY.search(rest):
            heard.talk.append(Phatic.CANNOT)
        elif not aside:
            heard.questions.append(rest)
    elif is_lasting(rest, known) and len(rest) <= LONGEST_NOTE:
        heard.notes.append(rest)
    elif kind is None:
        heard.told = True


def _commanded(sentence: str, heard: ClassifiedMessage) -> bool:
    """Handle "remember that" and "forget that"; False for anything else."""
    if command := _KEEP.match(sentence):
        content = sentence[command.end() :].strip(" ,:，：")
        if content and not _NOT_KEPT.match(content) and not asks(content):
            personal = _PERSONAL.search(content) is not None and len(content) <= LONGEST_NOTE
            (heard.notes if personal else heard.keep).append(content)
            return True
    if (command := _FORGET.match(sentence)) and not is_question(sentence):
        heard.forget.append(sentence[command.end() :].strip(" ,.:!，。：！"))
        return True
    return False
