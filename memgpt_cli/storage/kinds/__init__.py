"""The kinds of memory: one description each, used by undo, forgetting, export and the history of changes."""
