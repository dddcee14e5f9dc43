"""The terminal: parsing, rendering, exit codes. Services do the work."""
