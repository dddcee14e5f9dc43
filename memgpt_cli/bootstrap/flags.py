"""Command-line flags that override settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The flags that override settings; None if a flag was not given."""

    agent: str | None = None
    model: str | None = None
    base_url: str | None = None
    window: int | None = None

    def as_settings(self) -> dict[str, str | int | float | bool | None]:
        """Return the flags by setting."""
        return {
            "agent.name": self.agent,
            "model.name": self.model,
            "model.base_url": self.base_url,
            "window.tokens": self.window,
        }
