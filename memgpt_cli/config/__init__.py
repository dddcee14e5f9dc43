"""Adapters for settings, keys and prompts."""
