"""The offline responder: not a language model; it keeps and quotes what the person said. Deterministic.

It sees what a model would see, a `ChatRequest`, and answers with the same deltas and function calls; no network, no
vendor. `docs/offline.md` describes what it understands.
"""

from memgpt_cli.llm.offline.responder import OfflineResponder

__all__ = ["OfflineResponder"]
