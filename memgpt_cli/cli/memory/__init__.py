"""`memgpt memory`, `memgpt undo` and `memgpt redo`."""
