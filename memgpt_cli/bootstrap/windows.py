"""Find the window of a model if none is set: ask its server once, or use a refusal, and remember the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from memgpt_cli.config.models import MAX_DEFAULT_WINDOW
from memgpt_cli.config.settings import SettingSource
from memgpt_cli.domain.endpoint_traits import EndpointTraits
from memgpt_cli.domain.endpoints import Endpoint, Provider

if TYPE_CHECKING:
    from memgpt_cli.config.keys import ApiKeys
    from memgpt_cli.config.models import ModelChoice
    from memgpt_cli.ports import EndpointMemory

REFUSED: Final = "a refused prompt"
_NOT_TOLD: Final = "not stated by the server"


class ModelWindows:
    """Finds the windows of models at endpoints. Asks each at most once per process, and internet servers once a day."""

    def __init__(self, memory: EndpointMemory, keys: ApiKeys) -> None:
        self._memory = memory
        self._keys = keys
        self._asked: set[tuple[str, str]] = set()

    def applied(self, choice: ModelChoice) -> ModelChoice:
        """Return the choice with the remembered window, if that is more than the choice knows."""
        if choice.endpoint is None:
            return choice
        known = self._memory.traits(choice.endpoint.base_url, choice.name)
        if known.window is None or known.window_source is None:
            return choice
        if choice.window_source is SettingSource.DEFAULT:
            window = min(known.window, MAX_DEFAULT_WINDOW)
            return replace(choice, window=window, window_from=f"the server: {known.window_source}")
        if known.window_source == REFUSED and known.window < choice.window:
            said = (
                f"The window of {choice.window:,} tokens is more than {choice.endpoint.host} takes for {choice.name};"
                f" using {known.window:,}."
            )
            notice = "\n".join(filter(None, (choice.notice, said)))
            return replace(choice, window=known.window, window_from=f"the server: {REFUSED}", notice=notice)
        return choice

    def asked(self, choice: ModelChoice) -> ModelChoice:
        """Return the choice after asking the server, if its window is neither set nor known. Raises nothing."""
        endpoint = choice.endpoint
        if endpoint is not None and self._is_open(choice, endpoint):
            self._ask(choice, endpoint)
        return self.applied(choice)

    def refused(self, choice: ModelChoice, tokens: int) -> None:
        """Store the window that a refusal stated."""
        if choice.endpoint is not None:
            self._learn(choice.endpoint, choice.name, tokens, REFUSED)

    def _is_open(self, choice: ModelChoice, endpoint: Endpoint) -> bool:
        place = (endpoint.base_url, choice.name)
        if (
            choice.window_source is not SettingSource.DEFAULT
            or choice.settings.context is not None
            or place in self._asked
        ):
            return False
        if endpoint.provider is not Provider.OPENAI_CHAT:
            return False
        known = self._memory.traits(*place).window_source
        # A server on this machine answers quickly, and may have been restarted with another window.
        return known is None or (endpoint.is_loopback and known != REFUSED)

    def _ask(self, choice: ModelChoice, endpoint: Endpoint) -> None:
        from memgpt_cli.llm.served_window import ask_window

        self._asked.add((endpoint.base_url, choice.name))
        told = ask_window(endpoint, choice.name, api_key=self._keys.require(endpoint, choice.base_url_source))
        if told is not None:
            self._learn(endpoint, choice.name, told.tokens, told.source)
        elif not endpoint.is_loopback:
            self._memory.learn(endpoint.base_url, choice.name, EndpointTraits(window_source=_NOT_TOLD))

    def _learn(self, endpoint: Endpoint, model: str, tokens: int, source: str) -> None:
        self._memory.learn(endpoint.base_url, model, EndpointTraits(window=tokens, window_source=source))
