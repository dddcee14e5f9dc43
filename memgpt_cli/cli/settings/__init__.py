"""`memgpt config`, `memgpt keys` and `memgpt models`."""
