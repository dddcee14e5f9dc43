"""Dialogues with the offline responder in English and Chinese, line by line; written for this project.

It notes and quotes the person's own words, so expectations name words that were said.
"""

from pathlib import Path

import pytest
from support.offline_dialogues import Dialogue, failures

FROM_THE_ISSUE: dict[str, Dialogue] = {
    "a boss": [
        ("I can't stand my boss, Margaret.", '"I can\'t stand my boss, Margaret."', "!you hate"),
        ("What do I think of Margaret?", "can't stand my boss, Margaret", "!you hate"),
    ],
    "what is known about Nina": [
        ("I live in Ghent.", "+I live in Ghent."),
        ("Nina is my cousin.",),
        ("Nina plays the cello on Sundays.",),
        ("summarize what you know about Nina", "my cousin", "cello", "!Ghent"),
    ],
    "a flight that was moved": [
        ("My flight to Berlin is on 12 January.",),
        ("The flight was moved to 13 January.",),
        ("When do I fly?", "13 January", "^You told me", "13 January<12 January"),
    ],
    "cooking for Nina": [
        ("My friend Nina is vegan and allergic to walnuts.", "+Nina is vegan"),
        ("I bought new shoes yesterday.",),
        ("What should I cook for Nina?", "vegan and allergic to walnuts", "!shoes"),
    ],
    "a family in one sentence": [
        (
            "I'm Tom Berger, 37, I live in Bremen with my wife Ana and our two kids, Max (8) and Leila (5).",
            "+I'm Tom Berger, 37, I live in Bremen with my wife Ana and our two kids, Max (8) and Leila (5).",
        ),
        ("How old is Leila?", "Leila (5)"),
        ("Where do I live?", "Bremen"),
        ("How old am I?", "37"),
        ("What is my name?", "Tom Berger"),
    ],
    "我妈的生日": [
        ("我妈的生日是五月三号。", "+我妈的生日是五月三号", "!你的妈"),
        ("我妈妈的生日是哪天？", "五月三号", "!你的妈"),
        ("我的生日是哪天？", "你还没有告诉我"),
    ],
    "我搬家了": [
        ("我住在徐汇。", "+我住在徐汇"),
        ("我搬家了，现在住浦东。", "+我搬家了，现在住浦东", "-徐汇"),
        ("我住在哪里？", "浦东", "!徐汇"),
    ],
    "nothing told": [
        ("Who is my sister?", "=You have not told me."),
        ("我姐姐是谁？", "=你还没有告诉我。"),
    ],
}
ENGLISH: dict[str, Dialogue] = {
    "a name": [
        ("My name is Ada.", "+My name is Ada.", 'Noted: "My name is Ada."'),
        ("my name is ada", "I know that already"),
        ("What's my name?", "My name is Ada."),
        ("My name is Adele, not Ada.", "+Adele", "-My name is Ada."),
        ("who am i", "Adele"),
    ],
    "a home": [
        ("I live in Lisbon.", "+I live in Lisbon."),
        ("I moved to Porto last week.", "+I moved to Porto last week.", "-Lisbon", "in place of"),
        ("Where do I live?", "Porto", "!Lisbon"),
    ],
    "two facts in a sentence": [
        ("My name is Ada and I live in Lisbon.", "+My name is Ada and I live in Lisbon."),
        ("I moved to Porto.", "+My name is Ada", "+I moved to Porto.", "-Lisbon"),
        ("What is my name?", "Ada"),
        ("Where do I live?", "Porto"),
    ],
    "a job": [
        ("I work as a nurse at the city hospital.", "+nurse"),
        ("I work for a shipyard now.", "+shipyard", "-nurse"),
        ("What do I do for work?", "shipyard", "!nurse"),
    ],
    "a profession": [("I'm a potter.", "+I'm a potter."), ("What do I do?", "potter")],
    "an age": [("I'm 41.", "+I'm 41."), ("I turned 42 yesterday.", "+I turned 42", "-41"), ("How old am I?", "42")],
    "a birthday": [
        ("My birthday is on March 5.", "+March 5"),
        ("I was wrong about my birthday, it's on March 15.", "+March 15", "-March 5."),
        ("When is my birthday?", "March 15"),
    ],
    "a wife's birthday": [
        ("My wife's birthday is on 2 June.", "+2 June"),
        ("When is my birthday?", "=You have not told me."),
        ("When is my wife's birthday?", "2 June"),
    ],
    "a correction behind": [
        ("My dentist is called Brandt.", "+Brandt"),
        ("No, it's Brenner.", "+My dentist is called Brandt. No, it's Brenner."),
        ("What is my dentist called?", "Brenner"),
    ],
    "a correction of a value": [
        ("My son Nils is 4.", "+Nils is 4"),
        ("Correction: Nils is 5, not 4.", "+Nils is 5, not 4.", "-My son"),
        ("How old is Nils?", "5"),
    ],
    "no longer": [
        ("I'm vegetarian.", "+I'm vegetarian."),
        ("I'm not vegetarian any more.", "+not vegetarian any more", "-^I'm vegetarian."),
    ],
    "a dog": [
        ("I have a dog called Bruno.", "+a dog called Bruno"),
        ("What is my dog called?", "Bruno"),
        ("What is my cat called?", "=You have not told me."),
    ],
    "a sister": [
        ("My sister Marguerite lives in Porto.", "+My sister Marguerite lives in Porto."),
        ("Where does my sister live?", "Porto"),
        ("Where does Marguerite live?", "Porto"),
        ("Where do I live?", "=You have not told me."),
    ],
    "a husband by name": [
        ("My husband Erik is an electrician.", "+electrician"),
        ("What does Erik do?", "electrician"),
        ("What does my husband do?", "electrician"),
        ("What do I do?", "!electrician"),
    ],
    "an allergy": [
        ("I'm allergic to nuts.", "+allergic to nuts"),
        ("What am I allergic to?", "nuts"),
        ("What should I not eat?", "nuts"),
    ],
    "a question is not a note": [
        ("Do I live in Rome?", "-Rome"),
        ("Is my name Bob", "-Bob"),
        ("What do you know about me?", "nothing about you yet"),
    ],
    "what if": [
        ("If I were rich, I'd live in Monaco.", "-Monaco"),
        ("I wish I lived in Rome.", "-Rome"),
        ("Imagine I live on Mars.", "-Mars"),
        ("I might move to Oslo.", "-Oslo"),
    ],
    "what others say": [
        ("My friend said: I live on Mars.", "-Mars"),
        ("Ann wrote: “I am vegan. I live in Rome. I have a cat.”", "-vegan", "-Rome", "-cat"),
        ('"I have a boat", he said.', "-boat"),
        ("My neighbour thinks I am a spy.", "-spy"),
    ],
    "passing states": [
        ("I'm tired.", "-tired"),
        ("I'm going to the shop.", "-shop"),
        ("I have a question.", "-question"),
        ("I love that!", "-love"),
    ],
    "remember": [
        ("Remember that the spare key is with Ann.", "archival storage", "spare key is with Ann"),
        ("Where is the spare key?", "with Ann"),
        ("Remember my locker code is 4711.", "+my locker code is 4711"),
        ("What is my locker code?", "4711"),
    ],
    "forget": [
        ("I like tea.", "+I like tea."),
        ("Forget that I like tea.", "-tea", "Removed from core memory"),
        ("forget my birthday", "no such line"),
    ],
    "forget everything": [
        ("My name is Ada.", "+Ada"),
        ("Please forget everything about me.", "deleted nothing", "memgpt forget", "+Ada"),
    ],
    "greetings": [
        ("Hello", "offline responder", "What should I call you?"),
        ("Thanks!", "You're welcome."),
        ("How are you?", "without moods"),
        ("Bye", "Goodbye"),
    ],
    "a greeting that introduces": [("Hi, I'm Ada. I work as a nurse.", "+I'm Ada.", "+I work as a nurse.", "-Hi")],
    "what it is": [
        ("Who are you?", "not a language model", "OPENAI_API_KEY"),
        ("Are you an AI?", "not a language model"),
        ("Write a poem about rain", "not a language model"),
        ("2+2", "not a language model"),
        ("Do you like pizza?", "not a language model"),
    ],
    "about me": [
        ("My name is Ada.", "+Ada"),
        ("I live in Lisbon.", "+Lisbon"),
        ("What do you know about me?", "My name is Ada.", "I live in Lisbon."),
    ],
    "recall without a note": [
        ("The heron came back to the pond this morning.", "-heron"),
        ("When did the heron come back?", "The heron came back to the pond"),
        ("When did the owl come back?", "!owl"),
    ],
    "general knowledge": [("What is the capital of France?", "=You have not told me.")],
    "a doctor": [
        ("My doctor's appointment is on 3 May at 10.", "+3 May at 10"),
        ("The appointment was moved to 5 May.", "-5 May"),
        ("When is my appointment?", "5 May<3 May"),
    ],
    "phone numbers": [
        ("My phone number is 555-0142.", "+555-0142"),
        ("What's my phone number?", "555-0142"),
    ],
    "a pronoun": [
        ("My aunt Rosa works at the zoo.", "+zoo"),
        ("Where does she work?", "zoo"),
    ],
    "small letters": [
        ("i live in leeds", "+i live in leeds"),
        ("i dont live in leeds anymore, moved to york", "+york", "-^i live in leeds"),
        ("where do i live", "york"),
    ],
    "told yesterday": [
        ("I saw the dentist yesterday.", "-dentist"),
        ("What did I do yesterday?", "dentist"),
    ],
    "a named person moves": [
        ("My friend Kari lives in Bergen.", "+Bergen"),
        ("Kari moved to Stavanger.", "+Kari moved to Stavanger."),
        ("Where does Kari live?", "Stavanger"),
    ],
    "a wedding": [
        ("I'm getting married to Sam on 12 June 2027.", "+12 June 2027"),
        ("When is my wedding?", "12 June 2027"),
    ],
    "opinions": [
        ("I love hiking in the Alps.", "+hiking"),
        ("I hate coriander.", "+coriander"),
        ("What do I hate?", "coriander"),
    ],
    "acknowledged": [("The train was late again.", "Got it.", "-train"), ("And it rained.", "=Got it.")],
    "a full family": [
        ("My mother is called Ingrid and my father is called Olaf.", "+Ingrid"),
        ("What is my mother called?", "Ingrid"),
        ("My brother-in-law is a pilot.", "+pilot"),
    ],
    "origin": [("I come from Tromsø.", "+Tromsø"), ("Where do I come from?", "Tromsø")],
    "call me": [("Call me Teddy.", "+Call me Teddy."), ("What is my name?", "Teddy")],
    "a car": [("I drive a red Skoda.", "+Skoda"), ("What car do I drive?", "Skoda")],
    "languages": [("I speak Catalan and Greek.", "+Catalan"), ("Which languages do I speak?", "Catalan")],
    "no words": [("!!!", "no words"), ("?", "!Traceback")],
    "a command is not a note": [("Tell Ann I live in Rome.", "-Rome"), ("Say that I am the king.", "-king")],
}
CHINESE: dict[str, Dialogue] = {
    "名字": [
        ("我叫小明。", "+我叫小明", "记下了：“我叫小明。”"),
        ("我叫什么？", "我叫小明"),
        ("我的名字不是小明，是晓明。", "+晓明", "-^我叫小明"),
    ],
    "住处": [("我住在上海。", "+上海"), ("我搬到杭州了。", "+杭州", "-上海"), ("我住哪里？", "杭州")],
    "工作": [("我在北京当老师。", "+老师"), ("我做什么工作？", "老师")],
    "年龄": [("我今年三十二岁。", "+三十二岁"), ("我今年三十三岁。", "+三十三", "-三十二"), ("我几岁？", "三十三")],
    "生日": [("我的生日是六月八日。", "+六月八日"), ("我生日是什么时候？", "六月八日")],
    "女儿": [
        ("我有一个女儿，叫朵朵，今年五岁。", "+我有一个女儿，叫朵朵，今年五岁"),
        ("我女儿叫什么？", "朵朵"),
        ("我几岁？", "你还没有告诉我"),
    ],
    "猫": [("我养了一只猫，叫咪咪。", "+咪咪"), ("我的猫叫什么？", "咪咪")],
    "过敏": [("我对花生过敏。", "+花生"), ("我对什么过敏？", "花生")],
    "喜欢": [("我喜欢喝乌龙茶。", "+乌龙茶"), ("我喜欢喝什么？", "乌龙茶")],
    "别人的话": [("我朋友说：我住在火星。", "-火星"), ("我同事告诉我他喜欢我。", "-喜欢")],
    "假设": [("如果我有钱，我住在三亚。", "-三亚"), ("我做了一个梦，我是国王。", "-国王")],
    "问题": [("我住在北京吗？", "-北京"), ("我是不是很忙", "-忙")],
    "记住": [("记住我的车牌是沪A12345。", "+沪A12345"), ("我的车牌是什么？", "沪A12345")],
    "忘记": [("我喜欢喝茶。", "+喝茶"), ("忘记我喜欢喝茶。", "-喝茶")],
    "问候": [("你好", "离线应答器"), ("谢谢", "不客气"), ("再见", "再见")],
    "你是谁": [("你是谁？", "不是语言模型"), ("帮我写一首诗", "不是语言模型")],
    "关于我": [("我叫小明。", "+小明"), ("你知道我什么？", "我叫小明")],
    "没有告诉": [("我的护照号码是多少？", "=你还没有告诉我。")],
    "对话记录": [("今天下午修好了自行车。", "好的", "-自行车"), ("自行车什么时候修好的？", "修好了自行车")],
    "忘记一切": [("我叫小明。", "+小明"), ("请忘记关于我的一切。", "没有删除", "+小明")],
    "妻子": [("我太太叫小芳，在医院上班。", "+小芳"), ("我老婆叫什么？", "小芳"), ("我做什么工作？", "你还没有告诉我")],
    "两种语言": [("I live in Beijing.", "+Beijing"), ("我住在哪里？", "I live in Beijing.")],
}
ALL = {**FROM_THE_ISSUE, **ENGLISH, **CHINESE}


@pytest.mark.parametrize("dialogue", ALL.values(), ids=ALL)
def test_a_dialogue(tmp_path: Path, dialogue: Dialogue) -> None:
    assert list(failures(tmp_path, dialogue)) == []


def test_there_are_enough_of_them() -> None:
    assert len(ALL) >= 60
