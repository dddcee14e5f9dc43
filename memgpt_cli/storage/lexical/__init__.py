"""The full-text index: FTS5 stores the postings, and the scores are computed from them."""
