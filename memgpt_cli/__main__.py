"""The `memgpt` command, also as `python -m memgpt_cli`.

Importing the command line takes a moment, in which Ctrl-C is as good as at any other.
"""

import gc
import sys

COLLECTED_AFTER = (20_000, 20, 50)
"""Thresholds of the garbage collector: what a start makes stays to the end, and looking through it is all loss."""


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(*COLLECTED_AFTER)
    try:
        from memgpt_cli.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
