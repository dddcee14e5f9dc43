"""The definition of a server's tool: its schema, whether it writes, and what it works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memgpt_cli.domain.parameters import Arguments, Parameter, object_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from memgpt_cli.services.memory import AgentMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool. `run` takes the memory and checked arguments and returns a JSON object; it raises MemGPTError to fail.

    `output` is the JSON Schema of the object, set only if a client uses it: schemas cost tokens.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    run: Callable[[AgentMemory, Arguments], dict[str, Any]]
    writes: bool = False
    output: Mapping[str, Any] | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments."""
        return object_schema(self.parameters)
