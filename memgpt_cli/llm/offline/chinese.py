"""What a Chinese sentence tells about the person who says it, as notes for core memory.

As in `english`: forms anchored at the beginning of a clause; what no form covers stays in recall storage.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from memgpt_cli.llm.offline.chinese_words import FAMILY_NAME, SOMEBODY
from memgpt_cli.llm.offline.facts import Fact

LONGEST_CLAUSE: Final = 40
"""Characters beyond which a clause is a story and not a fact."""

_CLAUSE: Final = re.compile(
    r"(?:[，,。！!？?；;\n\s~～…]|\.(?!\w))+|(?:但是|不过|可是|而且|并且|但)(?=不|也|还|我|很|更|最|喜)"
)
_LIVES: Final = re.compile(r"我们?(?:家在|家住|.{0,6}(?:住在|定居|居住))|我.+(?:住|生活|定居)$")
_SAYS: Final = re.compile(
    r"(?<![会能])[说讲](?!错)(?!(?:英|日|法|德|韩|汉|中|俄|西|粤|方|普|一口|得))|告诉|表示|认为|以为|觉得|问|梦见|梦到|据说|听到|骂我|夸我|叫我去"
    r"|希望我|想让我|让我|道[:：]"
)
"""Somebody's words or thoughts: they and what follows are nothing that the person tells of themselves."""
_TELLS_YOU: Final = re.compile(r"我?(?:再)?(?:告诉|跟|和|对|给)你(?:说|讲)?(?:一下|一声|个事)?")
_NOT_SO: Final = re.compile(
    r"(?:如果|要是|假如|假设|假使|倘若|万一|想象|假装|要不是|但愿|我?希望|梦里|(?:我|在|这|那|本|部|个)*(?:小说|书|电影|游戏|故事|剧|歌)里"
    r"|我?小时候|我?以为)"
)
"""What begins so is not so, or no longer."""
_LABELLED: Final = re.compile(r"(?:自我介绍|关于我|更正|补充|备注)[:：]")
_FILLER: Final = re.compile(
    r"(?:你好|您好|嗨|哈喽|大家好|其实|对了|顺便说一下|顺便|不对|不是|错了|更正一下|嗯|哦|啊|那个|然后|而且|另外|还有"
    r"|因为|所以|但是|但|不过|可是|现在|目前|请|麻烦)+(?=我|叫|请)"
)
_LEFT_OUT: Final = re.compile(
    r"(?:也|还|又|同时|现在|目前|如今|已经|刚|刚刚|很|非常|特别|最|不|自己)*(?:是|住在|在|喜欢|不喜欢|讨厌|爱|来自|有|养|对|今年|会|叫|名叫|名字叫"
    r"|名字是|搬到|搬去|搬来|开了|做|当|属|老家)"
)
_CORRECTION: Final = re.compile(r"其实|不对|不是|错了|更正|现在|改成|改名|换")
_TAIL: Final = re.compile(r"(?:了|啊|呀|哦|呢|吧|哈|啦|喔|噢|嘛|哟|的说|就好|就行|就可以)+$")
_PASSING: Final = re.compile(r"昨天|今天|明天|刚才|刚刚|前天|后天|今晚|昨晚|上周|下周|这周|一会儿|待会")
_QUESTION: Final = re.compile(r"什么|哪|谁|几|多少|怎么|为什么|吗|呢|是不是|有没有|能不能")
_ATTRIBUTE: Final = (
    r"(?:邮箱|电子邮件|电话号码|手机号码?|电话|地址|家乡|老家|职业|工作|专业|学校|大学|公司|爱好|兴趣|星座|血型|身高"
    r"|体重|国籍|母语|车|自行车|英文名|网名|梦想|目标|单位)"
)
_TASTES: Final = (
    ("最喜欢", "最喜欢"),
    ("不太喜欢", "不喜欢"),
    ("不再喜欢", "不喜欢"),
    ("不再讨厌", "不讨厌"),
    ("不讨厌", "不讨厌"),
    ("不喜欢", "不喜欢"),
    ("不爱", "不爱"),
    ("讨厌", "讨厌"),
    ("喜欢", "喜欢"),
    ("热爱", "热爱"),
    ("爱", "爱"),
)

_OF_SOMEBODY: Final = re.compile(rf"我们?(?:的|家的?)?({SOMEBODY})(?!们?的?(?:是我|工作))")
_SOMEBODY_FIRST: Final = re.compile(rf"(?:我?那个)?({SOMEBODY})")
_INTRODUCES: Final = re.compile(rf"我.*(?:有|养|认识|遇到|生|娶|嫁|收养|领养).*?({SOMEBODY})(?:(?:名字?)?叫.{{1,8}})?")
_OF_THEIRS: Final = re.compile(r"的(?!名字|姓名|生日|工作|职业|年龄)")
_INTRODUCES_THEIRS: Final = re.compile(rf".*(?:有|养|认识|遇到|生|娶|嫁|喜欢|爱|讨厌).*(?:{SOMEBODY}|[个位名只条])")
"""我叔叔有一个女儿，叫小美: whose name it is takes more than forms to tell."""
_LIKES: Final = re.compile(r"我.*(?:喜欢|讨厌|爱|怕).+")
_MAY_BE_OF_THE_LIKED: Final = re.compile(
    r"(?:也|还|又|现在|目前|已经|刚|都)*(?:名?叫|名字|是|今年|住|在|有|来自|姓|做|当|属|老家)"
)
"""我喜欢小王，今年三十岁: he may be thirty."""
_MENTIONS: Final = re.compile(
    r"我.*(?:有|养了?|认识|遇到|见到|碰到|买了?|带|教)(?:了|过)?.{0,3}[一二两三四五六七几\d]?[个只条位名匹头辆套家]"
    rf"|我们?(?:和|跟|与|同|陪|带|给|帮|爱|想|喜欢).*{SOMEBODY}"
)
"""After these it is not plain whom a clause without a subject is about."""
_STILL_OWN: Final = re.compile(
    r"我们?(?:以前|之前|过去|原来|刚|也|都|已经|现在)*(?:换|辞|离职|毕业|搬|退休|不|是|住|在)(?!.*[一两几这那][个本部只条辆场首家张])"
)
"""After such a clause, too, one without a subject is about the person, though no line came of it."""
_ONE_OF_THEM: Final = re.compile(r"(?:另外?)?(?:一|两|大的|小的|老大|老二)[只条个位匹]?(?:名字?)?叫(.{1,8})")
_PRONOUN: Final = re.compile(r"(?:他|她|它)(?!们)(?:的(?=名字|生日))?")
_NO_NAME: Final = re.compile(r"[人座生师匠员迷者的了家猫狗族性层业恋花]$|[很不是在有太最]")
_SHORT: Final = 8
_VALUE: Final = 16
_NOTE: Final = 30

_NOBODY: Final[Mapping[str, str]] = {}
Maker = Callable[[re.Match[str]], str | None]


def facts(sentence: str, people: Mapping[str, str] = _NOBODY) -> Iterator[Fact]:
    """The facts of one sentence about its speaker, and about the speaker's relatives and animals, in order.

    `people` are those whose names are known, 乐乐 as 儿子: 乐乐今年四岁 tells of the son.
    """
    correction = _CORRECTION.search(sentence) is not None
    about = previous = ""
    for part in clauses(sentence):
        known = next((name for name in people if part.startswith(name)), None)
        clause = f"我{people[known]}{part.removeprefix(known)}" if known else part
        if _TELLS_YOU.fullmatch(clause):
            continue
        if _NOT_SO.match(clause) or _SAYS.search(clause):
            return
        if about == "我" and _LIKES.fullmatch(previous) and _MAY_BE_OF_THE_LIKED.match(clause):
            about = ""
        told, about = _completed(clause, about)
        previous = told
        lines = _lines(told)
        yield from (Fact(line, correction) for line in lines)
        if about == "我" and not lines and not _STILL_OWN.match(told):
            about = ""  # 我读过一本书，叫活着: the next clause may be about the book


def _lines(told: str) -> list[str]:
    if len(told) <= LONGEST_CLAUSE and not _QUESTION.search(told):
        for form, maker in _forms():
            if (match := form.fullmatch(told)) and (lines := maker(match)):
                return lines.split("\n")
    return []


def _completed(clause: str, about: str) -> tuple[str, str]:
    """The clause with the subject that it leaves out, and whom a next clause without one is about.

    `about` is 我, a relative as the person says it ("女儿"), or empty where that is not plain. What is not plain is
    empty in the result too: a clause about a daughter must never become one about the person.
    """
    if of := _OF_SOMEBODY.match(clause):
        rest = clause[of.end() :]
        return ("", "") if _OF_THEIRS.match(rest) else (clause, "" if _INTRODUCES_THEIRS.match(rest) else of[1])
    if clause.startswith(("我", "叫我", "你可以叫我", "可以叫我", "请叫我", "大家", "朋友们都叫我", "别人都叫我")):
        introduced = _INTRODUCES.fullmatch(clause)
        unclear = _MENTIONS.match(clause) is not None
        return clause, introduced[1] if introduced else "" if unclear else "我"
    return _goes_on(clause, about) if about else ("", "")


def _goes_on(clause: str, about: str) -> tuple[str, str]:
    """A clause after one about `about`, completed; empty where its subject is not plain."""
    whose = "我" if about == "我" else f"我{about}"
    if first := _SOMEBODY_FIRST.match(clause):
        return f"我{clause}", first[1]
    if about != "我" and (one := _ONE_OF_THEM.fullmatch(clause)):
        return f"{whose}叫{one[1]}", about
    if about != "我" and (pronoun := _PRONOUN.match(clause)):
        return f"{whose}{clause[pronoun.end() :]}", about
    return (f"{whose}{clause}", about) if _LEFT_OUT.match(clause) else ("", "")


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
    if (
        len(value) > _VALUE
        or _PASSING.search(value)
        or re.match(r"[你它他她这那人]", value)
        or value in ("上", "过")
        or ("的" in value and "叫" in value)
    ):
        return None
    head = next(kept for said, kept in _TASTES if match["verb"].endswith(said))
    return head + value


def _relative(match: re.Match[str]) -> str | None:
    text = match["who"] + match["rest"]
    return None if _PASSING.search(text) or "不是" in text or len(text) > _NOTE else text


def _home(match: re.Match[str]) -> str | None:
    """我在X is a home only with 住 or 家 in the clause; 我在X工作 is a place of work."""
    clause, place = match.group(), match[1]
    if _LIVES.match(clause) and len(place) <= _VALUE and not _PASSING.search(clause):
        return f"住在{place}"
    work = re.fullmatch(r"我(?:现在|目前|一直|刚|最近)*在(.{2,16}?)(工作|上班|上学|读书|教书|实习)", clause)
    if work is None or _PASSING.search(clause):
        return None
    doing = {"上班": "工作"}.get(work[2], work[2])
    return f"在{work[1]}{doing}"


def _work_as(match: re.Match[str]) -> str | None:
    """我在北京当律师 tells a place and a job; 我在家当孩子王 does not."""
    where, what = match["where"], match["what"]
    return None if where in ("家", "这里", "那里") or len(what) > _SHORT else f"在{where}工作\n职业：{what}"


def _owned(match: re.Match[str]) -> str:
    """我有一条狗叫旺财: that there is a dog, and its name."""
    return f"有{match['what']}\n{match['who']}叫{match['name']}" if match["name"] else f"有{match['what']}"


def _named(match: re.Match[str]) -> str | None:
    """我是张伟, by the family names that are little else."""
    return f"姓名：{match[1]}" if not _NO_NAME.search(match[1]) else None


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
    _form(r"我的?老家(?:在|是)(.+)", _made("老家在{}", most=10)),
    _form(r"我是(.{1,8}?)人", _made("来自{}", unwanted="[你我他她谁]|.*的|个|一个|好|坏|怎样|男|女|大|老|年轻|普通")),
    _form(r"我(?:出生于|生于|的?生日(?:是|在))(.+?)(?:出生)?", _made("生日：{}")),
    _form(r"我(?:今年)?(?:已经|快|刚满|满|是)?([0-9]{1,3}|[一二三四五六七八九十]{1,3})岁", _made("年龄：{}岁")),
    _form(r"我(?:不再|已经不|现在不|不)在(.+?)(?:工作|上班)", _made("不再在{}工作")),
    _form(
        r"我(?:现在)?(?:是|当|做)(?:一名|一个|一位|个|名)(.+)",
        _made("职业：{}", most=10, unwanted="人|普通|好|坏|很|非常"),
    ),
    _form(
        r"我(?:现在|目前|一直)*在(?P<where>.{1,10}?)(?:当|做|担任)(?:一名|一个|一位|个|名)?(?P<what>.{1,8})", _work_as
    ),
    _form(r"我(?:现在|目前|自己)*(?:开|经营)了?((?:一|两|三)[家间个].{1,8})", _made("职业：开{}")),
    _form(rf"我(?:就)?是((?:{FAMILY_NAME})[\u3400-\u9fff]{{1,2}}|[老小](?:{FAMILY_NAME}))", _named),
    _form(r"我的(?:职业|工作)是(.+)", _made("职业：{}")),
    _form(r"我是((?:做|搞|从事|教|开|卖).{1,10}?)的?", _made("职业：{}")),
    _form(
        r"我(?:现在|目前)?是(.{0,4}(?:老师|医生|护士|学生|工程师|程序员|律师|厨师|司机|警察|会计|设计师|作家|画家|记者|翻译|教授|研究员|销售|经理))",
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
        r"我(?:真的|真|很|非常|特别|超级?|也|还|最|一直|都|比较|挺|蛮|更|有点|从小|现在|已经)*(?P<verb>不太喜欢|不再喜欢|不喜欢|不再讨厌|不讨厌|不爱|讨厌|喜欢|热爱|爱)(?P<what>.+)",
        _taste,
    ),
    _form(
        rf"我(?:的|家的?)?({SOMEBODY})(?:的?名字)?(?:名?叫做?|的?名字是)([^是的在]{{1,8}})",
        lambda m: f"{m[1]}叫{m[2]}" if not _PASSING.search(m[2]) else None,
    ),
    _form(
        rf"我(?:的|家的?)?(?P<who>{SOMEBODY})(?P<rest>(?:.{{0,6}}?)(?:是|在(?=.+(?:工作|上班|上学|读|学|住|当|做|开))|住|有|喜欢|爱|讨厌|会|对|学|今年|不|(?=[一二两三四五六七八九十\d]{{1,3}}岁)).+)",
        _relative,
    ),
    _form(
        rf"我(?:们|家)*(?:还)?(?:养了|养|有|领养了|收养了)(?P<what>(?:一|两|二|三|四|五|\d)(?:只|条|个|位|名|匹)"
        rf"(?:.{{0,4}}?)(?P<who>{SOMEBODY}))(?:(?:名字?)?叫做?(?P<name>.{{1,8}}))?",
        _owned,
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
