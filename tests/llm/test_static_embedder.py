"""The built-in embedder, on the files that the installed wordllama wheel carries."""

import importlib.util
import math
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import ConfigError
from memgpt_cli.llm.static_embedder import StaticEmbedder


@pytest.fixture(scope="module")
def embedder() -> StaticEmbedder:
    return StaticEmbedder()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the parts of wordllama that are read."""
    found = importlib.util.find_spec("wordllama")
    assert found is not None
    assert found.submodule_search_locations is not None
    source = Path(found.submodule_search_locations[0])
    for name in ("weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(source / name, tmp_path / name)
    return tmp_path


def cosine(one: Vector, other: Vector) -> float:
    pairs = zip(struct.iter_unpack("<f", one), struct.iter_unpack("<f", other), strict=True)
    return sum(a * b for (a,), (b,) in pairs)


def test_each_text_gets_a_unit_vector_of_256_dimensions(embedder: StaticEmbedder) -> None:
    for vector in embedder.embed(["hello", "你好，世界", "a" * 5000, "\x00", "🙂"]):
        assert len(vector) == 4 * embedder.identity.dimensions == 1024
        assert math.isclose(cosine(vector, vector), 1.0, abs_tol=1e-5)


def test_an_empty_text_gets_a_unit_vector_too(embedder: StaticEmbedder) -> None:
    vector = embedder.embed([""])[0]
    assert cosine(vector, vector) == 1.0


def test_no_texts_give_no_vectors(embedder: StaticEmbedder) -> None:
    assert embedder.embed([]) == []


def test_a_paraphrase_is_nearer_than_another_subject(embedder: StaticEmbedder) -> None:
    query, paraphrase, other = embedder.embed(
        ["Where does she live now?", "She moved to a house in Lisbon last year.", "The recipe needs two eggs."]
    )
    assert cosine(query, paraphrase) > cosine(query, other)


def test_a_text_has_one_vector_whatever_it_is_embedded_with(embedder: StaticEmbedder) -> None:
    texts = [f"text {n} " * (n % 7 + 1) for n in range(600)]
    together = embedder.embed(texts)
    assert [embedder.embed([text])[0] for text in texts[::97]] == together[::97]


def test_a_long_text_has_the_vector_that_the_mean_of_its_tokens_gives(embedder: StaticEmbedder) -> None:
    short, long = embedder.embed(["red apple ", "red apple " * 4000])
    assert cosine(short, long) > 0.99


def test_half_an_emoji_is_no_reason_to_fail(embedder: StaticEmbedder) -> None:
    assert len(embedder.embed(["broken \ud83d here"])) == 1


def test_the_identity_is_fixed() -> None:
    assert str(StaticEmbedder().identity) == "static/wordllama-256/256"


def test_the_tokenizer_is_found_in_either_folder(package: Path, embedder: StaticEmbedder) -> None:
    (package / "tokenizers").rename(package / "tokenizer")
    assert StaticEmbedder(folder=package).embed(["hello"]) == embedder.embed(["hello"])


@pytest.mark.parametrize("missing", ["weights", "tokenizers"])
def test_a_wheel_without_its_files_is_an_error_that_says_how_to_repair_it(package: Path, missing: str) -> None:
    shutil.rmtree(package / missing)
    with pytest.raises(ConfigError, match=missing) as caught:
        StaticEmbedder(folder=package).embed(["hello"])
    assert caught.value.hint == "pip install --force-reinstall wordllama"


@pytest.mark.parametrize(
    "name", ["weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"]
)
def test_a_damaged_file_is_an_error_that_names_it(package: Path, name: str) -> None:
    (package / name).write_bytes(b"not what it should be")
    with pytest.raises(ConfigError, match=Path(name).name):
        StaticEmbedder(folder=package).embed(["hello"])


def test_wordllama_itself_is_never_imported() -> None:
    script = (
        "import sys; from memgpt_cli.llm.static_embedder import StaticEmbedder; "
        "before = {'numpy', 'tokenizers', 'safetensors'} & set(sys.modules); "
        "StaticEmbedder().embed(['hello']); "
        "print(sorted(before), 'wordllama' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout == "[] False\n"
