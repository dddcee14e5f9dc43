"""Dialogues made up before the offline responder's rules were looked at: eighty lines, and later eighty more.

When they were first tried, the rules of that day handled 50 of the first eighty and 74 of the second (docs/offline.md).

Each dialogue is one agent; see `support.offline_dialogues` for how expectations are written.
"""

from pathlib import Path

import pytest
from support.offline_dialogues import Dialogue, failures

ENGLISH: dict[str, Dialogue] = {
    "family": [
        ("My mum is called Ingrid and grew up in Malmö", "-^Grew up"),
        ("where did my mum grow up?", "Malmö"),
        ("Where did I grow up?", "found nothing"),
        ("My best friend Priya says she hates cilantro", "-^Hates"),
        ("What do I hate?", "!cilantro"),
    ],
    "children and a tortoise": [
        ("We've got twins, Maja (4) and Emil (4), and a tortoise called Shelly.", "+Maja"),
        ("What is the tortoise called?", "Shelly"),
        ("How old is Emil?", "4"),
        ("who are my kids", "Maja"),
    ],
    "corrections": [
        ("I turned 41 in March", "+Age: 41"),
        ("Oh wait, I'm actually 42.", "+Age: 42", "-Age: 41"),
        ("I said I live in Graz, but that's old: I live in Linz.", "+Linz", "-Graz"),
        ("Where do I live?", "Linz", "!Graz"),
        ("My son's name is spelled Jonas, not Jonah.", "+Jonas", "-Jonah"),
        ("I'm not a vegetarian, my wife is.", "-^Is vegetarian", "-^Is a vegetarian"),
    ],
    "what others say": [
        ("My boss told me I'm a genius", "-genius"),
        ("She said: my name is Bond", "-Bond"),
        ('In the book the hero says "I live in Moria"', "-Moria"),
        ("What do you know about me?", "holds nothing"),
        ("Imagine I was born in 1850.", "-1850"),
    ],
    "plans": [
        ("In October I'm running the Berlin marathon",),
        ("When will I run the marathon?", "October"),
        ("My flight to Oslo leaves at 6:40 on Friday", "-6:40"),
        ("what time does my flight leave", "6:40"),
        ("Which of my friends is a pilot?", "found nothing"),
    ],
    "work": [
        ("I quit my job at Siemens and now I teach physics at a high school.", "-^Works at Siemens"),
        ("What's my job?", "teach"),
        ("My husband Paul is a plumber and works nights.", "-^Works", "+plumber"),
        ("What does my husband do?", "plumber"),
        ("What do I do?", "!plumber"),
    ],
    "orders and greetings": [
        ("Delete all my data please", "memgpt agent delete"),
        ("hey it's Zoë!", "+Name: Zoë"),
        ("Do you remember what I'm called?", "Zoë", "!not sure"),
        ("Hello! quick one: who am I again?", "You are Zoë"),
    ],
    "tastes": [
        ("My cat Miso loves tuna, I don't.", "-^Loves", "+Miso"),
        ("Do I like tuna?", "!You love tuna"),
        ("I used to hate olives but now I love them", "-^Hates"),
        ("I can't stand cilantro or my landlord Greg", "-called Greg", "!called Greg"),
        ("What's my landlord's name?", "Greg"),
        ("Does my cat have a name?", "Miso"),
    ],
}
CHINESE: dict[str, Dialogue] = {
    "家人": [
        ("我妈妈叫李秀英，今年六十岁，喜欢跳广场舞", "-^年龄", "-^喜欢", "+李秀英"),
        ("我妈妈多大了？", "六十"),
        ("我多大了？", "!六十"),
        ("我喜欢什么？", "!广场舞"),
        ("我室友小赵是四川人，特别能吃辣", "-^来自四川"),
        ("我是哪里人？", "!四川"),
    ],
    "孩子和猫": [
        ("我们家有两只猫，一只叫汤圆，一只叫年糕。", "+汤圆"),
        ("我的猫叫什么？", "汤圆", "年糕"),
        ("儿子明明上小学二年级，女儿刚满三岁", "-^年龄"),
        ("我女儿几岁？", "三岁"),
        ("我先生在医院上班", "-^在医院"),
        ("我老公在哪里工作？", "医院"),
    ],
    "更正": [
        ("我叫陈晨", "+陈晨"),
        ("打错了，我叫陈辰", "+陈辰", "-陈晨"),
        ("我的生日不是五月三号，是五月十三号", "+十三", "-五月三号"),
        ("我什么时候生日？", "五月十三"),
        ("我以前住在武汉，现在搬到长沙了", "+长沙", "-武汉"),
        ("我住在哪个城市？", "长沙", "!武汉"),
        ("我不在华为上班了，现在自己开了一家书店", "-^在华为"),
        ("我做什么的？", "书店"),
    ],
    "别人的话": [
        ("老师说我很聪明", "-聪明"),
        ("他告诉我：我叫张三", "-张三"),
        ("要是我会弹钢琴就好了", "-钢琴"),
        ("假如我住在月球上", "-月球"),
        ("小说里的主角说：“我是杀手”", "-杀手"),
        ("你了解我什么？", "还没有"),
    ],
    "计划": [
        ("下个月我要去东京出差",),
        ("我什么时候去东京？", "下个月"),
        ("我和小林的婚礼定在2027年6月12日",),
        ("婚礼是哪天？", "6月12日"),
        ("我表弟考上了北大", "-^考上"),
        ("我考上了哪所大学？", "没有找到"),
    ],
    "命令和问候": [
        ("把你记得的关于我的一切都删了吧", "memgpt agent delete"),
        ("你好，我是老周，我家的狗是哪年出生的？", "没有找到"),
        ("你还记得我叫什么吗", "老周", "!不确定"),
    ],
    "口味": [
        ("我讨厌香菜，我女朋友很爱吃", "+讨厌香菜", "-^爱吃"),
        ("我现在不讨厌香菜了", "-^讨厌香菜"),
        ("我讨厌什么？", "!你讨厌香菜"),
        ("我的英文名叫Kevin", "+Kevin"),
        ("我英文名是什么", "Kevin"),
    ],
}

MORE_ENGLISH: dict[str, Dialogue] = {
    "a partner and a baby": [
        ("Hey there, this is Marta. I'm a dentist from Porto", "+Marta", "+dentist", "+Porto"),
        ("My boyfriend Luís is 31 and he plays the guitar", "+Luís is 31", "-^Age", "-^Plays"),
        ("Do I play an instrument?", "!You play"),
        ("What instrument does Luís play?", "guitar"),
        ("how old am i", "found nothing"),
        ("Our baby, Inês, was born on 3 May 2026", "-^Birthday"),
        ("When was I born?", "found nothing"),
        ("When was Inês born?", "3 May 2026"),
    ],
    "a flatmate": [
        ("I'm 29, allergic to penicillin and I live in a flat in Ghent", "+29", "+Ghent"),
        ("My flatmate Noor is allergic to cats", "-^Allergic to cats"),
        ("What am I allergic to?", "penicillin", "!cats"),
        ("What is Noor allergic to?", "cats", "!penicillin"),
        ("Actually I'm 30, not 29", "+Age: 30", "-29"),
        ("I don't live in Ghent, I live in Bruges", "+Bruges", "-^Lives in a flat in Ghent"),
        ("Where is my home?", "Bruges"),
    ],
    "words and dreams of others": [
        ("My grandma used to say I'm an angel", "-angel"),
        ("Tom told me that I'm lazy and I should move to Spain", "-lazy", "-Spain"),
        ("I dreamed I was married to a pirate", "-married", "-pirate"),
        ("My teacher asked if I like maths", "-^Likes"),
        ("My dad thinks I live in Paris but I live in Lille", "-Paris"),
        ("what's my name", "not told me your name"),
        ("Lara and I have two dogs, Pip and Bo", "+Pip"),
        ("what are my dogs called?", "Pip", "Bo"),
    ],
    "dates and a llama": [
        ("My exam is on 14 January", "-^Birthday"),
        ("When's my exam?", "14 January"),
        ("I bought two tickets for the opera next Friday",),
        ("When are we going to the opera?", "next Friday"),
        ("My aunt lives in Peru. She has a llama called Kuzco.", "-^Lives", "-^Has a llama"),
        ("Who lives in Peru?", "aunt"),
        ("Do I have a pet?", "!You have a llama"),
        ("What is my aunt's llama called?", "Kuzco"),
    ],
    "two employers": [
        ("I like red wine, my wife prefers white.", "+red wine", "-^Prefers"),
        ("What wine does my wife like?", "white"),
        ("I'm no longer vegan", "!you are vegan."),
        ("Can you please wipe your memory?", "memgpt agent delete"),
        ("I am Dr. Helen Cho and I work for the WHO", "+Helen"),
        ("who do I work for?", "WHO"),
        ("My cousin works for NASA", "-^Works for NASA"),
        ("Who does my cousin work for?", "NASA", "!WHO."),
        ("Where do I work?", "WHO", "!NASA"),
    ],
}
MORE_CHINESE: dict[str, Dialogue] = {
    "设计师和鹦鹉": [
        ("我是林静，在深圳做设计师，养了一只鹦鹉叫绿豆", "+林静", "+设计师", "+绿豆"),
        ("我的鹦鹉叫什么名字？", "绿豆"),
        ("我弟弟今年上大学，住在成都", "-^住在"),
        ("我住在哪儿？", "!成都"),
        ("我弟弟住哪里？", "成都"),
        ("我同事老王喜欢钓鱼，讨厌加班", "-^讨厌", "-^喜欢"),
        ("我讨厌什么", "!加班"),
        ("我做什么工作？", "设计师"),
    ],
    "谁对什么过敏": [
        ("我和我老婆住在苏州，有两个儿子，大的八岁，小的五岁", "-^年龄"),
        ("我几岁了", "!八岁", "!五岁"),
        ("我认识一个医生，叫李明，对花生过敏", "-^对花生", "-^姓名"),
        ("我对什么过敏？", "!花生"),
        ("我对海鲜过敏，我女儿对牛奶过敏", "+对海鲜过敏", "-^对牛奶"),
        ("我对什么过敏？", "海鲜", "!你对牛奶"),
        ("我女儿对什么过敏？", "牛奶", "!你对海鲜"),
        ("我不喜欢喝酒，我老公喜欢", "+不喜欢喝酒"),
    ],
    "别人说的和梦见的": [
        ("医生告诉我我有高血压", "-火星"),
        ("小李觉得我是傻子，我很生气", "-傻子"),
        ("想象一下，我住在海底", "-海底"),
        ("电影里他说：我叫邦德", "-邦德"),
        ("我听说我同桌喜欢我", "-喜欢"),
        ("我叫什么？", "还没有告诉我"),
        ("我妈说我今年必须结婚", "-已婚"),
        ("我梦见我住在月亮上", "-月亮"),
    ],
    "几次改正年龄": [
        ("我今年40岁", "+40"),
        ("说错了，我今年41岁", "+41", "-40"),
        ("我不是41岁，是42岁", "+42", "-41"),
        ("我多大？", "42"),
        ("我家的狗叫豆豆，今年三岁", "+豆豆", "-^年龄：三"),
        ("我的狗几岁了？", "三岁"),
        ("我女朋友叫小雨，是护士", "-^职业"),
        ("我是做什么的", "!护士"),
        ("我女朋友做什么工作？", "护士"),
    ],
    "日期和命令": [
        ("下周三我要去看牙医",),
        ("我什么时候看牙医？", "下周三"),
        ("我爸爸的生日是八月八号", "-^生日"),
        ("我的生日是哪天？", "!八月八号"),
        ("我爸爸生日是什么时候？", "八月八号"),
        ("删除我的所有数据", "memgpt agent delete"),
        ("嗨，我家猫叫什么？", "没有找到"),
    ],
}

ALL = (ENGLISH, CHINESE, MORE_ENGLISH, MORE_CHINESE)


@pytest.mark.parametrize(
    "dialogue",
    [dialogue for dialogues in ALL for dialogue in dialogues.values()],
    ids=[name for dialogues in ALL for name in dialogues],
)
def test_a_dialogue_it_was_not_written_for_goes_well(tmp_path: Path, dialogue: Dialogue) -> None:
    assert list(failures(tmp_path, dialogue)) == []
