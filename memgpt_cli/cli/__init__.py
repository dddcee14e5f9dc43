"""The terminal: parsing, rendering, exit codes. Everything else is asked of the rooms below."""
