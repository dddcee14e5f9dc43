"""Replies of Chat Completions servers: chunks, calls, text, and their limits."""
