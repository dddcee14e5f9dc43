"""The functions that a request offers, for the readers of replies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memgpt_cli.domain.chat import ToolSchema
from memgpt_cli.llm.replies.arguments import as_json, coerced, property_schema, repaired
from memgpt_cli.llm.replies.names import plain_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCall:
    """A call read from a reply; `arguments` is a JSON object if it could be read as one.

    `extra` are the fields that the server sent with it (`opaque_fields`).
    """

    name: str
    arguments: str
    extra: Mapping[str, Any] = field(default_factory=dict)


class Offered:
    """Names and parameters of the offered functions."""

    def __init__(self, tools: Sequence[ToolSchema]) -> None:
        self._schemas: dict[str, Mapping[str, Any]] = {tool.name: tool.parameters for tool in tools}

    def __bool__(self) -> bool:
        """Whether any function is offered."""
        return bool(self._schemas)

    @property
    def names(self) -> Sequence[str]:
        """Return all names."""
        return tuple(self._schemas)

    def name(self, written: str) -> str | None:
        """Return the function that a written name means, or None."""
        return plain_name(written, self._schemas)

    def call(self, name: str, arguments: object) -> ReadCall:
        """Return a call of an offered function; `arguments` is a value, or the text in its place."""
        raw = arguments if isinstance(arguments, str) else as_json(arguments)
        return ReadCall(name=name, arguments=repaired(raw, self._schemas.get(name)))

    def from_texts(self, name: str, texts: Mapping[str, str]) -> ReadCall:
        """Return a call with arguments that were plain text, converted to the types of the function's parameters."""
        schema = self._schemas.get(name)
        values = {key: coerced(text, property_schema(schema, key)) for key, text in texts.items()}
        return ReadCall(name=name, arguments=as_json(values))

    def parameters(self, name: str) -> Sequence[str]:
        """Return the function's parameters in the order of its schema."""
        properties = self._schemas.get(name, {}).get("properties")
        return tuple(properties) if isinstance(properties, dict) else ()
