"""`memgpt batch`."""
