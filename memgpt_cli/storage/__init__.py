"""Adapters that keep the record: SQLite is the truth, Chroma an index over its vectors that can be thrown away."""
