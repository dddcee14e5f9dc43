"""Interfaces to the machine: time, daily spending, learned facts about servers, prompt texts, files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from memgpt_cli.domain.documents import Document, FoundFile, SkippedFile
    from memgpt_cli.domain.endpoint_traits import EndpointTraits, LearnedTrait


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the current time in UTC, timezone-aware."""
        ...


class Calibration(Protocol):
    """Token counts reported by servers compared with ours, per model, for all agents."""

    def ratio(self, model: str) -> float | None:
        """Return the factor that corrects our counts for this model; None before any report."""
        ...

    def observe(self, model: str, *, counted: int, reported: int) -> None:
        """Learn from one call."""
        ...


class EndpointMemory(Protocol):
    """Learned traits of models and their servers, kept across processes. A `base_url` of None is OpenAI."""

    def traits(self, base_url: str | None, model: str) -> EndpointTraits:
        """Return the traits that are known and not stale (`endpoint_traits.FRESH_FOR`)."""
        ...

    def learn(self, base_url: str | None, model: str, learned: EndpointTraits) -> None:
        """Store the known traits of `learned` with the current time; others do not change."""
        ...


class Spending(Protocol):
    """Spending per day, of all agents together."""

    def add_spending(self, at: datetime, usd: float) -> None:
        """Book a call made at this instant."""
        ...

    def spent_on(self, day: date) -> float:
        """Return the US dollars booked on that day."""
        ...

    def day(self, at: datetime) -> date:
        """Return the day of an instant in the user's zone."""
        ...


class StateStore(Calibration, EndpointMemory, Spending, Protocol):
    """Everything that is kept across agents."""

    def learned_traits(self) -> list[LearnedTrait]:
        """Return all learned traits of endpoints, stale ones too, by endpoint, model and name."""
        ...

    def forget_learned(self, model: str | None = None) -> int:
        """Delete the traits and token counts of a model, or of all models. Returns the number of traits."""
        ...


class PromptSource(Protocol):
    """The texts of the system instructions and of the summariser's instructions."""

    def render(self, name: str, values: Mapping[str, str]) -> str:
        """Return the prompt `name` (`system_native`, `system_paper`, `summary`) with its placeholders filled.

        Raises ConfigError with the name of a placeholder in `values` that an override does not contain.
        """
        ...


class DocumentReader(Protocol):
    """Finds files and extracts their text."""

    def find(self, paths: Sequence[str]) -> Iterator[FoundFile | SkippedFile]:
        """Yield the files that these files, folders, patterns and `-` match, each once, in a fixed order."""
        ...

    def content(self, file: FoundFile) -> bytes:
        """Return the bytes of a file. Raises DocumentError."""
        ...

    def read(self, content: bytes, *, name: str) -> Document:
        """Extract the text from the bytes of a file called `name`. Raises DocumentError."""
        ...
