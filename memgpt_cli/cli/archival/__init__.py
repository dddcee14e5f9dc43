"""`memgpt archival`."""
