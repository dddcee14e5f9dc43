"""Permanent deletion from an agent's record and from the files around it, with proof."""

from memgpt_cli.storage.forgetting.service import Forgetting

__all__ = ["Forgetting"]
