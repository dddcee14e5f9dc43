"""Select the embedder, track its cost, and check that it made the vectors of a record."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from memgpt_cli.config.models import model_settings
from memgpt_cli.domain.endpoints import Endpoint, Provider
from memgpt_cli.errors import EmbedderMismatchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from memgpt_cli.agent.embedding_bill import EmbeddingBill
    from memgpt_cli.config.keys import ApiKeys
    from memgpt_cli.config.settings import Configuration
    from memgpt_cli.domain.vectors import EmbedderIdentity
    from memgpt_cli.ports import Clock, Embedder, Spending

_USUAL = {
    "static": "wordllama-256",
    "multilingual": "use-multilingual-v3",
    "minilm": "all-MiniLM-L6-v2",
    "openai": "text-embedding-3-small",
}
"""The default model of each provider of embeddings."""

_ONE_MODEL = ("static", "multilingual")
"""Providers that have no other model."""


class Embedders:
    """The embedders that the settings can select. `files` is the folder for the files of `minilm`.

    `spending` opens the day's spending; it is called only if there is something to book.
    """

    def __init__(
        self,
        configuration: Configuration,
        keys: ApiKeys,
        *,
        files: Path,
        spending: Callable[[], Spending],
        clock: Clock,
    ) -> None:
        self._configuration = configuration
        self._keys = keys
        self._files = files
        self._spending = spending
        self._clock = clock
        self._bills: dict[str, EmbeddingBill] = {}

    @cached_property
    def configured(self) -> Embedder:
        """Return the configured embedder; it loads nothing and contacts no server before the first text.

        Raises ConfigError if its files are missing.
        """
        return self.called(*self.name())

    def name(self, typed: str | None = None) -> tuple[str, str]:
        """Return provider and model of the configured embedder, or of PROVIDER[/MODEL]. Raises UsageError."""
        settings = self._configuration.settings.embedder
        provider, _, model = (typed or settings.provider).partition("/")
        usual = _USUAL.get(provider)
        if usual is None or (provider in _ONE_MODEL and model not in {"", usual}):
            hint = "static, multilingual, minilm[/MODEL] or openai/MODEL"
            raise UsageError(f"there is no embedder {typed!r}", hint=hint)
        if not model and provider == settings.provider and provider not in _ONE_MODEL:
            model = settings.model or ""
        return provider, model or usual

    def called(self, provider: str, model: str) -> Embedder:
        """Return an embedder by name, with the settings of `embedder.*`. Raises ConfigError for missing files."""
        settings = self._configuration.settings.embedder
        if provider == "static":
            from memgpt_cli.llm.static_embedder import StaticEmbedder

            return StaticEmbedder()
        if provider == "multilingual":
            from memgpt_cli.llm.multilingual_embedder import MultilingualEmbedder

            return MultilingualEmbedder()
        if provider == "minilm":
            from memgpt_cli.llm.minilm_embedder import MiniLMEmbedder

            return MiniLMEmbedder(model=model, models=self._files)
        from memgpt_cli.llm.openai_embedder import OpenAIEmbedder

        source = self._configuration["embedder.base_url"].source
        endpoint = _endpoint(settings.base_url)
        return OpenAIEmbedder(
            model=model,
            base_url=settings.base_url,
            api_key=self._keys.find(endpoint, source),
            dimensions=settings.dimensions,
            batch=settings.batch,
            on_usage=self.bill(model).add,
        )

    def bill(self, model: str) -> EmbeddingBill:
        """Return the embedding cost with this model in this process."""
        if model not in self._bills:
            from memgpt_cli.agent.embedding_bill import EmbeddingBill

            endpoint = _endpoint(self._configuration.settings.embedder.base_url)
            prices = model_settings(self._configuration, model, endpoint)
            self._bills[model] = EmbeddingBill(
                usd_per_million=prices.input_usd_per_million, spending=self._spending(), clock=self._clock
            )
        return self._bills[model]

    def check(self, agent: str, stored: EmbedderIdentity | None) -> None:
        """Raise EmbedderMismatchError if an agent's vectors come from another embedder than the configured one."""
        from memgpt_cli.storage.vectors.log import check_identity

        provider, model = self.name()
        try:
            dimensions = self._configuration.settings.embedder.dimensions if provider == "openai" else None
            check_identity(stored, provider=provider, model=model, dimensions=dimensions)
        except EmbedderMismatchError as error:
            flag = "" if agent == "default" else f" -a {agent}"
            stay = f"to stay with {stored}: {_choosing(stored, provider, model)}" if stored else ""
            raise EmbedderMismatchError(error.message, hint=f"{error.hint}{flag}; {stay}") from error


def _endpoint(base_url: str | None) -> Endpoint:
    return Endpoint.at(base_url, provider=Provider.OPENAI_CHAT)


def _choosing(wanted: EmbedderIdentity, provider: str, model: str) -> str:
    """Return the command that makes this embedder the configured one."""
    if provider != wanted.provider:
        return f"memgpt config set embedder.provider {wanted.provider}"
    if model != wanted.model:
        return f"memgpt config set embedder.model {wanted.model}"
    return f"memgpt config set embedder.dimensions {wanted.dimensions}"
