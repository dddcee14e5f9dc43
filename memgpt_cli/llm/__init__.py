"""Adapters for language models, tokenizers and embedders."""
