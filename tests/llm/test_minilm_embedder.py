"""Sentence embedders from ONNX files: a real onnxruntime over a real, if tiny, model."""

import struct
from pathlib import Path

import pytest
from support.tiny_onnx import write_model

from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import ConfigError
from memgpt_cli.llm.minilm_embedder import MiniLMEmbedder

TABLE = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}


def numbers(vector: Vector) -> tuple[float, ...]:
    return tuple(round(value, 4) for value in struct.unpack(f"<{len(vector) // 4}f", vector))


@pytest.fixture
def embedder(tmp_path: Path) -> MiniLMEmbedder:
    write_model(tmp_path / "models" / "tiny", TABLE)
    return MiniLMEmbedder(models=tmp_path / "models", model="tiny")


def test_a_vector_is_the_mean_of_its_tokens_and_padding_does_not_count(embedder: MiniLMEmbedder) -> None:
    assert [numbers(v) for v in embedder.embed(["red", "red green", "blue blue red red", "\ud800"])] == [
        (1.0, 0.0, 0.0),
        (0.7071, 0.7071, 0.0),
        (0.7071, 0.0, 0.7071),
        (1.0, 0.0, 0.0),
    ]


def test_many_texts_come_back_in_their_order(embedder: MiniLMEmbedder) -> None:
    texts = [" ".join(["red", "green", "blue"][n % 3 :][:1] * (1 + n * 7 % 11)) for n in range(100)]
    assert embedder.embed(texts) == [embedder.embed([text])[0] for text in texts]
    assert embedder.embed([]) == []


def test_its_identity_names_the_model_and_what_it_makes(embedder: MiniLMEmbedder) -> None:
    assert str(embedder.identity) == "minilm/tiny/3"


def test_a_long_text_is_embedded_by_its_beginning(embedder: MiniLMEmbedder) -> None:
    assert embedder.embed(["red " * 256 + "blue " * 1000]) == embedder.embed(["red"])


def test_the_files_of_chromas_own_cache_will_do(tmp_path: Path) -> None:
    write_model(tmp_path / ".cache/chroma/onnx_models/all-MiniLM-L6-v2/onnx", TABLE)
    assert MiniLMEmbedder(models=tmp_path / "models", home=tmp_path).identity.model == "all-MiniLM-L6-v2"


def test_a_folder_as_hugging_face_lays_it_out_will_do(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny"
    write_model(folder, TABLE)
    (folder / "onnx").mkdir()
    (folder / "model.onnx").rename(folder / "onnx" / "model.onnx")
    assert MiniLMEmbedder(models=tmp_path / "models", model="tiny").identity.dimensions == 3


def test_without_its_files_it_says_where_to_put_which(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.onnx and tokenizer\.json") as caught:
        MiniLMEmbedder(models=tmp_path / "models", home=tmp_path)
    assert str(tmp_path / "models" / "all-MiniLM-L6-v2") in caught.value.hint


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json"])
def test_a_broken_file_is_named(tmp_path: Path, broken: str) -> None:
    write_model(tmp_path / "models" / "tiny", TABLE)
    (tmp_path / "models" / "tiny" / broken).write_bytes(b"not what it should be")
    with pytest.raises(ConfigError, match=f"{broken} cannot be used"):
        MiniLMEmbedder(models=tmp_path / "models", model="tiny").embed(["red"])
