"""Permanent deletion from an agent's record and the files around it, with a check of the result."""

from memgpt_cli.storage.forgetting.service import Forgetting

__all__ = ["Forgetting"]
