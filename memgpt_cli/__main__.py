"""`python -m memgpt_cli` is the `memgpt` command."""

from memgpt_cli.cli.app import main

if __name__ == "__main__":
    main()
