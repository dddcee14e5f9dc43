"""Map a Chat Completions server's refusals to the error tree.

Every server words its refusals differently; the known wordings are only here. A key never appears in a message: it is
removed from the server's text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from memgpt_cli.domain.endpoints import Endpoint
from memgpt_cli.errors import APIKeyError, MemGPTError, ModelError, ModelLoadingError, RateLimitError
from memgpt_cli.llm.bounded_client import RETRY_HEADER
from memgpt_cli.llm.error_bodies import codes_of, status_of, words_of
from memgpt_cli.llm.length_refusals import context_length, is_about_a_rate

if TYPE_CHECKING:
    import openai

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
_TOO_LARGE: Final = 413
_UNPAID: Final = 402
_BROKEN: Final = 500
_UNAVAILABLE: Final = 503
_LOADING: Final = re.compile(r"loading (the )?model|model\b.{0,80}\bloading|still loading|warming up", re.IGNORECASE)
_PASSING: Final = (408, 409)
_MAY_BE_LENGTH: Final = (400, 413, 422, 500)
_LONGEST_QUOTE: Final = 400
_LONGEST_WAIT_S: Final = 86_400.0
_WAIT: Final = re.compile(r"(?:re)?try (?:again )?(?:in|after) (\d+(?:\.\d+)?) ?(ms|m|s)", re.IGNORECASE)
_ONE_PROMPT: Final = re.compile(r"limit:? ([\d,]+)\W+(?:used:? [\d,]+\W+)?requested:? ([\d,]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The destination of a request, for error messages: the model, its endpoint, and the key, which is never shown."""

    model: str
    endpoint: Endpoint
    api_key: str | None = field(repr=False)

    @property
    def host(self) -> str:
        """Return host and port."""
        return self.endpoint.host

    @property
    def base_url(self) -> str:
        """Return the address without operation and query."""
        return self.endpoint.base_url

    def redact(self, text: str) -> str:
        """Return `text` on one line, shortened, without anything that looks like a key."""
        text = " ".join(text.split())
        if self.api_key:
            text = text.replace(self.api_key, "[key]")
        text = _SECRET.sub("[key]", text)
        return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"


def explain(error: "openai.OpenAIError", endpoint: Target) -> MemGPTError:
    """Map an openai exception to ours."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return ModelError(f"{endpoint.host} did not answer in time.", hint=_RETRY, transient=True)
    if isinstance(error, openai.APIConnectionError):
        return _unreachable(error, endpoint)
    if isinstance(error, openai.APIStatusError):
        return _refusal(error, endpoint)
    if isinstance(error, openai.APIResponseValidationError):
        return ModelError(
            f"The answer of {endpoint.host} cannot be read: {error.message}.", hint="see the server's log"
        )
    if isinstance(error, openai.APIError):
        return _in_stream(error, endpoint)
    return ModelError(f"{endpoint.host}: {endpoint.redact(str(error))}", hint=_RETRY)


def _in_stream(error: "openai.APIError", endpoint: Target) -> MemGPTError:
    """An error in the middle of a stream, under status 200."""
    said = everything(error)
    length = context_length(said, error.body)
    if length is None and status_of(error.body) == _LIMITED:
        quoted = endpoint.redact(_message(error))
        return RateLimitError(
            f"{endpoint.host} is rate limiting requests: {quoted}",
            hint=_RETRY,
            retry_after_s=retry_after_s({}, said),
        )
    broke_off = f"{endpoint.host} broke off: {endpoint.redact(_message(error))}"
    return length or ModelError(broke_off, hint=_RETRY, transient=True)


def refuses_tools(error: "openai.APIStatusError") -> bool:
    """Whether the server refuses the request because this model has no function support there."""
    return _NO_TOOLS.search(everything(error)) is not None


def is_about(error: "openai.APIStatusError", field: str) -> bool:
    """Whether the server refuses the request because of `field`."""
    said = f"{error.param or ''} {everything(error)}"
    if field not in said or context_length(said, error.body) is not None:
        return False
    return bool(_UNKNOWN_FIELD.search(said)) or error.code in ("unsupported_parameter", "unknown_parameter")


_UNKNOWN_FIELD: Final = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown|unexpected|extra (inputs|fields)|not permitted|not allowed"
    r"|forbidden|invalid (parameter|field|argument)|deprecated|use '?max",
    re.IGNORECASE,
)

_RETRY: Final = "try again in a moment; your message is stored"


def _refusal(error: "openai.APIStatusError", endpoint: Target) -> MemGPTError:
    said = everything(error)
    length = context_length(said, error.body) if error.status_code in _MAY_BE_LENGTH else None
    if length is not None:
        return length
    if error.status_code == _UNAVAILABLE and _LOADING.search(said):
        return ModelLoadingError(
            f"{endpoint.host} is still loading the model: {endpoint.redact(_message(error))}",
            hint="try again in a minute; your message is stored",
        )
    return _by_status(error, said, endpoint)


def _by_status(error: "openai.APIStatusError", said: str, endpoint: Target) -> MemGPTError:
    status, quoted = error.status_code, endpoint.redact(_message(error))
    if status in _REDIRECTS:
        return ModelError(
            f"{endpoint.host} redirects to {endpoint.redact(error.response.headers.get('location', 'no address'))};"
            " redirects are not followed",
            hint="to use that address, set it: --base-url URL",
        )
    if status in _REFUSED_KEY:
        return APIKeyError(
            f"{endpoint.host} did not accept the key, or the key lacks permission: {quoted}", hint=_key_hint(endpoint)
        )
    if status == _NOT_FOUND:
        return _not_found(said, quoted, endpoint)
    if status in (_LIMITED, _UNPAID) or (status == _TOO_LARGE and is_about_a_rate(said)):
        return _limited(error, said, quoted, endpoint)
    if status >= _BROKEN or status in _PASSING:
        transient = error.response.headers.get(RETRY_HEADER) != "false"
        return ModelError(f"{endpoint.host} failed (status {status}): {quoted}", hint=_RETRY, transient=transient)
    return ModelError(
        f"{endpoint.host} refused the request (status {status}): {quoted}",
        hint="`memgpt context --prompt` shows the request",
    )


def _key_hint(endpoint: Target) -> str:
    return endpoint.endpoint.key_hint


def _not_found(said: str, quoted: str, endpoint: Target) -> ModelError:
    if _NO_MODEL.search(said):
        return ModelError(
            f"{endpoint.host} does not serve the model {endpoint.model}: {quoted}",
            hint="choose another one with --model; `memgpt models --online` lists those that it serves",
        )
    return ModelError(
        f"{endpoint.host} does not offer Chat Completions at {endpoint.endpoint.base_url}: {quoted}",
        hint="check --base-url; it usually ends in /v1",
    )


def _limited(error: "openai.APIStatusError", said: str, quoted: str, endpoint: Target) -> ModelError:
    if error.status_code == _UNPAID or _QUOTA.search(f"{error.code or ''} {said}"):
        return ModelError(
            f"The account at {endpoint.host} has no credit left: {quoted}",
            hint="check billing with the provider, or choose another model with --model",
        )
    if (numbers := _ONE_PROMPT.search(said)) and _integer(numbers[2]) > (limit := _integer(numbers[1])):
        return ModelError(
            f"{endpoint.host} allows fewer tokens at a time than this prompt has: {quoted}",
            hint=f"set a window below the limit: --window {limit}",
        )
    wait = retry_after_s(error.response.headers, said)
    after = f" after {wait:g} s" if wait else " in a while"
    return RateLimitError(
        f"{endpoint.host} is rate limiting requests: {quoted}",
        hint=f"try again{after}; your message is stored",
        retry_after_s=wait,
    )


def retry_after_s(headers: Mapping[str, str], said: str = "") -> float | None:
    """Return the wait in seconds that a server requests in its headers or text.

    None without one, for dates, and for impossible values: negative, not a number, or over a day.
    """
    candidates = [(headers.get("retry-after-ms"), 0.001), (headers.get("retry-after"), 1.0)]
    if in_words := _WAIT.search(said):
        candidates.append((in_words[1], {"ms": 0.001, "m": 60.0}.get(in_words[2].lower(), 1.0)))
    for text, unit in candidates:
        try:
            seconds = float(text or "") * unit
        except ValueError:
            continue
        if 0 <= seconds <= _LONGEST_WAIT_S:
            return seconds
    return None


def _integer(text: str) -> int:
    return int(text.replace(",", "")[:18] or 0)


def _unreachable(error: "openai.APIConnectionError", endpoint: Target) -> ModelError:
    cause = error.__cause__
    reason = endpoint.redact(str(cause) if cause is not None and str(cause) else str(error))
    if endpoint.endpoint.is_openai:
        return ModelError(
            f"{endpoint.host} cannot be reached: {reason}", hint=f"check the network; {_RETRY}", transient=True
        )
    return ModelError(
        f"{endpoint.host} cannot be reached: {reason}",
        hint="check --base-url, and that the server is running",
        transient=True,
    )


def _message(error: "openai.APIError") -> str:
    """Return the server's own text."""
    return words_of(error.body, error.message)


def everything(error: "openai.APIError") -> str:
    """Return the message with its codes, to distinguish refusals."""
    return f"{_message(error)} {codes_of(error.body)}"
