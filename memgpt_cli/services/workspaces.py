"""What entry points open: the workspace that flags ask for. Entry points import it from here."""

from memgpt_cli.bootstrap import Flags, Workspace

__all__ = ["Flags", "Workspace"]
