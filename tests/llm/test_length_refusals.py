"""Refusals for length in the wordings of servers and providers, and what must not be taken for one."""

import pytest

from memgpt_cli.llm.length_refusals import context_length

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
    ("xAI", "This model's maximum prompt length is 131072 but the request contains 136973 tokens.", 131072, 136973),
    ("TGI, inputs", "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000", 4096, 5000),
    (
        "Anthropic, with a reply",
        (
            "input length and `max_tokens` exceed context limit: 170636 + 34048 > 200000, decrease input length or "
            "`max_tokens` and try again"
        ),
        200000,
        170636,
    ),
    ("Kimi", "Invalid request: Your request exceeded model token limit: 262144 (requested: 291351)", 262144, 291351),
    ("Kimi, older", "Invalid request: Your request exceeded model token limit: 8192", 8192, None),
    ("DashScope", "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]", 30720, None),
    (
        "Copilot",
        "prompt token count of 13613 exceeds the limit of 12288 model_max_prompt_tokens_exceeded",
        12288,
        13613,
    ),
    (
        "GitHub Models",
        "Request body too large for gpt-4o-mini model. Max size: 8000 tokens. tokens_limit_reached",
        8000,
        None,
    ),
    ("Z.ai", "Prompt exceeds max length 1261", None, None),
    ("Z.ai, Chinese", "Prompt 超长 1261", None, None),
    ("TensorRT-LLM", "Prompt length (5056) exceeds maximum sequence length (2048)", 2048, 5056),
    ("TensorRT-LLM, input", "Prompt length (2000) exceeds maximum input length (1024)", 1024, 2000),
    (
        "TensorRT-LLM, batch",
        "The sum of prompt length (5000.0), query length (0) should not exceed max_num_tokens (4096)",
        4096,
        5000,
    ),
    (
        "TensorRT-LLM, serve",
        (
            "`default_max_tokens` (-904) must be greater than 0, `default_max_tokens` (-904) = max_seq_len (4096) - "
            "`splited_prompt_len` (5000) - `query_token_len` (0)"
        ),
        4096,
        5000,
    ),
    (
        "SGLang",
        "The input (263000 tokens) is longer than the model's context length (262144 tokens).",
        262144,
        263000,
    ),
    (
        "SGLang, with a reply",
        (
            "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of "
            "5200 tokens: 5000 tokens from the input messages and 200 tokens for the completion."
        ),
        4096,
        5000,
    ),
    ("in parentheses", "Input length (265330) exceeds model's maximum context length (262144).", 262144, 265330),
    ("Poolside", "Input length 131393 exceeds the maximum allowed input length of 131040 tokens.", 131040, 131393),
    ("Together", "The input (9000 tokens) is longer than the model's context length (8192 tokens).", 8192, 9000),
    ("Fireworks", "The prompt is too long: 140000, model maximum context length: 131072", 131072, 140000),
    (
        "Cerebras",
        "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
        8192,
        9000,
    ),
    ("Bedrock", "Input is too long for requested model.", None, None),
    ("Bedrock, counted", "Too many input tokens. Max input tokens: 8192, request input token count: 9013", 8192, 9013),
    (
        "Vertex",
        "Unable to submit request because the input token count is 32000 but model only supports up to 30720.",
        30720,
        32000,
    ),
    ("Gemini, older", "The input token count exceeds the maximum number of tokens allowed 1048576.", 1048576, None),
    (
        "Cohere",
        (
            "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000. Try using a "
            "shorter prompt"
        ),
        4081,
        5000,
    ),
    ("MiniMax", "invalid params, context window exceeds limit (2013)", None, None),
    (
        "DeepSeek",
        (
            "This model's maximum context length is 65536 tokens. However, you requested 70000 tokens (69000 in the "
            "messages, 1000 in the completion). Please reduce the length of the messages or completion."
        ),
        65536,
        69000,
    ),
    (
        "Azure, Responses",
        (
            "Your input exceeds the context window of this model. Please adjust your input and try again. "
            "context_length_exceeded"
        ),
        None,
        None,
    ),
    (
        "LiteLLM",
        (
            'litellm.BadRequestError: XaiException - {"code":"invalid-argument","error":"This model\'s maximum prompt '
            'length is 500000 but the request contains 637815 tokens."}'
        ),
        500000,
        637815,
    ),
    (
        "vLLM, total",
        (
            "This model's maximum context length is 262144 tokens. However, you requested 0 output tokens and your "
            "prompt contains at least 262145 input tokens, for a total of at least 262145 tokens."
        ),
        262144,
        262145,
    ),
    (
        "vLLM, pictures",
        (
            "The decoder prompt (length 5321) is longer than the maximum model length of 4096. Make sure that "
            "`max_model_len` is no smaller than the number of text tokens plus multimodal tokens. For image inputs, "
            "the number of image tokens depends on the number of images."
        ),
        4096,
        5321,
    ),
    ("llama.cpp in a gateway", '{\\"n_ctx\\":4096,\\"n_prompt_tokens\\":5012} exceed_context_size_error', 4096, 5012),
    ("llama.cpp, oldest", "Input prompt is too big compared to KV size. Please try increasing KV size.", None, None),
    ("MLX", "Prompt exceeds maximum context length", None, None),
    ("Atlas", "Prompt too long: 5152 tokens exceeds max_seq_len 2048 (leave room for output tokens)", 2048, 5152),
    ("DS4", "Prompt has 5,152 tokens, but the configured context size is 4,096 tokens", 4096, 5152),
    ("rounded", "The conversation is too long for the context window of 8k tokens", 8000, None),
    (
        "unknown, two numbers",
        "Sorry, this request of 9,001 tokens does not fit: the context holds 8,192 tokens",
        8192,
        None,
    ),
    ("unknown, Chinese", "输入的 token 数量 9000 超过了模型的最大上下文长度 8192", 8192, None),
    ("unknown, Chinese, no numbers", "输入内容超过模型最大长度", None, None),
    ("Spark", "token数量超过上限。对话历史+问题的字数太多,需要精简输入", None, None),
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
        "failed to load model: context length 131072 exceeds KV cache capacity 32768",
        "error loading model: requested context size too large, out of memory",
        (
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 31000. The input tokens "
            "must be reduced in order to run successfully."
        ),
        "ThrottlingException: Too many tokens, please wait before trying again.",
        "You exceeded your current quota of input tokens",
        "输入 token 超过每分钟上限",
        (
            "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you "
            "provided 100000."
        ),
        (
            "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the "
            "`context_window` for this model"
        ),
        "max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-x",
        "messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 6291456 bytes > 5242880 bytes",
        "The input image is too large: 9000 x 9000 pixels",
        "Request exceeds the maximum size of 32 MB",
        "413 Request Entity Too Large",
        "Input should have at most 64 characters, the prompt name is too long",
        "Invalid 'input': array too long. Expected an array with maximum length 2048",
        "prompt must be a string",
        "context deadline exceeded",
        "the context size is a setting of the server",
    ],
)
def test_other_refusals_are_not_taken_for_overflows(said: str) -> None:
    assert context_length(said) is None
