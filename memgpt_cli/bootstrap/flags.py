"""What a command line says that overrides settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What was typed on the command line that overrides settings; None where nothing was."""

    agent: str | None = None
    model: str | None = None
    base_url: str | None = None
    window: int | None = None

    def as_settings(self) -> dict[str, str | int | float | bool | None]:
        """By setting."""
        return {
            "agent.name": self.agent,
            "model.name": self.model,
            "model.base_url": self.base_url,
            "window.tokens": self.window,
        }
