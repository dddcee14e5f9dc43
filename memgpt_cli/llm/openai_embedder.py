"""An embedder behind any `/v1/embeddings` endpoint: OpenAI, Ollama, vLLM, llama.cpp, LM Studio and similar servers.

It handles differences between servers: vectors as base64 or as numbers, limits on a request or on a text that are
learned from refusals, missing usage. It stores no vectors and no cost; it reports the tokens used.
"""

import base64
import binascii
import json
import re
import weakref
from collections.abc import Callable, Iterable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

from typing_extensions import override

from memgpt_cli.domain.endpoints import Endpoint, Provider
from memgpt_cli.domain.vectors import EmbedderIdentity, Vector
from memgpt_cli.errors import APIKeyError, EmbedderMismatchError, MemGPTError, ModelError
from memgpt_cli.llm.connection import client_for, headers_for
from memgpt_cli.llm.replies.usage import MOST_TOKENS
from memgpt_cli.llm.unit_vectors import unit_vector
from memgpt_cli.ports import Embedder
from memgpt_cli.vendors import load

if TYPE_CHECKING:
    import numpy as np
    import openai
    from numpy.typing import NDArray

_TOO_LARGE: Final = re.compile(
    r"too (large|long|many)|maximum|max_\w+|context (length|size|window)|exceed|batch size|less than \d+ tokens",
    re.IGNORECASE,
)
_SMALLEST_CUT: Final = 100
"""Characters. A server that refuses a text this short does not refuse it for its length."""
_MOST_BYTES: Final = 64 * 2**20
"""Maximum of one response: 64 vectors of 8,192 numbers take 3 MB as base64 and 12 MB as text."""
_REFUSED: Final = (400, 413, 422, 500)


class OpenAIEmbedder(Embedder):
    """An embedder over HTTP.

    `base_url` None is OpenAI's own. `api_key` may be None for a server without keys. `dimensions` requests shorter
    vectors; `known_dimensions`, from the stored identity, avoids a first call to learn them. `batch` texts go into a
    request. A failed request is retried `max_retries` times with growing pauses, or those of the server's Retry-After.
    `on_usage` is called with the tokens of every response. Of a text over the server's limit only the beginning is
    embedded.
    """

    def __init__(
        self,
        *,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        dimensions: int | None = None,
        known_dimensions: int | None = None,
        batch: int = 64,
        timeout_s: float = 60.0,
        max_retries: int = 5,
        on_usage: Callable[[int], None] | None = None,
    ) -> None:
        self._model = model
        self._endpoint = Endpoint.at(base_url, provider=Provider.OPENAI_CHAT)
        self._api_key = api_key
        self._requested = dimensions
        self._dimensions = dimensions or known_dimensions
        self._batch = batch
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self._on_usage = on_usage
        self._client: openai.OpenAI | None = None
        self._connecting = Lock()
        self._encoding: Literal["base64", "float"] = "base64"

    @override
    @property
    def identity(self) -> EmbedderIdentity:
        """Return `openai/<model>/<dimensions>`; calls the server once if the dimensions are unknown.

        Raises APIKeyError or ModelError if the call fails.
        """
        if self._dimensions is None:
            self._request(["How many dimensions?"])
        return EmbedderIdentity(provider="openai", model=self._model, dimensions=self._dimensions or 0)

    @override
    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """Return one unit vector for each text, in order; an empty text gets the first axis, and is not sent.

        Raises APIKeyError, ModelError, or EmbedderMismatchError if vectors of another length come back.
        """
        filled = [index for index, text in enumerate(texts) if text.strip()]
        vectors: dict[int, Vector] = {}
        done = 0
        while done < len(filled):
            chosen = filled[done : done + self._batch]
            vectors.update(zip(chosen, self._request([_clean(texts[index]) for index in chosen]), strict=True))
            done += len(chosen)
        if len(filled) == len(texts):
            return [vectors[index] for index in range(len(texts))]
        blank = unit_vector(_numbers([0.0] * self.identity.dimensions))
        return [vectors.get(index, blank) for index in range(len(texts))]

    def close(self) -> None:
        """Close the connections."""
        with self._connecting:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _request(self, texts: list[str]) -> list[Vector]:
        """Embed these texts, in smaller requests if the server requires that."""
        load("openai")
        import openai

        try:
            return self._vectors(self._post(texts), len(texts))
        except openai.APIStatusError as error:
            parts = self._in_parts(texts, error)
        except openai.APIError as error:
            raise self._explained(error) from error
        return [vector for part in parts for vector in self._request(part)]

    def _in_parts(self, texts: list[str], error: "openai.APIStatusError") -> list[list[str]]:
        """Return smaller requests to send after a refusal; raises if that would not help."""
        said = self._said(error)
        if error.status_code == 400 and self._encoding == "base64" and "encoding" in said:  # noqa: PLR2004
            self._encoding = "float"
            return [texts]
        if error.status_code in _REFUSED and _TOO_LARGE.search(said):
            if len(texts) > 1:
                half = len(texts) // 2
                if "batch" in said.lower():
                    self._batch = half
                return [texts[:half], texts[half:]]
            if len(texts[0]) > _SMALLEST_CUT:
                return [[texts[0][: len(texts[0]) // 2]]]
        raise self._explained(error) from error

    def _post(self, texts: list[str]) -> Any:
        """Return the parsed response of one call."""
        import openai

        response = self._connected().embeddings.with_raw_response.create(
            model=self._model,
            input=texts,
            encoding_format=self._encoding,
            dimensions=self._requested if self._requested is not None else openai.omit,
            extra_headers=headers_for(self._endpoint, api_key=self._api_key),
        )
        try:
            return json.loads(response.content)
        except ValueError as error:
            raise self._malformed("no JSON") from error

    def _vectors(self, body: Any, expected: int) -> list[Vector]:
        try:
            rows = sorted(body["data"], key=lambda row: int(row["index"]))
            vectors = [unit_vector(_numbers(row["embedding"])) for row in rows]
            tokens = int((body.get("usage") or {}).get("prompt_tokens") or 0)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError, binascii.Error) as error:
            raise self._malformed(str(error)) from error
        if len(vectors) != expected:
            raise self._malformed(f"{len(vectors)} vectors for {expected} texts")
        if self._on_usage is not None and 0 < tokens <= MOST_TOKENS:
            self._on_usage(tokens)
        for vector in vectors:
            self._check_length(len(vector) // 4)
        return vectors

    def _check_length(self, dimensions: int) -> None:
        if self._dimensions is None:
            self._dimensions = dimensions
        if dimensions == self._dimensions:
            return
        raise EmbedderMismatchError(
            f"{self._model} answered with vectors of {dimensions} dimensions, expected were {self._dimensions}",
            hint=f"memgpt archival reindex --embedder openai/{self._model}",
        )

    def _connected(self) -> "openai.OpenAI":
        with self._connecting:
            if self._client is None:
                if self._api_key is None and self._endpoint.is_openai:
                    raise APIKeyError(f"the embedder {self._model} needs an API key", hint="memgpt keys set openai")
                self._client = client = client_for(
                    self._endpoint,
                    api_key=self._api_key,
                    timeout_s=self._timeout_s,
                    max_retries=self._max_retries,
                    most_bytes=_MOST_BYTES,
                )
                weakref.finalize(self, client.close).atexit = False
            return self._client

    def _explained(self, error: "openai.APIError") -> MemGPTError:
        import openai

        where = f"the embedder {self._model}" + ("" if self._endpoint.is_openai else f" at {self._endpoint.base_url}")
        if isinstance(error, (openai.AuthenticationError, openai.PermissionDeniedError)):
            return APIKeyError(f"{where} refused the API key: {self._said(error)}", hint="memgpt keys set openai")
        if isinstance(error, openai.NotFoundError):
            return ModelError(
                f"{where} was not found: {self._said(error)}",
                hint="check `memgpt config get embedder.model` and `embedder.base_url` (most end in /v1)",
            )
        if isinstance(error, openai.RateLimitError):
            return ModelError(
                f"{where} has had enough for now: {self._said(error)}",
                hint="wait, or see to the account's quota; what waits is embedded with the next start",
            )
        if isinstance(error, openai.APIStatusError):
            return ModelError(
                f"{where} answered with status {error.status_code}: {self._said(error)}",
                hint="see the server's log; `memgpt doctor --online` tries the embedder",
            )
        return ModelError(
            f"{where} cannot be reached: {error.__cause__ or error}",
            hint="check `memgpt config get embedder.base_url` and that the server runs",
        )

    def _said(self, error: "openai.APIStatusError") -> str:
        """Return the server's message on one line, shortened, without the key."""
        words = " ".join(str(error).split())
        return (words.replace(self._api_key, "***") if self._api_key else words)[:300]

    def _malformed(self, what: str) -> ModelError:
        return ModelError(
            f"the embedder {self._model} sent an answer that is not an embedding: {what}",
            hint="check `memgpt config get embedder.base_url` (most end in /v1)",
        )


def _clean(text: str) -> str:
    """Remove lone surrogates (half an emoji from a damaged file), which are invalid in a request."""
    return text.encode(errors="replace").decode()


def _numbers(embedding: str | Iterable[float]) -> "NDArray[np.float32]":
    """Return the numbers as sent. Raises ValueError for anything but finite numbers."""
    import numpy as np

    if isinstance(embedding, str):
        vector = np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4")
    else:
        vector = np.asarray([float(value) for value in embedding], dtype="<f4")
    if not vector.size or not np.isfinite(vector).all():
        raise ValueError("a vector is empty or holds something that is not a finite number")
    return vector
