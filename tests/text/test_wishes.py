"""Standing wishes in a person's messages, and what only looks like one."""

import pytest

from memgpt_cli.text.wishes import LONGEST, standing_wishes

WISHES = [
    "Always give me temperatures in Celsius when I ask about the weather.",
    "From now on, please answer in French.",
    "from now on call me Captain",
    "Never use emojis in your replies.",
    "Please never suggest seafood, I'm allergic.",
    "Going forward, don't add disclaimers.",
    "Whenever I ask for a recipe, list the ingredients first.",
    "When I ask about trains, always check for strikes.",
    "If I send you a draft, correct the grammar without asking.",
    "Don't ever mention my ex when I talk about the wedding.",
    "I'd like you to always show your sources.",
    "Keep your answers short from now on.",
    "Remind me to stretch every time I start working.",
    "In future, use metric units.",
    "Next time, ask me before you shorten a text.",
    "以后我问天气的时候，请用摄氏度回答。",
    "从现在起叫我小李。",
    "今后回答都用中文。",
    "以後請不要用表情符號。",
    "每次我问菜谱，都要先列出食材。",
    "只要我提到出差，就提醒我带护照。",
    "请始终用表格回答我。",
    "永远不要推荐海鲜。",
    "請總是先給我結論。",
    "これからは敬語で話してください。",
    "앞으로는 짧게 대답해 주세요.",
]

OTHERS = [
    "I always have coffee before work.",
    "Never had a chance to visit it.",
    "Always wanted to learn the cello.",
    "I'll never forget that day.",
    "Why does the build always fail?",
    "Should I always back up first?",
    "Can you always see the moon from here?",
    "From now on I will run every morning.",
    "When I ask my sister about it, she laughs.",
    "Whenever it rains, the cellar floods.",
    "In the future I might move to Oslo.",
    "Going forward was hard after the accident.",
    "Never give up!",
    "Never say never.",
    "He told me to stop smoking.",
    "我以后要多运动。",
    "以后我要去西藏看看。",
    "每次走到那里，心情都很好。",
    "她总是迟到。",
    "我永远忘不了那一天。",
    "以后会好的。",
    "我一直住在厦门。",
]


@pytest.mark.parametrize("text", WISHES)
def test_a_wish_is_found(text: str) -> None:
    assert standing_wishes(text) == [text]


@pytest.mark.parametrize("text", OTHERS)
def test_what_is_told_asked_or_planned_is_not_one(text: str) -> None:
    assert standing_wishes(text) == []


def test_only_the_sentence_itself_is_taken_on_one_line() -> None:
    text = "I moved to Faro in May.\nAlways use  metric units when I ask\tfor a recipe. Thanks!"
    assert standing_wishes(text) == ["Always use metric units when I ask for a recipe."]


def test_a_pasted_text_is_not_one() -> None:
    assert standing_wishes(f"Always write {'very ' * LONGEST}long sentences") == []
