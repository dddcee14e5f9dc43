"""Values without I/O: the program's data types."""
