"""Eighty lines that the offline responder was not written for: made up before its rules were looked at again.

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


@pytest.mark.parametrize("dialogue", [*ENGLISH.values(), *CHINESE.values()], ids=[*ENGLISH, *CHINESE])
def test_a_dialogue_it_was_not_written_for_goes_well(tmp_path: Path, dialogue: Dialogue) -> None:
    assert list(failures(tmp_path, dialogue)) == []
