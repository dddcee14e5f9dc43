"""What a newcomer found wrong with the offline responder, and variations of it; each line must stay right.

Each dialogue is one agent; see `support.offline_dialogues` for how expectations are written.
"""

from pathlib import Path

import pytest
from support.offline_dialogues import Dialogue, failures

ENGLISH: dict[str, Dialogue] = {
    "a father's home": [
        ("My father is called Tom and lives in Tianjin", "+Father: Tom", "-^Lives"),
        ("Where do I live?", "found nothing"),
        ("Where does my father live?", "Tianjin"),
        ("Where does Tom live?", "Tianjin"),
    ],
    "a daughter's age": [
        ("I have a daughter, Dora, five years old", "+Daughter: Dora", "-^Age"),
        ("How old am I?", "!five"),
        ("How old is my daughter?", "five"),
        ("How old is Dora?", "five"),
    ],
    "a brother moves": [
        ("I have a brother named Leo who lives in Oslo", "+Brother Leo lives in Oslo", "-^Lives"),
        ("Where do I live?", "!Oslo"),
        ("My brother lives in Bergen now", "+Bergen", "-Oslo", "-^Lives"),
        ("Where does Leo live?", "Bergen"),
        ("My brother is a plumber", "-^Is a plumber"),
        ("what do i do for work", "!plumber"),
        ("What does Leo do for work?", "plumber"),
    ],
    "two kids": [
        ("We have two kids: Elsa is 7 and Nils is 4.", "+Elsa", "+Nils", "-^Age"),
        ("How old is Elsa?", "Your child Elsa is 7."),
        ("Correction: Nils is 5, not 4.", "+Nils is 5", "-Nils is 4"),
        ("How old is Nils?", "5"),
        ("My husband is called Per", "+Husband: Per"),
        ("Tell me about my family", "Per", "Elsa", "Nils"),
    ],
    "a wife's birthday": [
        ("My wife's birthday is on 2 June.", "-^Birthday"),
        ("When is my birthday?", "found nothing"),
        ("My birthday is on March 5.", "+Birthday: March 5"),
        ("I was wrong about my birthday, it's on March 15.", "+March 15", "-March 5."),
        ("When is my birthday?", "March 15", "!2 June"),
        ("When is my wife's birthday?", "2 June", "!March"),
    ],
    "another name": [
        ("My name is Tom", "+Name: Tom"),
        ("Tom's not my real name, it's Thomas.", "+Name: Thomas", "-^Name: Tom\n"),
        ("remind me what my name is", "Your name is Thomas"),
        ("Do you still know my name?", "Your name is Thomas", "!not sure"),
    ],
    "another job": [
        ("I work as a marine biologist at the university", "+marine biologist"),
        (
            "I no longer work at the university; I started at the aquarium as head curator",
            "+head curator",
            "+aquarium",
            "-marine",
        ),
        ("What do I do for work?", "head curator", "!marine biologist"),
    ],
    "plans": [
        ("Next July we are flying to Lisbon",),
        ("When are we going to Lisbon?", "Next July"),
        ("I'm getting married to Sam on 12 June 2027",),
        ("When is my wedding?", "12 June 2027"),
    ],
    "two animals": [
        ("My dog is called Bosse and the cat is Misha", "+Dog: Bosse", "+Cat: Misha"),
        ("What's my dog's name?", "Your dog is called Bosse.", "!called Misha"),
        ("What is my cat called?", "Your cat is called Misha.", "!Your dog"),
    ],
    "a neighbour among other things": [
        ("I hate Mondays and my neighbour Karen", "!called Karen", "-called Karen", "-Neighbour: "),
    ],
    "a greeting that asks": [
        ("I'm Ada", "+Name: Ada"),
        ("My dog was born in Leeds",),
        ("Hi, it's Ada again, where was my dog born?", "Leeds"),
        ("Hello, where do I live?", "found nothing"),
    ],
    "what others say": [
        ("My friend said: I live on Mars", "-Mars"),
        ("My friend says she loves rain and I love snow", "-rain"),
        ("Ann wrote: “I am vegan. I live in Rome. I have a cat.”", "-vegan", "-Rome", "-cat"),
        ("If I were rich, I live in Monaco", "-Monaco"),
        ("What do you know about me?", "holds nothing"),
    ],
    "forget everything": [
        ("My name is Ada", "+Ada"),
        ("Please forget everything about me.", "deleted nothing", "memgpt forget", "memgpt agent delete", "+Ada"),
        ("delete my data", "memgpt agent delete", "+Ada"),
        ("forget my name", "-Ada"),
    ],
    "the language of an answer": [
        ("我住在London", "你住在London。"),
        ("Where do I live?", "你住在London。"),
    ],
    "a name beside a picture": [
        ("My name is Zed👩‍👩‍👧", "+Name: Zed", "-\u200d"),
    ],
    "small letters and short forms": [
        ("i live in leeds and work as a plumber", "+Leeds", "+plumber"),
        ("my gf is called lucy, she's 28 and works at tesco", "+Gf: Lucy", "+28", "-^Age", "-^Works at tesco"),
        ("where does lucy work", "tesco"),
        ("my mums name is carol and my dads name is pete", "+Mum: Carol", "+Dad: Pete"),
        ("whats my dog called", "!Your dad is called Pete."),
        ("i dont live in leeds anymore, moved to york", "+York", "-leeds"),
        ("my birthday is 4th july", "+4th july"),
        ("sorry my birthday is the 5th of july not 4th", "+5th", "-4th"),
        ("im allergic to cats but lucy isnt", "+allergic to cats", "-lucy isnt"),
        ("what's lucy's birthday?", "found nothing"),
    ],
    "a known name moves": [
        ("I live in Tromsø with my husband Erik", "+Tromsø", "+Husband: Erik"),
        ("My sister Kari lives in Bergen", "+Sister Kari lives in Bergen"),
        ("Kari moved to Stavanger last month", "+Sister Kari lives in Stavanger", "-Bergen", "-last month"),
        ("Where does Kari live now?", "Stavanger", "!Your sister Kari lives in Bergen"),
        ("My husband is an electrician", "+electrician", "-^Is an"),
        ("What does Erik do?", "electrician"),
    ],
    "a niece": [
        ("My brother has a daughter, she is 5", "-Brother is 5"),
        ("My wife loves Tom and he is a plumber", "-Wife is"),
        ("I have two sisters who live in Leeds and work as nurses", "-^Works", "-^Lives"),
    ],
    "a value of two words": [
        ("I live in Boston", "+Boston"),
        ("I live in New York, not Boston", "+Lives in New York", "-Boston"),
        ("I have 2 cats", "+2 cats"),
        ("I have 3 cats, not 2", "+3 cats", "-2 cats", "-cats cats"),
    ],
    "cats": [
        ("We have three cats", "+three cats"),
        ("How many cats do I have?", "three cats"),
    ],
}
CHINESE: dict[str, Dialogue] = {
    "女儿的名字和年龄": [
        ("我叫王小明，今年三十二岁。", "+王小明", "+三十二"),
        ("我有一个女儿，叫朵朵，今年五岁。", "+女儿叫朵朵", "+王小明", "+年龄：三十二岁", "-^年龄：五"),
        ("我几岁？", "三十二", "!五岁"),
        ("我女儿几岁？", "五岁", "!三十二"),
        ("我叫什么？", "王小明", "!朵朵"),
        ("我女儿叫什么？", "朵朵", "!王小明"),
    ],
    "爸爸的家": [
        ("我爸爸叫张大山，住在天津。", "+爸爸叫张大山", "-^住在"),
        ("我住在哪里？", "!天津"),
        ("我爸爸住在哪里？", "天津"),
    ],
    "朋友的话": [
        ("我朋友说：我住在火星", "-火星"),
        ("我同事告诉我他喜欢我", "-喜欢"),
        ("我朋友觉得我很懒，我是猪", "-猪"),
        ("你知道我什么", "还没有"),
    ],
    "茶和咖啡": [
        ("我最喜欢的颜色是蓝色", "+蓝色"),
        ("我喜欢喝咖啡但是不喜欢喝茶", "+喜欢喝咖啡", "+不喜欢喝茶"),
        ("我现在喜欢喝茶了", "+喜欢喝茶", "-不喜欢喝茶"),
        ("我喜欢喝什么？", "咖啡", "茶", "!不喜欢", "!蓝色"),
    ],
    "名字": [
        ("我是张伟。", "+姓名：张伟"),
        ("我的名字不是张伟，是章伟。", "+章伟", "-张伟"),
        ("我叫什么？", "章伟"),
    ],
    "工作": [
        ("在北京当老师", "-老师"),
        ("我在北京当老师", "+北京", "+老师"),
        ("我做什么工作？", "老师"),
    ],
    "太太": [
        ("我太太叫小芳", "+小芳"),
        ("我老婆叫什么", "小芳"),
        ("我妻子的名字是什么？", "小芳"),
    ],
    "狗": [
        ("我有一条狗叫旺财", "!你的有", "+狗叫旺财"),
        ("我的狗叫什么？", "旺财", "!你的有"),
    ],
    "忘记一切": [
        ("我叫小明", "+小明"),
        ("请忘记关于我的一切", "没有删除", "memgpt forget", "memgpt agent delete", "+小明"),
        ("你还记得我的名字吗？", "小明", "!不确定"),
    ],
    "喜欢的人": [
        ("我喜欢的演员叫张译，今年四十五岁", "-年龄"),
        ("我喜欢小王，今年三十岁，住在西安", "-年龄", "-西安"),
        ("我叔叔有一个女儿，叫小美，今年十岁", "-叔叔叫小美", "-十岁"),
        ("我同事的老婆叫丽丽，住在南京", "-南京"),
    ],
    "书的名字": [
        ("我叫小明", "+姓名：小明"),
        ("我读过一本书，叫活着，喜欢里面的人", "+姓名：小明", "-活着"),
        ("我做了一个梦，是个噩梦", "-噩梦"),
        ("我买了一辆车，叫小白", "-小白"),
    ],
    "爱人和孩子": [
        ("我是赵敏，在上海当律师，老家在湖南", "+赵敏", "+律师", "+湖南"),
        (
            "我爱人叫建国，是医生，我们有一个儿子，叫乐乐，今年三岁了",
            "+职业：律师",
            "-职业：医生",
            "+爱人是医生",
            "+儿子叫乐乐",
        ),
        ("我做什么工作", "律师", "!医生"),
        ("我老公是做什么的", "医生"),
        ("更正：乐乐今年四岁，不是三岁", "+儿子今年四岁", "-三岁"),
        ("乐乐几岁？", "四岁"),
        ("我爸妈住在长沙", "-^住在"),
        ("我住在哪里", "没有找到"),
    ],
    "回答用的语言": [
        ("I live in Beijing", "you live in Beijing."),
        ("我住在哪里？", "You live in Beijing.", "!Beijing。"),
    ],
}


@pytest.mark.parametrize("dialogue", [*ENGLISH.values(), *CHINESE.values()], ids=[*ENGLISH, *CHINESE])
def test_what_a_newcomer_found_stays_right(tmp_path: Path, dialogue: Dialogue) -> None:
    assert list(failures(tmp_path, dialogue)) == []
