"""The `memgpt` command, also as `python -m memgpt_cli`.

Ctrl-C works while the command line is being imported, too.
"""

import gc
import sys

COLLECTED_AFTER = (20_000, 20, 50)
"""Thresholds of the garbage collector. Objects made at start-up stay until the end, so collecting them wastes time."""


def main() -> None:
    """Run the command line and exit with its exit code."""
    gc.set_threshold(*COLLECTED_AFTER)
    try:
        from memgpt_cli.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
