"""The tables of a record, with their histories."""
