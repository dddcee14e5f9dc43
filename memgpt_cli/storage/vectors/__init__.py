"""Vectors: their log in SQLite, and the indexes that are made from it."""
