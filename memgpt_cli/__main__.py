"""The `memgpt` command, also as `python -m memgpt_cli`.

Importing the command line takes a moment, in which Ctrl-C is as good as at any other.
"""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from memgpt_cli.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
