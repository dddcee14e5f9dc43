"""Reading an extractor's reply, whatever state it is in."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgpt_cli.facts.reply import FIELDS, LONGEST_VALUE, MARK, MOST_OBJECTS, divide, read

_SUMMARY = "Ana told me about her rent.\nShe also said: 'I moved'. Nothing else."
_FACT = {"of": "Ana", "what": "rent", "is": "700 euros", "quote": "the rent went up to 700"}
_OTHER = {"of": "Ana, Ben", "fact": "Ana and Ben met in Lisbon.", "from": "2019-06", "quote": "we met in Lisbon"}


def _lines(*facts: dict[str, str]) -> str:
    return "\n".join(json.dumps(fact, ensure_ascii=False) for fact in facts)


def test_a_reply_is_divided_at_the_first_line_that_holds_only_the_mark() -> None:
    reply = divide(f"{_SUMMARY}\n{MARK}\n{_lines(_FACT)}\n{MARK}\n{_lines(_OTHER)}")
    assert reply.summary == _SUMMARY
    assert read(reply.facts or "").objects == [_FACT, _OTHER]


@pytest.mark.parametrize(
    "mark", ["**===FACTS===**", "  ===FACTS===  ", "=== FACTS ===", "# ===FACTS===", "===facts==="]
)
def test_a_decorated_mark_is_a_mark(mark: str) -> None:
    reply = divide(f"{_SUMMARY}\n\n{mark}\n{_lines(_FACT)}")
    assert (reply.summary, read(reply.facts or "").objects) == (_SUMMARY, [_FACT])


def test_a_mark_within_a_sentence_is_part_of_the_summary() -> None:
    told = f"They asked what {MARK} means. It is a mark."
    assert divide(told).summary == told
    assert divide(told).facts is None


@pytest.mark.parametrize("before", ["", "```json\n", "Facts:\n", "[\n", "**Facts**\n\n```\n", "事实：\n", "1. ", "- "])
def test_without_a_mark_facts_begin_at_the_first_object(before: str) -> None:
    reply = divide(f"{_SUMMARY}\n\n{before}{_lines(_FACT, _OTHER)}\n```")
    assert reply.summary == _SUMMARY
    assert read(reply.facts or "").objects == [_FACT, _OTHER]


def test_the_summary_is_the_same_wherever_the_reply_is_cut_off() -> None:
    reply = f"{_SUMMARY}\n\n{MARK}\n{_lines(_FACT, _OTHER)}\n"
    whole = [_FACT, _OTHER]
    for end in range(len(_SUMMARY), len(reply) + 1):
        divided = divide(reply[:end])
        assert divided.summary.rstrip() == _SUMMARY
        found = read(divided.facts or "").objects
        assert found == whole[: len(found)]


def _styles() -> list[str]:
    rows = [json.dumps(fact, ensure_ascii=False) for fact in (_FACT, _OTHER)]
    full_width = str.maketrans({"{": "｛", "}": "｝", ":": "：", ",": "，"})
    return [
        "\n".join(rows),
        "[" + ",\n".join(rows) + "]",
        json.dumps([_FACT, _OTHER], indent=2),
        "\n".join(json.dumps(fact, indent=4) for fact in (_FACT, _OTHER)),
        "\n".join(row.replace("}", ",}") for row in rows),
        "\n".join(f"- {row}" for row in rows),
        "\n".join(f"{number}. {row};" for number, row in enumerate(rows, 1)),
        "```json\n" + "\n".join(rows) + "\n```",
        "\n".join(row.replace('"', "'") for row in rows),
        "\n".join(
            row.replace('{"', "{“").replace('": "', "”: “").replace('", "', "”, “").replace('"}', "”}") for row in rows
        ),
        "\n".join(row.replace('", "', '" "') for row in rows),
        "\n".join(row.replace('", "', '"\n"') for row in rows),
        rows[0][:-1] + "\n" + rows[1],
        "\n".join(row.replace('"of"', '"Of"').replace('"quote"', '"QUOTE"') for row in rows),
        rows[0].translate(full_width) + "\n" + rows[1],
        "Here they are:\n" + "\n\n".join(rows) + "\nThat is all.",
    ]


@pytest.mark.parametrize("style", _styles())
def test_malformed_styles_are_read_exactly(style: str) -> None:
    assert read(style).objects == [_FACT, _OTHER]


def test_quotation_marks_within_a_value_are_kept() -> None:
    line = (
        '{"of": "Ana", "what": "favourite book", "is": "the novel "Emma"", "quote": "my favourite is "Emma" by Austen"}'
    )
    assert read(line).objects[0]["is"] == 'the novel "Emma"'
    assert read(line).objects[0]["quote"] == 'my favourite is "Emma" by Austen'


def test_chinese_signs_within_a_value_are_kept() -> None:
    line = "{“of”：“小李”，“what”：“电话”，“is”：“139，家里：12”，“quote”：“我的电话换了，是139”}"
    assert read(line).objects == [{"of": "小李", "what": "电话", "is": "139，家里：12", "quote": "我的电话换了，是139"}]


def test_an_unclosed_last_object_is_dropped() -> None:
    lines = read(_lines(_FACT) + '\n{"of": "Ana", "what": "rent", "is": "7')
    assert lines.objects == [_FACT]
    assert lines.dropped == {"cut off": 1}


def test_sizes_are_bounded() -> None:
    assert read(_lines({**_FACT, "is": "x" * (LONGEST_VALUE + 1)})).dropped == {"too long": 1}
    assert read('{"of": "' + "x" * 5_000).dropped == {"too long": 1}
    many = read("\n".join(_lines(_FACT) for _ in range(MOST_OBJECTS + 7)))
    assert (len(many.objects), many.dropped["over the limit"]) == (MOST_OBJECTS, 7)
    assert len(read(_lines({**_FACT, "quote": "word " * 60})).objects[0]["quote"]) <= 120


def test_values_that_are_no_texts() -> None:
    found = read(
        '{"of": ["Ana", "Ben"], "what": "flat", "is": 12, "from": 2019, "says": null, "quote": {"a": 1}}'
    ).objects
    assert found == [{"of": "Ana, Ben", "what": "flat", "is": "12", "from": "2019"}]


_PIECES = st.sampled_from([
    *(f'"{name}": ' for name in FIELDS), *(f"“{name}”：" for name in FIELDS), "{", "}", "｛", "｝", "[", "]", '"', "“",
    "”", "'", ",", "，", "\n", "```", MARK, "\\", "\\u0000", "\\ud800", "null", "true", "1e999", "-5", "Ana", "小李",
    "\x00",
    '{"of": "user", "what": "home", "is": "Lyon", "quote": "I live in Lyon"}', "{" * 500, "[" * 2_000, "a" * 1_500,
])  # fmt: skip
_HOSTILE = st.one_of(
    st.lists(_PIECES, max_size=40).map("".join),
    st.text(max_size=200),
    st.tuples(st.just(_lines(_FACT, _OTHER)), st.integers(0, 200), st.text(max_size=5), st.integers(0, 5)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + parts[3] :]
    ),
)


@settings(max_examples=1_000, deadline=None)
@given(_HOSTILE)
def test_hostile_output_is_bounded_and_leaves_the_summary_alone(text: str) -> None:
    reply = divide(f"{_SUMMARY}\n{MARK}\n{text}")
    assert reply.summary == _SUMMARY
    lines = read(reply.facts or "")
    assert len(lines.objects) <= MOST_OBJECTS
    for fields in lines.objects:
        assert set(fields) <= set(FIELDS)
        assert all(0 < len(value) <= LONGEST_VALUE and value == " ".join(value.split()) for value in fields.values())
        assert all("\x00" not in value and value.encode() for value in fields.values())
