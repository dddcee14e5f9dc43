"""What surrounds a conversation on this machine: the time, the day's money, what servers count, texts, files."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from memgpt_cli.domain.documents import Document, FoundFile, SkippedFile
from memgpt_cli.domain.endpoint_traits import EndpointTraits


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class Calibration(Protocol):
    """What servers reported against what we counted, kept for each model across agents."""

    def ratio(self, model: str) -> float | None:
        """By how much to multiply our counts for this model; None before any report."""
        ...

    def observe(self, model: str, *, counted: int, reported: int) -> None:
        """Learn from one call."""
        ...


class EndpointMemory(Protocol):
    """What was learned about models and their servers, kept across processes. A `base_url` of None is OpenAI."""

    def traits(self, base_url: str | None, model: str) -> EndpointTraits:
        """What is known and still believed (`endpoint_traits.FRESH_FOR`)."""
        ...

    def learn(self, base_url: str | None, model: str, learned: EndpointTraits) -> None:
        """Store the traits that `learned` knows, as of now; the others stay as they are."""
        ...


class Spending(Protocol):
    """What was spent on each day, by all agents together."""

    def add_spending(self, at: datetime, usd: float) -> None:
        """Book a call made at this instant."""
        ...

    def spent_on(self, day: date) -> float:
        """US dollars booked on that day."""
        ...

    def day(self, at: datetime) -> date:
        """The day, in the person's zone, that an instant belongs to."""
        ...


class PromptSource(Protocol):
    """The texts of the system instructions and of the summariser's orders."""

    def render(self, name: str, values: Mapping[str, str]) -> str:
        """The prompt called `name` (`system_native`, `system_paper`, `summary`) with its placeholders filled.

        Raises ConfigError when a placeholder of `values` is missing in an override, naming it.
        """
        ...


class DocumentReader(Protocol):
    """Finds files and makes texts of them."""

    def find(self, paths: Sequence[str]) -> Iterator[FoundFile | SkippedFile]:
        """What these files, folders, patterns and `-` stand for; each file once, in a fixed order."""
        ...

    def content(self, file: FoundFile) -> bytes:
        """The bytes of a file. Raises DocumentError."""
        ...

    def read(self, content: bytes, *, name: str) -> Document:
        """What the bytes of a file called `name` say. Raises DocumentError."""
        ...
