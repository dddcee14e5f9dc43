"""The definition of a setting: its key, type, range and variable, and how its values are parsed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from memgpt_cli.config.option_checks import is_extra_body

Scalar = str | int | float | bool
"""The value of a setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One setting. `target` is its field in `domain.settings.Settings` (`section.field`).

    A harmless setting cannot send messages elsewhere, cost money, choose another agent, weaken a limit or change what
    the model sees. A project file that is not trusted may set only harmless settings.
    """

    key: str
    target: str
    kind: type[str] | type[int] | type[float] | type[bool]
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    harmless: bool = False
    check: Callable[[str], bool] | None = None
    expects: str = ""

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return _SHORT_VARIABLES.get(self.key, "MEMGPT_" + self.key.replace(".", "_").upper())

    @property
    def expected(self) -> str:
        """Describe a valid value in words."""
        if self.expects:
            return self.expects
        if self.choices:
            return " or ".join(self.choices)
        noun = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}[self.kind]
        if self.low is None:
            return noun
        return f"{noun} from {self.low:,}" + ("" if self.high is None else f" to {self.high:,}")

    def accept(self, value: object) -> Scalar:
        """Return a TOML value in this option's type; raises ValueError with `expected` if it is invalid."""
        if self.kind is float and type(value) is int:
            value = float(value)
        if isinstance(value, dict) and self.check is is_extra_body:
            value = json.dumps(value, default=str)
        if type(value) is not self.kind or not self._in_range(value):
            raise ValueError(self.expected)
        return value

    def parse(self, text: str) -> Scalar:
        """Parse the text of a flag, a variable or `config set`; raises ValueError with `expected`."""
        if self.kind is str:
            return self.accept(text)
        if self.kind is bool:
            return self.accept(_TRUTH.get(text.strip().lower(), text))
        try:
            return self.accept(self.kind(text.replace("_", "").replace(",", "") if self.kind is int else text))
        except ValueError:
            raise ValueError(self.expected) from None

    def _in_range(self, value: Scalar) -> bool:
        if isinstance(value, bool):
            return True
        if isinstance(value, str):
            if self.choices:
                return value in self.choices
            return bool(value.strip()) and value.isprintable() and (self.check is None or self.check(value))
        # Written so that NaN, which is neither, is refused.
        return (self.low is None or value >= self.low) and value <= (float("1e18") if self.high is None else self.high)


_TRUTH: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

_SHORT_VARIABLES: Final = {
    "agent.name": "MEMGPT_AGENT",
    "model.name": "MEMGPT_MODEL",
    "model.base_url": "MEMGPT_BASE_URL",
    "window.tokens": "MEMGPT_WINDOW",
}
