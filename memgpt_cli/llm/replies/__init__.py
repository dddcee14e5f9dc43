"""What comes in from a Chat Completions server: chunks, calls, text, and their limits."""
