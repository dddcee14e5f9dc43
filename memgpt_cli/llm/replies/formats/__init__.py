"""How model families write calls into their text: one small reader for each way."""
