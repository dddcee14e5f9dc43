"""Text is text in whatever encoding it was saved, and what is not text says so."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgpt_cli.documents.encodings import decode
from memgpt_cli.errors import DocumentError

CHINESE = "今天天气很好，我们去公园散步了。会议定在下周三下午，请大家准时参加。\n"
JAPANESE = "今日はとても天気がいいので、公園へ散歩に行きました。会議は水曜日です。\n"
KOREAN = "오늘은 날씨가 좋아서 공원에 산책하러 갔습니다.\n"
RUSSIAN = "Сегодня хорошая погода, и мы пошли гулять в парк.\n"
GERMAN = "Über den Wolken muß die Freiheit wohl grenzenlos sein. Größe, Straße, schön.\n"
FRENCH = "Où est passé l'été dernier ? Élève déjà prêt à l'école, ça va très bien.\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((text, name) for text in (CHINESE, JAPANESE, GERMAN) for name in ("utf-8", "utf-8-sig", "utf-16", "utf-32")),
        (CHINESE, "gb18030"),
        (CHINESE * 50, "gb18030"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (KOREAN, "euc_kr"),
        (RUSSIAN, "cp1251"),
        (GERMAN, "latin-1"),
        (FRENCH, "latin-1"),
        ("Café", "latin-1"),
        ("Plain words, no mark.\n", "utf-16-le"),
        ("Plain words, no mark.\n", "utf-16-be"),
    ],
)
def test_the_encoding_is_detected(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=200))
def test_utf8_always_comes_back(text: str) -> None:
    assert decode(text.encode()) == text.removeprefix("\ufeff")


def test_line_ends_become_line_feeds() -> None:
    assert decode(b"a\r\nb\rc\n") == "a\nb\nc\n"


def test_a_large_legacy_file_is_not_cut_inside_a_character() -> None:
    text = "测" * 3 + CHINESE * 6_000
    assert decode(text.encode("gb18030")) == text


def test_a_log_with_broken_bytes_stays_utf8() -> None:
    data = (CHINESE * 3).encode()
    assert decode(data[:50] + b"\xff" + data[50:]).count("�") <= 3
    assert decode(data[:-2]).startswith(CHINESE)


def test_what_a_file_declares_is_believed_when_it_holds() -> None:
    assert decode("# -*- coding: koi8-r -*-\nпо".encode("koi8-r")) == "# -*- coding: koi8-r -*-\nпо"
    assert decode("# coding: ascii\nCafé".encode()) == "# coding: ascii\nCafé"


@pytest.mark.parametrize("size", [40, 1_000, 100_000])
def test_random_bytes_are_not_text(size: int) -> None:
    data = (
        bytes(range(256)) * (size // 256) + os.urandom(size)
        if size > 256
        else bytes(range(128, 160)) + b"\x01\x02\x03\x04\x05"
    )
    with pytest.raises(DocumentError, match="not text"):
        decode(data)
