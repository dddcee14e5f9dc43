"""The embedder for /v1/embeddings endpoints, against a real HTTP server on loopback."""

import math
import socket
import struct
from collections.abc import Iterator

import pytest
from support.embeddings_server import Behaviour, EmbeddingsServer, embeddings_server, letters

from memgpt_cli.domain.vectors import Vector
from memgpt_cli.errors import APIKeyError, EmbedderMismatchError, ModelError
from memgpt_cli.llm.openai_embedder import OpenAIEmbedder

AT_ONCE = {"retry-after-ms": "1"}


@pytest.fixture
def server() -> Iterator[EmbeddingsServer]:
    with embeddings_server() as running:
        yield running


@pytest.fixture
def embedder(server: EmbeddingsServer) -> Iterator[OpenAIEmbedder]:
    made = OpenAIEmbedder(model="letters", base_url=server.base_url, batch=4)
    yield made
    made.close()


def numbers(vector: Vector) -> list[float]:
    return list(struct.unpack(f"<{len(vector) // 4}f", vector))


def unit(values: list[float]) -> list[float]:
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def test_vectors_come_normalised_and_in_the_order_of_the_texts(
    server: EmbeddingsServer, embedder: OpenAIEmbedder
) -> None:
    texts = [f"text number {n}" for n in range(11)]
    vectors = embedder.embed(texts)
    for text, vector in zip(texts, vectors, strict=True):
        assert numbers(vector) == pytest.approx(unit(letters(text, 8)), abs=1e-6)
    assert [len(request["input"]) for request in server.requests] == [4, 4, 3]


@pytest.mark.parametrize("behaviour", [Behaviour(base64=False), Behaviour(refuses_base64=True), Behaviour()])
def test_an_answer_in_base64_or_in_numbers_gives_the_same_vectors(behaviour: Behaviour) -> None:
    with embeddings_server(behaviour) as server:
        embedder = OpenAIEmbedder(model="letters", base_url=server.base_url)
        assert numbers(embedder.embed(["hello"])[0]) == pytest.approx(unit(letters("hello", 8)), abs=1e-6)
        embedder.close()


def test_the_first_question_for_the_identity_learns_the_dimensions_and_later_ones_ask_nobody(
    server: EmbeddingsServer, embedder: OpenAIEmbedder
) -> None:
    assert str(embedder.identity) == "openai/letters/8"
    assert str(embedder.identity) == "openai/letters/8"
    assert len(server.requests) == 1


def test_known_dimensions_spare_the_probe(server: EmbeddingsServer) -> None:
    embedder = OpenAIEmbedder(model="letters", base_url=server.base_url, known_dimensions=8)
    assert embedder.identity.dimensions == 8
    assert server.requests == []
    embedder.close()


def test_fewer_dimensions_are_asked_of_the_server(server: EmbeddingsServer) -> None:
    embedder = OpenAIEmbedder(model="letters", base_url=server.base_url, dimensions=4)
    assert len(embedder.embed(["hello"])[0]) == 16
    assert server.requests[0]["dimensions"] == 4
    embedder.close()


def test_vectors_of_another_length_than_the_stored_ones_are_refused(server: EmbeddingsServer) -> None:
    embedder = OpenAIEmbedder(model="letters", base_url=server.base_url, known_dimensions=12)
    with pytest.raises(EmbedderMismatchError) as caught:
        embedder.embed(["hello"])
    assert caught.value.hint == "memgpt archival reindex --embedder openai/letters"
    embedder.close()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_retried_as_soon_as_the_server_allows(
    server: EmbeddingsServer, embedder: OpenAIEmbedder, status: int
) -> None:
    server.behaviour.failures = [(status, AT_ONCE), (status, AT_ONCE)]
    assert len(embedder.embed(["hello"])) == 1
    assert len(server.requests) == 3


def test_a_lasting_rate_limit_is_an_error_that_says_what_happens_to_the_rows(server: EmbeddingsServer) -> None:
    server.behaviour.failures = [(429, AT_ONCE)] * 9
    embedder = OpenAIEmbedder(model="letters", base_url=server.base_url, max_retries=1)
    with pytest.raises(ModelError) as caught:
        embedder.embed(["hello"])
    assert "what waits is embedded with the next start" in caught.value.hint
    assert len(server.requests) == 2
    embedder.close()


def test_a_refused_key_is_an_api_key_error_that_does_not_repeat_the_key(server: EmbeddingsServer) -> None:
    server.behaviour.key = "right"
    embedder = OpenAIEmbedder(model="letters", base_url=server.base_url, api_key="sk-wrong-and-secret")
    with pytest.raises(APIKeyError) as caught:
        embedder.embed(["hello"])
    assert "secret" not in caught.value.message
    assert len(server.requests) == 1
    embedder.close()


def test_openai_itself_without_a_key_is_an_error_before_any_request() -> None:
    with pytest.raises(APIKeyError):
        OpenAIEmbedder(model="text-embedding-3-small").embed(["hello"])


def test_a_wrong_model_is_an_error_after_one_request(server: EmbeddingsServer) -> None:
    embedder = OpenAIEmbedder(model="numbers", base_url=server.base_url)
    with pytest.raises(ModelError, match="not found") as caught:
        embedder.embed(["one", "two"])
    assert "embedder.model" in caught.value.hint
    assert len(server.requests) == 1
    embedder.close()


def test_a_server_that_is_not_there_is_an_error_that_names_the_address() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    embedder = OpenAIEmbedder(model="letters", base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)
    with pytest.raises(ModelError, match=str(port)) as caught:
        embedder.embed(["hello"])
    assert "embedder.base_url" in caught.value.hint
    embedder.close()


@pytest.mark.parametrize(
    "body",
    [
        "<html>",
        "[]",
        '{"data": [{"index": 0}]}',
        '{"data": []}',
        '{"data": [{"index": 0, "embedding": [null]}]}',
        '{"data": [{"index": 0, "embedding": [NaN, 1]}]}',
        '{"data": [{"index": 0, "embedding": []}]}',
        '{"data": [{"index": 0, "embedding": "!!!"}]}',
    ],
)
def test_an_answer_that_is_no_embedding_is_a_model_error(
    server: EmbeddingsServer, embedder: OpenAIEmbedder, body: str
) -> None:
    server.behaviour.body = body
    with pytest.raises(ModelError, match="not an embedding"):
        embedder.embed(["hello"])


def test_a_batch_over_the_servers_limit_is_halved_and_the_limit_remembered(server: EmbeddingsServer) -> None:
    server.behaviour.largest_batch = 3
    embedder = OpenAIEmbedder(model="letters", base_url=server.base_url, batch=8)
    texts = [f"text {n}" for n in range(24)]
    assert len(embedder.embed(texts)) == 24
    refused = [request for request in server.requests if len(request["input"]) > 3]
    assert len(refused) <= 3
    embedder.close()


def test_one_text_over_the_servers_limit_is_cut_and_keeps_no_other_from_its_vector(
    server: EmbeddingsServer, embedder: OpenAIEmbedder
) -> None:
    server.behaviour.longest_text = 500
    vectors = embedder.embed(["short", "x" * 3000, "also short", "fine"])
    assert numbers(vectors[0]) == pytest.approx(unit(letters("short", 8)), abs=1e-6)
    assert numbers(vectors[1]) == pytest.approx(unit(letters("x" * 375, 8)), abs=1e-6)
    assert numbers(vectors[3]) == pytest.approx(unit(letters("fine", 8)), abs=1e-6)


def test_empty_texts_get_a_unit_vector_and_are_not_sent(server: EmbeddingsServer, embedder: OpenAIEmbedder) -> None:
    vectors = embedder.embed(["", "hello", " \n"])
    assert numbers(vectors[0]) == numbers(vectors[2]) == [1.0] + [0.0] * 7
    assert server.answered == ["hello"]


def test_half_an_emoji_is_no_reason_to_fail(embedder: OpenAIEmbedder) -> None:
    assert len(embedder.embed(["broken \ud83d here"])) == 1


@pytest.mark.parametrize("reported", [True, False])
def test_the_tokens_of_every_answer_are_told_where_the_server_tells_them(
    server: EmbeddingsServer, *, reported: bool
) -> None:
    server.behaviour.usage = reported
    tokens: list[int] = []
    embedder = OpenAIEmbedder(model="letters", base_url=server.base_url, batch=2, on_usage=tokens.append)
    embedder.embed(["one", "two", "three"])
    assert tokens == ([6, 5] if reported else [])
    embedder.close()
