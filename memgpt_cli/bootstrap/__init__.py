"""The composition root, the only package that names concrete adapters: it builds workspaces and opens agents.

Adapters are imported inside the functions that need them, so that a command only pays for what it uses.
"""

from memgpt_cli.bootstrap.flags import Flags
from memgpt_cli.bootstrap.memory import Memory
from memgpt_cli.bootstrap.models import AroundModel
from memgpt_cli.bootstrap.workspace import Workspace
from memgpt_cli.config.models import ModelChoice

__all__ = ["AroundModel", "Flags", "Memory", "ModelChoice", "Workspace"]
