"""Token counts: exact with the published tables, linear in time, and an estimate that stays above."""

import hashlib
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgpt_cli.errors import StorageError
from memgpt_cli.llm import rank_tables
from memgpt_cli.llm.rank_tables import CL100K, O200K, RankTable, pack, published, read_ranks
from memgpt_cli.llm.token_counters import (
    EstimateCounter,
    TableCounter,
    _encoding,
    counter_for,
    table_counter,
    utf8_length,
)

any_text = st.text(st.characters(exclude_categories=()), max_size=300)
TABLES = pytest.mark.parametrize("table", [O200K, CL100K], ids=lambda table: table.name)


@TABLES
def test_the_packed_table_holds_what_openai_publishes(table: RankTable) -> None:
    text = published(table)
    assert hashlib.sha256(text).hexdigest() == table.published_sha256
    assert hashlib.sha256(zlib.decompress(pack(text))).hexdigest() == table.sha256
    assert len(read_ranks(table)) == table.tokens


@TABLES
def test_the_pattern_is_tiktokens_own(table: RankTable, monkeypatch: pytest.MonkeyPatch) -> None:
    from tiktoken_ext import openai_public

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", lambda *_, **__: {})
    assert openai_public.ENCODING_CONSTRUCTORS[table.name]()["pat_str"] == table.pattern


def test_known_counts() -> None:
    o200k, cl100k = table_counter(O200K), table_counter(CL100K)
    assert _encoding(O200K).encode_ordinary("hello world") == [24912, 2375]
    assert _encoding(CL100K).encode_ordinary("hello world") == [15339, 1917]
    assert o200k.count("") == cl100k.count("") == 0
    assert o200k.count("你好，世界！") < cl100k.count("你好，世界！")
    assert (o200k.name, o200k.exact) == ("o200k_base", True)


def test_names_of_special_tokens_are_plain_text() -> None:
    assert table_counter(O200K).count("<|endoftext|>") > 1


@pytest.mark.parametrize("damage", [b"", b"no zlib at all", zlib.compress(b"another table")])
def test_a_damaged_table_is_a_clear_error(damage: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "o200k_base.ranks").write_bytes(damage)
    monkeypatch.setattr(rank_tables, "files", lambda _: tmp_path)
    with pytest.raises(StorageError, match="o200k_base") as error:
        read_ranks(O200K)
    assert "reinstall" in error.value.hint


def test_a_missing_table_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_tables, "files", lambda _: tmp_path)
    with pytest.raises(StorageError, match="cannot be read"):
        read_ranks(CL100K)


@TABLES
@given(text=any_text)
@settings(max_examples=100, deadline=None)
def test_counts_of_ordinary_lengths_are_exact(table: RankTable, text: str) -> None:
    assert table_counter(table).count(text) == len(_encoding(table).encode_ordinary(text))


@TABLES
@given(parts=st.lists(any_text, min_size=1, max_size=5), times=st.integers(20, 60))
@settings(max_examples=40, deadline=None)
def test_counts_of_long_texts_are_never_under_and_hardly_over(table: RankTable, parts: list[str], times: int) -> None:
    text = "".join(part * times for part in parts)
    exact = len(_encoding(table).encode_ordinary(text))
    counted = table_counter(table).count(text)
    assert exact <= counted <= exact + 6 * (len(text) // 3072 + 1)


def test_a_long_text_of_words_is_counted_exactly() -> None:
    text = "\n\n".join(f"Paragraph {n}: it was 5 o'clock, we'd met them's friend; 我们去了西湖。" for n in range(2000))
    for table in (O200K, CL100K):
        assert table_counter(table).count(text) == len(_encoding(table).encode_ordinary(text))


@pytest.mark.parametrize("unit", ["a", " ", "\n", "A", "好", "\u3000", "=", "a\u0301", "😀", "ab ", "\ud800", "0"])
def test_a_megabyte_of_anything_is_counted_without_tiktoken_breaking(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    assert 0 < table_counter(O200K).count(text) <= utf8_length(text)


@given(text=any_text)
@settings(max_examples=200, deadline=None)
def test_estimates_lie_between_the_exact_count_and_the_bytes(text: str) -> None:
    assert table_counter(O200K).count(text) <= EstimateCounter().count(text) <= utf8_length(text)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        *(
            (model, "o200k_base")
            for model in ("gpt-4o", "gpt-4o-mini-2024-07-18", "gpt-4.1", "gpt-4.5-preview", "gpt-5")
        ),
        *((model, "o200k_base") for model in ("gpt-5.1-codex", "o1", "o3-mini", "o4-mini", "chatgpt-4o-latest")),
        *((model, "o200k_base") for model in ("openai/gpt-4o", "ft:gpt-4o-mini:me::1", "gpt-oss:20b", "GPT-4o")),
        *((model, "o200k_base") for model in ("offline", "scripted:demo.jsonl", "scripted:/a/llama.jsonl")),
        *((model, "cl100k_base") for model in ("gpt-4", "gpt-4-turbo", "gpt-4-0613", "gpt-3.5-turbo", "gpt-35-turbo")),
        *(
            (model, "estimate")
            for model in ("llama3.1", "qwen3:8b", "claude-sonnet-4", "mistral/o1ympus", "deepseek-r1")
        ),
        *((model, "estimate") for model in ("my-gpt-4o-clone", "olmo", "", "offline-7b")),
    ],
)
def test_a_counter_is_chosen_by_the_models_name(model: str, name: str) -> None:
    counter = counter_for(model)
    assert counter.name == name
    assert counter.exact == (name != "estimate")


def test_counting_asks_nothing_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    fresh = TableCounter(SimpleNamespace(**{name: getattr(O200K, name) for name in O200K.__slots__}))  # type: ignore[arg-type]
    assert fresh.count("hello") == 1
