"""Scripted conversations, on top of the agent."""
