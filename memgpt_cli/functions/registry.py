"""The function set of each protocol (DESIGN §8)."""

from collections.abc import Mapping

from memgpt_cli.domain.agents import Protocol
from memgpt_cli.functions.archival import ARCHIVAL_MEMORY_INSERT, ARCHIVAL_MEMORY_SEARCH
from memgpt_cli.functions.core_memory import CORE_MEMORY_APPEND, CORE_MEMORY_REPLACE
from memgpt_cli.functions.facts import FACT_RECORD, FACT_SEARCH
from memgpt_cli.functions.messages import SEND_MESSAGE
from memgpt_cli.functions.recall import CONVERSATION_SEARCH
from memgpt_cli.functions.spec import FunctionSpec

_ALL = (
    SEND_MESSAGE,
    CORE_MEMORY_APPEND,
    CORE_MEMORY_REPLACE,
    CONVERSATION_SEARCH,
    ARCHIVAL_MEMORY_INSERT,
    ARCHIVAL_MEMORY_SEARCH,
)


_FACTS = (FACT_RECORD, FACT_SEARCH)


def function_set(protocol: Protocol, *, facts: bool = False) -> Mapping[str, FunctionSpec]:
    """Return the functions of a protocol by name, in the order in which the model sees them."""
    return {spec.name: spec for spec in (*_ALL, *(_FACTS if facts else ())) if protocol in spec.after}
