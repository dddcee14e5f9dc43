"""`memgpt agent` and `memgpt backup`."""
