"""Batches of scripted conversations."""
