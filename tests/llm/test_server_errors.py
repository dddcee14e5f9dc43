"""Refusals in the wordings of real servers, and what a person is told."""

import json

import pytest
from support.strict_server import Fault, StrictServer

from memgpt_cli.domain.chat import ChatRequest, PromptMessage
from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.errors import APIKeyError, ContextLengthError, MemGPTError, ModelError
from memgpt_cli.llm.openai_chat import OpenAIChat
from memgpt_cli.llm.server_errors import Target, retry_after_s

TOO_LONG = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
    "(4500 in the messages, 500 in the completion). Please reduce the length of the messages or completion."
)


def refused(status: int, body: object, *, key: str | None = "sk-abcdefghijklmnop") -> MemGPTError:
    """What OpenAIChat raises when the server answers with this."""
    raw = body if isinstance(body, str) else json.dumps(body)
    with StrictServer(faults=[Fault(status=status, raw=raw)]) as server:
        model = OpenAIChat("gemma", base_url=server.base_url, api_key=key, max_retries=0)
        with pytest.raises(MemGPTError) as error:
            list(model.stream(ChatRequest(model="gemma", messages=(PromptMessage(role="user", content="Hi"),))))
    assert key is None or key not in error.value.message + error.value.hint
    assert error.value.hint
    assert "\n" not in error.value.message
    return error.value


def test_an_overflow_comes_under_several_statuses_and_shapes() -> None:
    said = TOO_LONG
    shapes = ({"error": {"message": said}}, {"message": said}, {"error": said}, {"detail": said}, said)
    for status, body in zip((400, 413, 422, 500, 400), shapes, strict=True):
        error = refused(status, body)
        assert isinstance(error, ContextLengthError), body
        assert error.limit == 4096


def test_what_a_provider_said_behind_a_gateway_is_passed_on() -> None:
    raw = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": TOO_LONG}}}
    assert isinstance(refused(400, raw), ContextLengthError)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_keys_are_never_repeated(status: int) -> None:
    said = "Incorrect API key provided: sk-abcdefghijklmnop. Also sk-proj-*****wxyz and Bearer abc.def-ghi."
    error = refused(status, {"error": {"message": said}})
    assert isinstance(error, APIKeyError)
    for secret in ("abcdefghijklmnop", "wxyz", "abc.def"):
        assert secret not in error.message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<html><head><title>502 Bad&nbsp;Gateway</title></head><body>" + "<p>x</p>" * 500, "502 Bad Gateway"),
        ("<html>\n" + "<p>bad gateway</p>\n" * 500, "bad gateway"),
        ("<!DOCTYPE html><style>p {}</style><p></p>", "a page without words"),
        ("upstream connect error", "upstream connect error"),
        ([{"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}], "Overloaded."),
        ({"error": [{"message": "first"}, {"message": "second"}]}, "first"),
        ({"error": {"message": json.dumps({"error": {"message": "inner"}})}}, "inner"),
        ({"detail": [{"loc": ["body", "messages"], "msg": "field required"}]}, "body.messages: field required"),
        (
            {"error": {"message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"no GPU"}}'}}},
            "Provider returned error no GPU",
        ),
        ({"error": {"message": "x " * 1_000_000}}, "x x x"),
        ({"error": {"message": None, "code": 500}}, "Error code: 503"),
    ],
)
def test_an_error_body_of_any_shape_becomes_one_line(body: object, expected: str) -> None:
    error = refused(503, body)
    assert isinstance(error, ModelError)
    assert expected in error.message
    assert len(error.message) < 600


def test_a_prompt_over_the_limit_per_minute_needs_a_smaller_window_and_no_patience() -> None:
    said = "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce it"
    error = refused(413, {"error": {"message": said, "code": "rate_limit_exceeded"}})
    assert type(error) is ModelError
    assert not error.transient
    assert "--window 6000" in error.hint


def test_a_host_is_shown_without_its_credentials() -> None:
    target = Target(model="m", endpoint=Endpoint.at("https://me:secret@example.com:8443/v1"), api_key="k-secret")
    assert target.host == "example.com:8443"
    assert "k-secret" not in repr(target)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "20"}, 20.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e300"}, None),
        ({"retry-after-ms": "nan", "retry-after": "2"}, 2.0),
        ({}, None),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("Please try again in 1.5s.", 1.5), ("please retry in 250ms", 0.25), ("Try again in 2m", 120.0), ("Slow!", None)],
)
def test_the_wait_is_read_from_the_words(said: str, seconds: float | None) -> None:
    assert retry_after_s({}, said) == seconds
