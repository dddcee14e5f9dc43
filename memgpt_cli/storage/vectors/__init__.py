"""Vectors: their log in SQLite, and the indexes built from it."""
