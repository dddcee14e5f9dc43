"""What a Chat Completions server's refusal means to the person: the error tree instead of status codes.

Every server words its refusals differently; the wordings known are here and nowhere else. A key never gets into a
message: it is cut out of whatever the server said.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.errors import APIKeyError, ContextLengthError, MemGPTError, ModelError, RateLimitError

if TYPE_CHECKING:
    import openai

_NUMBER: Final = r"(\d[\d,_]*)"

_TOO_LONG: Final = re.compile(
    r"context_length_exceeded|exceed_context_size|context[ _-]?(length|size|window)|maximum (model|prompt) length"
    r"|prompt is too long|input is too long|too many (input )?tokens|reduce the length of the (messages|prompt|input)"
    r"|input token count|tokens to keep from the initial prompt|input length exceeds|max_new_tokens` must be"
    r"|n_keep|max_tokens must be at least 1, got -",
    re.IGNORECASE,
)
_EXCEEDED: Final = re.compile(
    r"exceed|overflow|too (long|large|many)|longer than|reduce|requested|greater than|only|must be|resulted in|larger"
    r"|n_ctx",
    re.IGNORECASE,
)

_LIMITS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"maximum context length (?:is|of) {_NUMBER}",
        rf"context length (?:is|of)(?: only)? {_NUMBER}",
        rf"context size \({_NUMBER}",
        rf"context window of {_NUMBER}",
        rf"n_ctx:? \(?{_NUMBER}",
        rf"maximum model length of {_NUMBER}",
        rf"configured limit of {_NUMBER}",
        rf"with {_NUMBER} maximum context length",
        rf"> {_NUMBER} maximum",
        rf"tokens allowed \({_NUMBER}",
        rf"must be <= {_NUMBER}",
        rf"(?:maximum|limit) (?:of|is) {_NUMBER}",
    )
)
_COUNTS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"messages resulted in {_NUMBER}",
        rf"\({_NUMBER} (?:tokens )?(?:in|of) (?:the )?(?:messages|text input|input)",
        rf"{_NUMBER} (?:in|of) the (?:messages|prompt)",
        rf"request has {_NUMBER} input tokens",
        rf"passed {_NUMBER} input tokens",
        rf"request \({_NUMBER} tokens",
        rf"prompt \(length {_NUMBER}",
        rf"contains (?:at least )?{_NUMBER} (?:input )?tokens",
        rf"prompt is too long: {_NUMBER}",
        rf"input token count \({_NUMBER}",
        rf"keep the first {_NUMBER}",
        rf"n_keep:? \(?{_NUMBER}",
        rf"requested tokens \({_NUMBER}",
        rf"given: {_NUMBER}",
        rf"requested (?:about )?{_NUMBER}",
    )
)
_FUNCTIONS_COUNT: Final = re.compile(rf"{_NUMBER} in the functions", re.IGNORECASE)

_NO_TOOLS: Final = re.compile(
    r"does(n't| not) support (tools|tool use|function|tool call)|no endpoints found that support tool use"
    r"|enable-auto-tool-choice|tools? (param )?requires? --jinja|tools (are|is) not supported"
    r"|(tool[_ ]?(use|calling|calls|choice)|function calling)[^.]{0,40}not (supported|enabled|available)",
    re.IGNORECASE,
)
_QUOTA: Final = re.compile(
    r"insufficient_quota|exceeded your current quota|billing|insufficient (balance|credits)", re.IGNORECASE
)
_NO_MODEL: Final = re.compile(r"\bmodel\b", re.IGNORECASE)
_SECRET: Final = re.compile(r"\b(sk|gsk|xai)[-_][\w*.…-]{6,}|(?<=Bearer )\S+")

_REDIRECTS: Final = range(300, 400)
_REFUSED_KEY: Final = (401, 403)
_NOT_FOUND: Final = 404
_LIMITED: Final = 429
_UNPAID: Final = 402
_BROKEN: Final = 500
_PASSING: Final = (408, 409)
_MAY_BE_LENGTH: Final = (400, 413, 422, 500)
_LONGEST_QUOTE: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request is sent to, for error messages: the model, its endpoint, and the key, which is never shown."""

    model: str
    endpoint: Endpoint
    api_key: str | None = field(repr=False)

    @property
    def host(self) -> str:
        """Host and port."""
        return self.endpoint.host

    @property
    def base_url(self) -> str:
        """The address without operation and query."""
        return self.endpoint.base_url

    def redact(self, text: str) -> str:
        """`text` on one line, shortened, without anything that looks like a key."""
        text = " ".join(text.split())
        if self.api_key:
            text = text.replace(self.api_key, "[key]")
        text = _SECRET.sub("[key]", text)
        return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"


def explain(error: "openai.OpenAIError", endpoint: Target) -> MemGPTError:
    """The error of ours that an error of the openai package stands for."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return ModelError(f"{endpoint.host} did not answer in time.", hint=_RETRY, transient=True)
    if isinstance(error, openai.APIConnectionError):
        return _unreachable(error, endpoint)
    if isinstance(error, openai.APIStatusError):
        return _refusal(error, endpoint)
    if isinstance(error, openai.APIError):  # in the middle of a stream, under status 200
        length = context_length(_everything(error), error.body)
        broke_off = f"{endpoint.host} broke off: {endpoint.redact(_message(error))}"
        return length or ModelError(broke_off, hint=_RETRY, transient=True)
    return ModelError(f"{endpoint.host}: {endpoint.redact(str(error))}", hint=_RETRY)


def context_length(said: str, body: object = None) -> ContextLengthError | None:
    """The error for a prompt over the server's window, with its numbers; None when `said` is about something else.

    Knows the wordings of OpenAI, vLLM, llama.cpp, LM Studio, Ollama, TGI, Mistral, Anthropic, Gemini and OpenRouter.
    """
    if not (_TOO_LONG.search(said) and (_EXCEEDED.search(said) or "context_length_exceeded" in said)):
        return None
    limit, counted = _numbers_in(body)
    limit = limit or _first(_LIMITS, said)
    if counted is None and (counted := _first(_COUNTS, said)) is not None:
        functions = _FUNCTIONS_COUNT.search(said)
        beside = functions is not None and "messages resulted in" not in said
        counted += _integer(functions[1]) if functions and beside else 0
    numbers = f" ({counted} tokens, its window has {limit})" if limit and counted else ""
    return ContextLengthError(
        f"The server refused the prompt as longer than its window{numbers}.",
        hint=f"tell the true window: --window {limit}" if limit else "set a smaller window: --window TOKENS",
        limit=limit,
        counted=counted,
    )


def is_about(error: "openai.APIStatusError", field: str) -> bool:
    """Whether the server refuses the request because it does not know `field`, or not with this model."""
    said = f"{error.param or ''} {_everything(error)}"
    if field not in said or context_length(said, error.body) is not None:
        return False
    return bool(_UNKNOWN_FIELD.search(said)) or error.code in ("unsupported_parameter", "unknown_parameter")


_UNKNOWN_FIELD: Final = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown|unexpected|extra (inputs|fields)|not permitted|not allowed"
    r"|forbidden|invalid (parameter|field|argument)|deprecated|use '?max",
    re.IGNORECASE,
)

_RETRY: Final = "try again in a moment; what was said is kept"


def _refusal(error: "openai.APIStatusError", endpoint: Target) -> MemGPTError:
    said = _everything(error)
    length = context_length(said, error.body) if error.status_code in _MAY_BE_LENGTH else None
    if length is not None:
        return length
    if _NO_TOOLS.search(said):
        return ModelError(
            f"{endpoint.model} at {endpoint.host} cannot call functions, and memory works through them: "
            f"{endpoint.redact(_message(error))}",
            hint="choose a model with tool calling (--model), or enable it in the server "
            "(vLLM: --enable-auto-tool-choice --tool-call-parser NAME; llama.cpp: --jinja)",
        )
    return _by_status(error, said, endpoint)


def _by_status(error: "openai.APIStatusError", said: str, endpoint: Target) -> MemGPTError:
    status, quoted = error.status_code, endpoint.redact(_message(error))
    if status in _REDIRECTS:
        return ModelError(
            f"{endpoint.host} sends this on to {endpoint.redact(error.response.headers.get('location', 'nowhere'))};"
            " nothing is sent to an endpoint that was not set",
            hint="if that is where you want to talk to, set it: --base-url URL",
        )
    if status in _REFUSED_KEY:
        return APIKeyError(f"{endpoint.host} refused the key or its rights: {quoted}", hint=_key_hint(endpoint))
    if status == _NOT_FOUND:
        return _not_found(said, quoted, endpoint)
    if status in (_LIMITED, _UNPAID):
        return _limited(error, said, quoted, endpoint)
    if status >= _BROKEN or status in _PASSING:
        return ModelError(f"{endpoint.host} failed (status {status}): {quoted}", hint=_RETRY, transient=True)
    return ModelError(
        f"{endpoint.host} refused the request (status {status}): {quoted}",
        hint="`memgpt context --prompt` shows the request",
    )


def _key_hint(endpoint: Target) -> str:
    return endpoint.endpoint.key_hint


def _not_found(said: str, quoted: str, endpoint: Target) -> ModelError:
    if _NO_MODEL.search(said):
        return ModelError(
            f"{endpoint.host} has no model {endpoint.model}: {quoted}",
            hint="name one that it has with --model; `memgpt models --online` lists them",
        )
    return ModelError(
        f"{endpoint.host} has no Chat Completions under {endpoint.endpoint.base_url}: {quoted}",
        hint="check --base-url; it usually ends in /v1",
    )


def _limited(error: "openai.APIStatusError", said: str, quoted: str, endpoint: Target) -> ModelError:
    if error.status_code == _UNPAID or _QUOTA.search(f"{error.code or ''} {said}"):
        return ModelError(
            f"The account at {endpoint.host} has no credit left: {quoted}",
            hint="see to its billing, or choose another model with --model",
        )
    wait = retry_after_s(error.response.headers)
    after = f" after {wait:g} s" if wait else " in a while"
    return RateLimitError(
        f"{endpoint.host} asks to slow down: {quoted}",
        hint=f"try again{after}; what was said is kept",
        retry_after_s=wait,
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The wait that a server asks for, in seconds; dates are passed over."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
    return None


def _unreachable(error: "openai.APIConnectionError", endpoint: Target) -> ModelError:
    cause = error.__cause__
    reason = endpoint.redact(str(cause) if cause is not None and str(cause) else str(error))
    if endpoint.endpoint.is_openai:
        return ModelError(
            f"{endpoint.host} cannot be reached: {reason}", hint=f"check the network; {_RETRY}", transient=True
        )
    return ModelError(
        f"{endpoint.host} cannot be reached: {reason}",
        hint="is the server running there? check --base-url",
        transient=True,
    )


def _message(error: "openai.APIError") -> str:
    """The server's own words, out of whatever shape its body has."""
    body = _inner(error.body)
    if not isinstance(body, dict):
        return str(body or error.message)
    words = next((body[key] for key in ("message", "detail", "msg", "error") if body.get(key)), error.message)
    metadata = body.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None  # OpenRouter passes on what the provider said
    return f"{words} {raw}" if raw else str(words)


def _everything(error: "openai.APIError") -> str:
    """The message with the codes beside it, for telling refusals apart."""
    body = _inner(error.body)
    codes = [str(body[key]) for key in ("code", "type") if body.get(key)] if isinstance(body, dict) else []
    return " ".join((_message(error), *codes))


def _inner(body: Any) -> Any:
    return body["error"] if isinstance(body, dict) and isinstance(body.get("error"), dict) else body


def _numbers_in(body: object) -> tuple[int | None, int | None]:
    """llama.cpp gives its window and its count as fields."""
    inner = _inner(body)
    if not isinstance(inner, dict):
        return None, None
    limit, counted = inner.get("n_ctx"), inner.get("n_prompt_tokens")
    return limit if isinstance(limit, int) else None, counted if isinstance(counted, int) else None


def _first(patterns: tuple[re.Pattern[str], ...], text: str) -> int | None:
    return next((_integer(match[1]) for pattern in patterns if (match := pattern.search(text))), None)


def _integer(text: str) -> int:
    return int(text.replace(",", "").replace("_", ""))
