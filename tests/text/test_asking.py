"""What a question asks for: patterns over English and Chinese words."""

import pytest

from memgpt_cli.text.asking import asks_assistant, clauses, without_search_words
from memgpt_cli.text.dates import NamedDate, named_dates


@pytest.mark.parametrize(
    "question",
    [
        "What did you recommend for my resume?",
        "What was your advice on the schedule?",
        "Which books have you suggested?",
        "你建议我去哪里？",
        "你的建议是什么？",
    ],
)
def test_it_asks_what_the_assistant_said(question: str) -> None:
    assert asks_assistant(question)


@pytest.mark.parametrize(
    "question", ["Would you suggest a plan?", "Can you tell me my address?", "What did Ana recommend?", "我住在哪里？"]
)
def test_it_does_not_ask_what_the_assistant_said(question: str) -> None:
    assert not asks_assistant(question)


def test_words_about_the_search_are_left_out() -> None:
    assert without_search_words("Summarize what we discussed about boats").split() == ["what", "we", "about", "boats"]
    assert without_search_words("我们的对话中提到过上海吗").replace(" ", "") == "中上海吗"


def test_several_questions_in_one_are_clauses() -> None:
    assert clauses("Where does Ana live? What is her job?") == ["Where does Ana live?", "What is her job?"]
    assert clauses("我同事有多高？另外，展览的时间是什么？") == ["我同事有多高？", "展览的时间是什么？"]
    assert clauses("Where did we go and what did we eat?") == ["Where did we go", "what did we eat?"]
    assert clauses("Which bread and butter did I buy?") == ["Which bread and butter did I buy?"]


def test_dates_in_a_text() -> None:
    assert list(named_dates("on 8 May 2023, 2023-05-08, 2023年5月8日 or 5月8日")) == [
        NamedDate(2023, 5, 8),
        NamedDate(2023, 5, 8),
        NamedDate(2023, 5, 8),
        NamedDate(None, 5, 8),
    ]
    assert list(named_dates("I may go in March")) == [NamedDate(None, 3, None)]
