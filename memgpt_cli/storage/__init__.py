"""Adapters for the record: SQLite holds all data; Chroma is a disposable index over its vectors."""
