"""Small talk and commands, told by the form of a sentence: greetings, thanks, "who are you", "remember that".

Tables only; compiled for a language when its first sentence comes. What to reply is in `phrases`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final, Literal


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
    WRONG = "you are wrong"
    FORGET_ALL = "forget everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """How one language says "remember that", "forget that", and what small talk it has.

    `question` is what, after "remember", makes a sentence a question and not an order.
    """

    keep: re.Pattern[str]
    forget: re.Pattern[str]
    question: re.Pattern[str]
    talk: tuple[tuple[re.Pattern[str], Talk], ...]
    hello: re.Pattern[str]
    """A greeting at the beginning of a sentence that goes on, and the name in "hi, it's Ada"."""


def mood_of(text: str) -> Literal["sad", "glad", ""]:
    """The mood that a message speaks of, if it is plain."""
    return "sad" if _SAD.search(text) else "glad" if _GLAD.search(text) else ""


def _row(pattern: str, kind: Talk) -> tuple[str, Talk]:
    return pattern, kind


def _compiled(rows: Sequence[tuple[str, Talk]]) -> tuple[tuple[re.Pattern[str], Talk], ...]:
    return tuple((re.compile(pattern), kind) for pattern, kind in rows)


@cache
def english() -> Language:
    """English."""
    return Language(
        keep=re.compile(
            r"(?:(?:please|ok|okay|and|also|hey|now)[, ]+)*(?:(?:can|could|will|would) you (?:please )?)?(?:remember"
            r"|don['’]?t forget|do not forget|keep in mind|bear in mind|make a note|take a note|note down|write down"
            r"|save|store|memori[sz]e|note)(?:(?: this| the following)?\s*:\s*|(?: to yourself)? that\s+|\s+(?=(?:my"
            r"|i|the|our|we)\b)|,\s+)",
            re.IGNORECASE,
        ),
        forget=re.compile(
            r"(?:(?:please|ok|okay|now)[, ]+)*(?:can you (?:please )?)?(?:forget|delete|remove"
            r"|erase)(?: the fact)?(?: that| about|:)?\s+(?=(?:my|i|i['’]m|that|what i|our)\b)",
            re.IGNORECASE,
        ),
        question=re.compile(r"^(?:me|when|how|what|where|who|us)\b.*$|\?\W*$", re.IGNORECASE),
        talk=_compiled(_ENGLISH_TALK),
        hello=re.compile(
            r"(?:hi|hello|hey|hiya|howdy|good (?:morning|afternoon|evening))(?: there| again| everyone)?(?:[ ,.!:–—-]+"
            r"(?:it(?:['’]s| is)|this is|(?P<here>))(?(here)(?!))"
            r" (?P<name>(?-i:[^\W\d_a-z][\w'’-]+(?: [A-Z][\w'’-]+)?))(?: (?:again|here))?\b)?(?:[\s,.!:;–—-]+|$)",
            re.IGNORECASE,
        ),
    )


@cache
def chinese() -> Language:
    """Chinese."""
    return Language(
        keep=re.compile(
            r"(?:请|麻烦|帮我|你要|你|一定要?|要)*(?:记住|记一下|记下来?|别忘了|不要忘记|记得|记着|保存|存一下)(?:一下)?(?:这个|这件事|这句话)?[:：,，\s]*"
        ),
        forget=re.compile(r"(?:请|麻烦|你)*(?:忘掉|忘记|忘了|删除|删掉)(?:关于)?[:：,，\s]*(?=我)"),
        question=re.compile(r"[?？]\W*$|^我.*(?:吗|什么|哪|谁|几岁|多少)|吗$|^(?:吗|了吗|没有)?$"),
        talk=_compiled(_CHINESE_TALK),
        hello=re.compile(r"(?:你好|您好|嗨|哈喽|早上好|下午好|晚上好|大家好|嘿)[啊呀]?[，,！!。\s]+(?P<name>(?!))?"),
    )


_ENGLISH_TALK: Final = (
    _row(
        r"^(?:(?:please|ok|okay|now|can you|could you|i want you to|you (?:should|must|can)|just)[,"
        r" ]+)*(?:forget|delete"
        r"|erase|wipe|remove|clear|purge)(?: \w+)?? (?:me|all|everything|(?:my|your|the|all my|all your|all"
        r" the|all of my"
        r"|all of your) (?:\w+ )?(?:data|memor(?:y|ies)|information|info|history|account|notes|messages|conversations?)"
        r"|what(?:ever)? you (?:know|have|stored|remember))\b(?! (?:i|that) (?!you))",
        Talk.FORGET_ALL,
    ),
    _row(
        r"\b(?:who|what)(?: exactly)? are you$|\bare you (?:an? |the |really |even )*(?:ai|a\.i|bot|robot|human"
        r"|person|real|llm|machine|language model|computer|program|chat ?gpt|gpt|claude|alive|conscious|offline"
        r"|intelligent|smart)\b|what(?:'s| is) your name|(?:do you have|what(?:'s| is) ) ?a name$|introduce yourself"
        r"|tell me about yourself|which (?:model|llm|ai) (?:are you|is this|do you)|what (?:model|llm|ai"
        r"|kind of (?:ai|bot|model)) (?:are you|is this|do you)|how do you work|what is (?:this|memgpt)$",
        Talk.WHO,
    ),
    _row(
        r"\b(?:how|where) (?:do|can|could|would) (?:i|you|one) (?:\w+ ){0,2}(?:connect|add|configure|set up|plug in"
        r"|switch|change|enable|get)\b.*\b(?:model|openai|ollama|gpt|llm|api|key|endpoint)|\bapi key\b"
        r"|\bconnect (?:a |to )?(?:real )?(?:model|openai|ollama)",
        Talk.CONNECT,
    ),
    _row(
        r"^/?help(?: me)?$|what (?:can|do) you do|what are you able to|how (?:do|can) i use (?:you|this|it)"
        r"|how does (?:this|it) work|what can (?:i|you) (?:ask|tell|say|help)|what are your (?:commands|functions"
        r"|features|abilities)|can you help me$|^(?:what|huh|pardon|eh)$|^(?:can|do|will|could) you (?:really "
        r"|actually )?(?:remember|memori[sz]e|learn|have (?:a )?memory)(?: (?:things|stuff|anything|something|facts"
        r"|everything|what i (?:say|tell you|said)))?$",
        Talk.HELP,
    ),
    _row(
        r"(?:anything|what) else (?:(?:do|that) )?you know|what (?:do|did|have) you (?:\w+ )?(?:know|knows|learn"
        r"|learned|learnt|note|noted|store|stored|remember"
        r"|remembered|got|have)(?: so far)?(?: (?:about|of|on) (?:me|myself))?(?: so far| already| now)?$|(?:tell me"
        r"|show me|list) (?:everything|all|what) (?:that )?(?:you (?:know|remember|have|noted|stored)"
        r"|about me)(?: (?:about|of|on) me)?|tell me about (?:me|myself)$|^who am i(?: again)?$|^describe me|what(?:'s"
        r"| is) in your memory|show (?:me )?your memory|do you (?:know|remember) (?:anything about )?me$"
        r"|summari[sz]e what you (?:know|remember)|^tell me something about (?:me|myself)",
        Talk.ABOUT_ME,
    ),
    _row(
        r"what did i (?:just )?(?:say|tell you|write|ask)(?: you)?(?: just now| before| last)?$|what (?:was"
        r"|is) (?:my last|the last) (?:message|thing i (?:said|told you))|what did i just (?:say|tell|ask|write)",
        Talk.ECHO,
    ),
    _row(
        r"what time is it|what(?:'s| is) the time|what(?:'s| is) (?:the date|today's date)|what day is (?:it|today)"
        r"|what date is",
        Talk.CLOCK,
    ),
    _row(
        r"^(?:what(?:'s| is)|how much (?:is|are)|calculate|compute|solve)?\s*[-(]*\d[\d.,]*\)*(?:\s*(?:[-+*/x×÷^%=]"
        r"|plus|minus|times|divided by|multiplied by|to the power of)\s*[-(]*\d[\d.,]*\)*)+\s*=?$|\b(?:square root"
        r"|sum|product) of \d",
        Talk.CALCULATE,
    ),
    _row(
        r"^(?:can you |could you |would you |will you |please |i want you to |i need you to )*(?:write|compose"
        r"|translate|draw|sing|paint|code|generate|explain|summari[sz]e|paraphrase|imagine|pretend|recommend|suggest"
        r"|brainstorm|proofread|rewrite|give me an?|tell me (?:a|another) (?:\w+ )?(?:joke|story|riddle|poem|fact)"
        r"|make (?:me )?(?:a|up)|play a|book a|order me|call a|open the|turn on|help me (?:write|with|to|plan"
        r"|understand|decide|choose))\b",
        Talk.CREATE,
    ),
    _row(
        r"^(?:please )?remind me (?:to|at|in|on|tomorrow|tonight)\b|^set (?:an? )?(?:alarm|reminder|timer)",
        Talk.REMIND,
    ),
    _row(
        r"^(?:(?:hi|hello|hey)\b.{0,20})?(?:and )?(?:how (?:are|r) (?:you|u)\b|how(?:'s| is) (?:it going|everything"
        r"|life|things)|how have you been|what(?:'s| is) (?:up|new|going on)(?: with you)?$|sup$|how do you do$"
        r"|how(?:'s| is) your (?:day|week)|you ok|are you ok)",
        Talk.HOW_ARE_YOU,
    ),
    _row(
        r"^(?:many |ok |great |cool |perfect |awesome )*(?:thanks|thank you|thx|ty|cheers|much appreciated)\b",
        Talk.THANKS,
    ),
    _row(
        r"^(?:ok |okay |well )*(?:bye|goodbye|good bye|good night|see you|see ya|talk (?:to you )?(?:later|soon)"
        r"|take care|cya|farewell|i(?:'ve| have) got to go|gotta go|ttyl|until next time)\b",
        Talk.FAREWELL,
    ),
    _row(
        r"^(?:hi|hello|hey|hiya|howdy|yo|greetings|hallo|good (?:morning|afternoon|evening|day))\b"
        r"|^(?:nice|pleased|good|great|lovely) to (?:meet|see) you",
        Talk.GREETING,
    ),
    _row(
        r"^(?:no[, ]+)?(?:you(?:'re| are)|that(?:'s| is|s)|this is) (?:\w+ )?(?:wrong|incorrect|not (?:right|true"
        r"|correct)|a mistake)$"
        r"|^wrong$",
        Talk.WRONG,
    ),
    _row(
        r"^(?:ok|okay|k|yes|yeah|yep|no|nope|sure|right|cool|nice|great|good|fine|wow|lol|haha+|hmm+|interesting"
        r"|i see|got it|alright|exactly|perfect|awesome|amazing|never ?mind|test|testing|correct|true|not really"
        r"|maybe|of course|(?:that's|that is|it's) (?:\w+ )?(?:right|correct|great|good|nice|cool|true|fine"
        r"|amazing|awesome))$",
        Talk.AGREE,
    ),
)
_CHINESE_TALK: Final = (
    _row(
        r"(?:忘掉|忘记|忘了|删除|删掉|删了|清除|清空|抹掉)(?:你?(?:关于|记住的|知道的)?我?的?)?(?:一切|所有|全部|记忆|数据|我$)"
        r"|(?:一切|所有|全部|记忆|数据|我).{0,12}(?:忘掉|忘记|忘了|删除|删掉|删了|清除|清空|抹掉)(?:掉|吧)*$",
        Talk.FORGET_ALL,
    ),
    _row(
        r"你是谁|你是什么|你叫什么|你的名字|你是(?:不是)?(?:ai|人工智能|机器人|真人|人|语言模型|模型|chatgpt|gpt"
        r"|大模型)|介绍一?下?你自己|自我介绍|你是哪个模型|你用的?(?:是)?(?:什么|哪个)模型|你(?:是)?怎么工作",
        Talk.WHO,
    ),
    _row(
        r"(?:怎么|如何|怎样).*(?:连接|接入|配置|使用|换|切换|接).*(?:模型|openai|ollama|gpt|api|接口|密钥)|api ?key"
        r"|密钥",
        Talk.CONNECT,
    ),
    _row(
        r"^(?:/?help|帮助|帮帮我|怎么用|怎么使用)$|你(?:会|能|可以)(?:做|干|帮我做)(?:什么|啥|些什么)|你有什么(?:功能|用)|怎么(?:使用|用)你",
        Talk.HELP,
    ),
    _row(
        r"你(?:都|还|到底|现在)*(?:知道|了解|记得|记住了?|记了)(?:关于)?我(?:的)?(?:些)?(?:什么|哪些|多少|啥)|你(?:都"
        r"|还)*(?:知道|了解|记得|记住)(?:些|了)?(?:什么|哪些)|你(?:还)?(?:认识|记得|了解)我吗|^我是谁$|介绍一?下?我$"
        r"|关于我.{0,4}(?:什么|哪些)|说说我(?:的情况)?$|你的记忆里有什么",
        Talk.ABOUT_ME,
    ),
    _row(
        r"我(?:刚才|刚刚|刚)(?:说|问|讲|告诉你)(?:了|过)?(?:什么|啥)|我(?:上|前)一(?:句|条)(?:话|消息)?(?:说|是)?(?:了)?什么",
        Talk.ECHO,
    ),
    _row(r"现在几点|今天(?:是)?(?:几号|几月|星期几|周几|什么日子)|几点了|现在是什么时间", Talk.CLOCK),
    _row(
        r"^(?:计算|算一下|请问)?\s*[-(]*\d[\d.]*\)*(?:\s*(?:[-+*/x×÷^%]|加|减|乘以?|除以)\s*[-(]*\d[\d.]*\)*)+\s*(?:=|等于(?:几|多少)?"
        r"|是多少)?$",
        Talk.CALCULATE,
    ),
    _row(
        r"^(?:请|麻烦)?(?:你)?(?:能|可以)?(?:帮我|给我|替我)?(?:写|翻译|画|唱|编|讲个?(?:笑话|故事)|说个?(?:笑话|故事)|推荐|解释|总结|生成|订|打开|播放|查一下天气)",
        Talk.CREATE,
    ),
    _row(r"提醒我(?!.*(?:什么|哪))|设(?:置|个)?闹钟", Talk.REMIND),
    _row(
        r"你(?:还)?好吗$|最近怎么样|最近好吗|过得怎么样|^(?:你好)?[，, ]?你怎么样|吃了吗|在吗$|在不在$",
        Talk.HOW_ARE_YOU,
    ),
    _row(r"^(?:好的?|太好了|非常)?[，, ]?(?:谢谢|多谢|感谢|谢啦|谢了|辛苦了)", Talk.THANKS),
    _row(r"^(?:好的?)?[，, ]?(?:再见|拜拜|晚安|下次见|明天见|回头见|先走了|我走了|88)", Talk.FAREWELL),
    _row(r"^(?:你|这)?(?:说|记)?(?:得)?(?:错了|不对)$|^你(?:弄|搞|记|说)错了$", Talk.WRONG),
    _row(r"^(?:你好|您好|嗨|哈喽|早上好|下午好|晚上好|早安|大家好|hi|hello|hey|嘿)", Talk.GREETING),
    _row(
        r"^(?:好的?|是的?|对的?|嗯+|哦+|没错|不是|可以|行|没事|不用了?|知道了|明白了?|哈哈+|真的吗?|太好了|不错|厉害|好吧|测试)$",
        Talk.AGREE,
    ),
)
_SAD: Final = re.compile(
    r"\b(?:sad|awful|terrible|horrible|tired|exhausted|sick|ill|died|passed away|lonely|depressed|worried|anxious"
    r"|lost my|broke up|fired|failed|hurts?|crying|cried|stressed|upset|miserable|bad (?:day|news|week))\b|难过|伤心"
    r"|累|生病|去世|失业|分手|孤独|焦虑|担心|糟糕|失败|哭|压力|烦",
    re.IGNORECASE,
)
_GLAD: Final = re.compile(
    r"\b(?:i['’]?m (?:so |very |really )?(?:happy|glad|excited|thrilled|proud)|great (?:day|news|week)|good news"
    r"|wonderful|won|passed|promoted|finally)\b|开心|高兴|太好了|升职|通过了|好消息|激动",
    re.IGNORECASE,
)
