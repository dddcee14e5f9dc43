"""What a Chinese sentence tells about the person who says it, as notes for core memory.

As in `english`: forms anchored at the beginning of a clause; what no form covers stays in recall storage.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

from memgpt_cli.llm.offline.facts import Fact

LONGEST_CLAUSE: Final = 40
"""Characters beyond which a clause is a story and not a fact."""

_CLAUSE: Final = re.compile(r"(?:[，,。！!？?；;\n\s~～…]|\.(?!\w))+")
_LIVES: Final = re.compile(r"我们?(?:家在|家住|.{0,6}(?:住在|定居|居住))|我.+(?:住|生活|定居)$")
_SAYS: Final = re.compile(r"(?:说|问|道|告诉我|觉得|表示|认为)[:：]?$")
_LABELLED: Final = re.compile(r"(?:自我介绍|关于我|更正|补充|备注)[:：]")
_FILLER: Final = re.compile(
    r"(?:你好|您好|嗨|哈喽|大家好|其实|对了|顺便说一下|顺便|不对|不是|错了|更正一下|嗯|哦|啊|那个|然后|而且|另外|还有"
    r"|因为|所以|但是|但|不过|可是|现在|目前|请|麻烦)+(?=我|叫|请)"
)
_LEFT_OUT: Final = re.compile(
    r"(?:也|还|又|同时|现在|目前|如今)*(?:是|住在|在|喜欢|不喜欢|讨厌|来自|有|养|对|今年|会|叫)"
)
_CORRECTION: Final = re.compile(r"其实|不对|不是|错了|更正|现在|改成|改名|换")
_TAIL: Final = re.compile(r"(?:了|啊|呀|哦|呢|吧|哈|啦|喔|噢|嘛|哟|的说|就好|就行|就可以)+$")
_PASSING: Final = re.compile(r"昨天|今天|明天|刚才|刚刚|前天|后天|今晚|昨晚|上周|下周|这周|一会儿|待会")
_QUESTION: Final = re.compile(r"什么|哪|谁|几|多少|怎么|为什么|吗|呢|是不是|有没有|能不能")
_RELATIVE: Final = (
    r"(?:妈妈|爸爸|母亲|父亲|哥哥|弟弟|姐姐|妹妹|儿子|女儿|孩子|妻子|老婆|丈夫|老公|太太|先生|爷爷|奶奶|外公|外婆"
    r"|男朋友|女朋友|男友|女友|未婚夫|未婚妻|好朋友|朋友|同事|老板|老师|室友|邻居|同学|叔叔|阿姨|舅舅|姑姑|表哥|表姐"
    r"|表弟|表妹|堂哥|堂姐|爸|妈)"
)
_PET: Final = r"(?:小?猫咪?|小?狗狗?|兔子|仓鼠|鹦鹉|乌龟|金鱼|宠物)"
_ATTRIBUTE: Final = (
    r"(?:邮箱|电子邮件|电话号码|手机号码?|电话|地址|家乡|老家|职业|工作|专业|学校|大学|公司|爱好|兴趣|星座|血型|身高"
    r"|体重|国籍|母语|车|自行车|英文名|网名|梦想|目标|单位)"
)
_TASTES: Final = (
    ("最喜欢", "最喜欢"),
    ("不太喜欢", "不喜欢"),
    ("不再喜欢", "不喜欢"),
    ("不喜欢", "不喜欢"),
    ("不爱", "不爱"),
    ("讨厌", "讨厌"),
    ("喜欢", "喜欢"),
    ("热爱", "热爱"),
    ("爱", "爱"),
)

_ENDS_IN_PET: Final = re.compile(rf"({_PET})$")
_IS_CALLED: Final = re.compile(r"(?:它|名字)?叫(.{1,8})")
_SHORT: Final = 8
_VALUE: Final = 16
_NOTE: Final = 30

Maker = Callable[[re.Match[str]], str | None]


def facts(sentence: str) -> Iterator[Fact]:
    """The facts of one sentence about its speaker, in order."""
    correction = _CORRECTION.search(sentence) is not None
    previous = ""
    for clause in clauses(sentence):
        if _SAYS.search(previous):
            previous = clause
            continue
        told = f"我{clause}" if _LEFT_OUT.match(clause) and previous.startswith("我") else clause
        if not told or len(told) > LONGEST_CLAUSE or _QUESTION.search(told):
            continue
        # 我有一只猫，叫咪咪: the second clause speaks of what the first one ends with
        if (pet := _ENDS_IN_PET.search(previous)) and (named := _IS_CALLED.fullmatch(clause)):
            yield Fact(f"{pet[1]}叫{named[1]}", correction)
        elif line := next(
            (line for form, maker in _forms() if (m := form.fullmatch(told)) and (line := maker(m))), None
        ):
            yield Fact(line, correction)
        previous = told


def clauses(sentence: str) -> Iterator[str]:
    """The clauses of a sentence without fillers and final particles."""
    for part in _CLAUSE.split(sentence):
        clause = _FILLER.sub("", _LABELLED.sub("", part), count=1)
        if stripped := _TAIL.sub("", clause):
            yield stripped


def _made(form: str, *, most: int = _VALUE, unwanted: str = "") -> Maker:
    """A maker that fills `form` with the first group, unless that is long, passing, or begins with what is unwanted."""
    pattern = re.compile(unwanted) if unwanted else None

    def make(match: re.Match[str]) -> str | None:
        value = match[1].strip(" “”\"'「」")
        if not value or len(value) > most or _PASSING.search(value) or (pattern is not None and pattern.match(value)):
            return None
        return form.format(value)

    return make


def _taste(match: re.Match[str]) -> str | None:
    value = match["what"]
    if len(value) > _VALUE or _PASSING.search(value) or re.match(r"[你它他她这那]", value) or value in ("上", "过"):
        return None
    head = next(kept for said, kept in _TASTES if match["verb"].endswith(said))
    return head + value


def _relative(match: re.Match[str]) -> str | None:
    text = match["who"] + match["rest"]
    return None if _PASSING.search(text) or len(text) > _NOTE else text


def _home(match: re.Match[str]) -> str | None:
    """我在X is a home only with 住 or 家 in the clause; 我在X工作 is a place of work."""
    clause, place = match.group(), match[1]
    if _LIVES.match(clause) and len(place) <= _VALUE and not _PASSING.search(clause):
        return f"住在{place}"
    work = re.fullmatch(r"我(?:现在|目前|一直|刚|最近)*在(.{2,16}?)(工作|上班|上学|读书|教书|当老师|实习)", clause)
    if work is None or _PASSING.search(clause):
        return None
    doing = {"上班": "工作"}.get(work[2], work[2])
    return f"在{work[1]}{doing}"


def _form(pattern: str, maker: Maker) -> tuple[str, Maker]:
    return pattern, maker


@cache
def _forms() -> tuple[tuple[re.Pattern[str], Maker], ...]:
    """Compiled when the first Chinese sentence comes."""
    return tuple((re.compile(pattern), maker) for pattern, maker in _FORMS)


_FORMS: Final[tuple[tuple[str, Maker], ...]] = (
    _form(
        r"(?:我的(?:名字|姓名)(?:是|叫做?)|我(?:现在)?(?:的名字)?(?:名)?叫做?|我名字叫)(.{1,12})",
        _made("姓名：{}", unwanted="[你他她它了过来]|外卖|车"),
    ),
    _form(r"我姓(.{1,2})", _made("姓：{}")),
    _form(r"(?:你?(?:可以|就)?叫我|(?:大家|朋友们?|别人)都?叫我)(.{1,10})", _made("昵称：{}")),
    _form(r"我(?:不住在|不再住在|已经不住在)(.+?)", _made("不再住在{}")),
    _form(
        r"(?:我|我家|我们家|我们)(?:现在|目前|一直|刚|最近)*(?:住在|定居在|居住在|家在|在)(.+?)(?:住|生活|定居)?",
        _home,
    ),
    _form(
        r"我们?(?:刚|最近|已经|现在|上个?月|去年|今年)*(?:搬到|搬去|搬家到|搬来|移居到?)了?(.+?)(?:住|生活)?",
        _made("住在{}"),
    ),
    _form(r"我(?:是)?(?:来自|从)(.+?)(?:来)?", _made("来自{}", most=10)),
    _form(r"我是(.{1,8}?)人", _made("来自{}", unwanted="个|一个|好|坏|怎样|男|女|大|老|年轻|普通")),
    _form(r"我(?:出生于|生于|的?生日(?:是|在))(.+?)(?:出生)?", _made("生日：{}")),
    _form(r"我(?:今年)?(?:已经|快|刚满|满)?([0-9]{1,3}|[一二三四五六七八九十]{1,3})岁", _made("年龄：{}岁")),
    _form(r"我(?:不再|已经不)在(.+?)(?:工作|上班)", _made("不再在{}工作")),
    _form(
        r"我(?:现在)?(?:是|当|做)(?:一名|一个|一位|个|名)(.+)",
        _made("职业：{}", most=10, unwanted="人|普通|好|坏|很|非常"),
    ),
    _form(r"我的(?:职业|工作)是(.+)", _made("职业：{}")),
    _form(r"我是((?:做|搞|从事|教|开|卖).{1,10}?)的?", _made("职业：{}")),
    _form(
        r"我是(.{0,4}(?:老师|医生|护士|学生|工程师|程序员|律师|厨师|司机|警察|会计|设计师|作家|画家|记者|翻译|教授|研究员|销售|经理))",
        _made("职业：{}"),
    ),
    _form(r"我(?:不再|不)对(.+?)过敏", _made("不对{}过敏")),
    _form(r"我对(.+?)(?:严重)?过敏", _made("对{}过敏")),
    _form(
        r"我(?:现在)?(?:是)?(吃素|素食者|素食主义者|纯素食者|单身|已婚|未婚|离婚|退休)(?:的)?",
        lambda m: {"素食者": "吃素", "素食主义者": "吃素"}.get(m[1], m[1]),
    ),
    _form(r"我(?:已经|刚)?(结婚|离婚|退休)", lambda m: {"结婚": "已婚"}.get(m[1], m[1])),
    _form(r"我(?:有|得了|患有)(糖尿病|哮喘|高血压|抑郁症|焦虑症|近视|色盲|失眠|关节炎|偏头痛|癌症)", _made("有{}")),
    _form(r"我(不(?:能)?(?:吃|喝|抽)[^的得]{1,8})", _made("{}", unwanted="不(?:能)?(?:吃|喝)(?:下|饱|惯|饭)")),
    _form(r"我最喜欢的(.{1,8}?)是(.+)", lambda m: f"最喜欢的{m[1]}：{m[2]}"),
    _form(
        r"我(?:真的|真|很|非常|特别|超级?|也|还|最|一直|都|比较|挺|蛮|更|有点|从小|现在|已经)*(?P<verb>不太喜欢|不再喜欢|不喜欢|不爱|讨厌|喜欢|热爱|爱)(?P<what>.+)",
        _taste,
    ),
    _form(
        rf"我(?:的|家的?)?({_RELATIVE}|{_PET})(?:的名字)?(?:名?叫做?|的名字是|是)([^是的在]{{1,8}})",
        lambda m: f"{m[1]}叫{m[2]}" if not _PASSING.search(m[2]) else None,
    ),
    _form(
        rf"我(?:的|家的?)?(?P<who>{_RELATIVE})(?P<rest>(?:.{{0,6}})(?:是|在|住|有|喜欢|爱|讨厌|会|对|学|今年|不).+)",
        _relative,
    ),
    _form(
        rf"我(?:们|家)?(?:还)?(?:养了|养|有|领养了|收养了)((?:一|两|二|三|四|五|\d)(?:只|条|个|位|名"
        rf"|匹)(?:.{{0,4}})(?:{_RELATIVE}|{_PET})(?:名?叫.{{1,8}})?)",
        _made("有{}"),
    ),
    _form(
        rf"我的({_ATTRIBUTE})(?:是|叫)(.+)",
        lambda m: f"{m[1]}：{m[2]}" if len(m[2]) <= _NOTE and not _PASSING.search(m[2]) else None,
    ),
    _form(r"我会(?:说|讲)(.+)", _made("会说{}")),
    _form(r"我会(弹|拉|吹|打)(.+)", lambda m: f"会{m[1]}{m[2]}" if len(m[2]) <= _SHORT else None),
    _form(r"我(?:正在|在|最近在)(?:学习?)(.+)", _made("在学{}", most=10)),
    _form(r"我的?专业是(.+)", _made("专业：{}")),
)
