"""Benchmarks of memory, on top of the agent."""
