"""What the offline responder takes down from a sentence, and how a line of core memory is replaced and said back."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.llm.offline import chinese, dates, english
from memgpt_cli.llm.offline.facts import Fact, parse_line, replaced_by, says_all, slot, unique_part
from memgpt_cli.llm.offline.speech import joined, said_back, to_second_person


@pytest.mark.parametrize(
    ("sentence", "lines"),
    [
        ("My name is Ada", ["Name: Ada"]),
        ("hey, my name's ada lovelace", ["Name: Ada Lovelace"]),
        ("I'm Grace Hopper and I'm 37 years old", ["Name: Grace Hopper", "Age: 37"]),
        ("hi there, I'm Tom and this is my first time here", ["Name: Tom"]),
        ("You can call me Gracie", ["Goes by Gracie"]),
        ("i live in lyon", ["Lives in Lyon"]),
        ("I've been living near Oxford since 2010", ["Lives near Oxford"]),
        ("I live with my wife Jane in a small town near Oxford", ["Wife: Jane", "Lives in a small town near Oxford"]),
        ("We moved to Berlin last month because of work", ["Lives in Berlin"]),
        ("I no longer live in Boston", ["No longer lives in Boston"]),
        ("I'm from Portugal originally", ["Comes from Portugal"]),
        ("I grew up in Leeds", ["Grew up in Leeds"]),
        ("I was born on 9 December 1986", ["Birthday: 9 December 1986"]),
        ("I work as a nurse at St Mary's", ["Works as a nurse", "Works at St Mary's"]),
        ("I just started a new job at Google", ["Works at Google"]),
        ("I'm a nurse", ["Is a nurse"]),
        ("Im vegan", ["Is vegan"]),
        ("I'm not vegan anymore", ["Not vegan"]),
        (
            "I am allergic to nuts, shellfish and pollen",
            ["Allergic to nuts", "Allergic to shellfish", "Allergic to pollen"],
        ),
        ("I have asthma", ["Has asthma"]),
        ("I can't swim", ["Cannot swim"]),
        ("I really love hiking in the mountains!!", ["Loves hiking in the mountains"]),
        ("i dont like mushrooms", ["Dislikes mushrooms"]),
        ("I love jazz, chess and tea", ["Loves jazz", "Loves chess", "Loves tea"]),
        ("I like fish and chips", ["Likes fish and chips"]),
        ("I'm a big fan of Arsenal", ["Likes Arsenal"]),
        ("I'd love to visit Japan", ["Wants to visit Japan"]),
        ("My favourite colour is blue", ["Favorite colour: blue"]),
        ("Blue is my favorite color", ["Favorite color: Blue"]),
        ("my sister Ann works at Airbus", ["Sister Ann works at Airbus"]),
        ("My older brother's name is Tom", ["Older brother: Tom"]),
        ("Our dog is called Biscuit", ["Dog: Biscuit"]),
        ("We have three kids: Amy, Ben and Cleo", ["Has three kids: Amy, Ben and Cleo"]),
        ("I have two kids and a dog named Rex", ["Has two kids", "Has a dog named Rex"]),
        ("My email is ada@example.com", ["Email: ada@example.com"]),
        ("I speak French, Spanish and a bit of German", ["Speaks French, Spanish and a bit of German"]),
        ("I play the piano and I'm learning Japanese", ["Plays piano", "Learning Japanese"]),
        # nothing lasting, nothing about the speaker, or nothing at all
        ("I like it", []),
        ("I love to", []),
        ("I'd love to see your garden", []),
        ("I hate it when people are late", []),
        ("I'm so tired", []),
        ("I'm a bit lost", []),
        ("I'm here", []),
        ("I live in fear", []),
        ("I moved to a new office", []),
        ("call me later", []),
        ("I work at night", []),
        ("I went to Rome yesterday", []),
        ("my sister is visiting me", []),
        ("my car is broken", []),
        ("if I lived in Rome I would be happy", []),
        ("I used to live in Leeds", []),
        ("Ann said, I live in Boston", []),
        ("He asked whether I like jazz", []),
        ("Caroline: I live in Boston", []),
        ("my " * 500, []),
    ],
)
def test_an_english_sentence_gives_these_lines(sentence: str, lines: list[str]) -> None:
    assert [fact.line for fact in english.facts(sentence)] == lines


@pytest.mark.parametrize(
    ("sentence", "lines"),
    [
        ("我叫小明", ["姓名：小明"]),
        ("大家都叫我小李", ["昵称：小李"]),
        ("我姓王", ["姓：王"]),
        ("你好，我是北京人，今年25岁", ["来自北京", "年龄：25岁"]),
        ("我住在上海浦东", ["住在上海浦东"]),
        ("我们家在杭州", ["住在杭州"]),
        ("我搬到杭州了", ["住在杭州"]),
        ("我已经不住在北京了", ["不再住在北京"]),
        ("我来自四川成都", ["来自四川成都"]),
        ("我在腾讯工作", ["在腾讯工作"]),
        ("我在一家互联网公司上班", ["在一家互联网公司工作"]),
        ("我换工作了，现在在阿里巴巴工作", ["在阿里巴巴工作"]),
        ("我今年三十岁，是一名程序员", ["年龄：三十岁", "职业：程序员"]),
        ("我是中学老师", ["职业：中学老师"]),
        ("我是做后端开发的", ["职业：做后端开发"]),
        ("我的生日是5月3日", ["生日：5月3日"]),
        ("我对花生过敏", ["对花生过敏"]),
        ("我不对花生过敏", ["不对花生过敏"]),
        ("我不吃辣", ["不吃辣"]),
        ("我有糖尿病", ["有糖尿病"]),
        ("我特别喜欢打篮球", ["喜欢打篮球"]),
        ("我不喜欢香菜", ["不喜欢香菜"]),
        ("我最喜欢的颜色是蓝色", ["最喜欢的颜色：蓝色"]),
        ("我的猫叫咪咪", ["猫叫咪咪"]),
        ("我养了一只猫，名字叫豆豆", ["有一只猫", "猫叫豆豆"]),
        ("我妹妹小红在北京读书", ["妹妹小红在北京读书"]),
        ("我老婆叫韩梅梅", ["老婆叫韩梅梅"]),
        ("我们有两个孩子", ["有两个孩子"]),
        ("我会说英语和日语", ["会说英语和日语"]),
        ("我正在学日语", ["在学日语"]),
        ("我的邮箱是lilei@example.com", ["邮箱：lilei@example.com"]),
        ("我结婚了", ["已婚"]),
        # nothing lasting, nothing about the speaker, or nothing at all
        ("我昨天去看了牙医", []),
        ("我喜欢你", []),
        ("我在家", []),
        ("我叫了外卖", []),
        ("小红说：我住在广州", []),
        ("他说他喜欢我", []),
        ("如果我住在巴黎就好了", []),
        ("我住在哪里", []),
        ("今天天气不错", []),
        ("我" * 500, []),
    ],
)
def test_a_chinese_sentence_gives_these_lines(sentence: str, lines: list[str]) -> None:
    assert [fact.line for fact in chinese.facts(sentence)] == lines


@pytest.mark.parametrize(
    ("line", "clause"),
    [
        ("Name: Ada", "your name is Ada"),
        ("Lives in Lyon", "you live in Lyon"),
        ("Age: 37", "you are 37 years old"),
        ("Not allergic to nuts", "you are not allergic to nuts"),
        ("No longer works at Airbus", "you no longer work at Airbus"),
        ("Born in Paris", "you were born in Paris"),
        ("Wife: Maria", "your wife is called Maria"),
        ("Favorite band: Radiohead", "your favorite band is Radiohead"),
        ("Sister Ann works at Airbus", "your sister Ann works at Airbus"),
        ("Loves hiking with my dog", "you love hiking with your dog"),
        ("I have a dentist appointment on Friday", "you have a dentist appointment on Friday"),
        ("Caroline: Lives in Boston", "Caroline lives in Boston"),
        ("Caroline: Allergic to nuts", "Caroline is allergic to nuts"),
        ("Caroline: Loves cooking with my sister", "Caroline loves cooking with their sister"),
        ("姓名：小明", "你叫小明"),
        ("猫叫咪咪", "你的猫叫咪咪"),
        ("最喜欢的颜色：蓝色", "你最喜欢的颜色是蓝色"),
        ("a line that somebody else wrote", None),
    ],
)
def test_a_line_is_said_back_to_the_person_it_is_about(line: str, clause: str | None) -> None:
    assert said_back(line) == clause


def test_a_line_with_the_readers_own_name_speaks_to_the_reader() -> None:
    assert said_back("Ann: Lives in Lyon", to="ann") == "you live in Lyon"


@pytest.mark.parametrize(
    ("block", "line", "old"),
    [
        ("Name: Ada\nLives in Lyon", "Lives in Paris", "Lives in Lyon"),
        ("Name: Ada\nLives in Lyon", "Likes Lyon", None),
        ("Likes coffee", "Dislikes coffee", "Likes coffee"),
        ("Likes coffee", "Likes tea", None),
        ("Wife: Marta", "Wife: Maria", "Wife: Marta"),
        ("Brother: Tom", "Brother: Jim", None),
        ("Favorite colour: blue", "Favorite color: green", "Favorite colour: blue"),
        ("Works as a nurse", "Works at Airbus", None),
        ("Is vegan", "Not vegan", "Is vegan"),
        ("Name: Ada", "姓名：艾达", "Name: Ada"),
        ("住在上海", "不再住在上海", "住在上海"),
        ("喜欢香菜", "不喜欢香菜", "喜欢香菜"),
    ],
)
def test_a_fact_replaces_the_line_that_is_about_the_same_thing(block: str, line: str, old: str | None) -> None:
    assert replaced_by(Fact(line), None, block) == old


def test_a_fact_of_one_speaker_never_replaces_anothers() -> None:
    block = "Caroline: Lives in Boston\nLives in Lyon"
    assert replaced_by(Fact("Lives in Rome"), "Melanie", block) is None
    assert replaced_by(Fact("Lives in Rome"), "Caroline", block) == "Caroline: Lives in Boston"
    assert replaced_by(Fact("Lives in Rome"), None, block) == "Lives in Lyon"


def test_a_line_that_says_more_is_not_replaced_by_one_that_says_less() -> None:
    assert says_all("Birthday: 9 December 1986", Fact("Birthday: December 9"))
    assert not says_all("Birthday: December 9", Fact("Birthday: 9 December 1986"))
    assert not says_all("Allergic to nuts", Fact("Not allergic to nuts"))
    assert not says_all("不喜欢香菜", Fact("喜欢香菜"))


def test_a_speakers_name_is_told_from_a_label() -> None:
    assert parse_line("Caroline: Lives in Boston").speaker == "Caroline"
    assert parse_line("Name: Ada").speaker is None
    assert parse_line("Sister: Ann").speaker is None
    assert slot("Sister: Ann") == slot("Sister: Beth")


@given(st.lists(st.text(alphabet="ab \n", max_size=6), max_size=8), st.text(alphabet="ab", min_size=1, max_size=4))
def test_what_is_to_be_replaced_stands_in_the_block_exactly_once(lines: list[str], line: str) -> None:
    block = "\n".join([*lines, line])
    part = unique_part(block, line)
    assert part is None or (block.count(part) == 1 and part.endswith(line))


def test_neighbouring_clauses_do_not_repeat_how_they_begin() -> None:
    clauses = ["you are allergic to nuts", "you are allergic to pollen", "your name is Ada"]
    assert joined(clauses, chinese=False) == "you are allergic to nuts, pollen, and your name is Ada"
    assert to_second_person("I'm sure my dog likes me") == "you are sure your dog likes you"


SAID_ON = date(2023, 5, 10)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("I went there yesterday", "9 May 2023"),
        ("last Saturday", "6 May 2023"),
        ("next Friday", "12 May 2023"),
        ("last week", "the week of 1 May 2023"),
        ("last weekend", "the weekend of 6 May 2023"),
        ("last month", "April 2023"),
        ("last year", "2022"),
        ("ten years ago", "around 2013"),
        ("two days ago", "8 May 2023"),
        ("a month ago", "around April 2023"),
        ("the day before yesterday", "8 May 2023"),
    ],
)
def test_time_words_are_resolved_against_the_day_they_were_said(text: str, meaning: str) -> None:
    assert [dates.in_words(when, chinese=False) for when in dates.resolve(text, SAID_ON)] == [meaning]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("我昨天去了", "2023年5月9日"),
        ("上周六", "2023年5月6日"),
        ("上周日", "2023年5月7日"),
        ("下周", "2023年5月15日那一周"),
        ("上个月", "2023年4月"),
        ("去年", "2022年"),
        ("三天前", "2023年5月7日"),
    ],
)
def test_chinese_time_words_too(text: str, meaning: str) -> None:
    assert [dates.in_words(when, chinese=True) for when in dates.resolve(text, SAID_ON)] == [meaning]


@pytest.mark.parametrize("text", ["recently", "on Friday", "7 May 2023", "999 years ago in year 1", "以前", ""])
def test_what_is_vague_or_says_its_own_date_is_left_alone(text: str) -> None:
    assert dates.resolve(text, date(30, 1, 1)) == []
