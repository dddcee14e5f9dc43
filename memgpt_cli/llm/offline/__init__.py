"""The offline responder: it stores and quotes the user's words. It is not a language model. Deterministic.

Its input is the same `ChatRequest` that a model gets, and its output the same deltas and function calls; it uses no
network. `docs/offline.md` describes what it understands.
"""

from memgpt_cli.llm.offline.responder import OfflineResponder

__all__ = ["OfflineResponder"]
