"""Values without I/O: what the program talks about. Nothing here opens, sends or prints anything."""
