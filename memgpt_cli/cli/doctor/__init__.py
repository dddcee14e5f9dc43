"""`memgpt doctor`."""
