"""ports.EndpointMemory in the memory of this process, as a default."""

from dataclasses import replace
from threading import Lock
from typing import Any

from memgpt_cli.domain.endpoint_traits import EndpointTraits


class ProcessEndpointMemory:
    """Stores learned traits in a dict."""

    def __init__(self) -> None:
        self._traits: dict[tuple[str | None, str], EndpointTraits] = {}
        self._lock = Lock()

    def traits(self, base_url: str | None, model: str) -> EndpointTraits:
        """Return the learned traits."""
        return self._traits.get((base_url, model), EndpointTraits())

    def learn(self, base_url: str | None, model: str, learned: EndpointTraits) -> None:
        """Replace the known traits of `learned`."""
        known: dict[str, Any] = dict(learned.known())
        with self._lock:
            self._traits[base_url, model] = replace(self.traits(base_url, model), **known)
