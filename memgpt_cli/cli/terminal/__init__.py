"""Shared parts of all commands: the console, tables, pages, progress, the editor."""
