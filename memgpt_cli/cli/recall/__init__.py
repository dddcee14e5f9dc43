"""`memgpt recall`."""
