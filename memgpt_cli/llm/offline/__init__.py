"""The offline responder: no language model; it stores what it is told and finds it again. Deterministic.

It sees what a model would see, a `ChatRequest`, and answers with the same deltas and function calls; no network, no
vendor. `docs/offline.md` tells what it understands.
"""

from memgpt_cli.llm.offline.responder import OfflineResponder

__all__ = ["OfflineResponder"]
