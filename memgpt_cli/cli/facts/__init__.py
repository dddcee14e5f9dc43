"""`memgpt facts`, `memgpt entities` and `memgpt graph`."""
