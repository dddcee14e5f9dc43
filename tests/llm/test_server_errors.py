"""Refusals in the wordings of real servers, and what a person is told."""

import json

import pytest
from support.strict_server import Fault, StrictServer

from memgpt_cli.domain.chat import ChatRequest, PromptMessage
from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.errors import APIKeyError, ContextLengthError, MemGPTError, ModelError
from memgpt_cli.llm.openai_chat import OpenAIChat
from memgpt_cli.llm.server_errors import Target, context_length, retry_after_s

OVERFLOWS = [
    (
        "OpenAI",
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9010 tokens "
            "(8000 in the messages, 1010 in the functions). Please reduce the length of the messages or functions."
        ),
        8192,
        9010,
    ),
    (
        "OpenAI with a completion",
        (
            "This model's maximum context length is 4097 tokens. However, you requested 5120 tokens "
            "(3900 in the messages, 220 in the functions, and 1000 in the completion). Please reduce the length."
        ),
        4097,
        4120,
    ),
    (
        "OpenAI, newer",
        (
            "Input tokens exceed the configured limit of 272,000 tokens. Your messages resulted in 300,123 tokens. "
            "Please reduce the length of the messages."
        ),
        272000,
        300123,
    ),
    (
        "vLLM",
        (
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
            "(4500 in the messages, 500 in the completion). Please reduce the length of the messages or completion."
        ),
        4096,
        4500,
    ),
    (
        "vLLM, newer",
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 1000. This model's maximum context length is 4096 "
            "tokens and your request has 3500 input tokens (1000 > 4096 - 3500)."
        ),
        4096,
        3500,
    ),
    (
        "vLLM, decoder",
        (
            "The decoder prompt (length 5321) is longer than the maximum model length of 4096. Make sure that "
            "`max_model_len` is no smaller than the number of text tokens."
        ),
        4096,
        5321,
    ),
    (
        "vLLM, passed",
        (
            "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only "
            "4096 tokens, resulting in a maximum input length of 3996 tokens."
        ),
        4096,
        5000,
    ),
    (
        "llama.cpp",
        "request (5012 tokens) exceeds the available context size (4096 tokens), try increasing it",
        4096,
        5012,
    ),
    ("llama.cpp, older", "the request exceeds the available context size. try increasing the context size", None, None),
    (
        "LM Studio",
        (
            "Trying to keep the first 5012 tokens when context the overflows. However, the model is loaded with "
            "context length of only 4096 tokens, which is not enough. Try to load the model with a larger one"
        ),
        4096,
        5012,
    ),
    (
        "LM Studio, older",
        "The number of tokens to keep from the initial prompt is greater than the context length.",
        None,
        None,
    ),
    (
        "LM Studio, newer",
        (
            "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= "
            "n_ctx: 4096). Try to load the model with a larger context length, or provide a shorter input."
        ),
        4096,
        13055,
    ),
    ("LM Studio, newest", "Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)", 7424, 15028),
    ("llama-cpp-python", "Requested tokens (2285) exceed context window of 2048", 2048, 2285),
    (
        "vLLM, newest",
        (
            "This model's maximum context length is 2048 tokens. However, your request has 2090 input tokens. Please "
            "reduce the length of the input messages. (parameter=input_tokens, value=2090)"
        ),
        2048,
        2090,
    ),
    ("vLLM, without room", "max_tokens must be at least 1, got -186.", None, None),
    ("Ollama", "the input length exceeds the context length", None, None),
    ("Ollama, newer", "prompt too long; exceeded max context length by 812 tokens", None, None),
    (
        "TGI",
        "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 1000 `max_new_tokens`",
        4096,
        4000,
    ),
    (
        "Mistral",
        "Prompt contains 40012 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        32768,
        40012,
    ),
    ("Anthropic", "prompt is too long: 210000 tokens > 200000 maximum", 200000, 210000),
    (
        "Gemini",
        "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
        1048576,
        1100000,
    ),
    (
        "OpenRouter",
        (
            "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens "
            "(139000 of text input, 1000 in the output). Please reduce the length of either one."
        ),
        131072,
        139000,
    ),
    ("Groq", "Please reduce the length of the messages or completion.", None, None),
]


@pytest.mark.parametrize(
    ("said", "limit", "counted"), [row[1:] for row in OVERFLOWS], ids=[row[0] for row in OVERFLOWS]
)
def test_every_servers_wording_of_an_overflow_is_understood(said: str, limit: int | None, counted: int | None) -> None:
    error = context_length(said)
    assert error is not None
    assert (error.limit, error.counted) == (limit, counted)


def test_llama_cpps_numbers_are_read_from_its_fields() -> None:
    body = {"error": {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 5012, "n_ctx": 4096}}
    error = context_length("the request exceeds the available context size exceed_context_size_error", body)
    assert error is not None
    assert (error.limit, error.counted) == (4096, 5012)


@pytest.mark.parametrize(
    "said",
    [
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "Invalid value for 'temperature'",
        "Rate limit reached: limit 30000 tokens per minute, requested 31000",
        "The model `gpt-9` does not exist",
        "Invalid 'tools[0].function.description': string too long. Expected maximum length 1024",
        "Invalid 'messages[3].tool_calls[0].id': string too long. Expected a string with maximum length 40",
        "Unrecognized request argument supplied: context_window",
    ],
)
def test_other_refusals_are_not_taken_for_overflows(said: str) -> None:
    assert context_length(said) is None


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


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "registry.ollama.ai/library/gemma:2b does not support tools", "type": "api_error"}},
        {"object": "error", "message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser'},
        {"error": {"code": 500, "message": "tools param requires --jinja flag", "type": "server_error"}},
        {"error": {"message": "No endpoints found that support tool use.", "code": 404}},
        {"detail": "Tool calling is not supported for this model"},
    ],
)
@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_model_without_tools_is_told_apart_in_every_wording(status: int, body: object) -> None:
    error = refused(status, body)
    assert type(error) is ModelError
    assert "cannot call functions" in error.message


def test_an_overflow_comes_under_several_statuses_and_shapes() -> None:
    said = OVERFLOWS[3][1]
    shapes = ({"error": {"message": said}}, {"message": said}, {"error": said}, {"detail": said}, said)
    for status, body in zip((400, 413, 422, 500, 400), shapes, strict=True):
        error = refused(status, body)
        assert isinstance(error, ContextLengthError), body
        assert error.limit == 4096


def test_what_a_provider_said_behind_a_gateway_is_passed_on() -> None:
    raw = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": OVERFLOWS[3][1]}}}
    assert isinstance(refused(400, raw), ContextLengthError)


@pytest.mark.parametrize("status", [401, 403])
def test_refused_keys_are_never_repeated(status: int) -> None:
    said = "Incorrect API key provided: sk-abcdefghijklmnop. Also sk-proj-*****wxyz and Bearer abc.def-ghi."
    error = refused(status, {"error": {"message": said}})
    assert isinstance(error, APIKeyError)
    for secret in ("abcdefghijklmnop", "wxyz", "abc.def"):
        assert secret not in error.message


def test_a_page_of_html_is_shortened_to_a_line() -> None:
    error = refused(502, "<html>\n" + "<p>bad gateway</p>\n" * 500)
    assert isinstance(error, ModelError)
    assert len(error.message) < 600


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
        ({}, None),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds
