"""The kinds of memory: for each one description that undo, forgetting, export and the history of changes go by."""
