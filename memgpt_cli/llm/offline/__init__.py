"""The offline responder: a deterministic stand-in for a language model that stores what it is told and finds it again.

No model, no network, no vendor. It sees exactly what a model would see, a `ChatRequest`, and answers with the same deltas
and function calls. `docs/offline.md` tells what it understands.
"""

from memgpt_cli.llm.offline.responder import OfflineResponder

__all__ = ["OfflineResponder"]
