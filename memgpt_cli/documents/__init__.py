"""Adapters that read documents."""
