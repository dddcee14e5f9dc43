"""The index of words: FTS5 keeps the postings, the scores are computed from them."""
